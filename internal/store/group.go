package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

const groupColumns = "g.tenant, g.number, g.id, g.kind, g.key, g.name, g.description, g.parent, g.external_ids, g.version, g.created_at, g.updated_at"

func scanGroup(r *row) directory.Group {
	g := directory.Group{Tenant: directory.TenantNo(r.int()), Number: r.int(), ID: r.text(),
		Kind: directory.GroupKind(r.text()), Key: r.text(), Name: r.text(), Description: r.text(), Parent: r.int()}
	decode(r, r.text(), &g.ExternalIDs)
	g.Version, g.CreatedAt, g.UpdatedAt = r.int(), r.time(), r.time()
	if g.UpdatedAt.IsZero() {
		g.UpdatedAt = g.CreatedAt
	}
	return g
}

// groupValues are the stored values of a group.
func groupValues(g *directory.Group) ([]any, error) {
	external := ""
	if len(g.ExternalIDs) > 0 {
		var err error
		if external, err = encode(g.ExternalIDs); err != nil {
			return nil, err
		}
	}
	return []any{int64(g.Tenant), g.Number, g.ID, string(g.Kind), g.Key, g.Name, directory.NameKey(g.Name), g.Description, g.Parent,
		external, g.Version, micros(g.CreatedAt), micros(g.UpdatedAt)}, nil
}

func (r *reader) group(ctx context.Context, t directory.TenantNo, where string, args ...any) (directory.Group, error) {
	var g directory.Group
	err := r.one(ctx, "SELECT "+groupColumns+" FROM groups g WHERE g.tenant = $1 AND "+where, append([]any{int64(t)}, args...),
		func(row *row) { g = scanGroup(row) })
	return g, err
}

// Group implements directory.GroupReader.
func (r *reader) Group(ctx context.Context, t directory.TenantNo, number int64) (directory.Group, error) {
	return r.group(ctx, t, "g.number = $2", number)
}

// GroupByID implements directory.GroupReader.
func (r *reader) GroupByID(ctx context.Context, t directory.TenantNo, id string) (directory.Group, error) {
	return r.group(ctx, t, "g.id = $2", id)
}

// GroupByKey implements directory.GroupReader. The empty key finds nothing.
func (r *reader) GroupByKey(ctx context.Context, t directory.TenantNo, kind directory.GroupKind, key string) (directory.Group, error) {
	return r.group(ctx, t, "g.kind = $2 AND g.key = $3 AND g.key <> ''", string(kind), key)
}

// Groups implements directory.GroupReader. q.NameKey is part of
// directory.NameKey of the name.
func (r *reader) Groups(ctx context.Context, t directory.TenantNo, q directory.GroupSelection) ([]directory.Group, error) {
	var list []directory.Group
	var a args
	from, key := r.groupSelection(&a, t, &q)
	sql := "SELECT " + groupColumns + from + " ORDER BY " + key + " LIMIT " + a.add(int64(max(q.Limit, 0))) + " OFFSET " + a.add(int64(max(q.Skip, 0)))
	err := r.q.scan(ctx, sql, a.list, func(row *row) { list = append(list, scanGroup(row)) })
	return list, err
}

// CountGroups implements directory.GroupReader. q.After counts.
func (r *reader) CountGroups(ctx context.Context, t directory.TenantNo, q directory.GroupSelection) (int64, error) {
	var n int64
	var a args
	from, _ := r.groupSelection(&a, t, &q)
	err := r.q.scan(ctx, "SELECT count(*)"+from, a.list, func(row *row) { n = row.int() })
	return n, err
}

// groupSelection is the FROM and WHERE of a selection, and the column that is
// in order of number: of the kind's index, or of the member's own rows.
func (r *reader) groupSelection(a *args, t directory.TenantNo, q *directory.GroupSelection) (from, key string) {
	from, key = " FROM groups g WHERE g.tenant = "+a.add(int64(t)), "g.number"
	if q.Member != 0 {
		from = " FROM group_members m CROSS JOIN groups g WHERE m.rid = " + a.add(rowID(t, q.Member)) +
			" AND g.tenant = $1 AND g.number = m.group_no"
		key = "m.group_no"
	}
	from += " AND g.kind = " + a.add(string(q.Kind))
	if q.After > 0 {
		from += " AND " + key + " > " + a.add(q.After)
	}
	if q.Parent.Set {
		// The plus keeps SQLite from an index that is not in order of number.
		from += " AND +g.parent = " + a.add(q.Parent.Value)
	}
	if q.NameKey != "" {
		from += " AND " + r.e.instr + "(g.name_key, " + a.add(q.NameKey) + ") > 0"
	}
	return from, key
}

// UserGroups implements directory.GroupReader.
func (r *reader) UserGroups(ctx context.Context, t directory.TenantNo, number int64) ([]directory.Membership, error) {
	var list []directory.Membership
	err := r.q.query(ctx, "SELECT m.role, m.position, "+groupColumns+` FROM group_members m CROSS JOIN groups g
		WHERE m.rid = $1 AND g.tenant = m.tenant AND g.number = m.group_no ORDER BY g.kind, m.position, g.number`,
		[]any{rowID(t, number)}, func(row *row) {
			list = append(list, directory.Membership{Role: row.text(), Position: int(row.int()), Group: scanGroup(row)})
		})
	return list, err
}

// livingMembers are the members m of a group that are not deleted, u.
var livingMembers = " FROM group_members m CROSS JOIN users u WHERE m.tenant = $1 AND m.group_no = $2 AND u.rid = m.rid AND +u.state IN (" +
	stateList(directory.LivingStates) + ")"

// GroupMembers implements directory.GroupReader.
func (r *reader) GroupMembers(ctx context.Context, t directory.TenantNo, group, after int64, limit int) ([]int64, error) {
	var list []int64
	err := r.q.scan(ctx, "SELECT m.rid"+livingMembers+" AND m.rid > $3 ORDER BY m.rid LIMIT $4",
		[]any{int64(t), group, int64(t)<<numberBits + min(max(after, 0), directory.MaxNumber), int64(max(limit, 0))}, func(row *row) {
			_, number := split(row.int())
			list = append(list, number)
		})
	return list, err
}

// GroupMemberRefs implements directory.GroupReader.
func (r *reader) GroupMemberRefs(ctx context.Context, t directory.TenantNo, group, company, after int64, limit int) ([]directory.MemberRef, error) {
	a := args{list: []any{int64(t), group, int64(t)<<numberBits + min(max(after, 0), directory.MaxNumber)}}
	sql := "SELECT u.rid, u.id, u.user_name, u.display_name" + livingMembers + " AND m.rid > $3" + ofSubtree(r.e, &a, t, company) +
		" ORDER BY m.rid LIMIT " + a.add(int64(max(limit, 0)))
	var list []directory.MemberRef
	err := r.q.scan(ctx, sql, a.list, func(row *row) {
		_, number := split(row.int())
		list = append(list, directory.MemberRef{Number: number, ID: row.text(), UserName: row.text(), DisplayName: row.text()})
	})
	return list, err
}

// GroupSize implements directory.GroupReader.
func (r *reader) GroupSize(ctx context.Context, t directory.TenantNo, group int64) (int64, error) {
	var n int64
	err := r.q.scan(ctx, "SELECT count(*)"+livingMembers, []any{int64(t), group}, func(row *row) { n = row.int() })
	return n, err
}

// InsertGroup implements directory.GroupWriter. A taken number or id, or a key
// that is taken in the kind, is ErrDuplicate.
func (t *tx) InsertGroup(ctx context.Context, g directory.Group) error {
	values, err := groupValues(&g)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO groups (tenant, number, id, kind, key, name, name_key, description, parent, external_ids, version,
		created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`, values...)
}

// UpdateGroup implements directory.GroupWriter. A key that is taken in the kind
// is ErrDuplicate.
func (t *tx) UpdateGroup(ctx context.Context, g directory.Group) error {
	values, err := groupValues(&g)
	if err != nil {
		return err
	}
	return t.change(ctx, `UPDATE groups SET id = $3, kind = $4, key = $5, name = $6, name_key = $7, description = $8, parent = $9,
		external_ids = $10, version = $11, created_at = $12, updated_at = $13 WHERE tenant = $1 AND number = $2`, values...)
}

// emptyGroupSQL names the memberships first, so that it can be bounded.
const emptyGroupSQL = `DELETE FROM group_members WHERE tenant = $1 AND group_no = $2 AND rid IN (
	SELECT m.rid FROM group_members m WHERE m.tenant = $1 AND m.group_no = $2 ORDER BY m.rid LIMIT $3)`

// EmptyGroup implements directory.GroupWriter.
func (t *tx) EmptyGroup(ctx context.Context, tenant directory.TenantNo, number int64, limit int) (int, error) {
	n, err := t.q.exec(ctx, emptyGroupSQL, int64(tenant), number, int64(max(limit, 0)))
	return int(n), err
}

// DeleteGroup implements directory.GroupWriter. The group goes first: who is
// adding a member has it shared, and is waited for.
func (t *tx) DeleteGroup(ctx context.Context, tenant directory.TenantNo, number int64) error {
	if err := t.change(ctx, "DELETE FROM groups WHERE tenant = $1 AND number = $2", int64(tenant), number); err != nil {
		return err
	}
	if _, err := t.q.exec(ctx, "DELETE FROM group_members WHERE tenant = $1 AND group_no = $2", int64(tenant), number); err != nil {
		return err
	}
	_, err := t.q.exec(ctx, "UPDATE groups SET parent = 0 WHERE tenant = $1 AND parent = $2 AND parent <> 0", int64(tenant), number)
	return err
}

// setGroupMemberSQL adds a member to a group that is there. What is there
// already with the same role and position is no change.
const setGroupMemberSQL = `INSERT INTO group_members (rid, group_no, tenant, role, position)
	SELECT CAST($1 AS BIGINT), g.number, g.tenant, CAST($4 AS TEXT), CAST($5 AS BIGINT) FROM groups g WHERE g.tenant = $2 AND g.number = $3`

const replaceGroupMemberSQL = ` ON CONFLICT (rid, group_no) DO UPDATE SET role = excluded.role, position = excluded.position
	WHERE group_members.role <> excluded.role OR group_members.position <> excluded.position`

// SetGroupMember implements directory.GroupWriter.
func (t *tx) SetGroupMember(ctx context.Context, tenant directory.TenantNo, group, number int64, role string, position int) (bool, error) {
	n, err := t.q.exec(ctx, setGroupMemberSQL+t.e.share+replaceGroupMemberSQL,
		rowID(tenant, number), int64(tenant), group, role, int64(position))
	if err != nil || n > 0 {
		return n > 0, err
	}
	if _, err = t.Group(ctx, tenant, group); err == directory.ErrNotFound {
		return false, directory.ErrDuplicate
	}
	return false, err
}

// RemoveGroupMember implements directory.GroupWriter.
func (t *tx) RemoveGroupMember(ctx context.Context, tenant directory.TenantNo, group, number int64) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM group_members WHERE rid = $1 AND group_no = $2", rowID(tenant, number), group)
	return n > 0, err
}

package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// UserLocations implements directory.MembershipReader.
func (r *reader) UserLocations(ctx context.Context, t directory.TenantNo, number int64) ([]int64, error) {
	var list []int64
	err := r.q.query(ctx, "SELECT location FROM user_locations WHERE rid = $1 ORDER BY location",
		[]any{rowID(t, number)}, func(row *row) { list = append(list, row.int()) })
	return list, err
}

// AddUserLocation implements directory.MembershipWriter.
func (t *tx) AddUserLocation(ctx context.Context, tenant directory.TenantNo, number, location int64) (bool, error) {
	n, err := t.q.exec(ctx, "INSERT INTO user_locations (rid, location) VALUES ($1, $2) ON CONFLICT DO NOTHING",
		rowID(tenant, number), location)
	return n > 0, err
}

// RemoveUserLocation implements directory.MembershipWriter.
func (t *tx) RemoveUserLocation(ctx context.Context, tenant directory.TenantNo, number, location int64) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM user_locations WHERE rid = $1 AND location = $2", rowID(tenant, number), location)
	return n > 0, err
}

// UserRoles implements directory.MembershipReader.
func (r *reader) UserRoles(ctx context.Context, t directory.TenantNo, number int64) ([]directory.RoleAssignment, error) {
	var list []directory.RoleAssignment
	err := r.q.query(ctx, "SELECT number, role, company FROM user_roles WHERE rid = $1 ORDER BY number",
		[]any{rowID(t, number)}, func(row *row) {
			list = append(list, directory.RoleAssignment{Number: row.int(), User: number, Role: row.int(), Company: row.int()})
		})
	return list, err
}

// AddUserRole implements directory.MembershipWriter. A role that the user has
// for the company already, or a number that is taken, is ErrDuplicate.
func (t *tx) AddUserRole(ctx context.Context, tenant directory.TenantNo, a directory.RoleAssignment) error {
	return t.insert(ctx, "INSERT INTO user_roles (tenant, number, rid, role, company) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		int64(tenant), a.Number, rowID(tenant, a.User), a.Role, a.Company)
}

// RemoveUserRole implements directory.MembershipWriter.
func (t *tx) RemoveUserRole(ctx context.Context, tenant directory.TenantNo, assignment int64) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM user_roles WHERE tenant = $1 AND number = $2", int64(tenant), assignment)
	return n > 0, err
}

const selectRole = "SELECT tenant, number, key, name, description, company, rank, permissions FROM roles WHERE tenant = $1"

func scanRole(r *row) directory.Role {
	role := directory.Role{Tenant: directory.TenantNo(r.int()), Number: r.int(), Key: r.text(), Name: r.text(),
		Description: r.text(), Company: r.int(), Rank: directory.Rank(r.int())}
	decode(r, r.text(), &role.Permissions)
	return role
}

// Role implements directory.MembershipReader.
func (r *reader) Role(ctx context.Context, t directory.TenantNo, number int64) (directory.Role, error) {
	var role directory.Role
	err := r.one(ctx, selectRole+" AND number = $2", []any{int64(t), number}, func(row *row) { role = scanRole(row) })
	return role, err
}

// RoleByKey implements directory.MembershipReader.
func (r *reader) RoleByKey(ctx context.Context, t directory.TenantNo, company int64, key string) (directory.Role, error) {
	var role directory.Role
	err := r.one(ctx, selectRole+" AND company = $2 AND key = $3 AND key <> ''", []any{int64(t), company, key},
		func(row *row) { role = scanRole(row) })
	return role, err
}

// Roles implements directory.MembershipReader.
func (r *reader) Roles(ctx context.Context, t directory.TenantNo, company int64) ([]directory.Role, error) {
	var list []directory.Role
	err := r.q.query(ctx, selectRole+" AND company = $2 ORDER BY number", []any{int64(t), company},
		func(row *row) { list = append(list, scanRole(row)) })
	return list, err
}

func permissions(role *directory.Role) (string, error) {
	if len(role.Permissions) == 0 {
		return "", nil
	}
	return encode(role.Permissions)
}

// InsertRole implements directory.MembershipWriter.
func (t *tx) InsertRole(ctx context.Context, role directory.Role) error {
	list, err := permissions(&role)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO roles (tenant, number, company, key, name, description, rank, permissions)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		int64(role.Tenant), role.Number, role.Company, role.Key, role.Name, role.Description, int64(role.Rank), list)
}

// UpdateRole implements directory.MembershipWriter.
func (t *tx) UpdateRole(ctx context.Context, role directory.Role) error {
	list, err := permissions(&role)
	if err != nil {
		return err
	}
	return t.change(ctx, `UPDATE roles SET company = $3, key = $4, name = $5, description = $6, rank = $7, permissions = $8
		WHERE tenant = $1 AND number = $2`,
		int64(role.Tenant), role.Number, role.Company, role.Key, role.Name, role.Description, int64(role.Rank), list)
}

const groupColumns = "g.tenant, g.number, g.id, g.kind, g.key, g.name, g.description, g.parent, g.version, g.created_at"

func scanGroup(r *row) directory.Group {
	return directory.Group{Tenant: directory.TenantNo(r.int()), Number: r.int(), ID: r.text(),
		Kind: directory.GroupKind(r.text()), Key: r.text(), Name: r.text(), Description: r.text(), Parent: r.int(),
		Version: r.int(), CreatedAt: r.time()}
}

// UserGroups implements directory.MembershipReader.
func (r *reader) UserGroups(ctx context.Context, t directory.TenantNo, number int64) ([]directory.Membership, error) {
	var list []directory.Membership
	err := r.q.query(ctx, "SELECT "+groupColumns+` FROM group_members m JOIN groups g ON g.tenant = m.tenant AND g.number = m.group_no
		WHERE m.rid = $1 ORDER BY g.number`, []any{rowID(t, number)}, func(row *row) { list = append(list, directory.Membership{Group: scanGroup(row)}) })
	return list, err
}

// GroupByKey implements directory.MembershipReader.
func (r *reader) GroupByKey(ctx context.Context, t directory.TenantNo, kind directory.GroupKind, key string) (directory.Group, error) {
	var g directory.Group
	err := r.one(ctx, "SELECT "+groupColumns+" FROM groups g WHERE g.tenant = $1 AND g.kind = $2 AND g.key = $3 AND g.key <> ''",
		[]any{int64(t), string(kind), key}, func(row *row) { g = scanGroup(row) })
	return g, err
}

// InsertGroup implements directory.MembershipWriter.
func (t *tx) InsertGroup(ctx context.Context, g directory.Group) error {
	return t.insert(ctx, `INSERT INTO groups (tenant, number, id, kind, key, name, description, parent, version, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		int64(g.Tenant), g.Number, g.ID, string(g.Kind), g.Key, g.Name, g.Description, g.Parent, g.Version, micros(g.CreatedAt))
}

// SetGroupMember implements directory.GroupWriter.
func (t *tx) SetGroupMember(ctx context.Context, tenant directory.TenantNo, group, number int64, role string, position int) (bool, error) {
	n, err := t.q.exec(ctx, "INSERT INTO group_members (rid, group_no, tenant) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		rowID(tenant, number), group, int64(tenant))
	return n > 0, err
}

// RemoveGroupMember implements directory.MembershipWriter.
func (t *tx) RemoveGroupMember(ctx context.Context, tenant directory.TenantNo, group, number int64) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM group_members WHERE rid = $1 AND group_no = $2", rowID(tenant, number), group)
	return n > 0, err
}

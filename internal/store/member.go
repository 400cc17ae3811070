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

// AddUserLocation implements directory.MembershipWriter. On PostgreSQL a location
// that is gone since fn looked it up is ErrDuplicate.
func (t *tx) AddUserLocation(ctx context.Context, tenant directory.TenantNo, number, location int64) (bool, error) {
	if err := t.stays(ctx, "locations", tenant, location); err != nil {
		return false, err
	}
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

// addUserRoleSQL gives a role that is there.
const addUserRoleSQL = `INSERT INTO user_roles (tenant, number, rid, role, company)
	SELECT r.tenant, CAST($2 AS BIGINT), CAST($3 AS BIGINT), r.number, CAST($5 AS BIGINT) FROM roles r WHERE r.tenant = $1 AND r.number = $4`

// AddUserRole implements directory.MembershipWriter. A role that the user has
// for the company already, or a number that is taken, is ErrDuplicate.
func (t *tx) AddUserRole(ctx context.Context, tenant directory.TenantNo, a directory.RoleAssignment) error {
	return t.insert(ctx, addUserRoleSQL+t.e.share+" ON CONFLICT DO NOTHING",
		int64(tenant), a.Number, rowID(tenant, a.User), a.Role, a.Company)
}

// RemoveUserRole implements directory.MembershipWriter.
func (t *tx) RemoveUserRole(ctx context.Context, tenant directory.TenantNo, assignment int64) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM user_roles WHERE tenant = $1 AND number = $2", int64(tenant), assignment)
	return n > 0, err
}

const selectRole = "SELECT tenant, number, key, name, description, company, rank, permissions, extras, version FROM roles WHERE tenant = $1"

func scanRole(r *row) directory.Role {
	role := directory.Role{Tenant: directory.TenantNo(r.int()), Number: r.int(), Key: r.text(), Name: r.text(),
		Description: r.text(), Company: r.int(), Rank: directory.Rank(r.int())}
	decode(r, r.text(), &role.Permissions)
	role.Extras = r.text()
	role.Version = r.int()
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

// AllRoles implements directory.MembershipReader.
func (r *reader) AllRoles(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.Role, error) {
	var list []directory.Role
	err := r.q.query(ctx, selectRole+" AND number > $2 ORDER BY number LIMIT $3", []any{int64(t), after, int64(max(limit, 0))},
		func(row *row) { list = append(list, scanRole(row)) })
	return list, err
}

func permissions(role *directory.Role) (string, error) {
	if len(role.Permissions) == 0 {
		return "", nil
	}
	return encode(role.Permissions)
}

// InsertRole implements directory.MembershipWriter. Version 0 becomes 1.
func (t *tx) InsertRole(ctx context.Context, role directory.Role) error {
	if err := t.stays(ctx, "companies", role.Tenant, role.Company); err != nil {
		return err
	}
	list, err := permissions(&role)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO roles (tenant, number, company, key, name, description, rank, permissions, extras, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		int64(role.Tenant), role.Number, role.Company, role.Key, role.Name, role.Description, int64(role.Rank), list,
		role.Extras, max(role.Version, 1))
}

// versionOf is the version that an update writes: the given one, or for 0 one
// more than there is.
func versionOf(a *args, version int64) string {
	if version == 0 {
		return "version + 1"
	}
	return a.add(version)
}

// UpdateRole implements directory.MembershipWriter. Version 0 raises the one
// that is stored.
func (t *tx) UpdateRole(ctx context.Context, role directory.Role) error {
	list, err := permissions(&role)
	if err != nil {
		return err
	}
	a := args{list: []any{int64(role.Tenant), role.Number, role.Company, role.Key, role.Name, role.Description, int64(role.Rank), list,
		role.Extras}}
	return t.change(ctx, `UPDATE roles SET company = $3, key = $4, name = $5, description = $6, rank = $7, permissions = $8, extras = $9,
		version = `+versionOf(&a, role.Version)+" WHERE tenant = $1 AND number = $2", a.list...)
}

// DeleteRole implements directory.MembershipWriter. Who is giving the role has
// its row shared: that is waited for, before it is seen who holds it.
func (t *tx) DeleteRole(ctx context.Context, tenant directory.TenantNo, number int64) error {
	err := t.one(ctx, selectRole+" AND number = $2"+t.e.lock, []any{int64(tenant), number}, func(row *row) { scanRole(row) })
	if err != nil {
		return err
	}
	return t.change(ctx, `DELETE FROM roles WHERE tenant = $1 AND number = $2
		AND NOT EXISTS (SELECT 1 FROM user_roles ur WHERE ur.tenant = $1 AND ur.role = $2)`, int64(tenant), number)
}

// RoleMembers implements directory.MembershipReader.
func (r *reader) RoleMembers(ctx context.Context, t directory.TenantNo, role, after int64, limit int) ([]int64, error) {
	var list []int64
	err := r.q.scan(ctx, "SELECT DISTINCT rid FROM user_roles WHERE tenant = $1 AND role = $2 AND rid > $3 ORDER BY rid LIMIT $4",
		[]any{int64(t), role, int64(t)<<numberBits + min(max(after, 0), directory.MaxNumber), int64(max(limit, 0))}, func(row *row) {
			_, number := split(row.int())
			list = append(list, number)
		})
	return list, err
}

// RoleMemberRefs implements directory.MembershipReader. Whoever holds the role for
// several companies counts where the first of them stands: the index is walked in
// order, and nothing is sorted.
func (r *reader) RoleMemberRefs(ctx context.Context, t directory.TenantNo, role, company, after int64, limit int) ([]directory.MemberRef, error) {
	a := args{list: []any{int64(t), role, int64(t)<<numberBits + min(max(after, 0), directory.MaxNumber)}}
	sql := "SELECT m.rid, u.id, u.user_name, u.display_name FROM user_roles m CROSS JOIN users u WHERE m.tenant = $1 AND m.role = $2 AND m.rid > $3" +
		" AND u.rid = m.rid AND +u.state IN (" + stateList(directory.LivingStates) + ")" + ofSubtree(r.e, &a, t, company) +
		" AND NOT EXISTS (SELECT 1 FROM user_roles d WHERE d.rid = m.rid AND d.role = m.role AND d.company < m.company)" +
		" ORDER BY m.rid LIMIT " + a.add(int64(max(limit, 0)))
	var list []directory.MemberRef
	err := r.q.scan(ctx, sql, a.list, func(row *row) {
		_, number := split(row.int())
		list = append(list, directory.MemberRef{Number: number, ID: row.text(), UserName: row.text(), DisplayName: row.text()})
	})
	return list, err
}

package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// rowIDs are the row ids of users of a tenant.
func rowIDs(t directory.TenantNo, numbers []int64) []int64 {
	rids := make([]int64, len(numbers))
	for i, n := range numbers {
		rids[i] = rowID(t, n)
	}
	return rids
}

// GroupsAmong implements directory.AmongReader.
func (r *reader) GroupsAmong(ctx context.Context, t directory.TenantNo, numbers []int64) ([]directory.UserGroup, error) {
	var a args
	var list []directory.UserGroup
	err := r.q.query(ctx, "SELECT rid, group_no, role, position FROM group_members WHERE "+r.e.anyOfNumbers(&a, "rid", rowIDs(t, numbers))+" ORDER BY rid",
		a.list, func(row *row) {
			var m directory.UserGroup
			_, m.User = split(row.int())
			m.Group.Number, m.Role, m.Position = row.int(), row.text(), int(row.int())
			list = append(list, m)
		})
	return list, err
}

// RolesAmong implements directory.AmongReader.
func (r *reader) RolesAmong(ctx context.Context, t directory.TenantNo, numbers []int64) ([]directory.RoleAssignment, error) {
	var a args
	var list []directory.RoleAssignment
	err := r.q.query(ctx, "SELECT rid, number, role, company FROM user_roles WHERE "+r.e.anyOfNumbers(&a, "rid", rowIDs(t, numbers))+" ORDER BY rid, number",
		a.list, func(row *row) {
			_, user := split(row.int())
			list = append(list, directory.RoleAssignment{User: user, Number: row.int(), Role: row.int(), Company: row.int()})
		})
	return list, err
}

// LocationsAmong implements directory.AmongReader.
func (r *reader) LocationsAmong(ctx context.Context, t directory.TenantNo, numbers []int64) ([]directory.UserLocation, error) {
	var a args
	var list []directory.UserLocation
	err := r.q.query(ctx, "SELECT rid, location FROM user_locations WHERE "+r.e.anyOfNumbers(&a, "rid", rowIDs(t, numbers))+" ORDER BY rid, location",
		a.list, func(row *row) {
			_, user := split(row.int())
			list = append(list, directory.UserLocation{User: user, Location: row.int()})
		})
	return list, err
}

package directory

import "context"

// AmongReader reads what many users belong to at once: of users by number, in order
// of their numbers.
type AmongReader interface {
	// GroupsAmong lists memberships, those of a user in any order. Of a group it has
	// the Number alone: few groups have many members.
	GroupsAmong(ctx context.Context, t TenantNo, numbers []int64) ([]UserGroup, error)
	// RolesAmong lists assignments of roles, those of a user by number.
	RolesAmong(ctx context.Context, t TenantNo, numbers []int64) ([]RoleAssignment, error)
	// LocationsAmong lists locations, those of a user by number.
	LocationsAmong(ctx context.Context, t TenantNo, numbers []int64) ([]UserLocation, error)
}

// UserGroup is a membership and whose it is.
type UserGroup struct {
	User int64
	Membership
}

// UserLocation is one location of one user.
type UserLocation struct {
	User     int64
	Location int64
}

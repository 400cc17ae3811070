package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

// itemsOf is the answer of lists that are never long.
type itemsOf[T any] struct {
	Items []T `json:"items"`
}

// listOutput is the output of such a list.
type listOutput[T any] struct{ Body itemsOf[T] }

// listAnswer answers with a list; none is [].
func listAnswer[T any](items []T) *listOutput[T] {
	if items == nil {
		items = []T{}
	}
	return &listOutput[T]{Body: itemsOf[T]{Items: items}}
}

// registerMemberships adds a user's groups, locations and roles.
func registerMemberships(d *door) {
	registerOwn(d, "groups", "Groups of a user", directory.IncludeGroups, func(u *directory.UserDetail) []groupRef { return groupRefs(u.Groups) })
	registerOwn(d, "locations", "Locations of a user", directory.IncludeLocations, func(u *directory.UserDetail) []locationRef { return locationRefs(u.Locations) })
	registerOwn(d, "roles", "Roles of a user", directory.IncludeRoles, func(u *directory.UserDetail) []roleRef { return roleRefs(u.Roles) })
	registerGroupMembership(d)
	registerLocationMembership(d)
	registerRoleMembership(d)
}

// registerOwn adds the list of one kind of memberships of a user.
func registerOwn[T any](d *door, name, summary string, with directory.Include, of func(*directory.UserDetail) []T) {
	register(d, operation{id: "list_user_" + name, method: http.MethodGet, path: "/users/{id}/" + name, tag: "memberships", summary: summary,
		description: "All of them that the credential can see.", examples: []example{{name: name, path: "/users/" + exampleUser + "/" + name}}},
		func(ctx context.Context, x *exchange, in *struct{ UserPath }) (*listOutput[T], error) {
			detail, err := x.door.svc.UserDetail(ctx, &x.call, directory.ByID(in.ID), with)
			if err != nil {
				return nil, err
			}
			return listAnswer(of(&detail)), nil
		})
}

// membership is an operation that makes or ends a membership.
func membership(id, method, kind, summary, description string) operation {
	return operation{id: id, method: method, path: "/users/{id}/" + kind + "s/{" + kind + "}", tag: "memberships", summary: summary, description: description}
}

// GroupPath is the parameter of a group.
type GroupPath struct {
	Group string `path:"group" example:"0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a11" doc:"The group's id, a UUID; anything else is unknown."`
}

func registerGroupMembership(d *door) {
	change := func(ctx context.Context, x *exchange, user, group, role string, mode directory.GroupMode) error {
		if group == "" {
			group = "none"
		}
		_, err := x.door.svc.ChangeGroups(ctx, &x.call, directory.ByID(user), 0,
			directory.GroupChange{Mode: mode, Groups: []directory.GroupRef{{ID: group}}, Role: role})
		return err
	}
	register(d, membership("join_group", http.MethodPut, "group", "Put a user into a group", "Who is in already stays where it is; a `role` that is given replaces the one that the member has. Who joins a service team leaves the one before."),
		func(ctx context.Context, x *exchange, in *struct {
			UserPath
			GroupPath
			Body *struct {
				Role   string `json:"role,omitempty" maxLength:"64" doc:"The user's part in the group; empty for an ordinary member."`
				Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why, for the history. Wins over Usher-Reason."`
			} `nameHint:"Joining"`
		}) (*nothing, error) {
			role := ""
			if in.Body != nil {
				role = in.Body.Role
				if err := x.setReason(in.Body.Reason, "reason"); err != nil {
					return nil, err
				}
			}
			return nil, change(ctx, x, in.ID, in.Group, role, directory.GroupsAdd)
		})
	register(d, membership("leave_group", http.MethodDelete, "group", "Take a user out of a group", "Who is not in it stays out."),
		func(ctx context.Context, x *exchange, in *struct {
			UserPath
			GroupPath
		}) (*nothing, error) {
			return nil, change(ctx, x, in.ID, in.Group, "", directory.GroupsRemove)
		})
}

// LocationPath is the parameter of a location.
type LocationPath struct {
	Location string `path:"location" example:"83" doc:"The location's number or id."`
}

// locationRefOf reads a location's number or id.
func locationRefOf(text string) directory.LocationRef {
	if n := parseNumber(text); n != noNumber {
		return directory.LocationRef{Number: n}
	}
	return directory.LocationRef{ID: text}
}

// locationInput is the input of both operations.
type locationInput struct {
	UserPath
	LocationPath
}

func registerLocationMembership(d *door) {
	for _, o := range []struct {
		operation
		do func(*directory.Service, context.Context, *directory.Call, directory.UserRef, directory.LocationRef) error
	}{
		{membership("join_location", http.MethodPut, "location", "Assign a user to a location", "Who is there already stays there."), (*directory.Service).JoinLocation},
		{membership("leave_location", http.MethodDelete, "location", "Take a user from a location", "Who is not there stays away."), (*directory.Service).LeaveLocation},
	} {
		register(d, o.operation, func(ctx context.Context, x *exchange, in *locationInput) (*nothing, error) {
			return nil, o.do(x.door.svc, ctx, &x.call, directory.ByID(in.ID), locationRefOf(in.Location))
		})
	}
}

// RolePath is the parameter of a role.
type RolePath struct {
	Role string `path:"role" example:"1" doc:"The role's number."`
}

func registerRoleMembership(d *door) {
	register(d, membership("give_role", http.MethodPut, "role", "Give a user a role", "For a company, the user's own if none is named. Nobody gives a rank above its own."),
		func(ctx context.Context, x *exchange, in *struct {
			UserPath
			RolePath
			Company int64 `query:"company" minimum:"1" maximum:"2147483647" doc:"Number of the company."`
		}) (*nothing, error) {
			_, _, err := x.door.svc.AssignRole(ctx, &x.call, directory.ByID(in.ID), parseNumber(in.Role), in.Company)
			return nil, err
		})
	register(d, membership("take_role", http.MethodDelete, "role", "Take a role from a user", "For every company that the credential can see; a role that the user does not hold is 404."),
		func(ctx context.Context, x *exchange, in *struct {
			UserPath
			RolePath
		}) (*nothing, error) {
			return nil, x.door.svc.UnassignRole(ctx, &x.call, directory.ByID(in.ID), parseNumber(in.Role))
		})
}

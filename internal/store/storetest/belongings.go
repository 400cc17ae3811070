package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var belongingChecks = []check{
	{"GroupsAmong, RolesAmong and LocationsAmong read what many users belong to, user by user", belongingsRead},
	{"What nobody belongs to and who is not there are left out", belongingsNone},
}

// belonging gives users 1 to 3 what they belong to, in any order.
func (s *sample) belonging() {
	s.t.Helper()
	for n := int64(1); n <= 4; n++ {
		s.addUser(n)
	}
	s.addGroup(11)
	s.addGroup(12)
	s.update(func(tx directory.Tx) error {
		for _, number := range []int64{21, 22} {
			l := directory.Location{Tenant: s.tenant, Number: number, ID: uuid.NewString(), Company: 1, Name: fmt.Sprint("place", number), Version: 1, CreatedAt: noon}
			if err := tx.InsertLocation(s.ctx, l); err != nil {
				return err
			}
			if err := tx.InsertRole(s.ctx, directory.Role{Tenant: s.tenant, Number: number, Key: fmt.Sprint("role", number), Name: "role"}); err != nil {
				return err
			}
		}
		for i, a := range []directory.RoleAssignment{{User: 3, Role: 21, Company: 1}, {User: 1, Role: 22, Company: 1}, {User: 1, Role: 21, Company: 1}} {
			a.Number = int64(i) + 1
			if err := tx.AddUserRole(s.ctx, s.tenant, a); err != nil {
				return err
			}
		}
		for _, l := range []directory.UserLocation{{User: 3, Location: 22}, {User: 1, Location: 22}, {User: 1, Location: 21}} {
			if _, err := tx.AddUserLocation(s.ctx, s.tenant, l.User, l.Location); err != nil {
				return err
			}
		}
		for _, m := range []directory.UserGroup{membership(3, 12, "lead", 1), membership(3, 11, "", 0), membership(2, 12, "Ä", 7)} {
			if _, err := tx.SetGroupMember(s.ctx, s.tenant, m.Group.Number, m.User, m.Role, m.Position); err != nil {
				return err
			}
		}
		return nil
	})
}

func membership(user, group int64, role string, position int) directory.UserGroup {
	return directory.UserGroup{User: user, Membership: directory.Membership{Group: directory.Group{Number: group}, Role: role, Position: position}}
}

// wantBelongings compares what some users belong to.
func (s *sample) wantBelongings(numbers []int64, groups []directory.UserGroup, roles []directory.RoleAssignment, locations []directory.UserLocation) {
	s.t.Helper()
	gotGroups := look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.UserGroup, error) {
		return r.GroupsAmong(ctx, s.tenant, numbers)
	})
	gotRoles := look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.RoleAssignment, error) {
		return r.RolesAmong(ctx, s.tenant, numbers)
	})
	gotLocations := look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.UserLocation, error) {
		return r.LocationsAmong(ctx, s.tenant, numbers)
	})
	for i := 1; i < len(gotGroups); i++ { // those of a user come in any order
		if a, b := gotGroups[i-1], gotGroups[i]; a.User == b.User && a.Group.Number > b.Group.Number {
			gotGroups[i-1], gotGroups[i] = b, a
		}
	}
	wantSame(s.t, "GroupsAmong", gotGroups, groups)
	wantSame(s.t, "RolesAmong", gotRoles, roles)
	wantSame(s.t, "LocationsAmong", gotLocations, locations)
}

func belongingsRead(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.belonging()
	s.belonging()
	s.wantBelongings([]int64{4, 3, 2, 1, 404}, []directory.UserGroup{membership(2, 12, "Ä", 7), membership(3, 11, "", 0), membership(3, 12, "lead", 1)},
		[]directory.RoleAssignment{{Number: 2, User: 1, Role: 22, Company: 1}, {Number: 3, User: 1, Role: 21, Company: 1}, {Number: 1, User: 3, Role: 21, Company: 1}},
		[]directory.UserLocation{{User: 1, Location: 21}, {User: 1, Location: 22}, {User: 3, Location: 22}})
	s.wantBelongings([]int64{3}, []directory.UserGroup{membership(3, 11, "", 0), membership(3, 12, "lead", 1)},
		[]directory.RoleAssignment{{Number: 1, User: 3, Role: 21, Company: 1}}, []directory.UserLocation{{User: 3, Location: 22}})
}

func belongingsNone(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.belonging()
	for _, numbers := range [][]int64{nil, {}, {4}, {1, 2, 3, 404}} {
		s.wantBelongings(numbers, nil, nil, nil)
	}
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var roleChecks = []check{
	{"A role's fields round trip", roleRoundTrip},
	{"UpdateRole replaces every field", roleUpdate},
	{"Roles lists the roles of a company; 0 lists those of the tenant itself", rolesOwn},
	{"RoleByKey finds within its company", roleByKey},
	{"UserRoles are in order of number", userRolesOrder},
	{"An assignment is unique by user, role and company", assignmentTaken},
	{"RemoveUserRole removes one assignment", assignmentRemove},
	{"AddUserRole looks again for a role that is gone", assignmentOfGone},
	{"RoleMembers lists the users that hold a role, each once", roleMembers},
	{"RoleMemberRefs lists the living of a company that hold a role, each once", roleMemberRefs},
	{"DeleteRole erases a role that nobody holds", roleDelete},
}

func (s *sample) role(number, company int64, key string) directory.Role {
	return directory.Role{Tenant: s.tenant, Number: number, Key: key, Name: "Name of " + key, Company: company, Version: 1}
}

func (s *sample) addRoles(roles ...directory.Role) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, r := range roles {
			if err := tx.InsertRole(s.ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sample) wantRole(want directory.Role) {
	s.t.Helper()
	s.view(func(r directory.Reader) error {
		got, err := r.Role(s.ctx, s.tenant, want.Number)
		wantSame(s.t, "Role", got, want)
		byKey, err2 := r.RoleByKey(s.ctx, s.tenant, want.Company, want.Key)
		wantSame(s.t, "RoleByKey", byKey, want)
		return errors.Join(err, err2)
	})
}

func roleRoundTrip(t *testing.T, s *sample) {
	full := s.role(3, 1, "Clérk")
	full.Description, full.Rank = "Sells", directory.RankHelpdesk
	full.Permissions = []string{"b", "a", "with,comma", `with"quote`, "é", ""}
	full.Extras = `{"servicemobility":{"Names":{"en":"Clerk"}}}`
	wantNoZero(t, full)
	bare := s.role(4, 1, "bare")
	s.addRoles(full, bare)
	s.wantRole(full)
	s.wantRole(bare)
}

func roleUpdate(t *testing.T, s *sample) {
	s.addRoles(s.role(3, 1, "clerk"), s.role(4, 1, "other"))
	changed := s.role(3, 1, "chief")
	changed.Description, changed.Rank, changed.Permissions, changed.Extras = "Leads", directory.RankAdministrator, []string{"x"}, `{"a":1}`
	s.update(func(tx directory.Tx) error { return tx.UpdateRole(s.ctx, changed) })
	s.wantRole(changed)
	s.wantRole(s.role(4, 1, "other"))
	s.view(func(r directory.Reader) error {
		_, err := r.RoleByKey(s.ctx, s.tenant, 1, "clerk")
		wantNotFound(t, "the former key", err)
		return nil
	})
	taken := s.role(3, 1, "other")
	err := s.try(func(tx directory.Tx) error { return tx.UpdateRole(s.ctx, taken) })
	wantConflict(t, "a role renamed to a taken key", err)
}

func rolesOwn(t *testing.T, s *sample) {
	s.addTree()
	a, b, c, d := s.role(9, 1, "a"), s.role(2, 1, "b"), s.role(5, 2, "a"), s.role(7, 0, "a")
	s.addRoles(a, b, c, d)
	for company, want := range map[int64][]directory.Role{0: {d}, 1: {b, a}, 2: {c}, 3: nil} {
		got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Role, error) {
			return r.Roles(ctx, s.tenant, company)
		})
		wantSame(t, "Roles", got, want)
	}
}

func roleByKey(t *testing.T, s *sample) {
	s.addTree()
	s.addRoles(s.role(1, 1, "clerk"), s.role(2, 2, "clerk"), s.role(3, 0, "clerk"))
	for _, r := range []directory.Role{s.role(1, 1, "clerk"), s.role(2, 2, "clerk"), s.role(3, 0, "clerk")} {
		s.wantRole(r)
	}
	err := s.try(func(tx directory.Tx) error { return tx.InsertRole(s.ctx, s.role(4, 1, "clerk")) })
	wantConflict(t, "a second role of the key", err)
	s.view(func(r directory.Reader) error {
		_, err := r.RoleByKey(s.ctx, s.tenant, 3, "clerk")
		wantNotFound(t, "the key in another company", err)
		return nil
	})
}

func (s *sample) assign(assignments ...directory.RoleAssignment) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, a := range assignments {
			if err := tx.AddUserRole(s.ctx, s.tenant, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sample) userRoles(number int64) []directory.RoleAssignment {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.RoleAssignment, error) {
		return r.UserRoles(ctx, s.tenant, number)
	})
}

func userRolesOrder(t *testing.T, s *sample) {
	s.addTree()
	s.addUser(1)
	s.addUser(2)
	s.addRoles(s.role(1, 1, "a"), s.role(2, 1, "b"))
	x := directory.RoleAssignment{Number: 30, User: 1, Role: 1, Company: 1}
	y := directory.RoleAssignment{Number: 4, User: 1, Role: 2, Company: 1}
	z := directory.RoleAssignment{Number: 200, User: 1, Role: 1, Company: 2}
	other := directory.RoleAssignment{Number: 5, User: 2, Role: 1, Company: 1}
	s.assign(x, y, z, other)
	wantSame(t, "roles of user 1", s.userRoles(1), []directory.RoleAssignment{y, x, z})
	wantSame(t, "roles of user 2", s.userRoles(2), []directory.RoleAssignment{other})
}

func assignmentTaken(t *testing.T, s *sample) {
	s.addUser(1)
	s.addRoles(s.role(1, 1, "a"), s.role(2, 1, "b"))
	s.assign(directory.RoleAssignment{Number: 1, User: 1, Role: 1, Company: 1})
	for what, a := range map[string]directory.RoleAssignment{
		"the same role again": {Number: 2, User: 1, Role: 1, Company: 1},
		"the same number":     {Number: 1, User: 1, Role: 2, Company: 1},
	} {
		err := s.try(func(tx directory.Tx) error { return tx.AddUserRole(s.ctx, s.tenant, a) })
		wantConflict(t, what, err)
	}
}

func assignmentRemove(t *testing.T, s *sample) {
	s.addUser(1)
	s.addRoles(s.role(1, 1, "a"), s.role(2, 1, "b"))
	kept := directory.RoleAssignment{Number: 2, User: 1, Role: 2, Company: 1}
	s.assign(directory.RoleAssignment{Number: 1, User: 1, Role: 1, Company: 1}, kept)
	for _, want := range []bool{true, false} {
		s.wantChanged("RemoveUserRole", want, func(tx directory.Tx) (bool, error) {
			return tx.RemoveUserRole(s.ctx, s.tenant, 1)
		})
	}
	wantSame(t, "roles", s.userRoles(1), []directory.RoleAssignment{kept})
}

func assignmentOfGone(t *testing.T, s *sample) {
	s.addUser(1)
	runs := 0
	err := s.try(func(tx directory.Tx) error {
		runs++
		return tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: 1, User: 1, Role: 404, Company: 1})
	})
	wantConflict(t, "an assignment of no role", err)
	if got := s.userRoles(1); runs != 2 || len(got) != 0 {
		t.Errorf("fn ran %d times and left %+v", runs, got)
	}
}

func roleMembers(t *testing.T, s *sample) {
	s.addTree()
	s.addPlain(5)
	s.change(4, func(u *directory.User) { u.State = directory.StateDeleted })
	s.addRoles(s.role(1, 0, "a"), s.role(2, 0, "b"))
	other := newSample(t, s.store)
	other.addPlain(2)
	other.addRoles(other.role(1, 0, "a"))
	other.assign(directory.RoleAssignment{Number: 1, User: 2, Role: 1, Company: 1})
	s.assign(directory.RoleAssignment{Number: 9, User: 1, Role: 1, Company: 1}, directory.RoleAssignment{Number: 2, User: 1, Role: 1, Company: 2},
		directory.RoleAssignment{Number: 1, User: 5, Role: 1, Company: 1}, directory.RoleAssignment{Number: 5, User: 4, Role: 1, Company: 3},
		directory.RoleAssignment{Number: 6, User: 3, Role: 2, Company: 1})
	for _, c := range []struct {
		role, after int64
		limit       int
		want        []int64
	}{{1, 0, 10, []int64{1, 4, 5}}, {1, 0, 2, []int64{1, 4}}, {1, 4, 2, []int64{5}}, {1, 5, 2, nil}, {2, -1, 9, []int64{3}}, {3, 0, 9, nil}, {1, 1 << 62, 9, nil}} {
		got := look(t, s, func(ctx context.Context, r directory.Reader) ([]int64, error) {
			return r.RoleMembers(ctx, s.tenant, c.role, c.after, c.limit)
		})
		wantSame(t, "RoleMembers", got, c.want)
	}
}

func roleMemberRefs(t *testing.T, s *sample) {
	s.addTree()
	s.addPlain(5)
	s.change(3, func(u *directory.User) { u.Company = 3 })
	s.change(4, func(u *directory.User) { u.State = directory.StateDeleted })
	s.change(5, func(u *directory.User) { u.Company, u.State = 5, directory.StateStaged })
	s.addRoles(s.role(1, 0, "a"), s.role(2, 0, "b"))
	other := newSample(t, s.store)
	other.addPlain(2)
	other.addRoles(other.role(1, 0, "a"))
	other.assign(directory.RoleAssignment{Number: 1, User: 2, Role: 1, Company: 1})
	s.assign(directory.RoleAssignment{Number: 1, User: 2, Role: 2, Company: 1})
	for n, user := range []int64{1, 3, 4, 5} {
		for company := range int64(3) {
			s.assign(directory.RoleAssignment{Number: int64(10*n+10) - company, User: user, Role: 1, Company: 3 - company})
		}
	}
	for _, c := range []struct {
		role, company, after int64
		limit                int
		want                 []int64
	}{{1, 0, 0, 9, []int64{1, 3, 5}}, {1, 0, 0, 2, []int64{1, 3}}, {1, 0, 3, 9, []int64{5}}, {1, 2, 0, 9, []int64{3}}, {1, 3, -1, 9, []int64{3}},
		{1, 4, 0, 9, nil}, {2, 0, 0, 9, []int64{2}}, {3, 0, 0, 9, nil}, {1, 0, 1 << 62, 9, nil}, {1, 0, 0, 0, nil}} {
		var want []directory.MemberRef
		for _, number := range c.want {
			u := s.stored(number)
			want = append(want, directory.MemberRef{Number: number, ID: u.ID, UserName: u.UserName, DisplayName: u.DisplayName})
		}
		got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.MemberRef, error) {
			return r.RoleMemberRefs(ctx, s.tenant, c.role, c.company, c.after, c.limit)
		})
		wantSame(t, fmt.Sprintf("at most %d of company %d after %d", c.limit, c.company, c.after), got, want)
	}
}

func roleDelete(t *testing.T, s *sample) {
	s.addUser(1)
	s.addRoles(s.role(1, 0, "held"), s.role(2, 0, "free"))
	s.assign(directory.RoleAssignment{Number: 1, User: 1, Role: 1, Company: 1})
	remove := func(role int64) error {
		return s.try(func(tx directory.Tx) error { return tx.DeleteRole(s.ctx, s.tenant, role) })
	}
	wantNotFound(t, "the erasure of a held role", remove(1))
	s.wantRole(s.role(1, 0, "held"))
	if err := remove(2); err != nil {
		t.Error(err)
	}
	wantNotFound(t, "the erasure of no role", remove(2))
	s.wantChanged("RemoveUserRole", true, func(tx directory.Tx) (bool, error) { return tx.RemoveUserRole(s.ctx, s.tenant, 1) })
	if err := remove(1); err != nil {
		t.Error(err)
	}
	if got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Role, error) {
		return r.Roles(ctx, s.tenant, 0)
	}); len(got) != 0 {
		t.Errorf("roles %+v are left", got)
	}
}

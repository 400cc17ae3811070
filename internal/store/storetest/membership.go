package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var passwordChecks = []check{
	{"SetPassword writes or replaces a user's password", passwordSet},
	{"DeletePassword removes it and nothing else", passwordDelete},
	{"A password changes no version of its user", passwordNoVersion},
}

var membershipChecks = []check{
	{"Adding what is there answers false and changes nothing", membershipTwice},
	{"Removing what is not answers false and changes nothing", membershipAbsent},
	{"UserLocations are in order of number", locationsOrder},
	{"Removing one member keeps the others", membershipKeeps},
}

func (s *sample) password(number int64) directory.Password {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.Password, error) {
		return r.Password(ctx, s.tenant, number)
	})
}

func passwordSet(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	first := directory.Password{User: 1, Hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", SetAt: noon, Failures: 3, LastLogin: noon}
	wantNoZero(t, first)
	other := directory.Password{User: 2, Hash: "{SSHA}x", SetAt: noon}
	second := directory.Password{User: 1, Hash: "$2b$12$", SetAt: noon.AddDate(0, 0, 1)}
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.SetPassword(s.ctx, s.tenant, first), tx.SetPassword(s.ctx, s.tenant, other))
	})
	wantSame(t, "password", s.password(1), first)
	s.update(func(tx directory.Tx) error { return tx.SetPassword(s.ctx, s.tenant, second) })
	wantSame(t, "replaced password", s.password(1), second)
	wantSame(t, "the other user's password", s.password(2), other)
}

func passwordDelete(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.SetPassword(s.ctx, s.tenant, directory.Password{User: 1, Hash: "x", SetAt: noon}),
			tx.SetPassword(s.ctx, s.tenant, directory.Password{User: 2, Hash: "y", SetAt: noon}))
	})
	s.update(func(tx directory.Tx) error { return tx.DeletePassword(s.ctx, s.tenant, 1) })
	s.view(func(r directory.Reader) error {
		_, err := r.Password(s.ctx, s.tenant, 1)
		wantNotFound(t, "the deleted password", err)
		return nil
	})
	if s.password(2).Hash != "y" || !s.exists(1) {
		t.Error("more than the password went away")
	}
}

func passwordNoVersion(t *testing.T, s *sample) {
	u := s.addUser(1)
	for i := range 3 {
		s.update(func(tx directory.Tx) error {
			return tx.SetPassword(s.ctx, s.tenant, directory.Password{User: 1, Hash: fmt.Sprint(i), SetAt: noon, Failures: i})
		})
	}
	s.wantUser(u)
}

// wantChanged runs a change of a membership and compares what it reports.
func (s *sample) wantChanged(what string, want bool, change func(tx directory.Tx) (bool, error)) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		got, err := change(tx)
		if got != want {
			s.t.Errorf("%s: changed %t, want %t", what, got, want)
		}
		return err
	})
}

func (s *sample) userLocations(number int64) []int64 {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]int64, error) {
		return r.UserLocations(ctx, s.tenant, number)
	})
}

// userGroups are the numbers of a user's groups.
func (s *sample) userGroups(number int64) []int64 {
	s.t.Helper()
	var numbers []int64
	for _, m := range s.memberships(number) {
		numbers = append(numbers, m.Group.Number)
	}
	slices.Sort(numbers)
	return numbers
}

func membershipTwice(t *testing.T, s *sample) {
	s.addUser(1)
	s.addLocations(5)
	s.addGroup(1)
	for _, want := range []bool{true, false, false} {
		s.wantChanged("AddUserLocation", want, func(tx directory.Tx) (bool, error) {
			return tx.AddUserLocation(s.ctx, s.tenant, 1, 5)
		})
		s.wantChanged("SetGroupMember", want, func(tx directory.Tx) (bool, error) {
			return tx.SetGroupMember(s.ctx, s.tenant, 1, 1, "", 0)
		})
	}
	wantSame(t, "locations", s.userLocations(1), []int64{5})
	wantSame(t, "groups", s.userGroups(1), []int64{1})
}

func membershipAbsent(t *testing.T, s *sample) {
	s.addUser(1)
	s.addLocations(5)
	s.addGroup(1)
	s.wantChanged("RemoveUserLocation", false, func(tx directory.Tx) (bool, error) {
		return tx.RemoveUserLocation(s.ctx, s.tenant, 1, 5)
	})
	s.wantChanged("RemoveGroupMember", false, func(tx directory.Tx) (bool, error) {
		return tx.RemoveGroupMember(s.ctx, s.tenant, 1, 1)
	})
	s.wantChanged("RemoveUserRole", false, func(tx directory.Tx) (bool, error) {
		return tx.RemoveUserRole(s.ctx, s.tenant, 77)
	})
	s.wantChanged("remove after the last of two", true, func(tx directory.Tx) (bool, error) {
		if _, err := tx.AddUserLocation(s.ctx, s.tenant, 1, 5); err != nil {
			return false, err
		}
		return tx.RemoveUserLocation(s.ctx, s.tenant, 1, 5)
	})
}

func locationsOrder(t *testing.T, s *sample) {
	s.addUser(1)
	s.addLocations(30, 4, 200, 1, directory.MaxNumber)
	for _, n := range []int64{30, 4, 200, 1, directory.MaxNumber} {
		s.wantChanged("AddUserLocation", true, func(tx directory.Tx) (bool, error) {
			return tx.AddUserLocation(s.ctx, s.tenant, 1, n)
		})
	}
	wantSame(t, "locations", s.userLocations(1), []int64{1, 4, 30, 200, directory.MaxNumber})
}

// membershipKeeps: peers emptied a group, or removed a user from all of its
// groups, when one member was removed from one.
func membershipKeeps(t *testing.T, s *sample) {
	s.addLocations(1, 2, 3)
	for n := int64(1); n <= 3; n++ {
		s.addUser(n)
		s.addGroup(n)
	}
	s.update(func(tx directory.Tx) error {
		for user := int64(1); user <= 3; user++ {
			for n := int64(1); n <= 3; n++ {
				_, err := tx.SetGroupMember(s.ctx, s.tenant, n, user, "", 0)
				_, err2 := tx.AddUserLocation(s.ctx, s.tenant, user, n)
				if err := errors.Join(err, err2); err != nil {
					return err
				}
			}
		}
		return nil
	})
	s.wantChanged("RemoveGroupMember", true, func(tx directory.Tx) (bool, error) {
		return tx.RemoveGroupMember(s.ctx, s.tenant, 2, 3)
	})
	s.wantChanged("RemoveUserLocation", true, func(tx directory.Tx) (bool, error) {
		return tx.RemoveUserLocation(s.ctx, s.tenant, 3, 2)
	})
	for user, want := range [][]int64{1: {1, 2, 3}, 2: {1, 2, 3}, 3: {1, 3}} {
		if user != 0 {
			wantSame(t, fmt.Sprint("groups of user ", user), s.userGroups(int64(user)), want)
			wantSame(t, fmt.Sprint("locations of user ", user), s.userLocations(int64(user)), want)
		}
	}
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

// treeChecks are about changes and listings of companies and of what is theirs.
var treeChecks = []check{
	{"UpdateCompany replaces the row and leaves its place", companyUpdate},
	{"CompanyInUse reports whether anything belongs to a company", companyInUse},
	{"DeleteCompany erases a company to which nothing belongs", companyDelete},
	{"A user of a company that is gone is looked up again", companyGone},
	{"LocationInUse reports whether any user has a location", locationInUse},
	{"DeleteLocation erases it", locationDelete},
	{"AllRoles lists those of the tenant and of every company by number", allRoles},
	{"AllLockReasons lists those of every company by number", allLockReasons},
	{"AllLocations lists those of every company by number", allLocations},
	{"An update without a version raises the stored one", versionsRise},
}

func companyUpdate(t *testing.T, s *sample) {
	s.addTree()
	changed := s.companies[3]
	changed.ID, changed.Name, changed.Website, changed.Metadata, changed.Version = uuid.NewString(), "Renämed", "https://new.example", `{"a":1}`, 9
	changed.CreatedAt = noon.AddDate(0, 0, 1)
	moved := changed
	moved.Parent, moved.Path = 5, []int64{1, 5, 3}
	s.update(func(tx directory.Tx) error { return tx.UpdateCompany(s.ctx, moved) })
	s.view(func(r directory.Reader) error {
		got, err := r.Company(s.ctx, s.tenant, 3)
		wantSame(t, "Company", got, changed)
		byName, err2 := r.CompanyByName(s.ctx, s.tenant, directory.NameKey("RENÄMED"))
		wantSame(t, "CompanyByName", byName, changed)
		_, err3 := r.CompanyByName(s.ctx, s.tenant, directory.NameKey("Company 3"))
		wantNotFound(t, "the former name", err3)
		return errors.Join(err, err2)
	})
	taken := s.companies[4]
	taken.Name = "renämed"
	wantConflict(t, "a company renamed to a taken name", s.try(func(tx directory.Tx) error { return tx.UpdateCompany(s.ctx, taken) }))
	wantNotFound(t, "a change of no company", s.try(func(tx directory.Tx) error { return tx.UpdateCompany(s.ctx, s.company(404, 1, "x")) }))
}

func (s *sample) inUse(company int64) bool {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (bool, error) {
		return r.CompanyInUse(ctx, s.tenant, company)
	})
}

// belongings give something to company 2, each another thing.
func (s *sample) belongings() map[string]func(tx directory.Tx) error {
	user := s.user(1)
	user.Company = 2
	deleted := s.user(2)
	deleted.Company, deleted.State = 2, directory.StateDeleted
	c := s.credential("bound")
	c.Root = 2
	return map[string]func(tx directory.Tx) error{
		"a user":               func(tx directory.Tx) error { return tx.InsertUser(s.ctx, user) },
		"a deleted user":       func(tx directory.Tx) error { return tx.InsertUser(s.ctx, deleted) },
		"a company":            func(tx directory.Tx) error { return tx.InsertCompany(s.ctx, s.company(9, 2, "below")) },
		"a location":           func(tx directory.Tx) error { return tx.InsertLocation(s.ctx, s.location(1, 2, "Shop")) },
		"a role":               func(tx directory.Tx) error { return tx.InsertRole(s.ctx, s.role(1, 2, "clerk")) },
		"a role without a key": func(tx directory.Tx) error { return tx.InsertRole(s.ctx, s.role(2, 2, "")) },
		"a lock reason":        func(tx directory.Tx) error { return tx.InsertLockReason(s.ctx, s.lockReason(1, 2, "Vacation")) },
		"a credential":         func(tx directory.Tx) error { return tx.InsertCredential(s.ctx, c) },
	}
}

func companyInUse(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.addTree()
	other.update(func(tx directory.Tx) error { return tx.InsertLocation(s.ctx, other.location(1, 2, "Shop")) })
	s.addTree()
	s.addUser(7)
	for company, want := range map[int64]bool{1: true, 2: true, 3: true, 4: false, 5: false, 404: false, 0: false} {
		if got := s.inUse(company); got != want {
			t.Errorf("company %d is in use: %t", company, got)
		}
	}
	for name, give := range s.belongings() {
		of := newSample(t, s.store)
		of.addCompany(2, 1, "Empty")
		if of.inUse(2) {
			t.Errorf("a company is in use before it has %s", name)
		}
		give = of.belongings()[name]
		of.update(give)
		if !of.inUse(2) {
			t.Errorf("a company with %s is not in use", name)
		}
	}
}

func companyDelete(t *testing.T, s *sample) {
	remove := func(of *sample, number int64) error {
		return of.try(func(tx directory.Tx) error { return tx.DeleteCompany(of.ctx, of.tenant, number) })
	}
	s.addTree()
	if err := remove(s, 4); err != nil {
		t.Fatal(err)
	}
	s.view(func(r directory.Reader) error {
		_, err := r.Company(s.ctx, s.tenant, 4)
		wantNotFound(t, "the deleted company", err)
		return nil
	})
	wantNotFound(t, "a company that is gone", remove(s, 4))
	wantNotFound(t, "a company with another below it", remove(s, 2))
	if err := remove(s, 3); err != nil {
		t.Errorf("a company that nothing is below any more: %v", err)
	}
	for name, give := range s.belongings() {
		of := newSample(t, s.store)
		of.addCompany(2, 1, "Used")
		give = of.belongings()[name]
		of.update(give)
		wantNotFound(t, "a company with "+name, remove(of, 2))
		of.view(func(r directory.Reader) error {
			_, err := r.Company(of.ctx, of.tenant, 2)
			return err
		})
	}
}

func companyGone(t *testing.T, s *sample) {
	s.addCompany(2, 1, "Gone")
	s.update(func(tx directory.Tx) error { return tx.DeleteCompany(s.ctx, s.tenant, 2) })
	runs := 0
	s.update(func(tx directory.Tx) error {
		runs++
		u := s.user(1)
		if runs == 1 {
			u.Company = 2
		}
		return tx.InsertUser(s.ctx, u)
	})
	if runs != 2 {
		t.Errorf("fn ran %d times, want 2", runs)
	}
	wantConflict(t, "a move to the company", s.tryChange(1, func(u *directory.User) { u.Company = 2 }))
	s.wantTotals()
}

func locationInUse(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	for _, of := range []*sample{other, s} {
		of.addPlain(2)
		of.addLocations(7, 8)
		of.wantChanged("AddUserLocation", true, func(tx directory.Tx) (bool, error) { return tx.AddUserLocation(of.ctx, of.tenant, 1, 7) })
	}
	other.wantChanged("AddUserLocation", true, func(tx directory.Tx) (bool, error) { return tx.AddUserLocation(s.ctx, other.tenant, 1, 8) })
	s.change(1, func(u *directory.User) { u.State = directory.StateDeleted })
	used := func(number int64) bool {
		return look(t, s, func(ctx context.Context, r directory.Reader) (bool, error) {
			return r.LocationInUse(ctx, s.tenant, number)
		})
	}
	for number, want := range map[int64]bool{7: true, 8: false, 0: false} {
		if got := used(number); got != want {
			t.Errorf("location %d is in use: %t", number, got)
		}
	}
	s.wantChanged("RemoveUserLocation", true, func(tx directory.Tx) (bool, error) { return tx.RemoveUserLocation(s.ctx, s.tenant, 1, 7) })
	if used(7) {
		t.Error("a location that nobody has any more is in use")
	}
}

func locationDelete(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	for _, of := range []*sample{other, s} {
		of.update(func(tx directory.Tx) error {
			return errors.Join(tx.InsertLocation(of.ctx, of.location(1, 1, "Gone")), tx.InsertLocation(of.ctx, of.location(2, 1, "Kept")))
		})
	}
	remove := func() error {
		return s.try(func(tx directory.Tx) error { return tx.DeleteLocation(s.ctx, s.tenant, 1) })
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	wantNotFound(t, "a location that is gone", remove())
	s.addUser(1)
	s.update(func(tx directory.Tx) error {
		_, err := tx.AddUserLocation(s.ctx, s.tenant, 1, 2)
		return err
	})
	wantNotFound(t, "a location that somebody has", s.try(func(tx directory.Tx) error { return tx.DeleteLocation(s.ctx, s.tenant, 2) }))
	s.view(func(r directory.Reader) error {
		_, err := r.Location(s.ctx, s.tenant, 1)
		wantNotFound(t, "the deleted location", err)
		_, err2 := r.Location(s.ctx, s.tenant, 2)
		_, err3 := r.Location(s.ctx, other.tenant, 1)
		return errors.Join(err2, err3)
	})
}

// wantWalk compares pages of a listing by number with what there is.
func wantWalk[T any](s *sample, all []T, number func(T) int64, page func(r directory.Reader, after int64, limit int) ([]T, error)) {
	s.t.Helper()
	s.view(func(r directory.Reader) error {
		for _, after := range []int64{-1, 0, 3, 9, directory.MaxNumber} {
			for _, limit := range []int{-1, 0, 1, 2, 100} {
				var want []T
				for _, v := range all {
					if number(v) > after && len(want) < limit {
						want = append(want, v)
					}
				}
				got, err := page(r, after, limit)
				if err != nil {
					return err
				}
				wantSame(s.t, fmt.Sprintf("at most %d after %d", limit, after), got, want)
			}
		}
		return nil
	})
}

func allRoles(_ *testing.T, s *sample) {
	s.addTree()
	a, b, c := s.role(2, 0, "a"), s.role(5, 3, "a"), s.role(9, 1, "b")
	s.addRoles(c, a, b)
	other := newSample(s.t, s.store)
	other.addRoles(other.role(3, 0, "other"))
	wantWalk(s, []directory.Role{a, b, c}, func(r directory.Role) int64 { return r.Number },
		func(r directory.Reader, after int64, limit int) ([]directory.Role, error) {
			return r.AllRoles(s.ctx, s.tenant, after, limit)
		})
}

func allLockReasons(_ *testing.T, s *sample) {
	s.addTree()
	a, b, c := s.lockReason(2, 1, "a"), s.lockReason(5, 3, "a"), s.lockReason(9, 1, "b")
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertLockReason(s.ctx, c), tx.InsertLockReason(s.ctx, a), tx.InsertLockReason(s.ctx, b))
	})
	wantWalk(s, []directory.LockReason{a, b, c}, func(r directory.LockReason) int64 { return r.Number },
		func(r directory.Reader, after int64, limit int) ([]directory.LockReason, error) {
			return r.AllLockReasons(s.ctx, s.tenant, after, limit)
		})
}

func allLocations(_ *testing.T, s *sample) {
	s.addTree()
	a, b, c := s.location(2, 1, "a"), s.location(5, 3, "a"), s.location(9, 1, "b")
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertLocation(s.ctx, c), tx.InsertLocation(s.ctx, a), tx.InsertLocation(s.ctx, b))
	})
	wantWalk(s, []directory.Location{a, b, c}, func(l directory.Location) int64 { return l.Number },
		func(r directory.Reader, after int64, limit int) ([]directory.Location, error) {
			return r.AllLocations(s.ctx, s.tenant, after, limit)
		})
}

func versionsRise(t *testing.T, s *sample) {
	role, reason := s.role(1, 1, "clerk"), s.lockReason(1, 1, "Vacation")
	role.Version, reason.Version = 0, 0
	s.addRoles(role)
	s.update(func(tx directory.Tx) error { return tx.InsertLockReason(s.ctx, reason) })
	for _, step := range []struct{ given, want int64 }{{0, 2}, {0, 3}, {7, 7}, {0, 8}} {
		role.Version, reason.Version = step.given, step.given
		s.update(func(tx directory.Tx) error {
			return errors.Join(tx.UpdateRole(s.ctx, role), tx.UpdateLockReason(s.ctx, reason))
		})
		stored := look(t, s, func(ctx context.Context, r directory.Reader) (directory.Role, error) { return r.Role(ctx, s.tenant, 1) })
		text := look(t, s, func(ctx context.Context, r directory.Reader) (directory.LockReason, error) {
			return r.LockReason(ctx, s.tenant, 1)
		})
		if stored.Version != step.want || text.Version != step.want {
			t.Errorf("after an update with version %d the role has %d and the reason %d, want %d", step.given, stored.Version, text.Version, step.want)
		}
	}
}

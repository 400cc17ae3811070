package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var userRaces = []check{
	{"No update is lost", raceLostUpdate},
	{"Of two that hold the same version one is stale", raceVersions},
	{"Until the transaction ends nobody else changes a locked user", raceLockUser},
	{"Until the transaction ends nobody else changes a locked tenant", raceLockTenant},
	{"Two users locked in opposite order end well", raceOppositeLocks},
	{"The last administrator stays", raceLastAdministrator},
	{"Nothing is added to a user that is being erased", raceErase},
	{"Of many that add one membership one is told that it is new", raceMembership},
	{"Of many that assign one role one succeeds", raceAssignment},
	{"A View sees one moment while users move", raceView},
}

func raceLostUpdate(t *testing.T, s *sample) {
	const workers, rounds = 12, 8
	s.addUser(1)
	wantRace(t, race(workers, func(int) error {
		for range rounds {
			if err := s.tryChange(1, func(u *directory.User) { u.Version++ }); err != nil {
				return err
			}
		}
		return nil
	}))
	if got := s.stored(1).Version; got != 1+workers*rounds {
		t.Errorf("version %d after %d updates, want %d", got, workers*rounds, 1+workers*rounds)
	}
}

var errStale = errors.New("another was faster")

func raceVersions(t *testing.T, s *sample) {
	const workers, rounds = 10, 8
	s.addUser(1)
	var successes atomic.Int64
	wantRace(t, race(workers, func(int) error {
		for range rounds {
			seen, err := tryLook(s, func(ctx context.Context, r directory.Reader) (directory.User, error) {
				return r.UserByNumber(ctx, s.tenant, 1)
			})
			if err != nil {
				return err
			}
			err = s.try(func(tx directory.Tx) error {
				before, err := tx.LockUser(s.ctx, s.tenant, 1)
				if err != nil {
					return err
				}
				if before.Version != seen.Version {
					return errStale
				}
				after := before
				after.Version++
				return tx.UpdateUser(s.ctx, before, after)
			})
			if err == nil {
				successes.Add(1)
			} else if !errors.Is(err, errStale) {
				return err
			}
		}
		return nil
	}))
	if got := s.stored(1).Version; got != 1+successes.Load() || got < 2 {
		t.Errorf("version %d after %d updates that said they succeeded", got, successes.Load())
	}
}

// alone reports an error if two are inside at once.
func alone(inside *atomic.Int64) error {
	if n := inside.Add(1); n != 1 {
		inside.Add(-1)
		return fmt.Errorf("%d transactions hold the lock at once", n)
	}
	return nil
}

func raceLockUser(t *testing.T, s *sample) {
	const workers, rounds = 8, 6
	s.addUser(1)
	s.addLocations(upTo(workers * rounds)...)
	var inside atomic.Int64
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			err := s.try(func(tx directory.Tx) error {
				if _, err := tx.LockUser(s.ctx, s.tenant, 1); err != nil {
					return err
				}
				if err := alone(&inside); err != nil {
					return err
				}
				defer inside.Add(-1)
				if _, err := tx.AddUserLocation(s.ctx, s.tenant, 1, int64(i*rounds+round)+1); err != nil {
					return err
				}
				_, err := tx.UserLocations(s.ctx, s.tenant, 1)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	if got := len(s.userLocations(1)); got != workers*rounds {
		t.Errorf("%d locations, want %d", got, workers*rounds)
	}
}

func raceLockTenant(t *testing.T, s *sample) {
	const workers, rounds = 8, 6
	var inside atomic.Int64
	wantRace(t, race(workers, func(int) error {
		for range rounds {
			err := s.try(func(tx directory.Tx) error {
				tenant, err := tx.LockTenant(s.ctx, s.tenant)
				if err != nil {
					return err
				}
				if err := alone(&inside); err != nil {
					return err
				}
				defer inside.Add(-1)
				tenant.Settings.MaxFailedLogins++
				tenant.Version++
				return tx.UpdateTenant(s.ctx, tenant)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	s.view(func(r directory.Reader) error {
		tenant, err := r.Tenant(s.ctx, s.tenant)
		if tenant.Settings.MaxFailedLogins != workers*rounds || tenant.Version != 1+workers*rounds {
			t.Errorf("the setting is %d at version %d after %d changes", tenant.Settings.MaxFailedLogins, tenant.Version, workers*rounds)
		}
		return err
	})
}

// meet waits until the other side has come too, for as long as that can be: a
// store that runs one transaction after the other never lets them meet.
func meet(mine, other *atomic.Int64, round int64) {
	mine.Store(round)
	for range 5000 {
		if other.Load() >= round {
			return
		}
		runtime.Gosched()
	}
}

// raceOppositeLocks is what PostgreSQL ends as a deadlock; the store runs the
// victim again.
func raceOppositeLocks(t *testing.T, s *sample) {
	const rounds = 3
	s.addUser(1)
	s.addUser(2)
	var at [2]atomic.Int64
	wantRace(t, race(2, func(i int) error {
		first, second := int64(i)+1, int64(2-i)
		for round := int64(1); round <= rounds; round++ {
			err := s.try(func(tx directory.Tx) error {
				if err := s.changeIn(tx, first, func(u *directory.User) { u.Version++ }); err != nil {
					return err
				}
				meet(&at[i], &at[1-i], round)
				return s.changeIn(tx, second, func(u *directory.User) { u.Version++ })
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	for number := int64(1); number <= 2; number++ {
		if got := s.stored(number).Version; got != 1+2*rounds {
			t.Errorf("user %d has version %d, want %d", number, got, 1+2*rounds)
		}
	}
}

var errLast = errors.New("the last administrator")

// raceLastAdministrator: the rule looks at rows that the transaction does not
// change, so only the tenant's lock makes it true.
func raceLastAdministrator(t *testing.T, s *sample) {
	const rivals = 12
	s.addPlain(rivals)
	for number := int64(1); number <= rivals; number++ {
		s.change(number, func(u *directory.User) { u.Title = "Administrator" })
	}
	administrators := directory.UserQuery{Filter: directory.Text{Field: directory.FieldTitle, Value: "Administrator"}, Limit: 100}
	counts := wantRace(t, race(rivals, func(i int) error {
		return s.try(func(tx directory.Tx) error {
			if _, err := tx.LockTenant(s.ctx, s.tenant); err != nil {
				return err
			}
			left, err := tx.CountUsers(s.ctx, s.tenant, administrators, 10)
			if err != nil {
				return err
			}
			if left < 2 {
				return errLast
			}
			return s.changeIn(tx, int64(i)+1, func(u *directory.User) { u.Title = "" })
		})
	}), errLast)
	if left := len(s.list(administrators)); left != 1 || counts[1] != 1 {
		t.Errorf("%d administrators are left and %d were refused, want 1 and 1", left, counts[1])
	}
}

var errGone = errors.New("the user is gone")

func raceErase(t *testing.T, s *sample) {
	const users, adders = 6, 4
	s.addPlain(users)
	s.addGroup(1)
	s.addLocations(upTo(users * (adders + 1))...)
	counts := wantRace(t, race(users*(adders+1), func(i int) error {
		number := int64(i%users) + 1
		return s.try(func(tx directory.Tx) error {
			u, err := tx.LockUser(s.ctx, s.tenant, number)
			if isNotFound(err) {
				return errGone
			}
			if err != nil {
				return err
			}
			if i/users == adders/2 {
				return tx.DeleteUser(s.ctx, u)
			}
			_, err1 := tx.AddUserLocation(s.ctx, s.tenant, number, int64(i)+1)
			_, err2 := tx.SetGroupMember(s.ctx, s.tenant, 1, number, "", 0)
			_, err3 := tx.InsertHold(s.ctx, s.tenant, s.hold(number, directory.HoldLegal, fmt.Sprint(i)))
			return errors.Join(err1, err2, err3,
				tx.SetPassword(s.ctx, s.tenant, directory.Password{User: number, Hash: "x", SetAt: noon}),
				tx.InsertHandle(s.ctx, s.tenant, s.handle(fmt.Sprint("key", i), number)),
				tx.InsertToken(s.ctx, s.token(fmt.Sprint(i), directory.TokenAccess, number)))
		})
	}), errGone)
	if counts[0] < users {
		t.Errorf("only %d transactions succeeded", counts[0])
	}
	for i := range users * (adders + 1) {
		s.wantNoHandle(directory.SpaceLogin, fmt.Sprint("key", i))
		_, err := s.authenticate(s.token(fmt.Sprint(i), directory.TokenAccess, 1))
		wantNotFound(t, "a token of an erased user", err)
	}
	s.addPlain(users)
	for number := int64(1); number <= users; number++ {
		if left := len(s.userLocations(number)) + len(s.userGroups(number)) + len(s.holds(number)); left != 0 {
			t.Errorf("%d memberships and holds of user %d outlived it", left, number)
		}
	}
	s.wantTotals()
}

func raceMembership(t *testing.T, s *sample) {
	const rivals, rounds = 8, 5
	s.addUser(1)
	s.addGroup(1)
	s.addLocations(upTo(rounds)...)
	var locations, groups atomic.Int64
	for round := range rounds {
		wantRace(t, race(rivals, func(int) error {
			var location, group bool
			err := s.try(func(tx directory.Tx) error {
				if _, err := tx.LockUser(s.ctx, s.tenant, 1); err != nil {
					return err
				}
				var err, err2 error
				location, err = tx.AddUserLocation(s.ctx, s.tenant, 1, int64(round)+1)
				group, err2 = tx.SetGroupMember(s.ctx, s.tenant, 1, 1, "", 0)
				return errors.Join(err, err2)
			})
			if location {
				locations.Add(1)
			}
			if group {
				groups.Add(1)
			}
			return err
		}))
	}
	if locations.Load() != rounds || groups.Load() != 1 {
		t.Errorf("%d locations and %d groups were new, want %d and 1", locations.Load(), groups.Load(), rounds)
	}
}

func raceAssignment(t *testing.T, s *sample) {
	const rivals = 10
	s.addUser(1)
	s.addRoles(s.role(1, 1, "clerk"))
	errs := race(rivals, func(i int) error {
		return s.try(func(tx directory.Tx) error {
			return tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: int64(i) + 1, User: 1, Role: 1, Company: 1})
		})
	})
	counts := wantRace(t, errs, directory.ErrDuplicate)
	if counts[0] != 1 || len(s.userRoles(1)) != 1 {
		t.Errorf("%d assignments succeeded and %d are stored, want 1", counts[0], len(s.userRoles(1)))
	}
	for _, err := range errs {
		if err != nil {
			wantConflict(t, "a late assignment", err)
		}
	}
}

// raceView moves users between two companies; whoever looks sees all of them
// somewhere, in totals and in lists, in one snapshot and in one statement.
func raceView(t *testing.T, s *sample) {
	const users, movers, lookers = 12, 4, 3
	s.addTree()
	s.addPlain(users)
	wantRace(t, race(users, func(i int) error {
		return s.tryChange(int64(i)+1, func(u *directory.User) { u.Company = 5 })
	}))
	wantRace(t, race(movers+lookers, func(i int) error {
		for round := range 8 {
			if i < movers {
				number := int64((i*8+round)%users) + 1
				if err := s.tryChange(number, func(u *directory.User) { u.Company = 11 - u.Company }); err != nil {
					return err
				}
				continue
			}
			if err := s.wantConstant(users); err != nil {
				return err
			}
		}
		return nil
	}))
	s.wantLists()
}

// wantConstant looks at companies 5 and 6 and their parent.
func (s *sample) wantConstant(users int64) error {
	total, err := tryLook(s, func(ctx context.Context, r directory.Reader) (int64, error) {
		return r.UserTotal(ctx, s.tenant, 1, directory.LivingStates)
	})
	if err != nil || total != users {
		return fmt.Errorf("one statement counts %d, want %d: %w", total, users, err)
	}
	return s.store.View(s.ctx, func(r directory.Reader) error {
		left, err := r.UserTotal(s.ctx, s.tenant, 5, directory.LivingStates)
		right, err2 := r.UserTotal(s.ctx, s.tenant, 6, directory.LivingStates)
		list, err3 := r.Users(s.ctx, s.tenant, directory.UserQuery{Company: 5, Limit: 100})
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		if left+right != users || int64(len(list)) != left {
			return fmt.Errorf("a snapshot counts %d and %d and lists %d in the first", left, right, len(list))
		}
		return nil
	})
}

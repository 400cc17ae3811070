package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var groupRaces = []check{
	{"Of many that set one membership the last one stays", raceMemberSet},
	{"No membership outlives its group", raceGroupDelete},
	{"No assignment outlives its role", raceRoleDelete},
	{"No hold is placed on a user that is gone", raceHold},
	{"No user is made in a company that is gone", raceCompanyDelete},
	{"No location is given, and none made, where it is gone", raceLocationDelete},
}

var jobRaces = []check{
	{"Two that claim at once never get the same job", raceClaim},
	{"Of an owner and an heir one ends the job", raceLease},
	{"Of many that insert one job one succeeds", raceJob},
}

func raceMemberSet(t *testing.T, s *sample) {
	const rivals, rounds = 8, 6
	s.addUser(1)
	s.addGroup(1)
	var changed atomic.Int64
	wantRace(t, race(rivals, func(i int) error {
		for round := range rounds {
			var did bool
			err := s.try(func(tx directory.Tx) (err error) {
				did, err = tx.SetGroupMember(s.ctx, s.tenant, 1, 1, fmt.Sprint("role", i), round)
				return err
			})
			if err != nil {
				return err
			}
			if did {
				changed.Add(1)
			}
		}
		return nil
	}))
	got := s.memberships(1)
	if len(got) != 1 || got[0].Position != rounds-1 || changed.Load() != rivals*rounds {
		t.Errorf("%+v after %d changes, want one at position %d after %d", got, changed.Load(), rounds-1, rivals*rounds)
	}
}

// raceGroupDelete erases groups while users join them: a membership that was
// left behind would come back to life with the next group of the number.
func raceGroupDelete(t *testing.T, s *sample) {
	const users, rounds = 10, 8
	s.addPlain(users)
	for round := range int64(rounds) {
		group := round + 1
		s.addGroup(group)
		wantRace(t, race(users+1, func(i int) error {
			return s.try(func(tx directory.Tx) error {
				if i == users/2 {
					return tx.DeleteGroup(s.ctx, s.tenant, group)
				}
				number := int64(i%users) + 1
				if _, err := tx.LockUser(s.ctx, s.tenant, number); err != nil {
					return err
				}
				if _, err := tx.Group(s.ctx, s.tenant, group); err != nil {
					return err
				}
				_, err := tx.SetGroupMember(s.ctx, s.tenant, group, number, "", 0)
				return err
			})
		}), directory.ErrNotFound)
		s.addGroup(group)
		size := look(t, s, func(ctx context.Context, r directory.Reader) (int64, error) { return r.GroupSize(ctx, s.tenant, group) })
		if size != 0 {
			t.Fatalf("%d memberships outlived group %d", size, group)
		}
	}
}

func raceRoleDelete(t *testing.T, s *sample) {
	const users, rounds = 6, 10
	s.addPlain(users)
	erased := 0
	for round := range int64(rounds) {
		role := round + 1
		s.addRoles(s.role(role, 0, fmt.Sprint("role", role)))
		errs := race(users+1, func(i int) error {
			return s.try(func(tx directory.Tx) error {
				if i == users {
					return tx.DeleteRole(s.ctx, s.tenant, role)
				}
				number := int64(i) + 1
				if _, err := tx.LockUser(s.ctx, s.tenant, number); err != nil {
					return err
				}
				if _, err := tx.Role(s.ctx, s.tenant, role); err != nil {
					return err
				}
				return tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: role*users + number, User: number, Role: role})
			})
		})
		wantRace(t, errs, directory.ErrNotFound)
		members := look(t, s, func(ctx context.Context, r directory.Reader) ([]int64, error) {
			return r.RoleMembers(ctx, s.tenant, role, 0, users)
		})
		if errs[users] == nil {
			erased++
		}
		if errs[users] == nil && len(members) > 0 || errs[users] != nil && len(members) == 0 {
			t.Fatalf("role %d: erasure %v, held by %v", role, errs[users], members)
		}
	}
	t.Logf("%d of %d roles were erased before anybody had them", erased, rounds)
}

// raceCompanyDelete: users come to companies that are being deleted, as new ones
// and from elsewhere.
func raceCompanyDelete(t *testing.T, s *sample) {
	const users, rounds = 6, 10
	s.addPlain(users)
	erased := 0
	for round := range int64(rounds) {
		company := round + 2
		s.addCompany(company, 1, fmt.Sprint("Company ", company))
		errs := race(2*users+1, func(i int) error {
			return s.try(func(tx directory.Tx) error {
				if i == users {
					return tx.DeleteCompany(s.ctx, s.tenant, company)
				}
				if _, err := tx.Company(s.ctx, s.tenant, company); err != nil {
					return err
				}
				if i > users {
					return s.changeIn(tx, int64(i-users), func(u *directory.User) { u.Company = company })
				}
				u := s.user(company*100 + int64(i))
				u.Company = company
				return tx.InsertUser(s.ctx, u)
			})
		})
		wantRace(t, errs, directory.ErrNotFound)
		members := s.list(directory.UserQuery{Company: company, Limit: 100})
		if errs[users] == nil {
			erased++
		}
		if errs[users] == nil && len(members) > 0 || errs[users] != nil && len(members) == 0 {
			t.Fatalf("company %d: erasure %v, users %v", company, errs[users], numbersOf(members))
		}
		for _, u := range s.all() {
			if _, ok := s.companies[u.Company]; !ok {
				t.Fatalf("user %d is of company %d, which is gone", u.Number, u.Company)
			}
		}
		if errs[users] == nil {
			delete(s.companies, company)
		}
	}
	s.wantTotals()
	t.Logf("%d of %d companies were erased before anybody had come", erased, rounds)
}

// raceLocationDelete: users are given a location that is being deleted, and its
// company gets others until it is deleted too.
func raceLocationDelete(t *testing.T, s *sample) {
	const users, rounds = 6, 10
	s.addPlain(users)
	for round := range int64(rounds) {
		company, location := round+2, round*100+1
		s.addCompany(company, 1, fmt.Sprint("Company ", company))
		s.update(func(tx directory.Tx) error {
			return tx.InsertLocation(s.ctx, s.location(location, 1, fmt.Sprint("Shop ", round)))
		})
		errs := race(2*users+2, func(i int) error {
			return s.try(func(tx directory.Tx) error {
				switch {
				case i == users:
					return tx.DeleteLocation(s.ctx, s.tenant, location)
				case i == users+1:
					return tx.DeleteCompany(s.ctx, s.tenant, company)
				case i > users:
					if _, err := tx.Company(s.ctx, s.tenant, company); err != nil {
						return err
					}
					return tx.InsertLocation(s.ctx, s.location(location+int64(i), company, fmt.Sprint("Shop ", i)))
				}
				if _, err := tx.Location(s.ctx, s.tenant, location); err != nil {
					return err
				}
				_, err := tx.AddUserLocation(s.ctx, s.tenant, int64(i)+1, location)
				return err
			})
		})
		wantRace(t, errs, directory.ErrNotFound)
		for user := int64(1); user <= users; user++ {
			if errs[users] == nil && slices.Contains(s.userLocations(user), location) {
				t.Fatalf("user %d has location %d, which is gone", user, location)
			}
		}
		made := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Location, error) {
			return r.Locations(ctx, s.tenant, company)
		})
		if (errs[users+1] == nil) != (len(made) == 0) {
			t.Fatalf("company %d: erasure %v, %d locations", company, errs[users+1], len(made))
		}
	}
}

// raceHold: who places a hold locks the user first, and so does who erases it.
func raceHold(t *testing.T, s *sample) {
	const users, holders = 8, 4
	s.addPlain(users)
	wantRace(t, race(users*(holders+1), func(i int) error {
		number := int64(i%users) + 1
		return s.try(func(tx directory.Tx) error {
			u, err := tx.LockUser(s.ctx, s.tenant, number)
			if isNotFound(err) {
				return errGone
			}
			if err != nil {
				return err
			}
			if i/users == holders/2 {
				held, err := tx.Holds(s.ctx, s.tenant, number)
				if err != nil || len(held) > 0 {
					return err
				}
				return tx.DeleteUser(s.ctx, u)
			}
			_, err = tx.InsertHold(s.ctx, s.tenant, s.hold(number, directory.HoldLegal, fmt.Sprint(i)))
			return err
		})
	}), errGone)
	for number := int64(1); number <= users; number++ {
		held := len(s.holds(number))
		if s.exists(number) != (held > 0) || held != 0 && held != holders {
			t.Errorf("user %d is there: %t, with %d holds", number, s.exists(number), held)
		}
	}
}

func raceClaim(t *testing.T, s *sample) {
	const workers, jobs = 8, 60
	var all []directory.Job
	for i := range jobs {
		all = append(all, s.job(fmt.Sprint(i), time.Duration(i)*time.Microsecond))
	}
	s.addJobs(all...)
	got := make([][]string, workers)
	wantRace(t, race(workers, func(i int) error {
		for {
			claimed, err := s.tryClaim(fmt.Sprint("worker ", i), time.Second, 1+i%4)
			if err != nil {
				return err
			}
			if len(claimed) > 1+i%4 {
				return fmt.Errorf("%d jobs for a limit of %d", len(claimed), 1+i%4)
			}
			if len(claimed) == 0 {
				return nil
			}
			got[i] = append(got[i], idsOf(claimed)...)
		}
	}))
	ids, want := slices.Concat(got...), idsOf(all)
	slices.Sort(ids)
	slices.Sort(want)
	wantSame(t, "the jobs of all workers", ids, want)
}

// raceLease: the lease has run out, its owner comes back, and another claims.
func raceLease(t *testing.T, s *sample) {
	const rounds = 20
	for round := range rounds {
		s.addJobs(s.job(fmt.Sprint(round), 0))
		first := s.claimAt("first", 0, 1)[0]
		var closed, inherited bool
		wantRace(t, race(2, func(i int) error {
			return s.try(func(tx directory.Tx) (err error) {
				if i == 0 {
					closed, err = tx.CloseJob(s.ctx, first, directory.JobDone, "done", noon)
					return err
				}
				now := noon.Add(time.Minute)
				heirs, err := tx.ClaimJobs(s.ctx, s.kind(), "second", now, now.Add(30*time.Minute), 1)
				inherited = len(heirs) == 1
				return err
			})
		}))
		if closed == inherited {
			t.Fatalf("round %d: closed %t and claimed by another %t", round, closed, inherited)
		}
	}
}

func raceJob(t *testing.T, s *sample) {
	const rivals = 8
	j := s.job("once", 0)
	var made atomic.Int64
	for _, err := range race(rivals, func(int) error {
		return s.try(func(tx directory.Tx) error { return tx.InsertJob(s.ctx, j) })
	}) {
		if err == nil {
			made.Add(1)
		} else {
			wantConflict(t, "a repeated job", err)
		}
	}
	if got := s.claimAt("me", 0, rivals); made.Load() != 1 || len(got) != 1 {
		t.Errorf("%d inserts succeeded and %d jobs are there", made.Load(), len(got))
	}
}

package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var nameRaces = []check{
	{"Of many that race for a name one wins and the others are told its reason", raceName},
	{"A name that its winner gives back goes to another", raceNameBack},
	{"Users that swap names in a ring keep one each", raceNameRing},
	{"Drawn and preset numbers never meet", raceNumbers},
	{"Numbers drawn at once are all different", raceDraws},
	{"Of many tenants of one name one is made", raceTenantName},
	{"Of many companies of one name one is made", raceCompanyName},
}

var errTaken = directory.Wrong(directory.CodeConflict, directory.ReasonUserNameTaken, "Taken.")

// claim takes a name for a user as the core does: look first, name the holder,
// and leave the race between look and insert to ErrDuplicate.
func (s *sample) claim(tx directory.Tx, key string, number int64) error {
	holder, err := tx.HandleByKey(s.ctx, s.tenant, directory.SpaceLogin, key)
	if err == nil && holder.User != number {
		return errTaken
	}
	if !isNotFound(err) {
		return err
	}
	return tx.InsertHandle(s.ctx, s.tenant, s.handle(key, number))
}

func raceName(t *testing.T, s *sample) {
	const rivals, rounds = 16, 6
	for round := range rounds {
		key := fmt.Sprint("name", round)
		base := int64(round*rivals) + 1
		counts := wantRace(t, race(rivals, func(i int) error {
			number := base + int64(i)
			return s.try(func(tx directory.Tx) error {
				if err := tx.InsertUser(s.ctx, s.user(number)); err != nil {
					return err
				}
				return s.claim(tx, key, number)
			})
		}), errTaken)
		if counts[0] != 1 {
			t.Errorf("%d of %d took the name %s", counts[0], rivals, key)
		}
	}
	if got := s.total(0, allStates); got != rounds {
		t.Errorf("%d users are stored, want the %d winners", got, rounds)
	}
	s.wantTotals()
}

func raceNameBack(t *testing.T, s *sample) {
	const rivals = 20
	s.addPlain(rivals)
	counts := wantRace(t, race(rivals, func(i int) error {
		return s.try(func(tx directory.Tx) error {
			if err := s.claim(tx, "name", int64(i)+1); err != nil {
				return err
			}
			if i%2 == 0 {
				return errRefused
			}
			return nil
		})
	}), errTaken, errRefused)
	if counts[0] != 1 {
		t.Errorf("%d took the name, want 1", counts[0])
	}
}

func raceNameRing(t *testing.T, s *sample) {
	const users = 6
	s.addPlain(users)
	key := func(i int) string { return fmt.Sprint("ring", i%users) }
	for i := range users {
		s.addHandles(s.handle(key(i), int64(i)+1))
	}
	wantRace(t, race(users, func(i int) error {
		return s.try(func(tx directory.Tx) error {
			// Locked in the order of numbers, as the core does.
			for number := int64(1); number <= users; number++ {
				if _, err := tx.LockUser(s.ctx, s.tenant, number); err != nil {
					return err
				}
			}
			mine, err := tx.HandleByKey(s.ctx, s.tenant, directory.SpaceLogin, key(i))
			if err != nil {
				return err
			}
			next, err := tx.HandleByKey(s.ctx, s.tenant, directory.SpaceLogin, key(i+1))
			if err != nil {
				return err
			}
			return errors.Join(
				tx.DeleteHandle(s.ctx, s.tenant, directory.SpaceLogin, mine.Key, mine.User),
				tx.DeleteHandle(s.ctx, s.tenant, directory.SpaceLogin, next.Key, next.User),
				tx.InsertHandle(s.ctx, s.tenant, s.handle(mine.Key, next.User)),
				tx.InsertHandle(s.ctx, s.tenant, s.handle(next.Key, mine.User)))
		})
	}))
	holders := map[int64]bool{}
	s.view(func(r directory.Reader) error {
		for i := range users {
			h, err := r.HandleByKey(s.ctx, s.tenant, directory.SpaceLogin, key(i))
			if err != nil {
				return err
			}
			holders[h.User] = true
		}
		return nil
	})
	if len(holders) != users {
		t.Errorf("%d users hold the %d names", len(holders), users)
	}
}

// addDrawn makes a user with a drawn number as the core does: a number that a
// preset one has taken is passed over.
func (s *sample) addDrawn() (int64, error) {
	var number int64
	err := s.try(func(tx directory.Tx) error {
		for {
			n, err := tx.NextNumber(s.ctx, s.tenant, directory.NumberUser)
			if err != nil {
				return err
			}
			if _, err = tx.UserByNumber(s.ctx, s.tenant, n); isNotFound(err) {
				number = n
				return tx.InsertUser(s.ctx, s.user(n))
			}
			if err != nil {
				return err
			}
		}
	})
	return number, err
}

// addPreset makes a user with a number of the caller's choice.
func (s *sample) addPreset(number int64) error {
	return s.try(func(tx directory.Tx) error {
		_, err := tx.UserByNumber(s.ctx, s.tenant, number)
		if err == nil {
			return errTaken
		}
		if !isNotFound(err) {
			return err
		}
		if err := tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, number); err != nil {
			return err
		}
		return tx.InsertUser(s.ctx, s.user(number))
	})
}

func raceNumbers(t *testing.T, s *sample) {
	const workers, rounds = 8, 10
	errs := race(workers, func(i int) error {
		for round := range rounds {
			var err error
			if i%2 == 0 {
				_, err = s.addDrawn()
			} else if err = s.addPreset(int64(round*9+i) + 1); errors.Is(err, errTaken) {
				err = nil
			}
			if err != nil && !directory.IsReason(err, directory.ReasonWriteConflict) {
				return err
			}
		}
		return nil
	})
	wantRace(t, errs)
	s.wantTotals()
	if n, err := s.addDrawn(); err != nil || n < 1 {
		t.Errorf("after the race drew %d, error %v", n, err)
	}
}

func raceDraws(t *testing.T, s *sample) {
	// More than a store has connections: a draw inside of a transaction must
	// not wait for one that is not coming.
	const workers, rounds = 64, 4
	var mutex sync.Mutex
	seen := map[int64]int{}
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			n, err := s.addDrawn()
			if err != nil {
				return err
			}
			if (i+round)%10 == 0 {
				err := s.try(func(tx directory.Tx) error {
					_, err := tx.NextNumber(s.ctx, s.tenant, directory.NumberUser)
					return errors.Join(err, errRefused)
				})
				if !errors.Is(err, errRefused) {
					return err
				}
			}
			mutex.Lock()
			seen[n]++
			mutex.Unlock()
		}
		return nil
	}))
	if len(seen) != workers*rounds {
		t.Errorf("%d numbers of %d draws", len(seen), workers*rounds)
	}
}

func raceTenantName(t *testing.T, s *sample) {
	const rivals = 8
	name := "race-" + uuid.NewString()
	counts := wantRace(t, race(rivals, func(int) error {
		return s.try(func(tx directory.Tx) error {
			if _, err := tx.TenantByName(s.ctx, name); err == nil {
				return errTaken
			} else if !isNotFound(err) {
				return err
			}
			tenant := newTenant()
			tenant.Name = name
			_, err := tx.InsertTenant(s.ctx, tenant)
			return err
		})
	}), errTaken)
	if counts[0] != 1 {
		t.Errorf("%d tenants were made, want 1", counts[0])
	}
}

func raceCompanyName(t *testing.T, s *sample) {
	const rivals = 8
	counts := wantRace(t, race(rivals, func(i int) error {
		return s.try(func(tx directory.Tx) error {
			return tx.InsertCompany(s.ctx, s.company(int64(i)+2, 1, "Acme"))
		})
	}), directory.ErrDuplicate)
	if counts[0] != 1 {
		t.Errorf("%d companies were made, want 1", counts[0])
	}
}

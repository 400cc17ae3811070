package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var tokenRaces = []check{
	{"Of two that spend one refresh token one gets true", raceSpend},
	{"A refresh token has one heir", raceRotation},
}

var totalRaces = []check{
	{"Totals and lists are exact after concurrent changes", raceTotals},
	{"A created user is found at once while others write", raceReadYourWrite},
	{"Every change that succeeded has its event", raceEvents},
}

var batchRaces = []check{
	{"Failures of every kind beside successes lose and keep nothing else", raceOutcomes},
	{"Panics beside successes are raised in their own callers", racePanics},
	{"A cancelled caller keeps all or nothing", raceCancelled},
	{"Large transactions beside small ones", raceSizes},
}

func raceSpend(t *testing.T, s *sample) {
	const rivals, rounds = 8, 6
	s.addUser(1)
	for round := range rounds {
		token := s.token(fmt.Sprint(round), directory.TokenRefresh, 1)
		s.addTokens(token)
		var spent atomic.Int64
		wantRace(t, race(rivals, func(int) error {
			var mine bool
			err := s.try(func(tx directory.Tx) error {
				var err error
				mine, err = tx.DeleteToken(s.ctx, token.Hash)
				return err
			})
			if mine && err == nil {
				spent.Add(1)
			}
			return err
		}))
		if spent.Load() != 1 {
			t.Errorf("the token was spent %d times", spent.Load())
		}
	}
}

func raceRotation(t *testing.T, s *sample) {
	const rivals = 10
	s.addUser(1)
	token := s.token("parent", directory.TokenRefresh, 1)
	s.addTokens(token)
	counts := wantRace(t, race(rivals, func(i int) error {
		return s.try(func(tx directory.Tx) error {
			if err := tx.InsertToken(s.ctx, s.token(fmt.Sprint("heir", i), directory.TokenRefresh, 1)); err != nil {
				return err
			}
			mine, err := tx.DeleteToken(s.ctx, token.Hash)
			if err == nil && !mine {
				return errGone
			}
			return err
		})
	}), errGone)
	heirs := 0
	for i := range rivals {
		if _, err := s.authenticate(s.token(fmt.Sprint("heir", i), directory.TokenRefresh, 1)); err == nil {
			heirs++
		}
	}
	if counts[0] != 1 || heirs != 1 {
		t.Errorf("%d rotations succeeded and %d heirs are valid, want 1 and 1", counts[0], heirs)
	}
}

func raceTotals(t *testing.T, s *sample) {
	const workers, rounds, users = 10, 12, 30
	s.addForest(users)
	seeds := newChance(t)
	chances := make([]chance, workers)
	for i := range chances {
		chances[i] = chance{newRand(seeds.Uint64())}
	}
	wantRace(t, race(workers, func(i int) error {
		c := chances[i]
		for round := range rounds {
			number := int64(c.IntN(users))*3 + 1
			err := s.try(func(tx directory.Tx) error {
				before, err := tx.LockUser(s.ctx, s.tenant, number)
				switch {
				case isNotFound(err):
					return tx.InsertUser(s.ctx, s.user(number))
				case err != nil:
					return err
				case c.IntN(5) == 0:
					return tx.DeleteUser(s.ctx, before)
				}
				after := before
				after.State, after.Company, after.FamilyName = c.state(), c.company(), fmt.Sprint("Family", i, "x", round)
				if err := tx.UpdateUser(s.ctx, before, after); err != nil || c.IntN(4) > 0 {
					return err
				}
				return errRefused
			})
			// Two may find the user missing and insert it: one is told so.
			if err != nil && !errors.Is(err, errRefused) && !directory.IsReason(err, directory.ReasonWriteConflict) {
				return err
			}
		}
		return nil
	}))
	s.wantLists()
	all := s.all()
	for _, term := range []string{"family", "fa", "family1", "family1x3", "user", "x3"} {
		s.wantSearch(all, term)
	}
}

func raceReadYourWrite(t *testing.T, s *sample) {
	const workers, rounds = 8, 10
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			number := int64(i*rounds+round) + 1
			name := fmt.Sprintf("quick%dx%dz", i, round)
			u := s.user(number)
			u.FamilyName = name
			if err := s.try(func(tx directory.Tx) error { return tx.InsertUser(s.ctx, u) }); err != nil {
				return err
			}
			found, err := tryLook(s, func(ctx context.Context, r directory.Reader) ([]directory.User, error) {
				return r.Users(ctx, s.tenant, directory.UserQuery{Terms: []string{name}, Limit: 5})
			})
			if err != nil || len(found) != 1 || found[0].Number != number {
				return fmt.Errorf("search for %s right after its Update finds %v: %w", name, numbersOf(found), err)
			}
			page, err := tryLook(s, func(ctx context.Context, r directory.Reader) ([]directory.User, error) {
				return r.Users(ctx, s.tenant, directory.UserQuery{Company: 1, After: number - 1, Limit: 1})
			})
			if err != nil || len(page) != 1 || page[0].Number != number {
				return fmt.Errorf("the list right after the Update of %d shows %v: %w", number, numbersOf(page), err)
			}
		}
		return nil
	}))
	s.wantTotals()
}

func raceEvents(t *testing.T, s *sample) {
	const workers, rounds = 8, 10
	var kept atomic.Int64
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			err := s.try(func(tx directory.Tx) error {
				if err := tx.InsertUser(s.ctx, s.user(int64(i*rounds+round)+1)); err != nil {
					return err
				}
				if err := tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserCreated)); err != nil {
					return err
				}
				if (i+round)%4 == 0 {
					return errRefused
				}
				return nil
			})
			if err == nil {
				kept.Add(1)
			} else if !errors.Is(err, errRefused) {
				return err
			}
		}
		return nil
	}))
	events := s.events(0, 1000)
	if total := s.total(0, allStates); int64(len(events)) != kept.Load() || total != kept.Load() {
		t.Errorf("%d events and %d users of %d successes", len(events), total, kept.Load())
	}
	for i := 1; i < len(events); i++ {
		if events[i-1].Position+1 != events[i].Position {
			t.Errorf("event %d is listed before %d", events[i-1].Position, events[i].Position)
		}
	}
}

// outcome is one transaction of a kind that raceOutcomes mixes: whether its
// user has to be there afterwards follows from what Update answered.
func (s *sample) outcome(kind int, number int64) error {
	return s.try(func(tx directory.Tx) error {
		if err := tx.InsertUser(s.ctx, s.user(number)); err != nil {
			return err
		}
		switch kind {
		case 1:
			return errRefused
		case 2: // a duplicate
			return tx.InsertUser(s.ctx, s.user(1))
		case 3: // a row that is not there
			_, err := tx.LockUser(s.ctx, s.tenant, 99_999)
			return err
		case 4: // found out to be a duplicate by the second run only
			return s.claim(tx, "shared", number)
		}
		return tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: number, User: number, Role: 1, Company: 1})
	})
}

func raceOutcomes(t *testing.T, s *sample) {
	const workers, rounds = 12, 10
	s.addUser(1)
	s.addRoles(s.role(1, 1, "clerk"))
	var claimed atomic.Int64
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			number, kind := int64(100+i*rounds+round), (i+round)%6
			err := s.outcome(kind, number)
			if kind == 4 && err == nil {
				claimed.Add(1)
			}
			wantErr := kind >= 1 && kind <= 3
			if kind != 4 && (err != nil) != wantErr {
				return fmt.Errorf("a transaction of kind %d answered %w", kind, err)
			}
			_, lookErr := tryLook(s, func(ctx context.Context, r directory.Reader) (directory.User, error) {
				return r.UserByNumber(ctx, s.tenant, number)
			})
			if (lookErr == nil) != (err == nil) {
				return fmt.Errorf("kind %d answered %v, and the look-up %w", kind, err, lookErr)
			}
		}
		return nil
	}))
	if claimed.Load() != 1 {
		t.Errorf("%d claimed the shared key", claimed.Load())
	}
	s.wantTotals()
}

func racePanics(t *testing.T, s *sample) {
	const workers, rounds = 10, 10
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			number := int64(i*rounds+round) + 1
			boom := (i+round)%3 == 0
			var err error
			raised := panicOf(func() {
				err = s.try(func(tx directory.Tx) error {
					if err := tx.InsertUser(s.ctx, s.user(number)); err != nil {
						return err
					}
					if boom {
						panic(number)
					}
					return nil
				})
			})
			if boom && raised != number {
				return fmt.Errorf("user %d: recovered %v, want its own panic", number, raised)
			}
			if !boom && (raised != nil || err != nil) {
				return fmt.Errorf("user %d: recovered %v, error %w", number, raised, err)
			}
			if _, err := tryLook(s, func(ctx context.Context, r directory.Reader) (directory.User, error) {
				return r.UserByNumber(ctx, s.tenant, number)
			}); isNotFound(err) != boom {
				return fmt.Errorf("user %d (panic %t): %w", number, boom, err)
			}
		}
		return nil
	}))
	s.wantTotals()
}

func raceCancelled(t *testing.T, s *sample) {
	const workers, rounds = 10, 10
	wantRace(t, race(workers, func(i int) error {
		for round := range rounds {
			number := int64(i*rounds+round) + 1
			ctx, cancel := context.WithCancel(s.ctx)
			if (i+round)%4 == 1 {
				go cancel() // at any moment of what follows
			}
			err := s.store.Update(ctx, func(tx directory.Tx) error {
				if (i+round)%4 == 2 {
					cancel()
				}
				return tx.InsertUser(ctx, s.user(number))
			})
			cancel()
			if err != nil && ((i+round)%4 == 0 || (i+round)%4 == 3) {
				return fmt.Errorf("user %d was not cancelled: %w", number, err)
			}
			if directory.IsReason(err, directory.ReasonOutcomeUnknown) {
				continue
			}
			_, lookErr := tryLook(s, func(ctx context.Context, r directory.Reader) (directory.User, error) {
				return r.UserByNumber(ctx, s.tenant, number)
			})
			if (lookErr == nil) != (err == nil) {
				return fmt.Errorf("user %d: Update answered %v, the look-up %w", number, err, lookErr)
			}
		}
		return nil
	}))
	s.wantTotals()
}

func raceSizes(t *testing.T, s *sample) {
	const workers, large = 8, 200
	wantRace(t, race(workers, func(i int) error {
		if i < 2 {
			return s.try(func(tx directory.Tx) error {
				for n := range large {
					if err := tx.InsertUser(s.ctx, s.user(int64(10_000*(i+1)+n))); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for round := range 10 {
			if err := s.try(func(tx directory.Tx) error { return tx.InsertUser(s.ctx, s.user(int64(i*100+round))) }); err != nil {
				return err
			}
		}
		return nil
	}))
	if got := s.total(0, allStates); got != 2*large+(workers-2)*10 {
		t.Errorf("total %d, want %d", got, 2*large+(workers-2)*10)
	}
	s.wantTotals()
}

// closingRace closes a store while it is in use: nobody is refused before, and
// everybody is answered.
func closingRace(t *testing.T, open Open) {
	s := newSample(t, open(t))
	const writers = 8
	var written atomic.Int64
	var closed atomic.Bool
	enough := make(chan struct{})
	wantRace(t, race(writers+1, func(i int) error {
		if i == writers {
			<-enough
			closed.Store(true)
			return s.store.Close()
		}
		for round := 0; ; round++ {
			err := s.try(func(tx directory.Tx) error {
				return tx.InsertUser(s.ctx, s.user(int64(i*1_000_000+round)+1))
			})
			if n := written.Add(1); n == 3*writers {
				close(enough)
			}
			switch {
			case err != nil && closed.Load() && written.Load() > 3*writers:
				return nil
			case err != nil && !closed.Load():
				return fmt.Errorf("before Close: %w", err)
			}
		}
	}))
	if err := s.try(func(directory.Tx) error { return nil }); err == nil {
		t.Error("Update succeeds after Close")
	}
}

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// partChecks are about Tx.Try.
var partChecks = []check{
	{"A part that fails leaves no trace, and what is before and after it stays", partFails},
	{"A part that succeeds stays, and goes with a transaction that fails", partOfFailure},
	{"A part that fails takes back changes of what was there before it", partUpdates},
	{"A duplicate in a part reaches the caller of Try as it is", partDuplicate},
	{"A part may have parts", partNested},
	{"Of random parts those that succeed stay", partRandom},
}

// wantWhole compares users, handles, totals, seats and what a search
// finds with the users that have joined.
func (s *sample) wantWhole(r directory.Reader, numbers ...int64) error {
	s.t.Helper()
	users, err := r.Users(s.ctx, s.tenant, directory.UserQuery{Limit: 100})
	wantSame(s.t, "users", numbersOf(users), numbers)
	found, err2 := r.Users(s.ctx, s.tenant, directory.UserQuery{Terms: []string{"member"}, Limit: 100})
	wantSame(s.t, "users that a search finds", numbersOf(found), numbers)
	total, err3 := r.UserTotal(s.ctx, s.tenant, s.root, directory.LivingStates)
	wantSame(s.t, "total", total, int64(len(numbers)))
	pool, err4 := r.Pool(s.ctx, s.tenant, "Full")
	wantSame(s.t, "seats", pool.Used, int64(len(numbers)))
	for number := int64(1); number <= 9; number++ {
		if _, err := r.HandleByKey(s.ctx, s.tenant, directory.SpaceLogin, fmt.Sprint("member", number)); err != nil && !isNotFound(err) {
			return err
		} else if held := err == nil; held != slices.Contains(numbers, number) {
			s.t.Errorf("the handle of user %d is there: %t", number, held)
		}
	}
	return errors.Join(err, err2, err3, err4)
}

// wantJoined is wantWhole after a transaction, with the events.
func (s *sample) wantJoined(numbers ...int64) {
	s.t.Helper()
	s.view(func(r directory.Reader) error { return s.wantWhole(r, numbers...) })
	var told []int64
	for _, e := range s.events(0, 100) {
		told = append(told, e.User)
	}
	wantSame(s.t, "users of events", told, numbers)
}

// join writes everything that belongs to a new user.
func (s *sample) join(tx directory.Tx, number int64) error {
	u := s.user(number)
	u.UserName = fmt.Sprint("member", number)
	if err := tx.InsertUser(s.ctx, u); err != nil {
		return err
	}
	if err := tx.InsertHandle(s.ctx, s.tenant, s.handle(u.UserName, number)); err != nil {
		return err
	}
	if seat, err := tx.TakeSeat(s.ctx, s.tenant, "Full"); err != nil || seat == 0 {
		return fmt.Errorf("seat %d: %w", seat, err)
	}
	e := newEvent(s.tenant, directory.EventUserCreated)
	e.User = number
	return tx.InsertEvent(s.ctx, e)
}

// joinOr joins in a part, which then fails with an error unless it is nil.
func (s *sample) joinOr(tx directory.Tx, number int64, failure error) error {
	return tx.Try(s.ctx, func() error { return errors.Join(s.join(tx, number), failure) })
}

func partFails(t *testing.T, s *sample) {
	s.setPool("Full", 9)
	s.update(func(tx directory.Tx) error {
		if err := s.join(tx, 1); err != nil {
			return err
		}
		for _, number := range []int64{2, 3} {
			err := tx.Try(s.ctx, func() error {
				return errors.Join(s.join(tx, number), s.wantWhole(tx, 1, number), errRefused)
			})
			if !errors.Is(err, errRefused) {
				t.Errorf("Try: %v, want what fn answered", err)
			}
			if err := s.wantWhole(tx, 1); err != nil {
				return err
			}
		}
		return errors.Join(s.join(tx, 3), s.wantWhole(tx, 1, 3))
	})
	s.wantJoined(1, 3)
	s.update(func(tx directory.Tx) error { return s.joinOr(tx, 2, nil) })
	wantSame(t, "the total in the end", s.total(s.root, directory.LivingStates), 3)
}

func partOfFailure(t *testing.T, s *sample) {
	s.setPool("Full", 9)
	err := s.try(func(tx directory.Tx) error {
		return errors.Join(s.joinOr(tx, 1, nil), s.wantWhole(tx, 1), errRefused)
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	s.wantJoined()
	s.update(func(tx directory.Tx) error {
		return errors.Join(s.joinOr(tx, 1, nil), s.joinOr(tx, 2, nil), s.wantWhole(tx, 1, 2))
	})
	s.wantJoined(1, 2)
}

func partUpdates(t *testing.T, s *sample) {
	s.addUser(1, func(u *directory.User) { u.FamilyName = "Before" })
	s.update(func(tx directory.Tx) error {
		if err := s.changeIn(tx, 1, func(u *directory.User) { u.FamilyName = "Between" }); err != nil {
			return err
		}
		err := tx.Try(s.ctx, func() error {
			err := s.changeIn(tx, 1, func(u *directory.User) { u.FamilyName, u.State = "Inside", directory.StateDeleted })
			gone, err2 := tx.Users(s.ctx, s.tenant, directory.UserQuery{Terms: []string{"between"}, Limit: 9, States: allStates})
			wantSame(t, "found by the former name inside of the part", numbersOf(gone), nil)
			total, err3 := tx.UserTotal(s.ctx, s.tenant, 0, directory.LivingStates)
			wantSame(t, "the total inside of the part", total, 0)
			return errors.Join(err, err2, err3, errRefused)
		})
		if !errors.Is(err, errRefused) {
			return err
		}
		found, err := tx.Users(s.ctx, s.tenant, directory.UserQuery{Terms: []string{"between"}, Limit: 9})
		wantSame(t, "found after the part", numbersOf(found), []int64{1})
		return err
	})
	wantSame(t, "found in the end", s.search("between"), []int64{1})
	wantSame(t, "found by the name of the part", s.search("inside"), nil)
	s.wantTotals()
}

func partDuplicate(t *testing.T, s *sample) {
	s.setPool("Full", 9)
	runs := 0
	s.update(func(tx directory.Tx) error {
		runs++
		if err := s.join(tx, 1); err != nil {
			return err
		}
		if err := s.joinOr(tx, 1, nil); !errors.Is(err, directory.ErrDuplicate) {
			t.Errorf("Try: %v, want directory.ErrDuplicate", err)
		}
		return s.joinOr(tx, 2, nil)
	})
	if runs != 1 {
		t.Errorf("fn ran %d times, want once: the duplicate was dealt with", runs)
	}
	s.wantJoined(1, 2)
	runs = 0
	err := s.try(func(tx directory.Tx) error {
		runs++
		return s.joinOr(tx, 1, nil)
	})
	wantConflict(t, "a duplicate that the closure answers", err)
	if runs != 2 {
		t.Errorf("fn ran %d times, want 2", runs)
	}
}

func partNested(t *testing.T, s *sample) {
	s.setPool("Full", 9)
	s.update(func(tx directory.Tx) error {
		err := tx.Try(s.ctx, func() error {
			inner := s.joinOr(tx, 2, errRefused)
			if !errors.Is(inner, errRefused) {
				t.Errorf("the inner part: %v", inner)
			}
			return errors.Join(s.join(tx, 1), s.joinOr(tx, 3, nil), s.wantWhole(tx, 1, 3))
		})
		lost := tx.Try(s.ctx, func() error { return errors.Join(s.joinOr(tx, 4, nil), errRefused) })
		if !errors.Is(lost, errRefused) {
			t.Errorf("the outer part: %v", lost)
		}
		return errors.Join(err, s.wantWhole(tx, 1, 3), s.joinOr(tx, 4, nil))
	})
	s.wantJoined(1, 3, 4)
}

func partRandom(t *testing.T, s *sample) {
	c := newChance(t)
	s.addTree()
	for round := range 12 {
		base := int64(round) * 100
		var want []int64
		s.update(func(tx directory.Tx) error {
			var kept []int64
			for i := range int64(12) {
				number, fails := base+i+1, c.IntN(2) == 0
				err := tx.Try(s.ctx, func() error {
					u := c.user(s, number)
					u.Profile.ExternalIDs = nil
					if err := tx.InsertUser(s.ctx, u); err != nil {
						return err
					}
					if len(kept) > 0 {
						if err := s.changeIn(tx, kept[c.IntN(len(kept))], func(u *directory.User) { u.State, u.Company = c.state(), c.company() }); err != nil {
							return err
						}
					}
					if fails {
						return errRefused
					}
					return nil
				})
				if fails != errors.Is(err, errRefused) {
					return fmt.Errorf("part %d: %w", i, err)
				}
				if !fails {
					kept = append(kept, number)
				}
			}
			want = kept
			return nil
		})
		var got []int64
		for _, number := range numbersOf(s.all()) {
			if number > base {
				got = append(got, number)
			}
		}
		wantSame(t, "users of the parts that succeeded", got, want)
		s.wantLists()
		s.wantSearch(s.all(), directory.FoldSearch(c.text()))
	}
}

package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var numberChecks = []check{
	{"NextNumber draws numbers from 1 up and none twice", numberDraw},
	{"RaiseNumber makes later draws start after number", numberRaise},
	{"RaiseNumber never lowers a counter", numberNoLower},
	{"Counters are apart by kind", numberKinds},
	{"A number drawn in a transaction that fails is not given to two users", numberRolledBack},
	{"A counter at its end gives no number that a user can have", numberEnd},
}

// perProcess are the checks of what holds within one process only, because
// another may have drawn numbers ahead.
var perProcess = []string{
	"RaiseNumber makes later draws start after number",
	"RaiseNumber never lowers a counter",
	"A counter at its end gives no number that a user can have",
}

// sharedChecks are about a store whose calls go to several processes.
var sharedChecks = []check{
	{"A process gives out the numbers that it has drawn ahead and then passes a raised counter", numberShared},
}

// draw draws one number in a transaction of its own.
func (s *sample) draw(kind directory.NumberKind) int64 {
	s.t.Helper()
	var n int64
	s.update(func(tx directory.Tx) error {
		var err error
		n, err = tx.NextNumber(s.ctx, s.tenant, kind)
		return err
	})
	return n
}

func numberDraw(t *testing.T, s *sample) {
	seen := map[int64]bool{}
	for range 200 {
		n := s.draw(directory.NumberUser)
		if n < 1 || n > 10_000 || seen[n] {
			t.Fatalf("drew %d after %d others", n, len(seen))
		}
		seen[n] = true
	}
	s.update(func(tx directory.Tx) error {
		drawn := map[int64]bool{}
		for range 150 {
			n, err := tx.NextNumber(s.ctx, s.tenant, directory.NumberUser)
			if err != nil || n < 1 || seen[n] || drawn[n] {
				return fmt.Errorf("drew %d in a transaction: %w", n, err)
			}
			drawn[n] = true
		}
		return nil
	})
}

func numberRaise(t *testing.T, s *sample) {
	for _, past := range []int64{0, 10, 11, 5000, 1_000_000} {
		s.update(func(tx directory.Tx) error {
			return tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, past)
		})
		for range 70 {
			if n := s.draw(directory.NumberUser); n <= past {
				t.Fatalf("drew %d after the counter was raised past %d", n, past)
			}
		}
	}
	s.update(func(tx directory.Tx) error {
		if err := tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, 2_000_000); err != nil {
			return err
		}
		n, err := tx.NextNumber(s.ctx, s.tenant, directory.NumberUser)
		if n <= 2_000_000 {
			t.Errorf("drew %d in the transaction that raised the counter", n)
		}
		return err
	})
}

func numberNoLower(t *testing.T, s *sample) {
	s.update(func(tx directory.Tx) error {
		return tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, 1000)
	})
	first := s.draw(directory.NumberUser)
	s.update(func(tx directory.Tx) error {
		return tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, 5)
	})
	if second := s.draw(directory.NumberUser); first <= 1000 || second <= first {
		t.Errorf("drew %d and then %d", first, second)
	}
}

func numberKinds(t *testing.T, s *sample) {
	kinds := []directory.NumberKind{directory.NumberUser, directory.NumberCompany, directory.NumberLocation,
		directory.NumberLockReason, directory.NumberRole, directory.NumberAssignment, directory.NumberGroup}
	s.update(func(tx directory.Tx) error {
		return tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, 70_000)
	})
	for _, kind := range kinds[1:] {
		if n := s.draw(kind); n < 1 || n > 1000 {
			t.Errorf("drew %d of kind %s after the user counter was raised", n, kind)
		}
	}
}

func numberRolledBack(t *testing.T, s *sample) {
	used := map[int64]bool{}
	for i := range 40 {
		var n int64
		err := s.try(func(tx directory.Tx) error {
			var err error
			if n, err = tx.NextNumber(s.ctx, s.tenant, directory.NumberUser); err != nil {
				return err
			}
			if err := tx.InsertUser(s.ctx, s.user(n)); err != nil {
				return err
			}
			if i%3 == 0 {
				return errRefused
			}
			return nil
		})
		if errors.Is(err, errRefused) {
			continue
		}
		if err != nil || used[n] {
			t.Fatalf("number %d, used before: %t, error %v", n, used[n], err)
		}
		used[n] = true
	}
}

func numberEnd(t *testing.T, s *sample) {
	s.update(func(tx directory.Tx) error {
		return tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, directory.MaxNumber)
	})
	for range 3 {
		var n int64
		err := s.try(func(tx directory.Tx) error {
			var err error
			n, err = tx.NextNumber(s.ctx, s.tenant, directory.NumberUser)
			return err
		})
		if err == nil && n <= directory.MaxNumber {
			t.Errorf("drew %d from a counter that is used up", n)
		}
	}
}

// numberShared: several processes draw ahead, one raises the counter. All
// numbers stay different, and a process passes the mark once its own are used.
func numberShared(t *testing.T, s *sample) {
	const mark, most = 100_000, 5000
	seen := map[int64]bool{}
	draw := func() int64 {
		n := s.draw(directory.NumberUser)
		if n < 1 || seen[n] {
			t.Fatalf("drew %d twice", n)
		}
		seen[n] = true
		return n
	}
	for range 20 {
		draw()
	}
	s.update(func(tx directory.Tx) error {
		return tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, mark)
	})
	above := 0
	for range most {
		if draw() > mark {
			above++
		} else {
			above = 0
		}
		if above == 200 {
			return
		}
	}
	t.Errorf("%d draws after the counter was raised, the processes do not keep to it", most)
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var historyChecks = []check{
	{"FindEvents lists those of one user after a position, oldest first", historyPages},
	{"IndexEvents reports how many it did, and 0 when all are", historySteps},
	{"An event of a transaction that fails is in no history", historyRolledBack},
	{"The events of an erased user stay findable", historyErased},
}

// indexed makes all events findable, in steps.
func (s *sample) indexed(limit int) (steps []int) {
	s.t.Helper()
	s.seal()
	for range 10_000 {
		n := 0
		s.update(func(tx directory.Tx) (err error) {
			n, err = tx.IndexEvents(s.ctx, s.tenant, limit)
			return err
		})
		if n == 0 {
			return steps
		}
		steps = append(steps, n)
	}
	s.t.Fatal("IndexEvents finds no end")
	return nil
}

func (s *sample) history(number, after int64, limit int) []directory.Event {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.Event, error) {
		found, err := r.FindEvents(ctx, s.tenant, directory.EventSelection{User: number, After: after, Limit: limit, Scan: 10_000})
		return found.Events, err
	})
}

func (s *sample) addEvents(numbers ...int64) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, number := range numbers {
			e := newEvent(s.tenant, directory.EventUserUpdated)
			e.User = number
			if err := tx.InsertEvent(s.ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func historyPages(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	for range 9 {
		s.addEvents(1, 0, 2, 1)
		other.addEvents(1, 2)
	}
	s.indexed(5)
	all := s.events(0, 1000)
	for _, number := range []int64{1, 2, 3, -1, directory.MaxNumber} {
		var want []directory.Event
		for _, e := range all {
			if e.User == number {
				want = append(want, e)
			}
		}
		wantSame(t, fmt.Sprintf("the history of user %d", number), s.history(number, 0, 1000), want)
		var got []directory.Event
		after := int64(0)
		for page := s.history(number, after, 4); len(page) > 0; page = s.history(number, after, 4) {
			got = append(got, page...)
			after = page[len(page)-1].Position
		}
		wantSame(t, "the same in pages", got, want)
	}
	if got := s.history(1, 0, 0); len(got) != 0 {
		t.Errorf("a page of no events has %d", len(got))
	}
}

func historySteps(t *testing.T, s *sample) {
	s.indexed(1000)
	s.addEvents(1, 0, 1, 2, 1, 0, 0)
	for _, n := range s.indexed(3) {
		if n < 1 || n > 3 {
			t.Errorf("a step of at most 3 did %d", n)
		}
	}
	if got := s.history(1, 0, 10); len(got) != 3 {
		t.Errorf("the history has %d events, want 3", len(got))
	}
	s.addEvents(1)
	s.indexed(1)
	if got := s.history(1, 0, 10); len(got) != 4 {
		t.Errorf("the history has %d events, want 4", len(got))
	}
}

func historyRolledBack(t *testing.T, s *sample) {
	s.addEvents(1)
	err := s.try(func(tx directory.Tx) error {
		e := newEvent(s.tenant, directory.EventUserUpdated)
		e.User = 1
		err := tx.InsertEvent(s.ctx, e)
		_, err2 := tx.IndexEvents(s.ctx, s.tenant, 1000)
		return errors.Join(err, err2, errRefused)
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	s.indexed(1000)
	wantSame(t, "the history", s.history(1, 0, 10), s.events(0, 10))
}

func historyErased(t *testing.T, s *sample) {
	s.addUser(1)
	s.addEvents(1, 1)
	s.indexed(1000)
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 1)) })
	wantSame(t, "the history", s.history(1, 0, 10), s.events(0, 10))
}

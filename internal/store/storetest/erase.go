package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var erasureChecks = []check{
	{"EraseEvents erases the contents of all events of a user and no others", eraseAll},
	{"EraseEvents erases events of its own transaction too", eraseOwn},
	{"EraseEvents of a transaction or part that fails erases nothing", eraseFailed},
	{"What is erased is not found by its reason", eraseReason},
	{"EraseEvents of nobody erases nothing", eraseNobody},
	{"TrimEvents removes at most limit of the oldest events and moves the base", trimSteps},
	{"TrimEvents of a transaction that fails removes nothing", trimFailed},
	{"What is trimmed is not found, and what comes later is", trimFound},
}

// written keeps events by their ids.
func written(events []directory.Event) map[string]directory.Event {
	m := map[string]directory.Event{}
	for _, e := range events {
		m[e.ID] = e
	}
	return m
}

// wantErased fails unless the contents of those, and only those, events are gone
// that erased says, all else is as before, and the chain verifies.
func (s *sample) wantErased(before []directory.Event, erased func(e *directory.Event) bool) {
	s.t.Helper()
	want := slices.Clone(before)
	for i := range want {
		if e := &want[i]; erased(e) {
			e.Reason, e.Salt, e.Payload = "", nil, nil
		}
	}
	wantSame(s.t, "the events", s.wantWholeChain(written(before)), want)
}

func (s *sample) eraseEvents(number int64) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.EraseEvents(s.ctx, s.tenant, number) })
}

func of(number int64) func(*directory.Event) bool {
	return func(e *directory.Event) bool { return e.User == number }
}

func eraseAll(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.addEvents(1, 2)
	for _, indexed := range []int{0, 3, 1000} { // nothing, some and all
		fresh := newSample(t, s.store)
		fresh.addEvents(1, 2, 0, 1, 3, 1, 2)
		before := fresh.events(0, 100)
		if indexed > 0 {
			fresh.update(func(tx directory.Tx) error {
				_, err := tx.IndexEvents(s.ctx, fresh.tenant, indexed)
				return err
			})
		}
		fresh.eraseEvents(1)
		fresh.wantErased(before, of(1))
		fresh.eraseEvents(1)
		fresh.wantErased(before, of(1))
	}
	s.addEvents(1, 2) // not sealed by anybody yet
	s.eraseEvents(1)
	for _, e := range s.events(0, 10) {
		if e.Erased() != (e.User == 1) {
			t.Errorf("the event of user %d is erased: %t", e.User, e.Erased())
		}
	}
	other.wantErased(other.events(0, 10), func(*directory.Event) bool { return false })
}

func eraseOwn(t *testing.T, s *sample) {
	s.addEvents(1, 2)
	before := s.events(0, 10)
	var own []directory.Event
	s.update(func(tx directory.Tx) error {
		list := []directory.Event{newEvent(s.tenant, directory.EventUserUpdated), newEvent(s.tenant, directory.EventUserUpdated), newEvent(s.tenant, directory.EventUserPurged)}
		list[0].User, list[1].User, list[2].User = 1, 2, 1
		own = list
		err := errors.Join(tx.InsertEvent(s.ctx, list[0]), tx.InsertEvent(s.ctx, list[1]))
		err = errors.Join(err, tx.Try(s.ctx, func() error { return tx.EraseEvents(s.ctx, s.tenant, 1) }))
		return errors.Join(err, tx.InsertEvent(s.ctx, list[2]))
	})
	s.addEvents(1) // afterwards
	all := s.wantWholeChain(written(slices.Concat(before, own)))
	if len(all) != 6 {
		t.Fatalf("%d events, want 6", len(all))
	}
	for i, e := range all {
		want := e.User == 1 && i < 5
		if e.Erased() != want || want && (e.Reason != "" || e.Payload != nil) || !want && (e.Reason == "" || e.Payload == nil) {
			t.Errorf("event %d of user %d is erased: %t", i, e.User, e.Erased())
		}
	}
}

func eraseFailed(t *testing.T, s *sample) {
	s.addEvents(1, 1)
	s.indexed(1)
	s.addEvents(1)
	before := s.events(0, 10)
	err := s.try(func(tx directory.Tx) error { return errors.Join(tx.EraseEvents(s.ctx, s.tenant, 1), errRefused) })
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	s.wantErased(before, of(-1))
	s.update(func(tx directory.Tx) error {
		err := tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserUpdated))
		part := tx.Try(s.ctx, func() error {
			return errors.Join(tx.EraseEvents(s.ctx, s.tenant, 1), tx.EraseEvents(s.ctx, s.tenant, 42), errRefused)
		})
		if !errors.Is(part, errRefused) {
			t.Errorf("the part: %v", part)
		}
		return err
	})
	after := s.events(0, 10)
	wantSame(t, "the events before", after[:len(before)], before)
	if last := after[len(after)-1]; last.Erased() || last.Reason == "" {
		t.Error("the event of the transaction is erased, though the part failed")
	}
	s.wantWholeChain(nil)
}

func eraseReason(t *testing.T, s *sample) {
	s.addEvents(1, 2, 1)
	s.indexed(100)
	s.addEvents(1)
	s.eraseEvents(1)
	s.indexed(100)
	found := s.find(directory.EventSelection{Reason: "left", Limit: 10, Scan: 100})
	if len(found.Events) != 1 || found.Events[0].User != 2 || found.Seen != 2 {
		t.Errorf("found by the reason: %v", found)
	}
	if found := s.find(directory.EventSelection{User: 1, Limit: 10, Scan: 100}); len(found.Events) != 3 {
		t.Errorf("found by the user: %d events, want 3", len(found.Events))
	}
}

func eraseNobody(_ *testing.T, s *sample) {
	s.addEvents(0, 1, 0)
	before := s.events(0, 10)
	s.eraseEvents(0)
	s.eraseEvents(9)
	s.wantErased(before, of(-1))
}

// trim removes events and returns how many.
func (s *sample) trim(through int64, limit int) (n int) {
	s.t.Helper()
	s.update(func(tx directory.Tx) (err error) {
		n, err = tx.TrimEvents(s.ctx, s.tenant, through, limit)
		return err
	})
	return n
}

func trimSteps(t *testing.T, s *sample) {
	if n := s.trim(10, 10); n != 0 {
		t.Errorf("%d events of none were removed", n)
	}
	s.addEvents(1, 2, 3, 4, 5, 6, 7, 8, 9)
	all := s.events(0, 100)
	s.indexed(3)
	at := 0
	for _, step := range []struct {
		through int64
		limit   int
		want    int
	}{{4, 3, 3}, {4, 3, 1}, {4, 3, 0}, {2, 3, 0}, {5, 0, 0}, {7, 100, 3}, {100, 100, 2}, {100, 100, 0}} {
		if n := s.trim(step.through, step.limit); n != step.want {
			t.Errorf("TrimEvents through %d, at most %d: %d, want %d", step.through, step.limit, n, step.want)
		}
		at += step.want
		head := s.head()
		wantSame(t, "the base", head.Base, int64(at))
		wantSame(t, "the hash of the base", head.BaseHash, all[at-1].Hash)
		wantSame(t, "the events", s.wantWholeChain(nil), all[at:])
	}
	s.addEvents(1, 2)
	if rest := s.wantWholeChain(nil); len(rest) != 2 || rest[0].Position != 10 || rest[0].Seq <= all[8].Seq {
		t.Errorf("after all were removed the chain goes on with %v", rest)
	}
}

func trimFailed(t *testing.T, s *sample) {
	s.addEvents(1, 2, 3)
	s.indexed(100)
	all := s.events(0, 10)
	err := s.try(func(tx directory.Tx) error {
		_, err := tx.TrimEvents(s.ctx, s.tenant, 2, 10)
		return errors.Join(err, errRefused)
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	wantSame(t, "the events", s.wantWholeChain(nil), all)
	if got := s.history(1, 0, 10); len(got) != 1 {
		t.Errorf("%d events are found, want 1", len(got))
	}
}

func trimFound(t *testing.T, s *sample) {
	s.addEvents(1, 1, 1, 1)
	s.update(func(tx directory.Tx) error {
		_, err := tx.IndexEvents(s.ctx, s.tenant, 2)
		return err
	})
	s.seal()
	s.trim(3, 10)
	s.indexed(10)
	s.addEvents(1)
	s.indexed(10)
	if got := s.history(1, 0, 10); len(got) != 2 || got[0].Position != 4 {
		t.Errorf("found %v, want those at 4 and 5", got)
	}
	if head := s.head(); head.Indexed != 5 {
		t.Errorf("indexed through %d, want 5", head.Indexed)
	}
	if first, last := s.period(noon, noon.Add(time.Hour)); first != 4 || last != 5 {
		t.Errorf("the period is %d to %d, want 4 to 5", first, last)
	}
	s.trim(5, 10)
	if first, last := s.period(noon, noon.Add(time.Hour)); first != 0 || last != 0 {
		t.Errorf("the period is %d to %d, want none", first, last)
	}
}

func (s *sample) find(q directory.EventSelection) directory.EventsFound {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.EventsFound, error) {
		return r.FindEvents(ctx, s.tenant, q)
	})
}

func (s *sample) period(from, to time.Time) (first, last int64) {
	s.t.Helper()
	look(s.t, s, func(ctx context.Context, r directory.Reader) (_ bool, err error) {
		first, last, err = r.EventPeriod(ctx, s.tenant, from, to)
		return true, err
	})
	return first, last
}

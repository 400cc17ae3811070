package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var findChecks = []check{
	{"FindEvents agrees with a look at every event", findRandom},
	{"FindEvents ends at Limit and at Scan and goes on from Seen", findSteps},
	{"FindEvents by what events say finds those that are indexed", findIndexed},
	{"EventPeriod leaves no event of its time outside", periodRandom},
	{"EventPeriod is narrow where events are indexed", periodNarrow},
}

// scatter writes events at random, and at times that jump.
func (c chance) scatter(s *sample, n int) []directory.Event {
	s.t.Helper()
	clock := noon
	for n > 0 {
		some := min(n, 50)
		n -= some
		s.update(func(tx directory.Tx) error {
			for range some {
				clock = clock.Add(time.Duration(c.IntN(40)) * time.Minute)
				if c.IntN(30) == 0 {
					clock = clock.Add(time.Duration(c.IntN(200)-120) * time.Hour)
				}
				e := c.event(s)
				e.Time = clock
				if err := tx.InsertEvent(s.ctx, e); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return s.wantWholeChain(nil)
}

// selection sets some members at random.
func (c chance) selection(all []directory.Event) directory.EventSelection {
	some := all[c.IntN(len(all))]
	q := directory.EventSelection{Descending: c.IntN(2) == 0, Limit: 1 + c.IntN(20), Scan: 1 + c.IntN(2*len(all))}
	sets := []func(){
		func() { q.User = some.User }, func() { q.Actor = some.Actor }, func() { q.Reason = some.Reason }, func() { q.Door = some.Door },
		func() { q.Type = some.Type }, func() { q.Origin = some.Origin }, func() { q.From = some.Time }, func() { q.To = some.Time.Add(20 * time.Hour) },
		func() { q.After = some.Position - int64(c.IntN(50)) }, func() { q.Before = some.Position + int64(c.IntN(50)) },
		func() { q.Reason = "nobody said that" }}
	for range c.IntN(4) {
		sets[c.IntN(len(sets))]()
	}
	q.After = max(q.After, 0)
	return q
}

// fits is what FindEvents must decide of an event, but for the range of positions.
func fits(q *directory.EventSelection, e *directory.Event) bool {
	return (q.User == 0 || e.User == q.User) && (q.Actor == "" || e.Actor == q.Actor) && (q.Reason == "" || e.Reason == q.Reason) &&
		(q.Door == 0 || e.Door == q.Door) && (q.Type == "" || e.Type == q.Type) && (q.Origin == "" || e.Origin == q.Origin) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) && (q.To.IsZero() || e.Time.Before(q.To))
}

func findRandom(t *testing.T, s *sample) {
	c := newChance(t)
	all := c.scatter(s, 400)
	s.indexed(150)
	for range 300 {
		q := c.selection(all)
		var want []directory.Event
		for _, e := range all {
			if e.Position > q.After && (q.Before == 0 || e.Position < q.Before) && fits(&q, &e) {
				want = append(want, e)
			}
		}
		if q.Descending {
			slices.Reverse(want)
		}
		wantSame(t, "what is found", s.findAll(q), want)
	}
}

// findAll finds in pages, going on from Seen.
func (s *sample) findAll(q directory.EventSelection) (all []directory.Event) {
	s.t.Helper()
	for range 10_000 {
		found := s.find(q)
		if len(found.Events) > q.Limit {
			s.t.Fatalf("%d events on a page of %d", len(found.Events), q.Limit)
		}
		all = append(all, found.Events...)
		if !found.More {
			return all
		}
		if q.Descending {
			q.Before = found.Seen
		} else {
			q.After = found.Seen
		}
	}
	s.t.Fatalf("the search finds no end: %+v", q)
	return nil
}

func findSteps(t *testing.T, s *sample) {
	s.addEvents(1, 2, 2, 1, 2, 1)
	s.indexed(100)
	for _, step := range []struct {
		q    directory.EventSelection
		want []int64
		seen int64
		more bool
	}{
		{directory.EventSelection{User: 1, Limit: 2, Scan: 100}, []int64{1, 4}, 4, true},
		{directory.EventSelection{User: 1, Limit: 3, Scan: 100}, []int64{1, 4, 6}, 6, false},
		{directory.EventSelection{User: 1, Limit: 9, Scan: 2}, []int64{1, 4}, 4, true},
		{directory.EventSelection{User: 1, Limit: 9, Scan: 100, Descending: true, Before: 6}, []int64{4, 1}, 1, false},
		{directory.EventSelection{User: 1, Limit: 1, Scan: 100, After: 1, Before: 6}, []int64{4}, 4, false},
		{directory.EventSelection{From: noon.Add(1), Limit: 9, Scan: 4}, nil, 4, true},
		{directory.EventSelection{From: noon, Limit: 9, Scan: 4, Descending: true}, []int64{6, 5, 4, 3}, 3, true},
		{directory.EventSelection{To: noon, Limit: 9, Scan: 100, After: 2}, nil, 6, false},
		{directory.EventSelection{User: 9, Limit: 9, Scan: 100, After: 2}, nil, 2, false},
		{directory.EventSelection{User: 9, Limit: 9, Scan: 100, Before: 5, Descending: true}, nil, 5, false},
		{directory.EventSelection{User: 1, Limit: 9, Scan: 0}, nil, 0, true},
	} {
		found := s.find(step.q)
		var got []int64
		for _, e := range found.Events {
			got = append(got, e.Position)
		}
		if !slices.Equal(got, step.want) || found.Seen != step.seen || found.More != step.more {
			t.Errorf("%+v: found %v, seen %d, more %t; want %v, %d, %t", step.q, got, found.Seen, found.More, step.want, step.seen, step.more)
		}
	}
}

func findIndexed(t *testing.T, s *sample) {
	s.addEvents(1, 1)
	s.indexed(100)
	s.addEvents(1)
	s.seal()
	for _, q := range []directory.EventSelection{{User: 1}, {Actor: "key:Büro"}, {Reason: "left"}, {Door: directory.DoorIQmetrix},
		{Type: directory.EventUserUpdated}, {Origin: "credential:k"}} {
		q.Limit, q.Scan = 10, 100
		if found := s.find(q); len(found.Events) != 2 {
			t.Errorf("%+v: %d events are found, 2 are indexed", q, len(found.Events))
		}
	}
	if found := s.find(directory.EventSelection{Limit: 10, Scan: 100}); len(found.Events) != 3 {
		t.Errorf("%d events are found without a key, want 3", len(found.Events))
	}
	wantSame(t, "Indexed", s.head().Indexed, 2)
}

func periodRandom(t *testing.T, s *sample) {
	c := newChance(t)
	all := c.scatter(s, 300)
	for _, indexed := range []int{0, 100, 300} {
		s.update(func(tx directory.Tx) error {
			_, err := tx.IndexEvents(s.ctx, s.tenant, indexed)
			return err
		})
		for range 60 {
			from := all[c.IntN(len(all))].Time.Add(time.Duration(c.IntN(3)-1) * time.Microsecond)
			to := from.Add(time.Duration(c.IntN(3000)) * time.Minute)
			if c.IntN(5) == 0 {
				from = time.Time{}
			}
			if c.IntN(5) == 0 {
				to = time.Time{}
			}
			first, last := s.period(from, to)
			for _, e := range all {
				inside := (from.IsZero() || !e.Time.Before(from)) && (to.IsZero() || e.Time.Before(to))
				if inside && (e.Position < first || e.Position > last) {
					t.Fatalf("event %d of %v is outside of %d to %d, from %v to %v", e.Position, e.Time, first, last, from, to)
				}
			}
		}
	}
}

func periodNarrow(t *testing.T, s *sample) {
	// The clock jumps ahead and back: the third event is of the first one's hour.
	for i, after := range []time.Duration{0, 30 * time.Hour, time.Minute, 2 * time.Hour, -3 * time.Hour, 3 * time.Hour} {
		s.update(func(tx directory.Tx) error {
			e := newEvent(s.tenant, directory.EventUserUpdated)
			e.User, e.Time = int64(i+1), time.Unix(0, 0).UTC().Add(after)
			return tx.InsertEvent(s.ctx, e)
		})
	}
	s.seal()
	start := time.Unix(0, 0).UTC()
	if first, last := s.period(start, start.Add(time.Second)); first != 1 || last != 6 {
		t.Errorf("without an index the period is %d to %d, want 1 to 6", first, last)
	}
	s.indexed(2)
	for _, p := range []struct {
		from, to    time.Duration
		first, last int64
	}{{0, time.Second, 1, 3}, {time.Hour, 3 * time.Hour, 4, 4}, {-3 * time.Hour, 0, 5, 5}, {3 * time.Hour, 3*time.Hour + 1000, 6, 6},
		{30 * time.Hour, 40 * time.Hour, 2, 2}, {10 * time.Hour, 20 * time.Hour, 0, 0}, {-4 * time.Hour, -3 * time.Hour, 0, 0}} {
		if first, last := s.period(start.Add(p.from), start.Add(p.to)); first != p.first || last != p.last {
			t.Errorf("from %v to %v: %d to %d, want %d to %d", p.from, p.to, first, last, p.first, p.last)
		}
	}
}

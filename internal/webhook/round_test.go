package webhook

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// courierFunc is a courier whose answers a test decides.
type courierFunc func(context.Context, *directory.Message) directory.Receipt

func (f courierFunc) Send(ctx context.Context, m *directory.Message) directory.Receipt {
	return f(ctx, m)
}
func (f courierFunc) Check(string) error { return nil }

var (
	taken = directory.Receipt{Status: 200, Delivered: true}
	no    = directory.Receipt{Status: 404, Error: "no"}
	down  = directory.Receipt{Down: true, Error: "down"}
)

// sessionOf is a session of an endpoint with a courier.
func sessionOf(send courierFunc) *session {
	d := NewDispatcher(nil, send, Options{Owner: "test"})
	return &session{d: d, log: slog.New(slog.DiscardHandler), w: directory.Webhook{Tenant: 1}, size: leastRound, probe: true}
}

// due are messages of users, whose positions count from 1.
func due(users ...int64) *directory.Dispatch {
	d := &directory.Dispatch{}
	for i, user := range users {
		m := directory.DueMessage{}
		m.Event = directory.Event{ID: strconv.Itoa(i + 1), Position: int64(i + 1), User: user}
		d.Messages = append(d.Messages, m)
	}
	return d
}

// positions are those of outcomes.
func positions(outcomes []directory.Outcome) []int64 {
	var list []int64
	for _, o := range outcomes {
		list = append(list, o.Message.Event.Position)
	}
	return list
}

func TestUsersAreServedAtOnceAndEachInOrder(t *testing.T) {
	const users, each = 40, 10
	var mu sync.Mutex
	last, busy := map[int64]int64{}, map[int64]bool{}
	var probed atomic.Bool
	var inFlight sync.WaitGroup // passes when every lane has a request
	inFlight.Add(laneCount)
	var first atomic.Int32
	s := sessionOf(func(_ context.Context, m *directory.Message) directory.Receipt {
		mu.Lock()
		if busy[m.Event.User] || last[m.Event.User] >= m.Event.Position {
			t.Errorf("user %d is sent %d behind %d, another in flight: %t", m.Event.User, m.Event.Position, last[m.Event.User], busy[m.Event.User])
		}
		busy[m.Event.User], last[m.Event.User] = true, m.Event.Position
		mu.Unlock()
		if probed.Swap(true) && first.Add(1) <= laneCount {
			inFlight.Done()
			inFlight.Wait()
		}
		mu.Lock()
		busy[m.Event.User] = false
		mu.Unlock()
		return taken
	})
	var list []int64
	for range each {
		for user := range int64(users) {
			list = append(list, user)
		}
	}
	outcomes := s.round(t.Context(), t.Context(), due(list...))
	if got := positions(outcomes); len(got) != users*each || !slices.IsSorted(got) {
		t.Errorf("outcomes of %v", got)
	}
	if s.probe || s.stopped || s.size != 2*leastRound {
		t.Errorf("after a good round: %+v", s)
	}
}

func TestAFailureKeepsBackTheSameUserAlone(t *testing.T) {
	var mu sync.Mutex
	var sent []int64
	s := sessionOf(func(_ context.Context, m *directory.Message) directory.Receipt {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, m.Event.Position)
		if m.Event.Position == 1 || m.Event.Position == 5 {
			return no
		}
		return taken
	})
	next := due(7, 8, 7, 8, 9, 9, 0, 0, 8)
	outcomes := s.round(t.Context(), t.Context(), next)
	slices.Sort(sent)
	if want := []int64{1, 2, 4, 5, 7, 8, 9}; !slices.Equal(sent, want) || !slices.Equal(positions(outcomes), want) {
		t.Errorf("sent %v, told %v", sent, positions(outcomes))
	}
	for _, o := range outcomes {
		if failed := o.Message.Event.Position == 1 || o.Message.Event.Position == 5; o.Receipt.Delivered == failed {
			t.Errorf("%d: %+v", o.Message.Event.Position, o.Receipt)
		}
	}
	if s.stopped || s.probe {
		t.Error("the endpoint is left alone, although it answers")
	}
}

func TestAnEndpointThatIsAwayIsAskedOnce(t *testing.T) {
	for name, receipt := range map[string]directory.Receipt{"down": down, "gone": {Gone: true}} {
		var sent atomic.Int32
		s := sessionOf(func(context.Context, *directory.Message) directory.Receipt { sent.Add(1); return receipt })
		outcomes := s.round(t.Context(), t.Context(), due(1, 2, 3, 4, 5, 6, 7, 8))
		if sent.Load() != 1 || !slices.Equal(positions(outcomes), []int64{1}) || !s.stopped {
			t.Errorf("%s: %d requests, told %v, stopped %t", name, sent.Load(), positions(outcomes), s.stopped)
		}
	}
}

// An endpoint that goes away in the middle gets no more than what was on its way.
func TestAnEndpointThatGoesAwayEndsTheRound(t *testing.T) {
	var sent atomic.Int32
	s := sessionOf(func(_ context.Context, m *directory.Message) directory.Receipt {
		if sent.Add(1) == 1 {
			return taken
		}
		return down
	})
	var users []int64
	for user := range int64(200) {
		users = append(users, user)
	}
	outcomes := s.round(t.Context(), t.Context(), due(users...))
	if n := int(sent.Load()); n < 2 || n > 1+laneCount || len(outcomes) != n || !s.stopped {
		t.Errorf("%d requests, %d outcomes, stopped %t", n, len(outcomes), s.stopped)
	}
}

func TestWhatIsBehindIsToldAndNotTried(t *testing.T) {
	var sent []int64
	s := sessionOf(func(_ context.Context, m *directory.Message) directory.Receipt {
		sent = append(sent, m.Event.Position)
		return taken
	})
	next := due(1, 2, 1)
	next.Messages[0].Behind, next.Messages[2].Behind = true, true
	outcomes := s.round(t.Context(), t.Context(), next)
	if !slices.Equal(sent, []int64{2}) || !slices.Equal(positions(outcomes), []int64{1, 2, 3}) || outcomes[0].Receipt != (directory.Receipt{}) {
		t.Errorf("sent %v, told %+v", sent, outcomes)
	}
}

func TestNothingBeginsOnceTheServerStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	work, end := context.WithCancel(t.Context())
	defer end()
	var sent atomic.Int32
	s := sessionOf(func(_ context.Context, m *directory.Message) directory.Receipt {
		sent.Add(1)
		stop()
		return taken
	})
	if outcomes := s.round(ctx, work, due(1, 1, 2, 3)); sent.Load() != 1 || !slices.Equal(positions(outcomes), []int64{1}) {
		t.Errorf("%d requests, told %v", sent.Load(), positions(outcomes))
	}
	// What is broken off may have arrived: nothing is told of it.
	s = sessionOf(func(ctx context.Context, m *directory.Message) directory.Receipt {
		end()
		return directory.Receipt{Down: true, Error: errors.New("broken off").Error()}
	})
	if outcomes := s.round(t.Context(), work, due(1)); len(outcomes) != 0 {
		t.Errorf("told %+v", outcomes)
	}
}

func TestAPanicIsTheMessagesFault(t *testing.T) {
	s := sessionOf(func(_ context.Context, m *directory.Message) directory.Receipt {
		if m.Event.User == 2 {
			panic("boom")
		}
		return taken
	})
	outcomes := s.round(t.Context(), t.Context(), due(1, 2, 3))
	if len(outcomes) != 3 || outcomes[1].Receipt.Delivered || outcomes[1].Receipt.Down || outcomes[1].Receipt.Error == "" || !outcomes[2].Receipt.Delivered {
		t.Errorf("%+v", outcomes)
	}
	if leave, ok := s.d.gates.request(t.Context(), 1); !ok || len(s.d.gates.requests) != 1 {
		t.Error("the panic kept its place")
	} else {
		leave()
	}
}

func TestATenantCannotTakeAllRequests(t *testing.T) {
	g := newGates()
	for range tenantCount {
		if _, ok := g.request(t.Context(), 1); !ok {
			t.Fatal("no place")
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, ok := g.request(ended, 1); ok {
		t.Error("a tenant got more than its share")
	}
	leave, ok := g.request(t.Context(), 2)
	if !ok || len(g.requests) != tenantCount+1 {
		t.Fatal("another tenant got no place")
	}
	leave()
	if len(g.requests) != tenantCount || len(g.tenants[2]) != 0 {
		t.Error("a place was not given back")
	}
}

func TestSlowRoundsBecomeSmaller(t *testing.T) {
	s := sessionOf(func(context.Context, *directory.Message) directory.Receipt { return taken })
	for s.size = mostRound; s.size > leastRound; {
		before := s.size
		s.resize(slowRound+time.Second, before)
		if s.size >= before {
			t.Fatalf("%d messages after %d", s.size, before)
		}
	}
	for range 10 {
		s.resize(time.Millisecond, s.size)
	}
	if s.size != mostRound {
		t.Errorf("%d messages at most", s.size)
	}
	s.size = leastRound
	if s.resize(time.Millisecond, leastRound-1); s.size != leastRound {
		t.Error("a round that was not full became larger")
	}
}

package processes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// receiver is an endpoint that remembers what arrived, and refuses some of it.
type receiver struct {
	*httptest.Server
	refuse int // of a thousand requests

	mu       sync.Mutex
	arrived  map[string]int // by event id
	order    map[string][]string
	requests int
	grown    chan struct{} // has a value when something arrived
}

func newReceiver(t testing.TB, refuse int) *receiver {
	r := &receiver{refuse: refuse, arrived: map[string]int{}, order: map[string][]string{}, grown: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(w http.ResponseWriter, q *http.Request) {
	text, err := io.ReadAll(q.Body)
	var e struct {
		ID           string
		PartitionKey string
	}
	if err != nil || json.Unmarshal(text, &e) != nil || e.ID != q.Header.Get("webhook-id") {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	if rand.IntN(1000) < r.refuse {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	if r.arrived[e.ID]++; r.arrived[e.ID] == 1 {
		r.order[e.PartitionKey] = append(r.order[e.PartitionKey], e.ID)
	}
	select {
	case r.grown <- struct{}{}:
	default:
	}
}

// await returns when so many different events have arrived.
func (r *receiver) await(t testing.TB, ctx context.Context, count int) {
	t.Helper()
	for {
		r.mu.Lock()
		have := len(r.arrived)
		r.mu.Unlock()
		if have >= count {
			return
		}
		select {
		case <-r.grown:
		case <-ctx.Done():
			t.Fatalf("%d of %d events arrived", have, count)
		}
	}
}

// deliver makes changes with a webhook on them while servers are killed, and
// checks that each event arrives, those of a user in order.
func deliver(t testing.TB, engine string, servers, users, changes, kills, refuse int) {
	r := newReceiver(t, refuse)
	s := newSite(t, engine, servers, "--webhook-networks", "127.0.0.0/8", "--webhook-http")
	w := newWriters(s, users)
	hook := map[string]any{"name": "receiver", "url": r.URL, "types": []string{"user.updated"}}
	if _, err := s.Servers[0].Call(t.Context(), http.MethodPost, "/webhooks", hook, nil); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.budget.Store(int64(changes))
	var killing sync.WaitGroup
	killing.Go(func() { w.killing(changes, kills) })
	w.run(changes, 8)
	killing.Wait()
	w.last()
	f := &follower{site: s}
	if err := f.follow(t.Context(), func(e *feedEvent) bool { return e.name() == "the end" }); err != nil {
		t.Fatal(err)
	}
	want, count := map[string][]string{}, 0
	for _, e := range f.events {
		if e.Type == "user.updated" {
			count++
			want[e.UserID] = append(want[e.UserID], e.ID)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	r.await(t, ctx, count)
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Logf("%d events arrived by %d requests in %s", len(r.arrived), r.requests, time.Since(began).Round(time.Millisecond))
	inOrder(t, want, r.order, count)
}

// inOrder compares the first arrivals with the feed, user by user.
func inOrder(t testing.TB, want, got map[string][]string, count int) {
	t.Helper()
	byFirst := map[string][]string{}
	total := 0
	for _, ids := range got {
		byFirst[ids[0]] = ids
		total += len(ids)
	}
	if total != count {
		t.Errorf("%d events arrived, want %d", total, count)
	}
	for user, ids := range want {
		have := byFirst[ids[0]]
		if fmt.Sprint(have) != fmt.Sprint(ids) {
			t.Errorf("the events of %s arrived as %v, want %v", user, have, ids)
		}
	}
}

// What servers are killed over is delivered by those that are left, or when they
// are back; a receiver that refuses some of it gets it again.
func TestWebhooksAcrossKills(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { deliver(t, "sqlite", 1, 40, 800, 3, 10) })
	t.Run("postgres", func(t *testing.T) { deliver(t, "postgres", 3, 40, 1200, 5, 10) })
}

// BenchmarkDeliveries is 100,000 deliveries with a kill in the middle.
func BenchmarkDeliveries(b *testing.B) {
	for b.Loop() {
		deliver(b, "sqlite", 1, 1000, 100_000, 1, 0)
	}
}

package scaleout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/testkit/site"
)

// The load: so many writers of names, users with seats, and seats for them.
const (
	writers      = 6
	seatWriters  = 3
	seatsPerHand = 8 // users of each writer of seats
	seats        = 10
	seatType     = "regular"
)

// load is what clients do through the balancer, and what they know of it.
type load struct {
	t        *testing.T
	site     *site.Site
	balancer *site.Balancer

	stop    atomic.Bool
	running sync.WaitGroup // whoever asks and changes
	reading sync.WaitGroup // the follower of the feed

	mu       sync.Mutex
	acked    chan struct{} // closed at the next acknowledged change
	changes  int           // acknowledged, of all kinds
	lastAck  time.Time
	sure     map[renamed]bool
	unsure   map[renamed]bool
	order    map[string][]string // of a user, the acknowledged names
	people   map[string]person
	numbers  map[int64]bool
	seated   map[string]map[bool]bool // of a user with a seat type, whether it may be active
	seatable map[string]person
	failed   map[string]int // what was not answered, by what the client saw
	feed     []feedEvent
}

// renamed is a name that a user was to get.
type renamed struct{ user, name string }

// startLoad begins the load on a site that serves doors.
func startLoad(t *testing.T, s *site.Site, b *site.Balancer) *load {
	t.Helper()
	l := &load{t: t, site: s, balancer: b, acked: make(chan struct{}), sure: map[renamed]bool{}, unsure: map[renamed]bool{},
		order: map[string][]string{}, people: map[string]person{}, numbers: map[int64]bool{}, seated: map[string]map[bool]bool{},
		seatable: map[string]person{}, failed: map[string]int{}}
	if err := b.Await(t.Context(), len(s.Servers)); err != nil {
		t.Fatal(err)
	}
	if err := send(http.DefaultClient, "Authorization", http.MethodPut, b.URL()+"/api/v1/licence_pools/"+seatType,
		map[string]any{"total": seats}, nil); err != nil {
		t.Fatal(err)
	}
	hands := make([][]person, seatWriters)
	for i := range hands {
		for n := range seatsPerHand {
			p, err := create(http.DefaultClient, b.URL(), map[string]any{"user_name": fmt.Sprintf("seat%d-%d@kentel.test", i, n),
				"status": "inactive", "licence_type": seatType})
			if err != nil {
				t.Fatal(err)
			}
			hands[i] = append(hands[i], p)
			l.seated[p.id], l.seatable[p.id] = map[bool]bool{false: true}, p
		}
	}
	for n := range writers {
		l.running.Go(func() { l.writeNames(n) })
	}
	for i, hand := range hands {
		l.running.Go(func() { l.writeSeats(hand, uint64(i)) })
	}
	l.running.Go(l.readPool)
	l.reading.Go(l.follow)
	return l
}

// newClient is a client that keeps connections, as most do.
func newClient() *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
}

// elsewhere is a client whose requests each go to the next server.
var elsewhere = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

// missed notes an answer that did not come, or one that a server gives while it
// cannot work, and waits until a server can. Everything else is a wrong answer:
// the test fails.
func (l *load) missed(what string, err error) {
	seen := "connection"
	if r, ok := errors.AsType[*refusal](err); ok {
		if seen = fmt.Sprint(r.status); r.status != http.StatusServiceUnavailable {
			l.t.Errorf("%s: %v", what, err)
		}
	}
	l.mu.Lock()
	l.failed[what+": "+seen]++
	l.mu.Unlock()
	if err := l.balancer.Await(l.t.Context(), 1); err != nil {
		l.t.Errorf("no server is ready: %v", err)
		l.stop.Store(true)
	}
}

// ack notes an acknowledged change; note runs under the lock.
func (l *load) ack(note func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	note()
	l.changes++
	l.lastAck = time.Now()
	close(l.acked)
	l.acked = make(chan struct{})
}

// more returns when so many changes more have been acknowledged.
func (l *load) more(changes int) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Minute)
	defer cancel()
	l.mu.Lock()
	end := l.changes + changes
	for l.changes < end {
		acked := l.acked
		l.mu.Unlock()
		select {
		case <-acked:
		case <-ctx.Done():
			l.t.Fatalf("no more changes are acknowledged: %v", l.failed)
		}
		l.mu.Lock()
	}
	l.mu.Unlock()
}

// writeNames gives a user of its own one name after the other, each through some
// door, and reads each back through another door of another server. A user of
// whom it does not know the name any more is left to the end of the test.
func (l *load) writeNames(n int) {
	draw := rand.New(rand.NewPCG(1, uint64(n)))
	c := newClient()
	for made := 0; !l.stop.Load(); made++ {
		p, err := create(c, l.balancer.URL(), map[string]any{"user_name": fmt.Sprintf("writer%d-%d@kentel.test", n, made),
			"email": fmt.Sprintf("writer%d-%d@kentel.test", n, made), "family_name": "Writer"})
		if err != nil {
			l.missed("create", err)
			continue
		}
		l.ack(func() {
			if l.numbers[p.number] {
				l.t.Errorf("number %d was given twice", p.number)
			}
			l.numbers[p.number], l.people[p.id] = true, p
		})
		for i := 0; !l.stop.Load() && l.renameOnce(c, draw, p, fmt.Sprintf("w%d-%d-%d", n, made, i)); i++ {
		}
	}
}

// renameOnce is false when the user's name is not known any more.
func (l *load) renameOnce(c *http.Client, draw *rand.Rand, p person, name string) bool {
	by, r := all[draw.IntN(len(all))], renamed{p.id, name}
	l.mu.Lock()
	l.unsure[r] = true // until its answer is there
	l.mu.Unlock()
	if err := by.rename(c, l.balancer.URL(), p, name); err != nil {
		l.missed("rename by "+by.name, err)
		return false
	}
	l.ack(func() {
		delete(l.unsure, r)
		l.sure[r] = true
		l.order[p.id] = append(l.order[p.id], name)
	})
	for !l.stop.Load() {
		by := all[draw.IntN(len(all))]
		got, err := by.given(elsewhere, l.balancer.URL(), p)
		if err != nil {
			l.missed("read by "+by.name, err)
			continue
		}
		if got != name {
			l.t.Errorf("%s shows %q after %q was acknowledged", by.name, got, name)
		}
		return true
	}
	return true
}

// writeSeats activates and deactivates users, more than there are seats.
func (l *load) writeSeats(hand []person, seed uint64) {
	draw, c := rand.New(rand.NewPCG(2, seed)), newClient()
	for !l.stop.Load() && len(hand) > 0 {
		i := draw.IntN(len(hand))
		p := hand[i]
		l.mu.Lock()
		active := !l.seated[p.id][true] // what it is not: encore refuses what is done already
		l.mu.Unlock()
		err := l.setActive(c, draw.IntN(2) == 0, p, active)
		switch r, refused := errors.AsType[*refusal](err); {
		case err == nil:
			l.ack(func() { l.seated[p.id] = map[bool]bool{active: true} })
		case refused && active && (strings.Contains(r.text, "seat.exhausted") || strings.Contains(r.text, `"Code":108`)):
			l.ack(func() {}) // an answer like any other
		default:
			l.mu.Lock()
			l.seated[p.id][active] = true // whether it is, nobody knows
			l.mu.Unlock()
			hand = append(hand[:i:i], hand[i+1:]...)
			l.missed("seat", err)
		}
	}
}

// setActive changes a state through the canonical door or a vendor's.
func (l *load) setActive(c *http.Client, canonical bool, p person, active bool) error {
	base := l.balancer.URL()
	switch {
	case canonical && active:
		return send(c, "Authorization", http.MethodPost, base+"/api/v1/users/"+p.id+"/activate", nil, nil)
	case canonical:
		return send(c, "Authorization", http.MethodPost, base+"/api/v1/users/"+p.id+"/deactivate", nil, nil)
	case active:
		return send(c, "Ocp-Apim-Subscription-Key", http.MethodPut, fmt.Sprintf("%s/users/v1/users/%d/active", base, p.number), nil, nil)
	}
	return send(c, "Ocp-Apim-Subscription-Key", http.MethodDelete, fmt.Sprintf("%s/users/v1/users/%d/active", base, p.number), nil, nil)
}

// pool reads the seats of the pool.
func pool(c *http.Client, base string) (used int, err error) {
	var p struct{ Total, Used int }
	if err = send(c, "Authorization", http.MethodGet, base+"/api/v1/licence_pools/"+seatType, nil, &p); err == nil && p.Total != seats {
		err = fmt.Errorf("the pool has %d seats", p.Total)
	}
	return p.Used, err
}

// readPool looks for a seat too many all the time.
func (l *load) readPool() {
	for !l.stop.Load() {
		switch used, err := pool(elsewhere, l.balancer.URL()); {
		case err != nil:
			l.missed("pool", err)
		case used > seats:
			l.t.Errorf("%d of %d seats are used", used, seats)
		}
	}
}

package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/webhook"
)

// site is a directory on SQLite with one tenant, whose dispatcher sends to this
// machine.
type site struct {
	*directory.Service
	t      *testing.T
	tenant directory.TenantNo
	ahead  atomic.Int64 // what its clock is ahead of the machine's
	served atomic.Int64 // endpoints that are leased
	users  []directory.User
}

func newSite(t *testing.T) *site {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), store.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	sealer, err := directory.NewSealer(bytes.Repeat([]byte{1}, directory.SecretKeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t}
	s.Service = directory.New(db, directory.Options{Now: s.now, Sealer: sealer, Courier: local(nil)})
	tenant, err := s.CreateTenant(t.Context(), directory.System(0, "test"), directory.Tenant{Name: "acme", Doors: directory.AllDoors}, directory.Company{Name: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	s.tenant = tenant.No
	return s
}

func (s *site) now() time.Time        { return time.Now().Add(time.Duration(s.ahead.Load())) }
func (s *site) call() *directory.Call { return directory.System(s.tenant, "test") }

// populate makes users.
func (s *site) populate(count int) {
	s.t.Helper()
	for i := range count {
		name := fmt.Sprintf("user%d", i)
		u, err := s.CreateUser(s.t.Context(), s.call(), directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some(name), Email: directory.Some(name + "@example.com")}})
		if err != nil {
			s.t.Fatal(err)
		}
		s.users = append(s.users, u)
	}
}

// change changes users, in turn, each time to another title.
func (s *site) change(count int) {
	s.t.Helper()
	for i := range count {
		patch := directory.UserPatch{Title: directory.Some(fmt.Sprintf("title %d", i))}
		if _, err := s.UpdateUser(s.t.Context(), s.call(), directory.ByNumber(s.users[i%len(s.users)].Number), patch, directory.UpdateOptions{}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// hook makes an endpoint that gets the changes of users from now on.
func (s *site) hook(url string) (directory.WebhookDetail, directory.Secret) {
	s.t.Helper()
	w, secret, err := s.CreateWebhook(s.t.Context(), s.call(), directory.NewWebhook{Name: url, URL: url, Types: []directory.EventType{directory.EventUserUpdated}})
	if err != nil {
		s.t.Fatal(err)
	}
	return w, secret
}

// dispatch sends until the test ends.
func (s *site) dispatch() {
	d := webhook.NewDispatcher(s, local(nil), webhook.Options{Owner: "test", Interval: time.Millisecond})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { d.Run(ctx); close(done) }()
	s.t.Cleanup(func() { stop(); <-done })
}

// ClaimWebhooks is the directory's, but nobody waits for a retry: when no endpoint
// has anything to do, it is an hour later.
func (s *site) ClaimWebhooks(ctx context.Context, call *directory.Call, owner string, limit int, lease time.Duration) ([]directory.Webhook, error) {
	list, err := s.Service.ClaimWebhooks(ctx, call, owner, limit, lease)
	if served := s.served.Add(int64(len(list))); served == 0 {
		s.ahead.Add(int64(time.Hour))
	}
	return list, err
}

// NoteDispatch is the directory's, and counts the leases that are given up.
func (s *site) NoteDispatch(ctx context.Context, call *directory.Call, w directory.Webhook, outcomes []directory.Outcome, d *directory.Dispatch, done bool) (directory.Webhook, error) {
	w, err := s.Service.NoteDispatch(ctx, call, w, outcomes, d, done)
	if done || err != nil {
		s.served.Add(-1)
	}
	return w, err
}

// receiver is an endpoint that takes what is verified, and refuses some of it.
type receiver struct {
	*httptest.Server
	secret atomic.Value
	refuse func() int // a status, 0 to take it

	mu      sync.Mutex
	seen    map[string]bool
	order   map[string][]string // first arrivals of ids, by partition key
	all     chan struct{}       // closed when want have arrived
	want    int
	unknown []string // what was not right
}

func newReceiver(t *testing.T, want int, refuse func() int) *receiver {
	t.Helper()
	r := &receiver{refuse: refuse, seen: map[string]bool{}, order: map[string][]string{}, all: make(chan struct{}), want: want}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	var e struct{ ID, PartitionKey string }
	err := json.Unmarshal(body, &e)
	if secret, ok := r.secret.Load().(string); ok && err == nil {
		err = verify(q, body, secret)
	}
	if status := r.refuse(); status != 0 {
		w.WriteHeader(status)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || e.ID != q.Header.Get("webhook-id") {
		r.unknown = append(r.unknown, fmt.Sprintf("%v: %s", err, body))
	}
	if !r.seen[e.ID] {
		r.seen[e.ID] = true
		r.order[e.PartitionKey] = append(r.order[e.PartitionKey], e.ID)
		if len(r.seen) == r.want {
			close(r.all)
		}
	}
}

// inOrder compares first arrivals with the feed.
func (s *site) inOrder(r *receiver) {
	s.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	want := map[string][]string{}
	for cursor := ""; ; {
		page, err := s.ListEvents(s.t.Context(), s.call(), directory.EventQuery{Types: []directory.EventType{directory.EventUserUpdated}, Cursor: cursor, Limit: 500})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range page.Events {
			key := fmt.Sprintf("user:%d", e.User)
			want[key] = append(want[key], e.ID)
		}
		if cursor = page.Next; !page.More {
			break
		}
	}
	if len(want) != len(s.users) || len(r.order) != len(want) {
		s.t.Errorf("events of %d users, arrivals of %d", len(want), len(r.order))
	}
	for user, ids := range want {
		if !slices.Equal(r.order[user], ids) {
			s.t.Errorf("%s: arrived %v, happened %v", user, r.order[user], ids)
		}
	}
	for _, text := range r.unknown {
		s.t.Error(text)
	}
}

// Everything arrives, and each user's events in order, although one try in ten is
// refused, in all the ways there are.
func TestEverythingArrivesInOrder(t *testing.T) {
	for name, status := range map[string]int{"refused": http.StatusInternalServerError, "overloaded": http.StatusServiceUnavailable} {
		t.Run(name, func(t *testing.T) {
			const users, changes = 100, 2000
			s := newSite(t)
			s.populate(users)
			rare := 10
			if status == http.StatusServiceUnavailable {
				rare = 200 // each ends a round
			}
			r := newReceiver(t, changes, func() int {
				if rand.IntN(rare) == 0 {
					return status
				}
				return 0
			})
			w, secret := s.hook(r.URL)
			r.secret.Store(string(secret))
			s.dispatch()
			s.change(changes)
			<-r.all
			s.inOrder(r)
			page, err := s.Deliveries(t.Context(), s.call(), w.ID, directory.DeliveryDead, "", 10)
			if err != nil || len(page.Deliveries) != 0 {
				t.Errorf("dead: %+v, %v", page.Deliveries, err)
			}
		})
	}
}

// While one endpoint hangs, another gets everything.
func TestAnEndpointThatHangsSlowsNobody(t *testing.T) {
	s := newSite(t)
	s.populate(10)
	release := make(chan struct{})
	var hung atomic.Int32
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hung.Add(1); <-release }))
	defer hanging.Close()
	defer close(release)
	r := newReceiver(t, 300, func() int { return 0 })
	s.hook(hanging.URL)
	s.hook(r.URL)
	s.dispatch()
	began := time.Now()
	s.change(300)
	<-r.all
	if took := time.Since(began); hung.Load() > 1 && took < 10*time.Second {
		t.Errorf("%d requests to the endpoint that hangs within %s", hung.Load(), took)
	}
	s.inOrder(r)
}

// An endpoint that always has more does not keep its place from others.
func TestTurnsEnd(t *testing.T) {
	s := newSite(t)
	s.populate(1)
	arrived := make(chan string, 1)
	var busy, other *httptest.Server
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	busy = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) {
		if ctx.Err() == nil { // each delivery makes the next one
			patch := directory.UserPatch{Title: directory.Some(fmt.Sprint(time.Now().UnixNano()))}
			if _, err := s.UpdateUser(t.Context(), s.call(), directory.ByNumber(s.users[0].Number), patch, directory.UpdateOptions{}); err != nil {
				t.Error(err)
			}
		}
	}))
	defer busy.Close()
	other = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case arrived <- r.Header.Get("webhook-id"):
		default:
		}
	}))
	defer other.Close()
	s.hook(busy.URL)
	s.change(1)
	d := webhook.NewDispatcher(s, local(nil), webhook.Options{Owner: "test", Interval: time.Millisecond, Endpoints: 1, Turn: time.Millisecond})
	done := make(chan struct{})
	go func() { d.Run(ctx); close(done) }()
	s.hook(other.URL)
	s.change(1)
	if id := <-arrived; id == "" {
		t.Error("a message without an id")
	}
	stop()
	<-done
}

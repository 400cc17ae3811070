package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// feed is a Source in memory with the leases of the real one, and with the
// troubles that tests ask for. An endpoint goes on behind the last event before
// the first that it did not take.
type feed struct {
	mu      sync.Mutex
	hooks   map[string]*directory.Webhook
	users   []int64 // of each event, by position from 1
	claims  int
	notes   int
	noteErr []error // of the next calls of NoteDispatch
	nextErr error
	nextBug bool // NextDispatch panics

	claimErr error
	claimBug bool // ClaimWebhooks panics
}

func newFeed(hooks int, users ...int64) *feed {
	f := &feed{hooks: map[string]*directory.Webhook{}, users: users}
	for i := range hooks {
		id := fmt.Sprintf("hook-%03d", i)
		f.hooks[id] = &directory.Webhook{Tenant: directory.TenantNo(1 + i%2), ID: id, URL: "https://" + id + ".example/?secret=1", State: directory.WebhookActive}
	}
	return f
}

func (f *feed) happen(users ...int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users = append(f.users, users...)
}

func (f *feed) ClaimWebhooks(_ context.Context, c *directory.Call, owner string, limit int, lease time.Duration) ([]directory.Webhook, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.Actor.Name != "system:webhooks" {
		return nil, errors.New("who is that")
	}
	if f.claimBug {
		panic("bug")
	}
	if f.claimErr != nil {
		return nil, f.claimErr
	}
	var list []directory.Webhook
	for _, w := range f.hooks {
		now := time.Now()
		if len(list) < limit && w.State == directory.WebhookActive && !w.NextAt.After(now) && !w.LeaseUntil.After(now) && w.Position < int64(len(f.users)) {
			w.LeaseOwner, w.LeaseUntil = owner, now.Add(lease)
			w.Fence++
			f.claims++
			list = append(list, *w)
		}
	}
	return list, nil
}

func (f *feed) NextDispatch(_ context.Context, _ *directory.Call, w directory.Webhook, limit int) (directory.Dispatch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nextBug {
		panic("bug")
	}
	d := directory.Dispatch{Through: w.Position}
	for d.Through < int64(len(f.users)) && len(d.Messages) < limit {
		d.Through++
		m := directory.DueMessage{}
		m.Webhook = w
		m.Event = directory.Event{ID: fmt.Sprint(d.Through), Position: d.Through, User: f.users[d.Through-1]}
		d.Messages = append(d.Messages, m)
	}
	d.More = d.Through < int64(len(f.users))
	return d, f.nextErr
}

func (f *feed) NoteDispatch(_ context.Context, _ *directory.Call, w directory.Webhook, outcomes []directory.Outcome, d *directory.Dispatch, done bool) (directory.Webhook, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes++
	if len(f.noteErr) > 0 {
		err := f.noteErr[0]
		f.noteErr = f.noteErr[1:]
		return w, err
	}
	kept := f.hooks[w.ID]
	if kept.Fence != w.Fence || kept.LeaseOwner != w.LeaseOwner {
		return w, directory.Wrong(directory.CodeConflict, directory.ReasonJobLost, "Lost.")
	}
	delivered := map[int64]bool{}
	for _, o := range outcomes {
		delivered[o.Message.Event.Position] = o.Receipt.Delivered
		if o.Receipt.Down {
			kept.Failures++
			kept.NextAt = time.Now().Add(time.Minute)
		}
	}
	for kept.Position < d.Through && (delivered[kept.Position+1]) {
		kept.Position++
	}
	if done {
		kept.LeaseOwner, kept.LeaseUntil = "", time.Time{}
	}
	return *kept, nil
}

// at reads an endpoint.
func (f *feed) at(id string) directory.Webhook {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *f.hooks[id]
}

// arrivals are what endpoints got: positions, by endpoint and user.
type arrivals struct {
	mu   sync.Mutex
	list map[string][]int64
	n    int
}

func (a *arrivals) note(m *directory.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.list == nil {
		a.list = map[string][]int64{}
	}
	a.n++
	key := fmt.Sprintf("%s/%d", m.Webhook.ID, m.Event.User)
	a.list[key] = append(a.list[key], m.Event.Position)
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}

// running runs a dispatcher until the test ends or stop is called, which waits.
func running(t *testing.T, f *feed, o Options, send courierFunc) (d *Dispatcher, stop func()) {
	t.Helper()
	o.Owner = "test"
	d = NewDispatcher(f, send, o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { d.Run(ctx); close(done) }()
	return d, func() { cancel(); <-done }
}

func TestEveryEndpointGetsEveryEventOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hooks, users, events = 5, 30, 1500
		f := newFeed(hooks)
		for i := range int64(events) {
			f.happen(i % users)
		}
		var got arrivals
		_, stop := running(t, f, Options{}, func(_ context.Context, m *directory.Message) directory.Receipt {
			later(time.Millisecond)
			got.note(m)
			return taken
		})
		later(20 * time.Second)
		stop()
		if got.count() != hooks*events {
			t.Errorf("%d deliveries, want %d", got.count(), hooks*events)
		}
		for key, positions := range got.list {
			if len(positions) != events/users || !slices.IsSorted(positions) {
				t.Errorf("%s got %v", key, positions)
			}
		}
		for id := range f.hooks {
			if w := f.at(id); w.LeaseOwner != "" || w.Position != events || w.Fence != 1 {
				t.Errorf("in the end: %+v", w)
			}
		}
	})
}

func TestAnEndpointThatHangsDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(200, 1, 2, 3, 4, 5)
		start := time.Now()
		var got arrivals
		var mu sync.Mutex
		hung := 0
		_, stop := running(t, f, Options{}, func(_ context.Context, m *directory.Message) directory.Receipt {
			if m.Webhook.ID != "hook-007" { // all others hang
				mu.Lock()
				hung++
				mu.Unlock()
				later(15 * time.Second)
				return down
			}
			got.note(m)
			return taken
		})
		synctest.Wait()
		if took := time.Since(start); got.count() != 5 || took != 0 {
			t.Errorf("%d deliveries within %s", got.count(), took)
		}
		later(50 * time.Second)
		synctest.Wait()
		if mu.Lock(); hung != 199 {
			t.Errorf("%d requests to endpoints that hang, want one each", hung)
		}
		mu.Unlock()
		later(time.Minute) // the last ones end
		stop()
	})
}

func TestALeaseIsKeptWhileEventsCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1, 1)
		var got arrivals
		d, stop := running(t, f, Options{}, func(_ context.Context, m *directory.Message) directory.Receipt { got.note(m); return taken })
		for range 20 {
			later(time.Second)
			f.happen(1)
		}
		later(time.Second)
		synctest.Wait()
		if f.claims != 1 || got.count() != 21 {
			t.Errorf("%d claims, %d deliveries", f.claims, got.count())
		}
		later(5 * time.Second)
		if w := f.at("hook-000"); w.LeaseOwner != "" {
			t.Errorf("the lease is kept for nothing: %+v", w)
		}
		f.happen(2)
		d.Wake()
		synctest.Wait()
		if f.claims != 2 || got.count() != 22 {
			t.Errorf("after Wake: %d claims, %d deliveries", f.claims, got.count())
		}
		stop()
	})
}

func TestWhatCannotBeNotedIsNotedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1, 1, 2, 3)
		broken := errors.New("the database is away")
		f.noteErr = []error{broken, broken, broken}
		var got arrivals
		_, stop := running(t, f, Options{}, func(_ context.Context, m *directory.Message) directory.Receipt { got.note(m); return taken })
		later(time.Minute)
		stop()
		if got.count() != 3 || f.at("hook-000").Position != 3 {
			t.Errorf("%d deliveries, %+v", got.count(), f.at("hook-000"))
		}
	})
}

func TestALostLeaseEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := newFeed(1, 1, 2, 3)
		var got arrivals
		_, stop := running(t, f, Options{Logger: logger(&log)}, func(_ context.Context, m *directory.Message) directory.Receipt {
			got.note(m)
			f.mu.Lock()
			f.hooks["hook-000"].Fence = 9
			f.hooks["hook-000"].LeaseUntil = time.Now().Add(time.Hour)
			f.mu.Unlock()
			return taken
		})
		later(30 * time.Second)
		stop()
		if got.count() != 3 || f.notes != 1 || log.Len() != 0 {
			t.Errorf("%d deliveries, %d notes, log %s", got.count(), f.notes, log.String())
		}
	})
}

func TestWhatIsOnItsWayIsNotedWhenTheServerStops(t *testing.T) {
	for grace, want := range map[time.Duration]int64{0: 0, 10 * time.Second: 1} {
		synctest.Test(t, func(t *testing.T) {
			f := newFeed(1, 1, 1, 1)
			_, stop := running(t, f, Options{Grace: grace}, func(ctx context.Context, m *directory.Message) directory.Receipt {
				pause(ctx, 5*time.Second)
				if ctx.Err() != nil {
					return down
				}
				return taken
			})
			later(time.Second)
			stop()
			if w := f.at("hook-000"); w.Position != want || w.LeaseOwner != "" || w.Failures != 0 {
				t.Errorf("grace %s: %+v", grace, w)
			}
		})
	}
}

func TestTroubleOfOneEndpointIsLoggedAndLeftToItsLease(t *testing.T) {
	for want, trouble := range map[string]func(*feed){
		"serving a webhook panicked": func(f *feed) { f.nextBug = true },
		"a webhook cannot be served": func(f *feed) { f.nextErr = errors.New("the database is away") },
	} {
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			f := newFeed(1, 1)
			trouble(f)
			_, stop := running(t, f, Options{Logger: logger(&log)}, func(context.Context, *directory.Message) directory.Receipt { return taken })
			later(30 * time.Second)
			synctest.Wait()
			if f.claims != 1 || strings.Count(log.String(), want) != 1 || strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "host=hook-000.example") {
				t.Errorf("%d claims, log %s", f.claims, log.String())
			}
			f.mu.Lock()
			f.nextBug, f.nextErr = false, nil
			f.mu.Unlock()
			later(time.Minute)
			stop()
			if f.at("hook-000").Position != 1 {
				t.Error("the endpoint was not served when its lease had ended")
			}
		})
	}
}

func TestClaimsThatFailAreLoggedOnceAndTriedAgain(t *testing.T) {
	for name, trouble := range map[string]func(*feed){
		"error": func(f *feed) { f.claimErr = errors.New("the database is away") },
		"panic": func(f *feed) { f.claimBug = true },
	} {
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			f := newFeed(1, 1)
			trouble(f)
			_, stop := running(t, f, Options{Logger: logger(&log)}, func(context.Context, *directory.Message) directory.Receipt { return taken })
			later(10 * time.Second)
			f.mu.Lock()
			f.claimErr, f.claimBug = nil, false
			f.mu.Unlock()
			later(10 * time.Second)
			stop()
			if f.at("hook-000").Position != 1 || strings.Count(log.String(), "cannot be claimed") != 1 || strings.Count(log.String(), "can be claimed again") != 1 {
				t.Errorf("%s: log %s", name, log.String())
			}
		})
	}
}

func TestFailuresAreLoggedWhenTheyBeginAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := newFeed(1, 1)
		s := session{d: NewDispatcher(f, courierFunc(nil), Options{Owner: "test"}), log: logger(&log), w: f.at("hook-000")}
		for _, after := range []directory.Webhook{
			{State: directory.WebhookActive, Failures: 1, LastError: "the connection was refused"},
			{State: directory.WebhookActive, Failures: 2},
			{State: directory.WebhookActive},
			{State: directory.WebhookPaused, PauseReason: "it was dead", Failures: 9},
			{State: directory.WebhookPaused, PauseReason: "it was dead", Failures: 9},
		} {
			s.report(&after)
			s.w = after
		}
		var lines []string
		for line := range strings.Lines(log.String()) {
			lines = append(lines, line[strings.Index(line, "msg="):])
		}
		if want := []string{"msg=\"a webhook fails\" error=\"the connection was refused\" status=0\n", "msg=\"a webhook works again\" failures=2\n",
			"msg=\"a webhook is paused\" reason=\"it was dead\" failures=9\n"}; !slices.Equal(lines, want) {
			t.Errorf("log %q", lines)
		}
	})
}

// logger writes a log as text.
func logger(to *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

// later lets a test's clock go on by a time, which takes none.
func later(d time.Duration) { <-time.After(d) }

package directory_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// endpoint stands for the systems of others: it remembers what it was sent, and
// answers as a test says.
type endpoint struct {
	mu     sync.Mutex
	got    []directory.Message
	answer func(m *directory.Message) directory.Receipt // nil: it takes everything
}

// The answers of an endpoint.
var (
	taken       = directory.Receipt{Status: 204, Delivered: true, Duration: time.Millisecond}
	refused     = directory.Receipt{Status: 400, Error: "it answered 400", Duration: time.Millisecond}
	unreachable = directory.Receipt{Down: true, Error: "connection refused", Duration: time.Millisecond}
	overloaded  = directory.Receipt{Status: 503, Down: true, Error: "it answered 503", Duration: time.Millisecond}
)

func (e *endpoint) Send(_ context.Context, m *directory.Message) directory.Receipt {
	e.mu.Lock()
	defer e.mu.Unlock()
	receipt := taken
	if e.answer != nil {
		receipt = e.answer(m)
	}
	if receipt.Delivered {
		e.got = append(e.got, *m)
	}
	return receipt
}

func (e *endpoint) Check(url string) error {
	if url == "https://10.0.0.1/" {
		return errors.New("10.0.0.1 is a private address")
	}
	return nil
}

// positions of what an endpoint has taken since the last time that it was asked.
func (e *endpoint) positions() (list []int64) {
	for _, m := range e.got {
		list = append(list, m.Event.Position)
	}
	e.got = nil
	return list
}

// sending makes the fixture's service one that sends to an endpoint.
func (f *fixture) sending() *endpoint {
	f.t.Helper()
	e := &endpoint{}
	f.svc = directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(f.t), Courier: e,
		HashCost: directory.HashCost{MemoryKiB: 8, Iterations: 1, Parallelism: 1}})
	return e
}

func newWebhook() directory.NewWebhook {
	return directory.NewWebhook{Name: "receiver", URL: "https://example.com/usher?key=canary-in-a-url"}
}

// webhook makes an endpoint.
func (f *fixture) webhook(change ...func(*directory.NewWebhook)) directory.WebhookDetail {
	f.t.Helper()
	in := newWebhook()
	for _, c := range change {
		c(&in)
	}
	made, secret, err := f.svc.CreateWebhook(f.ctx, f.sys(), in)
	check(f.t, err)
	f.secret(string(secret), "canary-in-a-url")
	return made
}

// park writes a delivery that waits.
func (f *fixture) park(w directory.Webhook, position int64) {
	f.t.Helper()
	check(f.t, f.store.Update(f.ctx, func(tx directory.Tx) error {
		return tx.PutDelivery(f.ctx, directory.Delivery{Tenant: w.Tenant, Webhook: w.ID, Position: position, Event: "e", Type: directory.EventUserCreated,
			State: directory.DeliveryWaiting, NextAt: f.clock.now(), CreatedAt: f.clock.now()})
	}))
}

// claimed leases what is due and returns one of it.
func (f *fixture) claimed(owner, id string) directory.Webhook {
	f.t.Helper()
	check(f.t, f.store.Seal(f.ctx, f.tenant.No))
	list := must(f.svc.ClaimWebhooks(f.ctx, f.sys(), owner, 1000, time.Minute))(f.t)
	i := slices.IndexFunc(list, func(w directory.Webhook) bool { return w.ID == id })
	if i < 0 {
		f.t.Fatalf("the webhook is not due: %+v", f.hook(id))
	}
	return list[i]
}

// hook reads an endpoint.
func (f *fixture) hook(id string) directory.WebhookDetail {
	f.t.Helper()
	return must(f.svc.Webhook(f.ctx, f.sys(), id))(f.t)
}

// send tries the messages of a dispatch as the server does: those of a user in
// order, none behind one that failed, and nothing more once the endpoint is down.
func send(ctx context.Context, e *endpoint, d *directory.Dispatch) (outcomes []directory.Outcome) {
	stopped := map[int64]bool{}
	for _, m := range d.Messages {
		switch {
		case m.Behind:
			outcomes = append(outcomes, directory.Outcome{Message: m})
			continue
		case stopped[m.Event.User]:
			continue
		}
		receipt := e.Send(ctx, &m.Message)
		outcomes = append(outcomes, directory.Outcome{Message: m, Receipt: receipt})
		stopped[m.Event.User] = !receipt.Delivered
		if receipt.Down || receipt.Gone {
			break
		}
	}
	return outcomes
}

// deliver serves all endpoints until nothing is due.
func (f *fixture) deliver(e *endpoint) {
	f.t.Helper()
	check(f.t, f.store.Seal(f.ctx, f.tenant.No))
	for range 50 {
		list := must(f.svc.ClaimWebhooks(f.ctx, f.sys(), "server", 10, time.Minute))(f.t)
		if len(list) == 0 {
			return
		}
		for _, w := range list {
			f.serve(e, w, 7)
		}
	}
	f.t.Fatal("there is always something due")
}

// serve serves one endpoint that is leased.
func (f *fixture) serve(e *endpoint, w directory.Webhook, limit int) {
	f.t.Helper()
	for {
		d := must(f.svc.NextDispatch(f.ctx, f.sys(), w, limit))(f.t)
		done := len(d.Messages) == 0 && !d.More
		w = must(f.svc.NoteDispatch(f.ctx, f.sys(), w, send(f.ctx, e, &d), &d, done))(f.t)
		if done || w.State != directory.WebhookActive {
			if w.LeaseOwner != "" {
				f.t.Errorf("nobody serves it, and it is leased: %+v", w)
			}
			return
		}
	}
}

// touch changes a user, and returns the position of its event.
func (f *fixture) touch(u directory.User) int64 {
	f.t.Helper()
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{Title: directory.Some(f.unique("title"))}, directory.UpdateOptions{}))(f.t)
	return f.head()
}

// head is the position of the last event.
func (f *fixture) head() int64 {
	f.t.Helper()
	check(f.t, f.store.Seal(f.ctx, f.tenant.No))
	var head directory.ChainHead
	check(f.t, f.store.Read(f.ctx, func(r directory.Reader) (err error) {
		head, err = r.ChainHead(f.ctx, f.tenant.No)
		return err
	}))
	return head.Position
}

// wantWaiting fails unless an endpoint has so many deliveries that wait and that
// are dead.
func (f *fixture) wantWaiting(id string, waiting, dead int64) {
	f.t.Helper()
	if h := f.hook(id); h.Waiting != waiting || h.Dead != dead {
		f.t.Errorf("%d wait and %d are dead, want %d and %d", h.Waiting, h.Dead, waiting, dead)
	}
}

// wantPositions fails unless an endpoint took these events.
func wantPositions(t *testing.T, e *endpoint, want ...int64) {
	t.Helper()
	if got := e.positions(); !slices.Equal(got, want) {
		t.Errorf("it took the events %v, want %v", got, want)
	}
}

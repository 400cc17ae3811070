package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Source is what is sent and who hears what became of it: directory.Service.
type Source interface {
	// ClaimWebhooks leases endpoints that have something to do.
	ClaimWebhooks(ctx context.Context, call *directory.Call, owner string, limit int, lease time.Duration) ([]directory.Webhook, error)
	// NextDispatch reads what is to be sent to an endpoint.
	NextDispatch(ctx context.Context, call *directory.Call, w directory.Webhook, limit int) (directory.Dispatch, error)
	// NoteDispatch writes what became of it. Messages without an outcome were not
	// tried.
	NoteDispatch(ctx context.Context, call *directory.Call, w directory.Webhook, outcomes []directory.Outcome, d *directory.Dispatch, done bool) (directory.Webhook, error)
}

// Outcome is what became of one try, for metrics.
type Outcome string

// The outcomes.
const (
	Delivered   Outcome = "delivered"
	Refused     Outcome = "refused"     // the endpoint answered, and did not take the event
	Unreachable Outcome = "unreachable" // the endpoint could not be reached or is overloaded
	Gone        Outcome = "gone"        // the endpoint wants no more
)

// Outcomes lists every outcome.
func Outcomes() []Outcome { return []Outcome{Delivered, Refused, Unreachable, Gone} }

// The bounds of a Dispatcher. An endpoint that hangs occupies one request, or as
// many as laneCount when it begins to hang in the middle. A tenant can occupy half
// of all requests.
const (
	laneCount     = 16
	requestCount  = 256
	tenantCount   = requestCount / 2
	endpointCount = 256 // of one process at once, unless Options say otherwise
	// sourceCount is how many calls of the Source run at once: the others' requests
	// need the database too.
	sourceCount = 4
)

// The sizes of rounds, in messages: the next one is larger after a quick round and
// smaller after a slow one.
const (
	leastRound  = 16
	mostRound   = 512
	quickRound  = time.Second
	slowRound   = 3 * time.Second
	roundLength = 5 * time.Second // after which no further try begins
)

// noting bounds one call of the Source.
const noting = 10 * time.Second

// lingers are the pauses between looks at an endpoint that has nothing to do,
// before its lease is given up: one that has something a few times a second would
// cost two more statements each time.
var lingers = [...]time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}

// notePauses are the pauses before what became of messages is noted again, when
// that failed: what is not noted is sent again.
var notePauses = [...]time.Duration{100 * time.Millisecond, time.Second, 5 * time.Second}

// Options are a Dispatcher's settings; the zero value of each has a default.
type Options struct {
	// Owner names this process in leases; it must be unique. Required.
	Owner string
	// Interval is how often is looked for endpoints that have something to do. 1 s.
	Interval time.Duration
	// Lease is how long an endpoint is kept from other processes without a sign of
	// life: as long as a round and what comes after it may take, since an endpoint of
	// a process that died waits for its end. 1 min.
	Lease time.Duration
	// Endpoints is how many are served at once, 256, and Turn how long one is that
	// has more all the time, once all places are taken: others may wait for one. 10 s.
	Endpoints int
	Turn      time.Duration
	// Grace is how long tries may go on once the dispatcher is stopped; then they
	// are given up. Zero gives them up at once.
	Grace time.Duration
	// Logger gets what people should know.
	Logger *slog.Logger
	// Observe, if set, is called after each try.
	Observe func(Outcome)
}

// Dispatcher sends what is due to the endpoints of all tenants.
type Dispatcher struct {
	o       Options
	source  Source
	courier directory.Courier
	wake    chan struct{}
	places  chan struct{} // a value in it is an endpoint that is served
	gates   gates
	failed  bool // the last claim did; only Run's goroutine uses it
}

// NewDispatcher makes a Dispatcher.
func NewDispatcher(source Source, courier directory.Courier, o Options) *Dispatcher {
	if o.Owner == "" {
		panic("webhook: a dispatcher needs an owner")
	}
	if o.Interval <= 0 {
		o.Interval = time.Second
	}
	if o.Lease <= 0 {
		o.Lease = time.Minute
	}
	if o.Endpoints <= 0 {
		o.Endpoints = endpointCount
	}
	if o.Turn <= 0 {
		o.Turn = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(Outcome) {}
	}
	return &Dispatcher{o: o, source: source, courier: courier, wake: make(chan struct{}, 1), places: make(chan struct{}, o.Endpoints), gates: newGates()}
}

// call is what the dispatcher is to the directory: itself, for all tenants.
func call() *directory.Call { return directory.System(0, "webhooks") }

// Wake makes the dispatcher look for endpoints now instead of at the end of its
// interval. It never waits, and may be called from anywhere at any time.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default: // it is about to look already
	}
}

// Run sends until ctx is done, then waits for what is on its way.
func (d *Dispatcher) Run(ctx context.Context) {
	// What runs does not end with ctx but Grace later.
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d.o.Grace, end) })
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	timer := time.NewTimer(d.o.Interval)
	defer timer.Stop()
	for ctx.Err() == nil {
		if more := d.claim(ctx, work, &running); more {
			continue
		}
		timer.Reset(d.o.Interval)
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-timer.C:
		}
	}
}

// claim leases endpoints for the places that are free, and begins to serve them.
// It reports whether there may be more.
func (d *Dispatcher) claim(ctx, work context.Context, running *sync.WaitGroup) (more bool) {
	free := cap(d.places) - len(d.places) // only this goroutine takes places
	if free == 0 {
		return false
	}
	list, err := d.lease(ctx, free)
	switch {
	case ctx.Err() != nil && err != nil:
	case err != nil && !d.failed:
		d.o.Logger.Error("webhooks cannot be claimed", "error", err)
	case err == nil && d.failed:
		d.o.Logger.Info("webhooks can be claimed again")
	}
	d.failed = err != nil
	for _, w := range list {
		d.places <- struct{}{}
		running.Go(func() {
			defer func() { <-d.places }()
			d.serve(ctx, work, w)
		})
	}
	return len(list) == free
}

// lease asks for endpoints. A panic is an error like any other: Run goes on.
func (d *Dispatcher) lease(ctx context.Context, limit int) (list []directory.Webhook, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v\n%s", value, debug.Stack())
		}
	}()
	err = d.ask(ctx, func(ctx context.Context) (err error) {
		list, err = d.source.ClaimWebhooks(ctx, call(), d.o.Owner, limit, d.o.Lease)
		return err
	})
	return list, err
}

// serve sends an endpoint what it is to get until there is nothing for a while,
// and gives its lease up. ctx ends with the dispatcher, work a little later. After
// an error the lease is left to end by itself, which keeps an endpoint that cannot
// be served from being claimed again at once.
func (d *Dispatcher) serve(ctx, work context.Context, w directory.Webhook) {
	log := d.o.Logger.With("tenant", w.Tenant, "webhook", w.ID, "host", hostOf(w.URL))
	defer func() {
		if value := recover(); value != nil {
			log.Error("serving a webhook panicked", "panic", value, "stack", string(debug.Stack()))
		}
	}()
	s := session{d: d, log: log, w: w, size: leastRound, probe: true}
	if err := s.run(ctx, work); err != nil && directory.AsError(err).Reason != directory.ReasonJobLost {
		log.Error("a webhook cannot be served, and will be when its lease has ended", "error", err)
	}
}

// ask makes one call of the Source, a few at once.
func (d *Dispatcher) ask(ctx context.Context, ask func(context.Context) error) error {
	leave, ok := d.gates.source.enter(ctx)
	if !ok {
		return ctx.Err()
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, noting)
	defer cancel()
	return ask(ctx)
}

// send makes one try. A panic is the fault of the message, which is not to stop
// all others.
func (d *Dispatcher) send(ctx context.Context, log *slog.Logger, m *directory.Message) (receipt directory.Receipt) {
	defer func() {
		if value := recover(); value != nil {
			log.Error("sending an event panicked", "event", m.Event.ID, "panic", value, "stack", string(debug.Stack()))
			receipt = directory.Receipt{Error: "this server failed to send it"}
		}
	}()
	receipt = d.courier.Send(ctx, m)
	switch {
	case receipt.Delivered:
		d.o.Observe(Delivered)
	case receipt.Gone:
		d.o.Observe(Gone)
	case receipt.Down:
		d.o.Observe(Unreachable)
	default:
		d.o.Observe(Refused)
	}
	return receipt
}

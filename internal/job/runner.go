package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Source is where jobs come from and are closed: directory.Service. The three
// that close answer directory.ReasonJobLost when another process has the job.
type Source interface {
	// ClaimJobs leases up to limit jobs that are due, the oldest first, and
	// counts the attempt.
	ClaimJobs(ctx context.Context, call *directory.Call, kind directory.JobKind, owner string, limit int, lease time.Duration) ([]directory.Job, error)
	// FinishJob notes that the job is done.
	FinishJob(ctx context.Context, call *directory.Call, job directory.Job) error
	// RetryJob makes the job due again at next. Without a cause it has been done,
	// and its attempts are counted from 0.
	RetryJob(ctx context.Context, call *directory.Call, job directory.Job, next time.Time, cause string) error
	// AbandonJob gives the job up.
	AbandonJob(ctx context.Context, call *directory.Call, job directory.Job, cause string) error
}

// Handler does a job. Its error's text goes to the log and to the job's record,
// so that it must hold nothing of the payload. An error with a method
// Permanent() bool that answers true is not tried again. One with a method
// Again() time.Time is none: the job is done, and due again at that time.
type Handler func(ctx context.Context, job directory.Job) error

// Outcome is what became of one try of a job.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"
	Retried   Outcome = "retried"   // failed, and will be tried again
	Abandoned Outcome = "abandoned" // failed for good
	Lost      Outcome = "lost"      // the lease ended, and another process has the job
	Unclosed  Outcome = "unclosed"  // what became of it could not be noted; it will be done again
)

// Outcomes lists every outcome.
func Outcomes() []Outcome { return []Outcome{Done, Retried, Abandoned, Lost, Unclosed} }

// Options are a Runner's settings; the zero value of each has a default.
type Options struct {
	// Owner names this process in leases; it must be unique. Required.
	Owner string
	// Interval is how often jobs are looked for that nobody announced: those of
	// other processes, and those that are due again. 1 s.
	Interval time.Duration
	// Workers is how many jobs run at once. 4.
	Workers int
	// Timeout ends a job's context. 2 min.
	Timeout time.Duration
	// Lease is how long a job is kept from other processes. It is longer than
	// Timeout by what closing the job and the difference of clocks may take.
	// Timeout + 3 min.
	Lease time.Duration
	// Grace is how long running jobs may go on once the runner is stopped; then
	// their contexts end. Zero ends them at once.
	Grace time.Duration
	// Logger gets what people should know.
	Logger *slog.Logger
	// Observe, if set, is called after each try, for metrics.
	Observe func(kind directory.JobKind, outcome Outcome)
	// Now is the clock, and Chance a random number from 0 to below 1.
	Now    func() time.Time
	Chance func() float64
}

// Runner does the jobs of one kind.
type Runner struct {
	o      Options
	source Source
	kind   directory.JobKind
	policy policy
	handle Handler
	wake   chan struct{}
	slots  chan struct{} // a value in it is a job that runs
	failed bool          // the last claim did; only Run's goroutine uses it
}

// call is what the runner is to the directory: itself, for all tenants.
func call() *directory.Call { return directory.System(0, "jobs") }

// closing bounds one statement about a job.
const closing = 10 * time.Second

// New makes a Runner of the jobs of a kind.
func New(source Source, kind directory.JobKind, handle Handler, o Options) *Runner {
	setDefault(&o.Interval, time.Second)
	setDefault(&o.Workers, 4)
	setDefault(&o.Timeout, 2*time.Minute)
	setDefault(&o.Lease, o.Timeout+3*time.Minute)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Chance == nil {
		o.Chance = rand.Float64
	}
	if o.Owner == "" || o.Lease <= o.Timeout {
		panic("job: a runner needs an owner and a lease longer than its time-out")
	}
	policy, known := policies[kind]
	if !known {
		panic("job: no policy for jobs of the kind " + kind)
	}
	return &Runner{
		o: o, source: source, kind: kind, policy: policy, handle: handle,
		wake: make(chan struct{}, 1), slots: make(chan struct{}, o.Workers),
	}
}

func setDefault[T comparable](value *T, to T) {
	var zero T
	if *value == zero {
		*value = to
	}
}

// Wake makes the runner look for jobs now instead of at the end of its
// interval. It never waits, and may be called from anywhere at any time.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it is about to look already
	}
}

// Run claims and does jobs until ctx is done, then waits for those that run.
func (r *Runner) Run(ctx context.Context) {
	// What runs does not end with ctx but Grace later.
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(r.o.Grace, end) })
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	timer := time.NewTimer(r.o.Interval)
	defer timer.Stop()
	for {
		// One slot is waited for, since without one nothing can be claimed.
		select {
		case <-ctx.Done():
			return
		case r.slots <- struct{}{}:
		}
		if ctx.Err() != nil {
			return
		}
		if more := r.claim(work, &running); more {
			continue
		}
		timer.Reset(r.o.Interval)
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
	}
}

// claim takes one slot as given and all others that are free, fills them with
// jobs and starts these at once, so that no job waits while its lease runs. It
// reports whether there may be more.
func (r *Runner) claim(work context.Context, running *sync.WaitGroup) (more bool) {
	free := 1 + r.takeSlots()
	ctx, cancel := context.WithTimeout(work, closing)
	jobs, err := r.source.ClaimJobs(ctx, call(), r.kind, r.o.Owner, free, r.o.Lease)
	cancel()
	if err != nil && !r.failed {
		r.o.Logger.Error("jobs cannot be claimed", "kind", r.kind, "error", err)
	} else if err == nil && r.failed {
		r.o.Logger.Info("jobs can be claimed again", "kind", r.kind)
	}
	r.failed = err != nil
	for range free - len(jobs) {
		<-r.slots
	}
	for _, job := range jobs {
		running.Go(func() {
			defer func() { <-r.slots }()
			r.run(work, job)
		})
	}
	return len(jobs) == free
}

func (r *Runner) takeSlots() (taken int) {
	for ; taken < r.o.Workers-1; taken++ {
		select {
		case r.slots <- struct{}{}:
		default:
			return taken
		}
	}
	return taken
}

// run does one job and closes it.
func (r *Runner) run(work context.Context, job directory.Job) {
	log := r.o.Logger.With("job", job.ID, "kind", job.Kind, "tenant", job.Tenant, "attempt", job.Attempts)
	var err error
	if limit := r.policy.attempts; limit > 0 && job.Attempts > limit {
		// Only processes that died over it leave a job in this state.
		err = givenUp("no attempt came to an end")
	} else {
		err = r.attempt(work, log, job)
	}
	outcome, note := r.decide(job, err, work.Err() != nil)
	closed := r.close(work, note)
	switch {
	case directory.IsReason(closed, directory.ReasonJobLost):
		outcome = Lost
		log.Warn("job was taken by another process", "error", err)
	case closed != nil:
		outcome = Unclosed
		log.Error("job cannot be closed and will be done again", "error", err, "cause", closed)
	case outcome == Abandoned:
		log.Error("job abandoned", "error", err)
	case outcome == Retried:
		log.Warn("job failed and will be tried again", "error", err)
	default:
		log.Info("job done")
	}
	if r.o.Observe != nil {
		r.o.Observe(job.Kind, outcome)
	}
}

// givenUp is an error of the runner's own that no repetition can mend.
type givenUp string

func (e givenUp) Error() string   { return string(e) }
func (e givenUp) Permanent() bool { return true }

// attempt calls the handler. A panic is an error that may pass.
func (r *Runner) attempt(work context.Context, log *slog.Logger, job directory.Job) (err error) {
	ctx, cancel := context.WithTimeout(work, r.o.Timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			// The value may quote the payload; what the runtime itself says of an
			// index or a nil pointer does not.
			err = fmt.Errorf("panic with a %T", v)
			if fault, ok := v.(runtime.Error); ok {
				err = fmt.Errorf("panic: %w", fault)
			}
			log.Error("job panicked", "error", err, "stack", string(debug.Stack()))
		}
	}()
	return r.handle(ctx, job)
}

// decide says what becomes of a job after a try, and how that is noted.
func (r *Runner) decide(job directory.Job, err error, stopped bool) (Outcome, func(context.Context) error) {
	if err == nil {
		return Done, func(ctx context.Context) error { return r.source.FinishJob(ctx, call(), job) }
	}
	now := r.o.Now()
	if again, ok := errors.AsType[interface {
		error
		Again() time.Time
	}](err); ok {
		return Done, func(ctx context.Context) error { return r.source.RetryJob(ctx, call(), job, again.Again(), "") }
	}
	next := now.Add(r.policy.pause(job.Attempts, r.o.Chance()))
	if stopped {
		next = now // it did not fail, but was cut off: another process may go on
	}
	permanent, ok := errors.AsType[interface {
		error
		Permanent() bool
	}](err)
	if ok && permanent.Permanent() || r.policy.over(&job, next) {
		return Abandoned, func(ctx context.Context) error { return r.source.AbandonJob(ctx, call(), job, err.Error()) }
	}
	return Retried, func(ctx context.Context) error { return r.source.RetryJob(ctx, call(), job, next, err.Error()) }
}

// close notes what became of a job. It is stubborn, since a job whose end is
// not noted is done again: it tries for a part of what the lease has left. Once
// the runner's time is up it tries only once.
func (r *Runner) close(work context.Context, note func(context.Context) error) error {
	patience, cancel := context.WithTimeout(work, (r.o.Lease-r.o.Timeout)/3)
	defer cancel()
	repeated := false
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		ctx, done := context.WithTimeout(context.WithoutCancel(work), closing)
		err := note(ctx)
		done()
		if repeated && directory.IsReason(err, directory.ReasonJobLost) {
			return nil // the lease still runs: an earlier note arrived, and only its answer did not
		}
		if code := directory.CodeOf(err); code != directory.CodeUnavailable && code != directory.CodeInternal {
			return err // closed, or an answer that stays
		}
		select {
		case <-patience.Done():
			return err
		case <-time.After(wait):
			repeated = true
		}
	}
}

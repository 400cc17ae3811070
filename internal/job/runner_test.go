package job_test

import (
	"bytes"
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

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/job"
)

// queue is a Source in memory with the leases of the real one, and with the
// troubles that tests ask for.
type queue struct {
	mu       sync.Mutex
	jobs     []*queued
	claimErr error
	closeErr []error // of the next calls that close a job
	limits   []int
	// answerLost loses the answer to the next call that closes a job.
	answerLost bool
}

type queued struct {
	job   directory.Job
	state string // "", "done", "abandoned"
	cause string
}

func (q *queue) add(ids ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range ids {
		q.jobs = append(q.jobs, &queued{job: directory.Job{Tenant: 7, ID: id, Kind: directory.JobMail, RunAt: time.Now(), CreatedAt: time.Now()}})
	}
}

func (q *queue) ClaimJobs(_ context.Context, _ *directory.Call, kind directory.JobKind, owner string, limit int, lease time.Duration) ([]directory.Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limits = append(q.limits, limit)
	if q.claimErr != nil {
		return nil, q.claimErr
	}
	var list []directory.Job
	for _, e := range q.jobs {
		if now := time.Now(); len(list) < limit && e.state == "" && e.job.Kind == kind && !e.job.RunAt.After(now) && !e.job.LeaseUntil.After(now) {
			e.job.LeaseOwner, e.job.LeaseUntil = owner, now.Add(lease)
			e.job.Attempts++
			list = append(list, e.job)
		}
	}
	return list, nil
}

func (q *queue) close(j directory.Job, fn func(*queued)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.closeErr) > 0 {
		err := q.closeErr[0]
		q.closeErr = q.closeErr[1:]
		return err
	}
	at := slices.IndexFunc(q.jobs, func(e *queued) bool { return e.job.ID == j.ID })
	if e := q.jobs[at]; e.state == "" && e.job.LeaseOwner == j.LeaseOwner && e.job.Attempts == j.Attempts {
		e.job.LeaseOwner, e.job.LeaseUntil = "", time.Time{}
		fn(e)
		if q.answerLost {
			q.answerLost = false
			return directory.Wrong(directory.CodeUnavailable, directory.ReasonOutcomeUnknown, "Nobody knows.")
		}
		return nil
	}
	return directory.Wrong(directory.CodeConflict, directory.ReasonJobLost, "Another process has the job.")
}

func (q *queue) FinishJob(_ context.Context, _ *directory.Call, j directory.Job) error {
	return q.close(j, func(e *queued) { e.state = "done" })
}

func (q *queue) RetryJob(_ context.Context, _ *directory.Call, j directory.Job, next time.Time, cause string) error {
	return q.close(j, func(e *queued) {
		e.job.RunAt, e.cause = next, cause
		if cause == "" {
			e.job.Attempts = 0
		}
	})
}

func (q *queue) AbandonJob(_ context.Context, _ *directory.Call, j directory.Job, cause string) error {
	return q.close(j, func(e *queued) { e.state, e.cause = "abandoned", cause })
}

func (q *queue) state(id string) (state, cause string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.IndexFunc(q.jobs, func(e *queued) bool { return e.job.ID == id })
	return q.jobs[at].state, q.jobs[at].cause
}

// bench is a runner at work in a bubble of time.
type bench struct {
	*job.Runner
	stop    context.CancelFunc
	stopped chan struct{}
	log     *bytes.Buffer

	mu       sync.Mutex
	outcomes []job.Outcome
}

func start(t *testing.T, q *queue, o job.Options, handle job.Handler) *bench {
	t.Helper()
	return startKind(t, q, directory.JobMail, o, handle)
}

func startKind(t *testing.T, q *queue, kind directory.JobKind, o job.Options, handle job.Handler) *bench {
	t.Helper()
	b := &bench{stopped: make(chan struct{}), log: &bytes.Buffer{}}
	if o.Owner == "" {
		o.Owner = "p1"
	}
	o.Logger = slog.New(slog.NewTextHandler(b.log, nil))
	o.Chance = func() float64 { return 0 }
	o.Observe = func(_ directory.JobKind, outcome job.Outcome) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.outcomes = append(b.outcomes, outcome)
	}
	b.Runner = job.New(q, kind, handle, o)
	ctx, stop := context.WithCancel(t.Context())
	b.stop = stop
	go func() { defer close(b.stopped); b.Run(ctx) }()
	return b
}

// end stops the runner and waits; what it logged may be read then.
func (b *bench) end() string {
	b.stop()
	<-b.stopped
	return b.log.String()
}

// pass lets time go by in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

type refused struct{}

func (refused) Error() string   { return "refused" }
func (refused) Permanent() bool { return true }

func TestJobsAreDoneOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a", "b", "c")
		var did []string
		b := start(t, q, job.Options{Workers: 1}, func(_ context.Context, j directory.Job) error { did = append(did, j.ID); return nil })
		pass(time.Minute)
		log := b.end()
		if diff := cmp.Diff([]string{"a", "b", "c"}, did); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]job.Outcome{job.Done, job.Done, job.Done}, b.outcomes); diff != "" {
			t.Error(diff)
		}
		for _, want := range []string{"job=a", "kind=mail", "tenant=7"} {
			if !strings.Contains(log, want) {
				t.Errorf("no %s in %s", want, log)
			}
		}
	})
}

func TestWakeDoesNotWaitForTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		b := start(t, q, job.Options{Interval: time.Hour}, func(context.Context, directory.Job) error { return nil })
		synctest.Wait() // it has looked, found nothing and waits
		q.add("a")
		b.Wake()
		b.Wake()
		synctest.Wait() // no time has passed
		if state, _ := q.state("a"); state != "done" {
			t.Errorf("the job is %q", state)
		}
		b.end()
	})
}

// A job that no Wake announces, because another process wrote it, is found.
func TestPollingFindsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { return nil })
		synctest.Wait()
		q.add("a")
		pass(time.Second)
		if state, _ := q.state("a"); state != "done" {
			t.Errorf("the job is %q", state)
		}
		b.end()
	})
}

func TestWorkersAreBoundedAndClaimsFitThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		for i := range 20 {
			q.add(fmt.Sprint(i))
		}
		var mu sync.Mutex
		now, most := 0, 0
		b := start(t, q, job.Options{Workers: 3}, func(context.Context, directory.Job) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-time.After(10 * time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		})
		pass(5 * time.Minute)
		b.end()
		if most != 3 || len(b.outcomes) != 20 {
			t.Errorf("%d jobs ran at once and %d ended, want 3 and 20", most, len(b.outcomes))
		}
		if slices.Max(q.limits) > 3 {
			t.Errorf("claimed %v with three workers", q.limits)
		}
	})
}

func TestFailuresAreRetriedAndThenGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		var at []time.Duration
		begin := time.Now()
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error {
			at = append(at, time.Since(begin).Truncate(time.Minute))
			return errors.New("no connection")
		})
		pass(48 * time.Hour)
		log := b.end()
		m := time.Minute
		want := []time.Duration{0, 1 * m, 6 * m, 36 * m, 96 * m, 216 * m, 456 * m, 696 * m, 1056 * m, 1416 * m}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("tries (-want +got):\n%s", diff)
		}
		if state, cause := q.state("a"); state != "abandoned" || cause != "no connection" {
			t.Errorf("the job is %q because of %q", state, cause)
		}
		if strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, `msg="job abandoned" job=a`) {
			t.Errorf("not one error line:\n%s", log)
		}
	})
}

func TestAJobIsGivenUpAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		pass(25 * time.Hour) // no process ran
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { return errors.New("no connection") })
		synctest.Wait()
		if state, _ := q.state("a"); state != "abandoned" {
			t.Errorf("the job is %q", state)
		}
		b.end()
	})
}

func TestPermanentFailuresAreNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { return fmt.Errorf("sending: %w", refused{}) })
		synctest.Wait()
		if state, cause := q.state("a"); state != "abandoned" || cause != "sending: refused" {
			t.Errorf("the job is %q because of %q", state, cause)
		}
		b.end()
		if diff := cmp.Diff([]job.Outcome{job.Abandoned}, b.outcomes); diff != "" {
			t.Error(diff)
		}
	})
}

// A process that dies over a job cannot count it as failed: the count of its
// claims ends it.
func TestAJobThatKillsItsProcessesIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		q.jobs[0].job.Attempts = 10
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { t.Error("it was tried"); return nil })
		synctest.Wait()
		if state, _ := q.state("a"); state != "abandoned" {
			t.Errorf("the job is %q", state)
		}
		b.end()
	})
}

func write(m map[string]int) { m["x"] = 1 }

func TestAPanicIsAFailureThatTellsNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		panic func()
		want  string
	}{
		{"a value", func() { panic("the password is hunter2") }, "panic with a string"},
		{"a fault", func() { write(nil) }, "panic: assignment to entry in nil map"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &queue{}
				q.add("a")
				b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { c.panic(); return nil })
				synctest.Wait()
				state, cause := q.state("a")
				log := b.end()
				if state != "" || cause != c.want || b.outcomes[0] != job.Retried {
					t.Errorf("the job is %q because of %q", state, cause)
				}
				if strings.Contains(log, "hunter2") || !strings.Contains(log, "runner_test.go") {
					t.Errorf("the log tells too much or has no stack:\n%s", log)
				}
			})
		})
	}
}

func TestAJobThatHangsIsEndedBeforeItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		var took time.Duration
		b := start(t, q, job.Options{}, func(ctx context.Context, j directory.Job) error {
			begin := time.Now()
			<-ctx.Done()
			took = time.Since(begin)
			if !time.Now().Before(j.LeaseUntil) {
				t.Error("the lease ended first")
			}
			return ctx.Err()
		})
		pass(2*time.Minute + time.Second)
		if took != 2*time.Minute {
			t.Errorf("it was ended after %s", took)
		}
		b.end()
		if b.outcomes[0] != job.Retried {
			t.Errorf("outcomes %v", b.outcomes)
		}
	})
}

package job_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/job"
)

func TestALostJobIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.jobs[0].job.LeaseOwner = "p2"
			return nil
		})
		synctest.Wait()
		log := b.end()
		if state, _ := q.state("a"); state != "" || len(b.outcomes) != 1 || b.outcomes[0] != job.Lost {
			t.Errorf("the job is %q after %v", state, b.outcomes)
		}
		if !strings.Contains(log, "taken by another process") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// While the store is away for a moment, a job that is done stays done.
func TestClosingIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := directory.Wrong(directory.CodeUnavailable, directory.ReasonInternal, "The store is busy.")
		q := &queue{closeErr: []error{away, errors.New("connection reset"), away}}
		q.add("a")
		tries := 0
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { tries++; return nil })
		pass(10 * time.Second)
		b.end()
		if state, _ := q.state("a"); state != "done" || tries != 1 {
			t.Errorf("the job is %q after %d tries", state, tries)
		}
	})
}

// When only the answer to a note is lost, the job is not lost.
func TestANoteWhoseAnswerIsLostCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{answerLost: true}
		q.add("a")
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { return nil })
		pass(time.Second)
		b.end()
		if diff := cmp.Diff([]job.Outcome{job.Done}, b.outcomes); diff != "" {
			t.Error(diff)
		}
	})
}

// When it stays away, the job is done again once its lease has ended: by then
// the message goes out a second time.
func TestAJobThatCannotBeClosedIsDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		for range 30 {
			q.closeErr = append(q.closeErr, errors.New("connection reset"))
		}
		q.add("a")
		tries := 0
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { tries++; return nil })
		pass(time.Hour)
		b.end()
		if state, _ := q.state("a"); state != "done" || tries < 2 || b.outcomes[0] != job.Unclosed || b.outcomes[len(b.outcomes)-1] != job.Done {
			t.Errorf("the job is %q after %d tries, %v", state, tries, b.outcomes)
		}
	})
}

func TestTroubleWithClaimsIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{claimErr: errors.New("connection refused")}
		b := start(t, q, job.Options{}, func(context.Context, directory.Job) error { return nil })
		pass(time.Minute)
		q.mu.Lock()
		q.claimErr = nil
		q.mu.Unlock()
		q.add("a")
		pass(time.Second)
		log := b.end()
		if state, _ := q.state("a"); state != "done" {
			t.Errorf("the job is %q", state)
		}
		if strings.Count(log, "cannot be claimed") != 1 || strings.Count(log, "can be claimed again") != 1 {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestStoppingFinishesWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a", "b")
		b := start(t, q, job.Options{Workers: 1, Grace: 30 * time.Second}, func(context.Context, directory.Job) error {
			<-time.After(20 * time.Second)
			return nil
		})
		synctest.Wait()
		b.end()
		first, _ := q.state("a")
		second, _ := q.state("b")
		if first != "done" || second != "" {
			t.Errorf("the running job is %q, the waiting one %q", first, second)
		}
	})
}

// A job that is cut off is due at once, for another process.
func TestStoppingEndsWhatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		b := start(t, q, job.Options{Grace: 5 * time.Second}, func(ctx context.Context, _ directory.Job) error { <-ctx.Done(); return ctx.Err() })
		synctest.Wait()
		begin := time.Now()
		b.end()
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("stopping took %s", took)
		}
		next := start(t, q, job.Options{Owner: "p2"}, func(context.Context, directory.Job) error { return nil })
		synctest.Wait()
		next.end()
		if state, _ := q.state("a"); state != "done" {
			t.Errorf("the job is %q", state)
		}
	})
}

func TestTwoRunnersNeverHaveOneJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		for i := range 50 {
			q.add(fmt.Sprint(i))
		}
		var mu sync.Mutex
		running, did := map[string]bool{}, map[string]int{}
		handle := func(_ context.Context, j directory.Job) error {
			mu.Lock()
			if running[j.ID] {
				t.Errorf("job %s runs twice", j.ID)
			}
			running[j.ID] = true
			did[j.ID]++
			mu.Unlock()
			<-time.After(time.Minute)
			mu.Lock()
			running[j.ID] = false
			mu.Unlock()
			return nil
		}
		one, two := start(t, q, job.Options{Owner: "p1"}, handle), start(t, q, job.Options{Owner: "p2"}, handle)
		pass(time.Hour)
		one.end()
		two.end()
		if len(did) != 50 || len(one.outcomes) == 0 || len(two.outcomes) == 0 {
			t.Errorf("%d jobs were done, %d and %d", len(did), len(one.outcomes), len(two.outcomes))
		}
		for id, n := range did {
			if n != 1 {
				t.Errorf("job %s was done %d times", id, n)
			}
		}
	})
}

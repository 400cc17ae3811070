package job_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/job"
)

// tomorrow is the error of a job that is done and comes again.
type tomorrow struct{ at time.Time }

func (tomorrow) Error() string      { return "done" }
func (e tomorrow) Again() time.Time { return e.at }

// A job that comes again is done each day, and its failures between are counted
// from its last success.
func TestAJobComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		q.jobs[0].job.Kind = directory.JobRecycle
		var at []time.Duration
		begin := time.Now()
		b := startKind(t, q, directory.JobRecycle, job.Options{Interval: time.Minute}, func(context.Context, directory.Job) error {
			at = append(at, time.Since(begin).Truncate(time.Minute))
			if len(at) == 2 {
				return errors.New("no connection")
			}
			return fmt.Errorf("recycle: %w", tomorrow{time.Now().Add(24 * time.Hour)})
		})
		pass(73 * time.Hour)
		b.end()
		want := []time.Duration{0, 24 * time.Hour, 24*time.Hour + 5*time.Minute, 48*time.Hour + 5*time.Minute, 72*time.Hour + 5*time.Minute}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("tries (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]job.Outcome{job.Done, job.Retried, job.Done, job.Done, job.Done}, b.outcomes); diff != "" {
			t.Error(diff)
		}
		if state, cause := q.state("a"); state != "" || cause != "" || q.jobs[0].job.Attempts != 0 {
			t.Errorf("it waits as %+v, %q %q", q.jobs[0].job, state, cause)
		}
	})
}

// A job that fails for three days is given up, however long it had waited.
func TestADateIsTriedForThreeDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.add("a")
		q.jobs[0].job.Kind = directory.JobExpiry
		q.jobs[0].job.RunAt = time.Now().Add(400 * 24 * time.Hour)
		tries := 0
		b := startKind(t, q, directory.JobExpiry, job.Options{Interval: 10 * time.Minute}, func(context.Context, directory.Job) error {
			tries++
			return errors.New("held")
		})
		pass((400*24 + 73) * time.Hour)
		b.end()
		if state, cause := q.state("a"); state != "abandoned" || cause != "held" || tries != 12 {
			t.Errorf("it is %q because of %q after %d tries", state, cause, tries)
		}
	})
}

// A kind that nobody wrote a policy for is a mistake of the program.
func TestAKindWithoutAPolicyHasNoRunner(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("there is a runner")
		}
	}()
	job.New(&queue{}, "other", func(context.Context, directory.Job) error { return nil }, job.Options{Owner: "p1"})
}

package app

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/job"
)

// bulkTimeout bounds one turn of a run: the file of an import is read as a whole
// before its first row is done, and a large one takes minutes.
const bulkTimeout = 20 * time.Minute

// bulkRuns is how many runs a server works on at once. Each of them keeps a database
// busy.
const bulkRuns = 2

// openBulk makes the runner of imports and of actions on many users.
func (a *App) openBulk() {
	stop := make(chan struct{})
	works := bulk.NewRunner(a.service, time.Now, stop)
	runner := job.New(a.service, directory.JobBulk, works.Do, job.Options{Workers: bulkRuns, Timeout: bulkTimeout,
		Owner: leaseOwner(), Grace: a.cfg.ShutdownTimeout, Logger: a.log, Observe: func(kind directory.JobKind, outcome job.Outcome) {
			a.observeJob(kind, outcome)
			a.wakeJobs() // a run whose turn is over has its next one at once
		}})
	a.runners = append(a.runners, runner)
	a.inBackground(func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() { close(stop) })()
		runner.Run(ctx)
		return nil
	})
}

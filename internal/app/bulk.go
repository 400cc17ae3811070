package app

import (
	"context"
	"io"
	"time"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/dialect/scim"
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

// scimPath is where the scim door is served.
const scimPath = "/scim/v2"

// scimLines writes users as resources of the scim door, one a line.
type scimLines struct {
	w    io.Writer
	base string
	b    []byte
}

// newSCIMLines makes what writes exports as SCIM; publicURL is the server's.
func newSCIMLines(publicURL string) func(io.Writer) bulk.Writer {
	return func(w io.Writer) bulk.Writer { return &scimLines{w: w, base: publicURL + scimPath} }
}

// Write implements bulk.Writer.
func (s *scimLines) Write(records []directory.Record) error {
	s.b = s.b[:0]
	for i := range records {
		s.b = append(scim.AppendRecord(s.b, s.base, &records[i]), '\n')
	}
	_, err := s.w.Write(s.b)
	return err
}

// Close implements bulk.Writer.
func (s *scimLines) Close() error { return nil }

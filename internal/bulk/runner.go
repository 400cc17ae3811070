package bulk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Service is what a Runner needs of directory.Service.
type Service interface {
	// Bulk reads a run.
	Bulk(ctx context.Context, call *directory.Call, id string) (directory.BulkRun, error)
	// BulkPart reads one part of a run's file.
	BulkPart(ctx context.Context, call *directory.Call, id string, part int64) ([]byte, error)
	// PlanImport looks at the next records and does what needs no transaction.
	PlanImport(ctx context.Context, call *directory.Call, t directory.TenantNo, id string, page []directory.Record) (*directory.ImportPlan, error)
	// ApplyImport imports them.
	ApplyImport(ctx context.Context, call *directory.Call, t directory.TenantNo, done int64, plan *directory.ImportPlan) (directory.BulkRun, []directory.RowVerdict, error)
	// EndImport does what follows the last record.
	EndImport(ctx context.Context, call *directory.Call, t directory.TenantNo, id string) (directory.BulkRun, error)
	// ActBulk does the next page of an action.
	ActBulk(ctx context.Context, call *directory.Call, t directory.TenantNo, id string) (directory.BulkRun, error)
	// FailBulk ends a run that cannot go on.
	FailBulk(ctx context.Context, call *directory.Call, t directory.TenantNo, id, cause string) (directory.BulkRun, error)
}

// turn is how long a run is worked on until others get their turn: far below the time
// for which its job is leased.
const turn = 30 * time.Second

// hopeless is after how many tries in a row, each of which failed, a run is given up.
const hopeless = 20

// Runner works on bulk runs. It is safe for use by many goroutines.
type Runner struct {
	svc  Service
	now  func() time.Time
	stop <-chan struct{}

	mu     sync.Mutex
	paused map[string]*pipeline // of runs that this process will go on with
}

// NewRunner makes a runner. Once stop is closed it ends its turns at the next page.
func NewRunner(svc Service, now func() time.Time, stop <-chan struct{}) *Runner {
	return &Runner{svc: svc, now: now, stop: stop, paused: map[string]*pipeline{}}
}

// again is no failure: the run goes on later.
type again struct{ at time.Time }

// Error implements error.
func (again) Error() string { return "there is more to do" }

// Again is when the job is due again.
func (a again) Again() time.Time { return a.at }

// system is what the runner is to the directory: itself.
func system(t directory.TenantNo) *directory.Call { return directory.System(t, "bulk") }

// Do is the handler of a job of directory.JobBulk: it works on the run for one turn. An
// error with a method Again says that there is more to do.
func (r *Runner) Do(ctx context.Context, j directory.Job) error {
	id := string(j.Payload)
	run, err := r.Work(ctx, j.Tenant, id, r.now().Add(turn), nil)
	var broken *FileError
	switch {
	case errors.As(err, &broken):
		_, err = r.svc.FailBulk(ctx, system(j.Tenant), j.Tenant, id, broken.Error())
		return err
	case directory.IsReason(err, directory.ReasonBulkNotFound):
		return nil
	case err != nil && ctx.Err() == nil && j.Attempts >= hopeless:
		_, failed := r.svc.FailBulk(ctx, system(j.Tenant), j.Tenant, id, "The server could not do it: its log says why.")
		return errors.Join(err, failed)
	case err != nil:
		return err
	case working(&run):
		return again{r.now()}
	}
	return nil
}

// working reports whether there is more to do for a server.
func working(run *directory.BulkRun) bool {
	return run.State == directory.BulkWaiting || run.State == directory.BulkRunning
}

// Work works on a run until it has ended, somebody else stopped it, or a time has
// come; zero is none. each, if set, is called with the run after every page. It
// returns the run as it then is. Errors: *FileError when its file cannot be read,
// those of the core.
func (r *Runner) Work(ctx context.Context, t directory.TenantNo, id string, until time.Time, each func(*directory.BulkRun)) (directory.BulkRun, error) {
	run, err := r.svc.Bulk(ctx, system(t), id)
	if err != nil || !working(&run) {
		return run, err
	}
	w := &work{Runner: r, t: t, id: id, until: until, each: each}
	if run.Kind == directory.BulkAction {
		return w.pages(ctx, run, func(*directory.BulkRun) (directory.BulkRun, error) { return r.svc.ActBulk(ctx, system(t), t, id) })
	}
	return w.importFile(ctx, run)
}

// work is a turn at one run.
type work struct {
	*Runner
	t     directory.TenantNo
	id    string
	until time.Time
	each  func(*directory.BulkRun)
}

// over reports whether the turn is over.
func (w *work) over() bool {
	select {
	case <-w.stop:
		return true
	default:
		return !w.until.IsZero() && !w.now().Before(w.until)
	}
}

// pages repeats a step until the run needs no more, or the turn is over.
func (w *work) pages(ctx context.Context, run directory.BulkRun, step func(*directory.BulkRun) (directory.BulkRun, error)) (directory.BulkRun, error) {
	for working(&run) {
		next, err := step(&run)
		if err != nil {
			return run, err
		}
		run = next
		if w.each != nil {
			w.each(&run)
		}
		if w.over() {
			break
		}
	}
	return run, nil
}

// importFile imports the file of a run, from where it stands.
func (w *work) importFile(ctx context.Context, run directory.BulkRun) (directory.BulkRun, error) {
	p, err := w.open(ctx, &run)
	if err != nil {
		return run, err
	}
	stop := sync.OnceFunc(p.start(ctx))
	defer stop()
	run, err = w.pages(ctx, run, func(run *directory.BulkRun) (directory.BulkRun, error) {
		page, err := p.next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return w.svc.EndImport(ctx, system(w.t), w.t, w.id)
		case err != nil:
			return *run, err
		case run.Done != page.done:
			return *run, errElsewhere
		}
		next, _, err := w.svc.ApplyImport(ctx, system(w.t), w.t, page.done, page.plan)
		return next, err
	})
	stop()
	if errors.Is(err, errElsewhere) {
		return run, nil // somebody else works on it; its next turn begins where it then stands
	}
	if err == nil && working(&run) && p.whole() {
		w.keep(p)
	}
	return run, err
}

// errElsewhere is that another server has gone on with the run.
var errElsewhere = errors.New("bulk: the run is elsewhere")

// maxPaused is how many files are kept open between turns.
const maxPaused = 8

// keep keeps a file at the place where its turn has ended.
func (w *work) keep(p *pipeline) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.paused) >= maxPaused {
		clear(w.paused)
	}
	w.paused[w.id] = p
}

// open is the file of a run behind the rows that are done: as it was left, or read from
// its beginning. What cannot be read is found before the first row is done.
func (w *work) open(ctx context.Context, run *directory.BulkRun) (*pipeline, error) {
	w.mu.Lock()
	p := w.paused[w.id]
	delete(w.paused, w.id)
	w.mu.Unlock()
	if p != nil && p.done() == run.Done {
		return p, nil
	}
	if run.Done == 0 {
		if err := check(ctx, w.svc, run); err != nil {
			return nil, err
		}
	}
	return newPipeline(ctx, w.svc, run)
}

// check reads a run's whole file once.
func check(ctx context.Context, svc Service, run *directory.BulkRun) error {
	n, err := Check(ownParts(ctx, svc, run), run.Import)
	if err == nil && n == 0 {
		return unreadable(0, "The file has no rows.")
	}
	return err
}

// parts is the file of a run.
type parts struct {
	ctx  context.Context
	svc  partReader
	call func() *directory.Call // in whose name
	run  *directory.BulkRun
	next int64
	rest []byte
}

// ownParts is the file of a run for the server itself.
func ownParts(ctx context.Context, svc partReader, run *directory.BulkRun) *parts {
	return &parts{ctx: ctx, svc: svc, run: run, call: func() *directory.Call { return system(run.Tenant) }}
}

type partReader interface {
	BulkPart(ctx context.Context, call *directory.Call, id string, part int64) ([]byte, error)
}

// Read implements io.Reader.
func (p *parts) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.next == p.run.Parts {
			return 0, io.EOF
		}
		part, err := p.svc.BulkPart(p.ctx, p.call(), p.run.ID, p.next)
		if err != nil {
			return 0, fmt.Errorf("part %d of the file: %w", p.next, err)
		}
		p.rest = part
		p.next++
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

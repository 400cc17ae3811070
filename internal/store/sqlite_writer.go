package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// The bounds of group commit.
const (
	queueLength  = 1024
	batchLength  = 128
	batchTime    = 5 * time.Millisecond
	mergePages   = 64                     // pages of the search index that one step merges
	mergeAfter   = 250 * time.Millisecond // of idleness
	mergeBatches = 32                     // batches with search changes after which a step is due even under load
)

// writer owns the only connection that writes. It runs the waiting closures
// one after another, all but the first in a savepoint, and commits them together: a sync of
// the disk costs more than twenty changes.
type writer struct {
	engine *engine
	conn   *sqliteConn
	// catchUp asks for the rest of the log to be copied before the next batch.
	catchUp atomic.Bool
	// cut asks for the log to be emptied, because of what is in it.
	cut   atomic.Bool
	batch int // most updates that share one commit
	log   *slog.Logger

	mu     sync.RWMutex // guards closed against a send on queue
	closed bool
	queue  chan *update
	done   chan struct{}

	commits atomic.Int64
	// unmerged counts batches that added a segment to the search index since
	// the last merge, and one for what an earlier process may have left: a
	// search reads all segments.
	unmerged int
	// troubled is when the log last said that the disk does not take changes; zero
	// once it does.
	troubled time.Time
	// loading says that many users are being loaded.
	loading atomic.Bool
}

// update is one call of Update.
type update struct {
	fn    func(directory.Tx) error
	state atomic.Int32 // waiting, then running or abandoned
	ctx   context.Context

	err      error
	panicked any
	done     chan struct{}
}

const (
	waiting = iota
	running
	abandoned
)

func newWriter(e *engine, conn *sqliteConn, o Options) *writer {
	w := restingWriter(e, conn, o)
	w.resumeLoad()
	go w.run()
	return w
}

// restingWriter is a writer that does not run yet.
func restingWriter(e *engine, conn *sqliteConn, o Options) *writer {
	return &writer{engine: e, conn: conn, log: o.Logger, batch: o.Batch, unmerged: 1,
		queue: make(chan *update, queueLength), done: make(chan struct{})}
}

// update queues fn and waits for its outcome.
func (w *writer) update(ctx context.Context, fn func(directory.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{fn: fn, ctx: ctx, done: make(chan struct{})}
	if err := w.enqueue(u); err != nil {
		return err
	}
	select {
	case <-u.done:
	case <-ctx.Done():
		if u.state.CompareAndSwap(waiting, abandoned) {
			return ctx.Err()
		}
		<-u.done
	}
	if u.panicked != nil {
		panic(u.panicked)
	}
	return u.err
}

func (w *writer) enqueue(u *update) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- u:
		return nil
	default:
		return busy(nil)
	}
}

// close lets everything that waits run, then closes the connection.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	close(w.queue)
	w.mu.Unlock()
	<-w.done
	return w.conn.close()
}

// run serves the queue until it is closed and empty.
func (w *writer) run() {
	var current *batch
	ended := false
	defer func() {
		if !ended { // a closure ended this goroutine with runtime.Goexit
			w.abandon(current)
			go w.run()
		}
	}()
	idle := time.NewTimer(mergeAfter)
	defer idle.Stop()
	for {
		select {
		case u, ok := <-w.queue:
			if !ok {
				ended = true
				close(w.done)
				return
			}
			current = &batch{w: w, began: w.engine.now()}
			current.run(u)
			if w.cut.CompareAndSwap(true, false) {
				w.restartLog("TRUNCATE")
			}
			if w.catchUp.CompareAndSwap(true, false) {
				w.restartLog("RESTART")
			}
			idle.Reset(mergeAfter)
		case <-idle.C:
			if w.mergeIdle() || w.endLoad() {
				idle.Reset(time.Millisecond)
			}
		}
	}
}

// abandon ends the batch that a closure left without returning.
func (w *writer) abandon(b *batch) {
	w.control("ROLLBACK")
	b.answer(errors.New("store: a closure of Update ended its goroutine"))
}

// restartLog copies the last pages of the log and makes the next commit begin
// it anew. It waits a moment for reads that still need the log; if one takes
// longer, the log goes on and the next request to catch up tries again.
func (w *writer) restartLog(mode string) {
	w.control("PRAGMA busy_timeout = 20")
	w.control("PRAGMA wal_checkpoint(" + mode + ")")
	w.control("PRAGMA busy_timeout = 5000")
}

// control runs a statement of transaction control, whatever happened before.
func (w *writer) control(sql string) error {
	w.conn.broken = nil
	_, err := w.conn.exec(noCancel, sql)
	w.conn.broken = nil
	return err
}

// batch is what is committed together.
type batch struct {
	w       *writer
	began   time.Time
	updates []*update
	kept    int // closures that have succeeded
	changes changes
}

// run commits first and what waits behind it.
func (b *batch) run(first *update) {
	if err := b.w.control("BEGIN IMMEDIATE"); err != nil {
		b.updates = append(b.updates, first)
		b.answer(err)
		return
	}
	for u := first; u != nil; u = b.next() {
		if !u.state.CompareAndSwap(waiting, running) {
			continue
		}
		b.updates = append(b.updates, u)
		if !b.closure(u) {
			b.apart()
			return
		}
	}
	if err := b.changes.flush(noCancel, b.w.engine, b.w.conn); err != nil {
		// Which closure is to blame shows when each has a transaction of its own.
		b.apart()
		return
	}
	b.commit()
}

// next is the closure that joins the batch, or nil when it is time to commit.
func (b *batch) next() *update {
	for len(b.updates) < b.w.batch && b.w.engine.now().Sub(b.began) < batchTime {
		select {
		case u, ok := <-b.w.queue:
			if !ok {
				return nil
			}
			if u.state.Load() != abandoned {
				return u
			}
		default:
			return nil
		}
	}
	return nil
}

// apart gives each closure of a batch that has failed as a whole a
// transaction of its own.
func (b *batch) apart() {
	b.w.control("ROLLBACK") // fails if SQLite has done it
	for _, u := range b.updates {
		alone := &batch{w: b.w, updates: []*update{u}}
		alone.alone()
	}
}

func (b *batch) alone() {
	u := b.updates[0]
	u.err, u.panicked = nil, nil
	if err := b.w.control("BEGIN IMMEDIATE"); err != nil {
		b.answer(err)
		return
	}
	if !b.closure(u) {
		b.w.control("ROLLBACK")
		b.answer(fmt.Errorf("store: the transaction ended before its closure did: %w", u.err))
		return
	}
	if err := b.changes.flush(noCancel, b.w.engine, b.w.conn); err != nil {
		b.w.control("ROLLBACK")
		b.answer(err)
		return
	}
	b.commit()
}

func (b *batch) commit() {
	if err := b.w.control("COMMIT"); err != nil {
		b.w.control("ROLLBACK")
		b.w.engine.chains.forget()
		b.answer(fmt.Errorf("store: commit: %w", err))
		return
	}
	b.w.commits.Add(1)
	b.w.recovered()
	b.w.engine.chains.committed()
	if len(b.changes.search) > 0 {
		b.w.unmerged++
	}
	b.answer(nil)
	b.w.loaded(b.changes.loaded)
	b.w.mergeUnderLoad()
}

// answer tells every caller of the batch. An error of the batch is everybody's,
// also of those that would have been refused.
func (b *batch) answer(err error) {
	if err != nil {
		b.w.trouble(err)
	}
	for _, u := range b.updates {
		if err != nil {
			u.err, u.panicked = err, nil
		}
		close(u.done)
	}
}

// closure runs one closure in its savepoint and keeps its outcome in u. A
// duplicate key gives it a second run. It reports whether the transaction is
// still open.
func (b *batch) closure(u *update) (open bool) {
	for try := 1; ; try++ {
		done := &changes{batch: &b.changes}
		if !b.protect() {
			return false
		}
		u.panicked, u.err = b.w.call(u, done)
		switch {
		case u.err == nil && u.panicked == nil:
			if b.w.conn.broken != nil {
				// It went on after a statement failed, and its changes are not whole.
				u.err = b.w.conn.broken
				return b.undo()
			}
			if !b.keep() {
				return false
			}
			b.changes.merge(done)
			return true
		case !b.undo():
			return false
		case !errors.Is(u.err, directory.ErrDuplicate):
			return true
		case try == 2:
			u.err = writeConflict(u.err)
			return true
		}
	}
}

// protect keeps what the closures before it did from the next one. The first has
// the transaction to itself: within a savepoint SQLite would copy every page that
// it changes, and walk over all the copies at the end of each part of it.
func (b *batch) protect() bool {
	return b.kept == 0 || b.w.control("SAVEPOINT closure") == nil
}

// keep makes what the closure did part of the transaction.
func (b *batch) keep() bool {
	if b.kept > 0 && b.w.control("RELEASE closure") != nil {
		return false
	}
	b.kept++
	return true
}

// undo takes back what the closure did and reports whether a transaction is
// open for the next one.
func (b *batch) undo() bool {
	if b.kept == 0 {
		b.w.control("ROLLBACK") // fails if SQLite has done it
		return b.w.control("BEGIN IMMEDIATE") == nil
	}
	return b.w.control("ROLLBACK TO closure") == nil && b.w.control("RELEASE closure") == nil
}

// call runs the closure and catches its panic.
func (w *writer) call(u *update, done *changes) (panicked any, err error) {
	if err := u.ctx.Err(); err != nil {
		return nil, err
	}
	defer func() { panicked = recover() }()
	return nil, u.fn(&tx{reader{e: w.engine, q: w.conn, pending: done}})
}

// mergeIdle merges a little of the search index and reports whether there may
// be more to do.
func (w *writer) mergeIdle() bool {
	if w.unmerged == 0 {
		return false
	}
	before, after, err := w.merge(mergePages)
	if err != nil || after-before < 2 { // less than two changes: nothing was merged
		w.unmerged = 0
	}
	return w.unmerged > 0
}

// mergeUnderLoad keeps the number of segments bounded when there is no rest.
func (w *writer) mergeUnderLoad() {
	if w.unmerged >= mergeBatches {
		w.unmerged = 1
		w.merge(mergePages)
	}
}

// merge is one step of merging, with the total changes of the connection
// before and after it, which is how FTS5 tells that it had nothing to merge.
func (w *writer) merge(pages int64) (before, after int64, err error) {
	before, err = w.totalChanges()
	if err == nil {
		w.conn.broken = nil
		_, err = w.conn.exec(noCancel, "INSERT INTO user_search (user_search, rank) VALUES ('merge', $1)", pages)
	}
	if err == nil {
		after, err = w.totalChanges()
	}
	w.conn.broken = nil
	if err != nil {
		w.log.Error("merging the search index failed", "error", err)
	}
	return before, after, err
}

func (w *writer) totalChanges() (n int64, err error) {
	err = w.conn.query(noCancel, "SELECT total_changes()", nil, func(r *row) { n = r.int() })
	return n, err
}

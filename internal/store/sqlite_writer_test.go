package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// writerTest is a writer whose clock the test sets, over a database with one
// table of its own.
type writerTest struct {
	path string
	*writer
	t *testing.T
}

func newWriterTest(t *testing.T, now func() time.Time) *writerTest {
	t.Helper()
	path := filepath.Join(t.TempDir(), "usher.db")
	db, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	conn, err := openSQLiteConn(sqliteDSN(path, sqliteWriter))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.exec(t.Context(), "CREATE TABLE marks (name TEXT PRIMARY KEY, value BLOB)"); err != nil {
		t.Fatal(err)
	}
	e := newSQLiteEngine()
	e.now = now
	w := &writerTest{path: path, writer: newWriter(e, conn, Options{Logger: slog.New(slog.DiscardHandler)}.withDefaults()), t: t}
	t.Cleanup(func() {
		if !w.closed {
			if err := w.close(); err != nil {
				t.Error(err)
			}
		}
	})
	return w
}

// stopped is a clock that stands still: a batch ends by its length only.
func stopped() time.Time { return time.Unix(1_700_000_000, 0) }

// mark is a closure that leaves a row.
func mark(name string) func(directory.Tx) error {
	return func(dt directory.Tx) error {
		_, err := dt.(*tx).q.exec(context.Background(), "INSERT INTO marks (name) VALUES ($1)", name)
		return err
	}
}

// raw runs a statement in a closure's transaction.
func raw(dt directory.Tx, sql string) error {
	_, err := dt.(*tx).q.exec(context.Background(), sql)
	return err
}

// start runs an update on a goroutine of its own and returns once it is queued
// behind the n that wait already.
func (w *writerTest) start(n int, fn func(directory.Tx) error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- w.caught(fn) }()
	for len(w.queue) <= n {
		runtime.Gosched()
	}
	return done
}

// caught is update with the caller's panic as an error.
func (w *writerTest) caught(fn func(directory.Tx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return w.update(context.Background(), fn)
}

// hold keeps the writer busy until release is called, so that what is queued
// meanwhile is one batch.
func (w *writerTest) hold() (release func()) {
	release = w.holdUntil(func(err error) {
		if err != nil {
			w.t.Errorf("the update that held the writer: %v", err)
		}
	})
	return release
}

// holdUntil is hold with a look at the outcome of the update that held.
func (w *writerTest) holdUntil(outcome func(error)) (release func()) {
	entered, leave, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	enter := sync.OnceFunc(func() { close(entered) }) // a closure may run twice
	go func() {
		done <- w.caught(func(directory.Tx) error {
			enter()
			<-leave
			return nil
		})
	}()
	<-entered
	return func() {
		close(leave)
		outcome(<-done)
	}
}

// marks are the names of the rows that are committed.
func (w *writerTest) marks() []string {
	w.t.Helper()
	var names []string
	err := w.update(context.Background(), func(dt directory.Tx) error {
		names = nil
		return dt.(*tx).q.query(context.Background(), "SELECT name FROM marks ORDER BY name", nil, func(r *row) { names = append(names, r.text()) })
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}

func (w *writerTest) wantMarks(want ...string) {
	w.t.Helper()
	if got := w.marks(); !slices.Equal(got, want) {
		w.t.Errorf("committed %v, want %v", got, want)
	}
}

func TestWaitingUpdatesAreOneCommit(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	var done []<-chan error
	for i := range 100 {
		done = append(done, w.start(i, mark(fmt.Sprint(i))))
	}
	before := w.commits.Load()
	release()
	for _, d := range done {
		if err := <-d; err != nil {
			t.Error(err)
		}
	}
	if n := w.commits.Load() - before; n != 1 {
		t.Errorf("101 updates took %d commits, want 1", n)
	}
	if n := len(w.marks()); n != 100 {
		t.Errorf("%d updates are there, want 100", n)
	}
}

func TestBatchEndsAtItsLength(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	var done []<-chan error
	for i := range 2 * batchLength {
		done = append(done, w.start(i, mark(fmt.Sprint(i))))
	}
	before := w.commits.Load()
	release()
	for _, d := range done {
		if err := <-d; err != nil {
			t.Error(err)
		}
	}
	// The update that held the writer is one more than two batches.
	if n := w.commits.Load() - before; n != 3 {
		t.Errorf("%d updates took %d commits, want 3", 2*batchLength+1, n)
	}
}

func TestBatchEndsAfterItsTime(t *testing.T) {
	clock := stopped()
	w := newWriterTest(t, func() time.Time { // of the writer's goroutine only
		clock = clock.Add(batchTime / 2)
		return clock
	})
	release := w.hold()
	var done []<-chan error
	for i := range 8 {
		done = append(done, w.start(i, mark(fmt.Sprint(i))))
	}
	before := w.commits.Load()
	release()
	for _, d := range done {
		if err := <-d; err != nil {
			t.Error(err)
		}
	}
	// Each look at the clock takes half of a batch's time: two updates a batch.
	if n := w.commits.Load() - before; n != 5 {
		t.Errorf("9 updates took %d commits, want 5", n)
	}
}

func TestPanicIsRaisedInItsCallerOnly(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	first := w.start(0, mark("before"))
	second := w.start(1, func(dt directory.Tx) error {
		mark("lost")(dt)
		panic("boom")
	})
	third := w.start(2, mark("after"))
	release()
	if err := <-second; err == nil || err.Error() != "panic: boom" {
		t.Errorf("the caller got %v, want its own panic", err)
	}
	if err := errors.Join(<-first, <-third); err != nil {
		t.Errorf("another caller of the batch got %v", err)
	}
	w.wantMarks("after", "before")
}

func TestClosureThatEndsItsGoroutine(t *testing.T) {
	w := newWriterTest(t, stopped)
	err := w.caught(func(dt directory.Tx) error {
		mark("lost")(dt)
		runtime.Goexit()
		return nil
	})
	if err == nil {
		t.Error("the caller got no error")
	}
	if err := w.caught(mark("later")); err != nil {
		t.Errorf("the writer did not go on: %v", err)
	}
	w.wantMarks("later")
}

func TestRefusedClosureLeavesNothing(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	refusal := errors.New("refused")
	first := w.start(0, mark("one"))
	second := w.start(1, func(dt directory.Tx) error {
		if err := mark("lost")(dt); err != nil {
			return err
		}
		dt.(*tx).pending.total(totalKey{tenant: 1}, 5)
		return refusal
	})
	release()
	if err := <-second; !errors.Is(err, refusal) {
		t.Errorf("got %v, want the closure's own error", err)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	w.wantMarks("one")
	if n := w.number("SELECT count(*) FROM company_totals"); n != 0 {
		t.Errorf("a refused closure left %d counters", n)
	}
}

// number is the answer of a query for one.
func (w *writerTest) number(sql string) (n int64) {
	w.t.Helper()
	err := w.update(context.Background(), func(dt directory.Tx) error {
		return dt.(*tx).q.query(context.Background(), sql, nil, func(r *row) { n = r.int() })
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestNobodyIsAnsweredBeforeTheCommit(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	refused := w.start(0, func(directory.Tx) error { return errors.New("refused") })
	done := w.start(1, mark("done"))
	entered, leave := make(chan struct{}), make(chan struct{})
	last := w.start(2, func(directory.Tx) error {
		close(entered)
		<-leave
		return nil
	})
	go release()
	<-entered // both have run, and the batch is still open
	select {
	case <-refused:
		t.Error("a refused caller was answered before the commit")
	case <-done:
		t.Error("a caller was answered before the commit")
	default:
	}
	close(leave)
	if err := errors.Join(<-done, <-last); err != nil {
		t.Error(err)
	}
	if err := <-refused; err == nil {
		t.Error("the refused caller got no error")
	}
}

func TestLostTransactionRunsEachClosureAlone(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	runs := make(map[string]int) // of the writer's goroutine, read after the answers
	counted := func(name string, fn func(directory.Tx) error) func(directory.Tx) error {
		return func(dt directory.Tx) error {
			runs[name]++
			return fn(dt)
		}
	}
	first := w.start(0, counted("first", mark("first")))
	guilty := w.start(1, counted("guilty", func(dt directory.Tx) error {
		if err := mark("guilty")(dt); err != nil {
			return err
		}
		return raw(dt, "ROLLBACK") // as SQLite does by itself when a disk is full
	}))
	third := w.start(2, counted("third", mark("third")))
	release()
	if err := <-guilty; err == nil {
		t.Error("the closure that ended the transaction got no error")
	}
	if err := errors.Join(<-first, <-third); err != nil {
		t.Errorf("another closure of the batch failed: %v", err)
	}
	w.wantMarks("first", "third")
	if runs["first"] != 2 || runs["guilty"] != 2 || runs["third"] != 1 {
		t.Errorf("runs: %v, want first and guilty twice, third once in a batch after", runs)
	}
}

func TestFullDatabaseRefusesOneClosure(t *testing.T) {
	w := newWriterTest(t, stopped)
	pages := w.number("PRAGMA page_count")
	if err := w.caught(func(dt directory.Tx) error {
		return dt.(*tx).q.query(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+5), nil, func(*row) {})
	}); err != nil {
		t.Fatal(err)
	}
	release := w.hold()
	first := w.start(0, mark("first"))
	big := w.start(1, func(dt directory.Tx) error {
		q := dt.(*tx).q
		_, err := q.exec(context.Background(), "INSERT INTO marks (name, value) VALUES ('big', zeroblob(1000000))")
		if err == nil {
			t.Error("the insert did not fail")
		}
		if again := mark("swallowed")(dt); again == nil {
			t.Error("a statement ran after one that may have ended the transaction")
		}
		return nil // it swallows the error, and must be refused all the same
	})
	third := w.start(2, mark("third"))
	release()
	if err := <-big; err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("got %v, want that the database is full", err)
	}
	if err := errors.Join(<-first, <-third); err != nil {
		t.Errorf("another closure of the batch failed: %v", err)
	}
	w.wantMarks("first", "third")
}

func TestFailedCommitIsEverybodysError(t *testing.T) {
	w := newWriterTest(t, stopped)
	// A constraint that is checked at COMMIT stands for a disk that fails there.
	for _, sql := range []string{"PRAGMA foreign_keys = ON",
		"CREATE TABLE debts (owner TEXT REFERENCES marks (name) DEFERRABLE INITIALLY DEFERRED)"} {
		if _, err := w.conn.exec(t.Context(), sql); err != nil { // nothing is queued: the writer does not use it
			t.Fatal(err)
		}
	}
	release := w.holdUntil(func(err error) {
		if err == nil {
			t.Error("the first closure of a batch that could not be committed was answered with success")
		}
	})
	first := w.start(0, mark("first"))
	second := w.start(1, func(dt directory.Tx) error { return raw(dt, "INSERT INTO debts VALUES ('nobody')") })
	release()
	if err := <-first; err == nil {
		t.Error("a closure of the batch that could not be committed was answered with success")
	}
	if err := <-second; err == nil {
		t.Error("the closure that could not be committed was answered with success")
	}
	w.wantMarks()
}

func TestQueueIsBounded(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	done := make(chan error, queueLength)
	for range queueLength {
		go func() { done <- w.caught(func(directory.Tx) error { return nil }) }()
	}
	for len(w.queue) < queueLength {
		runtime.Gosched()
	}
	err := w.caught(mark("too many"))
	e := directory.AsError(err)
	if e.Code != directory.CodeUnavailable || e.Reason != directory.ReasonBusy || e.Retry <= 0 {
		t.Errorf("a full queue answered %v (retry %v), want unavailable, store.busy and when to try again", err, e.Retry)
	}
	release()
	for range queueLength {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	w.wantMarks()
}

func TestCancelledWhileItWaits(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.update(ctx, mark("cancelled")) }()
	for len(w.queue) == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v while the writer was busy, want that the caller has left", err)
	}
	release()
	w.wantMarks()
}

func TestDuplicateRunsTwiceThenConflicts(t *testing.T) {
	w := newWriterTest(t, stopped)
	runs := 0
	err := w.caught(func(dt directory.Tx) error {
		runs++
		if err := mark("own")(dt); err != nil {
			return err
		}
		return mark("own")(dt)
	})
	if runs != 2 || directory.CodeOf(err) != directory.CodeConflict || !directory.IsReason(err, directory.ReasonWriteConflict) {
		t.Errorf("%d runs and %v, want two and write.conflict", runs, err)
	}
	w.wantMarks()
}

func TestCloseDrains(t *testing.T) {
	w := newWriterTest(t, stopped)
	release := w.hold()
	var done []<-chan error
	for i := range 20 {
		done = append(done, w.start(i, mark(fmt.Sprint(i))))
	}
	closed := make(chan error, 1)
	go func() { closed <- w.close() }()
	release()
	for _, d := range done {
		if err := <-d; err != nil {
			t.Errorf("an update that was accepted before Close: %v", err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := w.caught(mark("late")); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v, want errClosed", err)
	}
}

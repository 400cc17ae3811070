package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// postgresDSN is a fresh database with the schema.
func postgresDSN(t testing.TB) string {
	return pgtest.Migrated(t, func(ctx context.Context, dsn string) error { return Migrate(ctx, dsn, Options{}) })
}

// openTest opens a database and closes it when the test ends.
func openTest(t *testing.T, database string) *DB {
	t.Helper()
	db, err := Open(t.Context(), database, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// newTenant makes a tenant with one company.
func newTenant(t *testing.T, db *DB, name string) directory.TenantNo {
	t.Helper()
	var no directory.TenantNo
	err := db.Update(t.Context(), func(tx directory.Tx) error {
		var err error
		if no, err = tx.InsertTenant(t.Context(), directory.Tenant{ID: name, Name: name}); err != nil {
			return err
		}
		return tx.InsertCompany(t.Context(), directory.Company{Tenant: no, Number: 1, ID: "1", Path: []int64{1}, Name: "Company"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return no
}

func TestErrorClasses(t *testing.T) {
	for _, c := range []struct {
		err  error
		want class
	}{
		{&pgconn.PgError{Code: "23505"}, classDuplicate},
		{&pgconn.PgError{Code: "40001"}, classAgain},
		{&pgconn.PgError{Code: "40P01"}, classAgain},
		{&pgconn.PgError{Code: "08006"}, classConnection},
		{&pgconn.PgError{Code: "57P01"}, classConnection},
		{&pgconn.PgError{Code: "57P03"}, classConnection},
		{&pgconn.PgError{Code: "25006"}, classConnection}, // a standby
		{&pgconn.PgError{Code: "42601"}, classOther},
		{&pgconn.PgError{Code: "23514"}, classOther},
		{io.ErrUnexpectedEOF, classConnection},
		{fmt.Errorf("read: %w", io.EOF), classConnection},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, classConnection},
		{sql.ErrConnDone, classConnection},
		{driver.ErrBadConn, classConnection}, // found when a transaction begins on a connection that is held
		{errors.New("anything else"), classOther},
		{directory.ErrNotFound, classOther},
	} {
		if got := errorClass(c.err); got != c.want {
			t.Errorf("errorClass(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

// TestDeadlockIsRetried lets two transactions take two counters crosswise.
func TestDeadlockIsRetried(t *testing.T) {
	db := openTest(t, postgresDSN(t))
	var both sync.WaitGroup
	both.Add(2)
	var runs atomic.Int64
	cross := func(first, second string) error {
		met := sync.OnceFunc(func() { both.Done(); both.Wait() })
		return db.Update(context.Background(), func(dt directory.Tx) error {
			runs.Add(1)
			q := dt.(*tx).q
			if _, err := drawNumbers(context.Background(), q, 1, first, 1); err != nil {
				return err
			}
			met()
			_, err := drawNumbers(context.Background(), q, 1, second, 1)
			return err
		})
	}
	done := make(chan error, 2)
	go func() { done <- cross("a", "b") }()
	go func() { done <- cross("b", "a") }()
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	if n := runs.Load(); n < 3 {
		t.Errorf("%d runs: there was no deadlock to retry", n)
	}
	var next int64
	err := db.Read(t.Context(), func(r directory.Reader) error {
		return r.(*reader).q.query(t.Context(), "SELECT sum(next)::bigint FROM numbers WHERE tenant = 1", nil, func(r *row) { next = r.int() })
	})
	if err != nil || next != 6 { // two kinds, each from 1, drawn twice
		t.Errorf("counters add up to %d (%v), want 6", next, err)
	}
}

func TestConnectionLostBeforeCommitIsRetried(t *testing.T) {
	db := openTest(t, postgresDSN(t))
	runs := 0
	err := db.Update(t.Context(), func(dt directory.Tx) error {
		runs++
		if _, err := drawNumbers(t.Context(), dt.(*tx).q, 1, "a", 1); err != nil {
			return err
		}
		if runs == 1 {
			return raw(dt, "SELECT pg_terminate_backend(pg_backend_pid())")
		}
		return nil
	})
	if err != nil || runs != 2 {
		t.Errorf("%d runs, %v; want success at the second", runs, err)
	}
}

func TestServerThatRestartsIsFoundAgain(t *testing.T) {
	db := openTest(t, postgresDSN(t))
	no := newTenant(t, db, "before")
	pgtest.Restart(t)
	if err := db.Update(t.Context(), func(tx directory.Tx) error { _, err := tx.LockTenant(t.Context(), no); return err }); err != nil {
		t.Errorf("Update after a restart: %v", err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("Ping after a restart: %v", err)
	}
}

// brokenCommit is a proxy before the server that ends the connection at the
// first COMMIT that it sees: after the server has executed it, or before the
// server gets it.
type brokenCommit struct {
	net.Listener
	socket  string
	execute bool
	once    sync.Once
	hit     atomic.Bool
}

func newBrokenCommit(t *testing.T, dsn string, execute bool) (proxied string, proxy *brokenCommit) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &brokenCommit{Listener: listener, socket: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"), execute: execute}
	t.Cleanup(func() { p.Close() })
	go p.serve()
	return "postgres://postgres@" + listener.Addr().String() + u.Path + "?sslmode=disable", p
}

func (p *brokenCommit) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.socket)
		if err != nil {
			client.Close()
			continue
		}
		answers := make(chan struct{}, 1)
		var cut atomic.Bool
		go func() {
			defer client.Close()
			buf := make([]byte, 64<<10)
			for {
				n, err := server.Read(buf)
				if cut.Load() {
					answers <- struct{}{}
					return
				}
				if err != nil {
					return
				}
				client.Write(buf[:n])
			}
		}()
		go p.forward(client, server, &cut, answers)
	}
}

// forward sends what the client says, up to the first COMMIT.
func (p *brokenCommit) forward(client, server net.Conn, cut *atomic.Bool, answers <-chan struct{}) {
	defer server.Close()
	defer client.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if bytes.Contains(buf[:n], []byte("commit\x00")) {
			broken := false
			p.once.Do(func() { broken = true })
			if broken {
				p.hit.Store(true)
				cut.Store(true)
				if p.execute {
					server.Write(buf[:n])
					<-answers
				}
				return
			}
		}
		server.Write(buf[:n])
	}
}

func TestLostAnswerToCommit(t *testing.T) {
	for _, c := range []struct {
		name          string
		execute       bool
		event         bool
		runs          int
		reason        directory.Reason
		wantCommitted int64
	}{
		{name: "committed and found", execute: true, event: true, runs: 1, wantCommitted: 1},
		{name: "not committed and run again", event: true, runs: 2, wantCommitted: 1},
		{name: "nothing to look for", execute: true, runs: 1, reason: directory.ReasonOutcomeUnknown, wantCommitted: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dsn := postgresDSN(t)
			direct := openTest(t, dsn)
			no := newTenant(t, direct, "lost")
			proxied, proxy := newBrokenCommit(t, dsn, c.execute)
			db := openTest(t, proxied)
			runs := 0
			err := db.Update(t.Context(), func(tx directory.Tx) error {
				runs++
				if err := tx.InsertLockReason(t.Context(), directory.LockReason{Tenant: no, Number: int64(runs), Company: 1, Name: fmt.Sprint(runs)}); err != nil {
					return err
				}
				if !c.event {
					return nil
				}
				return tx.InsertEvent(t.Context(), directory.Event{Tenant: no, ID: "e", Type: directory.EventLockReasonCreated})
			})
			if !proxy.hit.Load() {
				t.Fatal("no COMMIT was cut off")
			}
			if c.reason == "" && err != nil || c.reason != "" && (!directory.IsReason(err, c.reason) || directory.CodeOf(err) != directory.CodeUnavailable) {
				t.Errorf("got %v, want reason %q", err, c.reason)
			}
			if runs != c.runs {
				t.Errorf("%d runs, want %d", runs, c.runs)
			}
			var committed int64
			err = direct.Read(t.Context(), func(r directory.Reader) error {
				list, err := r.LockReasons(t.Context(), no, 1)
				committed = int64(len(list))
				return err
			})
			if err != nil || committed != c.wantCommitted {
				t.Errorf("the change is there %d times (%v), want %d", committed, err, c.wantCommitted)
			}
		})
	}
}

func TestNumbersOfTwoProcesses(t *testing.T) {
	dsn := postgresDSN(t)
	a, b := openTest(t, dsn), openTest(t, dsn)
	no := newTenant(t, a, "numbers")
	draw := func(db *DB) (n int64) {
		err := db.Update(t.Context(), func(tx directory.Tx) error {
			var err error
			n, err = tx.NextNumber(t.Context(), no, directory.NumberUser)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	seen := make(map[int64]bool)
	for range 2 * blockSize {
		for _, db := range []*DB{a, b} {
			n := draw(db)
			if n < 1 || seen[n] {
				t.Fatalf("drew %d: below 1 or drawn before", n)
			}
			seen[n] = true
		}
	}
	// Raised and drawn in one closure: it must not wait for itself.
	err := a.Update(t.Context(), func(tx directory.Tx) error {
		if err := tx.RaiseNumber(t.Context(), no, directory.NumberUser, 5000); err != nil {
			return err
		}
		n, err := tx.NextNumber(t.Context(), no, directory.NumberUser)
		if n <= 5000 {
			t.Errorf("drew %d after 5000 was preset", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range blockSize + 1 { // the other process uses up its block first
		draw(b)
	}
	if n := draw(b); n <= 5000 {
		t.Errorf("another process drew %d after its block, with 5000 preset", n)
	}
}

func TestPostgresNeedsMigration(t *testing.T) {
	dsn := pgtest.Database(t)
	if db, err := Open(t.Context(), dsn, Options{Migrate: true}); !errors.Is(err, ErrNeedsMigration) {
		t.Errorf("Open of an empty database: %v, %v; want ErrNeedsMigration", db, err)
	}
	done := make(chan error, 3)
	for range 3 {
		go func() { done <- Migrate(context.Background(), dsn, Options{}) }()
	}
	if err := errors.Join(<-done, <-done, <-done); err != nil {
		t.Errorf("three that migrate at once: %v", err)
	}
	openTest(t, dsn)
}

func TestMigrateWithoutRightsSaysWhatToDo(t *testing.T) {
	dsn := pgtest.Database(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := "limited_" + filepath.Base(u.Path)
	for _, statement := range []string{"CREATE ROLE " + name + " LOGIN", "GRANT CREATE ON SCHEMA public TO " + name} {
		if _, err := admin.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := admin.Close(); err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("user", name)
	u.RawQuery = q.Encode()
	err = Migrate(t.Context(), u.String(), Options{})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("CREATE EXTENSION pg_trgm")) {
		t.Errorf("got %v, want that it names the statement to run", err)
	}
}

func TestStandbyIsNotThePrimary(t *testing.T) {
	config, err := postgresConfig("postgres://u@one:5432,two:5432/db")
	if err != nil {
		t.Fatal(err)
	}
	if config.ValidateConnect == nil {
		t.Error("of several hosts, one that refuses writes would be used")
	}
}

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// quiet is a logger of errors that are expected.
var quiet = slog.New(slog.DiscardHandler)

func anEvent(no directory.TenantNo, id string) directory.Event {
	return directory.Event{Tenant: no, ID: id, Type: directory.EventUserUpdated, User: 1, Time: time.Unix(1, 0), Salt: []byte("salt"), Payload: []byte("{}")}
}

func addEvent(t *testing.T, s directory.Store, no directory.TenantNo, id string) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx directory.Tx) error { return tx.InsertEvent(t.Context(), anEvent(no, id)) }); err != nil {
		t.Fatal(err)
	}
}

// wholeChain reads a tenant's events and fails unless they are a chain from the
// first to the head.
func wholeChain(t *testing.T, s directory.Store, no directory.TenantNo) (list []directory.Event) {
	t.Helper()
	err := s.View(t.Context(), func(r directory.Reader) error {
		head, err := r.ChainHead(t.Context(), no)
		if err != nil {
			return err
		}
		list, err = r.Events(t.Context(), no, 0, 100_000)
		end := directory.ChainHead{Tenant: no}
		for _, e := range list {
			again := e
			end.Append(&again)
			if again.Position != e.Position || !bytes.Equal(again.Hash, e.Hash) {
				t.Fatalf("event %d does not follow the one before it", e.Position)
			}
		}
		if end.Position != head.Position || !bytes.Equal(end.Hash, head.Hash) {
			t.Fatalf("the chain ends at %d, its head is at %d", end.Position, head.Position)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestHeadsAreReadAgainAfterAFailedCommit: how a COMMIT ended that failed is not
// sure, and neither is what the writer remembers.
func TestHeadsAreReadAgainAfterAFailedCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	db, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	no := newTenant(t, db, "one")
	conn, err := openSQLiteConn(sqliteDSN(path, sqliteWriter+"&_pragma=foreign_keys(1)"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"CREATE TABLE parents (id INTEGER PRIMARY KEY)",
		"CREATE TABLE children (id INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"} {
		if _, err := conn.exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	w := newWriter(newSQLiteEngine(), conn, Options{Logger: quiet}.withDefaults())
	defer w.close()
	write := func(id, sql string) error {
		return w.update(t.Context(), func(dt directory.Tx) error {
			return errors.Join(dt.InsertEvent(t.Context(), anEvent(no, id)), raw(dt, sql))
		})
	}
	if err := write("first", "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if err := write("lost", "INSERT INTO children (id) VALUES (1)"); err == nil {
		t.Fatal("the commit succeeded")
	}
	if got := wholeChain(t, db, no); len(got) != 1 {
		t.Fatalf("%d events after the commit that failed, want 1", len(got))
	}
	// Meanwhile somebody else makes the chain longer, as nobody does.
	other, head := anEvent(no, "other"), directory.ChainHead{}
	err = db.Update(t.Context(), func(dt directory.Tx) (err error) {
		if head, err = dt.ChainHead(t.Context(), no); err != nil {
			return err
		}
		return dt.InsertEvent(t.Context(), other)
	})
	if err != nil || head.Position != 1 {
		t.Fatal(head, err)
	}
	if err := write("second", "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if got := wholeChain(t, db, no); len(got) != 3 || got[2].ID != "second" {
		t.Errorf("%d events, want first, other and second", len(got))
	}
}

// earlierEvent is what a version writes that knows nothing of chains.
const earlierEvent = `INSERT INTO events (tenant, id, type, number, subject, door, actor, on_behalf_of, reason, request_id, at, salt, payload)
	VALUES ($1, $2, 'user.updated', 1, '', 1, '', '', 'why', '', 1, $3, $3)`

func TestEventsOfEarlierVersionsAreSealed(t *testing.T) {
	const many = sealedAtOnce + 10
	want := func(t *testing.T, list []directory.Event, ids ...string) {
		t.Helper()
		if len(list) != many+len(ids) || list[0].ID != "0" || list[many-1].ID != fmt.Sprint(many-1) {
			t.Fatalf("%d events have a position, want %d", len(list), many+len(ids))
		}
		for i, id := range ids {
			if list[many+i].ID != id {
				t.Errorf("event %d is %s, want %s", many+i, list[many+i].ID, id)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
		db, err := Open(t.Context(), database, Options{Migrate: true, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		one, two := newTenant(t, db, "one"), newTenant(t, db, "two")
		err = db.Update(t.Context(), func(dt directory.Tx) (err error) {
			for i := range many {
				for _, no := range []directory.TenantNo{one, two} {
					_, e := dt.(*tx).q.exec(t.Context(), earlierEvent, int64(no), fmt.Sprint(i), []byte("x"))
					err = errors.Join(err, e)
				}
			}
			return err
		})
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if db, err = Open(t.Context(), database, Options{Logger: quiet}); err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		addEvent(t, db, one, "new")
		want(t, wholeChain(t, db, one), "new")
		want(t, wholeChain(t, db, two))
	})
	t.Run("postgres", func(t *testing.T) {
		db := openTest(t, postgresDSN(t))
		one, two := newTenant(t, db, "one"), newTenant(t, db, "two")
		early := func(no directory.TenantNo, id string) {
			if _, err := (sqlQuerier{run: db.Store.(*postgresDB).pool}).exec(t.Context(), earlierEvent, int64(no), id, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		for i := range many {
			if i%3 == 0 { // both versions are at work
				addEvent(t, db, one, fmt.Sprint(i))
			} else {
				early(one, fmt.Sprint(i))
			}
		}
		early(two, "0")
		if err := errors.Join(db.Seal(t.Context(), one), db.Seal(t.Context(), two)); err != nil {
			t.Fatal(err)
		}
		early(one, "later")
		addEvent(t, db, one, "new")
		if err := db.Seal(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		want(t, wholeChain(t, db, one), "later", "new")
		if got := wholeChain(t, db, two); len(got) != 1 {
			t.Errorf("%d events of the other tenant, want 1", len(got))
		}
	})
}

// TestSealingSurvivesKills ends all connections of a server again and again while
// it writes and seals: what was answered is in the chain, once and in order.
func TestSealingSurvivesKills(t *testing.T) {
	dsn := postgresDSN(t)
	killer := openTest(t, dsn)
	no := newTenant(t, killer, "one")
	db, err := Open(t.Context(), dsn, Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var position atomic.Int64
	grown, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- db.Follow(ctx, func(_ directory.TenantNo, at int64) {
			position.Store(at)
			select {
			case grown <- struct{}{}:
			default:
			}
		})
	}()
	const events = 120
	for i := range events {
		addEvent(t, db, no, fmt.Sprint(i))
		if i%10 == 0 {
			kill := `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
				AND application_name = 'usher'`
			if _, err := (sqlQuerier{run: killer.Store.(*postgresDB).pool}).exec(t.Context(), kill); err != nil {
				t.Fatal(err)
			}
		}
	}
	for position.Load() < events {
		<-grown
	}
	for i, e := range wholeChain(t, killer, no) {
		if e.ID != fmt.Sprint(i) {
			t.Fatalf("event %s is at %d", e.ID, e.Position)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestOutcomeIsFoundBeforeAndAfterSealing: the event that tells whether a COMMIT
// happened moves.
func TestOutcomeIsFoundBeforeAndAfterSealing(t *testing.T) {
	db := openTest(t, postgresDSN(t))
	no := newTenant(t, db, "one")
	addEvent(t, db, no, "there")
	var waiting []directory.Event
	err := db.Read(t.Context(), func(r directory.Reader) (err error) {
		waiting, err = r.UnsealedEvents(t.Context(), no, 10)
		return err
	})
	if err != nil || len(waiting) != 1 {
		t.Fatal(waiting, err)
	}
	for _, sealed := range []bool{false, true} {
		if sealed {
			if err := db.Seal(t.Context(), no); err != nil {
				t.Fatal(err)
			}
		}
		for id, want := range map[string]bool{"there": true, "not there": false} {
			found, err := db.Store.(*postgresDB).outcome(t.Context(), committedEvent{tenant: no, seq: waiting[0].Seq, id: id})
			if err != nil || found != want {
				t.Errorf("sealed %t: %q is found: %t (%v)", sealed, id, found, err)
			}
		}
	}
}

// TestLogForgetsErased: SQLite's log holds what was written before, until it is cut.
func TestLogForgetsErased(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	db, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	engine := db.Store.(*sqliteDB)
	close(engine.points.stop) // its ticks would race with the test
	<-engine.points.stopped
	no := newTenant(t, db, "one")
	traces := func() (n int) {
		for _, name := range []string{path, path + "-wal"} {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			n += bytes.Count(data, []byte("what was said"))
		}
		return n
	}
	write := func(id string) {
		e := anEvent(no, id)
		e.Payload = []byte("what was said")
		if err := db.Update(t.Context(), func(tx directory.Tx) error { return tx.InsertEvent(t.Context(), e) }); err != nil {
			t.Fatal(err)
		}
		engine.points.checkpoint("PASSIVE")
		if traces() == 0 {
			t.Fatal("what was written is nowhere")
		}
	}
	erase := func() {
		if err := db.Update(t.Context(), func(tx directory.Tx) error { return tx.EraseEvents(t.Context(), no, 1) }); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	erase()
	engine.points.forgetErased()
	if n := traces(); n != 0 {
		t.Errorf("the files hold what was erased %d times", n)
	}
	write("two")
	err = db.View(t.Context(), func(r directory.Reader) error { // keeps the log from being cut
		if _, err := r.Events(t.Context(), no, 0, 1); err != nil {
			return err
		}
		erase()
		engine.points.forgetErased()
		if traces() == 0 {
			t.Error("the log was cut while somebody reads")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	addEvent(t, db, no, "three") // its batch ends with what was asked for
	addEvent(t, db, no, "four")  // and this one comes behind it
	if n := traces(); n != 0 {
		t.Errorf("the files hold what was erased %d times after the batch", n)
	}
	engine.points.stop = make(chan struct{}) // for Close to close
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

func TestOneProcessOwnsTheFile(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	db, err := Open(t.Context(), database, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := Open(t.Context(), database, Options{Migrate: true}); !errors.Is(err, ErrOwned) {
		t.Errorf("a second Open: %v, %v; want ErrOwned", second, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	openTest(t, database)
}

func TestOpenDoesNotMakeAFileThatItMayNotMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	if _, err := Open(t.Context(), "sqlite:"+path, Options{}); !errors.Is(err, ErrNeedsMigration) {
		t.Errorf("got %v, want ErrNeedsMigration", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "sqlite:"+path, Options{}); !errors.Is(err, ErrNeedsMigration) {
		t.Errorf("an empty file: %v, want ErrNeedsMigration", err)
	}
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	if err := os.WriteFile(path, []byte("this is a text, and a long one, so that it has a header"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, database := range []string{"sqlite:" + path, "sqlite:", "mysql://host/db", "usher.db"} {
		if db, err := Open(t.Context(), database, Options{Migrate: true}); err == nil {
			t.Errorf("Open(%q) succeeded: %v", database, db)
		}
	}
	// A file that could not be opened is not owned for ever.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheOwnerReadsTheFiles(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(dir, "a name with ? and % and ü.db"), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	newTenant(t, db, "files")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 { // the database, its log, its shared memory, the lock
		t.Errorf("%d files, want 4", len(entries))
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if entries, err = os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("after Close: %v, %v; want the database and the lock", entries, err)
	}
}

// TestCopyBeforeMigration copies a database with data, as Open does when a
// migration is pending.
func TestCopyBeforeMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	db, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	no := newTenant(t, db, "kept")
	engine := db.Store.(*sqliteDB)
	if err := engine.copyBefore(t.Context(), latestMigration("sqlite")); err != nil {
		t.Fatal(err)
	}
	// A copy that is left from an earlier attempt is replaced.
	if err := engine.copyBefore(t.Context(), latestMigration("sqlite")); err != nil {
		t.Fatal(err)
	}
	if err := engine.copyBefore(t.Context(), latestMigration("sqlite")+1); err == nil {
		t.Error("a copy of another version passed the check")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	copies, err := filepath.Glob(path + ".before-????")
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies: %v, %v", copies, err)
	}
	old := openTest(t, "sqlite:"+copies[0])
	err = old.Read(t.Context(), func(r directory.Reader) error {
		tenant, err := r.Tenant(t.Context(), no)
		if tenant.Name != "kept" {
			t.Errorf("the copy has tenant %q", tenant.Name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCopyIsPrivateFromItsFirstByte: a copy has every password hash, also while
// it is being checked and when it does not pass.
func TestCopyIsPrivateFromItsFirstByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	if err := Migrate(t.Context(), "sqlite:"+path, Options{}); err != nil {
		t.Fatal(err)
	}
	db := openTest(t, "sqlite:"+path)
	if err := db.Store.(*sqliteDB).copyBefore(t.Context(), latestMigration("sqlite")+1); err == nil {
		t.Fatal("a copy of another version passed the check")
	}
	left, err := filepath.Glob(path + ".before-*")
	if err != nil || len(left) != 1 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	info, err := os.Stat(left[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v (%v), want one that only its owner may read", left[0], info.Mode(), err)
	}
}

// TestMergeOfTheSearchIndex fills the index batch by batch; the writer of the
// next process, from its start, merges it until there is nothing left to merge.
func TestMergeOfTheSearchIndex(t *testing.T) {
	const batches = 20 // fewer than make a merge under load
	w := newWriterTest(t, stopped)
	for n := int64(1); n <= batches; n++ {
		err := w.caught(func(dt directory.Tx) error {
			dt.(*tx).pending.document(rowID(1, n), searchChange{tenant: 1, document: (&directory.User{GivenName: "Anna"}).SearchDocument()})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	segments := func() int64 { return w.number("SELECT count(DISTINCT segid) FROM user_search_idx") }
	before := segments()
	if before != batches {
		t.Fatalf("%d segments: each of %d batches should have added one", before, batches)
	}
	if err := w.close(); err != nil { // from here on the test is the writer
		t.Fatal(err)
	}
	conn, err := openSQLiteConn(sqliteDSN(w.path, sqliteWriter))
	if err != nil {
		t.Fatal(err)
	}
	idle := restingWriter(w.engine, conn, Options{Logger: w.log})
	for idle.mergeIdle() {
		continue
	}
	var after, found int64
	for sql, n := range map[string]*int64{
		"SELECT count(DISTINCT segid) FROM user_search_idx":                 &after,
		`SELECT count(*) FROM user_search WHERE user_search MATCH '"anna"'`: &found,
	} {
		if err := conn.query(t.Context(), sql, nil, func(r *row) { *n = r.int() }); err != nil {
			t.Fatal(err)
		}
	}
	if after >= before || after > 4 || found != batches {
		t.Errorf("%d segments before, %d after; %d users found, want %d", before, after, found, batches)
	}
	if err := conn.close(); err != nil {
		t.Error(err)
	}
}

// TestLogBeginsAnew proves that a writer that was asked to catch up begins the
// log anew, so that its file does not grow for as long as there is load.
func TestLogBeginsAnew(t *testing.T) {
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	engine := db.Store.(*sqliteDB)
	close(engine.points.stop) // its ticks would race with the test
	<-engine.points.stopped
	for i := range 20 {
		newTenant(t, db, fmt.Sprint("before-", i))
	}
	_, long := engine.points.checkpoint("PASSIVE")
	engine.writer.catchUp.Store(true)
	newTenant(t, db, "asks") // its batch ends with what was asked for
	newTenant(t, db, "begins-anew")
	if _, short := engine.points.checkpoint("PASSIVE"); short >= long {
		t.Errorf("the log had %d pages and has %d", long, short)
	}
	engine.points.stop = make(chan struct{}) // for Close to close
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestCheckpointEmptiesTheLog writes and closes, which is the last checkpoint.
func TestCheckpointEmptiesTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	db, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	newTenant(t, db, "log")
	points := db.Store.(*sqliteDB).points
	close(points.stop) // its ticks would race with the test
	<-points.stopped
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Errorf("the log before: %v, %v", info, err)
	}
	if all, _ := points.checkpoint("TRUNCATE"); !all {
		t.Error("the checkpoint did not copy everything")
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log after: %v, %v", info, err)
	}
	points.stop = make(chan struct{}) // for Close to close
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

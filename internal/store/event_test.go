package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// TestEraseLeavesNoContents looks into the files below the interface: whoever has
// them finds nothing of what was erased, or trimmed, in the tables of events nor
// in what SQLite has freed.
func TestEraseLeavesNoContents(t *testing.T) {
	eachEngine(t, func(t *testing.T, database string) {
		db := open(t, database, store.Options{})
		no := insertTenant(t, db)
		var events []directory.Event
		for i, size := range []int{1, 300, 9_000, 70_000} {
			for _, user := range []int64{1, 2} {
				events = append(events, directory.Event{Tenant: no, ID: fmt.Sprint(user, i), Type: directory.EventUserUpdated, User: user, Time: noon,
					Reason: "because of " + erasedMark, Salt: []byte("salt"), Payload: []byte(strings.Repeat(erasedMark+" ", size))})
			}
		}
		update(t, db, func(ctx context.Context, tx directory.Tx) (err error) {
			for _, e := range events {
				err = errors.Join(err, tx.InsertEvent(ctx, e))
			}
			return err
		})
		if err := db.Seal(t.Context(), no); err != nil {
			t.Fatal(err)
		}
		update(t, db, func(ctx context.Context, tx directory.Tx) error {
			_, err := tx.IndexEvents(ctx, no, 3)
			return err
		})
		if found := eventContents(t, database); found != 8 {
			t.Fatalf("before the erasure %d events show what is to be erased, want 8", found)
		}
		update(t, db, func(ctx context.Context, tx directory.Tx) error { return tx.EraseEvents(ctx, no, 1) })
		if found := eventContents(t, database); found != 4 {
			t.Fatalf("after the erasure of one of two users %d events show what they said, want 4", found)
		}
		update(t, db, func(ctx context.Context, tx directory.Tx) error {
			_, err := tx.TrimEvents(ctx, no, 8, 100)
			return err
		})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
			wantNoTrace(t, path)
		}
	})
}

// wantNoTrace fails if a file of a database holds what was erased.
func wantNoTrace(t *testing.T, path string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(data, []byte(erasedMark)); n > 0 {
			t.Errorf("%s holds what was erased %d times", filepath.Base(name), n)
		}
	}
}

// eventContents counts the rows of events that hold the mark.
func eventContents(t *testing.T, database string) (n int) {
	t.Helper()
	driver, dsn, tables := "pgx", database, []string{"events", "events_new"}
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn, tables = "sqlite", path, []string{"events"}
	}
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, table := range tables {
		for _, row := range column(t, pool, "SELECT * FROM "+table) {
			if strings.Contains(row, erasedMark) {
				n++
			}
		}
	}
	return n
}

// TestAProcessFollowsOnce: two followers of one process would each miss what the
// other hears.
func TestAProcessFollowsOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, database string) {
		db := open(t, database, store.Options{})
		no := insertTenant(t, db)
		update(t, db, func(ctx context.Context, tx directory.Tx) error {
			return tx.InsertEvent(ctx, directory.Event{Tenant: no, ID: "one", Type: directory.EventUserUpdated, Time: noon})
		})
		for range 2 { // when one has ended another may
			ctx, cancel := context.WithCancel(t.Context())
			told, ended := make(chan int64, 10), make(chan error, 1)
			go func() { ended <- db.Follow(ctx, func(_ directory.TenantNo, position int64) { told <- position }) }()
			<-told
			if err := db.Follow(ctx, func(directory.TenantNo, int64) { t.Error("the second follower is told") }); err == nil {
				t.Error("there are two followers")
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

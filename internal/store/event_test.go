package store_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// TestPayloadCanBeErased empties the two columns that hold what an event says
// about a person, as erasing does: the rest of the event stays.
func TestPayloadCanBeErased(t *testing.T) {
	eachEngine(t, func(t *testing.T, database string) {
		db := open(t, database, store.Options{})
		no := insertTenant(t, db)
		want := directory.Event{Tenant: no, ID: "one", Type: directory.EventUserUpdated, User: 7, Subject: "subject", Door: directory.DoorIQmetrix,
			Actor: "key:k", OnBehalfOf: "user:1", Reason: "reason", RequestID: "r", Time: noon}
		update(t, db, func(ctx context.Context, tx directory.Tx) error {
			erased, kept := want, want
			erased.Salt, erased.Payload = []byte("salt"), []byte(erasedMark)
			kept.ID, kept.Payload = "two", []byte("{}")
			return errors.Join(tx.InsertEvent(ctx, erased), tx.InsertEvent(ctx, kept))
		})
		erasePayload(t, database)
		var got []directory.Event
		err := db.Read(t.Context(), func(r directory.Reader) (err error) {
			got, err = r.Events(t.Context(), no, 0, 10)
			return err
		})
		if err != nil || len(got) != 2 || string(got[1].Payload) != "{}" {
			t.Fatal(got, err)
		}
		want.Seq = got[0].Seq
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Errorf("the erased event (-want +got):\n%s", diff)
		}
	})
}

// erasePayload empties the payload of the event with the mark.
func erasePayload(t *testing.T, database string) {
	t.Helper()
	driver, dsn := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	result, err := pool.ExecContext(t.Context(), "UPDATE events SET salt = NULL, payload = NULL WHERE payload = $1", []byte(erasedMark))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

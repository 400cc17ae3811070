package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/usher-id/usher/internal/directory"
)

// bothEngines runs fn on a fresh database of each.
func bothEngines(t *testing.T, fn func(t *testing.T, db *DB, no directory.TenantNo)) {
	t.Run("sqlite", func(t *testing.T) {
		db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), Options{Migrate: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		fn(t, db, newTenant(t, db, "part"))
	})
	t.Run("postgres", func(t *testing.T) {
		db := openTest(t, postgresDSN(t))
		fn(t, db, newTenant(t, db, "part"))
	})
}

// refusedSQL fails in both engines: no seat is used less than not at all.
const refusedSQL = "INSERT INTO licence_shards (tenant, type, shard, total, used) VALUES (1, 'x', 0, 1, -1)"

// TestPartAfterFailedStatement: after a statement fails, PostgreSQL refuses all
// others and SQLite's connection does. A part ends that, also if its function
// says nothing of it.
func TestPartAfterFailedStatement(t *testing.T) {
	bothEngines(t, func(t *testing.T, db *DB, no directory.TenantNo) {
		runs := 0
		err := db.Update(t.Context(), func(dt directory.Tx) error {
			runs++
			x := dt.(*tx)
			for number := int64(1); number <= 6; number++ {
				err := x.Try(t.Context(), func() error {
					if err := x.RaiseNumber(t.Context(), no, "drawn in a part", number); err != nil {
						return err
					}
					if err := x.InsertUser(t.Context(), directory.User{Tenant: no, Number: number, ID: string(rune('a' + number)), State: directory.StateActive, Company: 1}); err != nil {
						return err
					}
					switch number % 3 {
					case 0:
						_, err := x.q.exec(t.Context(), refusedSQL)
						return err
					case 1:
						_, _ = x.q.exec(t.Context(), refusedSQL)
					}
					return nil
				})
				if (err != nil) != (number%3 < 2) {
					t.Errorf("part %d: error %v", number, err)
				}
			}
			return nil
		})
		if err != nil || runs != 1 {
			t.Fatalf("after %d runs: %v", runs, err)
		}
		wantNumbers(t, db, no, 2, 5)
	})
}

// wantNumbers compares the users that are there, and their total.
func wantNumbers(t *testing.T, db *DB, no directory.TenantNo, want ...int64) {
	t.Helper()
	err := db.View(t.Context(), func(r directory.Reader) error {
		users, err := r.Users(t.Context(), no, directory.UserQuery{Limit: 100})
		if err != nil {
			return err
		}
		total, err := r.UserTotal(t.Context(), no, 1, directory.LivingStates)
		if len(users) != len(want) || total != int64(len(want)) {
			t.Fatalf("%d users, total %d, want %v", len(users), total, want)
		}
		for i, number := range want {
			if users[i].Number != number {
				t.Errorf("user %d is there, want %d", users[i].Number, number)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPartPanics: a panic in a part is one in the closure.
func TestPartPanics(t *testing.T) {
	bothEngines(t, func(t *testing.T, db *DB, no directory.TenantNo) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is gone")
				}
			}()
			_ = db.Update(t.Context(), func(dt directory.Tx) error {
				return dt.Try(t.Context(), func() error { panic("in a part") })
			})
		}()
		err := db.Update(t.Context(), func(dt directory.Tx) error {
			return dt.InsertUser(t.Context(), directory.User{Tenant: no, Number: 1, ID: "1", State: directory.StateActive, Company: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, db, no, 1)
	})
}

// TestPartDeadlock: who swallows the error of a part cannot know that all of the
// transaction must run again.
func TestPartDeadlock(t *testing.T) {
	db := openTest(t, postgresDSN(t))
	no := newTenant(t, db, "part")
	runs := 0
	err := db.Update(t.Context(), func(dt directory.Tx) error {
		runs++
		if err := dt.InsertUser(t.Context(), directory.User{Tenant: no, Number: int64(runs), ID: "1", State: directory.StateActive, Company: 1}); err != nil {
			return err
		}
		_ = dt.Try(t.Context(), func() error {
			_ = dt.Try(t.Context(), func() error {
				if runs == 1 {
					return &pgconn.PgError{Code: "40P01"}
				}
				return nil
			})
			return nil
		})
		return nil
	})
	if err != nil || runs != 2 {
		t.Fatalf("after %d runs: %v", runs, err)
	}
	wantNumbers(t, db, no, 2)
}

// TestPartOfCancelled: on PostgreSQL a context that ends takes the connection
// with it, whatever becomes of the part's error.
func TestPartOfCancelled(t *testing.T) {
	db := openTest(t, postgresDSN(t))
	no := newTenant(t, db, "part")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := db.Update(ctx, func(dt directory.Tx) error {
		if err := dt.InsertUser(ctx, directory.User{Tenant: no, Number: 1, ID: "1", State: directory.StateActive, Company: 1}); err != nil {
			return err
		}
		_ = dt.Try(ctx, func() error {
			cancel()
			_, err := dt.Tenant(ctx, no)
			return err
		})
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	wantNumbers(t, db, no)
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/store/storetest"
)

// processes is one database opened several times, as by several servers. Each
// call goes to the next of them.
type processes struct {
	list []*store.DB
	next atomic.Uint64
}

func (p *processes) one() *store.DB { return p.list[p.next.Add(1)%uint64(len(p.list))] }

func (p *processes) Read(ctx context.Context, fn func(directory.Reader) error) error {
	return p.one().Read(ctx, fn)
}

func (p *processes) View(ctx context.Context, fn func(directory.Reader) error) error {
	return p.one().View(ctx, fn)
}

func (p *processes) Update(ctx context.Context, fn func(directory.Tx) error) error {
	return p.one().Update(ctx, fn)
}

func (p *processes) Seal(ctx context.Context, t directory.TenantNo) error {
	return p.one().Seal(ctx, t)
}

// Follow lets every process seal and tell.
func (p *processes) Follow(ctx context.Context, grown func(directory.TenantNo, int64)) error {
	errs := make([]error, len(p.list))
	var wg sync.WaitGroup
	for i, db := range p.list {
		wg.Go(func() { errs[i] = db.Follow(ctx, grown) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (p *processes) Ping(ctx context.Context) error { return p.one().Ping(ctx) }

func (p *processes) Close() error {
	for _, db := range p.list {
		if err := db.Close(); err != nil {
			return err
		}
	}
	return nil
}

func openProcesses(t *testing.T) directory.Store {
	t.Helper()
	dsn := postgresDSN(t)
	p := &processes{}
	for range 3 {
		p.list = append(p.list, open(t, dsn, store.Options{}))
	}
	return p
}

// TestPostgresProcesses: no process keeps state that another needs.
func TestPostgresProcesses(t *testing.T)            { storetest.RunShared(t, openProcesses) }
func TestPostgresProcessesConcurrency(t *testing.T) { storetest.RunConcurrency(t, openProcesses) }

// eachEngine runs a test with the database URL of an empty, migrated database.
func eachEngine(t *testing.T, run func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		database := sqlitePath(t)
		if err := store.Migrate(t.Context(), database, store.Options{}); err != nil {
			t.Fatal(err)
		}
		run(t, database)
	})
	t.Run("postgres", func(t *testing.T) { run(t, postgresDSN(t)) })
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)

func plainUser(t directory.TenantNo, number int64) directory.User {
	return directory.User{Tenant: t, Number: number, ID: uuid.NewString(), State: directory.StateActive,
		UserName: fmt.Sprint("user", number), FamilyName: "Durable", Company: 1, Version: 1, DoorVersion: 1, CreatedAt: noon, UpdatedAt: noon}
}

// update runs a transaction that must succeed.
func update(t *testing.T, db directory.Store, fn func(ctx context.Context, tx directory.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx directory.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func insertTenant(t *testing.T, db directory.Store) directory.TenantNo {
	t.Helper()
	var no directory.TenantNo
	update(t, db, func(ctx context.Context, tx directory.Tx) error {
		var err error
		no, err = tx.InsertTenant(ctx, directory.Tenant{ID: uuid.NewString(), Name: "durable", Doors: directory.AllDoors, Version: 1, CreatedAt: noon})
		if err != nil {
			return err
		}
		return tx.InsertCompany(ctx, directory.Company{Tenant: no, Number: 1, ID: uuid.NewString(), Path: []int64{1}, Name: "Root", Version: 1, CreatedAt: noon})
	})
	return no
}

// remembered is what a database has to know after it was closed and opened.
type remembered struct {
	Users  []directory.User
	Found  []directory.User
	Total  int64
	Events []directory.Event
	Pool   directory.Pool
}

func remember(t *testing.T, db directory.Store, no directory.TenantNo) (m remembered) {
	t.Helper()
	if err := db.Seal(t.Context(), no); err != nil {
		t.Fatalf("Seal: %v", err)
	}
	err := db.View(t.Context(), func(r directory.Reader) (err error) {
		if m.Users, err = r.Users(t.Context(), no, directory.UserQuery{Limit: 1000}); err != nil {
			return err
		}
		if m.Found, err = r.Users(t.Context(), no, directory.UserQuery{Terms: []string{"durab", "us"}, Limit: 1000}); err != nil {
			return err
		}
		if m.Total, err = r.UserTotal(t.Context(), no, 1, directory.LivingStates); err != nil {
			return err
		}
		if m.Events, err = r.Events(t.Context(), no, 0, 1000); err != nil {
			return err
		}
		m.Pool, err = r.Pool(t.Context(), no, "Full")
		return err
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	return m
}

// TestUpdateIsDurable closes and opens a database several times: everything
// that was answered is there, and no number is drawn twice.
func TestUpdateIsDurable(t *testing.T) {
	eachEngine(t, func(t *testing.T, database string) {
		var no directory.TenantNo
		var before remembered
		for opening := range 4 {
			db := open(t, database, store.Options{})
			if opening == 0 {
				no = insertTenant(t, db)
				update(t, db, func(ctx context.Context, tx directory.Tx) error { return tx.SetPool(ctx, no, "Full", 100) })
			} else if diff := cmp.Diff(before, remember(t, db, no)); diff != "" {
				t.Fatalf("opening %d: (-before +after)\n%s", opening, diff)
			}
			for range 5 {
				update(t, db, func(ctx context.Context, tx directory.Tx) error { return writeDurable(ctx, tx, no) })
			}
			before = remember(t, db, no)
			if want := int64(opening+1) * 5; before.Total != want || len(before.Found) != int(want) || before.Pool.Used != want || len(before.Events) != int(want) {
				t.Fatalf("opening %d: total %d, found %d, seats %d, events %d; want %d", opening, before.Total, len(before.Found), before.Pool.Used, len(before.Events), want)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// writeDurable makes a user with a drawn number, a seat and an event. A number
// that was drawn before is a duplicate, which fails.
func writeDurable(ctx context.Context, tx directory.Tx, no directory.TenantNo) error {
	number, err := tx.NextNumber(ctx, no, directory.NumberUser)
	if err != nil {
		return err
	}
	if err := tx.InsertUser(ctx, plainUser(no, number)); err != nil {
		return err
	}
	if seat, err := tx.TakeSeat(ctx, no, "Full"); err != nil || seat == 0 {
		return fmt.Errorf("seat %d: %w", seat, err)
	}
	return tx.InsertEvent(ctx, directory.Event{Tenant: no, ID: uuid.NewString(), Type: directory.EventUserCreated, User: number, Time: noon})
}

// TestStartedFnIsNotCancelledOnSQLite: a cancelled statement would undo the
// changes of everybody in the batch.
func TestStartedFnIsNotCancelledOnSQLite(t *testing.T) {
	db := openSQLite(t)
	no := insertTenant(t, db)
	for number := int64(1); number <= 20; number++ {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Update(ctx, func(tx directory.Tx) error {
			cancel()
			return tx.InsertUser(ctx, plainUser(no, number))
		})
		if err != nil {
			t.Errorf("user %d: %v, want success", number, err)
		}
	}
	if m := totalOf(t, db, no); m != 20 {
		t.Errorf("%d users, want 20", m)
	}
}

func totalOf(t *testing.T, db directory.Store, no directory.TenantNo) (total int64) {
	t.Helper()
	err := db.Read(t.Context(), func(r directory.Reader) (err error) {
		total, err = r.UserTotal(t.Context(), no, 0, directory.LivingStates)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

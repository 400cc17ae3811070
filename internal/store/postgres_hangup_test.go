package store

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Callers who hang up in the middle of a look-up or a change cost no connection.
func TestPostgresKeepsTheConnectionsOfThoseWhoHangUp(t *testing.T) {
	dsn := postgresDSN(t)
	db, err := Open(t.Context(), dsn, Options{Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	tenant := newTenant(t, db, "hangers-up")
	pool := db.Store.(*postgresDB).pool
	connections := func() (list string) {
		err := pool.QueryRowContext(t.Context(), `SELECT string_agg(CAST(pid AS TEXT), ' ' ORDER BY pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'usher'`).Scan(&list)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	before := connections()
	work := map[string]func(ctx context.Context) error{
		"look-up": func(ctx context.Context) error {
			return db.Read(ctx, func(r directory.Reader) error { _, err := r.UserByNumber(ctx, tenant, 1); return err })
		},
		"snapshot": func(ctx context.Context) error {
			return db.View(ctx, func(r directory.Reader) error { _, err := r.Company(ctx, tenant, 1); return err })
		},
		"change": func(ctx context.Context) error {
			return db.Update(ctx, func(tx directory.Tx) error { _, err := tx.LockUser(ctx, tenant, 1); return err })
		},
	}
	for name, do := range work {
		for range 100 {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			_ = do(ctx) // done, not found or cancelled: whichever came first
			cancel()
		}
		if after := connections(); !strings.Contains(" "+after+" ", " "+before+" ") {
			t.Errorf("%s: the connections are %s, and were %s", name, after, before)
		}
	}
}

// A filter that a caller made up leaves no prepared statement behind, and whoever has
// gone before it began does not wait for its end.
func TestSQLiteForgetsLongFilters(t *testing.T) {
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := openSQLiteConn(sqliteDSN(db.Store.(*sqliteDB).path, sqliteReader))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.close()
	kept := len(conn.stmts)
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 20 {
		sql := fmt.Sprintf("SELECT count(*) FROM users u WHERE u.given_name = 'a%d'%s", i, strings.Repeat(" OR u.title = 'x'", 200))
		if err := conn.scan(ctx, sql, nil, func(*row) {}); err != nil {
			t.Fatal(err)
		}
	}
	if len(conn.stmts) > kept {
		t.Errorf("%d statements stay prepared", len(conn.stmts)-kept)
	}
	cancel()
	endless := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	if err := conn.scan(ctx, endless, nil, func(*row) {}); err == nil {
		t.Error("a statement without an end ended")
	}
}

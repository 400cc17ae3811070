package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/store/storetest"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// benchDir is where the SQLite database of the benchmarks lives.
var benchDir string

func TestMain(m *testing.M) {
	var err error
	if benchDir, err = os.MkdirTemp("", "usher-bench"); err != nil {
		panic(err)
	}
	pgtest.Main(m, func() { os.RemoveAll(benchDir) })
}

// open opens a database and closes it when the test ends.
func open(t testing.TB, database string, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), database, o)
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

// sqlitePath is a file that does not exist yet, as a database.
func sqlitePath(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "usher.db") }

func openSQLite(t *testing.T) directory.Store {
	return open(t, sqlitePath(t), store.Options{Migrate: true})
}

// postgresDSN is a fresh database with the schema.
func postgresDSN(t testing.TB) string {
	return pgtest.Migrated(t, func(ctx context.Context, dsn string) error {
		return store.Migrate(ctx, dsn, store.Options{})
	})
}

func openPostgres(t *testing.T) directory.Store { return open(t, postgresDSN(t), store.Options{}) }

// openBouncer opens PostgreSQL as it must be behind PgBouncer in transaction
// mode: without named statements.
func openBouncer(t *testing.T) directory.Store {
	return open(t, postgresDSN(t)+"&default_query_exec_mode=exec", store.Options{})
}

func TestSQLite(t *testing.T)              { storetest.Run(t, openSQLite) }
func TestSQLiteConcurrency(t *testing.T)   { storetest.RunConcurrency(t, openSQLite) }
func TestPostgres(t *testing.T)            { storetest.Run(t, openPostgres) }
func TestPostgresConcurrency(t *testing.T) { storetest.RunConcurrency(t, openPostgres) }
func TestPostgresWithoutNamedStatements(t *testing.T) {
	storetest.Run(t, openBouncer)
}

// benchDatabase is an empty database that lives as long as the test binary.
func benchDatabase(b *testing.B, engine string) string {
	if engine == "postgres" {
		return pgtest.Shared(b)
	}
	return "sqlite:" + filepath.Join(benchDir, "usher.db")
}

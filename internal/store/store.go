package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// ErrNeedsMigration is what Open answers when the schema is older than this
// binary. The text says what to run.
var ErrNeedsMigration = errors.New("the database schema is not up to date: run `usher migrate` with the same --database")

// ErrOwned is what Open answers when another process owns the SQLite file.
var ErrOwned = errors.New("the database file is in use by another usher process: stop it first, or let the running server do the work")

// Options are what Open needs besides the database.
type Options struct {
	Logger *slog.Logger // default slog.Default
	// Migrate lets Open create or migrate a SQLite database. PostgreSQL is
	// migrated by Migrate only, because other processes may be using it.
	Migrate bool
	// ReadOnly opens a database to look on while a server works: SQLite without
	// owning the file, and neither engine changes anything (ErrReadOnly).
	ReadOnly bool
	// Readers is the number of SQLite reader connections, or of PostgreSQL
	// connections; 0 is twice the cores, and at least 16 on PostgreSQL.
	Readers int
	// Patience is how long a statement that is fast by construction, a connection and
	// a COMMIT of PostgreSQL are waited for, before the caller is told that the
	// directory is busy; 0 is for ever. What may run long has the caller's own limit.
	Patience time.Duration
	// Batch is the most SQLite updates that share one commit; 0 is 128.
	Batch int
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Batch <= 0 {
		o.Batch = batchLength
	}
	if o.Readers <= 0 {
		o.Readers = 2 * runtime.GOMAXPROCS(0)
	}
	return o
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	directory.Store
	engine *engine
}

// Engine is "sqlite" or "postgres".
func (db *DB) Engine() string { return db.engine.name }

// Open opens "sqlite:path" or "postgres://…". A DSN of PostgreSQL is what pgx
// reads; default_query_exec_mode=exec makes it work through PgBouncer in
// transaction mode. Errors: ErrNeedsMigration, ErrOwned, or what the database
// says.
func Open(ctx context.Context, database string, o Options) (*DB, error) {
	o = o.withDefaults()
	switch scheme, rest := splitURL(database); scheme {
	case "sqlite":
		return openSQLite(ctx, rest, o)
	case "postgres":
		return openPostgres(ctx, database, o)
	}
	return nil, unknownScheme(database)
}

// Migrate brings the schema of a database up to date. On PostgreSQL an
// advisory lock lets one process do it while others wait.
func Migrate(ctx context.Context, database string, o Options) error {
	o = o.withDefaults()
	switch scheme, rest := splitURL(database); scheme {
	case "sqlite":
		o.Migrate = true
		db, err := openSQLite(ctx, rest, o)
		if err != nil {
			return err
		}
		return db.Close()
	case "postgres":
		return migratePostgres(ctx, database, o)
	}
	return unknownScheme(database)
}

func unknownScheme(database string) error {
	scheme, _, _ := strings.Cut(database, ":")
	return fmt.Errorf("unknown database %q: use sqlite:path/to/usher.db or postgres://user@host/database", scheme+":")
}

// splitURL tells the engine of a database URL and what follows the scheme.
func splitURL(database string) (scheme, rest string) {
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		return "sqlite", path
	}
	if strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://") {
		return "postgres", database
	}
	return "", database
}

// busy is the answer to a caller that may try again.
func busy(cause error) error {
	e := directory.Wrong(directory.CodeUnavailable, directory.ReasonBusy, "The directory is busy. Try again in a moment.")
	e.Retry = time.Second
	return e.Because(cause)
}

// writeConflict is the answer to a change that met a taken key twice.
func writeConflict(cause error) error {
	return directory.Wrong(directory.CodeConflict, directory.ReasonWriteConflict,
		"Another change took the same key at the same time. Read again and retry.").Because(cause)
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
)

// sqliteLoader is the connection that loads a file nobody else knows of yet: it is
// thrown away unless all goes well, so that it needs neither log nor syncs.
const sqliteLoader = "_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=locking_mode(EXCLUSIVE)&_pragma=cache_size(-32000)&_pragma=temp_store(FILE)"

type sqliteTarget struct {
	conn    *sqliteConn
	indexes []string // their statements
}

// restoreSQLite makes the file beside the place where it is to be, and moves it
// there when it is whole.
func restoreSQLite(ctx context.Context, path string, schema int64, fill func(context.Context, restoreTarget) error) (err error) {
	if path == "" {
		return errors.New("the database has no file name: use sqlite:path/to/usher.db")
	}
	for _, name := range []string{path, path + "-wal"} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s is there", ErrNotEmpty, name)
		}
	}
	owner, err := lockFile(path + ".lock")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer func() { err = errors.Join(err, owner.release()) }()
	work := path + ".restoring"
	remove := func() error {
		var errs []error
		for _, name := range []string{work, work + "-wal", work + "-shm", work + "-journal"} {
			if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
	// What a restore that was killed has left; nobody else works here, by the lock.
	if err := remove(); err != nil {
		return err
	}
	if err := fillFile(ctx, work, schema, fill); err != nil {
		return errors.Join(err, remove())
	}
	if err := os.Rename(work, path); err != nil {
		return errors.Join(err, remove())
	}
	return syncFolder(filepath.Dir(path))
}

func fillFile(ctx context.Context, work string, schema int64, fill func(context.Context, restoreTarget) error) error {
	if err := prepareFile(work, true); err != nil {
		return err
	}
	if err := migrateFile(ctx, work, schema); err != nil {
		return err
	}
	conn, err := openSQLiteConn(sqliteDSN(work, sqliteLoader))
	if err != nil {
		return err
	}
	err = fill(ctx, &sqliteTarget{conn: conn})
	verdict := "ok"
	if err == nil {
		err = conn.scan(ctx, "PRAGMA quick_check(1)", nil, func(r *row) { verdict = r.text() })
	}
	if err == nil && verdict != "ok" {
		err = fmt.Errorf("the file came out damaged: %s", verdict)
	}
	if err = errors.Join(err, conn.close()); err != nil {
		return err
	}
	if err := migrateFile(ctx, work, latestMigration("sqlite")); err != nil {
		return err
	}
	return syncFile(work)
}

// migrateFile brings a file to a version of the schema.
func migrateFile(ctx context.Context, path string, version int64) error {
	pool, err := sql.Open("sqlite", sqliteDSN(path, sqliteWriter))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	return errors.Join(migrateTo(ctx, goose.DialectSQLite3, pool, "sqlite", version), pool.Close())
}

// migrateTo is runMigrations up to a version.
func migrateTo(ctx context.Context, dialect goose.Dialect, pool *sql.DB, engine string, version int64) error {
	provider, err := goose.NewProvider(dialect, pool, migrationFiles(engine), goose.WithTableName(versionTable),
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, version); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncFolder makes the names of a folder's files durable. Where folders cannot be
// synced, as on Windows, renaming is all that can be done.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	_ = f.Sync()
	return f.Close()
}

func (s *sqliteTarget) querier() querier { return s.conn }

// ftsMemory is how many bytes of the search index are gathered before they are
// written as a segment, and ftsUsual what the program has at other times.
const (
	ftsMemory = 32 << 20
	ftsUsual  = 1 << 20
)

func (s *sqliteTarget) begin(ctx context.Context) ([]backupTable, error) {
	if err := s.gather(ctx, ftsMemory); err != nil {
		return nil, err
	}
	if _, err := s.conn.exec(ctx, "BEGIN"); err != nil {
		return nil, err
	}
	tables, err := sqliteTables(ctx, s.conn)
	if err != nil {
		return nil, err
	}
	var names []string
	err = s.conn.query(ctx, "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name", nil, func(r *row) {
		names, s.indexes = append(names, r.text()), append(s.indexes, r.text())
	})
	for _, name := range names {
		if err == nil {
			_, err = s.conn.exec(ctx, `DROP INDEX "`+name+`"`)
		}
	}
	return tables, err
}

func (s *sqliteTarget) gather(ctx context.Context, size int64) error {
	_, err := s.conn.exec(ctx, "INSERT INTO user_search (user_search, rank) VALUES ('hashsize', $1)", size)
	return err
}

// valuesAtOnce bounds the arguments of one statement that loads rows.
const valuesAtOnce = 256

func (s *sqliteTarget) load(ctx context.Context, t *backupTable, next func([]any) (bool, error)) error {
	width := len(t.Columns)
	most := 1
	for most*2*width <= valuesAtOnce {
		most *= 2
	}
	insert := rowsInsert{head: `INSERT INTO "` + t.Name + `" (` + quoted(t.Columns) + ") VALUES ", columns: width, most: most}.prepare()
	values := make([]any, 0, most*width)
	write := func() error {
		return insert.each(values, func(sql string, args []any) error {
			_, err := s.conn.exec(ctx, sql, args...)
			return err
		})
	}
	for {
		at := len(values)
		values = values[:at+width]
		more, err := next(values[at:])
		if err != nil {
			return err
		}
		if !more {
			values = values[:at]
			return write()
		}
		if len(values) == cap(values) {
			if err := write(); err != nil {
				return err
			}
			values = values[:0]
		}
	}
}

func (s *sqliteTarget) index(ctx context.Context, page []searchDocument) error {
	for _, d := range page {
		if err := indexGrams(ctx, s.conn, d.rid, d.tenant, d.text); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqliteTarget) finish(ctx context.Context, last int64) error {
	for _, sql := range s.indexes {
		if _, err := s.conn.exec(ctx, sql); err != nil {
			return err
		}
	}
	n, err := s.conn.exec(ctx, "UPDATE sqlite_sequence SET seq = max(seq, $1) WHERE name = 'events'", last)
	if err == nil && n == 0 {
		_, err = s.conn.exec(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES ('events', $1)", last)
	}
	if err == nil {
		_, err = s.conn.exec(ctx, "COMMIT")
	}
	if err == nil {
		err = s.gather(ctx, ftsUsual)
	}
	return err
}

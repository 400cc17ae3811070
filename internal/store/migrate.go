package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // goose needs the driver of database/sql
)

// The migrations of both engines have the same numbers and only go forward.
//
//go:embed migrations/*/*.sql
var migrations embed.FS

// versionTable is where goose keeps what has been applied.
const versionTable = "schema_migrations"

// migrationFiles are the migrations of an engine.
func migrationFiles(engine string) fs.FS {
	sub, err := fs.Sub(migrations, "migrations/"+engine)
	if err != nil {
		panic(err) // the directory is part of the binary
	}
	return sub
}

// latestMigration is the number of the newest migration of an engine.
func latestMigration(engine string) int64 {
	names, err := fs.Glob(migrationFiles(engine), "*.sql")
	if err != nil || len(names) == 0 {
		panic("store: no migrations of " + engine) // the directory is part of the binary
	}
	prefix, _, _ := strings.Cut(names[len(names)-1], "_")
	n, err := strconv.ParseInt(prefix, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// checkVersion compares the version of a schema with the newest that this
// binary knows. A newer schema is fine: a release only adds to it, and takes
// away what the release before it no longer used.
func checkVersion(have, want int64) error {
	if have < want {
		return fmt.Errorf("%w (it is at %d, this binary needs %d)", ErrNeedsMigration, have, want)
	}
	return nil
}

// SchemaVersion is the number of the newest migration, at which every open
// database is.
func (db *DB) SchemaVersion() int64 { return latestMigration(db.engine.name) }

// migrate checks the version of a SQLite file, and brings it up to date if the
// options allow.
func (db *sqliteDB) migrate(ctx context.Context) error {
	conn, err := openSQLiteConn(sqliteDSN(db.path, sqliteWriter))
	if err != nil {
		return err
	}
	have, err := sqliteVersion(ctx, conn)
	if err = errors.Join(err, conn.close()); err != nil {
		return err
	}
	err = checkVersion(have, latestMigration("sqlite"))
	if err == nil || !db.opts.Migrate {
		return err
	}
	if have > 0 {
		if err := db.copyBefore(ctx, have); err != nil {
			return fmt.Errorf("copy %s before its migration: %w", db.path, err)
		}
	}
	pool, err := sql.Open("sqlite", sqliteDSN(db.path, sqliteWriter))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	return errors.Join(runMigrations(ctx, goose.DialectSQLite3, pool, "sqlite"), pool.Close())
}

func runMigrations(ctx context.Context, dialect goose.Dialect, pool *sql.DB, engine string, options ...goose.ProviderOption) error {
	options = append(options, goose.WithTableName(versionTable), goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	provider, err := goose.NewProvider(dialect, pool, migrationFiles(engine), options...)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// sqliteVersion is the number of the last migration of a file; 0 for an empty
// one.
func sqliteVersion(ctx context.Context, q querier) (int64, error) {
	tables, version := int64(0), int64(0)
	err := q.query(ctx, "SELECT count(*) FROM sqlite_master WHERE name = $1", []any{versionTable}, func(r *row) { tables = r.int() })
	if err == nil && tables > 0 {
		err = q.query(ctx, "SELECT max(version_id) FROM "+versionTable, nil, func(r *row) { version = r.int() })
	}
	return version, err
}

// copyBefore keeps the file as it is before a migration, and checks the copy.
func (db *sqliteDB) copyBefore(ctx context.Context, version int64) error {
	name := fmt.Sprintf("%s.before-%04d", db.path, latestMigration("sqlite"))
	fresh := name + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// VACUUM INTO takes a file that is there if it is empty, and would make one
	// that everybody may read.
	if err := prepareFile(fresh, true); err != nil {
		return err
	}
	conn, err := openSQLiteConn(sqliteDSN(db.path, sqliteWriter))
	if err != nil {
		return err
	}
	_, err = conn.exec(ctx, "VACUUM INTO $1", fresh)
	if err = errors.Join(err, conn.close()); err != nil {
		return err
	}
	if err := checkCopy(ctx, fresh, version); err != nil {
		return err
	}
	if err := os.Rename(fresh, name); err != nil {
		return err
	}
	db.opts.Logger.Info("kept a copy of the database before its migration", "file", name)
	return nil
}

func checkCopy(ctx context.Context, path string, version int64) error {
	conn, err := openSQLiteConn(sqliteDSN(path, "_pragma=query_only(1)"))
	if err != nil {
		return err
	}
	verdict := ""
	err = conn.query(ctx, "PRAGMA integrity_check(1)", nil, func(r *row) { verdict = r.text() })
	if err == nil && verdict != "ok" {
		err = fmt.Errorf("the copy is damaged: %s", verdict)
	}
	if have, e := sqliteVersion(ctx, conn); err == nil && (e != nil || have != version) {
		err = errors.Join(e, fmt.Errorf("the copy is at version %d, not %d", have, version))
	}
	if err = errors.Join(err, conn.close()); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

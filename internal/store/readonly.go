package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/usher-id/usher/internal/directory"
)

// ErrReadOnly is what a change answers on a database that was opened only to be
// read.
var ErrReadOnly = errors.New("the database is open only to be read")

// readOnly is a store without its writer: it looks on while a server works.
type readOnly struct{ directory.Store }

// Update implements directory.Store: it changes nothing.
func (readOnly) Update(context.Context, func(directory.Tx) error) error { return ErrReadOnly }

// Seal implements directory.Store. Events get their positions from who serves.
func (readOnly) Seal(context.Context, directory.TenantNo) error { return nil }

// Follow implements directory.Store: it seals, so that it is refused.
func (readOnly) Follow(context.Context, func(directory.TenantNo, int64)) error { return ErrReadOnly }

// openSQLiteReadOnly opens a file without taking it over: a server may own it.
// What the server has committed is in the log beside the file until a checkpoint;
// SQLite reads both. A file that nobody has open, in a folder that this process
// may not write to, such as a copy on a medium, is read as it is.
func openSQLiteReadOnly(ctx context.Context, path string, o Options) (*DB, error) {
	if path == "" {
		return nil, errors.New("the database has no file name: use sqlite:path/to/usher.db")
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	version, dsn := int64(0), sqliteDSN(path, "mode=ro&"+sqliteReader)
	err := readVersion(ctx, dsn, &version)
	if err != nil && nobodyWrites(path) {
		dsn = sqliteDSN(path, "mode=ro&immutable=1&"+sqliteReader)
		err = readVersion(ctx, dsn, &version)
	}
	if err == nil {
		err = checkVersion(version, latestMigration("sqlite"))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db := &sqliteDB{path: path, opts: o, engine: newSQLiteEngine(), readers: newReaderPool(dsn, o.Readers)}
	return &DB{Store: readOnly{db}, engine: db.engine}, nil
}

// readVersion reads the version of a file's schema on a connection of its own.
func readVersion(ctx context.Context, dsn string, version *int64) error {
	conn, err := openSQLiteConn(dsn)
	if err != nil {
		return err
	}
	have, err := sqliteVersion(ctx, conn)
	*version = have
	return errors.Join(err, conn.close())
}

// nobodyWrites reports whether a file has no log beside it, which it has while a
// server runs and after one was killed.
func nobodyWrites(path string) bool {
	info, err := os.Stat(path + "-wal")
	return errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0
}

package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// seedInto seeds a database whose schema is there, and waits until its own work
// on what was loaded is done.
func seedInto(ctx context.Context, database string, n int, progress func(int)) (err error) {
	db, err := store.Open(ctx, database, store.Options{Migrate: true})
	if err != nil {
		return err
	}
	// As a server does: it has events sealed while they come.
	following, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = db.Follow(following, func(directory.TenantNo, int64) {}) })
	defer func() {
		end()
		wg.Wait()
		err = errors.Join(err, db.Close())
	}()
	if err := Seed(ctx, db, n, progress); err != nil {
		return err
	}
	return settle(ctx, func() time.Duration { return processCPU(os.Getpid()) })
}

// SQLiteDirectory is the file of a directory of n users below dir, which is made
// when it is not there. Nobody may change it: see Copy.
func SQLiteDirectory(ctx context.Context, dir string, n int, progress func(int)) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, fmt.Sprintf("users-%d.v%d.db", n, layout))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	making := path + ".making"
	removeDatabase(making)
	if err := seedInto(ctx, "sqlite:"+making, n, progress); err != nil {
		removeDatabase(making)
		return "", err
	}
	defer removeDatabase(making) // what stands beside it
	return path, os.Rename(making, path)
}

// removeDatabase removes a SQLite file and what a server puts beside it.
func removeDatabase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", ".key", ".lock", ".audit-key", ".checkpoints"} {
		_ = os.Remove(path + suffix)
	}
}

// Copy copies a directory's file into a folder, so that what is measured may
// change it, and returns where it is.
func Copy(path, dir string) (to string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	to = filepath.Join(dir, "usher.db")
	removeDatabase(to)
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	return to, errors.Join(err, out.Sync(), out.Close())
}

// PostgresDirectory fills an empty PostgreSQL database with n users. One that
// was seeded with as many is taken as it is, any other is refused.
func PostgresDirectory(ctx context.Context, database string, n int, progress func(int)) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return errors.New("database: cannot connect to it") // the driver's words may repeat the password
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var tables int
	err = conn.QueryRow(ctx, `SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`).Scan(&tables)
	if err != nil {
		return err
	}
	if tables > 0 {
		return seededPostgres(ctx, database, n)
	}
	if err := store.Migrate(ctx, database, store.Options{}); err != nil {
		return err
	}
	if err := seedInto(ctx, database, n, progress); err != nil {
		return err
	}
	// What autovacuum and the checkpointer would do later, in the middle of a measure.
	for _, statement := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, statement); err != nil && statement != "CHECKPOINT" { // which takes a privilege
			return err
		}
	}
	return nil
}

// seededPostgres checks that a database that is not empty is one of ours.
func seededPostgres(ctx context.Context, database string, n int) error {
	db, err := store.Open(ctx, database, store.Options{})
	if err != nil {
		return fmt.Errorf("database: it is not empty, and bench did not seed it: %w", err)
	}
	have, err := Size(ctx, db)
	switch err = errors.Join(err, db.Close()); {
	case err != nil:
		return fmt.Errorf("database: %w", err)
	case have != n:
		return fmt.Errorf("database: it was seeded with %d users, not %d: give an empty one, or --users %d", have, n, have)
	}
	return nil
}

// PostgresSettings are the settings of a PostgreSQL server that a measure depends
// on, as it shows them.
func PostgresSettings(ctx context.Context, database string) (string, error) {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return "", errors.New("database: cannot connect to it")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var shown []string
	for _, name := range []string{"server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"} {
		var value string
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return "", err
		}
		shown = append(shown, name+" "+value)
	}
	return strings.Join(shown, ", "), nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// sqliteDB is the SQLite engine: one writer that commits in groups, a pool of
// readers, and checkpoints on a connection of their own.
type sqliteDB struct {
	path    string
	opts    Options
	engine  *engine
	owner   *fileLock
	readers *readerPool
	writer  *writer
	points  *checkpointer
	once    sync.Once
}

// The settings of connections (docs/decisions/0009): pages are mapped, as much
// of the file as SQLite can, so that a small cache is enough; every commit is
// synced before it is answered. What is deleted is overwritten, also on pages that
// are only freed: what a person's row held before it changed must not outlast the
// person. Writes are not measurably slower by it.
const (
	sqliteCommon = "_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_pragma=mmap_size(2147418112)&_pragma=cache_size(-4000)&_pragma=temp_store(MEMORY)"
	sqliteWriter = sqliteCommon + "&_pragma=journal_mode(WAL)&_pragma=wal_autocheckpoint(0)&_pragma=secure_delete(ON)"
	sqliteReader = sqliteCommon + "&_pragma=query_only(1)"
)

// sqliteDSN is the driver's name for a file, whatever characters its path has.
func sqliteDSN(path, pragmas string) string {
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas
}

func newSQLiteEngine() *engine {
	chains := newSQLiteChains()
	return &engine{
		name:         "sqlite",
		anyOfNumbers: anyOfJSON[int64],
		anyOfTexts:   anyOfJSON[string],
		instr:        "instr",
		branch:       func(_ *args, sql, _ string, _ int64) string { return sql },
		undoPart:     undoBrokenPart,
		extra:        extraByTables,
		hasExtras:    hasExtrasByPath,
		anyPhone:     phoneByTable,
		unsealed:     unsealedInPlace,
		searchKey:    "s.rowid",
		searchMatch:  matchGrams,
		searchGlance: matchFirstGrams,
		indexSearch:  indexGrams,
		addSearch:    addGrams,
		dropSearch:   dropGrams,
		moveListed:   moveListedOneByOne,
		loadRows:     insertRows,
		loadedAtOnce: loadedUsers.insert.most,
		tokens:       gramDocument,
		writeEvents:  chains.write,
		chains:       chains,
		shred:        chains.shred,
		shard:        func() int64 { return 0 },
		poolShards:   func(int64) int64 { return 1 },
		numbers:      rowNumbers{},
		now:          time.Now,
	}
}

func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	if o.ReadOnly {
		return openSQLiteReadOnly(ctx, path, o)
	}
	if path == "" {
		return nil, errors.New("the database has no file name: use sqlite:path/to/usher.db")
	}
	if err := prepareFile(path, o.Migrate); err != nil {
		return nil, err
	}
	owner, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db := &sqliteDB{path: path, opts: o, engine: newSQLiteEngine(), owner: owner}
	if err := db.start(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &DB{Store: db, engine: db.engine}, nil
}

// prepareFile makes a new file that only its owner may read, before the driver
// makes one that everybody may. Without create a missing file is an error.
func prepareFile(path string, create bool) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !create {
		return fmt.Errorf("%s does not exist: %w", path, ErrNeedsMigration)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (db *sqliteDB) start(ctx context.Context) error {
	if err := db.migrate(ctx); err != nil {
		return err
	}
	conn, err := openSQLiteConn(sqliteDSN(db.path, sqliteWriter))
	if err != nil {
		return err
	}
	if err := db.engine.chains.sealEarlier(ctx, conn, db.opts.Logger); err != nil {
		return errors.Join(err, conn.close())
	}
	if err := endLeases(ctx, conn); err != nil {
		return errors.Join(err, conn.close())
	}
	db.writer = newWriter(db.engine, conn, db.opts)
	db.readers = newReaderPool(sqliteDSN(db.path, sqliteReader), db.opts.Readers)
	point, err := openSQLiteConn(sqliteDSN(db.path, sqliteWriter))
	if err != nil {
		return err
	}
	// A checkpoint that would have to wait tries again at its next turn.
	if _, err := point.exec(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return errors.Join(err, point.close())
	}
	db.points = startCheckpointer(point, db.path+"-wal", db.writer, db.opts.Logger)
	return nil
}

// endLeases gives up the leases on jobs and endpoints: this process owns the file,
// so that whoever had them is dead, and nobody need wait until they end.
func endLeases(ctx context.Context, q querier) error {
	for _, sql := range [...]string{
		"UPDATE jobs SET lease_owner = '', lease_until = $1 WHERE state = 0 AND attempts > 0 AND lease_owner <> ''",
		"UPDATE webhooks SET lease_owner = '', lease_until = $1 WHERE lease_owner <> ''",
	} {
		if _, err := q.exec(ctx, sql, noTime); err != nil {
			return err
		}
	}
	return nil
}

// Read implements directory.Store.
func (db *sqliteDB) Read(ctx context.Context, fn func(directory.Reader) error) error {
	conn, err := db.readers.get(ctx)
	if err != nil {
		return err
	}
	defer db.readers.put(conn)
	return fn(&reader{e: db.engine, q: conn})
}

// View implements directory.Store.
func (db *sqliteDB) View(ctx context.Context, fn func(directory.Reader) error) error {
	conn, err := db.readers.get(ctx)
	if err != nil {
		return err
	}
	defer db.readers.put(conn)
	if _, err := conn.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		conn.broken = nil
		if _, err := conn.exec(ctx, "ROLLBACK"); err != nil {
			db.opts.Logger.Error("cannot end a snapshot", "error", err)
		}
	}()
	return fn(&reader{e: db.engine, q: conn, snapshot: true})
}

// Update implements directory.Store.
func (db *sqliteDB) Update(ctx context.Context, fn func(directory.Tx) error) error {
	return db.writer.update(ctx, fn)
}

// Ping implements directory.Store.
func (db *sqliteDB) Ping(ctx context.Context) error {
	return db.Read(ctx, func(r directory.Reader) error {
		return r.(*reader).q.query(ctx, "SELECT 1", nil, func(*row) {})
	})
}

// Close implements directory.Store: what is waiting for the writer is done
// first.
func (db *sqliteDB) Close() error {
	var errs []error
	db.once.Do(func() {
		if db.writer != nil {
			errs = append(errs, db.writer.close())
		}
		if db.readers != nil {
			errs = append(errs, db.readers.close())
		}
		if db.points != nil {
			errs = append(errs, db.points.close())
		}
		if db.owner != nil {
			errs = append(errs, db.owner.release())
		}
	})
	return errors.Join(errs...)
}

// readerPool lends connections. It opens them when they are first needed: each
// costs a millisecond and its memory.
type readerPool struct {
	dsn   string
	free  chan *sqliteConn
	slots chan struct{} // one for each connection that may still be opened
	done  chan struct{}
	size  int
}

func newReaderPool(dsn string, size int) *readerPool {
	p := &readerPool{dsn: dsn, free: make(chan *sqliteConn, size), slots: make(chan struct{}, size), done: make(chan struct{}), size: size}
	for range size {
		p.slots <- struct{}{}
	}
	return p
}

var errClosed = errors.New("store: the database is closed")

func (p *readerPool) get(ctx context.Context) (*sqliteConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case conn := <-p.free:
		return conn, nil
	default:
	}
	select {
	case conn := <-p.free:
		return conn, nil
	case <-p.slots:
		conn, err := openSQLiteConn(p.dsn)
		if err != nil {
			p.slots <- struct{}{}
		}
		return conn, err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.done:
		return nil, errClosed
	}
}

func (p *readerPool) put(conn *sqliteConn) {
	conn.broken = nil
	p.free <- conn
}

// close waits for every connection to come back.
func (p *readerPool) close() error {
	close(p.done)
	var errs []error
	for range p.size {
		select {
		case conn := <-p.free:
			errs = append(errs, conn.close())
		case <-p.slots:
		}
	}
	return errors.Join(errs...)
}

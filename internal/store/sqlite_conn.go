package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/usher-id/usher/internal/directory"
)

// maxStatements bounds the prepared statements of a connection. The closed set
// is below it; filters make the rest.
const maxStatements = 256

// sqliteConn is one connection with its prepared statements. One goroutine at
// a time may use it.
type sqliteConn struct {
	lib   *library
	stmts map[string]*sqliteStmt
	// broken is the error after which SQLite may have rolled the transaction
	// back by itself. Until it is over, every statement answers it: one that ran
	// would commit on its own.
	broken error
}

type sqliteStmt struct {
	*statement
	row row
}

// noCancel is the context of statements that nothing ends early.
var noCancel = context.Background()

// openSQLiteConn opens a file by its DSN and runs the PRAGMAs that the DSN
// lists as _pragma, as the driver of the library would.
func openSQLiteConn(dsn string) (*sqliteConn, error) {
	uri, query, _ := strings.Cut(dsn, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("store: DSN: %w", err)
	}
	// What SQLite itself reads of the URI, which is not the driver's.
	how := url.Values{}
	for _, name := range [...]string{"mode", "immutable"} {
		if options.Has(name) {
			how.Set(name, options.Get(name))
		}
	}
	if len(how) > 0 {
		uri += "?" + how.Encode()
	}
	lib, err := openLibrary(uri)
	if err != nil {
		return nil, err
	}
	c := &sqliteConn{lib: lib, stmts: make(map[string]*sqliteStmt)}
	for _, pragma := range options["_pragma"] {
		if _, err := c.exec(noCancel, "PRAGMA "+pragma); err != nil {
			return nil, errors.Join(fmt.Errorf("store: PRAGMA %s: %w", pragma, err), c.close())
		}
	}
	return c, nil
}

func (c *sqliteConn) close() error {
	for _, s := range c.stmts {
		s.finalize()
	}
	clear(c.stmts)
	return c.lib.close()
}

// prepare finds or makes the statement of a text.
func (c *sqliteConn) prepare(sql string) (*sqliteStmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		for old, s := range c.stmts { // any one: the hot ones are back at once
			s.finalize()
			delete(c.stmts, old)
			break
		}
	}
	prepared, err := c.lib.prepare(sql)
	if err != nil {
		return nil, fmt.Errorf("store: prepare %q: %w", sql, err)
	}
	s := &sqliteStmt{statement: prepared}
	s.row.stmt = prepared
	c.stmts[sql] = s
	return s, nil
}

func (c *sqliteConn) query(_ context.Context, sql string, args []any, each func(*row)) error {
	return c.run(sql, args, each)
}

// keptText is the longest text of a statement of scan that stays prepared. Longer ones
// are filters that a caller made up, hardly ever twice, and each has some hundred
// KiB of SQLite's memory.
const keptText = 2 << 10

// interruptAgain is how long a statement may go on after it was interrupted.
const interruptAgain = 5 * time.Millisecond

// forget ends a statement.
func (c *sqliteConn) forget(sql string) {
	if s, ok := c.stmts[sql]; ok {
		s.finalize()
		delete(c.stmts, sql)
	}
}

// scan is query for a statement that ctx may end. A watcher that has begun to
// interrupt is waited for, so that it cannot hit the next statement.
func (c *sqliteConn) scan(ctx context.Context, sql string, args []any, each func(*row)) error {
	if ctx.Done() == nil {
		return c.run(sql, args, each)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ended, interrupted := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		for { // SQLite forgets an interrupt that comes before the first step
			c.lib.interrupt()
			select {
			case <-ended:
				return
			case <-time.After(interruptAgain):
			}
		}
	})
	err := c.run(sql, args, each)
	close(ended)
	if len(sql) > keptText {
		c.forget(sql)
	}
	if !stop() {
		<-interrupted
	}
	if e, ok := errors.AsType[*sqliteError](err); ok && e.code == sqlite3.SQLITE_INTERRUPT && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (c *sqliteConn) run(sql string, args []any, each func(*row)) error {
	if c.broken != nil {
		return c.broken
	}
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	defer s.reset()
	if err := s.bind(args); err != nil {
		return err
	}
	for {
		more, err := s.step()
		if err != nil {
			return c.failed(err)
		}
		if !more {
			return nil
		}
		s.row.at, s.row.err = 0, nil
		if each(&s.row); s.row.err != nil {
			return s.row.err
		}
	}
}

func (c *sqliteConn) exec(_ context.Context, sql string, args ...any) (int64, error) {
	err := c.run(sql, args, func(*row) {})
	if err != nil {
		return 0, err
	}
	return c.lib.changes(), nil
}

// failed sorts an error of a statement. A taken unique key leaves the
// transaction as it was before the statement; after anything else nothing is
// sure.
func (c *sqliteConn) failed(err error) error {
	e, ok := errors.AsType[*sqliteError](err)
	if ok {
		switch e.code {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
			return fmt.Errorf("%w: %w", directory.ErrDuplicate, err)
		}
		switch e.code & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			// Somebody holds the file, or the disk is full or does not take writes:
			// callers may try again, and once it is repaired they succeed.
			err = busy(err)
		}
	}
	if c.broken == nil {
		c.broken = err
	}
	return err
}

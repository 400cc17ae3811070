package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	sqlite3 "modernc.org/sqlite/lib"

	"modernc.org/sqlite"

	"github.com/usher-id/usher/internal/directory"
)

// maxStatements bounds the prepared statements of a connection. The closed set
// is below it; filters make the rest.
const maxStatements = 256

// sqliteConn is one connection with its prepared statements. It uses the
// driver below database/sql: a point read is half as dear. One goroutine at a
// time may use it.
type sqliteConn struct {
	conn  driver.Conn
	stmts map[string]*sqliteStmt
	named []driver.NamedValue // reused for every statement
	// broken is the error after which SQLite may have rolled the transaction
	// back by itself. Until it is over, every statement answers it: one that ran
	// would commit on its own.
	broken error
}

type sqliteStmt struct {
	query driver.StmtQueryContext
	exec  driver.StmtExecContext
	close func() error
	row   row
}

// noCancel is the context of statements. The driver starts a goroutine for a
// context that can be cancelled.
var noCancel = context.Background()

func openSQLiteConn(dsn string) (*sqliteConn, error) {
	conn, err := new(sqlite.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{conn: conn, stmts: make(map[string]*sqliteStmt)}, nil
}

func (c *sqliteConn) close() error {
	for _, s := range c.stmts {
		s.close()
	}
	clear(c.stmts)
	return c.conn.Close()
}

// prepare finds or makes the statement of a text.
func (c *sqliteConn) prepare(sql string) (*sqliteStmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		for old, s := range c.stmts { // any one: the hot ones are back at once
			s.close()
			delete(c.stmts, old)
			break
		}
	}
	prepared, err := c.conn.Prepare(sql)
	if err != nil {
		return nil, fmt.Errorf("store: prepare %q: %w", sql, err)
	}
	s := &sqliteStmt{close: prepared.Close}
	var queries, execs bool
	s.query, queries = prepared.(driver.StmtQueryContext)
	s.exec, execs = prepared.(driver.StmtExecContext)
	if !queries || !execs {
		return nil, fmt.Errorf("store: the SQLite driver's statements are %T", prepared)
	}
	c.stmts[sql] = s
	return s, nil
}

func (c *sqliteConn) bind(args []any) []driver.NamedValue {
	c.named = c.named[:0]
	for i, v := range args {
		c.named = append(c.named, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.named
}

func (c *sqliteConn) query(_ context.Context, sql string, args []any, each func(*row)) error {
	return c.run(noCancel, sql, args, each)
}

func (c *sqliteConn) scan(ctx context.Context, sql string, args []any, each func(*row)) error {
	return c.run(ctx, sql, args, each)
}

func (c *sqliteConn) run(ctx context.Context, sql string, args []any, each func(*row)) error {
	if c.broken != nil {
		return c.broken
	}
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := s.query.QueryContext(ctx, c.bind(args))
	if err != nil {
		return c.failed(err)
	}
	// Closing resets the statement; it answers the error of the last step
	// once more.
	defer rows.Close()
	if n := len(rows.Columns()); len(s.row.vals) != n {
		s.row.vals = make([]driver.Value, n)
	}
	for {
		switch err := rows.Next(s.row.vals); {
		case err == io.EOF:
			return nil
		case err != nil:
			return c.failed(err)
		}
		s.row.at, s.row.err = 0, nil
		each(&s.row)
		if s.row.err != nil {
			return s.row.err
		}
	}
}

func (c *sqliteConn) exec(_ context.Context, sql string, args ...any) (int64, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	result, err := s.exec.ExecContext(noCancel, c.bind(args))
	if err != nil {
		return 0, c.failed(err)
	}
	return result.RowsAffected()
}

// failed sorts an error of a statement. A taken unique key leaves the
// transaction as it was before the statement; after anything else nothing is
// sure.
func (c *sqliteConn) failed(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if ok {
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
			return fmt.Errorf("%w: %w", directory.ErrDuplicate, err)
		}
		if e.Code()&0xff == sqlite3.SQLITE_BUSY {
			err = busy(err)
		}
	}
	if c.broken == nil {
		c.broken = err
	}
	return err
}

package store

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgresTarget is one transaction, which either has everything or nothing.
type postgresTarget struct {
	conn    *sql.Conn
	indexes []string // their statements
}

func restorePostgres(ctx context.Context, database string, schema int64, fill func(context.Context, restoreTarget) error) error {
	config, err := postgresConfig(database)
	if err != nil {
		return err
	}
	pool := stdlib.OpenDB(*config)
	err = restorePool(ctx, pool, schema, fill)
	return errors.Join(err, pool.Close())
}

func restorePool(ctx context.Context, pool *sql.DB, schema int64, fill func(context.Context, restoreTarget) error) error {
	have, err := postgresVersion(ctx, pool)
	if err != nil {
		return answerOf(ctx, err)
	}
	if have != 0 && have != schema {
		return fmt.Errorf("%w: its schema is at %d and that of the backup at %d, so that it must have none", ErrNotEmpty, have, schema)
	}
	if have == 0 {
		if err := migrateTo(ctx, goose.DialectPostgres, pool, "postgres", schema); err != nil {
			return err
		}
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return answerOf(ctx, err)
	}
	if err := fillConn(ctx, conn, fill); err != nil {
		return errors.Join(err, conn.Close())
	}
	if err := conn.Close(); err != nil {
		return err
	}
	if err := migrateTo(ctx, goose.DialectPostgres, pool, "postgres", latestMigration("postgres")); err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, "ANALYZE") // the planner knows nothing of what was loaded
	return err
}

func fillConn(ctx context.Context, conn *sql.Conn, fill func(context.Context, restoreTarget) error) (err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return answerOf(ctx, err)
	}
	defer func() {
		if err != nil {
			// The context may be over; the server rolls back by itself if this fails.
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	// Nobody may begin to work on the database while it is filled.
	if _, err := conn.ExecContext(ctx, "LOCK TABLE tenants IN ACCESS EXCLUSIVE MODE"); err != nil {
		return answerOf(ctx, err)
	}
	tenants := 0
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM tenants").Scan(&tenants); err != nil {
		return err
	}
	if tenants > 0 {
		return fmt.Errorf("%w: it has %d tenants", ErrNotEmpty, tenants)
	}
	if err := fill(ctx, &postgresTarget{conn: conn}); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

func (s *postgresTarget) querier() querier { return sqlQuerier{run: s.conn} }

func (s *postgresTarget) begin(ctx context.Context) ([]backupTable, error) {
	tables, err := postgresTables(ctx, s.querier())
	if err != nil {
		return nil, err
	}
	var names []string
	err = s.querier().query(ctx, `SELECT quote_ident(c.relname), pg_get_indexdef(i.indexrelid) FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class t ON t.oid = i.indrelid
		WHERE n.nspname = current_schema() AND t.relkind = 'r' AND t.relname <> $1
			AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY c.relname`, []any{versionTable}, func(r *row) {
		names, s.indexes = append(names, r.text()), append(s.indexes, r.text())
	})
	for _, name := range names {
		if err == nil {
			_, err = s.querier().exec(ctx, "DROP INDEX "+name)
		}
	}
	return tables, err
}

func (s *postgresTarget) load(ctx context.Context, t *backupTable, next func([]any) (bool, error)) error {
	values := make([]any, len(t.Columns))
	return s.copyIn(ctx, `"`+t.Name+`" (`+quoted(t.Columns)+")", func(out *bufio.Writer) error {
		var word []byte
		for {
			more, err := next(values)
			if err != nil || !more {
				return err
			}
			word = binary.BigEndian.AppendUint16(word[:0], uint16(len(values)))
			for i, v := range values {
				if word, err = appendCopied(word, t.types[i], v); err != nil {
					return fmt.Errorf("column %s: %w", t.Columns[i], err)
				}
			}
			if _, err := out.Write(word); err != nil {
				return err
			}
		}
	})
}

// copyIn loads rows by COPY in its binary form. write gives the rows.
func (s *postgresTarget) copyIn(ctx context.Context, into string, write func(*bufio.Writer) error) error {
	in, rows := io.Pipe()
	done := make(chan error, 1)
	go func() {
		out := bufio.NewWriterSize(rows, backupBuffer)
		_, err := out.Write(binaryCopy)
		if err == nil {
			err = write(out)
		}
		if err == nil {
			_, err = out.Write([]byte{0xff, 0xff}) // the trailer
		}
		if err == nil {
			err = out.Flush()
		}
		done <- errors.Join(err, rows.CloseWithError(err))
	}()
	err := onPgConn(s.conn, func(c *pgconn.PgConn) error {
		_, err := c.CopyFrom(ctx, in, "COPY "+into+" FROM STDIN (FORMAT binary)")
		return err
	})
	in.CloseWithError(io.ErrClosedPipe) // whoever still writes is told
	if wrote := <-done; wrote != nil && !errors.Is(wrote, io.ErrClosedPipe) {
		return wrote
	}
	return err
}

// appendCopied appends a value as the binary COPY has it.
func appendCopied(to []byte, kind string, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return binary.BigEndian.AppendUint32(to, 0xffffffff), nil
	case int64:
		switch kind {
		case "int8":
			return binary.BigEndian.AppendUint64(append(to, 0, 0, 0, 8), uint64(v)), nil
		case "int4":
			if int64(int32(v)) == v {
				return binary.BigEndian.AppendUint32(append(to, 0, 0, 0, 4), uint32(v)), nil
			}
		case "int2":
			if int64(int16(v)) == v {
				return binary.BigEndian.AppendUint16(append(to, 0, 0, 0, 2), uint16(v)), nil
			}
		}
	case string:
		if kind == "text" {
			return append(binary.BigEndian.AppendUint32(to, uint32(len(v))), v...), nil
		}
	case []byte:
		if kind == "bytea" {
			return append(binary.BigEndian.AppendUint32(to, uint32(len(v))), v...), nil
		}
	}
	return to, fmt.Errorf("a value of the backup (%T) does not fit the type %s", v, kind)
}

func (s *postgresTarget) index(ctx context.Context, page []searchDocument) error {
	return s.copyIn(ctx, "user_search (rid, tenant, document)", func(out *bufio.Writer) error {
		var word []byte
		for _, d := range page {
			word = append(word[:0], 0, 3)
			for i, v := range []any{d.rid, d.tenant, d.text} {
				var err error
				if word, err = appendCopied(word, [...]string{"int8", "int8", "text"}[i], v); err != nil {
					return err
				}
			}
			if _, err := out.Write(word); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *postgresTarget) finish(ctx context.Context, last int64) error {
	for _, sql := range s.indexes {
		if _, err := s.querier().exec(ctx, sql); err != nil {
			return err
		}
	}
	if last == 0 {
		return nil
	}
	return s.querier().query(ctx, "SELECT setval('"+eventSequence+"', $1)", []any{last}, func(*row) {})
}

package store

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresSource is a REPEATABLE READ transaction: one snapshot of all tables, for
// as long as the backup lasts. Nobody waits for it; dead rows wait for it until they
// are removed.
type postgresSource struct {
	pool *sql.DB
	conn *sql.Conn
	// waiting are the columns of events_new, where events wait for their position.
	waiting []string
}

func openPostgresSource(ctx context.Context, database string) (*postgresSource, error) {
	config, err := postgresConfig(database)
	if err != nil {
		return nil, err
	}
	s := &postgresSource{pool: stdlib.OpenDB(*config)}
	s.pool.SetMaxOpenConns(1)
	if s.conn, err = s.pool.Conn(ctx); err == nil {
		_, err = s.conn.ExecContext(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	}
	if err != nil {
		return nil, errors.Join(answerOf(ctx, err), s.close())
	}
	return s, nil
}

func (s *postgresSource) close() error {
	if s.conn != nil {
		// The connection ends with its transaction: nothing was written.
		return errors.Join(s.conn.Close(), s.pool.Close())
	}
	return s.pool.Close()
}

func (s *postgresSource) querier() querier { return sqlQuerier{run: s.conn} }

func (s *postgresSource) schema(ctx context.Context) (version int64, err error) {
	err = s.querier().query(ctx, "SELECT max(version_id) FROM "+versionTable, nil, func(r *row) { version = r.int() })
	return version, err
}

func (s *postgresSource) lastEvent(ctx context.Context) (n int64, err error) {
	err = s.querier().query(ctx, "SELECT greatest((SELECT max(seq) FROM events), (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "+eventSequence+"))", nil, func(r *row) { n = r.int() })
	return n, err
}

// eventSequence is what PostgreSQL calls the sequence of events.seq.
const eventSequence = "events_seq_seq"

func (s *postgresSource) tables(ctx context.Context) ([]backupTable, error) {
	all, err := postgresTables(ctx, s.querier())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(t backupTable) bool {
		if t.Name == "events_new" {
			s.waiting = t.Columns
		}
		return engineTables.MatchString(t.Name)
	}), nil
}

// postgresTables are all tables of the schema, with types and keys.
func postgresTables(ctx context.Context, q querier) ([]backupTable, error) {
	var list []backupTable
	err := q.query(ctx, `SELECT c.relname::text, a.attname::text, t.typname::text,
			coalesce(array_position(i.indkey::int2[], a.attnum), -1)::bigint
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
			LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY c.relname::text COLLATE "C", a.attnum`, nil, func(r *row) {
		table, column, kind, key := r.text(), r.text(), r.text(), r.int()
		if len(list) == 0 || list[len(list)-1].Name != table {
			list = append(list, backupTable{Name: table})
		}
		t := &list[len(list)-1]
		t.Columns, t.types = append(t.Columns, column), append(t.types, kind)
		if key >= 0 { // int2vector counts from 0
			for int64(len(t.key)) <= key {
				t.key = append(t.key, "")
			}
			t.key[key] = column
		}
	})
	return list, err
}

func (s *postgresSource) copy(ctx context.Context, t *backupTable, w *backupWriter) error {
	err := s.copyRows(ctx, "SELECT "+quoted(t.Columns)+` FROM "`+t.Name+`" ORDER BY `+quoted(t.key), t.types, w)
	if err != nil || t.Name != "events" || s.waiting == nil {
		return err
	}
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		if columns[i] = "NULL"; slices.Contains(s.waiting, c) {
			columns[i] = `"` + c + `"`
		}
	}
	return s.copyRows(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM events_new ORDER BY seq", t.types, w)
}

// copyRows reads by COPY in its binary form, which is the fastest way out.
func (s *postgresSource) copyRows(ctx context.Context, query string, types []string, w *backupWriter) error {
	rows, end := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := onPgConn(s.conn, func(c *pgconn.PgConn) error {
			_, err := c.CopyTo(ctx, end, "COPY ("+query+") TO STDOUT (FORMAT binary)")
			return err
		})
		done <- errors.Join(err, end.CloseWithError(err))
	}()
	err := readBinaryCopy(bufio.NewReaderSize(rows, backupBuffer), types, w)
	rows.CloseWithError(err) // whoever still writes is told
	return errors.Join(err, <-done)
}

// onPgConn runs fn on the connection below database/sql.
func onPgConn(conn *sql.Conn, fn func(*pgconn.PgConn) error) error {
	return conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("store: the driver's connection is %T", driver)
		}
		return fn(c.Conn().PgConn())
	})
}

// binaryCopy is how a binary COPY begins: its signature, no flags and no extension
// (PostgreSQL documentation, COPY, binary format).
var binaryCopy = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")

func readBinaryCopy(in *bufio.Reader, types []string, w *backupWriter) error {
	head := make([]byte, len(binaryCopy))
	if _, err := io.ReadFull(in, head); err != nil {
		return err
	}
	if !bytes.Equal(head, binaryCopy) {
		return errors.New("store: COPY has another form than PostgreSQL documents")
	}
	var value []byte
	for {
		columns, err := readInt(in, 2)
		if err != nil || columns == -1 {
			return err
		}
		if int(columns) != len(types) {
			return fmt.Errorf("store: COPY has %d columns, not %d", columns, len(types))
		}
		if err := w.row(); err != nil {
			return err
		}
		for _, kind := range types {
			if value, err = copyValue(in, kind, value, w); err != nil {
				return err
			}
		}
	}
}

// readInt reads a signed integer of so many bytes.
func readInt(in *bufio.Reader, size int) (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(in, b[8-size:]); err != nil {
		return 0, err
	}
	n := int64(binary.BigEndian.Uint64(b[:]))
	shift := 64 - 8*size
	return n << shift >> shift, nil
}

// copyValue writes one value; value is memory to use again.
func copyValue(in *bufio.Reader, kind string, value []byte, w *backupWriter) ([]byte, error) {
	length, err := readInt(in, 4)
	if err != nil || length < 0 {
		w.null()
		return value, err
	}
	switch kind {
	case "int2", "int4", "int8":
		n, err := readInt(in, int(length))
		w.int(n)
		return value, err
	}
	value = slices.Grow(value[:0], int(length))[:length]
	if _, err := io.ReadFull(in, value); err != nil {
		return value, err
	}
	switch kind {
	case "text":
		w.text(value)
	case "bytea":
		w.blob(value)
	default:
		return value, fmt.Errorf("store: a column is of the type %s, which no table has", kind)
	}
	return value, nil
}

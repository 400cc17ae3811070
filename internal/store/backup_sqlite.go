package store

import (
	"context"
	"errors"
	"os"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteSource is a read transaction on a connection of its own: in WAL mode it sees
// one state of the file and holds nobody up. The log cannot begin anew until it has
// ended, and is longer by what is written meanwhile.
type sqliteSource struct{ conn *sqliteConn }

func openSQLiteSource(ctx context.Context, path string) (*sqliteSource, error) {
	if path == "" {
		return nil, errors.New("the database has no file name: use sqlite:path/to/usher.db")
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	version, dsn := int64(0), sqliteDSN(path, "mode=ro&"+sqliteReader)
	if err := readVersion(ctx, dsn, &version); err != nil && nobodyWrites(path) {
		dsn = sqliteDSN(path, "mode=ro&immutable=1&"+sqliteReader)
	}
	conn, err := openSQLiteConn(dsn)
	if err != nil {
		return nil, err
	}
	s := &sqliteSource{conn}
	if _, err := conn.exec(ctx, "BEGIN"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	// The snapshot begins with the first look.
	if _, err := s.schema(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *sqliteSource) close() error { return s.conn.close() }

func (s *sqliteSource) querier() querier { return s.conn }

func (s *sqliteSource) schema(ctx context.Context) (int64, error) { return sqliteVersion(ctx, s.conn) }

func (s *sqliteSource) lastEvent(ctx context.Context) (n int64, err error) {
	err = s.conn.query(ctx, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'", nil, func(r *row) { n = r.int() })
	return n, err
}

func (s *sqliteSource) tables(ctx context.Context) ([]backupTable, error) {
	return sqliteTables(ctx, s.conn)
}

func sqliteTables(ctx context.Context, q querier) ([]backupTable, error) {
	var list []backupTable
	err := q.query(ctx, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", nil, func(r *row) {
		if name := r.text(); !engineTables.MatchString(name) {
			list = append(list, backupTable{Name: name})
		}
	})
	for i := range list {
		t := &list[i]
		if err == nil {
			err = q.query(ctx, "SELECT name FROM pragma_table_info($1) ORDER BY cid", []any{t.Name}, func(r *row) { t.Columns = append(t.Columns, r.text()) })
		}
		if err == nil {
			err = q.query(ctx, "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk", []any{t.Name}, func(r *row) { t.key = append(t.key, r.text()) })
		}
	}
	return list, err
}

func (s *sqliteSource) copy(ctx context.Context, t *backupTable, w *backupWriter) error {
	sql := "SELECT " + quoted(t.Columns) + ` FROM "` + t.Name + `" ORDER BY ` + quoted(t.key)
	return s.conn.scan(ctx, sql, nil, func(r *row) {
		if r.err = w.row(); r.err != nil {
			return
		}
		for column := range t.Columns {
			r.stmt.backup(column, w)
		}
	})
}

// backup writes a column, whose memory is only read while the row is there.
func (s *statement) backup(column int, w *backupWriter) {
	tls, at := s.lib.tls, int32(column)
	switch sqlite3.Xsqlite3_column_type(tls, s.p, at) {
	case sqlite3.SQLITE_INTEGER:
		w.int(s.int(column))
	case sqlite3.SQLITE_TEXT:
		p := sqlite3.Xsqlite3_column_text(tls, s.p, at)
		w.text(libc.GoBytes(p, int(sqlite3.Xsqlite3_column_bytes(tls, s.p, at))))
	case sqlite3.SQLITE_BLOB:
		p := sqlite3.Xsqlite3_column_blob(tls, s.p, at)
		n := int(sqlite3.Xsqlite3_column_bytes(tls, s.p, at))
		if n == 0 { // then there is no address
			w.blob(nil)
			return
		}
		w.blob(libc.GoBytes(p, n))
	case sqlite3.SQLITE_NULL:
		w.null()
	default: // the tables are STRICT and have no column of reals
		w.note(errors.New("store: a column is of a type that no table has"))
	}
}

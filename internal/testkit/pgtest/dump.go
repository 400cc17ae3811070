//go:build unix

package pgtest

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Dump is a database as SQL that Load reads.
func Dump(t testing.TB, dsn string) []byte {
	t.Helper()
	out, err := start(t).command("pg_dump", "--inserts", "--no-owner", "--no-privileges", dsn).Output()
	if err != nil {
		t.Fatalf("pgtest: pg_dump: %v", err)
	}
	var sql []byte
	for line := range bytes.Lines(out) {
		if !bytes.HasPrefix(line, []byte(`\`)) { // a command of psql
			sql = append(sql, line...)
		}
	}
	return sql
}

// Load fills an empty database with what Dump returned.
func Load(t testing.TB, dsn string, sql []byte) {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	if _, err := conn.Exec(t.Context(), string(sql)).ReadAll(); err != nil {
		t.Errorf("pgtest: %v", err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Errorf("pgtest: %v", err)
	}
}

package store

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMigrationsHaveTheSameNumbers compares the files.
func TestMigrationsHaveTheSameNumbers(t *testing.T) {
	names := func(engine string) []string {
		list, err := fs.Glob(migrationFiles(engine), "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	sqlite, postgres := names("sqlite"), names("postgres")
	if !slices.Equal(sqlite, postgres) {
		t.Errorf("sqlite has %v, postgres has %v", sqlite, postgres)
	}
	for i, name := range sqlite {
		if want := fmt.Sprintf("%04d_", i+1); !strings.HasPrefix(name, want) {
			t.Errorf("%s should be called %s…", name, want)
		}
		for _, engine := range []string{"sqlite", "postgres"} {
			text, err := fs.ReadFile(migrationFiles(engine), name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "+goose Down") {
				t.Errorf("%s/%s goes backward", engine, name)
			}
		}
	}
}

// TestSchemasAreTheSame reads what the migrations have made in each engine and
// compares the columns, keys and indexes.
func TestSchemasAreTheSame(t *testing.T) {
	sqlite, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer sqlite.Close()
	postgres := openTest(t, postgresDSN(t))
	conn, err := sqlite.Store.(*sqliteDB).readers.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sqlite.Store.(*sqliteDB).readers.put(conn)
	have := sqliteSchema(t, conn)
	if len(have) < 100 {
		t.Errorf("only %d lines: the listing is not whole", len(have))
	}
	if diff := cmp.Diff(have, postgresSchema(t, sqlQuerier{run: postgres.Store.(*postgresDB).pool})); diff != "" {
		t.Errorf("the schemas differ (-sqlite +postgres):\n%s", diff)
	}
}

// texts runs a query and returns its rows of texts.
func texts(t *testing.T, q querier, columns int, sql string, args ...any) (rows [][]string) {
	t.Helper()
	err := q.query(context.Background(), sql, args, func(r *row) {
		var one []string
		for range columns {
			one = append(one, r.text())
		}
		rows = append(rows, one)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func sqliteSchema(t *testing.T, q querier) (lines []string) {
	for _, table := range texts(t, q, 1, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") {
		name := table[0]
		if engineTables.MatchString(name) {
			continue
		}
		var key []string
		for _, c := range texts(t, q, 4, "SELECT name, type, CAST(\"notnull\" AS TEXT), CAST(pk AS TEXT) FROM pragma_table_info($1)", name) {
			if c[3] != "0" {
				key = append(key, c[3]+" "+c[0])
			}
			lines = append(lines, fmt.Sprintf("%s.%s %s null=%v", name, c[0], c[1], c[2] == "0" && c[3] == "0"))
		}
		slices.Sort(key)
		for i := range key {
			_, key[i], _ = strings.Cut(key[i], " ")
		}
		lines = append(lines, name+" key "+strings.Join(key, ","))
	}
	for _, index := range texts(t, q, 4, `SELECT m.name, m.tbl_name, m.sql, CAST(l."unique" AS TEXT) FROM sqlite_master m
		JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name WHERE m.type = 'index' AND m.sql IS NOT NULL`) {
		_, columns, _ := strings.Cut(index[2], "(")
		columns, rest, _ := strings.Cut(columns, ")")
		_, where, _ := strings.Cut(rest, "WHERE ")
		lines = append(lines, indexLine(index[1], index[0], index[3] == "1", columns, neutralWhere.Replace(where)))
	}
	slices.Sort(lines)
	return lines
}

func indexLine(table, name string, unique bool, columns, where string) string {
	return fmt.Sprintf("%s index %s unique=%v (%s) where %s", table, name, unique, strings.ReplaceAll(columns, " ", ""), where)
}

// neutralWhere takes from a condition what only one engine writes.
var neutralWhere = strings.NewReplacer("(", "", ")", "", "::text", "", `"`, "")

var neutralTypes = map[string]string{"bigint": "INTEGER", "smallint": "INTEGER", "text": "TEXT", "bytea": "BLOB"}

func postgresSchema(t *testing.T, q querier) (lines []string) {
	for _, c := range texts(t, q, 4, `SELECT table_name::text, column_name::text, data_type::text, is_nullable::text
		FROM information_schema.columns WHERE table_schema = 'public'`) {
		if !engineTables.MatchString(c[0]) {
			lines = append(lines, fmt.Sprintf("%s.%s %s null=%v", c[0], c[1], neutralTypes[c[2]], c[3] == "YES"))
		}
	}
	for _, x := range texts(t, q, 6, `SELECT tc.relname::text, ic.relname::text, i.indisunique::text, i.indisprimary::text,
		(SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k(att, n)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att),
		coalesce(pg_get_expr(i.indpred, i.indrelid), '')
		FROM pg_index i JOIN pg_class tc ON tc.oid = i.indrelid JOIN pg_class ic ON ic.oid = i.indexrelid
		JOIN pg_namespace n ON n.oid = tc.relnamespace WHERE n.nspname = 'public'`) {
		if engineTables.MatchString(x[0]) {
			continue
		}
		if x[3] == "true" {
			lines = append(lines, x[0]+" key "+x[4])
			continue
		}
		lines = append(lines, indexLine(x[0], x[1], x[2] == "true", x[4], neutralWhere.Replace(x[5])))
	}
	slices.Sort(lines)
	return lines
}

// recorder keeps the statements that a look-up runs.
type recorder struct {
	querier
	sql  []string
	args [][]any
}

func (c *recorder) query(ctx context.Context, sql string, args []any, each func(*row)) error {
	c.sql, c.args = append(c.sql, sql), append(c.args, args)
	return c.querier.query(ctx, sql, args, each)
}

func (c *recorder) scan(ctx context.Context, sql string, args []any, each func(*row)) error {
	return c.query(ctx, sql, args, each)
}

// TestPreviousVersionStillWrites: the version before this one names no column
// that it does not know. What a migration adds to a table of the first one must
// be filled in for it.
func TestPreviousVersionStillWrites(t *testing.T) {
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Store.(*sqliteDB).readers.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Store.(*sqliteDB).readers.put(conn)
	first, err := fs.ReadFile(migrationFiles("sqlite"), "0001_directory.sql")
	if err != nil {
		t.Fatal(err)
	}
	added := 0
	for _, table := range regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\)`).FindAllStringSubmatch(string(first), -1) {
		for _, c := range texts(t, conn, 3, `SELECT name, CAST("notnull" AS TEXT), coalesce(dflt_value, 'none') FROM pragma_table_info($1)`, table[1]) {
			if strings.Contains(table[2], "\n  "+c[0]+" ") {
				continue
			}
			if added++; c[1] == "1" && c[2] == "none" {
				t.Errorf("%s.%s has no default", table[1], c[0])
			}
		}
	}
	if added < 5 {
		t.Errorf("only %d columns were added: the tables are not found", added)
	}
}

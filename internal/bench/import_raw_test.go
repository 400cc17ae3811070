package bench

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the database's own way in

	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// rawPage is how many rows go into one transaction, as in an import.
const rawPage = 500

// rawRows writes the rows of the table of users of a database into the same table of a
// new one, and returns how long that took.
func rawRows(b *testing.B, engine, database string, n int) time.Duration {
	b.Helper()
	if engine == "postgres" {
		return rawCopy(b, database, n)
	}
	return rawInserts(b, strings.TrimPrefix(database, "sqlite:"), n)
}

// rawInserts writes by INSERTs of several rows, with the settings of the store.
func rawInserts(b *testing.B, from string, n int) time.Duration {
	b.Helper()
	ctx, to := context.Background(), filepath.Join(b.TempDir(), "raw.db")
	fatal(b, store.Migrate(ctx, "sqlite:"+to, store.Options{}))
	in, err := sql.Open("sqlite", "file:"+from+"?mode=ro")
	fatal(b, err)
	defer in.Close()
	out, err := sql.Open("sqlite", "file:"+to+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=mmap_size(2147418112)&_pragma=cache_size(-4000)")
	fatal(b, err)
	defer out.Close()
	out.SetMaxOpenConns(1)
	began, written := time.Now(), 0
	rows, err := in.QueryContext(ctx, "SELECT * FROM users ORDER BY rid")
	fatal(b, err)
	defer rows.Close()
	columns, err := rows.Columns()
	fatal(b, err)
	const most = 20
	insert, err := out.PrepareContext(ctx, "INSERT INTO users ("+strings.Join(columns, ", ")+") VALUES "+
		strings.TrimSuffix(strings.Repeat("("+strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")+"), ", most), ", "))
	fatal(b, err)
	var tx *sql.Tx
	for args := range readAhead(rows, len(columns), most) {
		if tx == nil {
			tx, err = out.BeginTx(ctx, nil)
			fatal(b, err)
		}
		_, err := tx.StmtContext(ctx, insert).ExecContext(ctx, args...)
		fatal(b, err)
		if written += most; written%rawPage == 0 {
			fatal(b, tx.Commit())
			tx = nil
		}
	}
	if tx != nil {
		fatal(b, tx.Commit())
	}
	if written < n-most {
		b.Fatalf("%d rows of %d were written", written, n)
	}
	return scaled(time.Since(began), written, n)
}

// readAhead reads rows, so many at a time, as whoever makes those of an import does.
func readAhead(rows *sql.Rows, columns, most int) <-chan []any {
	some := make(chan []any, 100)
	go func() {
		defer close(some)
		targets := make([]any, columns)
		for {
			args := make([]any, most*columns)
			for have := range most {
				if !rows.Next() {
					return // the rest is less than one in a thousand
				}
				for i := range targets {
					targets[i] = &args[have*columns+i]
				}
				if rows.Scan(targets...) != nil {
					return
				}
			}
			some <- args
		}
	}()
	return some
}

// scaled is the time for n rows after some were written.
func scaled(took time.Duration, written, n int) time.Duration {
	return time.Duration(float64(took) * float64(n) / float64(written))
}

// rawCopy writes by COPY.
func rawCopy(b *testing.B, from string, n int) time.Duration {
	b.Helper()
	ctx, to := context.Background(), pgtest.Database(b)
	fatal(b, store.Migrate(ctx, to, store.Options{}))
	in, err := pgx.Connect(ctx, from)
	fatal(b, err)
	defer in.Close(ctx)
	out, err := pgx.Connect(ctx, to)
	fatal(b, err)
	defer out.Close(ctx)
	began, written := time.Now(), 0
	rows, err := in.Query(ctx, "SELECT * FROM users ORDER BY rid")
	fatal(b, err)
	defer rows.Close()
	var columns []string
	for _, f := range rows.FieldDescriptions() {
		columns = append(columns, f.Name)
	}
	pages := make(chan [][]any, 4)
	go func() {
		defer close(pages)
		for {
			var page [][]any
			for len(page) < rawPage && rows.Next() {
				values, err := rows.Values()
				if err != nil {
					return
				}
				page = append(page, values)
			}
			if len(page) == 0 {
				return
			}
			pages <- page
		}
	}()
	for page := range pages {
		_, err := out.CopyFrom(ctx, pgx.Identifier{"users"}, columns, pgx.CopyFromRows(page))
		fatal(b, err)
		written += len(page)
	}
	if written < n {
		b.Fatalf("%d rows of %d were written", written, n)
	}
	return scaled(time.Since(began), written, n)
}

func fatal(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// profile writes a CPU profile to a file, "" for none, until stop is called.
func profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return pprof.StopCPUProfile, pprof.StartCPUProfile(file)
}

package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// backupTime is when the backups of these tests are made.
var backupTime = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// silent are options without a log.
var silent = Options{Logger: quiet}

// newDatabase is a URL of an engine where nothing is yet.
func newDatabase(t *testing.T, engine string) string {
	t.Helper()
	if engine == "postgres" {
		return pgtest.Database(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
}

// backupOf is a backup of a database.
func backupOf(t *testing.T, database string) ([]byte, BackupManifest) {
	t.Helper()
	var file bytes.Buffer
	m, err := Backup(t.Context(), database, &file, "test", backupTime)
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), m
}

// content is every record of a backup as a text, without the engine.
func content(t *testing.T, file []byte) []string {
	t.Helper()
	r, err := newBackupReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	seats := map[string]int64{}
	m, err := r.tables(t.Context(), func(table *backupTable, next func([]any) (bool, error)) error {
		values := make([]any, len(table.Columns))
		// The engines may differ in the order of columns.
		order := slices.Clone(table.Columns)
		slices.Sort(order)
		more, err := next(values)
		for ; more && err == nil; more, err = next(values) {
			line := table.Name
			if line == "licence_shards" { // in which shard a seat is counted means nothing
				pool := fmt.Sprint(values[slices.Index(table.Columns, "type")])
				seats["total of "+pool] += values[slices.Index(table.Columns, "total")].(int64)
				seats["used of "+pool] += values[slices.Index(table.Columns, "used")].(int64)
				continue
			}
			for _, c := range order {
				line += fmt.Sprintf(" %s=%#v", c, values[slices.Index(table.Columns, c)])
			}
			lines = append(lines, line)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(lines, fmt.Sprint(m.Tenants, m.LastEvent, seats))
}

// fillEverything puts rows into every table, with the values that are easily lost
// on the way: the greatest numbers, texts of many characters, empty bytes and NULL.
func fillEverything(t *testing.T, database string) {
	t.Helper()
	db := openTest(t, database)
	no := newTenant(t, db, "acme")
	err := db.Update(t.Context(), func(tx directory.Tx) error {
		for i, total := range []int64{100, 3, math.MaxInt32} {
			if err := tx.SetPool(t.Context(), no, fmt.Sprint("pool", i), total); err != nil {
				return err
			}
		}
		_, err := tx.TakeSeat(t.Context(), no, "pool0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	source, _, err := openSource(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := source.tables(t.Context())
	if err = errors.Join(err, source.close()); err != nil {
		t.Fatal(err)
	}
	nullable := []string{"position", "payload_hash", "hash", "salt", "payload"}
	for _, table := range tables {
		if strings.HasPrefix(table.Name, "licence_") {
			continue // the pools are spread anew
		}
		for row := range 2 {
			insertAnything(t, db, &table, row, nullable)
		}
	}
}

// insertAnything writes a row of made up values that fit the columns.
func insertAnything(t *testing.T, db *DB, table *backupTable, row int, nullable []string) {
	t.Helper()
	texts := []string{"", "O'Hara\t\\N\r\n\"x\"\x01", "Ünï\u202ecodé 漢字 🦊"}
	blobs := [][]byte{{}, {0}, []byte("\x00\xff\\x27"), bytes.Repeat([]byte{7}, 300<<10)}
	var values []any
	for i, column := range table.Columns {
		kind := columnKind(t, db, table.Name, column)
		switch at := row + i; {
		case table.Name == "events" && slices.Contains(nullable, column) && column != "position" && row == 1:
			values = append(values, nil)
		case column == "lease_owner": // is given up when a file is opened
			values = append(values, "")
		case strings.HasPrefix(kind, "text"):
			values = append(values, fmt.Sprint(texts[at%len(texts)], row+100))
		case kind == "bytes" && slices.Contains(table.key, column): // short enough for an index
			values = append(values, append(slices.Clone(blobs[at%3]), byte(row)))
		case kind == "bytes":
			values = append(values, append(slices.Clone(blobs[at%len(blobs)]), byte(row)))
		case column == "next": // of numbers
			values = append(values, int64(math.MaxInt64-row))
		case column == "created_at":
			values = append(values, noTime)
		default:
			values = append(values, int64(1000+10*i+row))
		}
	}
	marks := placeholderList(len(values))
	statement := "INSERT INTO \"" + table.Name + "\" (" + quoted(table.Columns) + ") "
	execAnywhere(t, db, statement, " VALUES ("+marks+")", values)
}

// columnKind is what a column holds: "integer", "text" or "bytes".
func columnKind(t *testing.T, db *DB, table, column string) string {
	t.Helper()
	kind := ""
	read := func(q querier, sql string) {
		if err := q.query(t.Context(), sql, []any{table, column}, func(r *row) { kind = r.text() }); err != nil {
			t.Fatal(err)
		}
	}
	if s, ok := db.Store.(*sqliteDB); ok {
		conn, err := s.readers.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.readers.put(conn)
		read(conn, "SELECT CASE type WHEN 'TEXT' THEN 'text' WHEN 'BLOB' THEN 'bytes' ELSE 'integer' END FROM pragma_table_info($1) WHERE name = $2")
		return kind
	}
	read(sqlQuerier{run: db.Store.(*postgresDB).pool}, `SELECT CASE data_type WHEN 'text' THEN 'text' WHEN 'bytea' THEN 'bytes' ELSE 'integer' END
		FROM information_schema.columns WHERE table_name = $1 AND column_name = $2`)
	return kind
}

// execAnywhere writes below the store.
func execAnywhere(t *testing.T, db *DB, head, tail string, values []any) {
	t.Helper()
	var err error
	if s, ok := db.Store.(*postgresDB); ok {
		_, err = sqlQuerier{run: s.pool}.exec(t.Context(), head+"OVERRIDING SYSTEM VALUE"+tail, values...)
	} else {
		err = db.Update(t.Context(), func(dt directory.Tx) error {
			_, err := dt.(*tx).q.exec(t.Context(), head+tail, values...)
			return err
		})
	}
	if err != nil {
		t.Fatalf("%s: %v", head, err)
	}
}

// What a backup holds is there again after it was restored into either engine, and
// back: every table, whatever its values.
func TestBackupRoundTrips(t *testing.T) {
	for _, way := range [][]string{{"sqlite", "postgres", "sqlite"}, {"postgres", "sqlite", "postgres"}, {"sqlite", "sqlite"}, {"postgres", "postgres"}} {
		t.Run(strings.Join(way, " to "), func(t *testing.T) {
			database := newDatabase(t, way[0])
			if err := Migrate(t.Context(), database, Options{}); err != nil {
				t.Fatal(err)
			}
			fillEverything(t, database)
			file, m := backupOf(t, database)
			want := content(t, file)
			for _, c := range m.Tables {
				if c.Rows < 1 {
					t.Errorf("table %s has no rows: the test does not see what becomes of them", c.Table)
				}
			}
			for _, engine := range way[1:] {
				next := newDatabase(t, engine)
				done, err := Restore(t.Context(), next, bytes.NewReader(file), silent)
				if err != nil {
					t.Fatal(err)
				}
				if done.Rows() != m.Rows() {
					t.Errorf("%d rows, not %d", done.Rows(), m.Rows())
				}
				file, m = backupOf(t, next)
			}
			have := content(t, file)
			if way[0] != way[len(way)-1] {
				t.Fatal("the last engine is not the first")
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("what came back differs (-made +restored):\n%s", diff)
			}
		})
	}
}

// workUsers makes users with events, as the core does, until done is closed.
func workUsers(t *testing.T, db *DB, no directory.TenantNo, first, n int64) {
	for number := first; number < first+n; number++ {
		err := db.Update(context.Background(), func(tx directory.Tx) error {
			u := directory.User{Tenant: no, Number: number, ID: uuid.NewString(), State: directory.StateActive, UserName: fmt.Sprint("user", number),
				FamilyName: "Durable", Company: 1, Version: 1, DoorVersion: 1, CreatedAt: backupTime, UpdatedAt: backupTime}
			if err := tx.InsertUser(context.Background(), u); err != nil {
				return err
			}
			return tx.InsertEvent(context.Background(), directory.Event{Tenant: no, ID: uuid.NewString(), Type: "user.created", User: number, Time: backupTime, Salt: []byte("salt"), Payload: []byte("{}")})
		})
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// A backup that is made while others write is of one moment: its totals are those
// of its rows, and every user has its event. What was restored is found by search.
func TestBackupUnderLoad(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			database := newDatabase(t, engine)
			if err := Migrate(t.Context(), database, Options{}); err != nil {
				t.Fatal(err)
			}
			db := openTest(t, database)
			no := newTenant(t, db, "acme")
			workUsers(t, db, no, 1, 50)
			var work sync.WaitGroup
			for w := range int64(4) {
				work.Go(func() { workUsers(t, db, no, 1000*(w+1), 100) })
			}
			var files [][]byte
			for range 3 {
				file, _ := backupOf(t, database)
				files = append(files, file)
			}
			work.Wait()
			for _, file := range files {
				for _, to := range []string{"sqlite", "postgres"} {
					checkRestoredLoad(t, newDatabase(t, to), file, no)
				}
			}
		})
	}
}

func checkRestoredLoad(t *testing.T, database string, file []byte, no directory.TenantNo) {
	t.Helper()
	done, err := Restore(t.Context(), database, bytes.NewReader(file), silent)
	if err != nil || len(done.Warnings) > 0 {
		t.Fatalf("%v, %v", done.Warnings, err)
	}
	users := done.Tenants[0].Users
	for _, c := range done.Tables {
		if c.Table == "events" && c.Rows != users {
			t.Errorf("%d events for %d users", c.Rows, users)
		}
	}
	db := openTest(t, database)
	if err := db.Seal(t.Context(), no); err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), func(r directory.Reader) error {
		total, err := r.UserTotal(t.Context(), no, 0, directory.StatesOf(directory.StateActive))
		if err != nil || total != users || users < 50 {
			t.Errorf("the total is %d of %d users, %v", total, users, err)
		}
		found, err := r.CountUsers(t.Context(), no, directory.UserQuery{Terms: []string{"durabl"}, States: directory.StatesOf(directory.StateActive)}, 1000)
		if err != nil || found != users {
			t.Errorf("a search finds %d of %d, %v", found, users, err)
		}
		head, err := r.ChainHead(t.Context(), no)
		if err != nil || head.Position != users {
			t.Errorf("the chain ends at %d, not %d: %v", head.Position, users, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// What is written next goes on from there.
	workUsers(t, db, no, 900, 1)
}

// A backup that is cut off or has a bit changed anywhere is refused before anything
// is written.
func TestDamagedBackup(t *testing.T) {
	database := newDatabase(t, "sqlite")
	if err := Migrate(t.Context(), database, Options{}); err != nil {
		t.Fatal(err)
	}
	db := openTest(t, database)
	workUsers(t, db, newTenant(t, db, "acme"), 1, 5)
	file, _ := backupOf(t, database)
	path := filepath.Join(t.TempDir(), "usher.db")
	refused := func(name string, damaged []byte) {
		if _, err := Restore(t.Context(), "sqlite:"+path, bytes.NewReader(damaged), silent); !errors.Is(err, ErrDamagedBackup) {
			t.Errorf("%s: %v", name, err)
		}
		list, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(list) != 0 {
			t.Fatalf("%s: left %v, %v", name, list, err)
		}
	}
	for cut := 0; cut < len(file); cut += 97 {
		refused(fmt.Sprint("cut at ", cut), file[:cut])
	}
	for at := 0; at < len(file); at += 61 {
		flipped := slices.Clone(file)
		flipped[at] ^= 1 << (at % 8)
		refused(fmt.Sprint("flipped at ", at), flipped)
	}
	refused("longer", append(slices.Clone(file), 0))
	refused("another file", []byte("SQLite format 3\x00"))
}

// What is there already is left as it is.
func TestRestoreRefusesWhatIsNotEmpty(t *testing.T) {
	source := newDatabase(t, "sqlite")
	if err := Migrate(t.Context(), source, Options{}); err != nil {
		t.Fatal(err)
	}
	newTenant(t, openTest(t, source), "acme")
	file, _ := backupOf(t, source)
	for _, engine := range []string{"sqlite", "postgres"} {
		database := newDatabase(t, engine)
		if err := Migrate(t.Context(), database, Options{}); err != nil {
			t.Fatal(err)
		}
		db := openTest(t, database)
		newTenant(t, db, "other")
		if _, err := Restore(t.Context(), database, bytes.NewReader(file), silent); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("%s: %v", engine, err)
		}
		if n := tenantCount(t, db); n != 1 {
			t.Errorf("%s: %d tenants", engine, n)
		}
	}
	log := filepath.Join(t.TempDir(), "usher.db")
	if err := os.WriteFile(log+"-wal", []byte("of another file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), "sqlite:"+log, bytes.NewReader(file), silent); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("beside a log: %v", err)
	}
	if _, err := Restore(t.Context(), "mysql:x", bytes.NewReader(file), silent); err == nil {
		t.Error("an unknown engine was restored into")
	}
}

// A backup of an earlier schema is loaded into that schema and then migrated.
func TestRestoreOfAnEarlierSchema(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			file := earlierBackup(t, engine)
			for _, to := range []string{"sqlite", "postgres"} {
				database := newDatabase(t, to)
				if _, err := Restore(t.Context(), database, bytes.NewReader(file), silent); err != nil {
					t.Fatalf("into %s: %v", to, err)
				}
				if n := tenantCount(t, openTest(t, database)); n != 1 {
					t.Errorf("into %s: %d tenants", to, n)
				}
			}
		})
	}
}

// earlierSchema is a version without the tables of runs.
const earlierSchema = 4

func earlierBackup(t *testing.T, engine string) []byte {
	t.Helper()
	database := newDatabase(t, engine)
	var source backupSource
	if engine == "sqlite" {
		path := strings.TrimPrefix(database, "sqlite:")
		if err := migrateFile(t.Context(), path, earlierSchema); err != nil {
			t.Fatal(err)
		}
		execSQL(t, "sqlite", sqliteDSN(path, sqliteWriter), insertEarlierTenant)
	} else {
		pool, err := sql.Open("pgx", database)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(migrateTo(t.Context(), "postgres", pool, "postgres", earlierSchema), pool.Close()); err != nil {
			t.Fatal(err)
		}
		execSQL(t, "pgx", database, insertEarlierTenant)
	}
	// A program of that time made it: this one refuses to.
	if _, err := Backup(t.Context(), database, &bytes.Buffer{}, "test", backupTime); !errors.Is(err, ErrNeedsMigration) {
		t.Fatalf("a backup of an old schema: %v", err)
	}
	source, _, err := openSource(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := errors.Join(writeBackup(t.Context(), source, &file, &BackupManifest{Engine: engine, Schema: earlierSchema}), source.close()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

const insertEarlierTenant = `INSERT INTO tenants (no, id, name, version, doors, disabled, default_company, owner, hosts, settings, entity, created_at)
	VALUES (1, 'a', 'acme', 1, 0, 0, 1, 0, '[]', '{}', '', 0)`

func execSQL(t *testing.T, driver, dsn, statement string) {
	t.Helper()
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.ExecContext(t.Context(), statement)
	if err := errors.Join(err, pool.Close()); err != nil {
		t.Fatal(err)
	}
}

// A backup that is interrupted says so, and a restore that is leaves nothing.
func TestInterruptedBackup(t *testing.T) {
	database := newDatabase(t, "sqlite")
	if err := Migrate(t.Context(), database, Options{}); err != nil {
		t.Fatal(err)
	}
	db := openTest(t, database)
	workUsers(t, db, newTenant(t, db, "acme"), 1, 5)
	file, _ := backupOf(t, database)
	for _, engine := range []string{"sqlite", "postgres"} {
		ctx, cancel := context.WithCancel(t.Context())
		into := newDatabase(t, engine)
		_, err := Restore(ctx, into, &cancelAtEnd{Reader: bytes.NewReader(file), cancel: cancel}, silent)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", engine, err)
		}
		if path, ok := strings.CutPrefix(into, "sqlite:"); ok {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the file is there: %v", err)
			}
		}
		if _, err := Restore(t.Context(), into, bytes.NewReader(file), silent); err != nil {
			t.Errorf("%s, again: %v", engine, err)
		}
	}
	if _, err := Backup(t.Context(), database, failingWriter{}, "test", backupTime); !errors.Is(err, errDiskFull) {
		t.Errorf("on a full disk: %v", err)
	}
	if _, err := Backup(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "none.db"), &bytes.Buffer{}, "test", backupTime); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
}

// cancelAtEnd is a file at whose second reading somebody interrupts.
type cancelAtEnd struct {
	*bytes.Reader
	cancel func()
	reads  int
}

func (c *cancelAtEnd) Seek(offset int64, whence int) (int64, error) {
	if c.reads++; c.reads == 5 { // behind the check, which has read everything
		c.cancel()
	}
	return c.Reader.Seek(offset, whence)
}

var errDiskFull = errors.New("no space left")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errDiskFull }

// FuzzCheckBackup reads whatever stands where records should, behind a sum that is
// right: it is refused, or it is a backup.
func FuzzCheckBackup(f *testing.F) {
	for _, records := range []string{"", "h", "h\x02{}m\x02{}", "h\x02{}t\x1a{\"name\":\"a\",\"columns\":[]}m\x02{}", "h\x02{}t\x02{}rx", "h\xff\xff\xff\xff\x0f", "h\x02{}rn",
		"h\x02{}t\x1e{\"name\":\"a\",\"columns\":[\"b\"]}rs\xff\xff\xff\x7fxm\x02{}"} {
		f.Add([]byte(records))
	}
	f.Fuzz(func(t *testing.T, records []byte) {
		var file bytes.Buffer
		w, err := newBackupWriter(&file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.out.Write(records); err != nil {
			t.Fatal(err)
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		m, err := CheckBackup(t.Context(), bytes.NewReader(file.Bytes()))
		if err != nil && !errors.Is(err, ErrDamagedBackup) {
			t.Errorf("%q: %v", records, err)
		}
		if err == nil && m.Rows() < 0 {
			t.Errorf("%q: %d rows", records, m.Rows())
		}
	})
}

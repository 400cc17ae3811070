package store

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// rowsOfLoad are the tables that a load writes, with the columns in which two
// databases with the same users cannot differ.
var rowsOfLoad = map[string]string{
	"users":          strings.Join(insertUserColumns, ", "),
	"identifiers":    "tenant, space, key, rid, kinds",
	"passwords":      "rid, hash, set_at, failures, last_login",
	"user_company":   "tenant, ancestor, state, number",
	"company_totals": "tenant, company, state, CAST(sum(n) AS BIGINT) AS n",
	"events":         eventColumns + ", position",
	"chain_heads":    "tenant, position",
	"purged":         "tenant, number, id",
}

// tables reads all rows of those tables, as texts.
func tables(t *testing.T, db *DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := db.View(t.Context(), func(dr directory.Reader) error {
		for table, columns := range rowsOfLoad {
			sql := "SELECT " + columns + " FROM " + table
			if table == "company_totals" {
				sql += " GROUP BY tenant, company, state"
			}
			list, err := textsOf(t.Context(), dr.(*reader).q, sql, columns)
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
			slices.Sort(list)
			all[table] = list
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// textsOf reads each row as one text.
func textsOf(ctx context.Context, q querier, sql, columns string) (list []string, err error) {
	var quoted []string
	for column := range strings.SplitSeq(columns, ", ") {
		if strings.HasSuffix(column, " AS n") {
			column = "n"
		}
		if column == "salt" || column == "payload" {
			column = "coalesce(length(" + column + "), -1)"
		}
		quoted = append(quoted, "CAST("+column+" AS TEXT)")
	}
	err = q.query(ctx, "SELECT "+strings.Join(quoted, " || '|' || ")+" FROM ("+sql+") r", nil, func(r *row) { list = append(list, r.text()) })
	return list, err
}

// openLoad is an empty database with a tenant and companies 1 and 2.
func openLoad(t *testing.T, engine string) (*DB, directory.TenantNo) {
	t.Helper()
	database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	if engine == "postgres" {
		database = pgtest.Database(t)
	}
	if err := Migrate(t.Context(), database, Options{}); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), database, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	var tenant directory.TenantNo
	mustUpdate(t, db, func(x *tx) (err error) {
		tenant, err = insertLoadTenant(t.Context(), x)
		return err
	})
	return db, tenant
}

// insertLoadTenant makes a tenant with companies 1 and 2.
func insertLoadTenant(ctx context.Context, dt directory.Tx) (directory.TenantNo, error) {
	tenant, err := dt.InsertTenant(ctx, directory.Tenant{ID: "load", Name: "load", Doors: directory.AllDoors})
	if err != nil {
		return 0, err
	}
	for n, path := range [][]int64{{1}, {1, 2}} {
		c := directory.Company{Tenant: tenant, Number: int64(n + 1), ID: fmt.Sprint(n), Path: path, Name: fmt.Sprint("Company ", n)}
		if err := dt.InsertCompany(ctx, c); err != nil {
			return 0, err
		}
	}
	return tenant, nil
}

// TestLoadWritesWhatInsertsWrite compares all rows of two databases: one whose users
// were loaded, and one into which each was inserted.
func TestLoadWritesWhatInsertsWrite(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			one, tenant := openLoad(t, engine)
			many, _ := openLoad(t, engine)
			for first := int64(1); first < 1300; first += 650 {
				var page []directory.UserLoad
				for n := first; n < first+650; n++ {
					l := loaded(tenant, n)
					if l.User.State = directory.States[n%4]; n%3 == 0 {
						l.Password = directory.Password{User: n, Hash: "hash", SetAt: l.User.CreatedAt}
					}
					page = append(page, l)
				}
				mustUpdate(t, many, func(x *tx) error { return x.LoadUsers(t.Context(), tenant, page) })
				mustUpdate(t, one, func(x *tx) error { return insertEach(t.Context(), x, tenant, page) })
			}
			for _, db := range []*DB{one, many} {
				if err := db.Seal(t.Context(), tenant); err != nil {
					t.Fatal(err)
				}
			}
			want, got := tables(t, one), tables(t, many)
			for table := range rowsOfLoad {
				if diff := cmp.Diff(want[table], got[table]); diff != "" {
					t.Errorf("%s: (-inserted +loaded)\n%.2000s", table, diff)
				}
			}
			if len(got["users"]) != 1300 || len(got["events"]) != 1300 || len(got["passwords"]) != 433 || len(got["company_totals"]) != 12 {
				t.Errorf("the tables have %d users, %d events, %d passwords and %d totals", len(got["users"]), len(got["events"]), len(got["passwords"]), len(got["company_totals"]))
			}
		})
	}
}

func mustUpdate(t *testing.T, db *DB, fn func(x *tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), func(dt directory.Tx) error { return fn(dt.(*tx)) }); err != nil {
		t.Fatal(err)
	}
}

func insertEach(ctx context.Context, x *tx, tenant directory.TenantNo, page []directory.UserLoad) error {
	for _, l := range page {
		if err := x.InsertUser(ctx, l.User); err != nil {
			return err
		}
		for _, h := range l.Handles {
			if err := x.InsertHandle(ctx, tenant, h); err != nil {
				return err
			}
		}
		if l.Password.Hash != "" {
			if err := x.SetPassword(ctx, tenant, l.Password); err != nil {
				return err
			}
		}
		if err := x.InsertEvent(ctx, l.Event); err != nil {
			return err
		}
	}
	return nil
}

// restingLoad is a writer that does what the test says, on a database with a tenant.
type restingLoad struct {
	*writer
	t *testing.T
}

func newRestingLoad(t *testing.T) *restingLoad {
	t.Helper()
	path := filepath.Join(t.TempDir(), "usher.db")
	if err := Migrate(t.Context(), "sqlite:"+path, Options{}); err != nil {
		t.Fatal(err)
	}
	conn, err := openSQLiteConn(sqliteDSN(path, sqliteWriter))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.close(); err != nil {
			t.Error(err)
		}
	})
	w := &restingLoad{restingWriter(newSQLiteEngine(), conn, Options{Logger: slog.New(slog.DiscardHandler)}.withDefaults()), t}
	w.commit(func(dt directory.Tx) error {
		_, err := insertLoadTenant(t.Context(), dt)
		return err
	})
	return w
}

// commit runs a batch of one closure.
func (w *restingLoad) commit(fn func(directory.Tx) error) {
	w.t.Helper()
	u := &update{fn: fn, ctx: w.t.Context(), done: make(chan struct{})}
	(&batch{w: w.writer, began: w.engine.now()}).run(u)
	if <-u.done; u.err != nil || u.panicked != nil {
		w.t.Fatal(u.err, u.panicked)
	}
}

// number is the answer of a query.
func (w *restingLoad) number(sql string) (n int64) {
	w.t.Helper()
	if err := w.conn.query(w.t.Context(), sql, nil, func(r *row) { n = r.int() }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// wantSettings compares what a load changes.
func (w *restingLoad) wantSettings(loading bool, want ftsSettings) {
	w.t.Helper()
	setting := func(name string) int {
		return int(w.number("SELECT CAST(v AS INTEGER) FROM user_search_config WHERE k = '" + name + "'"))
	}
	got := ftsSettings{setting("crisismerge"), setting("usermerge"), setting("hashsize")}
	if w.loading.Load() != loading || got != want {
		w.t.Errorf("loading: %t with the settings %v, want %t with %v", w.loading.Load(), got, loading, want)
	}
}

// TestLoadMergesManySegments loads so many pages that segments are merged, and looks
// at what the writer changes for it and gives back.
func TestLoadMergesManySegments(t *testing.T) {
	const pages, size = 2*loadSegments + 8, 5
	w := newRestingLoad(t)
	most := int64(0)
	for n := range int64(pages) {
		var page []directory.UserLoad
		for i := range int64(size) {
			page = append(page, loaded(1, n*size+i+1))
		}
		w.commit(func(dt directory.Tx) error { return dt.LoadUsers(t.Context(), 1, page) })
		most = max(most, w.number("SELECT count(DISTINCT segid) FROM user_search_idx"))
	}
	w.wantSettings(true, loadSettings)
	if most < loadSegments-1 || most > loadSegments+2 || w.longLog() != loadLog {
		t.Errorf("there were up to %d segments, want about %d; the log may have %d pages", most, loadSegments, w.longLog())
	}
	for w.mergeIdle() || w.endLoad() {
		continue
	}
	w.wantSettings(false, restSettings)
	if left := w.number("SELECT count(DISTINCT segid) FROM user_search_idx"); left > 8 || w.longLog() != longLog {
		t.Errorf("%d segments are left; the log may have %d pages", left, w.longLog())
	}
	if found := w.number(`SELECT count(*) FROM user_search WHERE user_search MATCH '"exa"'`); found != pages*size {
		t.Errorf("the index finds %d users of %d", found, pages*size)
	}
}

// TestLoadIsResumed: a process that starts after one that was killed in a load gives
// back what that has changed.
func TestLoadIsResumed(t *testing.T) {
	w := newRestingLoad(t)
	w.resumeLoad()
	if w.loading.Load() {
		t.Error("a database without a load begins with one")
	}
	w.setSearch(loadSettings)
	w.resumeLoad()
	w.wantSettings(true, loadSettings)
	w.endLoad()
	w.wantSettings(false, restSettings)
}

// TestStructureRecord reads what FTS5 writes, and anything else without a panic.
func TestStructureRecord(t *testing.T) {
	record := []byte{0, 0, 0, 1, 0xFF, 0, 0, 1, 2, 3, 5, // 2 levels, 3 segments, 5 pages
		0, 1, 1, 1, 9, 1, 1, 0, 0, 7, // level 0: none is merged, one segment
		2, 2, 2, 1, 0x81, 0x00, 1, 1, 0, 0, 7, 3, 1, 4, 1, 1, 0, 0, 7} // level 1: both are merged
	want := []ftsLevel{{0, 1}, {2, 2}}
	if got := ftsLevels(record); !slices.Equal(got, want) {
		t.Errorf("levels %v, want %v", got, want)
	}
	for end := range record {
		if got := ftsLevels(record[:end]); len(got) > 2 {
			t.Errorf("%d levels of a record of %d bytes", len(got), end)
		}
	}
	if got := ftsLevels([]byte("\x00\x00\x00\x01\x01\x01\x01\x00\x00")); got != nil {
		t.Errorf("levels %v of a record of the first version", got)
	}
}

func TestCopyText(t *testing.T) {
	got, err := copyText(nil, []any{int64(-1), "a\tb\\N\r\n", []byte{0, 255}, nil, "", []byte{}}, 3)
	if want := "-1\ta\\tb\\\\N\\r\\n\t\\\\x00ff\n\\N\t\t\\\\x\n"; err != nil || string(got) != want {
		t.Errorf("%q (%v), want %q", got, err, want)
	}
	if _, err := copyText(nil, []any{1.5}, 1); err == nil {
		t.Error("a number that is no integer is copied")
	}
}

package directory_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// tampered is a copy of a database in which everything is changed, one thing at a
// time, and the audit that has to see it.
type tampered struct {
	*fixture
	db     *sql.DB
	points []directory.Checkpoint
	events []directory.Event // as they were
	head   directory.ChainHead
	tried  int
}

// newTampered fills a directory with events of many kinds: a purged user, a first
// part that retention has removed, and checkpoints. Then it copies it.
func newTampered(t *testing.T) *tampered {
	f := newFixture(t)
	x := &tampered{fixture: f}
	f.plainEvents(3)
	x.points = append(x.points, f.point())
	f.settings(func(t *directory.Tenant) { t.Settings.EventDays = 30 })
	f.clock.advance(40 * 24 * time.Hour)
	f.someone()
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return f.trimTo(tx, 4) }))
	gone, living := f.someone(withPassword), f.someone(withPassword)
	ref := directory.ByNumber(living.Number)
	must(f.svc.Lock(f.ctx, f.sys(), ref, f.lockReason(f.root).Number))(t)
	must(f.svc.Unlock(f.ctx, f.sys(), ref))(t)
	must(f.svc.Deactivate(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	f.key(readerRank)
	f.group(directory.GroupPlain, "crew")
	x.points = append(x.points, f.point())
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))
	c := f.sys()
	c.Reason = "she asked for it"
	must(f.svc.UpdateUser(f.ctx, c, ref, directory.UserPatch{Title: directory.Some("Chief")}, directory.UpdateOptions{}))(t)
	must(f.svc.Activate(f.ctx, f.sys(), directory.ByNumber(f.someone(withState(directory.StateInactive)).Number)))(t)
	restart := must(f.svc.RestartChain(f.ctx, f.sys(), "for the test"))(t)
	restart.Sign(checkpointKey(1))
	f.company("North", f.root)
	f.role(selfRank)
	x.points = append(x.points, restart, f.point())
	f.someone()
	f.location(f.root)

	path := filepath.Join(t.TempDir(), "copy.db")
	f.tamper("VACUUM INTO '" + path + "'")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=synchronous(OFF)&_pragma=journal_mode(WAL)")
	check(t, err)
	db.SetMaxOpenConns(1)
	x.db = db
	x.run("CREATE TABLE kept_events AS SELECT * FROM events", "CREATE TABLE kept_heads AS SELECT * FROM chain_heads")
	read, err := store.Open(f.ctx, "sqlite:"+path, store.Options{ReadOnly: true})
	check(t, err)
	t.Cleanup(func() { check(t, read.Close()); check(t, db.Close()) })
	x.svc = directory.New(read, directory.Options{Now: f.clock.now})
	check(t, read.View(f.ctx, func(r directory.Reader) (err error) {
		if x.head, err = r.ChainHead(f.ctx, f.tenant.No); err == nil {
			x.events, err = r.Events(f.ctx, f.tenant.No, 0, 1000)
		}
		return err
	}))
	return x
}

// trimTo removes the events up to a position as retention does.
func (f *fixture) trimTo(tx directory.Tx, through int64) error {
	events, err := tx.Events(f.ctx, f.tenant.No, through-1, 1)
	if err != nil {
		return err
	}
	payload := fmt.Appendf(nil, `{"changes":{"base":[0,%d],"base_hash":["","%x"]}}`, through, events[0].Hash)
	if err := tx.InsertEvent(f.ctx, directory.Event{Tenant: f.tenant.No, ID: f.unique("event"), Type: directory.EventFeedTrimmed, Door: directory.DoorCLI,
		Actor: "system:retention", Time: f.clock.now(), Salt: []byte("sixteen bytes..."), Payload: payload}); err != nil {
		return err
	}
	_, err = tx.TrimEvents(f.ctx, f.tenant.No, through, 100)
	return err
}

func (x *tampered) run(statements ...string) {
	x.t.Helper()
	for _, s := range statements {
		if _, err := x.db.ExecContext(x.ctx, s); err != nil {
			x.t.Fatalf("%s: %v", s, err)
		}
	}
}

// try changes the copy in one transaction, with the arguments for the last
// statement, and audits it; then everything is as it was. Where the database itself
// refuses the change there is nothing to see.
func (x *tampered) try(what string, broken func(int64) bool, change func(tx *sql.Tx) error) {
	x.t.Helper()
	tx, err := x.db.BeginTx(x.ctx, nil)
	check(x.t, err)
	if err := change(tx); err != nil {
		if text := err.Error(); !strings.Contains(text, "constraint failed") && !strings.Contains(text, "mismatch") && !strings.Contains(text, "cannot store") {
			x.t.Fatalf("%s: %v", what, err)
		}
		check(x.t, tx.Rollback())
		return
	}
	check(x.t, tx.Commit())
	x.tried++
	if report := x.audit(x.points...); !broken(report.Broken) || (report.Broken == 0) != (report.Problem == "") {
		x.t.Errorf("%s: broken at %d (%q)", what, report.Broken, report.Problem)
	}
	x.restore()
}

func (x *tampered) restore() {
	x.t.Helper()
	x.run("BEGIN; DELETE FROM events; INSERT INTO events SELECT * FROM kept_events; DELETE FROM chain_heads; INSERT INTO chain_heads SELECT * FROM kept_heads; COMMIT")
}

// statement is a change by one statement.
func statement(query string, args ...any) func(tx *sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}
}

func at(want int64) func(int64) bool { return func(got int64) bool { return got == want } }
func anywhere(got int64) bool        { return got != 0 }
func nowhere(got int64) bool         { return got == 0 }

// otherValues are values that a column might be changed to.
func otherValues(old any) []any {
	switch v := old.(type) {
	case int64:
		return []any{nil, v + 1, v - 1, v + 1<<16, -v, int64(0), v + 1<<32}
	case string:
		return []any{nil, v + "x", v + "\x00", strings.ToUpper(v), "", v[:len(v)/2]}
	case []byte:
		if len(v) == 0 {
			return []any{[]byte{0}}
		}
		flipped := bytes.Clone(v)
		flipped[len(v)/2] ^= 1
		return []any{nil, []byte{}, flipped, v[:len(v)-1], append(bytes.Clone(v), 0)}
	}
	return []any{int64(7), "x", []byte("x")} // NULL, whatever the column may hold
}

// same reports whether two values mean the same: no contents are none.
func same(a, b any) bool {
	text := func(v any) string {
		if v == nil {
			v = []byte{}
		}
		return fmt.Sprintf("%T %v", v, v)
	}
	return text(a) == text(b)
}

// cells are the rows of a table, by its column names.
func (x *tampered) cells(table, order string) (columns []string, rows [][]any) {
	x.t.Helper()
	found, err := x.db.QueryContext(x.ctx, "SELECT * FROM "+table+" WHERE tenant = "+fmt.Sprint(x.tenant.No)+" ORDER BY "+order)
	check(x.t, err)
	defer found.Close()
	columns, err = found.Columns()
	check(x.t, err)
	for found.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		check(x.t, found.Scan(into...))
		rows = append(rows, row)
	}
	check(x.t, found.Err())
	return columns, rows
}

// Whatever is changed in one place of the events or of the chain's end is seen, and
// where: every row, every column, several values.
func TestRulesAuditSeesEveryChange(t *testing.T) {
	x := newTampered(t)
	report := x.wantWhole(x.points...)
	if report.Erased == 0 || report.First != 5 || report.Checkpoints != 3 || report.Last-report.Covered < 2 {
		t.Fatalf("not what is to be tried on: %+v", report)
	}
	columns, rows := x.cells("events", "position")
	position := slices.Index(columns, "position")
	for i, row := range rows {
		here := row[position].(int64)
		for c, column := range columns {
			values := otherValues(row[c])
			if i > 0 {
				values = append(values, rows[i-1][c])
			}
			for _, value := range values {
				if same(value, row[c]) {
					continue
				}
				want := here
				if moved, ok := value.(int64); ok && c == position {
					want = min(here, max(moved, 1))
				}
				x.try(fmt.Sprintf("position %d, %s = %v", here, column, value), at(want),
					statement("UPDATE events SET "+column+" = ? WHERE tenant = ? AND position = ?", value, x.tenant.No, here))
			}
		}
	}
	columns, rows = x.cells("chain_heads", "tenant")
	for c, column := range columns {
		for _, value := range otherValues(rows[0][c]) {
			if !same(value, rows[0][c]) {
				x.try(fmt.Sprintf("chain_heads, %s = %v", column, value), anywhere,
					statement("UPDATE chain_heads SET "+column+" = ? WHERE tenant = ?", value, x.tenant.No))
			}
		}
	}
	x.try("chain_heads, no row", anywhere, statement("DELETE FROM chain_heads"))
	x.wantWhole(x.points...)
	if t.Logf("%d changes", x.tried); x.tried < 1000 {
		t.Errorf("only %d changes were tried", x.tried)
	}
}

// Rows that are removed, exchanged or copied are seen, and so are contents that are
// removed although nobody was purged.
func TestRulesAuditSeesRowsMoved(t *testing.T) {
	x := newTampered(t)
	first, last := x.events[0].Position, x.head.Position
	for _, e := range x.events {
		here := e.Position
		x.try(fmt.Sprintf("without position %d", here), at(here), statement("DELETE FROM events WHERE position = ?", here))
		x.try(fmt.Sprintf("without all from position %d on", here), at(here), statement("DELETE FROM events WHERE position >= ?", here))
		for _, other := range []int64{here + 1, here + 5, last} {
			if other > here && other <= last {
				x.try(fmt.Sprintf("positions %d and %d exchanged", here, other), at(here), func(tx *sql.Tx) error {
					_, err := tx.Exec(`UPDATE events SET position = -1 WHERE position = ?1; UPDATE events SET position = ?1 WHERE position = ?2;
						UPDATE events SET position = ?2 WHERE position = -1`, here, other)
					return err
				})
			}
		}
		for _, place := range []any{last + 1, first - 1, int64(0), nil} {
			want := last + 1
			if n, ok := place.(int64); ok {
				want = max(1, min(n, want))
			}
			x.try(fmt.Sprintf("position %d once more at %v", here, place), at(want), func(tx *sql.Tx) error {
				_, err := tx.Exec(`CREATE TEMP TABLE one AS SELECT * FROM events WHERE position = ?1; UPDATE one SET seq = NULL, position = ?2;
					INSERT INTO events SELECT * FROM one; DROP TABLE one`, here, place)
				return err
			})
		}
		if !e.Erased() {
			x.try(fmt.Sprintf("position %d without contents", here), at(here),
				statement("UPDATE events SET salt = NULL, payload = NULL, reason = '' WHERE position = ?", here))
		}
	}
	x.wantWhole(x.points...)
}

// rewritten makes the chain anew from a position on, as whoever knows how it is
// made can: every hash fits.
func (x *tampered) rewritten(from int64, change func(events []directory.Event) []directory.Event) func(tx *sql.Tx) error {
	i := slices.IndexFunc(x.events, func(e directory.Event) bool { return e.Position == from })
	head := x.head
	head.Position, head.Hash = from-1, head.BaseHash
	if i > 0 {
		head.Hash = x.events[i-1].Hash
	}
	events := change(slices.Clone(x.events[i:]))
	return func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM events WHERE position >= ?", from); err != nil {
			return err
		}
		for k := range events {
			e := &events[k]
			head.Append(e)
			if _, err := tx.Exec("INSERT INTO events SELECT * FROM kept_events WHERE seq = ?", e.Seq); err != nil {
				return err
			}
			if _, err := tx.Exec("UPDATE events SET position = ?, payload_hash = ?, hash = ?, reason = ? WHERE seq = ?",
				e.Position, e.PayloadHash, e.Hash, e.Reason, e.Seq); err != nil {
				return err
			}
		}
		_, err := tx.Exec("UPDATE chain_heads SET position = ?, hash = ? WHERE tenant = ?", head.Position, head.Hash, x.tenant.No)
		return err
	}
}

// A history that was made anew with all its hashes is seen up to the last
// checkpoint. What comes after that nobody can see: docs/operations.md says so.
func TestRulesAuditSeesARewrittenChain(t *testing.T) {
	x := newTampered(t)
	last := x.points[len(x.points)-1].Position
	for _, e := range x.events {
		here := e.Position
		want := nowhere
		if i := slices.IndexFunc(x.points, func(c directory.Checkpoint) bool { return c.Position >= here }); i >= 0 {
			want = at(x.points[i].Position)
		}
		if !e.Erased() {
			x.try(fmt.Sprintf("position %d with another reason", here), want, x.rewritten(here, func(events []directory.Event) []directory.Event {
				events[0].Reason += "x"
				return events
			}))
		}
		want = nowhere
		if here <= last {
			want = anywhere
		}
		if x.structural(&e) {
			want = anywhere
		}
		x.try(fmt.Sprintf("position %d left out", here), want, x.rewritten(here, func(events []directory.Event) []directory.Event { return events[1:] }))
	}
	x.try("the end cut off", at(last), x.rewritten(last, func([]directory.Event) []directory.Event { return nil }))
}

// structural reports whether others depend on an event: without it they show that
// something is wrong.
func (x *tampered) structural(e *directory.Event) bool {
	return e.Type == directory.EventFeedRestarted || e.Type == directory.EventFeedTrimmed || e.Type == directory.EventUserPurged
}

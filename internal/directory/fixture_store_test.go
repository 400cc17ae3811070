package directory_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"strings"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // the dump's own way to the file

	"github.com/usher-id/usher/internal/directory"
)

// events lists the tenant's events after a position.
func (f *fixture) events(after int64) []directory.Event {
	f.t.Helper()
	var all []directory.Event
	for {
		page := must(f.svc.Events(f.ctx, f.sys(), after, directory.MaxLimit))(f.t)
		all = append(all, page...)
		if len(page) < directory.MaxLimit {
			return all
		}
		after = page[len(page)-1].Position
	}
}

// mark is the position of the last event.
func (f *fixture) mark() int64 {
	f.t.Helper()
	if all := f.events(0); len(all) > 0 {
		return all[len(all)-1].Position
	}
	return 0
}

// types are the types of the events after a mark.
func (f *fixture) types(mark int64) []directory.EventType {
	f.t.Helper()
	var types []directory.EventType
	for _, e := range f.events(mark) {
		types = append(types, e.Type)
	}
	return types
}

// wantEvents fails unless exactly these events followed a mark.
func (f *fixture) wantEvents(mark int64, want ...directory.EventType) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.types(mark)); diff != "" {
		f.t.Errorf("events (-want +got):\n%s", diff)
	}
}

// findCanaries fails the test if an event of any tenant shows a secret.
func (f *fixture) findCanaries() {
	dump := f.dump("events")
	f.mu.Lock()
	defer f.mu.Unlock()
	for table, text := range dump {
		for _, canary := range f.canaries {
			if strings.Contains(text, canary) {
				f.t.Errorf("%s holds a secret", table)
			}
		}
	}
}

// dump is every row of the database file, or of the tables that are named, as
// text: what it holds is what the directory remembers. Search tables follow
// the users and may be written late; they are left out.
func (f *fixture) dump(tables ...string) map[string]string {
	f.t.Helper()
	if f.reading == nil {
		db, err := sql.Open("sqlite", "file:"+f.path+"?mode=ro")
		check(f.t, err)
		f.reading = db
	}
	if len(tables) == 0 {
		tables = f.tables()
	}
	out := make(map[string]string, len(tables))
	for _, name := range tables {
		out[name] = f.dumpTable(name)
	}
	return out
}

// tables are the names of the tables that a dump holds.
func (f *fixture) tables() []string {
	rows, err := f.reading.Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%search%' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'`)
	check(f.t, err)
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		check(f.t, rows.Scan(&name))
		names = append(names, name)
	}
	check(f.t, rows.Err())
	return names
}

func (f *fixture) dumpTable(name string) string {
	rows, err := f.reading.Query(`SELECT * FROM "` + name + `" ORDER BY 1, 2`)
	check(f.t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	check(f.t, err)
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var b bytes.Buffer
	for rows.Next() {
		check(f.t, rows.Scan(into...))
		for i, v := range values {
			if raw, ok := v.([]byte); ok {
				v = string(raw)
			}
			b.WriteString(columns[i])
			b.WriteByte('=')
			fmt.Fprint(&b, v)
			b.WriteByte(' ')
		}
		b.WriteByte('\n')
	}
	check(f.t, rows.Err())
	return b.String()
}

// wantUnchanged fails if the database differs from a dump.
func (f *fixture) wantUnchanged(before map[string]string, what string) {
	f.t.Helper()
	if after := f.dump(); !maps.Equal(before, after) {
		f.t.Errorf("%s changed the database:\n%s", what, cmp.Diff(before, after))
	}
}

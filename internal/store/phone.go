package store

import (
	"strings"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// anyPhone is the condition of a filter on telephone numbers. Most users have
// none that could match, and then their JSON is not read: the text of a number
// does not stand in it as encode would write it.
func (c *filterCompiler) anyPhone(f directory.AnyPhone) string {
	for _, text := range []string{f.Type, f.Value} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return never // as in text
		}
	}
	quoted, err := encode(f.Value)
	if err != nil {
		c.err = err
		return never
	}
	trace := quoted[1 : len(quoted)-1]
	if f.Op == directory.OpEqual || f.Op == directory.OpPrefix || trace == "" {
		trace = `{"number":"` + trace
	}
	test := func(number, kind string) string {
		sql := c.compareText(number, f.Op, f.Value)
		if !f.AnyType {
			sql += " AND " + kind + " = " + c.args.add(f.Type)
		}
		return sql
	}
	return "(CASE WHEN " + c.e.instr + "(u.phones, " + c.args.add(trace) + ") = 0 THEN " + never + " ELSE " + c.e.anyPhone(test) + " END)"
}

// phoneByTable looks at each phone in SQLite. encode has written the text.
func phoneByTable(test func(number, kind string) string) string {
	return "EXISTS (SELECT 1 FROM json_each(u.phones) p WHERE " +
		test("json_extract(p.value, '$.number')", "coalesce(json_extract(p.value, '$.type'), '')") + ")"
}

// phoneByRows does the same in PostgreSQL, which fails on a NUL: a user with one
// has no phones here.
func phoneByRows(test func(number, kind string) string) string {
	return `CASE WHEN replace(u.phones, '\\', '/') ~ ` + unreadable + " THEN false ELSE EXISTS (SELECT 1 FROM json_array_elements(CAST(u.phones AS json)) p(v) WHERE " +
		test("(p.v ->> 'number')", "coalesce(p.v ->> 'type', '')") + ") END"
}

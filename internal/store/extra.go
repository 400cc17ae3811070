package store

import (
	"strings"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// extra is the condition of a filter on a door's own fields. Most users have
// none of a door, and then their JSON is not parsed: the text has no member of
// the door's name. Names of doors are written by encode alone.
func (c *filterCompiler) extra(f directory.Extra) string {
	for _, text := range append([]string{f.Value}, f.Path...) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return never // as in text
		}
	}
	if len(f.Path) == 0 {
		return never
	}
	name, err := encode(f.Path[0])
	if err != nil {
		c.err = err
		return never
	}
	test := func(column string) string { return c.compareText(column, f.Op, f.Value) }
	return "(CASE WHEN " + c.e.instr + "(u.profile, " + c.args.add(name+":") + ") = 0 THEN " + never + " ELSE " +
		c.e.extra(c.args, f.Path, test) + " END)"
}

// extraByTables walks the path in SQLite through tables of members. A path of
// SQLite's own would be a text in which the names must be quoted. The last of
// several members of one name counts, as for encoding/json. JSON that is nested
// deeper than SQLite reads has no members.
func extraByTables(a *args, path []string, test func(column string) string) string {
	object := "(CASE WHEN json_valid(u.profile) THEN u.profile END, '$.extras')"
	for i, name := range path {
		member := "CASE type WHEN 'object' THEN value END"
		if i == len(path)-1 {
			member = "type = 'text' AND " + test("atom")
		}
		member = "(SELECT " + member + " FROM json_each" + object + " WHERE key = " + a.add(name) + " ORDER BY id DESC LIMIT 1)"
		object = "(" + member + ")"
	}
	return "coalesce(" + object + ", 0)"
}

// unreadable finds the escapes in JSON that PostgreSQL fails on, NUL and half of
// a surrogate pair, where no backslash is an escaped one.
const unreadable = `'\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]'`

// extraByOperators walks the path in PostgreSQL. It is json and not jsonb: that
// refuses numbers which are too large for it, and one user with such a number
// would fail the list. So would one with an unreadable text, which has no
// members here.
func extraByOperators(a *args, path []string, test func(column string) string) string {
	member := "CAST(u.profile AS json) -> 'extras'"
	for _, name := range path {
		member += " -> CAST(" + a.add(name) + " AS TEXT)"
	}
	return `CASE WHEN replace(u.profile, '\\', '/') ~ ` + unreadable + " THEN false ELSE coalesce(json_typeof(" + member + ") = 'string' AND " +
		test("(("+member+") #>> '{}')") + ", false) END"
}

// hasExtrasByPath asks SQLite for a door's own fields. A door's name needs no quotes
// in a path.
func hasExtrasByPath(a *args, door string) string {
	return "(CASE WHEN instr(u.profile, " + a.add(`"`+door+`":`) + ") = 0 THEN 0 WHEN NOT json_valid(u.profile) THEN 0 ELSE coalesce(json_extract(u.profile, " +
		a.add("$.extras."+door) + ") <> '{}', 0) END)"
}

// hasExtrasByOperators asks PostgreSQL for them. A profile that it cannot read has
// none, as in extraByOperators.
func hasExtrasByOperators(a *args, door string) string {
	return "(CASE WHEN strpos(u.profile, " + a.add(`"`+door+`":`) + `) = 0 THEN false WHEN replace(u.profile, '\\\\', '/') ~ ` + unreadable +
		" THEN false ELSE coalesce(CAST(CAST(u.profile AS json) -> 'extras' -> CAST(" + a.add(door) + " AS TEXT) AS TEXT) NOT IN ('null', '{}'), false) END)"
}

package bulk

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// formulas begin a cell that a spreadsheet takes for a formula (OWASP, CSV Injection);
// the last four are the wide = + - @.
const formulas = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"

// harmless keeps a spreadsheet from taking a cell for a formula, which could send away
// what stands in others: names are what anybody wrote. plain takes it back.
func harmless(cell string) string {
	if dangerous(cell) {
		return "'" + cell
	}
	return cell
}

// plain is a cell as it was before harmless.
func plain(cell string) string {
	if cell != "" && cell[0] == '\'' && dangerous(cell) {
		return cell[1:]
	}
	return cell
}

// dangerous reports whether a cell begins a formula, or would if the quotes before it
// were taken away.
func dangerous(cell string) bool {
	if cell == "" || cell[0] > '@' && cell[0] < utf8.RuneSelf {
		return false
	}
	cell = strings.TrimLeft(cell, "'")
	first, _ := utf8.DecodeRuneInString(cell)
	return cell != "" && strings.ContainsRune(formulas, first)
}

// csvColumn is a column of an export.
type csvColumn struct {
	name string
	cell func(*directory.Record) string
}

// csvNames are the members that an export as CSV has unless some are asked for. An
// address has a column for each of its parts.
var csvNames = []string{"id", "number", "user_name", "email", "given_name", "family_name", "display_name", "title", "company", "company_name",
	"employee_number", "open_id", "web_mdn", "client_user_id", "licence_type", "status", "locked", "lock_reason", "must_change_password",
	"valid_from", "expires_at", "phones", "address", "language", "time_zone", "attributes", "mobile_only", "storage_location", "groups", "roles",
	"locations", "rank", "created_at", "updated_at", "version"}

// csvColumns are the columns of a member: "attributes.x" is one attribute,
// "phones.mobile" the phone of a type, "address.city" a part of the address.
func csvColumns(name string) []csvColumn {
	outer, inner, dotted := strings.Cut(name, ".")
	switch {
	case outer == "address" && !dotted:
		var list []csvColumn
		for _, part := range addressParts {
			list = append(list, csvColumns("address."+part.name)...)
		}
		return list
	case outer == "address":
		for _, part := range addressParts {
			if part.name == inner {
				return []csvColumn{{name, func(r *directory.Record) string {
					if r.Address == nil {
						return ""
					}
					return *part.at(r.Address)
				}}}
			}
		}
		return nil
	case outer == "phones" && dotted:
		return []csvColumn{{name, func(r *directory.Record) string { return phoneOf(r, inner) }}}
	case outer == "attributes" && dotted:
		return []csvColumn{{name, func(r *directory.Record) string { return attributeOf(r, inner) }}}
	case dotted || !slices.Contains(csvNames, name) && name != "picture" && name != "extras":
		return nil
	}
	if cell := csvCell(name); cell != nil {
		return []csvColumn{{name, cell}}
	}
	return nil
}

// csvCell is how a member is written into a cell; nil for one that is not.
func csvCell(name string) func(*directory.Record) string {
	if at := textMembers[name]; at != nil {
		return func(r *directory.Record) string { return of(*at(r), func(v string) string { return v }) }
	}
	if at := numberMembers[name]; at != nil {
		return func(r *directory.Record) string {
			return of(*at(r), func(v int64) string { return strconv.FormatInt(v, 10) })
		}
	}
	if at := flagMembers[name]; at != nil {
		return func(r *directory.Record) string { return of(*at(r), strconv.FormatBool) }
	}
	if at := timeMembers[name]; at != nil {
		return func(r *directory.Record) string {
			return of(*at(r), func(v time.Time) string {
				if v.IsZero() {
					return ""
				}
				return v.UTC().Format(time.RFC3339Nano)
			})
		}
	}
	switch name {
	case "status":
		return func(r *directory.Record) string {
			return of(r.Status, func(v directory.State) string { return string(v) })
		}
	case "roles":
		return func(r *directory.Record) string {
			return of(r.Roles, func(keys []string) string { return strings.Join(keys, ";") })
		}
	case "locations":
		return func(r *directory.Record) string { return of(r.Locations, joinNumbers) }
	case "phones", "attributes", "groups", "picture", "extras":
		write := nestedMembers[name]
		return func(r *directory.Record) string {
			if text := string(write(nil, r)); text != "[]" && text != "{}" {
				return text
			}
			return ""
		}
	}
	return nil
}

// of is a value as a cell; nothing for none.
func of[T any](value *T, text func(T) string) string {
	if value == nil {
		return ""
	}
	return text(*value)
}

func joinNumbers(numbers []int64) string {
	var b []byte
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ';')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(b)
}

// phoneOf is the number of the first phone of a type.
func phoneOf(r *directory.Record, kind string) string {
	if r.Phones != nil {
		for _, p := range *r.Phones {
			if strings.EqualFold(p.Type, kind) {
				return p.Number
			}
		}
	}
	return ""
}

// attributeOf is an attribute: a text as it is, anything else as JSON.
func attributeOf(r *directory.Record, key string) string {
	if r.Attributes == nil {
		return ""
	}
	raw := (*r.Attributes)[key]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// csvWriter writes RFC 4180.
type csvWriter struct {
	out     *csv.Writer
	columns []csvColumn
	cells   []string
	begun   bool
}

func newCSVWriter(w io.Writer, fields []string) (Writer, error) {
	c := &csvWriter{out: csv.NewWriter(w)}
	c.out.UseCRLF = true
	if len(fields) == 0 {
		fields = csvNames
	}
	for _, name := range fields {
		columns := csvColumns(name)
		if len(columns) == 0 {
			return nil, badField(name, append(csvNames[:len(csvNames):len(csvNames)], "attributes.x", "phones.x"))
		}
		c.columns = append(c.columns, columns...)
	}
	c.cells = make([]string, len(c.columns))
	return c, nil
}

// begin writes the header.
func (c *csvWriter) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	for i := range c.columns {
		c.cells[i] = harmless(c.columns[i].name)
	}
	return c.out.Write(c.cells)
}

// Write implements Writer.
func (c *csvWriter) Write(records []directory.Record) error {
	if err := c.begin(); err != nil {
		return err
	}
	for i := range records {
		for j := range c.columns {
			c.cells[j] = harmless(c.columns[j].cell(&records[i]))
		}
		if err := c.out.Write(c.cells); err != nil {
			return err
		}
	}
	c.out.Flush() // to a stream that tells of every page
	return c.out.Error()
}

// Close implements Writer: a file without users has its header.
func (c *csvWriter) Close() error {
	err := c.begin()
	c.out.Flush()
	if err == nil {
		err = c.out.Error()
	}
	return err
}

package store

import "strings"

// rowsInsert is a statement that writes several rows. There is one text for each
// power of two, so that a connection can keep all of them prepared.
type rowsInsert struct {
	head, tail string
	first      string // what stands in each row before its arguments
	columns    int
	most       int // rows of a statement, a power of two
	texts      []string
}

func (r rowsInsert) prepare() *rowsInsert {
	for n := 1; n <= r.most; n *= 2 {
		rows := rowsOf(n, r.columns)
		if r.first != "" {
			rows = strings.ReplaceAll(rows, "($", "("+r.first+"$")
		}
		r.texts = append(r.texts, r.head+rows+r.tail)
	}
	return &r
}

// each calls fn with the statements, and their arguments, that write all values.
func (r *rowsInsert) each(values []any, fn func(sql string, args []any) error) error {
	size, text := r.most, len(r.texts)-1
	for len(values) > 0 {
		for size*r.columns > len(values) {
			size, text = size/2, text-1
		}
		if err := fn(r.texts[text], values[:size*r.columns]); err != nil {
			return err
		}
		values = values[size*r.columns:]
	}
	return nil
}

package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// separators are what columns can be separated by, the likeliest first.
const separators = ",;\t|"

// maxAgain is how many bytes of a file are read again, in all, because a quote was
// never closed: a file full of such quotes would otherwise take time without end.
const maxAgain = 64 << 20

// csvRows are the records of a file of RFC 4180, and of what spreadsheets write.
type csvRows struct {
	lines   *lines
	header  []string
	columns []directory.ImportColumn // of each cell

	pending []line // to be read again
	again   int    // how many bytes were read again

	buf   []byte // of the record: its lines with \n between
	parts []part // its lines
	split splitter
}

// line is one line of the file.
type line struct {
	text   []byte
	number int64
	long   bool // longer than maxLine: text is its beginning
}

// part is a line of a record.
type part struct {
	end  int // in buf
	long bool
}

// newCSV reads the header.
func newCSV(r io.Reader, o directory.ImportOptions) (*csvRows, error) {
	l, err := newLines(r, o.Encoding)
	if err != nil {
		return nil, err
	}
	c := &csvRows{lines: l}
	if err := c.readHeader(o.Comma); err != nil {
		return nil, err
	}
	c.columns, err = mapColumns(c.header, o.Columns)
	return c, err
}

// readHeader reads the first line that is not blank, and finds out what separates the
// columns. Excel writes that by itself into a line before: sep=;
func (c *csvRows) readHeader(comma string) error {
	if len(comma) > 1 || comma != "" && !strings.Contains(separators, comma) {
		return unreadable(0, "Columns cannot be separated by %q: use one of , ; tab and |.", comma)
	}
	for {
		first, err := c.line()
		switch {
		case errors.Is(err, io.EOF):
			return unreadable(0, "The file is empty: its first line must name the columns.")
		case err != nil:
			return err
		case first.long:
			return unreadable(first.number, "The line with the names of the columns is longer than %d bytes.", maxLine)
		}
		if rest, ok := bytes.CutPrefix(first.text, []byte("sep=")); ok && len(rest) == 1 {
			if comma == "" && strings.Contains(separators, string(rest)) {
				comma = string(rest)
			}
			continue
		}
		if len(bytes.TrimSpace(first.text)) == 0 {
			continue
		}
		if comma == "" {
			comma = guessSeparator(first.text)
		}
		c.split.comma = comma[0]
		first.text = bytes.Clone(first.text)
		c.pending = append([]line{first}, c.pending...)
		break
	}
	first, err := c.read()
	if err != nil {
		return err
	}
	if first.fault != "" {
		return unreadable(first.line, "The names of the columns cannot be read: %s", first.fault)
	}
	for _, name := range first.cells {
		c.header = append(c.header, strings.TrimSpace(name))
	}
	return checkHeader(c.header, first.line)
}

// guessSeparator is the separator that stands most often outside of quotes.
func guessSeparator(header []byte) string {
	var counts [utf8.RuneSelf]int
	quoted := false
	for _, b := range header {
		switch {
		case b == '"':
			quoted = !quoted
		case !quoted && b < utf8.RuneSelf:
			counts[b]++
		}
	}
	best := separators[:1]
	for i := range separators {
		if counts[separators[i]] > counts[best[0]] {
			best = separators[i : i+1]
		}
	}
	return best
}

// checkHeader refuses a header that names a column twice, or none.
func checkHeader(header []string, line int64) error {
	seen := map[string]int{}
	for i, name := range header {
		if name == "" {
			continue
		}
		folded := strings.ToLower(name)
		if before := seen[folded]; before != 0 {
			return unreadable(line, "The columns %d and %d are both named %q.", before, i+1, name)
		}
		seen[folded] = i + 1
	}
	if len(seen) == 0 {
		return unreadable(line, "No column has a name.")
	}
	return nil
}

// mapColumns says of each cell what it is: as the columns that were asked for say, or
// else by the header.
func mapColumns(header []string, asked []directory.ImportColumn) ([]directory.ImportColumn, error) {
	columns := directory.GuessColumns(header)
	if len(asked) > 0 {
		columns = make([]directory.ImportColumn, len(header))
		for i, name := range header {
			columns[i].Header = name
		}
		for _, a := range asked {
			name := strings.TrimSpace(a.Header)
			at := slices.Index(header, name)
			if at < 0 {
				at = slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(h, name) })
			}
			if at < 0 {
				return nil, unreadable(0, "The file has no column %q.", a.Header)
			}
			columns[at].Field = a.Field
		}
	}
	if err := directory.CheckColumns(columns); err != nil {
		return nil, unreadable(0, "%s", directory.AsError(err).Message)
	}
	if !slices.ContainsFunc(columns, func(c directory.ImportColumn) bool { return c.Field != "" }) {
		return nil, unreadable(0, "No column is known: the first line must name the columns, as in user_name,email; or say what they are.")
	}
	return columns, nil
}

// line is the next line, of those that are read again first.
func (c *csvRows) line() (line, error) {
	if len(c.pending) > 0 {
		next := c.pending[0]
		c.pending = c.pending[1:]
		return next, nil
	}
	text, long, err := c.lines.next()
	return line{text, c.lines.line, long}, err
}

// next returns the next record; lines without anything are passed over.
func (c *csvRows) next() (row, error) {
	for {
		r, err := c.read()
		if err != nil || r.fault != "" {
			return r, err
		}
		if !slices.ContainsFunc(r.cells, func(cell string) bool { return cell != "" }) {
			continue
		}
		for len(r.cells) > len(c.header) && r.cells[len(r.cells)-1] == "" {
			r.cells = r.cells[:len(r.cells)-1]
		}
		if have, want := len(r.cells), len(c.header); have != want {
			r.fault = fmt.Sprintf("The row has %d columns, and the header %d.", have, want)
		}
		return r, nil
	}
}

func (c *csvRows) record(r *row) directory.Record {
	for i, cell := range r.cells {
		r.cells[i] = plain(cell)
	}
	return directory.RecordOf(c.columns, r.cells, r.line)
}

// read reads one record. A quote that is never closed would swallow the rows behind
// it, so that of a record of several lines that is none only the first is at fault,
// and the others are read again.
func (c *csvRows) read() (row, error) {
	first, err := c.line()
	if err != nil {
		return row{}, err
	}
	r := row{line: first.number}
	if first.long {
		r.fault = tooLong
		r.cells = strings.Split(string(first.text), string(rune(c.split.comma)))
		return r, nil
	}
	c.buf = append(c.buf[:0], first.text...)
	c.parts = append(c.parts[:0], part{len(c.buf), false})
	c.split.reset()
	for {
		if r.fault = c.split.more(c.buf); r.fault != faultOpen {
			break
		}
		more, err := c.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return row{}, err
		}
		c.buf = append(append(c.buf, '\n'), more.text...)
		c.parts = append(c.parts, part{len(c.buf), more.long})
		if more.long || len(c.buf) > maxLine {
			break
		}
	}
	if r.fault != "" {
		r.cells = strings.Split(string(c.buf[:c.parts[0].end]), string(rune(c.split.comma)))
		return r, c.readAgain(first.number)
	}
	r.cells, r.fault = c.split.texts(c.buf), damaged(c.buf, c.lines.in.checked)
	return r, nil
}

// readAgain makes the lines behind the first of the record the next ones.
func (c *csvRows) readAgain(number int64) error {
	if c.again += len(c.buf) - c.parts[0].end; c.again > maxAgain {
		return unreadable(number, "Too many quotes are not closed.")
	}
	rest := bytes.Clone(c.buf)
	var back []line
	for i, p := range c.parts[1:] {
		back = append(back, line{rest[c.parts[i].end+1 : p.end], number + int64(i) + 1, p.long})
	}
	c.pending = append(back, c.pending...)
	return nil
}

package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/usher-id/usher/internal/directory"
)

// row is one record of a file before it is understood.
type row struct {
	line  int64
	cells []string // of CSV; where they cannot be told, the text between the separators
	text  string   // of NDJSON: the line
	fault string   // what is wrong with the row itself; "" for nothing
}

// rows reads the rows of a file one by one. The error is io.EOF at the end, a
// *FileError when the file cannot be read any further, or one of the reader below.
type rows interface {
	next() (row, error)
	// record understands a row that has no fault.
	record(*row) directory.Record
}

// Reader reads the records of a file, one by one, in constant memory.
type Reader struct{ rows rows }

// NewReader reads a file as the options say. Errors: *FileError, or of the reader
// below.
func NewReader(r io.Reader, o directory.ImportOptions) (*Reader, error) {
	in, err := newRows(r, o)
	if err != nil {
		return nil, err
	}
	return &Reader{in}, nil
}

func newRows(r io.Reader, o directory.ImportOptions) (rows, error) {
	switch o.Format {
	case directory.BulkCSV:
		return newCSV(r, o)
	case directory.BulkNDJSON:
		l, err := newLines(r, o.Encoding)
		if err != nil {
			return nil, err
		}
		return &ndjsonRows{lines: l}, nil
	}
	return nil, unreadable(0, "There is no format %q: use csv or ndjson.", o.Format)
}

// Next returns the next record. What is wrong with it is in its Faults; it has the
// number of its line in either case. The error is io.EOF at the end, a *FileError
// when the file cannot be read any further, or one of the reader below.
func (r *Reader) Next() (directory.Record, error) {
	row, err := r.rows.next()
	if err != nil {
		return directory.Record{}, err
	}
	if row.fault != "" {
		return directory.Record{Line: row.line, Faults: []directory.FieldError{rowFault(row.fault)}}, nil
	}
	return r.rows.record(&row), nil
}

// rowFault is a fault of a whole row.
func rowFault(message string) directory.FieldError {
	return directory.FieldError{Field: "row", Reason: directory.ReasonFieldFormat, Message: message}
}

// Check reads a whole file without looking into its records and returns how many it
// has. Errors: *FileError when it cannot be read to its end, or of the reader below.
func Check(r io.Reader, o directory.ImportOptions) (int64, error) {
	in, err := newRows(r, o)
	if err != nil {
		return 0, err
	}
	for n := int64(0); ; n++ {
		switch _, err := in.next(); {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
	}
}

// GuessFormat recognises the format of a file by its first bytes: an object is
// NDJSON, anything else CSV.
func GuessFormat(head []byte) directory.BulkFormat {
	in, err := newText(bytes.NewReader(head), "")
	if err != nil {
		return directory.BulkCSV
	}
	for {
		c, err := in.ReadByte()
		switch {
		case err != nil:
			return directory.BulkCSV
		case c == '{':
			return directory.BulkNDJSON
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return directory.BulkCSV
		}
	}
}

// damaged is what is wrong with a row's text beside its form; "" for nothing. Of a
// file that was decoded, what its encoding does not have is U+FFFD.
func damaged(line []byte, checked bool) string {
	switch {
	case bytes.IndexByte(line, 0) >= 0:
		return "The row has a NUL character."
	case !checked && bytes.Contains(line, []byte("\uFFFD")):
		return "The row has a character that its encoding does not have."
	}
	return ""
}

var tooLong = fmt.Sprintf("The row is longer than %d bytes.", maxLine)

// ndjsonRows are the lines of a file of one JSON object a line.
type ndjsonRows struct{ *lines }

func (n *ndjsonRows) next() (row, error) {
	for {
		line, long, err := n.lines.next()
		if err != nil {
			return row{}, err
		}
		trimmed := bytes.TrimRight(line, " \t\r")
		if len(trimmed) == 0 {
			continue
		}
		r := row{line: n.line, text: string(trimmed), fault: damaged(line, n.in.checked)}
		if long {
			r.fault = tooLong
		}
		return r, nil
	}
}

func (n *ndjsonRows) record(r *row) directory.Record { return decodeRecord(r.text, r.line) }

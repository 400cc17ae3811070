package bulk

import (
	"io"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// Writer writes records as a file. It keeps none of them.
type Writer interface {
	// Write appends records.
	Write(records []directory.Record) error
	// Close writes what the file ends with. It does not close what is written to.
	Close() error
}

// NewWriter makes a writer of a format that writes to w, a page of records at a time.
// fields are the members that are wanted, by their JSON names; none is all. Errors:
// invalid with the field "fields".
func NewWriter(w io.Writer, format directory.BulkFormat, fields []string) (Writer, error) {
	switch format {
	case directory.BulkCSV:
		return newCSVWriter(w, fields)
	case directory.BulkNDJSON:
		return newNDJSONWriter(w, fields)
	}
	return nil, directory.Invalid("format", directory.ReasonFieldValue, "There is no format %q: use csv or ndjson.", clip(string(format)))
}

// CheckFields refuses members that records of a format do not have. Errors: invalid
// with the field "fields".
func CheckFields(format directory.BulkFormat, fields []string) error {
	_, err := NewWriter(io.Discard, format, fields)
	return err
}

// Includes is what of a user's belongings an export needs that has some fields; none is
// all.
func Includes(fields []string) directory.Include {
	if len(fields) == 0 {
		return directory.IncludeRecord
	}
	var with directory.Include
	for _, name := range fields {
		with |= map[string]directory.Include{"company_name": directory.IncludeCompany, "groups": directory.IncludeGroups,
			"roles": directory.IncludeRoles, "locations": directory.IncludeLocations}[name]
	}
	return with
}

// badField is that of a member that there is not.
func badField(name string, known []string) error {
	return directory.Invalid("fields", directory.ReasonFieldUnknown, "fields: %s is none of %s.", clip(name), strings.Join(known, ", "))
}

// WriteRecords writes records page by page as they come. After an error the file has no
// end.
func WriteRecords(w Writer, each func(func([]directory.Record) error) error) error {
	if err := each(w.Write); err != nil {
		return err
	}
	return w.Close()
}

// ndjsonWriter writes one JSON object a line.
type ndjsonWriter struct {
	w       io.Writer
	b       []byte
	members []writtenMember
}

func newNDJSONWriter(w io.Writer, fields []string) (Writer, error) {
	n := &ndjsonWriter{w: w, members: written}
	if len(fields) == 0 {
		return n, nil
	}
	n.members = nil
	for _, name := range fields {
		at := slices.IndexFunc(written, func(m writtenMember) bool { return m.name == name })
		if at < 0 {
			var names []string
			for _, m := range written {
				names = append(names, m.name)
			}
			return nil, badField(name, names)
		}
		n.members = append(n.members, written[at])
	}
	return n, nil
}

// Write implements Writer.
func (n *ndjsonWriter) Write(records []directory.Record) error {
	n.b = n.b[:0]
	for i := range records {
		n.b = append(appendMembers(n.b, &records[i], n.members), '\n')
	}
	_, err := n.w.Write(n.b)
	return err
}

// Close implements Writer.
func (n *ndjsonWriter) Close() error { return nil }

// AppendRecord appends a record as one JSON object, without passwords.
func AppendRecord(b []byte, r *directory.Record) []byte { return appendMembers(b, r, written) }

func appendMembers(b []byte, r *directory.Record, members []writtenMember) []byte {
	b = append(b, '{')
	for i := range members {
		m := &members[i]
		before := len(b)
		b = append(b, m.key...)
		from := len(b)
		if b = m.append(b, r); len(b) == from {
			b = b[:before] // the record says nothing of it
			continue
		}
		b = append(b, ',')
	}
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

package bulk

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// decodeRecord reads a line of NDJSON. package encoding/json reads a line of this
// size at a fifth of the speed, and neither names a member that it does not know nor
// one that comes twice; what is nested is left to it.
func decodeRecord(text string, line int64) directory.Record {
	d := decoder{r: directory.Record{Line: line}, text: text, room: make([]string, 0, 16)}
	if message := d.object(); message != "" {
		d.r.Faults = append(d.r.Faults, rowFault(message))
	}
	if len(d.r.Faults) > 0 {
		return directory.Record{Line: line, Faults: d.r.Faults}
	}
	return d.r
}

// decoder reads one object.
type decoder struct {
	r    directory.Record
	text string
	at   int
	seen uint64
	room []string // what the record's texts point to: one allocation for most of them
}

const notJSON = "The row is not a JSON object."

// object reads the members. It returns what is wrong with the object itself.
func (d *decoder) object() string {
	d.space()
	if !d.take('{') {
		return notJSON
	}
	d.space()
	if d.take('}') {
		return d.end()
	}
	for {
		d.space()
		name, ok := d.string()
		d.space()
		if !ok || !d.take(':') {
			return notJSON
		}
		d.space()
		from := d.at
		if !d.skip() {
			return notJSON
		}
		d.member(name, d.text[from:d.at])
		d.space()
		switch {
		case d.take(','):
		case d.take('}'):
			return d.end()
		default:
			return notJSON
		}
	}
}

// end makes sure that nothing follows the object.
func (d *decoder) end() string {
	d.space()
	if d.at < len(d.text) {
		return "Something follows the JSON object of the row."
	}
	return ""
}

func (d *decoder) space() {
	for d.at < len(d.text) && strings.IndexByte(" \t\r\n", d.text[d.at]) >= 0 {
		d.at++
	}
}

func (d *decoder) take(c byte) bool {
	if d.at < len(d.text) && d.text[d.at] == c {
		d.at++
		return true
	}
	return false
}

// quoted passes over a string and reports whether it has a backslash.
func (d *decoder) quoted() (escaped, ok bool) {
	if !d.take('"') {
		return false, false
	}
	for d.at < len(d.text) {
		switch c := d.text[d.at]; {
		case c == '"':
			d.at++
			return escaped, true
		case c == '\\':
			escaped = true
			d.at++
		case c < ' ':
			return false, false
		}
		d.at++
	}
	return false, false
}

// string reads a string.
func (d *decoder) string() (string, bool) {
	from := d.at
	escaped, ok := d.quoted()
	if !ok {
		return "", false
	}
	if !escaped {
		return d.text[from+1 : d.at-1], true
	}
	return unescaped(d.text[from:d.at])
}

func unescaped(raw string) (string, bool) {
	var text string
	err := json.Unmarshal([]byte(raw), &text)
	return text, err == nil
}

// maxNesting is how deep a member may be nested; the core takes what is nested less.
const maxNesting = 32

// skip passes over a value. What is in brackets is not looked into: who decodes it
// does.
func (d *decoder) skip() bool {
	depth := 0
	for d.at < len(d.text) {
		switch c := d.text[d.at]; c {
		case '"':
			if _, ok := d.quoted(); !ok {
				return false
			}
			if depth == 0 {
				return true
			}
			continue
		case '{', '[':
			if depth++; depth > maxNesting {
				return false
			}
		case '}', ']':
			if depth == 0 {
				return false
			}
			if depth--; depth == 0 {
				d.at++
				return true
			}
		case ',', ':':
			if depth == 0 {
				return false
			}
		default:
			if depth == 0 { // a number, true, false or null
				for d.at < len(d.text) && strings.IndexByte(",} \t\r]:", d.text[d.at]) < 0 {
					d.at++
				}
				return true
			}
		}
		d.at++
	}
	return false
}

// member reads one member of the record. null says nothing, as a member that is not
// there.
func (d *decoder) member(name, raw string) {
	m, known := members[name]
	switch {
	case !known:
		d.fault(cmp.Or(clip(name), "row"), directory.ReasonFieldUnknown, strconv.Quote(clip(name))+" is no member of a record.")
		return
	case d.seen&m.bit != 0:
		d.fault(name, directory.ReasonFieldFormat, name+" is given twice.")
		return
	}
	d.seen |= m.bit
	if raw == "null" {
		return
	}
	if !m.read(d, raw) {
		d.fault(name, directory.ReasonFieldFormat, name+" must be "+m.want+".")
	}
}

func (d *decoder) fault(field string, reason directory.Reason, message string) {
	if len(d.r.Faults) < maxFaults {
		d.r.Faults = append(d.r.Faults, directory.FieldError{Field: field, Reason: reason, Message: message})
	}
}

// maxFaults is how many faults of one row are told.
const maxFaults = 10

// clip keeps what a file says short in a message.
func clip(text string) string {
	if len(text) > 64 {
		text = text[:64] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// member is how a member of a record is read.
type member struct {
	bit  uint64
	want string // what it must be, for people
	read func(d *decoder, raw string) bool
}

// members are those of directory.Record; a test compares them with its tags.
var members = func() map[string]member {
	table := map[string]member{}
	add := func(want string, read func(d *decoder, raw string) bool, name string) {
		table[name] = member{bit: 1 << len(table), want: want, read: read}
	}
	for name, at := range textMembers {
		add("a text", func(d *decoder, raw string) bool { return d.readText(raw, at(&d.r)) }, name)
	}
	for name, at := range numberMembers {
		add("a whole number", func(d *decoder, raw string) bool { return readNumber(raw, at(&d.r)) }, name)
	}
	for name, at := range flagMembers {
		add("true or false", func(d *decoder, raw string) bool { return readFlag(raw, at(&d.r)) }, name)
	}
	for name, at := range timeMembers {
		add("a time, as in 2026-02-25T12:00:00Z", func(d *decoder, raw string) bool { return readTime(raw, at(&d.r)) }, name)
	}
	for name, at := range secretMembers {
		add("a text", func(d *decoder, raw string) bool { return d.readSecret(raw, at(&d.r)) }, name)
	}
	add("a text", func(d *decoder, raw string) bool {
		text, ok := (&decoder{text: raw}).string()
		state := directory.State(text)
		d.r.Status = &state
		return ok
	}, "status")
	add("delete or restore", func(d *decoder, raw string) bool {
		text, ok := (&decoder{text: raw}).string()
		d.r.Undo = text
		return ok && (text == "" || text == "delete" || text == "restore")
	}, "undo")
	add("JSON", func(d *decoder, raw string) bool {
		value := json.RawMessage(raw)
		d.r.Picture = &value
		return json.Valid(value)
	}, "picture")
	nested(add, "phones", "an array of objects with number, extension and type", func(r *directory.Record) **[]directory.Phone { return &r.Phones })
	nested(add, "address", "an object with line1, line2, city, region, country and zip", func(r *directory.Record) **directory.Address { return &r.Address })
	nested(add, "attributes", "an object", func(r *directory.Record) **map[string]json.RawMessage { return &r.Attributes })
	nested(add, "groups", "an array of objects with kind, key, name and role", func(r *directory.Record) **[]directory.RecordGroup { return &r.Groups })
	nested(add, "roles", "an array of texts", func(r *directory.Record) **[]string { return &r.Roles })
	nested(add, "locations", "an array of numbers", func(r *directory.Record) **[]int64 { return &r.Locations })
	add("an object of objects", func(d *decoder, raw string) bool { return strict(raw, &d.r.Extras) }, "extras")
	return table
}()

// nested adds a member that package encoding/json reads.
func nested[T any](add func(string, func(*decoder, string) bool, string), name, want string, at func(*directory.Record) **T) {
	add(want, func(d *decoder, raw string) bool {
		value := new(T)
		*at(&d.r) = value
		return strict(raw, value)
	}, name)
}

// strict decodes JSON and refuses members that it does not know.
func strict(raw string, value any) bool {
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.DisallowUnknownFields()
	if decoder.Decode(value) != nil {
		return false
	}
	_, err := decoder.Token()
	return errors.Is(err, io.EOF)
}

func (d *decoder) readText(raw string, to **string) bool {
	text, ok := (&decoder{text: raw}).string()
	if len(d.room) == cap(d.room) {
		d.room = make([]string, 0, 16)
	}
	d.room = append(d.room, text)
	*to = &d.room[len(d.room)-1]
	return ok
}

func (d *decoder) readSecret(raw string, to **directory.Secret) bool {
	text, ok := (&decoder{text: raw}).string()
	secret := directory.Secret(text)
	*to = &secret
	return ok
}

func readNumber(raw string, to **int64) bool {
	n, err := strconv.ParseInt(raw, 10, 64)
	*to = &n
	return err == nil && raw[0] != '+' && (raw[0] != '0' || len(raw) == 1)
}

func readFlag(raw string, to **bool) bool {
	flag := raw == "true"
	*to = &flag
	return flag || raw == "false"
}

func readTime(raw string, to **time.Time) bool {
	text, ok := (&decoder{text: raw}).string()
	at := time.Time{}
	*to = &at
	if !ok || text == "" {
		return ok
	}
	var err error
	at, err = time.Parse(time.RFC3339Nano, text)
	return err == nil
}

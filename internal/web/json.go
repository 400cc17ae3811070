package web

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Kinds of JSONError.
var (
	// ErrJSONSyntax: the text is not JSON (RFC 8259), or something follows it.
	ErrJSONSyntax = errors.New("not valid JSON")
	// ErrJSONNotObject: the text is JSON but no object.
	ErrJSONNotObject = errors.New("not a JSON object")
	// ErrJSONTooDeep: objects and arrays are nested deeper than allowed.
	ErrJSONTooDeep = errors.New("JSON is nested too deeply")
	// ErrJSONTooMany: the text has more values than allowed.
	ErrJSONTooMany = errors.New("JSON has too many values")
	// ErrJSONNotUTF8: a string holds bytes that are not UTF-8.
	ErrJSONNotUTF8 = errors.New("JSON text is not valid UTF-8")
)

// JSONError says what is wrong with a JSON text and where. Its Kind is one of
// the ErrJSON values, which errors.Is finds.
type JSONError struct {
	Kind   error
	Offset int // in bytes from the start of the body
}

// Error names the kind and the offset; it holds nothing of the text.
func (e *JSONError) Error() string {
	return e.Kind.Error() + " at byte " + strconv.Itoa(e.Offset)
}

// Unwrap is the kind.
func (e *JSONError) Unwrap() error { return e.Kind }

// MaxJSONValues is how many values a JSON text may hold, those inside of others
// counted: far more than any vendor's request has. A value takes two bytes on
// the wire and many times that when it is read, and bodies are read before it
// is known who sent them.
const MaxJSONValues = 10_000

// defaultDepth is the nesting that is allowed when the caller names none.
const defaultDepth = 32

// State tells apart why a typed getter has a value or not.
type State uint8

// The states of a member.
const (
	Absent   State = iota // no such member
	Null                  // the member is null
	Mistyped              // the member is of another type, or out of range
	Present               // the value is there
)

// Object is a decoded JSON object: its members in their order, their values
// still as text inside the body that it was decoded from, which must not be
// changed while the object is in use.
type Object struct {
	members []member
	index   map[string]int // folded name to the last member, for big objects
}

type member struct {
	name string
	raw  json.RawMessage
}

// indexFrom is the number of members from which looking through them costs
// more than a map: it keeps many getters on a hostile object linear.
const indexFrom = 48

// DecodeObject reads a body that must be one JSON object: the lenient reader
// of the vendor doors. A byte order mark before it is ignored, duplicate
// members are allowed. Nesting deeper than maxDepth objects and arrays, the
// outermost counted, is refused; 0 stands for 32. So are more than
// MaxJSONValues values. The error is a *JSONError.
func DecodeObject(body []byte, maxDepth int) (Object, error) {
	return DecodeObjectOf(body, maxDepth, MaxJSONValues)
}

// DecodeObjectOf is DecodeObject with another number of values, for requests that
// hold many things at once.
func DecodeObjectOf(body []byte, maxDepth, maxValues int) (Object, error) {
	raw, offset, err := decode(body, maxDepth, maxValues)
	if err != nil {
		return Object{}, err
	}
	o, state := ObjectOf(raw)
	if state != Present {
		return Object{}, &JSONError{Kind: ErrJSONNotObject, Offset: offset}
	}
	return o, nil
}

// DecodeValue is DecodeObject for a body that may be any JSON value; ObjectOf,
// ArrayOf and the others read the result. It is part of body.
func DecodeValue(body []byte, maxDepth int) (json.RawMessage, error) {
	raw, _, err := decode(body, maxDepth, MaxJSONValues)
	return raw, err
}

func decode(body []byte, maxDepth, maxValues int) (raw json.RawMessage, offset int, err error) {
	if maxDepth <= 0 {
		maxDepth = defaultDepth
	}
	s := scanner{text: body, depth: maxDepth, left: maxValues}
	if len(body) >= 3 && body[0] == 0xEF && body[1] == 0xBB && body[2] == 0xBF {
		s.i = 3
	}
	s.space()
	start := s.i
	if !s.value() {
		return nil, 0, s.err()
	}
	end := s.i
	s.space()
	if s.i < len(body) {
		s.fail(ErrJSONSyntax)
		return nil, 0, s.err()
	}
	return body[start:end:end], start, nil
}

// Len is the number of members, duplicates counted.
func (o Object) Len() int { return len(o.members) }

// Each calls yield with every member in the order of the text, names as they
// were written, duplicates included, until it returns false; it is an
// iter.Seq2.
func (o Object) Each(yield func(name string, value json.RawMessage) bool) {
	for i := range o.members {
		if !yield(o.members[i].name, o.members[i].raw) {
			return
		}
	}
}

// Get returns the text of the last member whose name is name without regard
// to the case of ASCII letters.
func (o Object) Get(name string) (json.RawMessage, bool) {
	if o.index != nil {
		i, ok := o.index[foldASCII(name)]
		if !ok {
			return nil, false
		}
		return o.members[i].raw, true
	}
	for i := len(o.members) - 1; i >= 0; i-- {
		if equalASCII(o.members[i].name, name) {
			return o.members[i].raw, true
		}
	}
	return nil, false
}

// String returns a member that is a JSON string, decoded. A lone surrogate in
// it becomes U+FFFD, as in encoding/json.
func (o Object) String(name string) (string, State) {
	raw, _ := o.Get(name)
	return StringOf(raw)
}

// Int returns a member that is an integer of 64 bits: see IntOf.
func (o Object) Int(name string) (int64, State) {
	raw, _ := o.Get(name)
	return IntOf(raw)
}

// Bool returns a member that is true or false.
func (o Object) Bool(name string) (bool, State) {
	raw, _ := o.Get(name)
	return BoolOf(raw)
}

// Object returns a member that is an object.
func (o Object) Object(name string) (Object, State) {
	raw, _ := o.Get(name)
	return ObjectOf(raw)
}

// Array returns the elements of a member that is an array; an empty array is
// Present with no elements.
func (o Object) Array(name string) ([]json.RawMessage, State) {
	raw, _ := o.Get(name)
	return ArrayOf(raw)
}

// stateOf sorts a value by its first byte: Present if that is one of first.
func stateOf(raw json.RawMessage, first byte) State {
	switch {
	case len(raw) == 0:
		return Absent
	case raw[0] == first:
		return Present
	case raw[0] == 'n':
		return Null
	}
	return Mistyped
}

// StringOf reads a value as Object.String does. The values given to it and to
// its siblings must come from DecodeObject or DecodeValue; nil is Absent.
func StringOf(raw json.RawMessage) (string, State) {
	state := stateOf(raw, '"')
	if state != Present {
		return "", state
	}
	return unquote(raw), Present
}

// BoolOf reads a value as Object.Bool does.
func BoolOf(raw json.RawMessage) (value bool, state State) {
	if state = stateOf(raw, 't'); state == Present {
		return true, Present
	}
	if len(raw) > 0 && raw[0] == 'f' {
		return false, Present
	}
	return false, state
}

// IntOf reads an integer of 64 bits. A number with a fraction is Mistyped even
// if that is zero, and so are a negative exponent and a value out of range;
// 1e3 is 1000. A string of digits is a string.
func IntOf(raw json.RawMessage) (int64, State) {
	switch {
	case len(raw) == 0:
		return 0, Absent
	case raw[0] == 'n':
		return 0, Null
	}
	n, ok := parseInt(raw)
	if !ok {
		return 0, Mistyped
	}
	return n, Present
}

// ObjectOf reads a value as Object.Object does.
func ObjectOf(raw json.RawMessage) (Object, State) {
	state := stateOf(raw, '{')
	if state != Present {
		return Object{}, state
	}
	s := scanner{text: raw, depth: maxInt, left: maxInt}
	members, ok := s.members()
	if !ok {
		return Object{}, Mistyped
	}
	o := Object{members: members}
	if len(members) >= indexFrom {
		o.index = make(map[string]int, len(members))
		for i := range members {
			o.index[foldASCII(members[i].name)] = i
		}
	}
	return o, Present
}

// ArrayOf reads a value as Object.Array does.
func ArrayOf(raw json.RawMessage) ([]json.RawMessage, State) {
	state := stateOf(raw, '[')
	if state != Present {
		return nil, state
	}
	s := scanner{text: raw, depth: maxInt, left: maxInt}
	elements, ok := s.elements()
	if !ok {
		return nil, Mistyped
	}
	return elements, Present
}

// parseInt reads digits with an optional sign and a non-negative exponent.
func parseInt(raw []byte) (int64, bool) {
	digits, exponent := raw, 0
	for i, c := range raw {
		if c != 'e' && c != 'E' {
			continue
		}
		digits = raw[:i]
		e, err := strconv.ParseUint(trimPlus(string(raw[i+1:])), 10, 63)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0, false // a negative exponent, or no number at all
		}
		exponent = int(min(e, 20)) // 10^19 is beyond int64 already
		break
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, false
	}
	for ; exponent > 0 && n != 0; exponent-- {
		m := n * 10
		if m/10 != n {
			return 0, false
		}
		n = m
	}
	return n, true
}

func trimPlus(s string) string {
	if s != "" && s[0] == '+' {
		return s[1:]
	}
	return s
}

func equalASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// foldASCII lowers ASCII letters; it returns s itself when there are none.
func foldASCII(s string) string {
	for i := range len(s) {
		if s[i] != lower(s[i]) {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				b[j] = lower(b[j])
			}
			return string(b)
		}
	}
	return s
}

// unquote decodes a string that the scanner has accepted, quotes included.
func unquote(raw []byte) string {
	raw = raw[1 : len(raw)-1]
	first := 0
	for first < len(raw) && raw[first] != '\\' {
		first++
	}
	if first == len(raw) {
		return string(raw)
	}
	b := append(make([]byte, 0, len(raw)), raw[:first]...)
	for i := first; i < len(raw); {
		if raw[i] != '\\' {
			b = append(b, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			b = append(b, shortEscapes[raw[i+1]])
			i += 2
			continue
		}
		r, width := unquoteRune(raw[i:])
		b = utf8.AppendRune(b, r)
		i += width
	}
	return string(b)
}

// shortEscapes are the two-character escapes of RFC 8259 section 7.
var shortEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unquoteRune decodes \uXXXX, or two of them that are a surrogate pair.
func unquoteRune(raw []byte) (r rune, width int) {
	r = hex4(raw[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(raw[8:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

func hex4(b []byte) rune {
	return rune(unhex(b[0]))<<12 | rune(unhex(b[1]))<<8 | rune(unhex(b[2]))<<4 | rune(unhex(b[3]))
}

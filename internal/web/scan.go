package web

import (
	"encoding/json"
	"math"
	"unicode/utf8"
)

const maxInt = math.MaxInt

// scanner checks JSON text (RFC 8259) in one pass without allocating. Its
// methods return false after the first fault, which kind and i describe.
type scanner struct {
	text  []byte
	i     int
	depth int // how many more levels may be opened
	left  int // how many more values may come
	kind  error
}

func (s *scanner) fail(kind error) bool {
	s.kind = kind
	return false
}

func (s *scanner) err() error { return &JSONError{Kind: s.kind, Offset: s.i} }

func (s *scanner) space() {
	for s.i < len(s.text) {
		switch s.text[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end, which no JSON token starts with.
func (s *scanner) peek() byte {
	if s.i < len(s.text) {
		return s.text[s.i]
	}
	return 0
}

// value passes one value; the space before it has been passed.
func (s *scanner) value() bool {
	if s.left == 0 {
		return s.fail(ErrJSONTooMany)
	}
	s.left--
	switch c := s.peek(); {
	case c == '"':
		return s.str()
	case c == '{':
		return s.object(nil)
	case c == '[':
		return s.array(nil)
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.fail(ErrJSONSyntax)
}

func (s *scanner) literal(word string) bool {
	for j := range len(word) {
		if s.peek() != word[j] {
			return s.fail(ErrJSONSyntax)
		}
		s.i++
	}
	return true
}

// object passes an object and hands each member to visit, if there is one.
func (s *scanner) object(visit func(name, value []byte)) bool {
	if !s.open() {
		return false
	}
	if s.peek() == '}' {
		return s.close()
	}
	for {
		if s.peek() != '"' {
			return s.fail(ErrJSONSyntax)
		}
		start := s.i
		if !s.str() {
			return false
		}
		name := s.text[start:s.i]
		s.space()
		if s.peek() != ':' {
			return s.fail(ErrJSONSyntax)
		}
		s.i++
		s.space()
		start = s.i
		if !s.value() {
			return false
		}
		if visit != nil {
			visit(name, s.text[start:s.i:s.i])
		}
		if done, ok := s.next('}'); done || !ok {
			return ok
		}
	}
}

// array passes an array and hands each element to visit, if there is one.
func (s *scanner) array(visit func(value []byte)) bool {
	if !s.open() {
		return false
	}
	if s.peek() == ']' {
		return s.close()
	}
	for {
		start := s.i
		if !s.value() {
			return false
		}
		if visit != nil {
			visit(s.text[start:s.i:s.i])
		}
		if done, ok := s.next(']'); done || !ok {
			return ok
		}
	}
}

// open passes the bracket and the space behind it, one level deeper.
func (s *scanner) open() bool {
	if s.depth == 0 {
		return s.fail(ErrJSONTooDeep)
	}
	s.depth--
	s.i++
	s.space()
	return true
}

func (s *scanner) close() bool {
	s.depth++
	s.i++
	return true
}

// next passes what follows a member: the end, or a comma and space.
func (s *scanner) next(end byte) (done, ok bool) {
	s.space()
	switch s.peek() {
	case end:
		return true, s.close()
	case ',':
		s.i++
		s.space()
		return false, true
	}
	return false, s.fail(ErrJSONSyntax)
}

// str passes a string, quotes included.
func (s *scanner) str() bool {
	s.i++
	for s.i < len(s.text) {
		switch c := s.text[s.i]; {
		case c == '"':
			s.i++
			return true
		case c == '\\':
			if !s.escape() {
				return false
			}
		case c < ' ':
			return s.fail(ErrJSONSyntax)
		case c < utf8.RuneSelf:
			s.i++
		default:
			r, width := utf8.DecodeRune(s.text[s.i:])
			if r == utf8.RuneError && width == 1 {
				return s.fail(ErrJSONNotUTF8)
			}
			s.i += width
		}
	}
	return s.fail(ErrJSONSyntax)
}

func (s *scanner) escape() bool {
	s.i++
	c := s.peek()
	if c != 'u' {
		if shortEscapes[c] == 0 {
			return s.fail(ErrJSONSyntax)
		}
		s.i++
		return true
	}
	s.i++
	for range 4 {
		if unhex(s.peek()) == 16 {
			return s.fail(ErrJSONSyntax)
		}
		s.i++
	}
	return true
}

// number passes a number by the grammar of RFC 8259 section 6.
func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		return s.digits()
	}
	return true
}

// digits passes one digit or more.
func (s *scanner) digits() bool {
	start := s.i
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.i++
	}
	if s.i == start {
		return s.fail(ErrJSONSyntax)
	}
	return true
}

// members reads the members of an object.
func (s *scanner) members() ([]member, bool) {
	members := make([]member, 0, 8)
	ok := s.object(func(name, value []byte) {
		members = append(members, member{name: unquote(name), raw: json.RawMessage(value)})
	})
	return members, ok
}

// elements reads the elements of an array.
func (s *scanner) elements() ([]json.RawMessage, bool) {
	elements := make([]json.RawMessage, 0, 8)
	ok := s.array(func(value []byte) {
		elements = append(elements, json.RawMessage(value))
	})
	return elements, ok
}

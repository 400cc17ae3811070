package web

import (
	"strings"
)

// Query reads a raw query string the way lenient servers do: names without
// regard to the case of ASCII letters, "%24top" like "$top", '+' and "%20" as
// spaces, a broken escape as the characters it is made of. Parts without a
// name are ignored. It is the raw text itself, so it costs nothing until a
// value is asked for, and then only if the value has escapes.
type Query string

// Query is the request's query.
func (r *Request) Query() Query { return Query(r.URL.RawQuery) }

// Get returns the first value of a parameter; ok is false when it is absent,
// true with "" for "name" and "name=". Bytes that are not UTF-8 come back as
// U+FFFD, so that no database refuses the text.
func (q Query) Get(name string) (value string, ok bool) {
	for n, v := range q.pairs {
		if sameName(n, name) {
			return unescape(v), true
		}
	}
	return "", false
}

// All returns every value of a parameter in order, nil when it is absent.
func (q Query) All(name string) []string {
	var values []string
	for n, v := range q.pairs {
		if sameName(n, name) {
			values = append(values, unescape(v))
		}
	}
	return values
}

// Each calls yield with every name and value, decoded, in order, until it
// returns false. It is for doors that must look at all names; it is an
// iter.Seq2.
func (q Query) Each(yield func(name, value string) bool) {
	for n, v := range q.pairs {
		if !yield(unescape(n), unescape(v)) {
			return
		}
	}
}

// pairs yields the parts that have a name, still escaped.
func (q Query) pairs(yield func(name, value string) bool) {
	rest := string(q)
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, "&")
		name, value, _ := strings.Cut(part, "=")
		if name != "" && !yield(name, value) {
			return
		}
	}
}

// sameName compares an escaped name with a plain one, folding ASCII letters
// only: a foreign letter that folds to an ASCII one must not make two names
// one.
func sameName(escaped, name string) bool {
	i := 0
	for j := range len(name) {
		if i >= len(escaped) {
			return false
		}
		c, width := unescapeByte(escaped[i:])
		if lower(c) != lower(name[j]) {
			return false
		}
		i += width
	}
	return i == len(escaped)
}

// lower folds an ASCII letter.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// unescape decodes a value; without escapes it is the value itself.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		c, width := unescapeByte(s[i:])
		b = append(b, c)
		i += width
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// unescapeByte decodes the first byte of s, which is not empty, and says how
// many characters it took.
func unescapeByte(s string) (c byte, width int) {
	switch {
	case s[0] == '+':
		return ' ', 1
	case s[0] == '%' && len(s) >= 3:
		hi, lo := unhex(s[1]), unhex(s[2])
		if hi < 16 && lo < 16 {
			return hi<<4 | lo, 3
		}
	}
	return s[0], 1
}

// unhex is the value of a hexadecimal digit, or 16.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

package cloudevent

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// hex are the digits of escapes.
const hex = "0123456789abcdef"

// appendString appends a JSON string (RFC 8259 section 7). Bytes that are not
// UTF-8 become the replacement character.
func appendString(dst []byte, s string) []byte { return appendQuoted(dst, s, false) }

// appendAttribute appends the value of a context attribute, in which control
// characters and characters that Unicode never assigns are not allowed
// (specification, "Type System", String): each becomes the replacement character.
func appendAttribute(dst []byte, s string) []byte { return appendQuoted(dst, s, true) }

func appendQuoted(dst []byte, s string, attribute bool) []byte {
	return append(appendEscaped(append(dst, '"'), s, attribute), '"')
}

// appendEscaped appends what stands between the quotes.
func appendEscaped(dst []byte, s string, attribute bool) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != 0x7f {
			if c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, width := utf8.DecodeRuneInString(s[i:])
		switch {
		case attribute && !allowed(r):
			dst = utf8.AppendRune(dst, utf8.RuneError)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
		i += width
	}
	return dst
}

// allowed reports whether a character may stand in an attribute.
func allowed(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r <= 0x9f:
		return false
	case r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe:
		return false
	}
	return true
}

// membersOf finds the members version and changes of a payload, as they are
// written; nil for those that are not there, are null or have another type, as for
// all of a payload that is no JSON object.
func membersOf(payload []byte) (version, changes []byte) {
	if len(payload) == 0 || !json.Valid(payload) {
		return nil, nil
	}
	rest := bytes.TrimLeft(payload, " \t\r\n")
	if rest[0] != '{' {
		return nil, nil
	}
	rest = rest[1:]
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == '}' {
			return version, changes
		}
		n := valueEnd(rest)
		name := rest[:n]
		rest = bytes.TrimLeft(rest[n:], " \t\r\n:")
		n = valueEnd(rest)
		switch value := rest[:n]; {
		case string(name) == `"version"` && value[0] >= '0' && value[0] <= '9':
			version = value
		case string(name) == `"changes"` && value[0] == '{':
			changes = value
		}
		rest = rest[n:]
	}
}

// valueEnd is where the first value of a valid JSON text ends.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i)
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // of what holds the value
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// stringEnd is the place of the quote that ends the string that begins at start.
func stringEnd(text []byte, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text) - 1
}

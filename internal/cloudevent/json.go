package cloudevent

import (
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
	// Not a struct, whose names would be found in any case.
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return nil, nil
	}
	if v := members["version"]; len(v) > 0 && v[0] >= '0' && v[0] <= '9' {
		version = v
	}
	if c := members["changes"]; len(c) > 0 && c[0] == '{' {
		changes = c
	}
	return version, changes
}

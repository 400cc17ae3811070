package web

import (
	"strconv"
	"unicode/utf8"
)

// The Append functions write JSON to the end of dst and return it, for
// answers on hot paths: no reflection, and one buffer for a whole body.

// AppendString appends s as a JSON string. It escapes what RFC 8259 section 7
// demands, and U+2028 and U+2029, which end a line in old JavaScript; '<', '>'
// and '&' stay as they are, as in the vendors' own answers. Bytes that are not
// UTF-8 become \ufffd. The result is that of encoding/json without HTML
// escaping.
func AppendString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			if e := shortEscapeOf[c]; e != 0 {
				dst = append(dst, '\\', e)
			} else {
				dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			}
			i++
			start = i
			continue
		}
		r, width := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && width == 1:
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + width
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, digits[r&15])
			start = i + width
		}
		i += width
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// shortEscapeOf is the letter behind the backslash for a byte that has a short
// escape, of those that must be escaped.
var shortEscapeOf = [utf8.RuneSelf]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// AppendInt appends a JSON number.
func AppendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// AppendBool appends true or false.
func AppendBool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }

// AppendNull appends null.
func AppendNull(dst []byte) []byte { return append(dst, "null"...) }

// AppendKey appends a member's name and the colon, with a comma before them
// unless dst ends with the brace that opens the object:
//
//	dst = append(dst, '{')
//	dst = AppendInt(AppendKey(dst, "Id"), 2576)
//	dst = append(dst, '}')
func AppendKey(dst []byte, name string) []byte {
	dst = appendComma(dst, '{')
	return append(AppendString(dst, name), ':')
}

// AppendSep appends the comma between two elements of an array, unless dst
// ends with the bracket that opens it.
func AppendSep(dst []byte) []byte { return appendComma(dst, '[') }

// appendComma: JSON text that ends with an opening bracket has nothing after
// it yet, as a string always ends with its quote.
func appendComma(dst []byte, open byte) []byte {
	if n := len(dst); n > 0 && dst[n-1] == open {
		return dst
	}
	return append(dst, ',')
}

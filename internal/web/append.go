package web

import "unicode/utf8"

// AppendString appends s to dst as a JSON string, for answers on hot paths: no
// reflection, and one buffer for a whole body. It escapes what RFC 8259 section 7
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

package directory

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// maxJSONNesting is how deep free JSON may be nested: no vendor's goes beyond
// four, and SQLite reads none beyond a thousand.
const maxJSONNesting = 64

// keepableJSON reports whether free JSON can be kept by both engines and read
// back: valid, valid UTF-8, not nested too deep, and without escapes that stand
// for no text: NUL, which PostgreSQL refuses, and halves of surrogate pairs.
func keepableJSON(raw json.RawMessage) bool {
	if !json.Valid(raw) || !utf8.Valid(raw) {
		return false
	}
	depth, inside := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inside && c == '\\':
			width := escapeWidth(raw[i:])
			if width == 0 {
				return false
			}
			i += width - 1
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			if depth++; depth > maxJSONNesting {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

// escapeWidth is the length of the escape, or pair of escapes, at the start of
// valid JSON text; 0 where it stands for no text.
func escapeWidth(text []byte) int {
	if text[1] != 'u' {
		return 2
	}
	first := hexadecimal(text[2:6])
	switch {
	case first == 0, 0xDC00 <= first && first <= 0xDFFF:
		return 0
	case first < 0xD800 || first > 0xDBFF:
		return 6
	case len(text) < 12 || text[6] != '\\' || text[7] != 'u':
		return 0
	}
	if second := hexadecimal(text[8:12]); second < 0xDC00 || second > 0xDFFF {
		return 0
	}
	return 12
}

func hexadecimal(digits []byte) uint64 {
	n, _ := strconv.ParseUint(string(digits), 16, 32) // valid JSON has hexadecimal digits there
	return n
}

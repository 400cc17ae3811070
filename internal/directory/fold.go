package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// MaxHandle is the greatest length of a handle in runes, as the client wrote
// it and after folding: RFC 5321 section 4.5.3.1.3 allows an address 254
// octets.
const MaxHandle = 256

// foldPasses bounds the passes of fold. Unicode's NFKC_Casefold
// (Unicode 15, section 3.13, D147) is stable after two; the rest is margin.
const foldPasses = 8

// FoldKey folds a handle by the rule of its space (docs/architecture.md, Handles and folding):
// login names, employee numbers and Web MDNs by FoldLogin, every other space
// by FoldExact. Its errors are theirs.
func FoldKey(space Space, text string) (string, error) {
	switch space {
	case SpaceLogin, SpaceEmployee, SpaceWebMDN:
		return FoldLogin(text)
	default:
		return FoldExact(text)
	}
}

// FoldLogin folds a handle of a folded space, so that two texts that people
// take for the same are one key: compatibility forms and widths (NFKC, UAX 15)
// and case (full case folding) do not count. Like the profiles of RFC 8264
// and RFC 8265 it refuses what cannot be seen or turns the reading direction:
// control, format, zero-width, default-ignorable, private-use and unassigned
// characters, and every space but single ones inside (some vendors' user names
// have those). The refusal of unassigned characters keeps a stored key stable
// when a later Unicode version assigns them. Letters of different scripts that
// look alike (UTS 39) stay different keys.
//
// The result is a fixed point: folding it again changes nothing. Errors are
// invalid with field.format or field.length and no field, which the caller
// adds.
func FoldLogin(text string) (string, error) {
	if err := checkHandle(text); err != nil {
		return "", err
	}
	key := text
	switch {
	case isFoldedASCII(text):
	case isPrintableASCII(text):
		key = strings.ToLower(text)
	default:
		key = fold(text, false)
	}
	if utf8.RuneCountInString(key) > MaxHandle {
		return "", tooLongHandle()
	}
	before := ' '
	for _, r := range key {
		if r == ' ' && before == ' ' {
			return "", Wrong(CodeInvalid, ReasonFieldFormat, "Use no space at the beginning or the end and no two spaces in a row.")
		}
		// In the text as well as in the key, because folding drops none of them.
		if r != ' ' && !shown(r) {
			return "", Wrong(CodeInvalid, ReasonFieldFormat, "The character U+%04X is invisible or not allowed here.", r)
		}
		before = r
	}
	if before == ' ' {
		return "", Wrong(CodeInvalid, ReasonFieldFormat, "Use no space at the beginning or the end.")
	}
	return key, nil
}

// FoldExact checks a handle of an exact space and returns it unchanged: these
// keys are other systems' ids (SCIM externalId, RFC 7643 section 3.1, is
// case-exact). Refused are an empty text, invalid UTF-8, control characters
// and more than MaxHandle runes; errors as FoldLogin.
func FoldExact(text string) (string, error) {
	if err := checkHandle(text); err != nil {
		return "", err
	}
	for _, r := range text {
		if unicode.IsControl(r) {
			return "", Wrong(CodeInvalid, ReasonFieldFormat, "The control character U+%04X is not allowed here.", r)
		}
	}
	return text, nil
}

// checkHandle is what every handle must be before its runes are looked at.
func checkHandle(text string) error {
	switch {
	case text == "":
		return Wrong(CodeInvalid, ReasonFieldFormat, "The text is empty.")
	case !utf8.ValidString(text):
		return Wrong(CodeInvalid, ReasonFieldFormat, "The text is not valid UTF-8.")
	case utf8.RuneCountInString(text) > MaxHandle:
		return tooLongHandle()
	}
	return nil
}

func tooLongHandle() error {
	return Wrong(CodeInvalid, ReasonFieldLength, "Use at most %d characters.", MaxHandle)
}

// FoldSearch folds text for search and comparison. It never fails: NFKC, case
// folding, line breaks and control characters become spaces, invalid UTF-8
// becomes U+FFFD, and invisible characters are dropped, so that a stored soft
// hyphen does not hide a name. Nothing visible is dropped. The result is a
// fixed point. Text that is folded already and ASCII is returned without an
// allocation: this runs for every row written and every search.
func FoldSearch(text string) string {
	if isFoldedASCII(text) {
		return text
	}
	if isPrintableASCII(text) {
		return strings.ToLower(text)
	}
	return fold(strings.ToValidUTF8(text, "\uFFFD"), true)
}

// NameKey folds the name of a company, lock reason or role for comparison: as
// FoldSearch, without surrounding white space. It is empty for a name that
// shows nothing.
func NameKey(name string) string { return strings.TrimSpace(FoldSearch(name)) }

// fold brings valid UTF-8 to the fixed point of NFKC and case folding. With
// search set it also spaces out controls and drops what cannot be seen.
func fold(text string, search bool) string {
	for range foldPasses {
		next := norm.NFKC.String(text)
		if search {
			next = strings.Map(searchRune, next)
		}
		// A Caser may hold state and must not be shared (package cases).
		next = norm.NFKC.String(cases.Fold().String(next))
		if next == text {
			break
		}
		text = next
	}
	return text
}

// searchRune maps one rune of text to search: -1 drops it.
func searchRune(r rune) rune {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return ' '
	case r == combiningGraphemeJoiner:
		// norm puts it into runs of more than 30 combining marks (UAX 15
		// section 13, stream-safe text): dropped, it would come back.
		return r
	case ignorable(r):
		return -1
	}
	return r
}

const combiningGraphemeJoiner = '\u034F'

// ignorable is Unicode's Default_Ignorable_Code_Point (Unicode 15, section
// 5.21, DerivedCoreProperties.txt) without the unassigned ones: soft hyphen,
// zero-width and bidi characters, fillers, variation selectors, tags.
func ignorable(r rune) bool {
	switch {
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r), unicode.Is(unicode.Variation_Selector, r):
		return true
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r), r >= 0xFFF9 && r <= 0xFFFB, r >= 0x13430 && r <= 0x1343F:
		return false // format characters that show
	}
	return unicode.Is(unicode.Cf, r)
}

// shown reports whether a folded rune may stand in a handle.
func shown(r rune) bool {
	switch {
	case r > ' ' && r <= '~':
		return true
	case !unicode.IsGraphic(r), unicode.Is(unicode.Zs, r), ignorable(r):
		return false
	case r == combiningGraphemeJoiner, r == '\uFFFC', r == '\uFFFD':
		return false
	case r == '\u2800', r == '\U0001D159': // BRAILLE PATTERN BLANK, MUSICAL SYMBOL NULL NOTEHEAD: drawn as nothing
		return false
	}
	return true
}

// isFoldedASCII reports whether folding leaves the text as it is because it is
// printable ASCII without capitals.
func isFoldedASCII(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || (c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}

func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// CleanText checks a free text of one line: valid UTF-8, no control character
// (so no NUL, which PostgreSQL cannot store, and no line break), at most
// maxRunes runes (0: any number). The error is invalid and names the field.
func CleanText(field, text string, maxRunes int) error {
	if !utf8.ValidString(text) {
		return Invalid(field, ReasonFieldFormat, "%s is not valid UTF-8.", field)
	}
	runes := 0
	for _, r := range text {
		runes++
		if unicode.IsControl(r) {
			return Invalid(field, ReasonFieldFormat, "%s has the control character U+%04X.", field, r)
		}
	}
	if maxRunes > 0 && runes > maxRunes {
		return Invalid(field, ReasonFieldLength, "%s has %d characters; at most %d are allowed.", field, runes, maxRunes)
	}
	return nil
}

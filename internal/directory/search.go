package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Search knows two kinds of terms. One of three or more letters matches
// anywhere inside a search field: that is what a trigram index answers. One of
// one or two letters would match nearly every user that way, and no trigram
// holds it; it matches the beginning of a word. Both become one substring
// search, because the indexed document carries the beginnings of all words
// behind marks that no field can contain. Unlike a table of prefixes that adds
// no row and no random write to a create.
const (
	// wordMark stands twice before each word beginning in a search document:
	// with one letter or two it makes exactly three characters.
	wordMark = "\x01"
	// shortTerm is the greatest length in runes of a term that matches word
	// beginnings only.
	shortTerm = 2
)

// SearchDocument is the text that a store indexes for search: SearchText and,
// behind it, the first two letters of every word of it. It changes only when a
// search field does.
func (u *User) SearchDocument() string {
	text := u.SearchText()
	var b strings.Builder
	b.Grow(2 * len(text))
	b.WriteString(text)
	b.WriteByte('\n')
	body := b.Len()
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !wordRune(r) }) {
		beginning := wordMark + wordMark + firstRunes(word, shortTerm)
		// Said once is enough; "j" is found in the beginning of "jane" too.
		if !strings.Contains(b.String()[body:], beginning) {
			b.WriteString(beginning)
		}
	}
	return b.String()
}

// SameSearchDocument reports whether two users have one search document,
// without making it when the fields are equal.
func SameSearchDocument(a, b *User) bool {
	return a.GivenName == b.GivenName && a.FamilyName == b.FamilyName && a.UserName == b.UserName && a.Email == b.Email
}

// SearchPhrase is the text that a search document contains exactly when the
// user matches the folded term. ok is false for a term that no user matches:
// one with control characters, invalid UTF-8, or short and not made of letters
// and digits. An empty term is matched by all: phrase "".
func SearchPhrase(term string) (phrase string, ok bool) {
	if !utf8.ValidString(term) || strings.ContainsFunc(term, unicode.IsControl) {
		return "", false
	}
	switch n := utf8.RuneCountInString(term); {
	case n == 0 || n > shortTerm:
		return term, true
	case strings.ContainsFunc(term, func(r rune) bool { return !wordRune(r) }):
		return "", false
	case n == 1:
		return wordMark + wordMark + term, true
	default:
		return wordMark + term, true
	}
}

// MatchTerms reports whether a user matches every folded term: it is the
// meaning of UserQuery.Terms, which every store must agree with.
func MatchTerms(u *User, terms []string) bool {
	if len(terms) == 0 {
		return true
	}
	document := u.SearchDocument()
	for _, term := range terms {
		phrase, ok := SearchPhrase(term)
		if !ok || !strings.Contains(document, phrase) {
			return false
		}
	}
	return true
}

// wordRune reports whether a rune belongs to a word: letters, digits, and the
// marks that many scripts write a letter with.
func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// firstRunes is the beginning of a text, at most n runes of it.
func firstRunes(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

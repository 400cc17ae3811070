package directory

import (
	"strings"
	"testing"
)

func TestMatchTerms(t *testing.T) {
	u := &User{GivenName: "Jürgen-Peter", FamilyName: "O'Neil 3rd", UserName: "jp_oneil", Email: "JP.ONeil@Mail.example.com"}
	for _, c := range []struct {
		term string
		want bool
	}{
		{"", true},
		{"jürgen", true},
		{"rgen-pet", true}, // across words of one field
		{"neil@mail", true},
		{"pet", true},
		{"peter o'n", false},     // across fields
		{"peter\no'neil", false}, // nor with the mark between fields
		{"j", true},
		{"jü", true},
		{"p", true},
		{"pe", true},
		{"rg", false}, // two letters inside of a word
		{"o", true},
		{"ne", true},
		{"3", true},
		{"3r", true},
		{"ex", true},
		{"ma", true},
		{"jp", true},
		{"_", false}, // a short term is letters and digits
		{"o'", false},
		{"n@", false},
		{"x", false},
		{"xyz", false},
		{"\x01j", false},
		{"\x01\x01j", false},
		{"\xff\xfe\xfd", false},
	} {
		if got := MatchTerms(u, []string{c.term}); got != c.want {
			t.Errorf("MatchTerms(%q) = %v, want %v", c.term, got, c.want)
		}
	}
	if !MatchTerms(u, nil) || !MatchTerms(u, []string{"jürgen", "n"}) || MatchTerms(u, []string{"jürgen", "x"}) {
		t.Error("terms are not ANDed")
	}
}

// FuzzMatchTerms: what MatchTerms finds by the document is what the definition
// of terms says about the fields.
func FuzzMatchTerms(f *testing.F) {
	f.Add("Anna Maria", "de la Cruz", "anna.cruz", "a.c@example.com", "an")
	f.Add("ß", "Ǆ", "日本語", "x@y", "日")
	f.Fuzz(func(t *testing.T, given, family, user, email, term string) {
		u := &User{GivenName: given, FamilyName: family, UserName: user, Email: email}
		term = FoldSearch(term)
		want := false
		for _, field := range []string{given, family, user, email} {
			field = FoldSearch(field)
			switch n := len([]rune(term)); {
			case n > 2:
				want = want || strings.Contains(field, term)
			case n > 0 && !strings.ContainsFunc(term, func(r rune) bool { return !wordRune(r) }):
				for word := range strings.FieldsFuncSeq(field, func(r rune) bool { return !wordRune(r) }) {
					want = want || strings.HasPrefix(word, term)
				}
			}
		}
		want = want || term == ""
		if got := MatchTerms(u, []string{term}); got != want {
			t.Errorf("MatchTerms(%q, %q) = %v, want %v", u.SearchText(), term, got, want)
		}
	})
}

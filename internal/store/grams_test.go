package store

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// TestGramsProveTerms looks for the grams of random terms among those of random
// documents: a document that contains the term has them all, and one that has
// all of an exact term contains it.
func TestGramsProveTerms(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	letters := []rune("ab@. -'é語\u0301\U0001f600")
	text := func() string {
		runes := make([]rune, random.IntN(15))
		for i := range runes {
			runes[i] = letters[random.IntN(1+random.IntN(len(letters)))]
		}
		return directory.FoldSearch(string(runes))
	}
	matches := 0
	for range 20_000 {
		u := directory.User{GivenName: text(), FamilyName: text(), UserName: text(), Email: text()}
		term := text()
		if runes := []rune(u.Email); len(runes) > 0 && random.IntN(2) == 0 {
			from := random.IntN(len(runes))
			term = string(runes[from : from+1+random.IntN(len(runes)-from)])
		}
		phrase, ok := directory.SearchPhrase(term)
		if !ok || phrase == "" {
			continue
		}
		list := strings.Fields(gramDocument(u.SearchDocument()))
		grams, exact := gramsOf(phrase)
		all := !slices.ContainsFunc(grams, func(gram string) bool { return !slices.Contains(list, string(appendToken(nil, gram))) })
		match := directory.MatchTerms(&u, []string{term})
		if match {
			matches++
		}
		if match && !all || exact && all && !match {
			t.Fatalf("seed %d: %q in %q is %v; its grams %q are all there: %v", seed, term, u.SearchDocument(), match, grams, all)
		}
	}
	if matches < 1000 {
		t.Errorf("seed %d: only %d matches", seed, matches)
	}
}

// TestTokensTellGramsApart makes a token of every character: no two are one,
// and none has a sign that separates tokens.
func TestTokensTellGramsApart(t *testing.T) {
	seen := make(map[string]rune)
	for r := rune(1); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		token := string(appendToken(nil, string(r)))
		if other, ok := seen[token]; ok {
			t.Fatalf("%U and %U are both %q", other, r, token)
		}
		seen[token] = r
		for _, c := range []byte(token) {
			if c < utf8.RuneSelf && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				t.Fatalf("%U is %q: the tokenizer splits or folds it", r, token)
			}
		}
	}
}

// TestGramsCoverTerms takes the beginning and the end of a long term, and not
// many between.
func TestGramsCoverTerms(t *testing.T) {
	for _, c := range []struct {
		phrase string
		want   []string
		exact  bool
	}{
		{"\x01\x01a", []string{"\x01\x01a"}, true},
		{"\x01ab", []string{"\x01ab"}, true},
		{"abc", []string{"abc"}, true},
		{"éééé", []string{"éééé"}, true},
		{"abcde", []string{"abcde"}, true},
		{"abcdef", []string{"abcde", "bcdef"}, false},
		{"abcdefghij", []string{"abcde", "fghij"}, false},
		{"abcdefghijk", []string{"abcde", "defgh", "ghijk"}, false},
		{"abcdefghijklmnopqrstuvwxyz", []string{"abcde", "hijkl", "opqrs", "vwxyz"}, false},
	} {
		if grams, exact := gramsOf(c.phrase); !slices.Equal(grams, c.want) || exact != c.exact {
			t.Errorf("gramsOf(%q) = %q, %v; want %q, %v", c.phrase, grams, exact, c.want, c.exact)
		}
	}
}

func BenchmarkGramDocument(b *testing.B) {
	u := directory.User{GivenName: "Josephine", FamilyName: "Marchand", UserName: "jmarchand123456@kentel.test", Email: "jmarchand123456@mail.kentel.test"}
	document := u.SearchDocument()
	b.ReportAllocs()
	for b.Loop() {
		gramDocument(document)
	}
}

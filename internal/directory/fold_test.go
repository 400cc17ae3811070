package directory

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFoldLogin(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "ada.lovelace", "ada.lovelace"},
		{"case", "Ada.LOVELACE@Example.COM", "ada.lovelace@example.com"},
		{"interior single spaces", "Ada King Lovelace", "ada king lovelace"},
		{"sharp s", "Straße", "strasse"},
		{"capital sharp s", "STRAẞE", "strasse"},
		{"final sigma", "ΟΔΥΣΣΕΥΣ", "οδυσσευσ"},
		{"final sigma small", "Οδυσσεύς", "οδυσσεύσ"},
		{"full width", "ＡＤＡ１", "ada1"},
		{"half width katakana", "ｱﾀﾞ", "アダ"},
		{"ligature", "oﬃce", "office"},
		{"kelvin sign", "\u212Aelvin", "kelvin"},
		{"angstrom sign", "\u212B", "å"},
		{"composed", "Ame\u0301lie", "amélie"},
		{"ypogegrammeni", "\u1FB3", "αι"},
		{"no-break space is a space", "ada\u00A0king", "ada king"},
		{"circled digit", "①", "1"},
		{"emoji", "ada🙂", "ada🙂"},
		{"arabic", "ليلى", "ليلى"},
		{"cyrillic look-alike stays apart", "Ада", "ада"},
		{"longest", strings.Repeat("a", MaxHandle), strings.Repeat("a", MaxHandle)},
		{"plus and quotes", `O'Neil+"x"`, `o'neil+"x"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := FoldLogin(tt.in)
			if err != nil || got != tt.want {
				t.Fatalf("FoldLogin(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
			}
			if again, err := FoldLogin(got); err != nil || again != got {
				t.Errorf("folded again: %q, %v", again, err)
			}
		})
	}
}

func TestFoldLoginKeepsConfusablesApart(t *testing.T) {
	latin, err := FoldLogin("paypal")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"pаypal", "раураl", "paypa1", "pâypal"} {
		if key, err := FoldLogin(other); err != nil || key == latin {
			t.Errorf("FoldLogin(%q) = %q, %v; want a key of its own", other, key, err)
		}
	}
}

// refusedInHandles are characters that let a second "same" handle in
// (a bug that a peer shipped) or that break what shows it.
var refusedInHandles = map[string]rune{
	"zero width space": 0x200B, "zero width non-joiner": 0x200C, "zero width joiner": 0x200D,
	"word joiner": 0x2060, "invisible times": 0x2062, "byte order mark": 0xFEFF, "soft hyphen": 0xAD,
	"variation selector 16": 0xFE0F, "variation selector 17": 0xE0100, "mongolian selector": 0x180B,
	"mongolian vowel separator": 0x180E, "grapheme joiner": 0x34F, "hangul filler": 0x3164,
	"halfwidth hangul filler": 0xFFA0, "khmer inherent vowel": 0x17B4, "tag a": 0xE0061,
	"braille blank": 0x2800, "right-to-left mark": 0x200F, "left-to-right mark": 0x200E,
	"arabic letter mark": 0x61C, "right-to-left override": 0x202E, "left-to-right embedding": 0x202A,
	"pop directional": 0x202C, "first strong isolate": 0x2068, "pop isolate": 0x2069,
	"nul": 0, "tab": '\t', "newline": '\n', "delete": 0x7F, "next line": 0x85, "line separator": 0x2028,
	"paragraph separator": 0x2029, "ogham space": 0x1680, "private use": 0xE000, "unassigned": 0x378,
	"noncharacter": 0xFFFF, "replacement": 0xFFFD, "object replacement": 0xFFFC, "arabic number sign": 0x600,
}

func TestFoldLoginRefusesInvisible(t *testing.T) {
	for name, r := range refusedInHandles {
		for _, text := range []string{"ad" + string(r) + "a", string(r) + "ada", "ada" + string(r)} {
			key, err := FoldLogin(text)
			if CodeOf(err) != CodeInvalid || !IsReason(err, ReasonFieldFormat) {
				t.Errorf("%s: FoldLogin(%q) = %q, %v; want invalid field.format", name, text, key, err)
			}
		}
	}
}

func TestFoldLoginRefuses(t *testing.T) {
	tests := []struct {
		name, in string
		reason   Reason
	}{
		{"empty", "", ReasonFieldFormat},
		{"a space", " ", ReasonFieldFormat},
		{"leading space", " ada", ReasonFieldFormat},
		{"trailing space", "ada ", ReasonFieldFormat},
		{"trailing no-break space", "ada\u00A0", ReasonFieldFormat},
		{"leading ideographic space", "\u3000ada", ReasonFieldFormat},
		{"two spaces", "ada  king", ReasonFieldFormat},
		{"a macron alone is a space after NFKC", "\u00AFada", ReasonFieldFormat},
		{"invalid UTF-8", "ad\xffa", ReasonFieldFormat},
		{"surrogate", "\xed\xa0\x80", ReasonFieldFormat},
		{"too long", strings.Repeat("a", MaxHandle+1), ReasonFieldLength},
		{"too long after folding", strings.Repeat("ﬃ", 100), ReasonFieldLength},
		{"heap of marks", "a" + strings.Repeat("\u0301", 40), ReasonFieldFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, err := FoldLogin(tt.in)
			if CodeOf(err) != CodeInvalid || !IsReason(err, tt.reason) {
				t.Fatalf("FoldLogin(%q) = %q, %v; want invalid %s", tt.in, key, err, tt.reason)
			}
			if len(AsError(err).Fields) != 0 {
				t.Errorf("the error names a field: %v", AsError(err).Fields)
			}
		})
	}
}

func TestFoldKeyChoosesBySpace(t *testing.T) {
	tests := []struct {
		space Space
		want  string
	}{
		{SpaceLogin, "ab1"}, {SpaceEmployee, "ab1"}, {SpaceWebMDN, "ab1"},
		{SpaceOpenID, "aB１"}, {ExternalSpace("c"), "aB１"},
	}
	for _, tt := range tests {
		if got, err := FoldKey(tt.space, "aB１"); err != nil || got != tt.want {
			t.Errorf("FoldKey(%s) = %q, %v; want %q", tt.space, got, err, tt.want)
		}
	}
}

func TestFoldExact(t *testing.T) {
	for _, good := range []string{"https://id.example/Ada?x=1", " spaced  ", "zero\u200Bwidth", strings.Repeat("é", MaxHandle)} {
		if got, err := FoldExact(good); err != nil || got != good {
			t.Errorf("FoldExact(%q) = %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{"", "a\x00b", "a\nb", "a\u0085b", "\xff", strings.Repeat("a", MaxHandle+1)} {
		if got, err := FoldExact(bad); CodeOf(err) != CodeInvalid {
			t.Errorf("FoldExact(%q) = %q, %v; want invalid", bad, got, err)
		}
	}
}

func TestFoldSearch(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"ada", "ada"},
		{"Ada  King", "ada  king"},
		{"STRASSE straße", "strasse strasse"},
		{"one\r\ntwo\tthree\u2028four", "one  two three four"},
		{"so\u00ADft\u200B hy\uFE0Fphen", "soft hyphen"},
		{"a\x00b", "a b"},
		{"bad\xffbyte", "bad\uFFFDbyte"},
		{"ＡＤＡ", "ada"},
		{"Zo\u00EB Zoe\u0308", "zoë zoë"},
		{"e\u200B\u0301", "é"},
	}
	for _, tt := range tests {
		if got := FoldSearch(tt.in); got != tt.want {
			t.Errorf("FoldSearch(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Printable ASCII takes a short way, which leads to where the long one does.
func TestFoldLoginOfASCII(t *testing.T) {
	for c := ' '; c <= '~'; c++ {
		text := "A" + string(c) + "z"
		got, err := FoldLogin(text)
		if want := fold(text, false); err != nil || got != want {
			t.Errorf("%q folds to %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestFoldSearchDoesNotAllocateForFoldedASCII(t *testing.T) {
	text := "ada.lovelace@example.com"
	if n := testing.AllocsPerRun(100, func() { text = FoldSearch(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNameKey(t *testing.T) {
	tests := []struct{ in, want string }{
		{"  Contoso  Ltd ", "contoso  ltd"},
		{"\u3000ＣＯＮＴＯＳＯ\n", "contoso"},
		{"\u200B", ""},
	}
	for _, tt := range tests {
		if got := NameKey(tt.in); got != tt.want || NameKey(got) != got {
			t.Errorf("NameKey(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCleanText(t *testing.T) {
	for _, good := range []string{"", "Ada", "naïve ﬁ 🙂", "سلام\u200Cها", "1234567890"} {
		if err := CleanText("title", good, 10); err != nil {
			t.Errorf("CleanText(%q): %v", good, err)
		}
	}
	bad := []struct {
		text   string
		reason Reason
	}{
		{"a\x00", ReasonFieldFormat}, {"a\nb", ReasonFieldFormat}, {"a\tb", ReasonFieldFormat}, {"\x7f", ReasonFieldFormat},
		{"\u0085", ReasonFieldFormat}, {"\xff", ReasonFieldFormat}, {"12345678901", ReasonFieldLength},
	}
	for _, tt := range bad {
		err := CleanText("title", tt.text, 10)
		if CodeOf(err) != CodeInvalid || !IsReason(err, tt.reason) {
			t.Errorf("CleanText(%q) = %v, want invalid %s", tt.text, err, tt.reason)
			continue
		}
		if f := AsError(err).Fields; len(f) != 1 || f[0].Field != "title" {
			t.Errorf("CleanText(%q) names %v", tt.text, f)
		}
	}
	if err := CleanText("title", strings.Repeat("a", 9999), 0); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

func FuzzFoldLogin(f *testing.F) {
	for _, s := range []string{"Ada", "ß", "ﬃ", "\u0345", "İ", "a\u0301\u0323", "ᾳ", "\uFDFA", "a b", "\xff", "ꭰ", "Ꮭ", "\u1E9E"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := FoldLogin(text)
		if err != nil {
			if CodeOf(err) != CodeInvalid {
				t.Fatalf("FoldLogin(%q): %v", text, err)
			}
			return
		}
		if again, err := FoldLogin(key); err != nil || again != key {
			t.Fatalf("FoldLogin(%q) = %q, folded again %q, %v", text, key, again, err)
		}
		if n := utf8.RuneCountInString(key); n == 0 || n > MaxHandle || strings.TrimSpace(key) != key {
			t.Fatalf("FoldLogin(%q) = %q", text, key)
		}
		if upper, err := FoldLogin(strings.ToUpper(key)); err == nil && isPrintableASCII(key) && upper != key {
			t.Fatalf("%q and its capitals differ: %q", key, upper)
		}
		if FoldSearch(key) != key {
			t.Fatalf("FoldSearch(%q) = %q", key, FoldSearch(key))
		}
	})
}

func FuzzFoldSearch(f *testing.F) {
	for _, s := range []string{"Ada", "so\u00ADft", "\u0345", "İ", "e\u200B\u0301", "\xff\n", "a" + strings.Repeat("\u0301\u0323", 20),
		"\u0300\u0345\u0301", strings.Repeat("\u0345\u0300", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		folded := FoldSearch(text)
		if again := FoldSearch(folded); again != folded {
			t.Fatalf("FoldSearch(%q) = %q, again %q", text, folded, again)
		}
		if !utf8.ValidString(folded) || strings.ContainsAny(folded, "\n\r\x00\u2028\u2029") {
			t.Fatalf("FoldSearch(%q) = %q", text, folded)
		}
		if key := NameKey(text); NameKey(key) != key {
			t.Fatalf("NameKey(%q) = %q, again %q", text, key, NameKey(key))
		}
	})
}

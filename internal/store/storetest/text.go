package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

var textChecks = []check{
	{"All of Unicode round trips in every kind of text", textUnicode},
	{"Texts that mean something to SQL or JSON round trip", textHostile},
	{"A text is not trimmed, folded or normalised", textExact},
	{"NUL and invalid UTF-8 are refused or kept whole", textUnstorable},
	{"Metadata keeps its bytes", textMetadata},
	{"JSON of a profile keeps its digits and its order", textJSON},
}

// setTexts writes one text into every free text field of a user.
func setTexts(u *directory.User, text string) {
	u.UserName, u.Email, u.GivenName, u.FamilyName, u.DisplayName = text, text, text, text, text
	u.Title, u.EmployeeNumber, u.OpenID, u.WebMDN, u.ClientUserID, u.LicenceType = text, text, text, text, text, text
	u.Phones = []directory.Phone{{Number: text, Extension: text, Type: text}}
	u.Address = directory.Address{Line1: text, Line2: text, City: text, Region: text, Country: text, Zip: text}
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text always has a JSON form
	}
	u.Profile = directory.Profile{Language: text, TimeZone: text, Picture: quoted,
		Attributes:  map[string]json.RawMessage{text: quoted},
		ExternalIDs: map[string]string{text: text}}
}

// unicodeChunks is every code point of the planes in use and of the ends of
// all others, in texts of at most 256 runes.
func unicodeChunks() []string {
	var chunks []string
	var b strings.Builder
	for r := rune(1); r <= utf8.MaxRune; r++ {
		inUse := r < 0x33480 || r>>8 == 0xe00 || r>>8 == 0xe01 || r&0xffff < 2 || r&0xffff > 0xfffd
		if inUse && utf8.ValidRune(r) {
			b.WriteRune(r)
		}
		if (r&0xff == 0xff || r == utf8.MaxRune) && b.Len() > 0 {
			chunks = append(chunks, b.String())
			b.Reset()
		}
	}
	return chunks
}

// textUnicode spreads the chunks over the fields; each code point is stored in
// a column of its own kind: plain, folded beside, indexed, and JSON.
func textUnicode(t *testing.T, s *sample) {
	chunks := unicodeChunks()
	number := int64(0)
	var want []directory.User
	for len(chunks) > 0 {
		number++
		u := s.user(number)
		for _, field := range []*string{&u.Title, &u.DisplayName, &u.GivenName, &u.FamilyName, &u.ClientUserID, &u.Profile.Language} {
			if len(chunks) > 0 {
				*field, chunks = chunks[0], chunks[1:]
			}
		}
		want = append(want, u)
	}
	s.addUsers(want...)
	got := s.list(directory.UserQuery{Limit: directory.MaxLimit})
	if len(got) != len(want) {
		t.Fatalf("%d users, want %d", len(got), len(want))
	}
	for i := range want {
		wantSame(t, fmt.Sprintf("user %d", want[i].Number), got[i], want[i])
	}
}

var hostileTexts = []string{
	`'; DROP TABLE users; --`, `" OR 1=1 --`, `\`, `\\`, `\0`, `\x00`, `%s%d%v`, `$1`, `?`, `:name`, `@name`, `{}`, `[]`, `null`,
	"line\nbreak", "carriage\rreturn", "tab\t", "\u2028\u2029", "\x01\x02\x1f", "\x7f", "<b>&amp;</b>", "\ufeff", "\ufffd",
	"NaN", "infinity", "-0", "1e999", "\U0010ffff", strings.Repeat("a", 1000), " lead", "trail ", "  ",
}

func textHostile(t *testing.T, s *sample) {
	for i, text := range hostileTexts {
		u := s.user(int64(i) + 1)
		setTexts(&u, text)
		s.addUsers(u)
		s.wantUser(u)
	}
}

func textExact(t *testing.T, s *sample) {
	for i, text := range lookAlikes {
		u := s.user(int64(i) + 1)
		setTexts(&u, text)
		s.addUsers(u)
	}
	for i, text := range lookAlikes {
		want := s.stored(int64(i) + 1)
		setTexts(&want, text)
		wantSame(t, fmt.Sprintf("user with %q", text), s.stored(int64(i)+1), want)
	}
}

// textUnstorable: the core refuses such texts. If one gets through, a store
// may fail, but it must neither cut the text off nor break.
func textUnstorable(t *testing.T, s *sample) {
	texts := []string{"\x00", "before\x00after", "after\x00", "\xff", "cut\xc3", "\xed\xa0\x80", "a\xc0\xafb"}
	for i, text := range texts {
		u := s.user(int64(i) + 1)
		u.Title, u.UserName, u.GivenName = text, text, text
		err := s.try(func(tx directory.Tx) error { return tx.InsertUser(s.ctx, u) })
		if s.exists(u.Number) != (err == nil) {
			t.Errorf("%q: Update answered %v, the user exists: %t", text, err, err != nil)
		}
		if err == nil {
			s.wantUser(u)
		}
		h := s.handle(text, 100)
		_ = s.try(func(tx directory.Tx) error { return tx.InsertHandle(s.ctx, s.tenant, h) })
	}
	s.wantNoHandle(directory.SpaceLogin, "before")
	s.addUser(50)
	s.wantTotals()
}

func textMetadata(t *testing.T, s *sample) {
	for i, text := range []string{"", "{}", ` { "a" : 1.0 , "b":"<é>" } `, `{"b":1,"a":2,"b":3}`, "not json at all", `"\u0000"`} {
		c := s.company(int64(i)+2, 1, fmt.Sprint("Company ", i))
		c.Metadata = text
		s.update(func(tx directory.Tx) error { return tx.InsertCompany(s.ctx, c) })
		s.view(func(r directory.Reader) error {
			got, err := r.Company(s.ctx, s.tenant, c.Number)
			if got.Metadata != text {
				t.Errorf("stored metadata %q, got %q", text, got.Metadata)
			}
			return err
		})
	}
}

func textJSON(t *testing.T, s *sample) {
	values := []string{`1`, `1.0`, `1.00`, `-0`, `1e2`, `12345678901234567890.123456789`, `{"z":1,"a":2}`, `[3,1,2]`, `"\u00e9"`, `"<>&"`,
		`null`, `true`, `{}`, `[]`, `""`, `{"":{"":[]}}`, `"\u2028"`}
	for i, value := range values {
		u := s.user(int64(i) + 1)
		u.Profile.Picture = json.RawMessage(value)
		u.Profile.Attributes = map[string]json.RawMessage{"a": json.RawMessage(value), "A": json.RawMessage(value)}
		u.Profile.Extras = map[string]json.RawMessage{"iqmetrix": json.RawMessage(value)}
		s.addUsers(u)
		s.wantUser(u)
	}
}

package directory

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestCheckPasswordLength(t *testing.T) {
	tests := []struct {
		name      string
		policy    PasswordPolicy
		minLength int
		password  string
		want      Reason
	}{
		{"default, 15", PasswordPolicy{}, 0, "hazel nut okapi", ""},
		{"default, 14", PasswordPolicy{}, 0, "hazelnut okapi", ReasonPasswordTooShort},
		{"empty", PasswordPolicy{MinLength: 1}, 0, "", ReasonPasswordTooShort},
		{"tenant asks less", PasswordPolicy{MinLength: 6}, 0, "okapi7", ""},
		{"door asks more than the tenant", PasswordPolicy{MinLength: 6}, 8, "okapi7", ReasonPasswordTooShort},
		{"door asks less than the tenant", PasswordPolicy{}, 6, "okapi7", ReasonPasswordTooShort},
		{"a negative minimum is the default", PasswordPolicy{MinLength: -1}, -5, "okapi7", ReasonPasswordTooShort},
		{"characters count, not bytes", PasswordPolicy{MinLength: 6}, 0, "ökäpïü", ""},
		{"two ways to type count once", PasswordPolicy{MinLength: 6}, 0, "okapi\u0308", ReasonPasswordTooShort},
		{"longest", PasswordPolicy{}, 0, strings.Repeat("okapi-hazel/moth", 64), ""},
		{"too long", PasswordPolicy{}, 0, strings.Repeat("okapi-hazel/moth", 64) + "x", ReasonPasswordTooLong},
		{"NUL", PasswordPolicy{}, 0, "hazelnut okapi\x00moth", ReasonFieldFormat},
		{"invalid UTF-8", PasswordPolicy{}, 0, "hazelnut okapi\xff moth", ReasonFieldFormat},
		{"no composition rules", PasswordPolicy{}, 0, "vxkhozbqmwptrl j", ""},
		{"spaces, signs, emoji", PasswordPolicy{}, 0, "  🦉 okapi ~ moth 🦉  ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantPasswordError(t, CheckPassword(tt.policy, &User{}, tt.password, tt.minLength), tt.want)
		})
	}
}

// The block list costs no more than a hash, whatever the password: this one, a
// long repetition with many common words behind it, took 2.3 seconds when the
// repetition was measured anew for each of its lengths. The limit leaves room
// for a busy machine.
func TestCheckPasswordTakesLittleTime(t *testing.T) {
	text := strings.Repeat("a", 900) + "dogcatfishbearwolffoxlionhawkponygolfmomdadoneredbluezk"
	began := time.Now()
	wantPasswordError(t, CheckPassword(PasswordPolicy{}, &User{}, text, 0), "")
	if took := time.Since(began); took > time.Second {
		t.Errorf("checking a password of %d characters took %s", len(text), took)
	}
}

func wantPasswordError(t *testing.T, err error, want Reason) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	if CodeOf(err) != CodeInvalid || AsError(err).Reason != want {
		t.Errorf("err = %v, want invalid %s", err, want)
		return
	}
	if f := AsError(err).Fields; len(f) != 1 || f[0].Field != "password" {
		t.Errorf("the error names %v", f)
	}
}

func TestBlockedPasswords(t *testing.T) {
	blocked := []string{
		"password", "Password1", "P@ssw0rd", "P4$$w0rd!", "passwordpassword", "Password Password", "password1234567890",
		"123456", "123456789012345", "987654321", "0987654321098765", "111111111111111", "aaaaaaaaaaaaaaaaaaaa",
		"abcdefghijklmnop", "zyxwvutsrqponmlk", "abcabcabcabcabc", "abc123abc123", "qwerty", "qwertyuiop12345",
		"QWERTYUIOPASDFGH", "1qaz2wsx3edc4rfv", "zaq12wsx", "asdfghjkl;'", "azertyuiop12345", "!@#$%^&*()",
		"iloveyou1234567", "Welcome2024!", "Summer2025", "letmein1234567890", "monkey1999monkey", "dragon....",
		"01011990", "2023202420252026", "admin_admin_admin", "Liverpool1892", "ab12ab12ab12ab1", "qazwsxedcrfvtgb",
		"ｐａｓｓｗｏｒｄ", "pass\u00ADword", "trustno1", "princess123456789",
	}
	blockedText := AsError(CheckPassword(PasswordPolicy{MinLength: 1}, nil, "qwerty", 0)).Message
	for _, password := range blocked {
		err := CheckPassword(PasswordPolicy{MinLength: 1}, nil, password, 0)
		if !IsReason(err, ReasonPasswordBlocked) {
			t.Errorf("%q: %v, want password.blocked", password, err)
		} else if text := AsError(err).Message; text != blockedText {
			t.Errorf("%q: the text depends on the password: %s", password, text)
		}
		if err := CheckPassword(PasswordPolicy{MinLength: 1, AllowBlocked: true}, nil, password, 0); err != nil {
			t.Errorf("%q with AllowBlocked: %v", password, err)
		}
	}
	allowed := []string{
		"correct horse battery staple", "sunshine over monkey island", "okapi", "x7!kQz", "the password is okapi",
		"monkeydragonfootball", "tr0ub4dor&3", "4815162342", "hunter of the lost okapi", "qwerty okapi", "пароль мотылька",
	}
	for _, password := range allowed {
		if err := CheckPassword(PasswordPolicy{MinLength: 1}, nil, password, 0); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestCommonWordsAreFolded(t *testing.T) {
	for _, word := range append(commonWords, tracks...) {
		if FoldSearch(word) != word || utf8.RuneCountInString(word) != len(word) {
			t.Errorf("%q is not folded ASCII", word)
		}
	}
	for _, word := range commonWords {
		if !guessable(word) || !guessable(word+"2024!") {
			t.Errorf("%q is not blocked", word)
		}
	}
}

func TestPasswordsWithNamesOfTheUser(t *testing.T) {
	u := &User{UserName: "MLovelace77@example.com", Email: "ada.l@example.org", GivenName: "Ada", FamilyName: "Müller"}
	tests := []struct {
		password string
		want     Reason
	}{
		{"okapi hazel moth teal", ""},
		{"okapi mlovelace77 moth", ReasonPasswordContext},
		{"okapi-ADA.L-moth-hazel", ReasonPasswordContext},
		{"okapi MÜLLER hazel moth", ReasonPasswordContext},
		{"okapi mu\u0308ller hazel moth", ReasonPasswordContext},
		{"the Usher of okapis", ReasonPasswordContext},
		{"okapi ada hazel moth", ""}, // three letters are in too many words
		{"okapi example.com moth", ""},
	}
	for _, tt := range tests {
		t.Run(tt.password, func(t *testing.T) {
			wantPasswordError(t, CheckPassword(PasswordPolicy{}, u, tt.password, 0), tt.want)
			wantPasswordError(t, CheckPassword(PasswordPolicy{AllowContext: true}, u, tt.password, 0), "")
		})
	}
}

func FuzzCheckPassword(f *testing.F) {
	for _, s := range []string{"password", "1qaz2wsx", "аааа", "\xff", "a\u0301", strings.Repeat("ab", 400), "P@$$(0)+|!"} {
		f.Add(s, "ada")
	}
	f.Fuzz(func(t *testing.T, password, name string) {
		err := CheckPassword(PasswordPolicy{MinLength: 1}, &User{UserName: name, Email: name + "@x"}, password, 0)
		if err != nil && (CodeOf(err) != CodeInvalid || len(AsError(err).Fields) != 1) {
			t.Fatalf("CheckPassword(%q): %v", password, err)
		}
		if err == nil && (len(password) > MaxPasswordBytes || !utf8.ValidString(password)) {
			t.Fatalf("CheckPassword(%q) accepted it", password)
		}
	})
}

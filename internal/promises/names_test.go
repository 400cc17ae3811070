package promises

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

// spelling makes another spelling of a name that people take for the same one:
// other letter case, full width, or a compatibility form.
func spelling(random *rand.Rand, name string) string {
	var b strings.Builder
	for _, r := range name {
		switch random.IntN(4) {
		case 0:
			r = unicode.ToUpper(r)
		case 1:
			r = unicode.ToLower(r)
		case 2:
			if r > ' ' && r < 0x7f && r != '@' {
				r += 0xfee0 // full width
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unseen are characters that cannot be seen or turn the direction of reading.
var unseen = []rune{0x200b, 0x200c, 0x200d, 0x2060, 0xfeff, 0x00ad, 0x202a, 0x202e, 0x2066, 0x2069, 0x200e, 0x061c, 0x180e, 0xe0001, 0xe007f}

// TestPromiseE_OneNameSpace: user names and addresses are one name space per
// tenant, in which names that differ in letter case, width or compatibility form
// are one: whatever door somebody came in by, no other door gives a second person
// another spelling of a name, or of somebody's address as a name. What cannot be
// seen is refused. Letters of other scripts that merely look alike are other
// letters, and in another tenant the name is free.
func TestPromiseE_OneNameSpace(t *testing.T) {
	t.Parallel()
	s := start(t, "sqlite")
	w, other := newWorld(t, s), newWorld(t, s)
	random := rand.New(rand.NewPCG(1, 5))
	makers := map[string]func(w *world, name, email string) request{
		"canonical": func(w *world, name, email string) request {
			return w.at("canonical", "POST", "/api/v1/users", map[string]any{"user_name": name, "email": email})
		},
		"scim": func(w *world, name, email string) request {
			return w.at("scim", "POST", "/scim/v2/Users", map[string]any{"schemas": []string{scimUser}, "userName": name, "emails": []any{map[string]any{"value": email, "type": "work"}}})
		},
		"iqmetrix": func(w *world, name, email string) request {
			return w.at("iqmetrix", "POST", "/v1/Users/importExisting", map[string]any{"UserName": name, "Email": email, "FirstName": "A", "LastName": "B", "ParentEntityId": w.tenant.DefaultCompany})
		},
		"encore": func(w *world, name, email string) request {
			return w.at("encore", "POST", "/users/v1/users", map[string]any{"UserName": name, "Email": email, "FirstName": "A", "LastName": "B", "Password": firstPassword, "RoleId": 3, "LicenseType": 1, "IsActive": true})
		},
		"servicemobility": func(w *world, name, email string) request {
			return w.at("servicemobility", "POST", "/seiapi/v3/trans/role/none/users", "")
		},
	}
	delete(makers, "servicemobility") // its PUT of a name that is taken is a change
	doors := []string{"canonical", "scim", "iqmetrix", "encore"}
	for i := range 48 {
		name, email := fmt.Sprintf("müßig%dƒile.ﬁne", i), fmt.Sprintf("straße%d@example.test", i)
		first, second := doors[i%4], doors[random.IntN(4)]
		if first == "encore" || second == "encore" { // it allows fewer letters in a name
			name = fmt.Sprintf("file%dname", i)
		}
		w.wantMade(t, first, makers[first](w, name, email), true)
		w.wantMade(t, second, makers[second](w, spelling(random, name), fmt.Sprintf("else%d@example.test", i)), false)
		w.wantMade(t, "canonical", makers["canonical"](w, spelling(random, email), fmt.Sprintf("more%d@example.test", i)), false)
		at := random.IntN(len(name))
		for name[at]&0xc0 == 0x80 { // not inside of a letter
			at--
		}
		hidden := name[:at] + string(unseen[random.IntN(len(unseen))]) + name[at:]
		w.wantMade(t, second, makers[second](w, "u"+hidden, fmt.Sprintf("hidden%d@example.test", i)), false)
		other.wantMade(t, second, makers[second](other, name, email), true)
	}
	w.wantMade(t, "canonical", makers["canonical"](w, "pаypal", "one@example.test"), true) // the second letter is Cyrillic
	w.wantMade(t, "scim", makers["scim"](w, "paypal", "two@example.test"), true)
}

// wantMade sends a creation that must succeed or be refused as the door refuses.
func (w *world) wantMade(t *testing.T, door string, r request, made bool) {
	t.Helper()
	a := w.do(t, r)
	if a.status >= 500 || (a.status == http.StatusCreated) != made {
		t.Errorf("%s: %v: %d %.200s, want made: %v", door, r, a.status, a.body, made)
	}
}

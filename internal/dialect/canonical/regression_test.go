package canonical_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/testkit"
)

// What other servers got wrong, and was found out by their users. More of it is
// in the scim door's regression_test.go; the ends of reset links are in
// internal/directory/rules_reset_test.go.

const goodPassword = "quarry-lantern-57"

// ask sends a request with a key, or without one.
func ask(t *testing.T, s *testkit.Server, method, path, key, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	must(t, err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

// person makes a user with a password, of more members than these.
func person(t *testing.T, s *testkit.Server, name, members string) (path string) {
	t.Helper()
	var made struct{ ID string }
	status, _, text := ask(t, s, "POST", "/api/v1/users", "usher-demo-key", `{"user_name":"`+name+`","password":"`+goodPassword+`"`+members+`}`)
	must(t, json.Unmarshal([]byte(text), &made))
	if status != http.StatusCreated {
		t.Fatalf("%s: %d %s", name, status, text)
	}
	return "/api/v1/users/" + made.ID
}

// Another server told by its answers who has an account. Whoever does not know
// the password learns neither that nor how the account stands.
func TestSignInTellsNobodyWhoThereIs(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	for name, action := range map[string]string{"active": "", "inactive": "POST deactivate", "locked": "POST lock", "deleted": "DELETE"} {
		path := person(t, s, name, "")
		if method, verb, _ := strings.Cut(action, " "); method != "" {
			ask(t, s, method, strings.TrimSuffix(path+"/"+verb, "/"), "usher-demo-key", "")
		}
	}
	person(t, s, "staged", `,"status":"staged"`)
	person(t, s, "temporary", `,"temporary":true`)
	person(t, s, "expired", `,"expires_at":"2020-01-01T00:00:00Z"`)
	ask(t, s, "POST", "/api/v1/users", "usher-demo-key", `{"user_name":"without"}`)
	signIn := func(name, password string) (int, string) {
		status, header, text := ask(t, s, "POST", "/api/v1/sessions", "", fmt.Sprintf(`{"user_name":%q,"password":%q}`, name, password))
		return status, header.Get("WWW-Authenticate") + text
	}
	status, want := signIn("nobody", "wrong-password-of-nobody")
	if status != http.StatusUnauthorized {
		t.Fatalf("nobody: %d %s", status, want)
	}
	for _, name := range []string{"active", "ACTIVE", "inactive", "locked", "deleted", "staged", "temporary", "expired", "without", "admin", " ", strings.Repeat("x", 200)} {
		if status, got := signIn(name, "wrong-password-of-nobody"); status != http.StatusUnauthorized || got != want {
			t.Errorf("%q: %d %s, want %s", name, status, got, want)
		}
	}
	if status, text := signIn("active", goodPassword); status != http.StatusCreated {
		t.Errorf("the right password: %d %s", status, text)
	}
}

// Another server let people in who were to replace their password first, when
// they left that page.
func TestTemporaryPasswordsOpenNothing(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	path := person(t, s, "temporary", `,"temporary":true`)
	signIn := `{"user_name":"temporary","password":"` + goodPassword + `"}`
	status, _, text := ask(t, s, "POST", "/api/v1/sessions", "", signIn)
	if status < 400 || strings.Contains(text, "token") {
		t.Errorf("signed in: %d %s", status, text)
	}
	if _, _, text := ask(t, s, "GET", path+"/sessions", "usher-demo-key", ""); text != `{"items":[]}` {
		t.Errorf("sessions: %s", text)
	}
	if status, _, text := ask(t, s, "POST", path+"/password", "usher-demo-key", `{"password":"`+goodPassword+`"}`); status != http.StatusNoContent {
		t.Fatalf("a password that lasts: %d %s", status, text)
	}
	if status, _, text := ask(t, s, "POST", "/api/v1/sessions", "", signIn); status != http.StatusCreated {
		t.Errorf("with a password that lasts: %d %s", status, text)
	}
}

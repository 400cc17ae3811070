package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/client"
)

func newServer(t *testing.T, answer http.HandlerFunc) (url string) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct{ base, key string }{
		{"", "k"}, {"users.example.com", "k"}, {"ftp://users.example.com", "k"}, {"https://", "k"}, {"https://users.example.com?x=1", "k"},
		{"https://users.example.com#x", "k"}, {"https://ann:geheim@users.example.com", "k"}, {"https://geheim:%zz@users.example.com", "k"},
		{"https://users.example.com", "geheim\n"}, {"https://users.example.com", "ge heim"},
	} {
		if got, err := client.New(c.base, c.key); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("New(%q, %q) = %v, %v; want an error that shows no secret", c.base, c.key, got, err)
		}
	}
}

// No way of printing shows a secret.
func TestSecretsAreNotPrinted(t *testing.T) {
	const secret = "geheim-geheim"
	base := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+secret {
			t.Errorf("Authorization = %q", r.Header.Get("Authorization"))
		}
		panic(http.ErrAbortHandler)
	})
	c := newClient(t, base, secret, client.WithAttempts(1))
	_, err := c.Users.Create(t.Context(), client.NewUser{Password: secret})
	if err == nil {
		t.Fatal("a broken connection is no error")
	}
	values := []any{c, *c, c.Users, *c.Users, err, client.NewUser{Password: secret}, &client.Token{Token: secret}, client.Session{Token: secret},
		client.Credential{Secret: secret}, client.Secret(secret)}
	var log bytes.Buffer
	for _, v := range values {
		slog.New(slog.NewTextHandler(&log, nil)).Info("value", "v", v)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, secret) {
				t.Errorf("%s of %T shows the secret: %s", verb, v, text)
			}
		}
	}
	if strings.Contains(log.String(), secret) {
		t.Errorf("the log shows the secret: %s", log.String())
	}
	if got := fmt.Sprint(c); got != "usher client of "+base {
		t.Errorf("String = %q", got)
	}
}

// A merge patch tells what stays, what is reset and what is set.
func TestOptInJSON(t *testing.T) {
	for want, patch := range map[string]client.UserPatch{
		`{}`:                            {},
		`{"title":""}`:                  {Title: client.Set("")},
		`{"title":null,"locked":false}`: {Title: client.Null[string](), Locked: client.Set(false)},
		`{"valid_from":null,"address":{"line2":null,"city":"Bonn"}}`:            {ValidFrom: client.Null[time.Time](), Address: client.Set(client.AddressPatch{Line2: client.Null[string](), City: client.Set("Bonn")})},
		`{"phones":[],"picture":{"a":[1]},"attributes":{"old":null,"shoe":43}}`: {Phones: client.Set([]client.Phone{}), Picture: client.Set(json.RawMessage(`{"a":[1]}`)), Attributes: client.Set(map[string]json.RawMessage{"old": nil, "shoe": json.RawMessage("43")})},
	} {
		got, err := json.Marshal(patch)
		if err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	if got := must(json.Marshal(client.NewUser{}))(t); string(got) != `{}` {
		t.Errorf("a new user with nothing is %s, want {}", got)
	}
}

// What is no usher, or too much, is an error that says so.
func TestAnswersThatCannotBeUsed(t *testing.T) {
	followed := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed, with Authorization %q", r.Header.Get("Authorization"))
	})
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		check  func(error) bool
	}{
		"a page of a proxy": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>proxy</html>"))
		}, func(err error) bool {
			e, ok := errors.AsType[*client.Error](err)
			return ok && e.Status == http.StatusBadGateway && e.Code == client.CodeUnknown && !strings.Contains(err.Error(), "html")
		}},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, followed, http.StatusTemporaryRedirect)
		},
			func(err error) bool {
				e, ok := errors.AsType[*client.Error](err)
				return ok && e.Status == http.StatusTemporaryRedirect
			}},
		"no JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) },
			func(err error) bool { return strings.Contains(err.Error(), "cannot be read") }},
		"too much": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(" "), 2000)) },
			func(err error) bool { return errors.Is(err, client.ErrAnswerTooLarge) }},
	} {
		requests := 0
		base := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			c.answer(w, r)
		})
		_, err := newClient(t, base, "key", client.WithMaxAnswer(1000)).Users.Get(t.Context(), "x")
		if err == nil || !c.check(err) || requests != 1 {
			t.Errorf("%s: %v after %d requests", name, err, requests)
		}
	}
}

// A part of a path that is empty would make another path: nothing is sent.
func TestEmptyPartsOfPathsAreRefused(t *testing.T) {
	base := newServer(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was sent", r.Method, r.URL) })
	c := newClient(t, base, "key")
	_, getting := c.Users.Get(t.Context(), "")
	for name, err := range map[string]error{
		"get": getting, "end a session": c.Users.EndSession(t.Context(), "x", ""), "delete": c.Users.Delete(t.Context(), ""),
		"a reason of two lines": c.Users.Delete(t.Context(), "x", client.Reason("a\nb")),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// An error of the server has all that the problem says.
func TestError(t *testing.T) {
	_, c := newOffice(t, client.WithUserAgent("test/1"))
	ada := must(c.Users.Create(t.Context(), named("ada")))(t)
	_, err := c.Users.Create(t.Context(), client.NewUser{UserFields: client.UserFields{UserName: "ada"}, Status: "asleep"})
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.Detail == "" || e.RequestID == "" {
		t.Fatalf("%v, want an error that says what is wrong and which request it was", err)
	}
	e.Detail, e.RequestID = "", ""
	want := &client.Error{Status: 422, Type: "urn:usher:problem:field.format", Title: "Unprocessable Entity", Code: client.CodeInvalid, Reason: "field.format",
		Fields: e.Fields, Attempts: 1, Method: "POST", Path: "/api/v1/users"}
	if diff := cmp.Diff(want, e); diff != "" || len(e.Fields) != 1 || e.Fields[0].Field != "status" {
		t.Errorf("error %+v (-want +got)\n%s", e, diff)
	}
	_, err = c.Users.Create(t.Context(), named("ada"))
	if !client.IsConflict(err) || !client.IsReason(err, "user.user_name_taken") || client.IsNotFound(err) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err = c.Users.Get(t.Context(), "nobody"); !client.IsNotFound(err) {
		t.Errorf("an unknown user: %v", err)
	}
	if _, err = c.Users.Update(t.Context(), ada.ID, client.UserPatch{Title: client.Set("x")}, client.IfMatch(`"7"`)); !client.IsStale(err) {
		t.Errorf("another version: %v", err)
	}
	if _, err = c.Users.Get(t.Context(), ada.ID, client.IfNoneMatch(ada.ETag)); !errors.Is(err, client.ErrNotModified) {
		t.Errorf("a version that the caller has: %v", err)
	}
}

// A list that leads back to itself ends with an error.
func TestAListThatDoesNotGoOn(t *testing.T) {
	base := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"items":[{"id":"a"}],"next_cursor":"same"}`))
	})
	users, errs := 0, 0
	for _, err := range newClient(t, base, "key").Users.All(t.Context(), client.UserQuery{}) {
		if err != nil {
			errs++
		} else {
			users++
		}
	}
	if users != 2 || errs != 1 {
		t.Errorf("%d users and %d errors, want 2 and 1", users, errs)
	}
}

package canonical

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// exchangeOf is an exchange with an operation, as the frame would begin it.
func exchangeOf(t testing.TB, d *door, method, path, query, body string) *exchange {
	t.Helper()
	r, err := http.NewRequest(method, "http://x"+prefix+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.RawQuery = query
	at := d.tree.find(pathOf(r.URL))
	for i, m := range at.methods {
		if m == method {
			return &exchange{door: d, route: at.routes[i], req: &web.Request{Request: r, Event: &web.Event{}}}
		}
	}
	t.Fatalf("no operation %s %s", method, path)
	return nil
}

// refusedInput fails unless an error is about the input.
func refusedInput(t *testing.T, err error) {
	t.Helper()
	if status := statusOf(directory.AsError(err)); err != nil && (status < 400 || status > 499) {
		t.Errorf("%d: %v", status, err)
	}
}

const someUser = "/users/9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"

// FuzzMergePatch: any body is read or refused as the client's fault, and what was
// read makes a patch whose attributes are JSON.
func FuzzMergePatch(f *testing.F) {
	for _, seed := range []string{`{"title":"T"}`, `{"address":{"city":null},"attributes":{"a":{"b":null}}}`, `{"phones":[{"number":"1"}],"valid_from":"2026-01-01T00:00:00Z"}`,
		`{"a":1,"a":2}`, `[[[[`, `{"status":null,"company":0}`, "\ufeff{}", `null`, `{"attributes":{"a":1e400}}`} {
		f.Add(seed)
	}
	d := bare()
	now := directory.User{Address: directory.Address{Set: true, City: "C"}, Profile: directory.Profile{Attributes: map[string]json.RawMessage{"a": json.RawMessage(`{"x":1}`)}}}
	f.Fuzz(func(t *testing.T, body string) {
		x := exchangeOf(t, d, "PATCH", someUser, "", body)
		if err := x.prepare(); err != nil {
			refusedInput(t, err)
			return
		}
		var in UserChange
		if len(x.body) == 0 || json.Unmarshal(x.body, &in) != nil {
			return // refused by the schema
		}
		p, err := mergePatch(&in, &now)
		if err != nil {
			return // an address of wrong types is refused by the schema
		}
		for name, value := range p.Attributes.Value {
			if !json.Valid(value) {
				t.Errorf("%q: %q", name, value)
			}
		}
	})
}

// FuzzQuery: any query string is read or refused as the client's fault.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"limit=5&total=true", "filter=user_name eq \"x\"", "sort=-email&status=active,deleted", "group=a&group=b", "fields=id&expand=roles", "q=%zz", "limit=&x=1", "company=-1", "cursor=abc"} {
		f.Add(seed)
	}
	d := bare()
	f.Fuzz(func(t *testing.T, query string) {
		x := exchangeOf(t, d, "GET", "/users", query, "")
		err := x.prepare()
		if err == nil {
			_, err = x.userQuery()
		}
		if err == nil {
			_, _, err = x.view()
		}
		refusedInput(t, err)
	})
}

// FuzzTags: what is read as entity tags is written as such again, and means the
// same.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{`*`, `"7"`, `W/"7", "8"`, `"`, `"a,b" , "7"`, `,,`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseTags(text)
		if !ok || got.any || len(got.versions) == 0 {
			return
		}
		var again []string
		for _, v := range got.versions {
			again = append(again, etag(v))
		}
		if second, ok := parseTags(strings.Join(again, ", ")); !ok || len(second.versions) != len(got.versions) {
			t.Errorf("%q: %v, then %v", text, got, second)
		}
	})
}

// FuzzPath: any path leads to an operation or to none, and its parameters have no
// slash that was not escaped.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/api/v1/users/x", "/api/v1/users/by/email/a%2Fb", "/api/v1//", "/api/v1/users/%zz", "/API/v1/users"} {
		f.Add(seed)
	}
	d := bare()
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		at := d.tree.find(pathOf(u))
		if at == nil || len(at.routes) == 0 {
			return
		}
		r := at.routes[0]
		x := &exchange{door: d, route: r, req: &web.Request{Request: &http.Request{URL: u}}}
		for _, segment := range r.segments {
			if segment[0] == '{' && u.RawPath == "" && strings.Contains(x.param(segment[1:len(segment)-1]), "/") {
				t.Errorf("%q: %q", path, x.param(segment[1:len(segment)-1]))
			}
		}
	})
}

package servicemobility

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

func TestPathParse(t *testing.T) {
	for escaped, want := range map[string][]string{
		"/createjwt":                       {"createjwt"},
		"/seiapi/v3/trans/User/tech.jones": {"seiapi", "v3", "trans", "User", "tech.jones"},
		"/seiapi/v3/trans/User/a%2Fb/":     {"seiapi", "v3", "trans", "User", "a/b"},
		"/seiapi/v3/trans/User/a%252Fb":    {"seiapi", "v3", "trans", "User", "a%2Fb"},
		"/seiapi/v3/trans/User/a+b":        {"seiapi", "v3", "trans", "User", "a+b"},
		"/seiapi/v3/trans/User/%00":        {"seiapi", "v3", "trans", "User", "\x00"},
		"/seiapi/v3/trans/User/..":         {"seiapi", "v3", "trans", "User", ".."},
		"/seiapi/v3/trans/role/a/user/b":   {"seiapi", "v3", "trans", "role", "a", "user", "b"},
		"/seiapi/v3/trans/role/a/user/b/c": nil,
		"/seiapi//v3":                      nil,
		"/":                                nil,
		"//":                               nil,
		"":                                 nil,
		"createjwt":                        nil,
		"/%zz":                             nil,
		"/a" + strings.Repeat("/a", maxSegments-1):          {"a", "a", "a", "a", "a", "a", "a"},
		"/a" + strings.Repeat("/a", maxSegments):            nil,
		"/a" + strings.Repeat("/a", maxSegments)[2:] + "//": nil,
	} {
		var p path
		var got []string
		if p.parse(escaped) {
			got = p.segments[:p.count]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", escaped, diff)
		}
	}
}

// TestRoutesAreDocumented: every operation says where it comes from, no two are
// the same, and each is found by its own path in any letter case.
func TestRoutesAreDocumented(t *testing.T) {
	d, seen := newDoor(Options{}), map[string]bool{}
	for _, rt := range routes {
		key := rt.method + " " + strings.ToLower(rt.pattern)
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if rt.source == "" || rt.handle == nil {
			t.Errorf("%s has no source or no handler", key)
		}
		for _, path := range []string{rt.pattern, strings.ToUpper(rt.pattern), strings.ToLower(rt.pattern)} {
			if res := d.find(path); res == nil || "/"+strings.Join(res.parts, "/") != rt.pattern {
				t.Errorf("%s leads to %v", path, res)
			}
		}
	}
}

// TestDispatch: finding the operation is on the path of every request and must
// cost nothing.
func TestDispatchAllocations(t *testing.T) {
	d := newDoor(Options{})
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	d.find(userPath).serve[0] = nothing
	r := httptest.NewRequest("GET", "/seiapi/v3/trans/User/tech.jones", nil)
	w := httptest.NewRecorder()
	if n := testing.AllocsPerRun(100, func() { d.ServeHTTP(w, r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCredential(t *testing.T) {
	for _, test := range []struct{ header, query, client, secret string }{
		{"abc", "", "", "abc"},
		{"Bearer abc", "", "", "Bearer abc"},
		{"", "customerid=1&customercode=2", "1", "2"},
		{"", "CUSTOMERID=a%20b&CustomerCode=c%2Bd", "a b", "c+d"},
		{"abc", "customerid=1&customercode=2", "", "abc"},
		{"", "customerid=1", "1", ""},
		{"", "customercode=2", "", ""},
		{"", "", "", ""},
	} {
		r := &web.Request{Request: &http.Request{Header: http.Header{}, URL: &url.URL{RawQuery: test.query}}}
		if test.header != "" {
			r.Header.Set(tokenHeader, test.header)
		}
		client, secret := credential(r)
		if client != test.client || secret != directory.Secret(test.secret) {
			t.Errorf("%+v: %q %q", test, client, string(secret))
		}
	}
}

// TestExtras: the extras of the defaults are none, and what is kept is shown
// again.
func TestExtras(t *testing.T) {
	for body, want := range map[string]string{
		`{}`: ``,
		`{"AuthenticationID":"u","DGroupID":"","FaceTime":"","SMS":null,"Status":"","IsMobileWorker":false,"EnableMobileDiagnostics":false,"Extensions":{}}`: ``,
		`{"AuthenticationID":"v"}`: `{"AuthenticationID":"v"}`,
		`{"Extensions":{"b":"1","a":"2","b":"3"},"IsMobileWorker":true,"EnableMobileDiagnostics":true,"Status":"s","SMS":"t","FaceTime":"f","DGroupID":"d"}`: `{"DGroupID":"d","FaceTime":"f","SMS":"t","Status":"s","EnableMobileDiagnostics":true,"IsMobileWorker":true,"Extensions":{"b":"3","a":"2"}}`,
	} {
		object, err := web.DecodeObject([]byte(body), maxDepth)
		if err != nil {
			t.Fatal(err)
		}
		var f faults
		kept := readOwn(&f, object, "u")
		if err := f.err(); err != nil || string(kept.json()) != want {
			t.Errorf("%s: %s, %v", body, kept.json(), err)
		}
	}
	// What another way has put there is no failure of the door.
	for _, extras := range []string{`[]`, `{"Extensions":[1],"SMS":7,"IsMobileWorker":"yes"}`, `{`, `null`} {
		u := directory.User{UserName: "u", Profile: directory.Profile{Extras: map[string]json.RawMessage{"servicemobility": json.RawMessage(extras)}}}
		if got := ownOf(&u); got.sms != "" || got.mobileWorker || len(got.extensions) > 0 {
			t.Errorf("%s: %+v", extras, got)
		}
	}
}

func TestRoleNames(t *testing.T) {
	for _, test := range []struct{ names, text, want string }{
		{`{}`, "Name", `{"en":"Name"}`},
		{`{"en":"Old","fr":"Nom"}`, "Renamed", `{"en":"Renamed","fr":"Nom"}`},
		{`{"de":"Alt","fr":"Nom"}`, "Neu", `{"de":"Neu","fr":"Nom"}`},
	} {
		role := directory.Role{Key: "R", Name: test.text, Extras: `{"Name":` + test.names + `}`}
		want := `{"RoleID":"R","Name":` + test.want + `,"Desc":{"en":""},"Permissions":[]}`
		if got := string(appendRole(nil, &role)); got != want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

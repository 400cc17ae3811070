package iqmetrix

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

func TestTargetParse(t *testing.T) {
	for _, test := range []struct {
		path, shape string
		keys        []string
	}{
		{"/v1/Users(2576)", "/v1/users()", []string{"2576"}},
		{"/V1/USERS(2576)/", "/v1/users()", []string{"2576"}},
		{"/v1/users(2576)/Locations(2)", "/v1/users()/locations()", []string{"2576", "2"}},
		{"/v1/Entities(14146)/lockReasons", "/v1/entities()/lockreasons", []string{"14146"}},
		{"/v1/Users()", "/v1/users()", []string{""}},
		{"/v1/Users(1)x", "/v1/users()x", []string{"1"}},
		{"/", "/", nil},
		{"", "", nil},
		{"/v1/Users(1", "-", nil},
		{"/v1/Users((1)", "-", nil},
		{"/v1/Users(1/2)", "-", nil},
		{"/v1/a(1)/b(2)/c(3)", "-", nil},
		{"/v1/aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg", "-", nil},
	} {
		var at target
		shape := "-"
		if at.parse(test.path) {
			shape = string(at.shape[:at.length])
		}
		if shape != test.shape {
			t.Errorf("%s: shape %q, want %q", test.path, shape, test.shape)
		}
		if shape == "-" {
			continue
		}
		if diff := cmp.Diff(test.keys, append([]string(nil), at.keys[:at.count]...)); diff != "" {
			t.Errorf("%s: %s", test.path, diff)
		}
	}
}

func TestTargetNumber(t *testing.T) {
	for key, want := range map[string]int64{"1": 1, "2576": 2576, "02576": 2576, "2147483647": 2147483647,
		"0": noNumber, "": noNumber, "-1": noNumber, "+1": noNumber, "1.0": noNumber, "abc": noNumber, "'1'": noNumber,
		"2147483648": noNumber, "99999999999999999999": noNumber, "18446744073709551617": noNumber, "٣": noNumber} {
		at := target{keys: [2]string{key}}
		if got := at.number(0); got != want {
			t.Errorf("%q: %d, want %d", key, got, want)
		}
	}
}

// TestRoutesAreDocumented: every operation says where it comes from, and no
// two are the same.
func TestRoutesAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, rt := range routes {
		key := rt.method + " " + shapeOf(rt.pattern)
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if rt.source == "" || rt.handle == nil {
			t.Errorf("%s has no source or no handler", key)
		}
	}
}

func TestUnknownPathAndMethod(t *testing.T) {
	h := New(directory.New(nil, directory.Options{}), Options{})
	for _, test := range []struct {
		method, path  string
		status        int
		allow, expect string
	}{
		{"GET", "/v1/nothing", 404, "", `{"Message":"Not Found","Description":"Not Found"}`},
		{"GET", "/v1/Users", 404, "", `{"Message":"Not Found","Description":"Not Found"}`},
		{"GET", "/v1/Users(1", 404, "", `{"Message":"Not Found","Description":"Not Found"}`},
		{"PATCH", "/v1/Users(1)", 405, "GET, PUT, DELETE, HEAD", `{"Message":"Method Not Allowed","Description":"Method Not Allowed"}`},
		{"GET", "/v1/OAUTH2/Token", 405, "POST", `{"Message":"Method Not Allowed","Description":"Method Not Allowed"}`},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		if w.Code != test.status || w.Header().Get("Allow") != test.allow || w.Body.String() != test.expect {
			t.Errorf("%s %s: %d %q %s", test.method, test.path, w.Code, w.Header().Get("Allow"), w.Body)
		}
	}
}

// TestDispatchAllocations: finding the operation is on the path of every
// request and must cost nothing.
func TestDispatchAllocations(t *testing.T) {
	d := New(directory.New(nil, directory.Options{}), Options{}).(*door)
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	d.resources["/v1/users()"] = &resource{methods: []string{"GET"}, serve: []http.Handler{nothing}}
	r := httptest.NewRequest("GET", "/v1/Users(2576)", nil)
	w := httptest.NewRecorder()
	if n := testing.AllocsPerRun(100, func() { d.ServeHTTP(w, r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParsePage(t *testing.T) {
	const top, skip = "Query string parameter '$top' should be within 1 to 100 range but was ", "Query string parameter '$skip' should be non-negative but was "
	for raw, want := range map[string]any{
		"":                                page{0, 30},
		"$skip=1&$top=10":                 page{1, 10},
		"%24skip=1&%24TOP=10":             page{1, 10},
		"=1&=10":                          page{0, 30}, // what a shell sends
		"$skip=&$top=":                    page{0, 30},
		"other=1":                         page{0, 30},
		"$top=1&$top=7":                   page{0, 1},
		"$top=100":                        page{0, 100},
		"$top=0":                          top + "0",
		"$top=101":                        top + "101",
		"$top=-5":                         top + "-5",
		"$top=99999999999999999999999999": top + "99999999999999999999999999",
		"$skip=-1":                        skip + "-1",
		"$skip=-99999999999999999999":     skip + "-99999999999999999999",
		"$skip=2147483647":                page{2147483647, 30},
		"$skip=2147483648":                "Query string parameter '$skip' must be an integer up to 2147483647",
		"$skip=x":                         "Query string parameter '$skip' must be an integer up to 2147483647",
		"$top=1.5":                        "Query string parameter '$top' must be an integer up to 2147483647",
		"$top=%00":                        "Query string parameter '$top' must be an integer up to 2147483647",
	} {
		p, err := parsePage(web.Query(raw))
		var got any = p
		if err != nil {
			got = directory.AsError(err).Message
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(page{})); diff != "" {
			t.Errorf("%q: %s", raw, diff)
		}
	}
}

func TestParseFilter(t *testing.T) {
	for text, want := range map[string]string{
		"ClientUserId eq '132'":     "132",
		"clientuserid EQ '132'":     "132",
		"  ClientUserId  eq  '1 2'": "1 2",
		"ClientUserId eq 'O''Neil'": "O'Neil",
		"ClientUserId eq ''''":      "'",
	} {
		filter, err := parseFilter(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(directory.Filter(directory.Text{Field: directory.FieldClientUserID, Op: directory.OpEqual, Value: want}), filter); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for _, text := range []string{"", "ClientUserId", "ClientUserId eq", "ClientUserId eq 132", "ClientUserId eq ''", "ClientUserId eq 'a'b'",
		"ClientUserId eq '''", "ClientUserId ne '1'", "Email eq '1'", "ClientUserId eq '1' or 1 eq 1", "ClientUserIdeq '1'", "ClientUserId eq'1'",
		"ClientUserId eq 'a\x00'", "ClientUserId eq 'a''", "'"} {
		if filter, err := parseFilter(text); directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%q: %v, %v", text, filter, err)
		}
	}
}

func TestParseTerms(t *testing.T) {
	terms, err := parseTerms("TERMS=+Sam++Smith%20")
	if diff := cmp.Diff([]string{"Sam", "Smith"}, terms); diff != "" || err != nil {
		t.Error(diff, err)
	}
	// A soft hyphen is invisible: looking for it would find everybody.
	for _, raw := range []web.Query{"", "terms=", "terms=+", "terms=%C2%AD", "$skip=1", "=Sam"} {
		if terms, err := parseTerms(raw); err == nil || directory.AsError(err).Message != textNoTerms {
			t.Errorf("%q: %q, %v", raw, terms, err)
		}
	}
}

package encore

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

func TestParsePath(t *testing.T) {
	for path, want := range map[string][2]string{
		"/users/v1/users":                {listPattern, ""},
		"/users/v1/users/":               {listPattern, ""},
		"/USERS/V1/Users":                {listPattern, ""},
		"/users/v1/users/123456":         {userPattern, "123456"},
		"/users/v1/users/123456/":        {userPattern, "123456"},
		"/users/v1/users/a%2Fb":          {userPattern, "a%2Fb"},
		"/users/v1/users/active":         {userPattern, "active"},
		"/users/v1/users/123456/active":  {activePattern, "123456"},
		"/users/v1/users/123456/ACTIVE/": {activePattern, "123456"},
		"/users/v1/users/%20/active":     {activePattern, "%20"},
		"/users/v1/users//active":        {},
		"/users/v1/users//":              {},
		"/users/v1/users/1/active/x":     {},
		"/users/v1/users/1/other":        {},
		"/users/v1/users/1/%61ctive":     {},
		"/%75sers/v1/users/1/active":     {},
		"/users/v1/usersx":               {},
		"/users/v1/users1/active":        {},
		"/users/v2/users":                {},
		"/users/v1":                      {},
		"/":                              {},
		"":                               {},
	} {
		pattern, id := parsePath(path)
		if pattern != want[0] || id != want[1] {
			t.Errorf("%s: %q %q, want %q", path, pattern, id, want)
		}
	}
}

// TestRoutesAreDocumented: every operation says where it comes from, and no
// two are the same.
func TestRoutesAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, rt := range routes {
		key := rt.method + " " + rt.pattern
		if seen[key] || rt.source == "" || rt.handle == nil {
			t.Errorf("%s is there twice, or has no source or no handler", key)
		}
		seen[key] = true
	}
}

// TestDispatchAllocations: finding the operation is on the path of every
// request and must cost nothing.
func TestDispatchAllocations(t *testing.T) {
	d := testDoor()
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	d.resources[activePattern] = &resource{methods: []string{"PUT"}, serve: []http.Handler{nothing}}
	r := httptest.NewRequest("PUT", "/users/v1/users/123456/active", nil)
	w := httptest.NewRecorder()
	if n := testing.AllocsPerRun(100, func() { d.ServeHTTP(w, r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestUserRef(t *testing.T) {
	for _, test := range []struct {
		escaped  string
		external bool
		want     directory.UserRef
		code     int
	}{
		{"1", false, directory.ByNumber(1), 0},
		{"0123456", false, directory.ByNumber(123456), 0},
		{"%31", false, directory.ByNumber(1), 0},
		{"2147483647", false, directory.ByNumber(2147483647), 0},
		{"2147483648", false, directory.UserRef{}, 2},
		{"18446744073709551617", false, directory.UserRef{}, 2},
		{"+1", false, directory.UserRef{}, 2},
		{"1%20", false, directory.UserRef{}, 2},
		{"%D9%A3", false, directory.UserRef{}, 2}, // a digit, but no ASCII one
		{"000000006", true, directory.ByHandle(directory.SpaceEmployee, "000000006"), 0},
		{"a+b%2Fc%20d", true, directory.ByHandle(directory.SpaceEmployee, "a+b/c d"), 0},
		{"%2520", true, directory.ByHandle(directory.SpaceEmployee, "%20"), 0},
		{"%20", true, directory.UserRef{}, 4},
		{"%E2%80%83%0D", true, directory.UserRef{}, 4},
	} {
		ref, err := userRef(test.escaped, test.external)
		code := 0
		if err != nil {
			code = err.(coded).code
		}
		if ref != test.want || code != test.code {
			t.Errorf("%s, %v: %+v, code %d; want %+v, code %d", test.escaped, test.external, ref, code, test.want, test.code)
		}
	}
}

func TestSubscriptionKey(t *testing.T) {
	for _, test := range []struct{ header, query, want string }{
		{"a", "", "a"}, {"a", "subscription-key=b", "a"}, {"", "subscription-key=b%2B", "b+"}, {"", "x=1&Subscription-Key=b", "b"},
		{"", "", ""}, {"", "subscription-key=", ""},
	} {
		r := httptest.NewRequest("GET", "/users/v1/users?"+test.query, nil)
		if test.header != "" {
			r.Header.Set("OCP-APIM-Subscription-Key", test.header)
		}
		if got := subscriptionKey(&web.Request{Request: r}); string(got) != test.want {
			t.Errorf("%q, %q: %q, want %q", test.header, test.query, string(got), test.want)
		}
	}
}

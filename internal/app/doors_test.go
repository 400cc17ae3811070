package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Door", name) })
}

func TestRouterGoesByTheFirstSegment(t *testing.T) {
	rt := newRouter([]mountedDoor{
		{directory.DoorIQmetrix, []string{"v1", "ping"}, named("iqmetrix")},
		{directory.DoorSCIM, []string{"scim"}, named("scim")},
	})
	for path, want := range map[string]string{
		"/v1/Users(1)": "iqmetrix", "/V1/users(1)": "iqmetrix", "/ping": "iqmetrix", "/Ping/": "iqmetrix", "/v1": "iqmetrix",
		"/scim/v2/Users": "scim", "/%73cim/v2": "scim",
		"//v1/Users(1)": "iqmetrix", "///scim": "scim",
		"/": "", "//": "", "/x/v1": "", "/v11/x": "", "/api/v1/users": "", "/v1x": "",
	} {
		answer := httptest.NewRecorder()
		rt.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if got := answer.Header().Get("Door"); got != want {
			t.Errorf("%s went to %q, want %q", path, got, want)
		}
		if want == "" && (answer.Code != http.StatusNotFound || answer.Header().Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(answer.Body.String(), `"status":404`)) {
			t.Errorf("%s: %d %s %s, want a problem", path, answer.Code, answer.Header().Get("Content-Type"), answer.Body)
		}
	}
}

func TestChooseDoors(t *testing.T) {
	all := []mountedDoor{{door: directory.DoorIQmetrix}, {door: directory.DoorSCIM}}
	for _, c := range []struct {
		names []string
		want  int
		err   string
	}{
		{[]string{"all"}, 2, ""},
		{[]string{"scim"}, 1, ""},
		{[]string{"iqmetrix", "scim"}, 2, ""},
		{[]string{"scim", "encore"}, 0, "doors: this program has no door encore"},
		{[]string{"attic"}, 0, `doors: Unknown door "attic".`},
	} {
		got, err := chooseDoors(c.names, all)
		if text := errorText(err); len(got) != c.want || text != c.err {
			t.Errorf("chooseDoors(%v) = %d doors, %q; want %d, %q", c.names, len(got), text, c.want, c.err)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

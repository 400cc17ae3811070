package canonical_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/usher-id/usher/internal/testkit"
)

// FuzzCursor: what is no cursor of this list and caller is refused as such, and
// nothing else happens (dossier 3.3).
func FuzzCursor(f *testing.F) {
	server := testkit.Start(f, testkit.Options{Demo: true})
	_, _, body := send(f, server.URL, "GET", "/api/v1/users?limit=1&fields=id", nil)
	var page struct {
		NextCursor string `json:"next_cursor"`
	}
	must(f, json.Unmarshal([]byte(body), &page))
	real := page.NextCursor
	_, _, first := send(f, server.URL, "GET", "/api/v1/users?limit=200&fields=id", nil)
	_, _, second := send(f, server.URL, "GET", "/api/v1/users?limit=200&fields=id&cursor="+real, nil)
	for _, seed := range []string{real, real[1:], real + "A", "", "AA", "\x00", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		status, _, body := send(t, server.URL, "GET", "/api/v1/users?limit=200&fields=id&cursor="+url.QueryEscape(cursor), nil)
		switch {
		case cursor == "" && body == first, body == second && status == http.StatusOK: // base64 has several spellings of one text
		case status != http.StatusBadRequest || cursor == real:
			t.Errorf("%q: %d %s", cursor, status, body)
		}
	})
}

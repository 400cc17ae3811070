package crossdoor

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

// TestPagesForbidWhatTheyDoNotNeed: every page for people tells the browser to run
// nothing that is not the server's own, to show it in nobody's frame and to keep
// nothing; cookies of the console go to the console alone, over TLS alone where the
// server is known by https, and no script reads them.
func TestPagesForbidWhatTheyDoNotNeed(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Engine: "sqlite", Tune: func(c *config.Config) {
		believe(c)
		c.PublicURL = "https://users.example.test"
	}})
	w := newWorld(t, s)
	sign, err := http.NewRequest("POST", w.wire.url+"/console/sign-in", strings.NewReader(url.Values{"name": {w.boss}, "password": {w.bossPassword}}.Encode()))
	must(t, err)
	sign.Host = w.wire.host
	sign.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	in, err := http.DefaultTransport.RoundTrip(sign) // the redirect is the answer
	must(t, err)
	must(t, in.Body.Close())
	cookies := in.Cookies()
	session := ""
	for _, c := range cookies {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/console" || c.Domain != "" {
			t.Errorf("cookie %s: %+v", c.Name, c)
		}
		if c.Name == "usher_session" {
			session = c.Name + "=" + c.Value
		}
	}
	if session == "" {
		t.Fatalf("signing in gave no session: %d, %d cookies", in.StatusCode, len(cookies))
	}
	signedIn := map[string]string{"Cookie": session}
	for _, r := range []request{
		{method: "GET", path: "/console/sign-in"},
		{method: "GET", path: "/console/", header: signedIn},
		{method: "GET", path: "/console/users", header: signedIn},
		{method: "GET", path: "/console/nothing-here", header: signedIn},
		{method: "GET", path: "/reset?token=nobodys"},
	} {
		a, err := w.wire.send(r)
		must(t, err)
		policy := a.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			!strings.Contains(policy, "base-uri 'none'") {
			t.Errorf("%s: policy %q", r.path, policy)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", r.path, name, got, want)
			}
		}
		if got := a.header.Get("Referrer-Policy"); got != "same-origin" && got != "no-referrer" {
			t.Errorf("%s: Referrer-Policy %q", r.path, got)
		}
		if a.header.Get("Server") != "" || a.header.Get("X-Powered-By") != "" {
			t.Errorf("%s: the answer names the program: %v", r.path, a.header)
		}
	}
}

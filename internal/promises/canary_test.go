package promises

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// TestPromiseI_SecretsAreSeenOnce: a password, key, token, session, link, seed,
// recovery code or webhook secret is shown to whoever made it, when it was made,
// and never again: not in the log at its most talkative, nor in events, exports,
// deliveries, jobs, metrics, errors, other answers, the database or a backup, in
// plain text or as base64, hexadecimal or in a URL.
func TestPromiseI_SecretsAreSeenOnce(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var log, received sink
			hooks := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				received.add(r.Header, body)
			}))
			defer hooks.Close()
			s := startLogged(t, engine, &log)
			w := newWorld(t, s)
			found := &secrets{seen: map[string]string{}}
			w.keeper = found
			found.note("a password", bossPassword, firstPassword, newPassword)
			for _, header := range w.headers {
				found.noteHeader(header)
			}
			w.busyDay(t, hooks.URL)
			w.keeper = nil
			places := map[string]string{"the log": log.text(), "metrics": w.do(t, request{method: "GET", path: "/metrics"}).body}
			for _, path := range []string{"/api/v1/jobs?limit=200", "/api/v1/credentials", "/api/v1/webhooks", "/api/v1/tenant", "/api/v1/events?limit=200", "/api/v1/events?limit=200&order=newest",
				"/api/v1/users/export?format=ndjson", "/api/v1/users/export?format=csv", "/api/v1/users/export?format=scim", "/scim/v2/Users?count=100",
				"/console/audit", "/console/credentials", "/console/jobs", "/console/webhooks", "/console/account"} {
				door := strings.Split(path, "/")[1]
				a := w.do(t, w.at(map[string]string{"api": "canonical", "scim": "scim", "console": "console"}[door], "GET", path, ""))
				if a.status != http.StatusOK {
					t.Errorf("%s: %d %s", path, a.status, a.body)
				}
				places[path] = a.body
			}
			var events strings.Builder
			must(t, w.service.ExportEvents(t.Context(), w.system(), time.Time{}, time.Now().Add(time.Hour), func(e *directory.Event) error {
				events.WriteString(e.Reason + string(e.Payload) + e.Subject)
				return nil
			}))
			places["events"] = events.String()
			received.wait(t)
			places["deliveries"] = received.text()
			places["the backup"] = backupText(t, s.Config)
			if file, ok := strings.CutPrefix(s.Config.Database, "sqlite:"); ok {
				places["the database"] = filesText(t, file+"*")
			}
			found.scan(t, places)
		})
	}
}

// sink keeps what is written to it.
type sink struct {
	mu      sync.Mutex
	kept    bytes.Buffer
	arrived chan struct{}
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Write(p)
}

func (s *sink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.String()
}

// add keeps a delivery.
func (s *sink) add(header http.Header, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = header.Write(&s.kept)
	s.kept.Write(body)
	if s.arrived != nil {
		close(s.arrived)
		s.arrived = nil
	}
}

// wait waits for one delivery.
func (s *sink) wait(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	if s.kept.Len() > 0 {
		s.mu.Unlock()
		return
	}
	arrived := make(chan struct{})
	s.arrived = arrived
	s.mu.Unlock()
	select {
	case <-arrived:
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// startLogged starts a server whose log is kept, at its most talkative, and which
// sends webhooks to this machine.
func startLogged(t *testing.T, engine string, log io.Writer) *testkit.Server {
	t.Helper()
	return testkit.Start(t, testkit.Options{Engine: engine, Log: log, Tune: func(c *config.Config) {
		believe(c)
		c.LogLevel, c.WebhookHTTP, c.WebhookNetworks = "debug", true, []string{"127.0.0.1"}
	}})
}

// secrets are texts that must be seen once, and what they are.
type secrets struct {
	mu   sync.Mutex
	seen map[string]string
}

func (s *secrets) note(what string, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if len(text) >= 12 && s.seen[text] == "" {
			s.seen[text] = what
		}
	}
}

// noteHeader keeps what a request presents.
func (s *secrets) noteHeader(header map[string]string) {
	for name, value := range header {
		switch name {
		case "Authorization", "Ocp-Apim-Subscription-Key", "X-API-Key", "x-access-token":
			s.note("a credential", strings.TrimPrefix(value, "Bearer "))
		case "Cookie":
			for _, pair := range strings.Split(value, "; ") {
				_, text, _ := strings.Cut(pair, "=")
				s.note("a cookie", text)
			}
		}
	}
}

// secretMember are members of answers that hold a secret.
var secretMember = regexp.MustCompile(`(?i)"(?:token|access_token|refresh_token|secret|password)":\s*"([^"]{12,})"|<passwordToken>(?:<!\[CDATA\[)?([^<\]]{12,})`)

// noteAnswer keeps what an answer gives.
func (s *secrets) noteAnswer(a answer) {
	for _, found := range secretMember.FindAllStringSubmatch(a.body, -1) {
		s.note("a secret of an answer", found[1], found[2])
	}
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.Name != "usher_theme" && cookie.Name != "usher_flash" {
			s.note("a cookie", cookie.Value)
		}
	}
}

// refuses fails when an answer shows a secret that was known before it.
func (s *secrets) refuses(r request, a answer) string {
	if strings.HasPrefix(r.path, "/reset") { // its form has the token that the link has
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for text, what := range s.seen {
		if strings.Contains(a.body, text) {
			return what
		}
	}
	return ""
}

// scan looks for every secret in every place, in every form.
func (s *secrets) scan(t *testing.T, places map[string]string) {
	t.Helper()
	if len(s.seen) < 25 {
		t.Errorf("only %d secrets were made", len(s.seen))
	}
	for place, text := range places {
		if len(text) < 50 {
			t.Errorf("%s is empty: %q", place, text)
		}
		lower := strings.ToLower(text)
		for secret, what := range s.seen {
			for form, as := range map[string]string{"plain": secret, "a URL": url.QueryEscape(secret), "base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "=")[:15],
				"base64 of URLs": base64.RawURLEncoding.EncodeToString([]byte(secret))[:15]} {
				if strings.Contains(text, as) {
					t.Errorf("%s has %s, as %s: %.8s...", place, what, form, secret)
				}
			}
			if strings.Contains(lower, hex.EncodeToString([]byte(secret))) {
				t.Errorf("%s has %s, in hexadecimal: %.8s...", place, what, secret)
			}
		}
	}
}

// busyDay uses everything that makes or takes a secret.
func (w *world) busyDay(t *testing.T, hooks string) {
	t.Helper()
	w.want(t, http.StatusCreated, w.at("canonical", "POST", "/api/v1/webhooks", map[string]any{"name": "hook", "url": hooks}))
	for _, y := range ways() { // every door sets a password
		if y.verb == "password" {
			w.do(t, y.make(w, w.fit(t, y.verb)))
		}
	}
	p := w.administrator(t)
	list := w.waysOf(t, p)
	for _, way := range list {
		w.do(t, way.use)
	}
	for _, kind := range []string{"key", "client", "api_user", "customer"} {
		w.do(t, w.at("canonical", "POST", "/api/v1/credentials", map[string]any{"name": kind, "kind": kind, "rank": "reader"}))
	}
	seed, codes := w.factor(t)
	w.keeper.note("a seed", seed)
	w.keeper.note("a recovery code", codes...)
	for _, r := range []request{ // wrong ones, which errors must not repeat
		{"POST", "/api/v1/sessions", toJSON(map[string]string{"user_name": p.UserName, "password": newPassword}), nil},
		{"POST", "/createjwt", toJSON(map[string]string{"username": p.UserName, "password": newPassword}), nil},
		{"GET", "/oltpublish/site/home.do?" + url.Values{"username": {"nobody"}, "password": {newPassword}}.Encode(), "", nil},
		{"POST", "/console/sign-in", url.Values{"name": {p.UserName}, "password": {newPassword}}.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		w.at("canonical", "POST", "/api/v1/users", `{"user_name":"x","password":"`+newPassword+`","nonsense":1`),
		w.at("canonical", "POST", "/api/v1/users", map[string]any{"user_name": "", "password": newPassword}),
		w.at("scim", "POST", "/scim/v2/Users", map[string]any{"password": newPassword}),
		w.at("scim", "POST", "/scim/v2/Users", `{"password":"`+newPassword+`"`),
		w.at("iqmetrix", "POST", "/v1/Users/importExisting", map[string]any{"Password": newPassword}),
		w.at("encore", "POST", "/users/v1/users", map[string]any{"Password": newPassword, "Email": "x"}),
		w.at("servicemobility", "PUT", "/seiapi/v3/trans/User/x", map[string]any{"Password": newPassword, "Email": 7}),
		{"POST", "/v1/oauth2/token", url.Values{"grant_type": {"password"}, "password": {newPassword}}.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
	} {
		if a := w.do(t, r); a.status < 400 {
			t.Errorf("%v: %d", r, a.status)
		}
	}
}

// factor gives somebody a second factor.
func (w *world) factor(t *testing.T) (seed string, codes []string) {
	t.Helper()
	p := w.person(t)
	at := func(token directory.Secret) *directory.Call {
		return &directory.Call{Door: directory.DoorConsole, Secret: token, Host: w.host}
	}
	in, err := w.service.OpenConsoleSession(t.Context(), at(""), p.UserName, firstPassword)
	must(t, err)
	w.keeper.note("a console session", string(in.Token))
	begun, err := w.service.BeginSecondFactor(t.Context(), at(in.Token), firstPassword)
	must(t, err)
	code, err := totp.GenerateCode(string(begun.Seed), time.Now())
	must(t, err)
	codes, _, err = w.service.ConfirmSecondFactor(t.Context(), at(in.Token), begun.Sealed, directory.Secret(code))
	must(t, err)
	return string(begun.Seed), codes
}

// backupText is what is in a backup of a server's database.
func backupText(t *testing.T, cfg config.Config) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "usher.backup")
	_, err := app.Backup(t.Context(), &cfg, path, io.Discard)
	must(t, err)
	file, err := os.ReadFile(path)
	must(t, err)
	zip, err := gzip.NewReader(bytes.NewReader(file[bytes.Index(file, []byte{0x1f, 0x8b}):]))
	must(t, err)
	zip.Multistream(false)
	text, err := io.ReadAll(zip)
	must(t, err)
	return string(text)
}

// filesText is what is in files.
func filesText(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	must(t, err)
	var all strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name, ".key") { // is a secret, in a file of its own
			continue
		}
		text, err := os.ReadFile(name)
		must(t, err)
		all.Write(text)
	}
	return all.String()
}

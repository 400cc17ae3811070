package pull_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/dialect/edubrite"
	"github.com/usher-id/usher/internal/dialect/encore"
	"github.com/usher-id/usher/internal/dialect/iqmetrix"
	"github.com/usher-id/usher/internal/dialect/scim"
	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/dialect/smartapp"
	"github.com/usher-id/usher/internal/pull"
)

// sources are the readers of all doors, of a server that is not there.
func sources(url string) map[string]pull.Source {
	return map[string]pull.Source{
		"encore":          encore.NewRemote(encore.RemoteOptions{BaseURL: url, Key: "k"}),
		"iqmetrix":        iqmetrix.NewRemote(iqmetrix.RemoteOptions{BaseURL: url, Company: 1, Token: "k"}),
		"smartapp":        smartapp.NewRemote(smartapp.RemoteOptions{BaseURL: url, Key: "k"}),
		"edubrite":        edubrite.NewRemote(edubrite.RemoteOptions{BaseURL: url, User: "u", Password: "p", ActAs: "a"}),
		"servicemobility": servicemobility.NewRemote(servicemobility.RemoteOptions{BaseURL: url, Token: "k", Teams: []string{"T"}}),
		"scim":            scim.NewRemote(scim.RemoteOptions{BaseURL: url, Token: "k"}),
	}
}

// waits are the waiting times of a client, which takes none.
type waits struct{ all []time.Duration }

func (w *waits) wait(ctx context.Context, d time.Duration) error {
	w.all = append(w.all, d)
	return ctx.Err()
}

func newClient(t *testing.T, o pull.ClientOptions) (*pull.Client, *waits) {
	t.Helper()
	w := new(waits)
	o.Wait = w.wait
	c, err := pull.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, w
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// TestHostileServer: whatever a server answers, a reader ends with an error that names
// the request, and the file has nothing of it.
func TestHostileServer(t *testing.T) {
	for name, answer := range map[string]struct {
		kind, body string
		want       []string
	}{
		"HTML":          {"text/html", "<html>Sign in</html>", []string{"content type"}},
		"not UTF-8":     {"", "\xff\xfe", []string{"not valid", "invalid UTF-8"}},
		"cut off":       {"", `{"users":[{"a"`, []string{"not valid"}},
		"empty":         {"", "", []string{"not valid"}},
		"wrong shape":   {"", `"users"`, []string{"no JSON", "not valid XML"}},
		"wrong members": {"", `{"items":7,"users":7,"Resources":7,"Users":7}`, []string{"no JSON", "has no", "is no array", "not valid XML", "must be an array"}},
		"wrong elements": {"", `{"items":[7],"users":[7],"Resources":[7],"Users":[7]}`,
			[]string{"no JSON", "is no object", "not valid XML", "must be a string"}},
		"too deep": {"", strings.Repeat(`{"a":[`, 60), []string{"nested too deeply", "not valid XML"}},
		"bomb":     {"", strings.Repeat("[", 100_000), []string{"nested too deeply", "not valid XML"}},
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			kind := answer.kind
			if kind == "" {
				kind = "application/json"
				if strings.Contains(r.URL.Path, "oltpublish") {
					kind = "text/xml"
				}
			}
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, answer.body)
		})
		client, _ := newClient(t, pull.ClientOptions{})
		for door, source := range sources(url) {
			file := filepath.Join(t.TempDir(), "users")
			_, err := pull.Read(t.Context(), pull.Options{Source: source, Ask: client.Ask, Name: door, File: file})
			says := false
			for _, want := range answer.want {
				says = says || err != nil && strings.Contains(err.Error(), want)
			}
			if !says || !strings.Contains(err.Error(), url) {
				t.Errorf("%s, %s: %v", name, door, err)
			}
			if info, err := os.Stat(file); err != nil || info.Size() != 0 {
				t.Errorf("%s, %s: the file has something, %v", name, door, err)
			}
		}
	}
}

// TestFlood: an answer that does not end is cut off at the bound, and is not asked for
// again.
func TestFlood(t *testing.T) {
	asked := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	client, _ := newClient(t, pull.ClientOptions{MaxBody: 1 << 20})
	_, err := pull.Read(t.Context(), pull.Options{Source: sources(url)["scim"], Ask: client.Ask, File: filepath.Join(t.TempDir(), "users")})
	if err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") || !strings.Contains(err.Error(), "/Users?startIndex=1") || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// TestSamePageAgain: a server that answers the same page for ever is found out.
func TestSamePageAgain(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasPrefix(r.URL.Path, "/users/v1/users/"):
			fmt.Fprint(w, `{"UserName":"a","UserId":1}`)
		case strings.HasPrefix(r.URL.Path, "/users/v1/users"):
			fmt.Fprint(w, `[{"UserId":1}]`)
		case strings.HasSuffix(r.URL.Path, "/SecurityRoles"), strings.HasSuffix(r.URL.Path, "/AssignedRoles"):
			fmt.Fprint(w, `[]`)
		case strings.HasPrefix(r.URL.Path, "/Users("):
			fmt.Fprint(w, `{}`)
		case strings.HasPrefix(r.URL.Path, "/Entities"):
			fmt.Fprint(w, `{"items":[{"Id":1,"UserName":"a"}],"_links":{"next":"/more"},"_metadata":{"count":1000000}}`)
		default:
			fmt.Fprint(w, `{"totalCount":1000000,"totalResults":1000000,"users":[{"uniqueID":"`+anID+`"}],"Resources":[{"id":"`+anID+`","userName":"a"}]}`)
		}
	})
	client, _ := newClient(t, pull.ClientOptions{})
	for _, door := range []string{"encore", "iqmetrix", "smartapp", "scim"} {
		got, err := pull.Read(t.Context(), pull.Options{Source: sources(url)[door], Ask: client.Ask, File: filepath.Join(t.TempDir(), "users")})
		if err == nil || !strings.Contains(err.Error(), "the same page again") || got.Users != 1 {
			t.Errorf("%s: %+v, %v", door, got, err)
		}
	}
}

const anID = "9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"

// TestPagesWithoutEnd: a server that makes up users for ever is stopped at the bound.
func TestPagesWithoutEnd(t *testing.T) {
	n := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.Header().Set("Content-Type", "application/scim+json")
		fmt.Fprintf(w, `{"totalResults":9000000,"Resources":[{"userName":"a%d"},{"userName":"b%d"}]}`, n, n)
	})
	client, _ := newClient(t, pull.ClientOptions{})
	_, err := pull.Read(t.Context(), pull.Options{Source: sources(url)["scim"], Ask: client.Ask, File: filepath.Join(t.TempDir(), "users"), Max: 100})
	if err == nil || !strings.Contains(err.Error(), "more than 100 users") || n != 51 {
		t.Errorf("%d pages: %v", n, err)
	}
}

// TestRedirects: within the host they are followed; elsewhere the credential would go
// along.
func TestRedirects(t *testing.T) {
	elsewhere := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a request came with %v", r.Header) })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasPrefix(r.URL.Path, "/away"):
			http.Redirect(w, r, elsewhere, http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/near"):
			http.Redirect(w, r, "/here/Users", http.StatusTemporaryRedirect)
		default:
			fmt.Fprintf(w, `{"totalResults":1,"Resources":[{"userName":%q}]}`, r.Header.Get("Authorization"))
		}
	})
	client, waited := newClient(t, pull.ClientOptions{})
	file := filepath.Join(t.TempDir(), "users")
	got, err := pull.Read(t.Context(), pull.Options{Source: sources(url + "/near")["scim"], Ask: client.Ask, File: file})
	if err != nil || got.Users != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = pull.Read(t.Context(), pull.Options{Source: sources(url + "/away")["scim"], Ask: client.Ask, File: file + "2"})
	if err == nil || !strings.Contains(err.Error(), "redirects elsewhere") || len(waited.all) > 0 {
		t.Errorf("waited %v: %v", waited.all, err)
	}
}

// TestTriesAgain: a limit is kept to as the server says, a failing server and a cut are
// tried again, ever later, and not for ever.
func TestTriesAgain(t *testing.T) {
	answers := []func(w http.ResponseWriter){
		func(w http.ResponseWriter) { w.Header().Set("Retry-After", "57"); w.WriteHeader(429) },
		func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", time.Now().Add(30*time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(503)
		},
		// net/http itself tries again when a connection that it has used before is cut.
		func(w http.ResponseWriter) { w.Header().Set("Connection", "close"); w.WriteHeader(500) },
		func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, // a cut
		func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100"); fmt.Fprint(w, "{") },
		func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-ResetSeconds", "9")
			fmt.Fprint(w, `{"totalResults":2,"Resources":[{"userName":"a"}]}`)
		},
		func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"totalResults":2,"Resources":[{"userName":"b"}]}`)
		},
	}
	n := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		answers[n-1](w)
	})
	var notes []string
	client, waited := newClient(t, pull.ClientOptions{Note: func(text string) { notes = append(notes, text) }})
	got, err := pull.Read(t.Context(), pull.Options{Source: sources(url)["scim"], Ask: client.Ask, File: filepath.Join(t.TempDir(), "users")})
	if err != nil || got.Users != 2 || n != len(answers) {
		t.Fatalf("%d requests: %+v, %v", n, got, err)
	}
	least := []time.Duration{57 * time.Second, 25 * time.Second, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}
	most := []time.Duration{57 * time.Second, 30 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 9 * time.Second}
	if len(waited.all) != len(least) {
		t.Fatalf("waited %v", waited.all)
	}
	for i, d := range waited.all {
		if d < least[i] || d > most[i] {
			t.Errorf("waited %v the %d. time", d, i+1)
		}
	}
	if len(notes) != 12 || notes[0] != "the answer is 429, trying again in 57s" || notes[1] != "" {
		t.Errorf("told %q", notes)
	}
}

// TestGivesUp: after so many tries, and when a server wants to be left alone for long.
func TestGivesUp(t *testing.T) {
	n, after := 0, ""
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.Header().Set("Retry-After", after)
		http.Error(w, "We are\x1b[31m down", http.StatusServiceUnavailable)
	})
	client, _ := newClient(t, pull.ClientOptions{Tries: 3})
	read := func() error {
		_, err := pull.Read(t.Context(), pull.Options{Source: sources(url)["smartapp"], Ask: client.Ask, File: filepath.Join(t.TempDir(), "users")})
		return err
	}
	if err := read(); err == nil || err.Error() != "GET "+url+"/user/getusers?skip=0&take=500: the answer is 503 Service Unavailable: We are [31m down" || n != 3 {
		t.Errorf("%d tries: %v", n, err)
	}
	n, after = 0, "86400"
	if err := read(); err == nil || !strings.Contains(err.Error(), "asks to wait for 24h0m0s") || n != 1 {
		t.Errorf("%d tries: %v", n, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pull.Read(gone, pull.Options{Source: sources(url)["smartapp"], Ask: client.Ask, File: filepath.Join(t.TempDir(), "users")}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestCertificates: an unknown one ends the reading at once, and one of the file is
// trusted.
func TestCertificates(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"totalResults":0}`)
	}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = log.New(t.Output(), "", 0)
	client, waited := newClient(t, pull.ClientOptions{})
	file := filepath.Join(t.TempDir(), "users")
	_, err := pull.Read(t.Context(), pull.Options{Source: sources(s.URL)["scim"], Ask: client.Ask, File: file})
	if err == nil || !strings.Contains(err.Error(), "certificate") || len(waited.all) > 0 {
		t.Errorf("waited %v: %v", waited.all, err)
	}
	pem := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(pem, certificate(s), 0o600); err != nil {
		t.Fatal(err)
	}
	client, _ = newClient(t, pull.ClientOptions{CAFile: pem})
	if _, err := pull.Read(t.Context(), pull.Options{Source: sources(s.URL)["scim"], Ask: client.Ask, File: file}); err != nil {
		t.Error(err)
	}
}

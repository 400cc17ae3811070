package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// bothServer is a running program with an edubrite door, which may answer plain
// HTTP, and another, which may not. Both say only who they are: what the doors
// answer is their own tests' matter.
type bothServer struct {
	addr  string
	log   bytes.Buffer
	trust *x509.CertPool
	dir   string // of the database
}

// serveBoth runs the program until the end of the test, or until stop.
func serveBoth(t *testing.T, dir string, tune func(*config.Config)) (s *bothServer, stop func()) {
	t.Helper()
	s = &bothServer{dir: dir, trust: x509.NewCertPool()}
	cfg := config.Default()
	cfg.Addr, cfg.Database = "127.0.0.1:0", "sqlite:"+filepath.Join(dir, "usher.db")
	tune(&cfg)
	a, err := New(t.Context(), cfg, &s.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	a.mounted = []mountedDoor{
		{directory.DoorEduBrite, []string{"oltpublish", "site"}, named("edubrite")},
		{directory.DoorSCIM, []string{"scim"}, named("scim")},
	}
	rt := newRouter(a.mounted)
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("TLS", fmt.Sprint(r.TLS != nil))
		if handler, ok := a.operations(r.URL.Path); ok {
			handler.ServeHTTP(w, r)
			return
		}
		rt.ServeHTTP(w, r)
	})
	if err := a.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.addr = a.doorsListener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

// get asks over a connection of its own and says what came back in a line.
func (s *bothServer) get(t *testing.T, scheme, path string, http2 bool) string {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.trust}, ForceAttemptHTTP2: http2}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+"://"+s.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusBadRequest {
		return fmt.Sprintf("400 %s close=%v", strings.TrimSpace(string(body)), resp.Close)
	}
	return fmt.Sprintf("%d %s tls=%s %s", resp.StatusCode, resp.Proto, resp.Header.Get("TLS"), resp.Header.Get("Door"))
}

// trustFile makes the clients trust the certificates of a file.
func (s *bothServer) trustFile(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !s.trust.AppendCertsFromPEM(text) {
		t.Fatalf("%s: no certificate, %v", path, err)
	}
}

// certificateLine is what the log says about the certificate.
func (s *bothServer) certificateLine(t *testing.T) (sha256, file string, selfSigned bool) {
	t.Helper()
	for line := range strings.Lines(s.log.String()) {
		var entry struct {
			Msg, SHA256, File string
			SelfSigned        bool `json:"self_signed"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if entry.Msg == "certificate" {
			return entry.SHA256, entry.File, entry.SelfSigned
		}
	}
	t.Fatalf("no line about the certificate in the log:\n%s", s.log.String())
	return "", "", false
}

// Without the operator's certificate the edubrite door brings a self-signed one,
// and both protocols serve everything.
func TestSelfSignedServesBothProtocols(t *testing.T) {
	dir := t.TempDir()
	var first string
	for _, start := range []string{"first", "second"} {
		s, stop := serveBoth(t, dir, func(*config.Config) {})
		s.trustFile(t, filepath.Join(dir, web.SelfSignedCertificateFile))
		for _, c := range []struct {
			scheme, path string
			http2        bool
			want         string
		}{
			{"http", "/oltpublish/site/home.do", false, "200 HTTP/1.1 tls=false edubrite"},
			{"https", "/oltpublish/site/home.do", false, "200 HTTP/1.1 tls=true edubrite"},
			{"https", "/site/home.do", true, "200 HTTP/2.0 tls=true edubrite"},
			{"http", "/scim/v2/Users", false, "200 HTTP/1.1 tls=false scim"},
			{"https", "/scim/v2/Users", false, "200 HTTP/1.1 tls=true scim"},
			{"http", "/healthz", false, "200 HTTP/1.1 tls=false "},
			{"https", "/healthz", false, "200 HTTP/1.1 tls=true "},
		} {
			if got := s.get(t, c.scheme, c.path, c.http2); got != c.want {
				t.Errorf("%s start: %s %s = %q, want %q", start, c.scheme, c.path, got, c.want)
			}
		}
		stop()
		info, err := os.Stat(filepath.Join(dir, web.SelfSignedKeyFile))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("the key's file: %v, %v", info, err)
		}
		sum, file, selfSigned := s.certificateLine(t)
		if first == "" {
			first = sum
		}
		if sum != first || file != filepath.Join(dir, web.SelfSignedCertificateFile) || !selfSigned {
			t.Errorf("%s start: the log says %s, %s, %v; the first said %s", start, sum, file, selfSigned, first)
		}
	}
}

// With the operator's certificate only the edubrite door answers plain HTTP.
func TestOperatorsCertificateKeepsPlainHTTPToOneDoor(t *testing.T) {
	files := t.TempDir()
	if _, err := web.SelfSigned(files, nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(files, web.SelfSignedKeyFile) // certificate and key
	dir := t.TempDir()
	s, stop := serveBoth(t, dir, func(c *config.Config) { c.TLSCert, c.TLSKey = path, path })
	s.trustFile(t, path)
	const refused = "400 Client sent an HTTP request to an HTTPS server. close=true"
	for path, want := range map[string]string{
		"/oltpublish/site/home.do": "200 HTTP/1.1 tls=false edubrite",
		"/site/home.do":            "200 HTTP/1.1 tls=false edubrite",
		"/SITE/home.do":            "200 HTTP/1.1 tls=false edubrite",
		"/scim/v2/Users":           refused,
		"/":                        refused,
		"/healthz":                 refused,
		"/metrics":                 refused,
		"//site/home.do":           "200 HTTP/1.1 tls=false edubrite",
		"//scim/v2/Users":          refused,
		"/sites/home.do":           refused,
		"/scim/site/home.do":       refused,
		// People write passwords there.
		"/reset?token=a":                          refused,
		"/site/resetpasswd.do?token=a":            refused,
		"/oltpublish/site/resetPasswd.do?token=a": refused,
	} {
		if got := s.get(t, "http", path, false); got != want {
			t.Errorf("plain %s = %q, want %q", path, got, want)
		}
	}
	for path, door := range map[string]string{"/oltpublish/site/home.do": "edubrite", "/scim/v2/Users": "scim", "/healthz": ""} {
		if got, want := s.get(t, "https", path, false), "200 HTTP/1.1 tls=true "+door; got != want {
			t.Errorf("TLS %s = %q, want %q", path, got, want)
		}
		if got, want := s.get(t, "https", path, true), "200 HTTP/2.0 tls=true "+door; got != want {
			t.Errorf("TLS %s = %q, want %q", path, got, want)
		}
	}
	stop()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	want := web.Fingerprint(&tls.Certificate{Certificate: [][]byte{block.Bytes}})
	if sum, file, selfSigned := s.certificateLine(t); sum != want || file != path || selfSigned {
		t.Errorf("the log says %s, %s, %v", sum, file, selfSigned)
	}
	if _, err := os.Stat(filepath.Join(dir, web.SelfSignedKeyFile)); !os.IsNotExist(err) {
		t.Errorf("a certificate was made that nobody needs: %v", err)
	}
}

// The certificate names what clients call the server by, and goes where the
// setting says. With PostgreSQL and no setting it is written nowhere.
func TestSelfSignedCertificate(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		cfg  config.Config
		host string
		file string
	}{
		{config.Config{Database: "postgres://db/usher", SelfSignedDir: dir, PublicURL: "https://users.example.com:8443/x"},
			"users.example.com", filepath.Join(dir, web.SelfSignedCertificateFile)},
		{config.Config{Database: "postgres://db/usher", Addr: "192.0.2.1:8080"}, "192.0.2.1", ""},
		{config.Config{Database: "postgres://db/usher", Addr: ":8080"}, "localhost", ""},
	} {
		cert, file, err := (&App{cfg: c.cfg}).selfSigned()
		if err != nil {
			t.Fatal(err)
		}
		if err := cert.Leaf.VerifyHostname(c.host); err != nil || file != c.file {
			t.Errorf("%+v: %v; in %q, want %q", c.cfg, err, file, c.file)
		}
	}
}

// A certificate that cannot be kept stops the start, and the setting is named.
func TestSelfSignedFolderMustExist(t *testing.T) {
	cfg := config.Default()
	cfg.Addr, cfg.Database = "127.0.0.1:0", "sqlite:"+filepath.Join(t.TempDir(), "usher.db")
	cfg.SelfSignedDir = filepath.Join(t.TempDir(), "none")
	a, err := New(t.Context(), cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	a.mounted = []mountedDoor{{directory.DoorEduBrite, []string{"site"}, named("edubrite")}}
	if err := a.Listen(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "self_signed_dir: ") || !strings.Contains(err.Error(), cfg.SelfSignedDir) {
		t.Errorf("Listen() = %v", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

// Without the edubrite door and without a certificate nothing speaks TLS, and
// no certificate is made.
func TestOtherDoorsMakeNoCertificate(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	cfg.Addr, cfg.Database = "127.0.0.1:0", "sqlite:"+filepath.Join(dir, "usher.db")
	a, err := New(t.Context(), cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	a.mounted = []mountedDoor{{directory.DoorSCIM, []string{"scim"}, named("scim")}}
	if err := a.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, both := a.doorsListener.(*web.Listener); both {
		t.Error("the listener speaks TLS")
	}
	if made, err := filepath.Glob(filepath.Join(dir, "*self-signed*")); err != nil || len(made) > 0 {
		t.Errorf("made %v, %v", made, err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

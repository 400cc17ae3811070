package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

// certificate writes a certificate for 127.0.0.1 and its key, and returns the
// pool that trusts it.
func certificate(t *testing.T) (certFile, keyFile string, trust *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	trust = x509.NewCertPool()
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	trust.AppendCertsFromPEM(certPEM)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, text := range map[string][]byte{certFile: certPEM,
		keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, trust
}

// With a certificate the doors speak TLS 1.2 and later, and HTTP/2 to those who
// offer it.
func TestTLS(t *testing.T) {
	certFile, keyFile, trust := certificate(t)
	s := testkit.Start(t, testkit.Options{Tune: func(c *config.Config) { c.TLSCert, c.TLSKey = certFile, keyFile }})
	if !strings.HasPrefix(s.URL, "https://") {
		t.Fatalf("URL = %s", s.URL)
	}
	for _, c := range []struct {
		name  string
		tls   *tls.Config
		http2 bool
		proto int
		fails bool
	}{
		{"HTTP/1.1", &tls.Config{RootCAs: trust}, false, 1, false},
		{"HTTP/2", &tls.Config{RootCAs: trust}, true, 2, false},
		{"TLS 1.1", &tls.Config{RootCAs: trust, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, false, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			transport := &http.Transport{TLSClientConfig: c.tls, ForceAttemptHTTP2: c.http2}
			defer transport.CloseIdleConnections()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/ping", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := (&http.Client{Transport: transport}).Do(req)
			if (err != nil) != c.fails {
				t.Fatalf("error = %v, want one: %v", err, c.fails)
			}
			if c.fails {
				return
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != http.StatusOK || resp.ProtoMajor != c.proto {
				t.Errorf("got %s %d", resp.Proto, resp.StatusCode)
			}
		})
	}
}

// The operator's limits hold: max_header here, the body's in the doors' own
// scripts.
func TestHeaderLimit(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Tune: func(c *config.Config) { c.MaxHeader = 4096 }})
	if status, _, _ := fetch(t, s.URL+"/v1/ping", strings.Repeat("x", 2048)); status != http.StatusOK {
		t.Errorf("a head within the limit got %d", status)
	}
	if status, _, _ := fetch(t, s.URL+"/v1/ping", strings.Repeat("x", 16<<10)); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a head above the limit got %d", status)
	}
}

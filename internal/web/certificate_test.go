package web

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func selfSigned(t *testing.T, dir string, now time.Time, names ...string) tls.Certificate {
	t.Helper()
	cert, err := SelfSigned(dir, names, now)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestSelfSignedNamesAndLife(t *testing.T) {
	now := time.Now()
	leaf := selfSigned(t, "", now, "users.example.com", "192.0.2.7", "Localhost", "no host", "ümlaut.example", "-x", "").Leaf
	trust := x509.NewCertPool()
	trust.AddCert(leaf)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "users.example.com", "192.0.2.7", host} {
		for _, at := range []time.Time{now.Add(-time.Hour), now.AddDate(10, 0, -1)} {
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: trust, DNSName: name, CurrentTime: at}); err != nil {
				t.Errorf("%s in %d: %v", name, at.Year(), err)
			}
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: trust, CurrentTime: now.AddDate(10, 0, 1)}); err == nil {
		t.Error("still good after ten years")
	}
	if err := leaf.VerifyHostname("other.example.com"); err == nil {
		t.Error("names a foreign host")
	}
	for _, name := range leaf.DNSNames {
		if !isHostName(name) {
			t.Errorf("names %q", name)
		}
	}
	if leaf.Subject.CommonName != "usher" || leaf.IsCA || leaf.PublicKeyAlgorithm != x509.ECDSA {
		t.Errorf("subject %s, authority %v, key %s", leaf.Subject, leaf.IsCA, leaf.PublicKeyAlgorithm)
	}
}

// The first certificate is used until it ends or lacks a name.
func TestSelfSignedIsKept(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	first := selfSigned(t, dir, now, "a.example", "192.0.2.1")
	for _, c := range []struct {
		name  string
		at    time.Time
		names []string
		same  bool
	}{
		{"at the next start", now.Add(time.Minute), []string{"A.example", "192.0.2.1"}, true},
		{"without its names", now, nil, true},
		{"with what cannot be named", now, []string{"no host"}, true},
		{"in nine years", now.AddDate(9, 0, 0), nil, true},
		{"a month before its end", now.AddDate(10, 0, -29), nil, false},
		{"after its end", now.AddDate(11, 0, 0), nil, false},
		{"before its beginning", now.AddDate(-1, 0, 0), nil, false},
		{"with another name", now, []string{"b.example"}, false},
		{"with another address", now, []string{"192.0.2.2"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			again := t.TempDir()
			if err := os.CopyFS(again, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(again, SelfSignedKeyFile), 0o600); err != nil { // CopyFS opens it up
				t.Fatal(err)
			}
			second := selfSigned(t, again, c.at, c.names...)
			if same := Fingerprint(&first) == Fingerprint(&second); same != c.same {
				t.Fatalf("the same certificate: %v, want %v", same, c.same)
			}
			third := selfSigned(t, again, c.at, c.names...)
			if Fingerprint(&second) != Fingerprint(&third) {
				t.Error("made anew once more")
			}
			checkFiles(t, again, second)
		})
	}
	unkept := selfSigned(t, "", now)
	if Fingerprint(&first) == Fingerprint(&unkept) {
		t.Error("two folders share a certificate")
	}
}

// checkFiles wants the two files, whole, with the certificate, and no others.
func checkFiles(t *testing.T, dir string, cert tls.Certificate) {
	t.Helper()
	for name, mode := range map[string]fs.FileMode{SelfSignedKeyFile: 0o600, SelfSignedCertificateFile: 0o644} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		block, rest := pem.Decode(text)
		if block == nil || block.Type != "CERTIFICATE" || string(block.Bytes) != string(cert.Certificate[0]) {
			t.Errorf("%s does not begin with the certificate", name)
		}
		if info.Mode() != mode || (len(rest) > 0) != (name == SelfSignedKeyFile) {
			t.Errorf("%s has mode %v, and %d bytes after the certificate", name, info.Mode(), len(rest))
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// A lost copy is written again, for the one certificate that clients trust.
func TestSelfSignedCopyIsRestored(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	first := selfSigned(t, dir, now)
	if err := os.Remove(filepath.Join(dir, SelfSignedCertificateFile)); err != nil {
		t.Fatal(err)
	}
	second := selfSigned(t, dir, now)
	if Fingerprint(&first) != Fingerprint(&second) {
		t.Error("made anew")
	}
	checkFiles(t, dir, first)
}

// What is no certificate with its key is not written over, and what cannot be
// written is said.
func TestSelfSignedErrors(t *testing.T) {
	foreign := t.TempDir()
	path := filepath.Join(foreign, SelfSignedKeyFile)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, SelfSignedCertificateFile), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{foreign, folder, filepath.Join(t.TempDir(), "none")} {
		if _, err := SelfSigned(dir, nil, time.Now()); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("error = %v, want one that names %s", err, dir)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	for _, dir := range []string{foreign, folder} { // nothing half done is left
		left, err := filepath.Glob(filepath.Join(dir, ".*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left %v, %v", left, err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	cert := tls.Certificate{Certificate: [][]byte{[]byte("abc")}} // FIPS 180-2 appendix B.1
	const want = "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
	if got := Fingerprint(&cert); got != want {
		t.Errorf("Fingerprint() = %s", got)
	}
}

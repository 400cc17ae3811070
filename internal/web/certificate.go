package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The files of SelfSigned in its folder.
const (
	// SelfSignedKeyFile holds the certificate and its private key, and only its
	// owner may read it.
	SelfSignedKeyFile = "usher-self-signed.pem"
	// SelfSignedCertificateFile is a copy of the certificate without the key,
	// for the clients that are to trust it.
	SelfSignedCertificateFile = "usher-self-signed.crt"
)

const (
	// Nobody but the operator vouches for the certificate, so that a short life
	// would protect nobody and break clients that trust exactly this one.
	selfSignedYears = 10
	// A server runs for longer than a day: the certificate must not end under it.
	renewBefore = 30 * 24 * time.Hour
	// Clients whose clocks are slow take the certificate too.
	clockSkew = 24 * time.Hour
)

// SelfSigned is the self-signed certificate of a folder. It is made, with an
// ECDSA key on P-256, when there is none, when it ends within 30 days, or when
// it lacks one of names, and is good for ten years. It names localhost, the
// loopback addresses, this machine and names, which are host names and IP
// addresses; what is neither is left out. A process that dies leaves the old files or the new ones, never
// half of one. "" as the folder keeps nothing: the certificate is new each
// time.
//
// A file that is there and is not a certificate with its key is an error, since
// it may be somebody's.
func SelfSigned(dir string, names []string, now time.Time) (tls.Certificate, error) {
	if dir == "" {
		certPEM, keyPEM, err := makeSelfSigned(names, now)
		if err != nil {
			return tls.Certificate{}, err
		}
		return tls.X509KeyPair(certPEM, keyPEM)
	}
	path := filepath.Join(dir, SelfSignedKeyFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, err
	}
	if err == nil {
		cert, err := tls.X509KeyPair(text, text)
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("%s: %w; remove the file to have it made anew", path, err)
		}
		if serves(cert.Leaf, names, now) {
			return cert, publish(dir, cert)
		}
	}
	certPEM, keyPEM, err := makeSelfSigned(names, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := replaceFile(path, append(certPEM, keyPEM...), 0o600); err != nil {
		return tls.Certificate{}, err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, err
	}
	return cert, publish(dir, cert)
}

// Fingerprint is the SHA-256 of a certificate as OpenSSL and keytool print it.
func Fingerprint(cert *tls.Certificate) string {
	sum := sha256.Sum256(cert.Certificate[0])
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// serves reports whether a certificate need not be made anew. The name of this
// machine is not asked for: that of a container is another after each start.
func serves(leaf *x509.Certificate, names []string, now time.Time) bool {
	if now.Before(leaf.NotBefore) || now.Add(renewBefore).After(leaf.NotAfter) {
		return false
	}
	dns, ips := split(names)
	for _, name := range dns {
		if !containsFold(leaf.DNSNames, name) {
			return false
		}
	}
	for _, ip := range ips {
		if !slices.ContainsFunc(leaf.IPAddresses, ip.Equal) {
			return false
		}
	}
	return true
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

// split tells IP addresses from host names, each once, and leaves out what a
// certificate cannot name.
func split(names []string) (dns []string, ips []net.IP) {
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			if !slices.ContainsFunc(ips, ip.Equal) {
				ips = append(ips, ip)
			}
		} else if isHostName(name) && !containsFold(dns, name) {
			dns = append(dns, name)
		}
	}
	return dns, ips
}

// makeSelfSigned makes a certificate and its key as PEM. It is no certificate
// authority: who trusts it trusts this server, not whatever its key may sign.
func makeSelfSigned(names []string, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, err
	}
	keyID := sha256.Sum256(public)
	all := append([]string{"localhost", "127.0.0.1", "::1"}, names...)
	if host, err := os.Hostname(); err == nil {
		all = append(all, host)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "usher"},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.AddDate(selfSignedYears, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		SubjectKeyId:          keyID[:20],
	}
	template.DNSNames, template.IPAddresses = split(all)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), nil
}

// isHostName reports whether a certificate can name a host so: labels of ASCII
// letters, digits, hyphens and underscores between single dots (RFC 1123
// section 2.1, and what DNS has besides), at most 253 characters.
func isHostName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// publish writes the certificate without its key, if that is not there yet.
func publish(dir string, cert tls.Certificate) error {
	path := filepath.Join(dir, SelfSignedCertificateFile)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if old, err := os.ReadFile(path); err == nil && string(old) == string(text) {
		return nil
	}
	return replaceFile(path, text, 0o644)
}

// replaceFile writes a file whole or not at all: under another name first, and
// with its mode from the beginning.
func replaceFile(path string, text []byte, mode fs.FileMode) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(text)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

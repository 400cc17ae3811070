package app

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// speakTLS makes the listener of the doors answer TLS as the settings and the
// doors want it: with the operator's certificate, and where the edubrite door
// is served, in both protocols on the one port, since that vendor's current
// client opens TLS to whatever port it is given and older ones do not
// (docs/dialects/edubrite.md, dossier 2.1). Without the operator's certificate that takes a self-signed one. It
// returns a listener even with an error, for Close.
func (a *App) speakTLS(ln net.Listener) (net.Listener, error) {
	_, both := a.plainDoor()
	conf := a.tls
	switch {
	case conf != nil:
		a.logCertificate(&conf.Certificates[0], a.cfg.TLSCert)
	case !both:
		return ln, nil
	default:
		cert, file, err := a.selfSigned()
		if err != nil {
			return ln, err
		}
		conf = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		a.logCertificate(&cert, file)
	}
	conf = conf.Clone()
	conf.NextProtos = []string{"h2", "http/1.1"}
	if both {
		return web.NewListener(ln, web.ListenerOptions{TLS: conf, Silence: a.cfg.ReadHeaderTimeout}), nil
	}
	return tls.NewListener(ln, conf), nil
}

// selfSigned makes or reads the certificate of a server that was given none.
func (a *App) selfSigned() (cert tls.Certificate, file string, err error) {
	dir := a.cfg.SelfSignedFolder()
	var names []string // what clients call this server by
	if base, err := url.Parse(a.cfg.BaseURL()); err == nil {
		names = append(names, base.Hostname())
	}
	cert, err = web.SelfSigned(dir, names, time.Now())
	if err != nil {
		return cert, "", fmt.Errorf("self_signed_dir: cannot keep a certificate: %w", err)
	}
	if dir == "" {
		return cert, "", nil
	}
	return cert, filepath.Join(dir, web.SelfSignedCertificateFile), nil
}

// logCertificate says which certificate clients will see, and where it is.
func (a *App) logCertificate(cert *tls.Certificate, file string) {
	where := file
	if file == "" {
		where = "in memory only, anew at each start; set self_signed_dir to keep it"
	}
	a.log.Info("certificate", "sha256", web.Fingerprint(cert), "file", where, "self_signed", a.tls == nil,
		"not_after", cert.Leaf.NotAfter.UTC().Format(time.RFC3339))
}

// plainDoor is the one door that answers plain HTTP even when the operator has
// given a certificate, and whether it is served.
func (a *App) plainDoor() (mountedDoor, bool) {
	for _, d := range a.mounted {
		if d.door == directory.DoorEduBrite {
			return d, true
		}
	}
	return mountedDoor{}, false
}

// requireTLS keeps plain HTTP from every path that is not the plain door's, once
// the operator has given a certificate, and from the pages among that door's
// paths, which browsers open and where people write passwords. Others get what net/http itself says on
// a port that speaks TLS alone.
func (a *App) requireTLS(next http.Handler) http.Handler {
	door, served := a.plainDoor()
	if a.tls == nil || !served {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil || door.serves(r.URL.Path) && !isPage(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		// What the client has sent it has sent in the clear; the path may name people.
		a.log.Debug("refused plain HTTP", "addr", r.RemoteAddr, "method", r.Method)
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "Client sent an HTTP request to an HTTPS server.\n") // a client that has gone needs no answer
	})
}

// serves reports whether the router sends a path to the door.
func (d mountedDoor) serves(path string) bool {
	segment := firstSegment(path)
	for _, own := range d.segments {
		if strings.EqualFold(own, segment) {
			return true
		}
	}
	return false
}

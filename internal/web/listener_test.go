package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory: what dial opens, Accept returns.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

func newPipes() *pipes {
	done := make(chan struct{})
	return &pipes{make(chan net.Conn), done, sync.OnceFunc(func() { close(done) })}
}

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// testTLS is a server's and its clients' side of one certificate.
func testTLS(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	cert := selfSigned(t, "", time.Now())
	trust := x509.NewCertPool()
	trust.AddCert(cert.Leaf)
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}},
		&tls.Config{RootCAs: trust, ServerName: "localhost"}
}

// serveBoth serves h on ln until the end of the test.
func serveBoth(t *testing.T, ln net.Listener, h http.Handler, tune func(*http.Server)) *http.Server {
	t.Helper()
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 3 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	if tune != nil {
		tune(srv)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("closing: %v", err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve() = %v", err)
		}
	})
	return srv
}

// listenBoth is a Listener on a free port.
func listenBoth(t *testing.T, conf *tls.Config) *Listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return NewListener(inner, ListenerOptions{TLS: conf})
}

// sayProtocol answers with the protocol and the client's address.
func sayProtocol(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprintf(w, "%s tls=%v %s", r.Proto, r.TLS != nil, r.RemoteAddr)
}

func ask(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", resp.StatusCode, err, text)
	}
	return string(text)
}

func TestListenerSpeaksBothProtocols(t *testing.T) {
	server, client := testTLS(t)
	ln := listenBoth(t, server)
	serveBoth(t, ln, http.HandlerFunc(sayProtocol), nil)
	for _, c := range []struct {
		scheme string
		http2  bool
		want   string
	}{
		{"http", false, "HTTP/1.1 tls=false 127.0.0.1"},
		{"https", false, "HTTP/1.1 tls=true 127.0.0.1"},
		{"https", true, "HTTP/2.0 tls=true 127.0.0.1"},
	} {
		transport := &http.Transport{TLSClientConfig: client.Clone(), ForceAttemptHTTP2: c.http2}
		first := ask(t, &http.Client{Transport: transport}, c.scheme+"://"+ln.Addr().String())
		second := ask(t, &http.Client{Transport: transport}, c.scheme+"://"+ln.Addr().String())
		if !strings.HasPrefix(first, c.want) || first != second {
			t.Errorf("%s, HTTP/2 %v: %q, then %q, want both to be %q and one connection", c.scheme, c.http2, first, second, c.want)
		}
		transport.CloseIdleConnections()
	}
}

// Whatever a client begins with, it gets an answer or an end, and others are
// served.
func TestListenerSurvivesGarbage(t *testing.T) {
	server, client := testTLS(t)
	ln := listenBoth(t, server)
	serveBoth(t, ln, http.HandlerFunc(sayProtocol), nil)
	const alert = "\x15\x03" // a TLS record of the type alert
	for sent, want := range map[string]string{
		"\x00\x00\x00\x00\r\n\r\n":                 "HTTP/1.1 400",
		"\x80\x2e\x01\x03\x01\r\n\r\n":             "HTTP/1.1 400", // a greeting of SSL 2
		"\x15\x03\x01\x00\x02\x01\x00\r\n\r\n":     "HTTP/1.1 400", // TLS, but no handshake
		"\xff\xfe\xfd\r\n\r\n":                     "HTTP/1.1 400",
		"\r\n\r\n":                                 "HTTP/1.1 400",
		"\x16" + strings.Repeat("x", 100):          "",
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00": alert,
		"\x16GET / HTTP/1.1\r\n\r\n":               "",
		"G":                                        "HTTP/1.1 400", // and no more
		"\x16":                                     "",
	} {
		conn := dial(t, ln.Addr().String())
		send(t, conn, sent)
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(got), want) || want == "" && len(got) > 0 {
			t.Errorf("%q got %q, %v; want %q", sent, got, err, want)
		}
	}
	transport := &http.Transport{TLSClientConfig: client}
	defer transport.CloseIdleConnections()
	for _, scheme := range []string{"http://", "https://"} {
		ask(t, &http.Client{Transport: transport}, scheme+ln.Addr().String())
	}
}

// A silent connection holds up nobody, and ends when its time is over; so does
// a TLS handshake that stops in the middle.
func TestListenerEndsSilence(t *testing.T) {
	server, _ := testTLS(t)
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		serveBoth(t, NewListener(inner, ListenerOptions{TLS: server, Silence: 7 * time.Second}), http.HandlerFunc(sayProtocol), nil)
		start := time.Now()
		ends := make(chan string, 3)
		for name, begin := range map[string]string{"silent": "", "handshake": "\x16\x03\x01", "head": "GET / HT"} {
			conn := inner.dial()
			defer conn.Close()
			go func() {
				if begin != "" {
					if _, err := io.WriteString(conn, begin); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				_, _ = io.Copy(io.Discard, conn) // until the server closes it, however
				ends <- fmt.Sprint(name, " ", time.Since(start))
			}()
		}
		synctest.Wait()
		other := inner.dial()
		defer other.Close()
		go func() { _, _ = io.WriteString(other, closeGet) }()
		answer, err := io.ReadAll(other)
		if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) || time.Since(start) != 0 {
			t.Errorf("after %v: %v, %s", time.Since(start), err, answer)
		}
		got := map[string]bool{}
		for range 3 {
			got[<-ends] = true
		}
		for _, want := range []string{"silent 7s", "handshake 3s", "head 3s"} {
			if !got[want] {
				t.Errorf("ends = %v, want %s", got, want)
			}
		}
	})
}

// The first byte lifts the limit on silence: what comes later has the server's.
func TestListenerLimitsTheFirstByteOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		ln := NewListener(inner, ListenerOptions{Silence: time.Second})
		defer ln.Close()
		go func() {
			client := inner.dial()
			defer client.Close()
			_, _ = io.WriteString(client, "a")
			<-time.After(time.Hour)
			_, _ = io.WriteString(client, "b")
		}()
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); string(got) != "ab" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

// One silent connection too many ends the one that was silent for longest.
func TestListenerBoundsSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		ln := NewListener(inner, ListenerOptions{Silence: time.Hour, MaxSilent: 2})
		serveBoth(t, ln, http.HandlerFunc(sayProtocol), nil)
		var conns []net.Conn
		for range 4 {
			conns = append(conns, inner.dial())
			synctest.Wait()
		}
		for i, conn := range conns {
			_, err := io.WriteString(conn, closeGet)
			if kept := i >= 2; (err == nil) != kept {
				t.Errorf("connection %d: %v, kept: %v", i, err, kept)
			}
			if err == nil {
				if answer, err := io.ReadAll(conn); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
					t.Errorf("connection %d: %v, %s", i, err, answer)
				}
			}
			conn.Close()
		}
		if ln.silent.Len() != 0 {
			t.Errorf("%d connections are still listed", ln.silent.Len())
		}
	})
}

// Shutdown ends silence at once and waits for requests of both protocols.
func TestListenerShutsDownGracefully(t *testing.T) {
	server, client := testTLS(t)
	ln := listenBoth(t, server)
	begun, release := make(chan struct{}), make(chan struct{})
	srv := serveBoth(t, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-release
		sayProtocol(w, r)
	}), nil)
	silent := dial(t, ln.Addr().String())
	answers := make(chan string, 3)
	for _, c := range []struct {
		scheme string
		http2  bool
	}{{"http", false}, {"https", false}, {"https", true}} {
		transport := &http.Transport{TLSClientConfig: client.Clone(), ForceAttemptHTTP2: c.http2}
		defer transport.CloseIdleConnections()
		go func() { answers <- ask(t, &http.Client{Transport: transport}, c.scheme+"://"+ln.Addr().String()) }()
		<-begun
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Shutdown(context.WithoutCancel(t.Context())) }()
	if n, err := silent.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the silent connection got %d bytes, %v", n, err)
	}
	if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		conn.Close()
		t.Error("still listening")
	}
	select {
	case err := <-ended:
		t.Errorf("Shutdown() = %v with requests in flight", err)
	default:
	}
	close(release)
	got := []string{<-answers, <-answers, <-answers}
	if err := <-ended; err != nil {
		t.Errorf("Shutdown() = %v", err)
	}
	for _, want := range []string{"HTTP/1.1 tls=false", "HTTP/1.1 tls=true", "HTTP/2.0 tls=true"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("answers %q, none with %s", got, want)
		}
	}
}

// failing is a listener whose Accept fails the first times.
type failing struct {
	*pipes
	errs chan error
}

func (f failing) Accept() (net.Conn, error) {
	select {
	case err := <-f.errs:
		return nil, err
	default:
		return f.pipes.Accept()
	}
}

// An error of the listener below reaches the caller of Accept, once, and after
// it connections come in again.
func TestListenerPassesErrorsOn(t *testing.T) {
	inner := failing{newPipes(), make(chan error, 1)}
	tooMany := errors.New("too many open files")
	inner.errs <- tooMany
	ln := NewListener(inner, ListenerOptions{})
	if conn, err := ln.Accept(); !errors.Is(err, tooMany) {
		t.Fatalf("Accept() = %v, %v", conn, err)
	}
	go func() { _, _ = io.WriteString(inner.dial(), "a") }()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 2 {
		if err := ln.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
	for range 2 {
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept() after Close = %v", err)
		}
	}
	if n, err := conn.Read(make([]byte, 9)); n != 1 || err != nil {
		t.Errorf("an accepted connection ended with the listener: %d, %v", n, err)
	}
}

// Close needs no Accept, and ends connections that nobody has accepted.
func TestListenerClosesWhatNobodyAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := NewListener(newPipes(), ListenerOptions{}).Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
		inner := newPipes()
		ln := NewListener(inner, ListenerOptions{})
		go func() { _, _ = io.WriteString(inner.dial(), "first") }()
		first, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		silent, heard := inner.dial(), inner.dial()
		if _, err := io.WriteString(heard, "a"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := ln.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
		for _, conn := range []net.Conn{silent, heard} {
			if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("read %d, %v; want the end", n, err)
			}
		}
	})
}

// A server that ends its half must still hear the client: the answer to a
// request whose body nobody reads depends on it.
func TestListenerConnectionsCloseByHalves(t *testing.T) {
	ln := listenBoth(t, nil)
	defer ln.Close()
	client := dial(t, ln.Addr().String())
	send(t, client, "a")
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := client.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("the client read %d, %v; want the end", n, err)
	}
	send(t, client, "b")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); string(got) != "ab" || err != nil {
		t.Errorf("the server read %q, %v", got, err)
	}
	pipe, other := net.Pipe()
	defer pipe.Close()
	defer other.Close()
	if err := (&heardConn{Conn: pipe}).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite() of a pipe = %v", err)
	}
}

// Whatever a client sends, in whatever pieces, and however it is read: every
// byte arrives, once, in order.
func FuzzListenerLosesNoByte(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{1, 3}, []byte{1, 0, 200})
	f.Add([]byte("\x16\x03\x01\x00\x05hello"), []byte{5}, []byte{2})
	f.Add([]byte{0}, []byte{}, []byte{0})
	f.Fuzz(func(t *testing.T, data, writes, reads []byte) {
		if len(data) == 0 {
			return
		}
		inner := newPipes()
		ln := NewListener(inner, ListenerOptions{TLS: &tls.Config{}})
		defer ln.Close()
		go func() {
			client := inner.dial()
			defer client.Close()
			rest := data
			for i := 0; len(rest) > 0; i++ {
				n := pieceSize(writes, i, len(rest))
				if _, err := client.Write(rest[:n]); err != nil {
					t.Errorf("writing: %v", err)
					return
				}
				rest = rest[n:]
			}
		}()
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		secure, ok := conn.(*tls.Conn)
		if ok != (data[0] == 22) {
			t.Fatalf("first byte %d: TLS %v", data[0], ok)
		}
		if ok {
			conn = secure.NetConn()
		}
		var got []byte
		for i := 0; err == nil; i++ {
			buf, n := make([]byte, pieceSize(reads, i, 1<<10)), 0
			if i%3 == 2 { // a read of nothing takes nothing
				buf = nil
			}
			if buf == nil && len(got) < len(data) || buf != nil {
				n, err = conn.Read(buf)
			}
			got = append(got, buf[:n]...)
		}
		if !errors.Is(err, io.EOF) || !bytes.Equal(got, data) {
			t.Errorf("sent %q, got %q, %v", data, got, err)
		}
	})
}

// pieceSize is the i-th of sizes, over and over, from 1 to most.
func pieceSize(sizes []byte, i, most int) int {
	if len(sizes) == 0 {
		return most
	}
	return min(max(1, int(sizes[i%len(sizes)])), most)
}

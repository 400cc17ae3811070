package webhook_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/webhook"
)

var (
	secretA = "whsec_" + base64.StdEncoding.EncodeToString([]byte("the first secret of 24 b"))
	secretB = "whsec_" + base64.StdEncoding.EncodeToString([]byte("another secret of 24 byt"))
)

// moment is when couriers of tests send.
var moment = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func message(url string) *directory.Message {
	return &directory.Message{
		Webhook: directory.Webhook{Tenant: 1, ID: "0199f2d4-2222-7000-8000-000000000001", URL: url},
		Event: directory.Event{Tenant: 1, ID: "0199f2d4-7b55-7c11-8e4b-d7d5dd2d4b1a", Type: directory.EventUserCreated, Position: 5, User: 7,
			Time: moment, Payload: []byte(`{"changes":{}}`)},
		Secrets: []directory.Secret{directory.Secret(secretA)},
	}
}

// local is a courier that may send to this machine.
func local(edit func(*webhook.CourierOptions), servers ...*httptest.Server) *webhook.Courier {
	o := webhook.CourierOptions{Networks: prefixes("127.0.0.0/8"), HTTP: true, Version: "1.2.3", Roots: x509.NewCertPool(), Now: func() time.Time { return moment }}
	for _, s := range servers {
		if s.TLS != nil {
			o.Roots.AddCert(s.Certificate())
		}
	}
	if edit != nil {
		edit(&o)
	}
	return courier(o)
}

// verify is what a receiver does, from the specification's description alone.
func verify(r *http.Request, body []byte, secret string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, signature := range strings.Split(r.Header.Get("webhook-signature"), " ") {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return nil
		}
	}
	return errors.New("no signature fits")
}

func TestDeliveryIsASignedEnvelope(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	m := message(server.URL + "/hook?token=abc")
	m.Secrets = append(m.Secrets, directory.Secret(secretB))
	receipt := local(nil, server).Send(t.Context(), m)
	if !receipt.Delivered || receipt.Status != http.StatusAccepted || receipt.Error != "" || receipt.Down || receipt.Duration <= 0 {
		t.Fatalf("receipt %+v", receipt)
	}
	for _, secret := range []string{secretA, secretB} {
		if err := verify(got, body, secret); err != nil {
			t.Error(err)
		}
	}
	if verify(got, append(body, ' '), secretA) == nil || verify(got, body, "whsec_AAAA") == nil {
		t.Error("another body or secret fits the signatures")
	}
	want := http.Header{
		"Content-Type": {"application/cloudevents+json"}, "User-Agent": {"usher/1.2.3 (webhook)"}, "Accept-Encoding": nil,
		"Webhook-Id": {m.Event.ID}, "Webhook-Timestamp": {fmt.Sprint(moment.Unix())}, "Webhook-Signature": got.Header["Webhook-Signature"],
		"Content-Length": {fmt.Sprint(len(body))},
	}
	delete(want, "Accept-Encoding")
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Error(diff)
	}
	if got.Method != http.MethodPost || got.RequestURI != "/hook?token=abc" || got.ProtoMajor != 2 {
		t.Errorf("%s %s %s", got.Method, got.RequestURI, got.Proto)
	}
	if !strings.Contains(string(body), `"id":"`+m.Event.ID+`"`) || !strings.Contains(string(body), `"type":"usher.user.created"`) {
		t.Errorf("body %s", body)
	}
}

func TestTestsAndReplaysSaySo(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	for _, c := range []struct{ test, replay bool }{{false, false}, {true, false}, {false, true}} {
		m := message(server.URL)
		m.Test, m.Replay = c.test, c.replay
		receipt := local(nil).Send(t.Context(), m)
		if !receipt.Delivered || got.Get("Usher-Test") == "true" != c.test || got.Get("Usher-Replay") == "true" != c.replay {
			t.Errorf("%+v: %+v, %v", c, receipt, got)
		}
	}
}

func TestReceiptsOfAnswers(t *testing.T) {
	var status int
	var retryAfter string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "secret of the answer")
	}))
	defer server.Close()
	for _, c := range []struct {
		status     int
		retryAfter string
		want       directory.Receipt
	}{
		{200, "", directory.Receipt{Delivered: true}},
		{200, "60", directory.Receipt{Delivered: true}},
		{299, "", directory.Receipt{Delivered: true}},
		{301, "", directory.Receipt{Error: "redirects are not followed (status 301)"}},
		{304, "", directory.Receipt{Error: "redirects are not followed (status 304)"}},
		{400, "", directory.Receipt{Error: "the endpoint answered with status 400"}},
		{404, "", directory.Receipt{Error: "the endpoint answered with status 404"}},
		{500, "", directory.Receipt{Error: "the endpoint answered with status 500"}},
		{410, "", directory.Receipt{Gone: true, Error: "the endpoint wants no more (status 410)"}},
		{429, "120", directory.Receipt{Down: true, RetryAfter: 2 * time.Minute, Error: "the endpoint is overloaded or away (status 429)"}},
		{429, moment.Add(time.Hour).Format(http.TimeFormat), directory.Receipt{Down: true, RetryAfter: time.Hour, Error: "the endpoint is overloaded or away (status 429)"}},
		{503, moment.Add(-time.Hour).Format(http.TimeFormat), directory.Receipt{Down: true, Error: "the endpoint is overloaded or away (status 503)"}},
		{503, "4000000000", directory.Receipt{Down: true, RetryAfter: 24 * time.Hour, Error: "the endpoint is overloaded or away (status 503)"}},
		{503, moment.AddDate(90, 0, 0).Format(http.TimeFormat), directory.Receipt{Down: true, RetryAfter: 24 * time.Hour, Error: "the endpoint is overloaded or away (status 503)"}},
		{502, "-1", directory.Receipt{Down: true, Error: "the endpoint is overloaded or away (status 502)"}},
		{504, "soon", directory.Receipt{Down: true, Error: "the endpoint is overloaded or away (status 504)"}},
	} {
		status, retryAfter = c.status, c.retryAfter
		got := local(nil).Send(t.Context(), message(server.URL))
		c.want.Status, c.want.Duration = c.status, got.Duration
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("status %d, Retry-After %q: %s", c.status, c.retryAfter, diff)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inner.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		outer := httptest.NewServer(http.RedirectHandler(inner.URL, status))
		receipt := local(nil).Send(t.Context(), message(outer.URL))
		outer.Close()
		if receipt.Delivered || receipt.Status != status {
			t.Errorf("%d: %+v", status, receipt)
		}
	}
	if reached.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// What an endpoint does wrong on the wire, and what is said of it.
func TestBrokenEndpoints(t *testing.T) {
	quick := func(o *webhook.CourierOptions) { o.Timeout = 300 * time.Millisecond }
	for name, c := range map[string]struct {
		serve func(net.Conn, <-chan struct{})
		want  string
	}{
		"hangs":                 {func(_ net.Conn, end <-chan struct{}) { <-end }, "no answer within 300ms"},
		"hangs in the head":     {func(c net.Conn, end <-chan struct{}) { _, _ = io.WriteString(c, "HTTP/1.1 200"); <-end }, "no answer within 300ms"},
		"closes":                {func(net.Conn, <-chan struct{}) {}, "the connection was closed without an answer"},
		"resets":                {func(c net.Conn, _ <-chan struct{}) { _ = c.(*net.TCPConn).SetLinger(0) }, "the connection was closed without an answer"},
		"speaks another tongue": {func(c net.Conn, _ <-chan struct{}) { _, _ = io.WriteString(c, "220 smtp ready\r\n\r\n") }, "the answer is no HTTP, or its head is too long"},
		"has an endless head": {func(c net.Conn, _ <-chan struct{}) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for line := "X: " + strings.Repeat("x", 1000) + "\r\n"; ; {
				if _, err := io.WriteString(c, line); err != nil {
					return
				}
			}
		}, "the answer is no HTTP, or its head is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			receipt := local(quick).Send(t.Context(), message("http://"+rawServer(t, c.serve)))
			if receipt.Delivered || !receipt.Down || receipt.Status != 0 || receipt.Error != c.want {
				t.Errorf("%+v, want %q", receipt, c.want)
			}
		})
	}
}

// An answer's head decides; what follows is bounded.
func TestBodiesAreNotWaitedFor(t *testing.T) {
	var sent atomic.Int64
	ended := make(chan struct{})
	for name, serve := range map[string]func(net.Conn, <-chan struct{}){
		"hangs": func(c net.Conn, end <-chan struct{}) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12")
			<-end
		},
		"100 MB": func(c net.Conn, _ <-chan struct{}) {
			defer close(ended)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
			for block := make([]byte, 10_000); sent.Load() < 100_000_000; {
				n, err := c.Write(block)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		},
	} {
		receipt := local(nil).Send(t.Context(), message("http://"+rawServer(t, serve)))
		if !receipt.Delivered || receipt.Status != 200 || receipt.Duration > 10*time.Second {
			t.Errorf("%s: %+v", name, receipt)
		}
	}
	if <-ended; sent.Load() > 20_000_000 { // buffers of the system
		t.Errorf("%d bytes of the answer were taken", sent.Load())
	}
}

func TestErrorsOfTLS(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewTLSServer(ok)
	defer server.Close()
	plain := httptest.NewServer(ok)
	defer plain.Close()
	old := httptest.NewUnstartedServer(ok)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	server.Config.ErrorLog, old.Config.ErrorLog = quiet(), quiet()
	named := func(o *webhook.CourierOptions) { o.Resolver = resolverOf(t, "127.0.0.1") }
	for name, c := range map[string]struct {
		courier *webhook.Courier
		url     string
		want    string
	}{
		"unknown authority": {local(nil), server.URL, "the certificate is signed by nobody whom this machine trusts"},
		"another name":      {local(named, server), strings.Replace(server.URL, "127.0.0.1", "hook.example.test", 1), "the certificate is for another name"},
		"no TLS":            {local(nil, server), strings.Replace(plain.URL, "http:", "https:", 1), "the endpoint does not speak TLS at this port"},
		"old version":       {local(nil, old), old.URL, "the TLS handshake failed: the endpoint and this server have no version or method in common"},
	} {
		receipt := c.courier.Send(t.Context(), message(c.url))
		if receipt.Delivered || !receipt.Down || receipt.Error != c.want {
			t.Errorf("%s: %+v", name, receipt)
		}
	}
}

// A name that was public when somebody looked, and leads inside when the
// connection is made, as in an attack by DNS rebinding.
func TestNamesAreJudgedWhenConnecting(t *testing.T) {
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	target := strings.Replace(server.URL, "127.0.0.1", "rebind.example.test", 1)
	resolver := resolverOf(t, "8.8.8.8", "127.0.0.1")
	guarded := courier(webhook.CourierOptions{HTTP: true, Resolver: resolver})
	if err := guarded.Check(target); err != nil {
		t.Fatal(err)
	}
	if first, err := resolver.LookupHost(t.Context(), "rebind.example.test"); err != nil || len(first) != 1 || first[0] != "8.8.8.8" {
		t.Fatalf("the name is %v at first: %v", first, err)
	}
	receipt := guarded.Send(t.Context(), message(target))
	if receipt.Delivered || !receipt.Down || !strings.HasPrefix(receipt.Error, "the address is a loopback address") {
		t.Errorf("%+v", receipt)
	}
	if strings.Contains(receipt.Error, "127.") {
		t.Errorf("the error tells what the name means: %s", receipt.Error)
	}
	if reached.Load() != 0 {
		t.Fatal("the inside was reached")
	}
	receipt = local(func(o *webhook.CourierOptions) { o.Resolver = resolver }).Send(t.Context(), message(target))
	if !receipt.Delivered || reached.Load() != 1 {
		t.Errorf("where it is allowed: %+v", receipt)
	}
}

func TestNamesWithoutAnAddress(t *testing.T) {
	receipt := courier(webhook.CourierOptions{Resolver: resolverOf(t, "")}).Send(t.Context(), message("https://nowhere.example.test/?token=abc"))
	if receipt.Delivered || !receipt.Down || receipt.Error != "the host's name has no address" {
		t.Errorf("%+v", receipt)
	}
}

func TestNobodyListens(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if receipt := local(nil).Send(t.Context(), message(server.URL)); receipt.Error != "the connection was refused" || !receipt.Down {
		t.Errorf("%+v", receipt)
	}
}

// The environment's proxy would resolve names by itself.
func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	var reached atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	c := courier(webhook.CourierOptions{HTTP: true, Resolver: resolverOf(t, "10.0.0.1")})
	for _, scheme := range []string{"http", "https"} {
		if receipt := c.Send(t.Context(), message(scheme+"://inside.example.test/")); receipt.Delivered || reached.Load() != 0 {
			t.Errorf("%s: %+v, %d requests at the proxy", scheme, receipt, reached.Load())
		}
	}
}

// A URL from before a setting was changed, and secrets that cannot be used.
func TestNothingIsSentThatMustNot(t *testing.T) {
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	noHTTP := local(func(o *webhook.CourierOptions) { o.HTTP = false })
	unsigned := message(server.URL)
	unsigned.Secrets = nil
	for name, receipt := range map[string]directory.Receipt{
		"http":       noHTTP.Send(t.Context(), message(server.URL)),
		"no secrets": local(nil).Send(t.Context(), unsigned),
		"no URL":     local(nil).Send(t.Context(), message("http://[")),
	} {
		if receipt.Delivered || !receipt.Down || receipt.Error == "" || strings.Contains(receipt.Error, "127.0.0.1") {
			t.Errorf("%s: %+v", name, receipt)
		}
	}
	if reached.Load() != 0 {
		t.Error("something was sent")
	}
}

func TestASendEndsWithItsContext(t *testing.T) {
	arrived := make(chan struct{})
	address := rawServer(t, func(_ net.Conn, end <-chan struct{}) { close(arrived); <-end })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	receipt := local(nil).Send(ctx, message("http://"+address))
	if receipt.Delivered || receipt.Error != "the server was stopped before the answer came" {
		t.Errorf("%+v", receipt)
	}
}

// rawServer reads one request from each connection and leaves the rest to serve,
// whose channel is closed with the test.
func rawServer(t *testing.T, serve func(net.Conn, <-chan struct{})) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan struct{})
	t.Cleanup(func() { close(end); _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					serve(conn, end)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

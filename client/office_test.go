package client_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// newOffice starts a server with an empty tenant and returns it with a client
// whose key has the rank of an administrator.
func newOffice(t *testing.T, options ...client.Option) (*testkit.Server, *client.Client) {
	t.Helper()
	server := testkit.Start(t, testkit.Options{Tune: func(c *config.Config) { c.WebhookNetworks, c.WebhookHTTP = []string{"127.0.0.0/8"}, true }})
	_, key := server.Tenant(t, "office", directory.RankAdministrator)
	return server, newClient(t, server.URL, key, options...)
}

func newClient(t *testing.T, base, key string, options ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(base, key, options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must is a result that has no error.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// fault is what a broken way to the server does to one request.
type fault string

const (
	pass fault = "pass" // nothing
	drop fault = "drop" // closes the connection before the server is asked
	lose fault = "lose" // the server does the work, and the connection closes without an answer
	cut  fault = "cut"  // the answer breaks off
	busy fault = "busy" // 503 without Retry-After
	most fault = "most" // 429 with Retry-After: 7
	work fault = "work" // an earlier attempt is being worked on
)

// way stands between a client and a server and does the faults, one for each
// request; then it passes.
type way struct {
	*httptest.Server

	mu     sync.Mutex
	faults []fault
	seen   []*http.Request
}

func newWay(t *testing.T, to string, faults ...fault) *way {
	t.Helper()
	target := must(url.Parse(to))(t)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	w := &way{faults: faults}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch w.next(r) {
		case pass:
			proxy.ServeHTTP(rw, r)
		case drop:
			panic(http.ErrAbortHandler)
		case lose:
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case cut:
			whole := httptest.NewRecorder()
			proxy.ServeHTTP(whole, r)
			rw.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
			rw.WriteHeader(whole.Code)
			_, _ = rw.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
			panic(http.ErrAbortHandler)
		case busy:
			rw.WriteHeader(http.StatusServiceUnavailable)
		case most:
			rw.Header().Set("Retry-After", "7")
			rw.WriteHeader(http.StatusTooManyRequests)
		case work:
			rw.WriteHeader(http.StatusConflict)
			_, _ = rw.Write([]byte(`{"code":"conflict","reason":"idempotency.in_progress","detail":"Wait."}`))
		}
	}))
	t.Cleanup(w.Close)
	return w
}

// next notes a request and is what to do to it.
func (w *way) next(r *http.Request) fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, r)
	if len(w.faults) == 0 {
		return pass
	}
	f := w.faults[0]
	w.faults = w.faults[1:]
	return f
}

// requests are the requests that came.
func (w *way) requests() []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// fresh is an http.Client with a connection for each request: net/http by itself
// sends again what a kept connection lost.
func fresh() client.Option {
	return client.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
}

// pauses collects what a client would have waited.
type pauses struct{ list []time.Duration }

func (p *pauses) option() client.Option {
	return client.WithoutWaiting(func(d time.Duration) { p.list = append(p.list, d) })
}

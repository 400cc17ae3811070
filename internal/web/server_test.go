package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// kit is a server whose log lines and events a test can read.
type kit struct {
	log    bytes.Buffer
	events []Event
}

func (k *kit) serve(next http.Handler, o Options) http.Handler {
	o.Logger = slog.New(slog.NewJSONHandler(&k.log, nil))
	o.Observe = func(e *Event) { k.events = append(k.events, *e) }
	return NewServer(next, o)
}

// line is the only log line, without what differs between runs.
func (k *kit) line(t *testing.T) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(k.log.String()), "\n")
	if len(lines) != 1 {
		t.Fatalf("%d log lines, want 1:\n%s", len(lines), k.log.String())
	}
	var attrs map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &attrs); err != nil {
		t.Fatal(err)
	}
	if v, ok := attrs["latency_ms"].(float64); !ok || v < 0 {
		t.Errorf("latency_ms = %v", attrs["latency_ms"])
	}
	delete(attrs, "time")
	delete(attrs, "latency_ms")
	return attrs
}

var (
	errRefused = errors.New("refused")
	errBroken  = errors.New("disk on fire")
)

func onError(r *Request, err error) Response {
	if errors.Is(err, errRefused) {
		r.Event.Code, r.Event.Reason = "forbidden", "rank"
		return Response{Status: 403, ContentType: "text/plain", Body: []byte("no")}
	}
	return Response{Status: 500, ContentType: "text/plain", Body: []byte("oops " + r.Event.ErrorID)}
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestServerLogsOneLine(t *testing.T) {
	var k kit
	h := k.serve(Adapt("iqmetrix", "GET /v1/Users({id})", func(r *Request) (Response, error) {
		r.Event.Actor, r.Event.OnBehalfOf, r.Event.Tenant = "user:7", "user:1", "acme"
		return Response{ContentType: "text/plain", Body: []byte("hello")}, nil
	}, onError), Options{})
	r := httptest.NewRequest("GET", "/v1/Users(2576)?access_token=hunter2", strings.NewReader("secret"))
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header.Set("X-Request-Id", "req-1.A_z")
	do(h, r)
	want := map[string]any{
		"level": "INFO", "msg": "request", "door": "iqmetrix", "route": "GET /v1/Users({id})", "method": "GET",
		"status": 200.0, "actor": "user:7", "on_behalf_of": "user:1", "tenant": "acme", "bytes": 5.0, "addr": "192.0.2.7", "request_id": "req-1.A_z",
	}
	if diff := cmp.Diff(want, k.line(t)); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
	for _, secret := range []string{"hunter2", "2576", "secret"} {
		if strings.Contains(k.log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, k.log.String())
		}
	}
	if len(k.events) != 1 || k.events[0].Status != 200 || k.events[0].Bytes != 5 {
		t.Errorf("observed %+v", k.events)
	}
}

func TestServerRefusal(t *testing.T) {
	var k kit
	h := k.serve(Adapt("scim", "GET /x", func(*Request) (Response, error) { return Response{}, errRefused }, onError),
		Options{IsInternal: func(err error) bool { return !errors.Is(err, errRefused) }})
	w := do(h, httptest.NewRequest("GET", "/x", nil))
	if w.Code != 403 || w.Body.String() != "no" {
		t.Errorf("answer %d %q", w.Code, w.Body)
	}
	line := k.line(t)
	if line["level"] != "INFO" || line["code"] != "forbidden" || line["reason"] != "rank" || line["error_id"] != nil || line["error"] != nil {
		t.Errorf("log line %v", line)
	}
}

func TestServerClassify(t *testing.T) {
	var k kit
	h := k.serve(Adapt("scim", "GET /x", func(*Request) (Response, error) { return Response{}, errBroken },
		func(*Request, error) Response { return Response{Status: 503} }),
		Options{
			IsInternal: func(error) bool { return false },
			Classify:   func(error) (string, string) { return "unavailable", "queue_full" },
		})
	do(h, httptest.NewRequest("GET", "/x", nil))
	line := k.line(t)
	if line["level"] != "WARN" || line["code"] != "unavailable" || line["reason"] != "queue_full" {
		t.Errorf("log line %v", line)
	}
}

func TestServerInternalError(t *testing.T) {
	var k kit
	h := k.serve(Adapt("scim", "GET /x", func(*Request) (Response, error) { return Response{}, errBroken }, onError), Options{})
	w := do(h, httptest.NewRequest("GET", "/x", nil))
	line := k.line(t)
	id, _ := line["error_id"].(string)
	if len(id) != 16 || w.Body.String() != "oops "+id {
		t.Errorf("error id %q, the client got %q", id, w.Body)
	}
	if line["level"] != "ERROR" || line["error"] != "disk on fire" || line["status"] != 500.0 {
		t.Errorf("log line %v", line)
	}
}

func TestServerPanicInHandler(t *testing.T) {
	for _, value := range []any{"boom", errBroken, errRefused} {
		var k kit
		h := k.serve(Adapt("scim", "GET /x", func(*Request) (Response, error) { panic(value) },
			func(r *Request, err error) Response {
				return Response{Status: 500, Body: []byte("door " + r.Event.ErrorID)}
			}), Options{IsInternal: func(error) bool { return false }})
		w := do(h, httptest.NewRequest("GET", "/x", nil))
		line := k.line(t)
		id, _ := line["error_id"].(string)
		if len(id) != 16 || w.Code != 500 || w.Body.String() != "door "+id {
			t.Errorf("panic(%v): error id %q, answer %d %q", value, id, w.Code, w.Body)
		}
		stack, _ := line["stack"].(string)
		if !strings.Contains(stack, "TestServerPanicInHandler") {
			t.Errorf("panic(%v): the log has no stack: %v", value, line)
		}
		if text, _ := line["error"].(string); !strings.HasPrefix(text, "panic: ") {
			t.Errorf("panic(%v): error = %q", value, text)
		}
	}
}

func TestServerPanicOutsideADoor(t *testing.T) {
	var k kit
	h := k.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		panic("boom")
	}), Options{})
	w := do(h, httptest.NewRequest("GET", "/x", nil))
	line := k.line(t)
	if id, _ := line["error_id"].(string); w.Code != 500 || w.Body.String() != "internal error "+id+"\n" {
		t.Errorf("answer %d %q, log line %v", w.Code, w.Body, line)
	}
	if w.Header().Get("Content-Length") != "" {
		t.Error("the length of the answer that never came is still there")
	}
	if line["reason"] != "panic" || line["stack"] == nil {
		t.Errorf("log line %v", line)
	}
}

func TestServerPanicInErrorFunc(t *testing.T) {
	var k kit
	h := k.serve(Adapt("scim", "GET /x", func(*Request) (Response, error) { return Response{}, errRefused },
		func(*Request, error) Response { panic("boom") }), Options{})
	if w := do(h, httptest.NewRequest("GET", "/x", nil)); w.Code != 500 {
		t.Errorf("status %d", w.Code)
	}
	if line := k.line(t); line["error"] != "panic: boom" {
		t.Errorf("log line %v", line)
	}
}

// A torn answer must not look whole: the connection is cut, and it is logged.
func TestServerPanicInsideAnAnswer(t *testing.T) {
	var k kit
	srv := httptest.NewServer(k.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("half"))
		w.(http.Flusher).Flush()
		panic("boom")
	}), Options{}))
	resp, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the client took %q as whole", b)
	}
	resp.Body.Close()
	if resp, err := http.Get(srv.URL + "/abort"); err == nil {
		resp.Body.Close()
		t.Errorf("aborted request was answered: %s", resp.Status)
	}
	srv.Close()
	if len(k.events) < 2 {
		t.Fatalf("observed %d requests, want 2 at least", len(k.events))
	}
	if e := k.events[0]; e.Status != 200 || e.Bytes != 4 || e.ErrorID == "" {
		t.Errorf("torn answer: %+v", e)
	}
	if e := k.events[1]; e.Status != statusClientGone || e.ErrorID != "" {
		t.Errorf("aborted: %+v", e)
	}
}

func TestServerClientGone(t *testing.T) {
	var k kit
	ctx, cancel := context.WithCancel(t.Context())
	h := k.serve(Adapt("scim", "GET /x", func(r *Request) (Response, error) {
		cancel()
		return Response{}, r.Context().Err()
	}, onError), Options{})
	do(h, httptest.NewRequest("GET", "/x", nil).WithContext(ctx))
	line := k.line(t)
	if line["status"] != 499.0 || line["level"] != "INFO" || line["reason"] != "client_gone" || line["error_id"] != nil {
		t.Errorf("log line %v", line)
	}
}

func TestServerEmptyAnswer(t *testing.T) {
	var k kit
	h := k.serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Options{})
	do(h, httptest.NewRequest("BREW", "/pot", nil))
	if line := k.line(t); line["status"] != 200.0 || line["method"] != "other" || line["route"] != "" {
		t.Errorf("log line %v", line)
	}
}

func TestServerRequestID(t *testing.T) {
	for _, c := range []struct {
		name string
		sent []string
		kept bool
	}{
		{"none", nil, false},
		{"harmless", []string{"a.B-c_9"}, true},
		{"longest", []string{strings.Repeat("a", 64)}, true},
		{"too long", []string{strings.Repeat("a", 65)}, false},
		{"empty", []string{""}, false},
		{"line break", []string{"a\nb"}, false},
		{"space", []string{"a b"}, false},
		{"not ASCII", []string{"é"}, false},
		{"twice", []string{"a", "b"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var k kit
			h := k.serve(http.NotFoundHandler(), Options{})
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["X-Request-Id"] = c.sent
			do(h, r)
			id := k.events[0].RequestID
			if kept := len(c.sent) > 0 && id == c.sent[0]; kept != c.kept {
				t.Errorf("request id %q for %q", id, c.sent)
			}
			if !c.kept && (len(id) != 16 || strings.Trim(id, "0123456789abcdef") != "") {
				t.Errorf("request id %q, want 16 hexadecimal digits", id)
			}
		})
	}
	if a, b := newID(), newID(); a == b {
		t.Errorf("the same id twice: %s", a)
	}
}

func TestServerRealIP(t *testing.T) {
	var k kit
	h := k.serve(http.NotFoundHandler(), Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.0.1:80"
	r.Header.Set("X-Forwarded-For", "198.51.100.1, 192.0.2.7")
	do(h, r)
	if got := k.line(t)["addr"]; got != "192.0.2.7" {
		t.Errorf("addr = %v", got)
	}
}

type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ofAcme fills the event of its request.
var ofAcme = Adapt("", "", func(r *Request) (Response, error) {
	r.Event.Tenant = "acme"
	return Response{}, nil
}, nil)

func TestEventBehindWrappers(t *testing.T) {
	var k kit
	h := k.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ofAcme.ServeHTTP(wrapper{wrapper{w}}, r)
	}), Options{})
	do(h, httptest.NewRequest("GET", "/", nil))
	if got := k.events[0].Tenant; got != "acme" {
		t.Errorf("tenant %q", got)
	}
}

// plainWriter is a ResponseWriter that can neither flush nor be unwrapped.
type plainWriter struct{ http.ResponseWriter }

func TestEventBehindAnOpaqueWrapper(t *testing.T) {
	var k kit
	h := k.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ofAcme.ServeHTTP(plainWriter{w}, r)
	}), Options{})
	do(h, httptest.NewRequest("GET", "/", nil))
	if got := k.events[0].Tenant; got != "" {
		t.Errorf("tenant %q reached the event through a writer that hides it", got)
	}
}

// A handler that streams sends before it ends, and may move its deadlines.
func TestServerStreams(t *testing.T) {
	var k kit
	read := make(chan struct{})
	srv := httptest.NewServer(k.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		select {
		case <-read:
		case <-r.Context().Done():
			t.Error("the client did not get the header")
		}
	}), Options{}))
	defer srv.Close()
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	close(read)
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestServerQuietLogger(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelError}))
	h := NewServer(http.NotFoundHandler(), Options{Logger: logger})
	do(h, httptest.NewRequest("GET", "/", nil))
	if out.Len() != 0 {
		t.Errorf("a logger for errors got %q", out.String())
	}
}

package web

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answers makes a handler that always returns one response.
func answers(resp Response) http.Handler {
	return Adapt("test", "ANY /", func(*Request) (Response, error) { return resp, nil }, onError)
}

// rawCall sends text over a connection of its own and returns what comes back
// until the server closes it.
func rawCall(t *testing.T, addr, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("reading the answer: %v (so far %q)", err, answer)
	}
	return string(answer)
}

// serveTest starts a real server and returns its address.
func serveTest(t *testing.T, h http.Handler, tune func(*http.Server)) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = nil
	if tune != nil {
		tune(srv.Config)
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

const closeGet = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

func TestWriteExactHeaderNames(t *testing.T) {
	addr := serveTest(t, answers(Response{
		Status: 201, ContentType: "application/json;charset=utf-8",
		Header: [][2]string{{"totalRecords", "7"}, {"x-ratelimit-LIMIT", "5"}, {"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}},
		Body:   []byte(`{}`),
	}), nil)
	got := rawCall(t, addr, closeGet)
	for _, line := range []string{"HTTP/1.1 201 Created", "totalRecords: 7", "x-ratelimit-LIMIT: 5", "Set-Cookie: a=1",
		"Set-Cookie: b=2", "Content-Type: application/json;charset=utf-8", "Content-Length: 2"} {
		if !strings.Contains(got, line+"\r\n") {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if !strings.HasSuffix(got, "\r\n\r\n{}") {
		t.Errorf("body of\n%s", got)
	}
}

// A value with a line break must not start a header of its own.
func TestWriteHeaderInjection(t *testing.T) {
	addr := serveTest(t, answers(Response{Header: [][2]string{{"Location", "/a\r\nEvil: 1"}, {"Bad name", "x"}, {"Bad:\r\nEvil", "1"}}}), nil)
	got := rawCall(t, addr, closeGet)
	if strings.Contains(got, "\nEvil") || strings.Contains(got, "Bad") {
		t.Errorf("injected header in\n%s", got)
	}
}

func TestWriteNoContentType(t *testing.T) {
	addr := serveTest(t, answers(Response{Body: []byte("<html>")}), nil)
	if got := rawCall(t, addr, closeGet); strings.Contains(strings.ToLower(got), "content-type") {
		t.Errorf("a content type was guessed in\n%s", got)
	}
}

func TestWriteWithoutBody(t *testing.T) {
	for _, status := range []int{204, 304} {
		addr := serveTest(t, answers(Response{Status: status, ContentType: "text/plain", Body: []byte("ignored")}), nil)
		got := rawCall(t, addr, closeGet)
		if !strings.HasSuffix(got, "\r\n\r\n") || strings.Contains(got, "Content-") {
			t.Errorf("status %d answers\n%s", status, got)
		}
	}
	addr := serveTest(t, answers(Response{}), nil)
	if got := rawCall(t, addr, closeGet); !strings.Contains(got, "200 OK") || !strings.Contains(got, "Content-Length: 0\r\n") {
		t.Errorf("the zero response answers\n%s", got)
	}
}

func TestWriteBigBodyHasALength(t *testing.T) {
	addr := serveTest(t, answers(Response{ContentType: "text/plain", Body: make([]byte, 100_000)}), nil)
	got := rawCall(t, addr, closeGet)
	if !strings.Contains(got, "Content-Length: 100000\r\n") || strings.Contains(got, "chunked") {
		t.Errorf("header %s", got[:min(len(got), 400)])
	}
}

func TestWriteHead(t *testing.T) {
	for _, body := range []string{"", "short", strings.Repeat("long", 2000)} {
		addr := serveTest(t, answers(Response{
			ContentType: "text/plain", Header: [][2]string{{"eTag", `"3"`}}, Body: []byte(body),
		}), nil)
		get := rawCall(t, addr, closeGet)
		head := rawCall(t, addr, "HEAD"+strings.TrimPrefix(closeGet, "GET"))
		getHead, gotBody, _ := strings.Cut(get, "\r\n\r\n")
		if gotBody != body {
			t.Errorf("GET has %d bytes, want %d", len(gotBody), len(body))
		}
		if diff := cmp.Diff(headers(t, getHead+"\r\n\r\n"), headers(t, head)); diff != "" {
			t.Errorf("headers of GET and HEAD (-GET +HEAD):\n%s", diff)
		}
		if !strings.HasSuffix(head, "\r\n\r\n") {
			t.Errorf("HEAD has a body: %q", head)
		}
	}
}

// headers reads a header without its date.
func headers(t *testing.T, text string) map[string][]string {
	t.Helper()
	r := textproto.NewReader(bufio.NewReader(strings.NewReader(text)))
	if _, err := r.ReadLine(); err != nil {
		t.Fatal(err)
	}
	h, err := r.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	h.Del("Date")
	return h
}

func TestAdaptImpossibleStatus(t *testing.T) {
	for _, status := range []int{-1, 1, 100, 199, 600, 1000} {
		var k kit
		h := k.serve(answers(Response{Status: status}), Options{})
		if w := do(h, httptest.NewRequest("GET", "/", nil)); w.Code != 500 {
			t.Errorf("status %d answers %d", status, w.Code)
		}
		if line := k.line(t); line["error_id"] == nil {
			t.Errorf("status %d logs %v", status, line)
		}
	}
}

func TestAdaptImpossibleErrorStatus(t *testing.T) {
	h := Adapt("test", "ANY /", func(*Request) (Response, error) { return Response{}, errRefused },
		func(*Request, error) Response { return Response{Status: 42} })
	if w := do(h, httptest.NewRequest("GET", "/", nil)); w.Code != 500 {
		t.Errorf("answers %d", w.Code)
	}
}

func TestAdaptWithoutServer(t *testing.T) {
	h := Adapt("test", "GET /", func(r *Request) (Response, error) {
		if r.Event.Door != "test" || r.Event.Route != "GET /" || r.Event.RequestID == "" || r.Event.Addr != "192.0.2.1" {
			t.Errorf("event %+v", r.Event)
		}
		return Response{}, errRefused
	}, onError)
	if w := do(h, httptest.NewRequest("GET", "/", nil)); w.Code != 403 || w.Body.String() != "no" {
		t.Errorf("answer %d %q", w.Code, w.Body)
	}
}

func TestAdaptAbort(t *testing.T) {
	h := Adapt("test", "GET /", func(*Request) (Response, error) { panic(http.ErrAbortHandler) }, onError)
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("recovered %v, want http.ErrAbortHandler", v)
		}
	}()
	do(h, httptest.NewRequest("GET", "/", nil))
	t.Error("the abort was swallowed")
}

func TestPanicErrorUnwrap(t *testing.T) {
	if err := (&PanicError{Value: errBroken}); !errors.Is(err, errBroken) {
		t.Error("the panic's error is lost")
	}
	if err := (&PanicError{Value: "x"}); err.Unwrap() != nil {
		t.Error("an error out of nothing")
	}
}

// A body that nobody asked for is read on HTTP/2, so that the stream is not
// reset under a client that is still sending; on HTTP/1 the server does that.
func TestUnreadBodyIsDrainedOnHTTP2(t *testing.T) {
	h := answers(Response{})
	for major, left := range map[int]int{1: 5, 2: 0} {
		body := strings.NewReader("dummy")
		r := httptest.NewRequest(http.MethodPut, "/", body)
		r.ProtoMajor = major
		h.ServeHTTP(httptest.NewRecorder(), r)
		if body.Len() != left {
			t.Errorf("HTTP/%d: %d bytes are left, want %d", major, body.Len(), left)
		}
	}
}

package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func request(body io.Reader, declared int64) *Request {
	return &Request{Request: &http.Request{Method: "POST", Body: io.NopCloser(body), ContentLength: declared}, Event: &Event{}}
}

// unread fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestBody(t *testing.T) {
	text := strings.Repeat("x", 40_000)
	for _, c := range []struct {
		name     string
		body     io.Reader
		declared int64
		limit    int64
		want     string
		err      error
	}{
		{"empty", strings.NewReader(""), 0, 10, "", nil},
		{"small", strings.NewReader("hello"), 5, 10, "hello", nil},
		{"at the limit", strings.NewReader("hello"), 5, 5, "hello", nil},
		{"chunked", strings.NewReader("hello"), -1, 10, "hello", nil},
		{"chunked and empty", strings.NewReader(""), -1, 10, "", nil},
		{"chunked at the limit", strings.NewReader("hello"), -1, 5, "hello", nil},
		{"chunked over the limit", strings.NewReader("hello"), -1, 4, "", ErrTooLarge},
		{"declared over the limit", unread{t}, 5, 4, "", ErrTooLarge},
		{"limit of nothing", unread{t}, 5, 0, "", ErrTooLarge},
		{"longer than the first read", strings.NewReader(text), 40_000, 50_000, text, nil},
		{"byte by byte", iotest.OneByteReader(strings.NewReader("hello")), -1, 10, "hello", nil},
		{"data with the end", iotest.DataErrReader(strings.NewReader("hello")), 5, 10, "hello", nil},
		{"breaks off", io.MultiReader(strings.NewReader("he"), iotest.ErrReader(io.ErrUnexpectedEOF)), 5, 10, "", ErrBadBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := request(c.body, c.declared).Body(c.limit)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("Body = %d bytes, %v; want %d bytes, %v", len(got), err, len(c.want), c.err)
			}
		})
	}
}

func TestBodyTwice(t *testing.T) {
	r := request(strings.NewReader("hello"), 5)
	first, err1 := r.Body(10)
	second, err2 := r.Body(10)
	if err1 != nil || err2 != nil || string(first) != "hello" || !bytes.Equal(first, second) {
		t.Errorf("first %q %v, second %q %v", first, err1, second, err2)
	}
	r = request(strings.NewReader("hello"), 5)
	if _, err := r.Body(1); err != ErrTooLarge {
		t.Errorf("first %v", err)
	}
	if _, err := r.Body(10); err != ErrTooLarge {
		t.Errorf("second %v", err)
	}
}

func TestBodyWithoutReader(t *testing.T) {
	r := &Request{Request: httptest.NewRequest("GET", "/", nil), Event: &Event{}}
	r.Request.Body = nil
	if b, err := r.Body(10); b != nil || err != nil {
		t.Errorf("Body = %q, %v", b, err)
	}
}

// roomReader notes how much room it was offered, then breaks off.
type roomReader struct{ room int }

func (r *roomReader) Read(p []byte) (int, error) {
	r.room = max(r.room, len(p))
	return 0, io.ErrUnexpectedEOF
}

// A declared length is not memory: nothing large is set aside before the bytes
// have come.
func TestBodyDeclaredOnly(t *testing.T) {
	const declared = 64 << 20
	src := &roomReader{}
	if _, err := request(src, declared).Body(declared); !errors.Is(err, ErrBadBody) {
		t.Fatal(err)
	}
	if src.room == 0 || src.room > 2*firstRead {
		t.Errorf("%d bytes set aside for a body that never came", src.room)
	}
}

// echo answers with the body that it read, or with the class of the error.
func echo(limit int64) http.Handler {
	return Adapt("test", "POST /", func(r *Request) (Response, error) {
		b, err := r.Body(limit)
		return Response{ContentType: "text/plain", Body: append([]byte("got "), b...)}, err
	}, func(r *Request, err error) Response {
		switch {
		case r.Event.ErrorID != "":
			return Response{Status: 500}
		case errors.Is(err, ErrTooLarge):
			return Response{Status: 413, Body: []byte("too large")}
		case errors.Is(err, ErrBadBody):
			return Response{Status: 400, Body: []byte("bad body")}
		}
		return Response{Status: 500}
	})
}

func TestBodyOnTheWire(t *testing.T) {
	addr := serveTest(t, echo(16), nil)
	const head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	const chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct{ name, send, status, end string }{
		{"declared", head + "Content-Length: 5\r\n\r\nhello", "200", "got hello"},
		{"chunked", chunked + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "200", "got hello"},
		{"chunked with extension and trailer", chunked + "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", "200", "got hello"},
		{"neither", head + "\r\n", "200", "got "},
		{"too large", head + "Content-Length: 17\r\n\r\n12345678901234567", "413", "too large"},
		{"chunked too large", chunked + "11\r\n12345678901234567\r\n0\r\n\r\n", "413", "too large"},
		{"chunk size is no number", chunked + "zz\r\nhello\r\n0\r\n\r\n", "400", "bad body"},
		{"chunk shorter than its size", chunked + "3\r\nhello\r\n0\r\n\r\n", "400", "bad body"},
		{"chunk size overflows", chunked + "fffffffffffffffff\r\nhello\r\n0\r\n\r\n", "400", "bad body"},
		{"length is no number", head + "Content-Length: five\r\n\r\nhello", "400", "400 Bad Request"},
		{"length is negative", head + "Content-Length: -5\r\n\r\nhello", "400", "400 Bad Request"},
		{"length has a sign", head + "Content-Length: +5\r\n\r\nhello", "400", "400 Bad Request"},
		{"length overflows", head + "Content-Length: 99999999999999999999\r\n\r\nhello", "400", "400 Bad Request"},
		{"two lengths that differ", head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400", "400 Bad Request"},
		{"unknown coding", head + "Transfer-Encoding: gzip\r\n\r\nhello", "501", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := rawCall(t, addr, c.send)
			if !strings.HasPrefix(got, "HTTP/1.1 "+c.status+" ") || !strings.HasSuffix(got, c.end) {
				t.Errorf("sent %q, got\n%s", c.send, got)
			}
		})
	}
}

// A client that sends less than it declared and goes away is answered, if it
// still listens, and counted as the client's fault.
func TestBodyBreaksOff(t *testing.T) {
	var k kit
	done := make(chan struct{})
	h := k.serve(echo(1<<20), Options{})
	addr := serveTest(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		h.ServeHTTP(w, r)
	}), nil)
	conn := dial(t, addr)
	send(t, conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf of it")
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(conn)
	<-done
	if !strings.HasSuffix(string(answer), "bad body") {
		t.Errorf("answer %q", answer)
	}
	if e := k.events[0]; e.Status != 400 || e.ErrorID != "" || e.Code != "invalid" || !errors.Is(e.Cause, ErrBadBody) {
		t.Errorf("event %+v", e)
	}
}

// A body that trickles in is given up after ReadTimeout.
func TestBodyTooSlow(t *testing.T) {
	addr := serveTest(t, echo(1<<20), func(srv *http.Server) {
		srv.ReadTimeout = 400 * time.Millisecond
		Limits(srv)
	})
	conn := dial(t, addr)
	send(t, conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf of it")
	answer, err := io.ReadAll(conn) // ends only because the server gives up
	if err != nil || !strings.HasSuffix(string(answer), "bad body") {
		t.Errorf("answer %q, %v", answer, err)
	}
}

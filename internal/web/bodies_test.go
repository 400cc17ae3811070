package web

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

var errTestBusy = errors.New("come back later")

// careless is a door that takes every body that it cannot read for the client's
// fault, as the doors do.
func careless(limit int64) http.Handler {
	return Adapt("test", "POST /", func(r *Request) (Response, error) {
		b, err := r.Body(limit)
		if err != nil {
			return Response{Status: 400}, nil
		}
		return Response{ContentType: "text/plain", Body: strconv.AppendInt(nil, int64(len(b)), 10)}, nil
	}, func(_ *Request, err error) Response {
		if !errors.Is(err, errTestBusy) {
			return Response{Status: 500}
		}
		return Response{Status: 503, ContentType: "text/plain", Header: [][2]string{{"Retry-After", "5"}}, Body: []byte(err.Error())}
	})
}

// budgeted is a server with a budget, which believes the X-Forwarded-For of tests.
func budgeted(bodies int64) http.Handler {
	return NewServer(careless(1<<20), Options{
		Logger:         slog.New(slog.DiscardHandler),
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Bodies:         bodies,
		Busy:           func() error { return errTestBusy },
	})
}

func head(from string, declared int) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\nContent-Length: %d\r\n\r\n", from, declared)
}

// hold begins a body of a client, does not end it, and returns once it is counted.
// Meanwhile calls with small bodies are made, which never take what it needs.
func hold(t *testing.T, h http.Handler, addr, from string, sent, declared int) net.Conn {
	t.Helper()
	conn := dial(t, addr)
	send(t, conn, head(from, declared)+strings.Repeat("x", sent))
	b, client := h.(*server).bodies, clientOf(from)
	for deadline := time.Now().Add(20 * time.Second); ; {
		b.mu.Lock()
		counted := b.by[client]
		b.mu.Unlock()
		if counted == int64(declared) {
			return conn
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are counted of a body of %d, of which %d came", counted, declared, sent)
		}
		if got := post(t, addr, from, 10); got != 200 {
			t.Fatalf("a small body gets %d", got)
		}
	}
}

// post sends a whole body and returns the status. What it checks of a refusal: the
// door's own form, and that the connection is closed.
func post(t *testing.T, addr, from string, size int) int {
	t.Helper()
	conn := dial(t, addr)
	defer conn.Close()
	send(t, conn, head(from, size)+strings.Repeat("x", size))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	switch resp.StatusCode {
	case 200:
		if string(body) != strconv.Itoa(size) {
			t.Fatalf("a body of %d bytes is read as %s", size, body)
		}
	case 503:
		if string(body) != errTestBusy.Error() || resp.Header.Get("Retry-After") != "5" || !resp.Close {
			t.Fatalf("refused with %q, %v, closed %v", body, resp.Header, resp.Close)
		}
	}
	return resp.StatusCode
}

// until posts until the status is the one wanted.
func until(t *testing.T, addr, from string, size, want int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		got := post(t, addr, from, size)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a body of %d bytes from %s still gets %d", size, from, got)
		}
	}
}

// The budget of these tests: four clients with one large body each use it up.
const (
	testBudget = 1 << 20
	large      = 250_000
	small      = 64 << 10
)

// Bodies that are held use up the budget: large ones of others are refused, small
// ones are not, and once the holders have gone the large ones pass again.
func TestBodiesAreBounded(t *testing.T) {
	h := budgeted(testBudget)
	addr := serveTest(t, h, nil)
	var held []net.Conn
	for i := range shares {
		from := fmt.Sprintf("192.0.2.%d", i)
		held = append(held, hold(t, h, addr, from, large-1000, large))
		if got := post(t, addr, from, large); got != 503 {
			t.Errorf("a large body beyond the share of %s gets %d", from, got)
		}
	}
	for _, from := range []string{"198.51.100.1", "2001:db8::1"} {
		if got := post(t, addr, from, large); got != 503 {
			t.Errorf("a large body from %s beyond the budget gets %d", from, got)
		}
	}
	for _, from := range []string{"198.51.100.1", "192.0.2.0"} {
		for range 20 {
			if got := post(t, addr, from, small); got != 200 {
				t.Fatalf("a small body from %s gets %d", from, got)
			}
		}
	}
	// One of the holders ends its body, the others go away.
	send(t, held[0], strings.Repeat("x", 1000))
	resp, err := http.ReadResponse(bufio.NewReader(held[0]), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("the body that was held gets %v, %v", resp, err)
	}
	resp.Body.Close()
	for _, conn := range held[1:] {
		conn.Close()
	}
	for i := range shares {
		until(t, addr, fmt.Sprintf("192.0.2.%d", i), large, 200)
	}
	b := h.(*server).bodies
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held != 0 || len(b.by) != 0 {
		t.Errorf("%d bytes of %v are never given back", b.held, b.by)
	}
}

// One client has a quarter, and cannot get more by other addresses of its network.
func TestBodiesAreSharedByAddress(t *testing.T) {
	h := budgeted(testBudget)
	addr := serveTest(t, h, nil)
	for _, c := range []struct{ holder, same, other string }{
		{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"},
	} {
		conn := hold(t, h, addr, c.holder, large-1000, large)
		if got := post(t, addr, c.same, large); got != 503 {
			t.Errorf("a large body from %s gets %d while %s has its share", c.same, got, c.holder)
		}
		if got := post(t, addr, c.other, large); got != 200 {
			t.Errorf("a large body from %s gets %d while %s has its share", c.other, got, c.holder)
		}
		conn.Close()
		until(t, addr, c.holder, large, 200)
	}
}

// Whatever the number of large bodies at the same time, each is answered in one of
// two ways, and nothing stays counted.
func TestBodiesAtTheSameTime(t *testing.T) {
	h := budgeted(testBudget)
	addr := serveTest(t, h, nil)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr, strings.NewReader(strings.Repeat("x", large)))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i%8))
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != 200 && resp.StatusCode != 503 {
				t.Errorf("status %d", resp.StatusCode)
			}
		})
	}
	all.Wait()
	for i := range 8 {
		if got := post(t, addr, fmt.Sprintf("192.0.2.%d", i), large); got != 200 {
			t.Errorf("a large body when nobody holds one gets %d", got)
		}
	}
}

// A refusal on HTTP/2, where a connection has many requests.
func TestBodiesOnHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(budgeted(1))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	for size, want := range map[int]int{small: 200, large: 503} {
		resp, err := srv.Client().Post(srv.URL, "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.ProtoMajor != 2 || resp.StatusCode != want {
			t.Errorf("%d bytes on %s get %d, want %d", size, resp.Proto, resp.StatusCode, want)
		}
	}
}

// A body of 64 KiB is never counted, nor is one that was refused.
func TestBodiesUncounted(t *testing.T) {
	for _, c := range []struct {
		size    int
		chunked bool
		want    int
	}{{small, false, 200}, {small, true, 200}, {2 * small, false, 503}, {2 * small, true, 503}} {
		h := budgeted(1)
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(make([]byte, c.size)))
		if c.chunked {
			r.ContentLength = -1
		}
		if w := do(h, r); w.Code != c.want {
			t.Errorf("%d bytes, chunked %v: %d, want %d", c.size, c.chunked, w.Code, c.want)
		}
		if b := h.(*server).bodies; b.held != 0 {
			t.Errorf("%d bytes stay counted", b.held)
		}
	}
}

// Without Options.Busy the door learns of ErrBusy, and the event has its own code.
func TestBodiesBusyByDefault(t *testing.T) {
	var k kit
	h := k.serve(Adapt("test", "POST /", func(r *Request) (Response, error) {
		_, err := r.Body(1 << 20)
		return Response{}, err
	}, func(_ *Request, err error) Response {
		if !errors.Is(err, ErrBusy) {
			return Response{Status: 500}
		}
		return Response{Status: 503}
	}), Options{Bodies: 1})
	w := do(h, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(make([]byte, large))))
	if e := k.events[0]; w.Code != 503 || e.Code != "unavailable" || e.ErrorID != "" {
		t.Errorf("status %d, event %+v", w.Code, e)
	}
}

// A panic gives the memory back like any other end.
func TestBodiesAfterPanic(t *testing.T) {
	var k kit
	h := k.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Adapt("test", "POST /", func(r *Request) (Response, error) {
			if _, err := r.Body(1 << 20); err != nil {
				return Response{}, err
			}
			panic(http.ErrAbortHandler)
		}, onError).ServeHTTP(w, r)
	}), Options{})
	func() {
		defer func() { _ = recover() }() // the server asks for the connection to be cut
		do(h, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(make([]byte, large))))
	}()
	if b := h.(*server).bodies; b.held != 0 || len(k.events) != 1 {
		t.Errorf("%d bytes stay counted, %d events", b.held, len(k.events))
	}
}

// rooms adds up the room that it was offered at the beginning of each piece.
type rooms struct {
	src  io.Reader
	left int
	all  int
}

func (r *rooms) Read(p []byte) (int, error) {
	if r.left == 0 {
		r.left = len(p)
		r.all += len(p)
	}
	n, err := r.src.Read(p)
	r.left -= n
	return n, err
}

// Bodies of all lengths around those where a piece ends come whole, and one of a
// declared length has no more memory than that.
func TestBodyPieces(t *testing.T) {
	for _, around := range []int{4 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 1 << 20} {
		for size := around - 2; size <= around+3; size++ {
			want := make([]byte, size)
			for i := range want {
				want[i] = byte(i % 251)
			}
			for _, declared := range []int64{-1, int64(size)} {
				for name, src := range map[string]io.Reader{
					"whole": bytes.NewReader(want), "halves": iotest.HalfReader(bytes.NewReader(want)), "end with data": iotest.DataErrReader(bytes.NewReader(want)),
				} {
					counted := &rooms{src: src}
					got, err := readBody(counted, declared, int64(size), nil)
					if err != nil || !bytes.Equal(got, want) {
						t.Fatalf("%s, %d bytes, declared %d: %d bytes, %v", name, size, declared, len(got), err)
					}
					if counted.all > size+1 {
						t.Fatalf("%s, %d bytes, declared %d: room for %d", name, size, declared, counted.all)
					}
				}
				if _, err := readBody(bytes.NewReader(want), -1, int64(size)-1, nil); err != ErrTooLarge {
					t.Fatalf("%d bytes of %d: %v", size, size-1, err)
				}
			}
		}
	}
}

package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// streaming is a server whose one handler streams, and the events of its
// requests.
func streaming(t *testing.T, stream func(context.Context, *Stream) error, tune func(*http.Server)) (addr string, events chan Event) {
	t.Helper()
	events = make(chan Event, 10)
	h := NewServer(Adapt("test", "GET /", func(*Request) (Response, error) {
		return Response{ContentType: "text/plain", Header: [][2]string{{"x-kind", "stream"}}, Stream: stream}, nil
	}, onError), Options{Logger: slog.New(slog.DiscardHandler), Observe: func(e *Event) { events <- *e }})
	return serveTest(t, h, tune), events
}

// What is written goes out at once, and the client's going ends the stream.
func TestStreamSendsAtOnce(t *testing.T) {
	lines := make(chan string)
	ended := make(chan error, 1)
	addr, events := streaming(t, func(ctx context.Context, s *Stream) error {
		s.SetHeader("x-late", "yes")
		for {
			select {
			case line := <-lines:
				if _, err := io.WriteString(s, line); err != nil {
					ended <- err
					return err
				}
				s.SetHeader("x-too-late", "no")
			case <-ctx.Done():
				ended <- ctx.Err()
				return ctx.Err()
			}
		}
	}, nil)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	lines <- "one\n"
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("x-kind") != "stream" || resp.Header.Get("x-late") != "yes" || resp.ContentLength != -1 {
		t.Errorf("%+v", resp)
	}
	body := bufio.NewReader(resp.Body)
	for _, want := range []string{"one\n", "two\n", "three\n"} {
		if want != "one\n" {
			lines <- want
		}
		if got, err := body.ReadString('\n'); got != want || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if e := <-events; e.Status != 200 || !e.Streamed || e.Bytes != len("one\ntwo\nthree\n") || e.Code != "" {
		t.Errorf("%+v", e)
	}
}

// shortLimits makes a server's time limits short, and outlast returns once they have
// passed: a request that was begun after the call and never ends has been cut off.
const shortLimit = 100 * time.Millisecond

func shortLimits(srv *http.Server) {
	srv.ReadHeaderTimeout, srv.ReadTimeout, srv.WriteTimeout = shortLimit, shortLimit, shortLimit
}

func outlast(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\n")
	}
	if err == nil {
		_, err = io.ReadAll(conn)
	}
	if err = errors.Join(err, conn.Close()); err != nil {
		t.Error(err)
	}
}

// A stream outlives the time limits of the server, which hold for each write.
func TestStreamOutlivesTimeLimits(t *testing.T) {
	begun, passed := make(chan bool), make(chan bool)
	addr, _ := streaming(t, func(ctx context.Context, s *Stream) error {
		if err := s.Begin(); err != nil {
			return err
		}
		begun <- true
		select {
		case <-passed:
		case <-ctx.Done():
			return ctx.Err()
		}
		_, err := io.WriteString(s, "late")
		return err
	}, shortLimits)
	go func() {
		<-begun
		outlast(t, addr)
		outlast(t, addr)
		close(passed)
	}()
	if got := rawCall(t, addr, closeGet); !strings.Contains(got, "late") || !strings.HasSuffix(got, "0\r\n\r\n") {
		t.Errorf("%q", got)
	}
}

// A client that does not read is given up.
func TestStreamLeavesSlowClients(t *testing.T) {
	ended := make(chan error, 1)
	addr, events := streaming(t, func(_ context.Context, s *Stream) error {
		for {
			if _, err := s.Write(make([]byte, 1<<20)); err != nil {
				_, again := s.Write([]byte("x"))
				ended <- errors.Join(err, again)
				return err
			}
		}
	}, func(srv *http.Server) { srv.WriteTimeout = 50 * time.Millisecond })
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("it ended well")
	}
	if e := <-events; e.Status != 200 || e.ErrorID != "" {
		t.Errorf("%+v", e)
	}
}

func TestStreamHTTP10(t *testing.T) {
	addr, _ := streaming(t, func(_ context.Context, s *Stream) error {
		_, err := io.WriteString(s, "whole")
		return err
	}, nil)
	got := rawCall(t, addr, "GET / HTTP/1.0\r\n\r\n")
	if !strings.HasSuffix(got, "\r\n\r\nwhole") || strings.Contains(got, "chunked") {
		t.Errorf("%q", got)
	}
}

func TestStreamHead(t *testing.T) {
	addr, events := streaming(t, func(context.Context, *Stream) error { panic("called") }, nil)
	got := rawCall(t, addr, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if !strings.Contains(got, "200 OK") || !strings.Contains(got, "x-kind: stream\r\n") || !strings.HasSuffix(got, "\r\n\r\n") {
		t.Errorf("%q", got)
	}
	if e := <-events; e.Status != 200 || e.Bytes != 0 {
		t.Errorf("%+v", e)
	}
}

// A stream that fails before it has begun is answered like any other request; one
// that writes nothing is an empty answer.
func TestStreamBeforeItBegins(t *testing.T) {
	for _, test := range []struct {
		name   string
		stream func(context.Context, *Stream) error
		status int
	}{
		{"error", func(context.Context, *Stream) error { return errors.New("no") }, 500},
		{"panic", func(context.Context, *Stream) error { panic("no") }, 500},
		{"nothing", func(context.Context, *Stream) error { return nil }, 200},
	} {
		addr, events := streaming(t, test.stream, nil)
		resp, err := http.Get("http://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != test.status {
			t.Errorf("%s: %d %v", test.name, resp.StatusCode, err)
		}
		if e := <-events; e.Status != test.status || (e.ErrorID != "") != (test.status == 500) {
			t.Errorf("%s: %+v", test.name, e)
		}
	}
}

// A stream that fails later is cut, and the log says why.
func TestStreamCutOnError(t *testing.T) {
	for _, fail := range []func() error{func() error { return errors.New("no") }, func() error { panic("no") }} {
		addr, events := streaming(t, func(_ context.Context, s *Stream) error {
			if _, err := io.WriteString(s, "part"); err != nil {
				return err
			}
			return fail()
		}, nil)
		resp, err := http.Get("http://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("a whole answer: %q", body)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if e := <-events; e.Status != 200 || e.ErrorID == "" || e.Cause == nil {
			t.Errorf("%+v", e)
		}
	}
}

// Over HTTP/2 a stream works alike.
func TestStreamHTTP2(t *testing.T) {
	lines := make(chan string)
	srv := httptest.NewUnstartedServer(Adapt("test", "GET /", func(*Request) (Response, error) {
		return Response{Stream: func(ctx context.Context, s *Stream) error {
			for {
				select {
				case line := <-lines:
					if _, err := io.WriteString(s, line); err != nil {
						return err
					}
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}}, nil
	}, onError))
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{NextProtos: []string{"h2"}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	go func() { lines <- "one\n" }()
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	body := bufio.NewReader(resp.Body)
	for _, want := range []string{"one\n", "two\n"} {
		if want != "one\n" {
			lines <- want
		}
		if got, err := body.ReadString('\n'); got != want || err != nil || resp.ProtoMajor != 2 {
			t.Errorf("read %q, %v", got, err)
		}
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
}

// A handler that waits may take longer than the server's time limits.
func TestHoldFor(t *testing.T) {
	begun, passed := make(chan bool), make(chan bool)
	addr := serveTest(t, Adapt("test", "GET /", func(r *Request) (Response, error) {
		r.HoldFor(time.Minute)
		begun <- true
		select {
		case <-passed:
			return Response{Body: []byte("late")}, nil
		case <-r.Context().Done():
			return Response{}, r.Context().Err()
		}
	}, onError), shortLimits)
	go func() {
		<-begun
		outlast(t, addr)
		outlast(t, addr)
		close(passed)
	}()
	if got := rawCall(t, addr, closeGet); !strings.HasSuffix(got, "late") {
		t.Errorf("%q", got)
	}
	(&Request{}).HoldFor(time.Minute) // a request that no connection carries
}

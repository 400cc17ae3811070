package web

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	var srv http.Server
	Limits(&srv)
	for name, d := range map[string]time.Duration{
		"ReadHeaderTimeout": srv.ReadHeaderTimeout, "ReadTimeout": srv.ReadTimeout,
		"WriteTimeout": srv.WriteTimeout, "IdleTimeout": srv.IdleTimeout,
	} {
		if d <= 0 || d > 5*time.Minute {
			t.Errorf("%s = %v", name, d)
		}
	}
	if srv.MaxHeaderBytes <= 0 || srv.MaxHeaderBytes > 64<<10 {
		t.Errorf("MaxHeaderBytes = %d", srv.MaxHeaderBytes)
	}
	own := http.Server{ReadTimeout: time.Hour, MaxHeaderBytes: 1 << 20}
	Limits(&own)
	if own.ReadTimeout != time.Hour || own.MaxHeaderBytes != 1<<20 || own.IdleTimeout == 0 {
		t.Errorf("the operator's choice is lost: %+v", &own)
	}
}

// dial opens a connection on which no read or write can hang.
func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// limited is a server with Limits, whose handler must not be reached.
func limited(t *testing.T, tune func(*http.Server)) string {
	return serveTest(t, NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the handler got %d bytes of URL, %d headers", len(r.RequestURI), len(r.Header))
	}), Options{}), func(srv *http.Server) {
		if tune != nil {
			tune(srv)
		}
		Limits(srv)
	})
}

// Slowloris: a header that never ends holds a connection only until
// ReadHeaderTimeout.
func TestLimitsSlowHeader(t *testing.T) {
	addr := limited(t, func(srv *http.Server) { srv.ReadHeaderTimeout = 50 * time.Millisecond })
	for _, start := range []string{"G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n"} {
		conn := dial(t, addr)
		send(t, conn, start)
		answer, err := io.ReadAll(conn)
		if err != nil || strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			t.Errorf("after %q: %q, %v; want the connection closed", start, answer, err)
		}
	}
}

// Bytes that keep coming do not extend the time: the limit is on the whole
// header.
func TestLimitsEndlessHeader(t *testing.T) {
	addr := limited(t, func(srv *http.Server) {
		srv.ReadHeaderTimeout = 50 * time.Millisecond
		srv.MaxHeaderBytes = 1 << 30 // so that only the time-out can end it
	})
	conn := dial(t, addr)
	send(t, conn, "GET / HTTP/1.1\r\nHost: x\r\n")
	for {
		if _, err := io.WriteString(conn, "X: y\r\n"); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the connection stayed open")
			}
			return // the server gave up while bytes were still coming
		}
	}
}

// flood writes as much as the server takes and returns its answer.
func flood(t *testing.T, addr, head, unit string, times int) string {
	t.Helper()
	conn := dial(t, addr)
	go func() {
		_, _ = io.WriteString(conn, head)
		block := strings.Repeat(unit, 64)
		for range times / 64 {
			if _, err := io.WriteString(conn, block); err != nil {
				return // the server has closed, as it should
			}
		}
	}()
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return string(answer[:n])
}

func TestLimitsHeaderFlood(t *testing.T) {
	addr := limited(t, nil)
	for name, call := range map[string][2]string{
		"many headers":    {"GET / HTTP/1.1\r\nHost: x\r\n", "X-Flood: aaaaaaaaaaaaaaaa\r\n"},
		"one long header": {"GET / HTTP/1.1\r\nHost: x\r\nX-Flood: ", "aaaaaaaaaaaaaaaaaaaaaaaaaa"},
		"huge URL":        {"GET /", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
		"huge query":      {"GET /?", "a=aaaaaaaaaaaaaaaaaaaaaaaaaaa&"},
		"huge method":     {"", "GETGETGETGETGETGETGETGETGETGET"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := flood(t, addr, call[0], call[1], 1<<16); !strings.HasPrefix(got, "HTTP/1.1 431 ") {
				t.Errorf("answer %q, want 431", got)
			}
		})
	}
}

// An idle connection is closed after IdleTimeout.
func TestLimitsIdle(t *testing.T) {
	addr := serveTest(t, answers(Response{Body: []byte("hi")}), func(srv *http.Server) {
		srv.IdleTimeout = 50 * time.Millisecond
		Limits(srv)
	})
	conn := dial(t, addr)
	send(t, conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	answer, err := io.ReadAll(conn) // ends only because the server closes
	if err != nil || !strings.HasSuffix(string(answer), "\r\n\r\nhi") {
		t.Errorf("answer %q, %v", answer, err)
	}
}

// A request that a smuggler would write is refused by the server itself.
func TestLimitsMalformedRequests(t *testing.T) {
	addr := limited(t, nil)
	for name, text := range map[string]string{
		"no host":             "GET / HTTP/1.1\r\n\r\n",
		"two hosts":           "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"space before colon":  "GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello",
		"line without colon":  "GET / HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n",
		"not HTTP":            "hello\r\n\r\n",
		"broken path escape":  "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
		"NUL in a header":     "GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
		"two codings":         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"version of tomorrow": "GET / HTTP/3.0\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := rawCall(t, addr, text)
			if !strings.HasPrefix(got, "HTTP/1.1 4") && !strings.HasPrefix(got, "HTTP/1.1 5") {
				t.Errorf("answer %q, want a refusal", got)
			}
		})
	}
}

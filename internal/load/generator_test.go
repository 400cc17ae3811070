package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pause waits on the clock of a synctest bubble, which takes no time.
func pause(d time.Duration) { <-time.NewTimer(d).C }

// stalling is a server in memory that takes a millisecond for a request, and
// stalls once, for everybody.
type stalling struct {
	began  time.Time
	at     time.Duration // when it stalls
	length time.Duration
}

func (s *stalling) dial(context.Context, string) (net.Conn, error) {
	near, far := net.Pipe()
	go s.serve(far)
	return near, nil
}

func (s *stalling) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return // the client is gone
		}
		_, _ = io.Copy(io.Discard, request.Body)
		pause(time.Millisecond)
		if now := time.Since(s.began); now >= s.at && now < s.at+s.length {
			pause(s.at + s.length - now)
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}

func getRoot(buf []byte, _, _ int) []byte {
	r := Request{Method: "GET", Path: "/"}
	return r.Append(buf, "test")
}

// A server that stalls for a second of ten keeps the requests waiting that are
// due in that second: an open loop counts them, however few connections wait. A
// closed loop has sent one, and says so only when it is corrected.
func TestAnOpenLoopSeesAStall(t *testing.T) {
	const stall = time.Second
	synctest.Test(t, func(t *testing.T) {
		run := func(l Load) Result {
			server := &stalling{began: time.Now(), at: 5 * time.Second, length: stall}
			l.Addrs, l.dial, l.For, l.Next = []string{"memory"}, server.dial, 10*time.Second, getRoot
			r, err := l.Run(t.Context())
			if err != nil || r.Failed() > 0 {
				t.Fatal(err, r.Errors, r.FirstBad)
			}
			return r
		}
		open := run(Load{Conns: 2, Rate: 100})
		if open.Requests() != 1000 || open.Unsent != 0 {
			t.Errorf("of 1,000 requests that were due %d were answered and %d not sent", open.Requests(), open.Unsent)
		}
		// 100 of 1,000 were due in the stall: the last tenth waited, up to all of it.
		if got := open.Latency.Quantile(0.999); got < stall*95/100 || got > stall*105/100 {
			t.Errorf("open loop: 99.9 %% of the requests were answered within %v, and the server stalled for %v", got, stall)
		}
		if got := open.Latency.Quantile(0.95); got < stall*4/10 || got > stall*6/10 {
			t.Errorf("open loop: the 95th percentile is %v, and half of those who wait do so for half of %v", got, stall)
		}
		closed := run(Load{Conns: 2})
		if got := closed.Latency.Quantile(0.999); got > 2*time.Millisecond {
			t.Errorf("closed loop: the stall shows at 99.9 %%: %v", got)
		}
		corrected := closed.Corrected()
		if got := corrected.Quantile(0.999); got < stall*9/10 {
			t.Errorf("closed loop, corrected: %v at 99.9 %%, and the server stalled for %v", got, stall)
		}
	})
}

// What an open loop cannot send in time is late, and what it never sends is
// counted as having waited: nothing that was due is forgotten.
func TestAnOpenLoopForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &stalling{began: time.Now()}
		l := Load{Addrs: []string{"memory"}, dial: server.dial, Conns: 1, Rate: 4000, For: time.Second, Next: getRoot}
		r, err := l.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// One connection does 1,000 a second, and has a second more.
		if sent := r.Requests(); sent < 1990 || sent > 2010 {
			t.Errorf("%d requests in two seconds of a millisecond each", sent)
		}
		if all := r.Requests() + r.Unsent; all != 4000 || r.Latency.Count() != all {
			t.Errorf("%d answered and %d not sent of 4,000; %d times", r.Requests(), r.Unsent, r.Latency.Count())
		}
		if got := r.Latency.Quantile(0.5); got < 500*time.Millisecond {
			t.Errorf("half were answered within %v", got)
		}
	})
}

// Warm-up counts for nothing, and an open loop keeps its rate.
func TestRateAndWarmUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		server := &stalling{began: time.Now()}
		l := Load{Addrs: []string{"memory"}, dial: server.dial, Conns: 3, Rate: 50, Warm: 2 * time.Second, For: 4 * time.Second, Next: func(buf []byte, c, n int) []byte {
			sent.Add(1)
			return getRoot(buf, c, n)
		}}
		r, err := l.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r.Requests() != 200 || sent.Load() != 300 {
			t.Errorf("%d requests counted and %d sent, want 200 and 300", r.Requests(), sent.Load())
		}
	})
}

// Answers of all forms are read to their end, and those that are none counted by
// status.
func TestAnswersAreReadToTheirEnd(t *testing.T) {
	const rounds = 5
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		switch r.URL.Path {
		case "/chunks":
			for range 3 {
				fmt.Fprint(w, strings.Repeat("x", 1000))
				_ = http.NewResponseController(w).Flush()
			}
		case "/close":
			w.Header().Set("Connection", "close")
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/refused":
			http.Error(w, strings.Repeat("no ", 10_000), http.StatusTeapot)
		case "/break":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}
	}))
	defer server.Close()
	paths := []string{"/refused", "/break", "/chunks", "/close", "/nothing", "/plain"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := Load{Addrs: []string{server.Listener.Addr().String()}, Conns: 1, For: time.Hour, Next: func(buf []byte, _, n int) []byte {
		if n == rounds*len(paths)-1 {
			cancel() // what is sent is still answered
		}
		r := Request{Method: "GET", Path: paths[n%len(paths)]}
		return r.Append(buf, "test")
	}}
	r, err := l.Run(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the run ended with %v", err)
	}
	if r.Requests() != 4*rounds || r.Errors[http.StatusTeapot] != rounds || r.Errors[0] != rounds || r.Failed() != 2*rounds {
		t.Errorf("%d good answers, want %d; errors %v", r.Requests(), 4*rounds, r.Errors)
	}
	if !strings.HasPrefix(r.FirstBad, "418 no no") || len(r.FirstBad) > 2*maxShown {
		t.Errorf("the first bad answer is %q", r.FirstBad)
	}
}

// A server that is not there is an error, not a result.
func TestNoServer(t *testing.T) {
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	l := Load{Addrs: []string{addr}, Conns: 2, For: time.Hour, Next: getRoot}
	if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot reach the server") {
		t.Errorf("a load on nobody: %v", err)
	}
}

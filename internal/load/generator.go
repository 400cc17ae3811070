package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Load is what one run of the generator does. Without a rate it is a closed
// loop: every connection sends its next request when it has read the answer to
// the one before. With one it is open: requests are due at that rate, the next
// free connection takes the next one, and a time counts from the moment when
// the request was due, so that a server that stalls is charged for everybody
// who would have waited.
type Load struct {
	Addrs []string    // host:port of the servers; connections go round robin
	TLS   *tls.Config // nil: plain
	Conns int         // connections at once
	Rate  float64     // requests a second that are due; 0: a closed loop
	Warm  time.Duration
	For   time.Duration // how long, after Warm, which counts for nothing
	// Next appends the n-th request of a connection, whole, to buf. It runs on
	// the goroutine of that connection.
	Next func(buf []byte, conn, n int) []byte
	// Accept says which statuses are answers; any other counts as an error. nil:
	// 200 to 299.
	Accept func(status int) bool
	// Answered, unless nil, hears the status of the answer to what Next made last
	// for a connection, 0 for none, on the goroutine of that connection.
	Answered func(conn, status int)

	dial dialFunc // nil: TCP
}

// dialFunc makes a connection to an address.
type dialFunc func(ctx context.Context, addr string) (net.Conn, error)

// Result is what a Load saw.
type Result struct {
	Elapsed   time.Duration
	Open      bool // an open loop
	Conns     int
	Latency   Histogram   // of good answers; of an open loop also of what was due and never sent, so far as it had waited
	Errors    map[int]int // by status; 0: no answer came, or none that can be read
	FirstBad  string      // the first unexpected answer, for the reader
	Unsent    int         // of an open loop: due, and never sent
	requests  int
	unmatched error // a connection that could not be made
}

// Requests is how many good answers came.
func (r *Result) Requests() int { return r.requests }

// Failed is how many answers were not good.
func (r *Result) Failed() (n int) {
	for _, count := range r.Errors {
		n += count
	}
	return n
}

// PerSecond is the rate of good answers.
func (r *Result) PerSecond() float64 { return float64(r.requests) / r.Elapsed.Seconds() }

// Corrected is the histogram of a closed loop with the expected interval of a
// connection's requests, the mean one, corrected for what it did not send while
// it waited; of an open loop the histogram itself, which needs none.
func (r *Result) Corrected() Histogram {
	if r.Open || r.requests == 0 {
		return r.Latency.Corrected(0)
	}
	return r.Latency.Corrected(time.Duration(float64(r.Conns) * float64(r.Elapsed) / float64(r.requests)))
}

func (r *Result) bad(status int, text string) {
	if r.Errors == nil {
		r.Errors = map[int]int{}
	}
	r.Errors[status]++
	if r.FirstBad == "" {
		r.FirstBad = fmt.Sprintf("%d %s", status, text)
	}
}

// Merge adds what another run saw.
func (r *Result) Merge(other *Result) {
	r.requests += other.requests
	r.Unsent += other.Unsent
	r.Latency.Add(&other.Latency)
	for status, n := range other.Errors {
		if r.Errors == nil {
			r.Errors = map[int]int{}
		}
		r.Errors[status] += n
	}
	if r.FirstBad == "" {
		r.FirstBad = other.FirstBad
	}
}

// Run puts the load on the servers. An error means that a server could not be
// reached at all; unexpected answers, and connections that break, are counted in
// the result.
func (l *Load) Run(ctx context.Context) (Result, error) {
	if l.Warm > 0 {
		warm := *l
		warm.Warm, warm.For = 0, l.Warm
		if _, err := warm.Run(ctx); err != nil {
			return Result{}, err
		}
	}
	var wg sync.WaitGroup
	r := running{Load: l, ctx: ctx, start: time.Now()}
	r.deadline = r.start.Add(l.For)
	results := make([]Result, l.Conns)
	for c := range l.Conns {
		wg.Go(func() { r.connection(c, &results[c]) })
	}
	wg.Wait()
	total := Result{Elapsed: time.Since(r.start), Open: l.Rate > 0, Conns: l.Conns}
	var errs []error
	for i := range results {
		total.Merge(&results[i])
		errs = append(errs, results[i].unmatched)
	}
	r.unsent(&total)
	return total, errors.Join(append(errs, ctx.Err())...)
}

// running is a Load that runs.
type running struct {
	*Load
	ctx             context.Context // of the one Run
	start, deadline time.Time
	due             atomic.Int64 // of an open loop: requests that were taken
}

// take waits until the next request is due and says when that was; false when
// there is none any more. A closed loop's is due when it is asked for.
func (r *running) take() (time.Time, bool) {
	now := time.Now()
	if r.ctx.Err() != nil {
		return now, false
	}
	if r.Rate <= 0 {
		return now, now.Before(r.deadline)
	}
	// What was due before the deadline is sent after it too, for as long again: a
	// server that cannot keep up is seen to be late, and the run ends.
	due := r.dueAt(r.due.Load())
	if !due.Before(r.deadline) || now.After(r.deadline.Add(r.For)) {
		return due, false
	}
	due = r.dueAt(r.due.Add(1) - 1)
	if !due.Before(r.deadline) {
		r.due.Add(-1)
		return due, false
	}
	if wait := time.Until(due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.ctx.Done():
			return due, false
		}
	}
	return due, true
}

func (r *running) dueAt(k int64) time.Time {
	return r.start.Add(time.Duration(float64(k) / r.Rate * float64(time.Second)))
}

// unsent counts what an open loop's connections were never free for.
func (r *running) unsent(total *Result) {
	if r.Rate <= 0 || r.ctx.Err() != nil {
		return
	}
	now := time.Now()
	for k := r.due.Load(); r.dueAt(k).Before(r.deadline); k++ {
		total.Unsent++
		total.Latency.Record(now.Sub(r.dueAt(k)))
	}
}

// connection sends requests one after the other.
func (r *running) connection(c int, result *Result) {
	accept := r.Accept
	if accept == nil {
		accept = func(status int) bool { return status >= 200 && status <= 299 }
	}
	conn := &wire{addr: r.Addrs[c%len(r.Addrs)], tls: r.TLS, dial: r.dial}
	defer conn.close()
	if result.unmatched = conn.open(r.ctx); result.unmatched != nil {
		return
	}
	var buf []byte
	for n := 0; ; n++ {
		due, more := r.take()
		if !more {
			return
		}
		buf = r.Next(buf[:0], c, n)
		a, err := conn.exchange(r.ctx, buf)
		if err != nil {
			a.status = 0
		}
		if r.Answered != nil {
			r.Answered(c, a.status)
		}
		switch {
		case err != nil && r.ctx.Err() != nil:
			return
		case err != nil:
			conn.close()
			result.bad(0, err.Error())
		case !accept(a.status):
			result.bad(a.status, a.body)
		default:
			result.requests++
			result.Latency.Record(time.Since(due))
		}
	}
}

// wire is one connection, which is made again once it broke.
type wire struct {
	addr string
	tls  *tls.Config
	dial dialFunc
	conn net.Conn
	in   *bufio.Reader
}

// answerWithin is how long an answer may take: a server that never answers must
// not keep the generator for ever.
const answerWithin = time.Minute

func (w *wire) open(ctx context.Context) (err error) {
	dial := w.dial
	if dial == nil {
		dialer := net.Dialer{Timeout: 10 * time.Second}
		dial = func(ctx context.Context, addr string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", addr) }
	}
	if w.conn, err = dial(ctx, w.addr); err != nil {
		return fmt.Errorf("cannot reach the server: %w", err)
	}
	if w.tls != nil {
		secure := tls.Client(w.conn, w.tls)
		w.conn = secure
		if err := secure.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("cannot speak TLS with %s: %w", w.addr, err)
		}
	}
	w.in = bufio.NewReaderSize(w.conn, 64<<10)
	return nil
}

func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

// exchange sends one request and reads its answer.
func (w *wire) exchange(ctx context.Context, request []byte) (answer, error) {
	if w.conn == nil {
		if err := w.open(ctx); err != nil {
			return answer{}, err
		}
	}
	if err := w.conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return answer{}, err
	}
	if _, err := w.conn.Write(request); err != nil {
		return answer{}, fmt.Errorf("send: %w", err)
	}
	a, err := readAnswer(w.in)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return a, fmt.Errorf("answer to %.60q: %w", request, err)
	}
	if a.closes {
		w.close()
	}
	return a, nil
}

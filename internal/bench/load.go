package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Load is a closed loop: every connection sends its next request when it has
// read the answer to the one before.
type Load struct {
	Addr  string        // host:port
	Conns int           // connections at once
	For   time.Duration // how long
	// Next appends the n-th request of a connection, whole, to buf.
	Next func(buf []byte, conn, n int) []byte
	// Accept says which statuses are answers; any other counts as an error.
	Accept func(status int) bool
}

// Request is what a Load sends, once it is written.
type Request struct {
	Method, Path string
	Header       string // whole lines, each with its CRLF: credentials, cookies, Content-Type
	Body         string
}

// Append writes the request to buf, with its length.
func (r *Request) Append(buf []byte) []byte {
	buf = append(buf, r.Method...)
	buf = append(buf, ' ')
	buf = append(buf, r.Path...)
	buf = append(buf, " HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\n"...)
	buf = append(buf, r.Header...)
	buf = append(buf, "Content-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(r.Body)), 10)
	buf = append(buf, "\r\n\r\n"...)
	return append(buf, r.Body...)
}

// Result is what a Load saw.
type Result struct {
	Requests  int
	Errors    int
	FirstBad  string // the first unexpected answer, for the reader of a failure
	Elapsed   time.Duration
	latencies []time.Duration
}

// PerSecond is the rate of good answers.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Latency is the quantile q (0 to 1) of the time from request to answer.
func (r Result) Latency(q float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	slices.Sort(r.latencies)
	return r.latencies[min(len(r.latencies)-1, int(q*float64(len(r.latencies))))]
}

// Run puts the load on the server. An error means that it could not be
// reached; unexpected answers are counted in the result.
func (l Load) Run() (Result, error) {
	var wg sync.WaitGroup
	results := make([]Result, l.Conns)
	errs := make([]error, l.Conns)
	start := time.Now()
	deadline := start.Add(l.For)
	for c := range l.Conns {
		wg.Go(func() { results[c], errs[c] = l.connection(c, deadline) })
	}
	wg.Wait()
	total := Result{Elapsed: time.Since(start)}
	for _, r := range results {
		total.Requests += r.Requests
		total.Errors += r.Errors
		total.latencies = append(total.latencies, r.latencies...)
		if total.FirstBad == "" {
			total.FirstBad = r.FirstBad
		}
	}
	return total, errors.Join(errs...)
}

func (l Load) connection(c int, deadline time.Time) (Result, error) {
	var result Result
	conn, err := net.Dial("tcp", l.Addr)
	if err != nil {
		return result, err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	var buf []byte
	for n := 0; ; n++ {
		began := time.Now()
		if !began.Before(deadline) {
			return result, nil
		}
		buf = l.Next(buf[:0], c, n)
		if _, err := conn.Write(buf); err != nil {
			return result, fmt.Errorf("bench: send: %w", err)
		}
		status, body, err := readAnswer(in)
		if err != nil {
			return result, fmt.Errorf("bench: answer to %.80q: %w", buf, err)
		}
		if !l.Accept(status) {
			result.Errors++
			if result.FirstBad == "" {
				result.FirstBad = fmt.Sprintf("%d %s", status, body)
			}
			continue
		}
		result.Requests++
		result.latencies = append(result.latencies, time.Since(began))
	}
}

var lengthHeader = []byte("content-length:")

// readAnswer reads one answer with a Content-Length or without a body. The
// body is returned only for a status over 299.
func readAnswer(in *bufio.Reader) (int, string, error) {
	line, err := in.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return 0, "", orTruncated(err)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, "", err
	}
	length := 0
	for {
		line, err = in.ReadSlice('\n')
		if err != nil {
			return 0, "", orTruncated(err)
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > len(lengthHeader) && bytes.EqualFold(line[:len(lengthHeader)], lengthHeader) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(lengthHeader):]))); err != nil {
				return 0, "", err
			}
		}
	}
	if status > 299 {
		body := make([]byte, length)
		_, err = io.ReadFull(in, body)
		return status, string(body), err
	}
	_, err = in.Discard(length)
	return status, "", err
}

func orTruncated(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

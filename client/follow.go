package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// silence is how long a stream may bring nothing: the server shows every quarter
// of a minute that it is there.
const silence = time.Minute

// errSilent ends a connection that has brought nothing for too long.
var errSilent = errors.New("client: the server has fallen silent")

// follower is one who follows the events.
type follower struct {
	c       *Client
	r       *request
	o       *callOptions
	last    string        // id of the last event: where to go on
	pause   time.Duration // the server's wish before the next connection
	failed  int           // connections in a row that brought nothing
	came    bool          // a connection was made at least once
	deliver func(id string, data []byte) error
}

// errEnough is that the consumer wants no more.
var errEnough = errors.New("enough")

// follow goes over the events of a stream, each decoded.
func follow[T any](ctx context.Context, c *Client, q EventQuery, envelope string, options []CallOption, decode func(cursor string, data []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q.Wait = 0
		f := &follower{c: c, r: &request{method: http.MethodGet, path: path("events"), query: url.Values(q.query().text("envelope", envelope))}}
		f.deliver = func(id string, data []byte) error {
			e, err := decode(id, data)
			if err != nil {
				return fmt.Errorf("%w: %w", errUnreadable, err)
			}
			if !yield(e, nil) {
				return errEnough
			}
			return nil
		}
		if err := f.run(ctx, options); err != nil && !errors.Is(err, errEnough) {
			var none T
			yield(none, err)
		}
	}
}

// run connects until the events end.
func (f *follower) run(ctx context.Context, options []CallOption) error {
	f.o = &callOptions{header: http.Header{}, query: f.r.query}
	for _, option := range options {
		option(f.o)
	}
	if _, err := f.c.prepare(f.r, f.o.header); err != nil {
		return err
	}
	f.o.header.Set("Accept", "text/event-stream, application/problem+json")
	for {
		err := f.connection(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		refused, ok := errors.AsType[*Error](err)
		if errors.Is(err, errEnough) || errors.Is(err, errUnreadable) || ok && !busy(refused) && refused.Status < 500 || !ok && !broken(ctx, err) {
			return err
		}
		policy, asked := f.c.retry, max(retryDelay(refused), f.pause)
		if f.came { // it worked once: a server that is restarted comes back
			policy.attempts, policy.longest = math.MaxInt, max(policy.longest, asked)
		}
		f.failed++
		pause, again := policy.pause(ctx, f.failed, asked)
		if !again {
			return err
		}
		if ended := policy.wait(ctx, pause); ended != nil {
			return ended
		}
	}
}

// errUnreadable is an answer that is no stream of events.
var errUnreadable = errors.New("client: the answer is no stream of usher's events")

// connection makes one connection and delivers what comes; io.EOF is its ordinary
// end.
func (f *follower) connection(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer quiet.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.c.base+f.r.path+"?"+f.o.query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("client: %s %s: %w", f.r.method, f.r.path, cause(err))
	}
	req.Header = f.o.header.Clone()
	if f.last != "" {
		req.Header.Set("Last-Event-ID", f.last)
	}
	endless := *f.c.http
	endless.Timeout = 0
	resp, err := endless.Do(req)
	if err != nil {
		return fmt.Errorf("client: %s %s: %w", f.r.method, f.r.path, cause(err))
	}
	defer func() { _ = resp.Body.Close() }() // what matters of it has been read
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK {
		return f.refused(resp.StatusCode, resp)
	} else if media != "text/event-stream" {
		return errUnreadable
	}
	f.came = true
	return f.read(bufio.NewReader(resp.Body), func() { quiet.Reset(silence) })
}

// refused is the error of an answer that is no success.
func (f *follower) refused(status int, resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("client: %s %s: the answer breaks off: %w", f.r.method, f.r.path, cause(err))
	}
	return f.refusal(&answer{status: status, header: resp.Header, body: body})
}

func (f *follower) refusal(a *answer) error {
	e := refusal(f.r, a, f.c.retry.now())
	e.Attempts, e.RequestID = f.failed+1, f.o.header.Get("X-Request-Id")
	return e
}

// read delivers the events of a stream (HTML Living Standard, section 9.2.6); heard
// is called for each line.
func (f *follower) read(in *bufio.Reader, heard func()) error {
	var id, name string
	var data []byte
	hasID := false
	for {
		line, err := f.line(in)
		if err != nil {
			return err
		}
		heard()
		if len(line) > 0 {
			field, value, _ := bytes.Cut(line, []byte{':'})
			value = bytes.TrimPrefix(value, []byte{' '})
			switch string(field) {
			case "id":
				id, hasID = string(value), true
			case "event":
				name = string(value)
			case "data":
				data = append(append(data, value...), '\n')
			case "retry":
				if ms, err := strconv.ParseInt(string(value), 10, 32); err == nil && ms >= 0 {
					f.pause = time.Duration(ms) * time.Millisecond
				}
			}
			if int64(len(data)) > f.c.limit {
				return ErrAnswerTooLarge
			}
			continue
		}
		if err := f.dispatch(id, name, data); err != nil {
			return err
		}
		if hasID {
			f.last = id
		}
		f.failed = 0
		name, data = "", data[:0]
	}
}

// dispatch delivers one event.
func (f *follower) dispatch(id, name string, data []byte) error {
	switch {
	case len(data) == 0:
		return nil
	case name == "error":
		var p struct {
			Status int `json:"status"`
		}
		if err := json.Unmarshal(data, &p); err != nil {
			return errUnreadable
		}
		return f.refusal(&answer{status: p.Status, header: http.Header{}, body: data})
	}
	return f.deliver(id, data)
}

// line reads a line without its end.
func (f *follower) line(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && int64(len(line)) <= f.c.limit:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, ErrAnswerTooLarge
		case err != nil:
			return nil, fmt.Errorf("client: %s %s: the stream ends: %w", f.r.method, f.r.path, cause(err))
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
}

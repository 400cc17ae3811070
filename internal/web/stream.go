package web

import (
	"net/http"
	"runtime/debug"
	"time"
)

// Stream is an answer that is sent bit by bit (Response.Stream). It is not safe
// for concurrent use.
type Stream struct {
	a     *adapter
	w     *recorder
	r     *http.Request
	resp  *Response
	begun bool
	err   error // of the first write that failed
}

// SetHeader adds a header to an answer that has not begun.
func (s *Stream) SetHeader(name, value string) {
	if !s.begun {
		s.resp.Header = append(s.resp.Header, [2]string{name, value})
	}
}

// SetContentType sets the media type of an answer that has not begun, in place of
// that of its Response.
func (s *Stream) SetContentType(media string) {
	if !s.begun {
		s.resp.ContentType = media
	}
}

// Begun reports whether the answer has begun, with Begin or Write: from then on
// it has its status, and an error can only be told in the body or by cutting the
// connection.
func (s *Stream) Begun() bool { return s.begun }

// Begin sends the head of the answer, before there is anything to write.
func (s *Stream) Begin() error {
	_, err := s.Write(nil)
	return err
}

// Tell fills the request's event from an error that the body tells the client: one
// of an answer that has begun.
func (s *Stream) Tell(err error) { s.a.classify(s.w, err) }

// Write sends bytes at once. The client has as long for each write as the server
// gives it for a whole answer. Once a write has failed, all others fail with its
// error: the client has gone.
func (s *Stream) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	control := http.NewResponseController(s.w.ResponseWriter)
	// A writer without deadlines has none to run into.
	_ = control.SetWriteDeadline(time.Now().Add(writeTimeout(s.r)))
	if !s.begun {
		s.begun = true
		_ = control.SetReadDeadline(time.Time{}) // it would end the request
		writeHead(s.w, s.resp)
	}
	n := 0
	if len(b) > 0 {
		n, s.err = s.w.Write(b)
	}
	if s.err == nil {
		s.err = control.Flush()
	}
	return n, s.err
}

// stream sends an answer bit by bit. The error is what the caller is to answer
// instead: only of a stream that has not begun.
func (a *adapter) stream(rec *recorder, resp *Response) error {
	s := &Stream{a: a, w: rec, r: rec.req.Request, resp: resp}
	if s.r.Method == http.MethodHead {
		writeHead(rec, resp)
		return nil
	}
	rec.event.Streamed = true
	err := callStream(s)
	switch {
	case err != nil && !s.begun:
		rec.event.Streamed = false
		return err
	case err == nil && s.err == nil:
		return s.Begin() // of a stream that wrote nothing
	case s.err != nil || clientGone(s.r, err):
		return nil // nobody is there to learn of it
	}
	// A torn answer must not pass for a whole one.
	a.classify(rec, err)
	panic(http.ErrAbortHandler)
}

// callStream runs the stream's function and turns a panic into an error.
func callStream(s *Stream) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return s.resp.Stream(s.r.Context(), s)
}

// HoldFor lets an answer take so much longer than the server's time limits allow,
// for a handler that waits for something to happen. It is to be called before the
// wait, once.
func (r *Request) HoldFor(d time.Duration) {
	if r.w == nil {
		return // a request that no connection carries
	}
	control := http.NewResponseController(r.w)
	until := time.Now().Add(d + writeTimeout(r.Request))
	_, _ = control.SetReadDeadline(until), control.SetWriteDeadline(until) // a writer without deadlines has none to run into
}

// writeTimeout is the server's time limit for an answer.
func writeTimeout(r *http.Request) time.Duration {
	if srv, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && srv.WriteTimeout > 0 {
		return srv.WriteTimeout
	}
	return time.Minute
}

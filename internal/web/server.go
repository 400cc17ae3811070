package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"
)

// Options are the settings of NewServer. The zero value logs to slog.Default
// and trusts no proxy.
type Options struct {
	// Logger gets one line per request, message "request".
	Logger *slog.Logger
	// Observe, if set, is called once at the end of each request, for metrics.
	// It must not keep the event.
	Observe func(*Event)
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// IsInternal says whether an error is a failure of the server: then the
	// event gets an ErrorID and the error as Cause before the door's ErrorFunc
	// runs. The kit's own errors about a bad body are never asked about. Nil
	// takes every other error as internal.
	IsInternal func(error) bool
	// Classify, if set, names the code and reason of an error for the event;
	// a door's ErrorFunc may overwrite both.
	Classify func(error) (code, reason string)
	// Bodies is the most memory of the bodies of all requests under way together, in
	// bytes; 0 is DefaultBodies. A client's address (of IPv6 its /64 network) has a
	// quarter of it. It is counted as the bytes come and given back when the request
	// ends; bodies up to 64 KiB, and those that a handler reads by itself, are not
	// counted.
	Bodies int64
	// Busy, if set, makes the error by which a request is answered whose body goes
	// beyond Bodies, in place of ErrBusy.
	Busy func() error
}

// PanicError is a recovered panic.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // the goroutine's stack at that moment, for the log
}

// Error is the text for a log, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap is the panic's value if that was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

func asPanic(err error) (*PanicError, bool) { return errors.AsType[*PanicError](err) }

// server is the outermost handler.
type server struct {
	next   http.Handler
	o      Options
	bodies *bodyBudget
}

// NewServer makes the outermost handler: it gives each request its Event,
// recovers panics, and at the end logs one line and calls Observe.
func NewServer(next http.Handler, o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &server{next: next, o: o, bodies: newBodyBudget(o.Bodies)}
}

// recorder is the ResponseWriter below NewServer. It carries the event, so
// that no context value is needed, and holds what Adapt needs, so that a
// request costs the kit one allocation for all of it.
type recorder struct {
	http.ResponseWriter
	event Event
	req   Request
	hold  bodyHold
	o     *Options
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader notes the first final status.
func (w *recorder) WriteHeader(status int) {
	if w.event.Status == 0 && status >= 200 {
		w.event.Status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (w *recorder) Write(b []byte) (int, error) {
	if w.event.Status == 0 {
		w.event.Status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.event.Bytes += n
	return n, err
}

// Flush sends what is buffered, for handlers that stream.
func (w *recorder) Flush() {
	if w.event.Status == 0 {
		w.event.Status = http.StatusOK
	}
	// A writer that cannot flush sends at the end, which is all that a
	// http.Flusher promises.
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, o: &s.o, hold: bodyHold{budget: s.bodies}}
	newEvent(&rec.event, r)
	rec.event.Addr = clientAddr(r, s.o.TrustedProxies)
	defer s.finish(rec, r)
	s.next.ServeHTTP(rec, r)
}

// finish is deferred: it answers a panic that no door has recovered, then logs
// and counts. After a panic with the answer begun, or http.ErrAbortHandler,
// the connection is cut, since the client would take a torn answer as whole.
func (s *server) finish(rec *recorder, r *http.Request) {
	cut := false
	rec.giveBack()
	if v := recover(); v != nil {
		cut = v == http.ErrAbortHandler || rec.event.Status != 0
		if v != http.ErrAbortHandler {
			rec.event.ErrorID = newID()
			rec.event.Cause = &PanicError{Value: v, Stack: debug.Stack()}
			rec.event.Code, rec.event.Reason = "internal", "panic"
		}
		if !cut {
			http.Error(rec, "internal error "+rec.event.ErrorID, http.StatusInternalServerError)
		}
	}
	if rec.event.Status == 0 {
		// The server answers 200 for a handler that wrote nothing; a cut
		// connection carried no answer at all.
		rec.event.Status = http.StatusOK
		if cut {
			rec.event.Status = statusClientGone
		}
	}
	rec.event.log(r.Context(), s.o.Logger, time.Since(rec.event.Start))
	if s.o.Observe != nil {
		s.o.Observe(&rec.event)
	}
	if cut {
		panic(http.ErrAbortHandler)
	}
}

// recorderOf finds the recorder behind any wrappers that can be unwrapped.
func recorderOf(w http.ResponseWriter) *recorder {
	for w != nil {
		if rec, ok := w.(*recorder); ok {
			return rec
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
	return nil
}

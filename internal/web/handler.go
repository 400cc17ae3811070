package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
)

// Request is what a Handler gets.
type Request struct {
	*http.Request
	// Event is the request's record, for the handler to fill.
	Event *Event

	w       http.ResponseWriter
	rec     *recorder
	body    []byte
	bodyErr error
	read    bool
}

// Response is what a Handler returns; the kit writes it. It is a value, so
// that a handler can be tested as a function.
type Response struct {
	// Status is the HTTP status, 200 to 599; 0 means 200.
	Status int
	// ContentType is the Content-Type header; "" sends none, nor does the
	// server guess one from the body.
	ContentType string
	// Header holds further headers, name and value. On HTTP/1 a name goes out
	// in the letter case given here, since some clients compare it exactly;
	// a name that occurs twice is sent twice.
	Header [][2]string
	// Body is sent whole, with its length; never for HEAD, 204 and 304.
	Body []byte
	// Stream, if set, writes the body bit by bit in place of Body, for as long as
	// it runs; it is not called for HEAD. The head is sent with the first write, so
	// that until then its error is answered like one of the handler, and headers
	// can be added. Afterwards an error cuts the connection.
	Stream func(context.Context, *Stream) error
}

// Handler answers a request with a response or an error, never both.
type Handler func(*Request) (Response, error)

// ErrorFunc turns an error into a door's own wire error. When the error is
// internal (Options.IsInternal), the event already has its ErrorID and Cause,
// and only the id may be shown.
type ErrorFunc func(*Request, error) Response

// adapter is the http.Handler of a Handler.
type adapter struct {
	door, route string
	h           Handler
	onError     ErrorFunc
}

// Adapt makes an http.Handler of a Handler. Door and route go into the event.
// A panic of h is recovered and becomes a *PanicError; errors, that one
// included, are answered by onError.
func Adapt(door, route string, h Handler, onError ErrorFunc) http.Handler {
	return &adapter{door: door, route: route, h: h, onError: onError}
}

func (a *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := recorderOf(w)
	if rec == nil {
		rec = &recorder{ResponseWriter: w, o: &Options{}}
		newEvent(&rec.event, r)
		rec.event.Addr = clientAddr(r, nil)
		w = rec
	}
	rec.event.Door, rec.event.Route = a.door, a.route
	rec.req = Request{Request: r, Event: &rec.event, w: rec.ResponseWriter, rec: rec}
	resp, err := a.call(&rec.req)
	if rec.hold.refused {
		// Doors take a body that they could not read for the client's fault.
		resp, err = Response{}, rec.o.busy()
	}
	if err == nil && !validStatus(resp.Status) {
		err = fmt.Errorf("web: handler of %s %s returned status %d", a.door, a.route, resp.Status)
	}
	if err == nil && resp.Stream != nil {
		if err = a.stream(rec, &resp); err == nil {
			return
		}
	}
	if err != nil {
		resp = a.fail(rec, err)
	}
	if rec.hold.refused {
		hangUp(rec, &resp)
	}
	drain(r)
	write(w, r, &resp)
	if err != nil && clientGone(r, err) {
		rec.event.Status = statusClientGone
	}
}

// maxDrained is the most bytes of a body that are read only to be thrown away:
// what net/http does by itself on HTTP/1.
const maxDrained = 256 << 10

// drain reads what a handler left of a body. On HTTP/2 the server would answer
// and then reset the stream (RFC 9113 section 8.1), which clients take for a
// failure when they are still sending.
func drain(r *http.Request) {
	if r.ProtoMajor == 2 && r.Body != nil && r.ContentLength != 0 {
		// A client that does not send it has gone, or meets the time limit.
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
	}
}

// call runs the handler and turns a panic into an error. http.ErrAbortHandler
// goes on: it asks for the connection to be cut.
func (a *adapter) call(r *Request) (resp Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return a.h(r)
}

// fail fills the event from the error and asks the door for its wire error.
func (a *adapter) fail(rec *recorder, err error) Response {
	a.classify(rec, err)
	resp := a.onError(&rec.req, err)
	if !validStatus(resp.Status) {
		resp.Status = http.StatusInternalServerError
	}
	return resp
}

// classify fills the event from an error.
func (a *adapter) classify(rec *recorder, err error) {
	e := &rec.event
	switch code, own := ownError(err); {
	case own:
		e.Code, e.Reason, e.Cause = code, code, err
	case clientGone(rec.req.Request, err):
		e.Code, e.Reason, e.Cause = "unavailable", "client_gone", err
	default:
		if rec.o.Classify != nil {
			e.Code, e.Reason = rec.o.Classify(err)
		}
		if internal(rec.o, err) {
			e.ErrorID, e.Cause = newID(), err
		}
	}
}

// internal asks the option; a panic is internal whatever value it carried.
func internal(o *Options, err error) bool {
	if _, ok := asPanic(err); ok || o.IsInternal == nil {
		return true
	}
	return o.IsInternal(err)
}

// clientGone tells an error that only says that nobody waits for the answer.
func clientGone(r *http.Request, err error) bool {
	return errors.Is(err, context.Canceled) && r.Context().Err() != nil
}

func validStatus(s int) bool { return s == 0 || 200 <= s && s <= 599 }

// write sends a response.
func write(w http.ResponseWriter, r *http.Request, resp *Response) {
	if bodyAllowed := writeHead(w, resp); bodyAllowed && r.Method != http.MethodHead && len(resp.Body) > 0 {
		// An error here means that the client went away: there is nobody to
		// tell, and the event has the bytes that were sent.
		_, _ = w.Write(resp.Body)
	}
}

// writeHead sends the status and the headers. Header names are map keys as they
// are: Header.Set would canonicalise them.
func writeHead(w http.ResponseWriter, resp *Response) (bodyAllowed bool) {
	status := resp.Status
	if status == 0 {
		status = http.StatusOK
	}
	h := w.Header()
	values := make([]string, len(resp.Header)+2)
	for i, f := range resp.Header {
		if have, ok := h[f[0]]; ok {
			h[f[0]] = append(have[:len(have):len(have)], f[1])
			continue
		}
		values[i] = f[1]
		h[f[0]] = values[i : i+1 : i+1]
	}
	n := len(resp.Header)
	bodyAllowed = status != http.StatusNoContent && status != http.StatusNotModified
	if resp.ContentType != "" && bodyAllowed {
		values[n] = resp.ContentType
		h["Content-Type"] = values[n : n+1 : n+1]
	} else if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // no header, and no guess
	}
	if bodyAllowed && resp.Stream == nil {
		values[n+1] = strconv.Itoa(len(resp.Body))
		h["Content-Length"] = values[n+1 : n+2 : n+2]
	}
	w.WriteHeader(status)
	return bodyAllowed
}

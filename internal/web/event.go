package web

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// Event is the record of one request. The kit makes it and fills what it
// knows; the handler adds the rest; at the end the kit logs one line and
// counts one metric of it. It belongs to one request and is not safe for use
// by goroutines that outlive it.
type Event struct {
	// RequestID is 16 hexadecimal digits, or the client's X-Request-Id when
	// that is 1 to 64 of [A-Za-z0-9._-].
	RequestID string
	// Door is the wire format ("iqmetrix"); Route is the pattern that matched
	// ("GET /v1/Users({id})"), never the raw path. Both are "" when nothing
	// matched.
	Door, Route string
	// Actor and Tenant say who asked, once the credential is known.
	Actor, Tenant string
	// OnBehalfOf says through whom the actor acts: an API user, or somebody who
	// acts as another person. It is "" for who acts alone.
	OnBehalfOf string
	// Method is the request's method, or "other" for one that HTTP does not
	// name, so that a client cannot make new values for a metric's label.
	Method string
	// Status is the HTTP status of the answer. It is 499 when the client went
	// away before it got one.
	Status int
	// Code and Reason are the core's words for a refusal, "" on success.
	Code, Reason string
	// ErrorID is set for internal errors, 16 hexadecimal digits; it is shown
	// to the client and finds the log line.
	ErrorID string
	// Cause is the error behind the answer, for the log only.
	Cause error
	// Addr is the client's address without a port, by the rules of
	// Options.TrustedProxies.
	Addr string
	// Start is when the request's header had been read.
	Start time.Time
	// Bytes counts the body bytes of the answer.
	Bytes int
	// Streamed says that the answer was sent bit by bit (Response.Stream): how long
	// it took says how long the client stayed.
	Streamed bool
}

// statusClientGone is logged when the client went away before the answer: no
// RFC names a status for it, 499 is what nginx logs (nginx, "HTTP Status
// Codes", NGX_HTTP_CLIENT_CLOSED_REQUEST).
const statusClientGone = 499

// requestIDHeader is the canonical form of X-Request-Id.
const requestIDHeader = "X-Request-Id"

// newEvent starts the event of a request.
func newEvent(e *Event, r *http.Request) {
	e.RequestID = requestID(r.Header)
	e.Method = knownMethod(r.Method)
	e.Start = time.Now()
}

// requestID is the client's own id if it is harmless in logs and headers, else
// a fresh one.
func requestID(h http.Header) string {
	if v := h[requestIDHeader]; len(v) == 1 && validRequestID(v[0]) {
		return v[0]
	}
	return newID()
}

func validRequestID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// newID is 16 hexadecimal digits: 64 bits from the runtime's generator, enough
// to find one line in a log, never used as a secret.
func newID() string {
	const digits = "0123456789abcdef"
	var b [16]byte
	n := rand.Uint64()
	for i := range b {
		b[i] = digits[n&15]
		n >>= 4
	}
	return string(b[:])
}

// knownMethod keeps the methods of RFC 9110 section 9.3 and RFC 5789.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return m
	}
	return "other"
}

// level is error for what an operator must look at, warn for any other answer
// of the 5xx class, info for the rest.
func (e *Event) level() slog.Level {
	switch {
	case e.ErrorID != "":
		return slog.LevelError
	case e.Status >= 500:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// log writes the one line of the request. Attributes that only some requests
// have are left out when empty.
func (e *Event) log(ctx context.Context, logger *slog.Logger, took time.Duration) {
	level := e.level()
	if !logger.Enabled(ctx, level) {
		return
	}
	var line [16]slog.Attr
	attrs := append(line[:0],
		slog.String("door", e.Door),
		slog.String("route", e.Route),
		slog.String("method", e.Method),
		slog.Int("status", e.Status),
		slog.String("actor", e.Actor),
		slog.String("tenant", e.Tenant),
		slog.Float64("latency_ms", float64(took.Microseconds())/1000),
		slog.Int("bytes", e.Bytes),
		slog.String("addr", e.Addr),
		slog.String("request_id", e.RequestID),
	)
	if e.OnBehalfOf != "" {
		attrs = append(attrs, slog.String("on_behalf_of", e.OnBehalfOf))
	}
	if e.Code != "" || e.Reason != "" {
		attrs = append(attrs, slog.String("code", e.Code), slog.String("reason", e.Reason))
	}
	if e.ErrorID != "" {
		attrs = append(attrs, slog.String("error_id", e.ErrorID))
	}
	if e.Cause != nil {
		attrs = append(attrs, slog.String("error", e.Cause.Error()))
		if p, ok := asPanic(e.Cause); ok {
			attrs = append(attrs, slog.String("stack", string(p.Stack)))
		}
	}
	logger.LogAttrs(ctx, level, "request", attrs...)
}

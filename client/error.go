package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Error is what the server refuses: a problem of RFC 9457. Compare Code and
// Reason, which are stable, and not Detail.
type Error struct {
	Status int    // HTTP status
	Type   string // "urn:usher:problem:" and the reason
	Title  string // the status in words
	Detail string // what happened, for people
	Code   string // the coarse class, a closed set: one of the Code constants
	Reason string // the fine cause, an open set: "user.not_found"
	Fields []FieldError
	// ID is of an internal error: it finds the line in the server's log.
	ID string
	// RequestID finds the request in the server's log and in events.
	RequestID string
	// RetryAfter is how long the server asks to wait; 0 if it does not say.
	RetryAfter time.Duration
	// Attempts is how often the request was sent. Of a DELETE that was repeated,
	// not_found may mean that an earlier attempt did the work.
	Attempts int
	// Method and Path are of the request, without its query.
	Method, Path string
}

// FieldError is what is wrong with one member of the body, one query parameter or
// one header.
type FieldError struct {
	Field   string `json:"field"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// The codes of errors. CodeUnknown is an answer that is not usher's, as of a proxy.
const (
	CodeInvalid         = "invalid"
	CodeNotFound        = "not_found"
	CodeConflict        = "conflict"
	CodeStale           = "stale"
	CodeUnauthenticated = "unauthenticated"
	CodeForbidden       = "forbidden"
	CodeExhausted       = "exhausted"
	CodeRateLimited     = "rate_limited"
	CodeTooLarge        = "too_large"
	CodeUnsupported     = "unsupported"
	CodeUnavailable     = "unavailable"
	CodeInternal        = "internal"
	CodeUnknown         = "unknown"
)

var (
	// ErrNotModified is a read with IfNoneMatch of a version that the caller has.
	ErrNotModified = errors.New("client: not modified")
	// ErrAnswerTooLarge is an answer larger than WithMaxAnswer allows.
	ErrAnswerTooLarge = errors.New("client: the answer is larger than allowed")
)

// Error says what was asked, and why it was refused.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d", e.Method, e.Path, e.Status)
	if e.Reason != "" {
		fmt.Fprintf(&b, " %s", e.Reason)
	}
	fmt.Fprintf(&b, ": %s", e.Explanation())
	return b.String()
}

// Explanation is the error for people, without what is for programs: the detail
// and, where there are several, what is wrong with each field.
func (e *Error) Explanation() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	for _, f := range e.Fields {
		if f.Message != "" && f.Message != e.Detail {
			text += " " + f.Message
		}
	}
	if e.ID != "" {
		text += " (error id " + e.ID + ")"
	}
	return text
}

// IsNotFound reports whether an error says that there is no such thing, or none
// that the key can see.
func IsNotFound(err error) bool { return hasCode(err, CodeNotFound) }

// IsConflict reports whether an error says that something is taken, in use or held,
// or that the state does not allow it.
func IsConflict(err error) bool { return hasCode(err, CodeConflict) }

// IsStale reports whether an error says that a condition, IfMatch or IfNoneMatch,
// does not hold: somebody else has changed the thing.
func IsStale(err error) bool { return hasCode(err, CodeStale) }

// IsReason reports whether an error has a reason, as "user.held".
func IsReason(err error, reason string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == reason
}

func hasCode(err error, code string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

// problem is the body of a refusal.
type problem struct {
	Type    string       `json:"type"`
	Title   string       `json:"title"`
	Detail  string       `json:"detail"`
	Code    string       `json:"code"`
	Reason  string       `json:"reason"`
	Errors  []FieldError `json:"errors"`
	ErrorID string       `json:"error_id"`
}

// refusal makes the error of an answer that is no success. What is no problem of
// usher's, as a proxy's page, is not shown.
func refusal(r *request, a *answer, now time.Time) *Error {
	e := &Error{Status: a.status, Title: http.StatusText(a.status), Code: CodeUnknown, Method: r.method, Path: r.path,
		RetryAfter: retryAfter(a.header, now)}
	var p problem
	if json.Unmarshal(a.body, &p) == nil && p.Code != "" {
		e.Type, e.Title, e.Detail, e.Code, e.Reason, e.Fields, e.ID = p.Type, p.Title, p.Detail, p.Code, p.Reason, p.Errors, p.ErrorID
	} else {
		e.Detail = "The answer is not usher's."
	}
	return e
}

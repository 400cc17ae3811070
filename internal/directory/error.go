package directory

import (
	"errors"
	"fmt"
	"time"
)

// Code is the coarse class of an error: a closed set that every door maps to
// its own status. Codes are never renamed or reused.
type Code string

// The closed set of codes.
const (
	CodeInvalid         Code = "invalid"
	CodeNotFound        Code = "not_found"
	CodeConflict        Code = "conflict"
	CodeStale           Code = "stale"
	CodeUnauthenticated Code = "unauthenticated"
	CodeForbidden       Code = "forbidden"
	CodeExhausted       Code = "exhausted"
	CodeRateLimited     Code = "rate_limited"
	CodeTooLarge        Code = "too_large"
	CodeUnsupported     Code = "unsupported"
	CodeUnavailable     Code = "unavailable"
	CodeInternal        Code = "internal"
)

// Codes lists every code, for tests that prove a door's error table total.
func Codes() []Code {
	return []Code{CodeInvalid, CodeNotFound, CodeConflict, CodeStale, CodeUnauthenticated, CodeForbidden,
		CodeExhausted, CodeRateLimited, CodeTooLarge, CodeUnsupported, CodeUnavailable, CodeInternal}
}

// Error is the only error type that a client may be told about. Anything else
// is an internal failure: the client gets a fixed text and an error id, and
// the cause goes to the log.
type Error struct {
	Code    Code
	Reason  Reason
	Message string        // safe for any client of the tenant, English
	Fields  []FieldError  // the fields at fault, when the error is about input
	Retry   time.Duration // when to try again; zero when unknown
	cause   error
}

// FieldError is one violation of one field, named by its core name
// (Field.String), so that a door can translate it to its own.
type FieldError struct {
	Field   string
	Reason  Reason
	Message string
}

// Error is the text for a log: code, reason, message and the cause.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s (%s): %s", e.Code, e.Reason, e.Message)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap is the hidden cause, for the log and errors.Is.
func (e *Error) Unwrap() error { return e.cause }

// Because returns a copy of e with a cause that only the log sees.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Wrong makes an error of a code and reason.
func Wrong(code Code, reason Reason, format string, args ...any) *Error {
	return &Error{Code: code, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes an invalid error about one field.
func Invalid(field string, reason Reason, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{Code: CodeInvalid, Reason: reason, Message: message,
		Fields: []FieldError{{Field: field, Reason: reason, Message: message}}}
}

// AsError finds the Error in err's chain; foreign errors become internal ones
// that carry them as cause.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeInternal, Reason: ReasonInternal, Message: "Something went wrong on the server.", cause: err}
}

// IsReason reports whether err is an Error with the reason, or one whose
// fields hold it.
func IsReason(err error, reason Reason) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	if e.Reason == reason {
		return true
	}
	for _, f := range e.Fields {
		if f.Reason == reason {
			return true
		}
	}
	return false
}

// CodeOf is the code of err: "" for nil, internal for a foreign error.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return AsError(err).Code
}

// violations collects field errors so that one answer can name them all.
type violations []FieldError

func (v *violations) add(field Field, reason Reason, format string, args ...any) {
	*v = append(*v, FieldError{Field: field.String(), Reason: reason, Message: fmt.Sprintf(format, args...)})
}

// err is nil without violations, else one invalid error with all of them.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Reason: v[0].Reason, Message: v[0].Message, Fields: v}
}

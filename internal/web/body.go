package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Errors of Request.Body. Doors map them like any other error; they are the
// client's fault and never internal.
var (
	// ErrTooLarge: the body is longer than the limit (RFC 9110 section
	// 15.5.14).
	ErrTooLarge = errors.New("web: request body is too large")
	// ErrBadBody: the body could not be read to its end: the client went away
	// or was too slow, or its chunked coding is malformed.
	ErrBadBody = errors.New("web: request body could not be read")
)

// firstRead bounds what is set aside for a body before any of it has come:
// a Content-Length alone costs the client nothing.
const firstRead = 16 << 10

// Body reads the whole body, at most limit bytes. A longer one is ErrTooLarge,
// without reading when its declared length says so; one that breaks off is
// ErrBadBody with the cause. An absent body is empty. Calling it again returns
// the same bytes.
func (r *Request) Body(limit int64) ([]byte, error) {
	if !r.read {
		r.read = true
		r.body, r.bodyErr = readBody(r.Request.Body, r.Request.ContentLength, limit)
	}
	return r.body, r.bodyErr
}

// readBody reads src; declared is its Content-Length or -1.
func readBody(src io.Reader, declared, limit int64) ([]byte, error) {
	if src == nil || declared == 0 {
		return nil, nil
	}
	if declared > limit {
		return nil, ErrTooLarge
	}
	var buf bytes.Buffer
	// ReadFrom wants bytes.MinRead of room beyond the last byte to see the end.
	buf.Grow(int(min(max(declared, 512), firstRead)) + bytes.MinRead)
	if _, err := buf.ReadFrom(io.LimitReader(src, limit+1)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadBody, err)
	}
	if int64(buf.Len()) > limit {
		return nil, ErrTooLarge
	}
	return buf.Bytes(), nil
}

// ownError names the kit's own errors about a request; own is false for all
// others.
func ownError(err error) (code string, own bool) {
	switch {
	case errors.Is(err, ErrTooLarge):
		return "too_large", true
	case errors.Is(err, ErrBadBody):
		return "invalid", true
	}
	if _, ok := errors.AsType[*JSONError](err); ok {
		return "invalid", true
	}
	return "", false
}

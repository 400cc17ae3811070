package web

import (
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

// What is set aside for a body before any of it has come, with a declared length
// and without: a Content-Length alone costs the client nothing. The byte more is the
// room to see the end of a body of 16, 32 or 64 KiB.
const (
	firstRead    = 16<<10 + 1
	firstChunked = 4<<10 + 1
)

// Body reads the whole body, at most limit bytes. A longer one is ErrTooLarge,
// without reading when its declared length says so; one that breaks off is
// ErrBadBody with the cause; one for which the server has no memory left is
// ErrBusy. An absent body is empty. Calling it again returns the same bytes.
func (r *Request) Body(limit int64) ([]byte, error) {
	if !r.read {
		r.read = true
		r.body, r.bodyErr = readBody(r.Request.Body, r.Request.ContentLength, limit, r.rec)
		if r.bodyErr != nil {
			r.rec.giveBack()
		}
	}
	return r.body, r.bodyErr
}

// readBody reads src; declared is its Content-Length or -1. It reads into pieces,
// each as large as what has come before but no larger than what is still to come, and
// joins them at the end: a body that is held back half-way has no more memory than it
// sent, twice at most, and leaves none behind to be collected. What it has is
// counted in rec, which may be nil.
func readBody(src io.Reader, declared, limit int64, rec *recorder) ([]byte, error) {
	if src == nil || declared == 0 {
		return nil, nil
	}
	if declared > limit {
		return nil, ErrTooLarge
	}
	first := min(limit+1, firstChunked)
	if declared > 0 {
		first = min(declared+1, firstRead)
	}
	var full [][]byte
	var size int64
	piece := make([]byte, 0, first)
	for {
		n, err := src.Read(piece[len(piece):cap(piece)])
		piece = piece[:len(piece)+n]
		size += int64(n)
		switch {
		case size > limit:
			return nil, ErrTooLarge
		case err == io.EOF:
			return join(full, piece, size), nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrBadBody, err)
		}
		if len(piece) < cap(piece) {
			continue
		}
		end := limit + 1 // a byte more than may come, to see the end
		if size <= declared {
			end = declared + 1
		}
		room := min(size, end-size)
		if !rec.grow(size + room - 1) { // the byte to see the end is not the client's
			return nil, ErrBusy
		}
		full = append(full, piece)
		piece = make([]byte, 0, room)
	}
}

// join makes one body of its pieces, without a copy if there is one only.
func join(full [][]byte, last []byte, size int64) []byte {
	if len(full) == 0 {
		return last
	}
	body := make([]byte, 0, size)
	for _, piece := range full {
		body = append(body, piece...)
	}
	return append(body, last...)
}

// ownError names the kit's own errors about a request; own is false for all
// others.
func ownError(err error) (code string, own bool) {
	switch {
	case errors.Is(err, ErrTooLarge):
		return "too_large", true
	case errors.Is(err, ErrBadBody):
		return "invalid", true
	case errors.Is(err, ErrBusy):
		return "unavailable", true
	}
	if _, ok := errors.AsType[*JSONError](err); ok {
		return "invalid", true
	}
	return "", false
}

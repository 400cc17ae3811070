package client

import (
	"net/http"
	"net/url"
	"strings"
)

// CallOption is about one call.
type CallOption func(*callOptions)

type callOptions struct {
	header http.Header
	query  url.Values
	code   Secret // of SecondFactor
}

// Reason says why, for the history: at most 500 characters. For every call that
// changes something.
func Reason(text string) CallOption {
	return func(o *callOptions) {
		if text != "" {
			o.header.Set("Usher-Reason", text)
		}
	}
}

// IfMatch makes a call only if the thing has one of these versions still, which
// are the ETag of what was read; "*" is any version. Otherwise the error is one
// that IsStale knows. Such a write is sent once.
func IfMatch(etags ...string) CallOption {
	return func(o *callOptions) { o.header.Set("If-Match", strings.Join(etags, ", ")) }
}

// IfNoneMatch reads only what is newer: ErrNotModified is the answer if the thing
// has one of these versions. A write is made only if it has none of them.
func IfNoneMatch(etags ...string) CallOption {
	return func(o *callOptions) { o.header.Set("If-None-Match", strings.Join(etags, ", ")) }
}

// IdempotencyKey sets the key of a call that creates, 1 to 255 visible ASCII
// characters, so that a program which was ended can send it again: within 24 hours
// the same key and body create nothing again and get the same answer. Without it
// every call has a key of its own.
func IdempotencyKey(key string) CallOption {
	return func(o *callOptions) { o.header.Set("Idempotency-Key", key) }
}

// RequestID names the call in the server's log and in events: 1 to 64 letters, digits,
// dots, underscores and hyphens. Without it every call has one of its own.
func RequestID(id string) CallOption {
	return func(o *callOptions) { o.header.Set("X-Request-Id", id) }
}

// Fields asks for some members of users only; id is always there, and the others
// have their zero value.
func Fields(names ...string) CallOption {
	return func(o *callOptions) { o.query.Set("fields", strings.Join(names, ",")) }
}

// Expand asks for what belongs to users too, any of "company", "locations",
// "groups" and "roles": it comes in Expanded.
func Expand(names ...string) CallOption {
	return func(o *callOptions) { o.query.Set("expand", strings.Join(names, ",")) }
}

// Head is what the headers of an answer say of the thing that it shows.
type Head struct {
	// ETag is the version, for IfMatch and IfNoneMatch; "" if it has none.
	ETag string `json:"-"`
	// Replayed says that a call with the same IdempotencyKey made it before.
	Replayed bool `json:"-"`
}

func (h *Head) setHead(header http.Header) {
	h.ETag, h.Replayed = header.Get("ETag"), header.Get("Idempotent-Replayed") == "true"
}

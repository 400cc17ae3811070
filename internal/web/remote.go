package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RemoteRequest is a request to somebody else's server, whose API a door speaks too.
// It can be sent several times.
type RemoteRequest struct {
	Method string
	URL    string // absolute; it is shown to people, and so has no secret
	Header http.Header
	Secret url.Values // parameters of the query that nobody is shown
	Body   []byte
}

// RemoteAnswer is what came back, the body read whole.
type RemoteAnswer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Ask sends a request and reads its answer, of whatever status; what would help if it
// were tried again (too many requests, a failing server, a network cut) has been tried
// again before. It may be called by several goroutines. Errors are for people and name
// the request.
type Ask func(ctx context.Context, r *RemoteRequest) (*RemoteAnswer, error)

// RemoteError is an answer that cannot be used.
type RemoteError struct {
	Request string // method and URL
	Status  int
	Message string
}

// Error names the request and what is wrong with its answer.
func (e *RemoteError) Error() string { return e.Request + ": " + e.Message }

// String is the request as people see it.
func (r *RemoteRequest) String() string { return r.Method + " " + r.URL }

// Unusable is the error of an answer that cannot be used.
func (r *RemoteRequest) Unusable(a *RemoteAnswer, format string, args ...any) error {
	return &RemoteError{Request: r.String(), Status: a.Status, Message: fmt.Sprintf(format, args...)}
}

// Refused is the error of a status that is no success, with the beginning of what the
// server said.
func (r *RemoteRequest) Refused(a *RemoteAnswer) error {
	text := fmt.Sprintf("the answer is %d %s", a.Status, http.StatusText(a.Status))
	switch said := excerpt(a.Body); {
	case said != "":
		text += ": " + said
	case a.Status == http.StatusNotFound:
		text += ": is the base URL right?"
	}
	return &RemoteError{Request: r.String(), Status: a.Status, Message: strings.TrimSpace(text)}
}

// maxExcerpt is how much of an answer people are shown, in bytes.
const maxExcerpt = 200

// excerpt is the beginning of a body on one line, without what a terminal would obey.
func excerpt(body []byte) string {
	text := strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, string(body[:min(len(body), maxExcerpt)]))
	return strings.Join(strings.Fields(text), " ")
}

// maxRemoteValues bounds the values of a JSON answer: more than any page has.
const maxRemoteValues = 2_000_000

// JSON is the answer's body as a JSON value, once status and content type say that it
// is one. Objects and arrays may be nested depth deep.
func (r *RemoteRequest) JSON(a *RemoteAnswer, depth int) (json.RawMessage, error) {
	if a.Status < 200 || a.Status > 299 {
		return nil, r.Refused(a)
	}
	if kind := a.Header.Get("Content-Type"); !isJSON(kind) {
		return nil, r.Unusable(a, "the answer's content type is %q and not JSON: is the base URL right?", excerpt([]byte(kind)))
	}
	raw, _, err := decode(a.Body, depth, maxRemoteValues)
	if err != nil {
		return nil, r.Unusable(a, "the answer is %s", err.Error())
	}
	return raw, nil
}

// isJSON reports whether a media type is JSON (RFC 6839 section 3.1 for +json).
func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json")
}

// Object is JSON for an answer that must be an object.
func (r *RemoteRequest) Object(a *RemoteAnswer, depth int) (Object, error) {
	raw, err := r.JSON(a, depth)
	if err != nil {
		return Object{}, err
	}
	o, state := ObjectOf(raw)
	if state != Present {
		return Object{}, r.Unusable(a, "the answer is no JSON object")
	}
	return o, nil
}

// Array is JSON for an answer that must be an array.
func (r *RemoteRequest) Array(a *RemoteAnswer, depth int) ([]json.RawMessage, error) {
	raw, err := r.JSON(a, depth)
	if err != nil {
		return nil, err
	}
	list, state := ArrayOf(raw)
	if state != Present {
		return nil, r.Unusable(a, "the answer is no JSON array")
	}
	return list, nil
}

// Get is a request to read what is at base and path, with the headers of the caller,
// which are not changed.
func Get(base, path string, header http.Header) *RemoteRequest {
	return &RemoteRequest{Method: http.MethodGet, URL: strings.TrimRight(base, "/") + path, Header: header}
}

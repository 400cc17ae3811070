package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// prefix is where the paths of the API begin.
const prefix = "/api/v1"

// request is one call before it is sent.
type request struct {
	method  string
	path    string // with the prefix, escaped
	query   url.Values
	body    any    // nil: none
	raw     []byte // in place of body: the bytes of a file
	creates bool   // it carries an Idempotency-Key
}

// answer is one answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// path joins the parts of a path, each escaped. An empty part is "", which send
// refuses: without it the path would be another one's.
func path(parts ...string) string {
	var b strings.Builder
	b.WriteString(prefix)
	for _, part := range parts {
		switch part {
		case "":
			return ""
		case ".", "..": // what lies between may take these for steps
			part = strings.ReplaceAll(part, ".", "%2E")
		default:
			part = url.PathEscape(part)
		}
		b.WriteString("/" + part)
	}
	return b.String()
}

// send sends a request, again where that does no harm, and reads the answer into
// out unless that is nil.
func (c *Client) send(ctx context.Context, r *request, out any, options []CallOption) error {
	if r.path == "" {
		return fmt.Errorf("client: %s: an id, a number or a key is empty", r.method)
	}
	o := callOptions{header: http.Header{}, query: r.query}
	if o.query == nil {
		o.query = url.Values{}
	}
	for _, option := range options {
		option(&o)
	}
	body, err := c.prepare(r, o.header)
	if err != nil {
		return err
	}
	a, err := c.repeat(ctx, r, &o, body)
	if err != nil {
		return err
	}
	if out == nil || a.status == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("client: %s %s: the answer cannot be read: %w", r.method, r.path, err)
	}
	if h, ok := out.(interface{ setHead(http.Header) }); ok {
		h.setHead(a.header)
	}
	return nil
}

// prepare encodes the body and sets the headers that stay the same over all
// attempts.
func (c *Client) prepare(r *request, header http.Header) ([]byte, error) {
	c.authorize(header)
	for name, values := range header {
		for _, value := range values {
			if strings.ContainsFunc(value, unicode.IsControl) {
				return nil, fmt.Errorf("client: %s %s: the header %s has a control character", r.method, r.path, name)
			}
		}
	}
	header.Set("User-Agent", c.agent)
	header.Set("Accept", "application/json, application/problem+json")
	if header.Get("X-Request-Id") == "" {
		header.Set("X-Request-Id", rand.Text())
	}
	if r.creates && header.Get("Idempotency-Key") == "" {
		header.Set("Idempotency-Key", rand.Text())
	}
	if r.raw != nil {
		header.Set("Content-Type", "application/octet-stream")
		return r.raw, nil
	}
	if r.body == nil {
		return nil, nil
	}
	media := "application/json"
	if r.method == http.MethodPatch {
		media = "application/merge-patch+json"
	}
	header.Set("Content-Type", media)
	body, err := json.Marshal(r.body)
	if err != nil {
		return nil, fmt.Errorf("client: %s %s: the body cannot be written: %w", r.method, r.path, err)
	}
	return body, nil
}

// repeatable reports whether a request can be sent again without harm (RFC 9110
// section 9.2.2). A write with a condition cannot: its own first attempt may be
// what makes the condition false.
func (r *request) repeatable(header http.Header) bool {
	conditional := header.Get("If-Match") != "" || header.Get("If-None-Match") != ""
	switch r.method {
	case http.MethodGet:
		return true
	case http.MethodPut, http.MethodDelete:
		return !conditional
	}
	return r.creates && !conditional
}

// repeat sends a request until it is answered or must not be sent again.
func (c *Client) repeat(ctx context.Context, r *request, o *callOptions, body []byte) (*answer, error) {
	for n := 1; ; n++ {
		a, err := c.once(ctx, r, o, body)
		again, refused := false, (*Error)(nil)
		switch {
		case err != nil:
			again = broken(ctx, err)
		case a.status == http.StatusNotModified:
			return nil, ErrNotModified
		case a.status < 200 || a.status > 299:
			refused = refusal(r, a, c.retry.now())
			refused.Attempts, refused.RequestID = n, o.header.Get("X-Request-Id")
			again, err = busy(refused), refused
		default:
			return a, nil
		}
		if !again || !r.repeatable(o.header) {
			return nil, err
		}
		asked := retryDelay(refused)
		pause, ok := c.retry.pause(ctx, n, asked)
		if !ok {
			return nil, err
		}
		if ended := c.retry.wait(ctx, pause); ended != nil {
			return nil, fmt.Errorf("%w; %w", err, ended)
		}
	}
}

// once sends a request and reads the whole answer.
func (c *Client) once(ctx context.Context, r *request, o *callOptions, body []byte) (*answer, error) {
	address := c.base + r.path
	if len(o.query) > 0 {
		address += "?" + o.query.Encode()
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, reader)
	if err != nil {
		return nil, fmt.Errorf("client: %s %s: %w", r.method, r.path, cause(err))
	}
	req.Header = o.header.Clone()
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("client: %s %s: %w", r.method, r.path, cause(err))
	}
	defer func() { _ = resp.Body.Close() }() // what matters of it has been read
	a := &answer{status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, c.limit+1)); err != nil {
		return nil, fmt.Errorf("client: %s %s: the answer breaks off: %w", r.method, r.path, cause(err))
	}
	if int64(len(a.body)) > c.limit {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, ErrAnswerTooLarge)
	}
	return a, nil
}

// cause is an error without the address that package net/http puts before it,
// whose query may hold what a log should not.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

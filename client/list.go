package client

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Page is one page of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// NextCursor continues the list with the rest of the query unchanged; "" at its
	// end.
	NextCursor string `json:"next_cursor"`
	// Total is how many there are in all, if the query asks for it; else 0.
	Total int64 `json:"total"`
}

// setHead gives the items their ETags, which stand for their versions.
func (p *Page[T]) setHead(http.Header) {
	for i := range p.Items {
		if v, ok := any(&p.Items[i]).(interface{ setVersion() }); ok {
			v.setVersion()
		}
	}
}

// etag is the entity tag of a version; "" for none.
func etag(version int64) string {
	if version == 0 {
		return ""
	}
	return `"` + strconv.FormatInt(version, 10) + `"`
}

// list is the answer of lists that have one page.
type list[T any] struct {
	Items []T `json:"items"`
}

// PageQuery is what every list can be asked.
type PageQuery struct {
	// Limit is how many a page has, 1 to 200; 0 is the server's 50.
	Limit int
	// Cursor is NextCursor of the page before; "" begins.
	Cursor string
}

// query collects the parameters of a query; what is zero is left out.
type query url.Values

func (q query) text(name, value string) query {
	if value != "" {
		url.Values(q).Set(name, value)
	}
	return q
}

func (q query) number(name string, value int64) query {
	if value != 0 {
		url.Values(q).Set(name, strconv.FormatInt(value, 10))
	}
	return q
}

// numbered is number for parameters where 0 has a meaning of its own.
func (q query) numbered(name string, value *int64) query {
	if value != nil {
		url.Values(q).Set(name, strconv.FormatInt(*value, 10))
	}
	return q
}

func (q query) flag(name string, value bool) query {
	if value {
		url.Values(q).Set(name, "true")
	}
	return q
}

func (q query) moment(name string, at time.Time) query {
	if at.IsZero() {
		return q
	}
	return q.text(name, at.UTC().Format(time.RFC3339Nano))
}

func (q query) words(name string, values []string) query {
	return q.text(name, strings.Join(values, ","))
}

func (q query) page(p PageQuery) query {
	return q.number("limit", int64(p.Limit)).text("cursor", p.Cursor)
}

// pages goes over the items of all pages that get reads, from a first cursor on.
func pages[T any](first string, get func(cursor string) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := first; ; {
			p, err := get(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.NextCursor == "" {
				return
			}
			if p.NextCursor == cursor { // it would go on for ever
				var none T
				yield(none, errors.New("client: the list does not go on from its own cursor"))
				return
			}
			cursor = p.NextCursor
		}
	}
}

// The calls that services are made of.

// read gets one thing.
func read[T any](ctx context.Context, c *Client, at string, q query, options []CallOption) (*T, error) {
	out := new(T)
	if err := c.send(ctx, &request{method: http.MethodGet, path: at, query: url.Values(q)}, out, options); err != nil {
		return nil, err
	}
	return out, nil
}

// readAll gets a list that has one page.
func readAll[T any](ctx context.Context, c *Client, at string, options []CallOption) ([]T, error) {
	l, err := read[list[T]](ctx, c, at, nil, options)
	if err != nil {
		return nil, err
	}
	return l.Items, nil
}

// write sends a body and gets the thing that it changes.
func write[T any](ctx context.Context, c *Client, r *request, options []CallOption) (*T, error) {
	out := new(T)
	if err := c.send(ctx, r, out, options); err != nil {
		return nil, err
	}
	return out, nil
}

// remove sends a DELETE.
func (c *Client) remove(ctx context.Context, at string, q query, options []CallOption) error {
	return c.send(ctx, &request{method: http.MethodDelete, path: at, query: url.Values(q)}, nil, options)
}

// post sends an action that answers with nothing.
func (c *Client) post(ctx context.Context, at string, body any, options []CallOption) error {
	return c.send(ctx, &request{method: http.MethodPost, path: at, body: body}, nil, options)
}

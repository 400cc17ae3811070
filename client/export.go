package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// ExportQuery selects users as a UserQuery does; the zero value is all but those in
// the recycle bin, as CSV.
type ExportQuery struct {
	Format  string   // FormatCSV (also ""), FormatNDJSON or FormatSCIM
	Fields  []string // only these members, in this order; not of FormatSCIM
	Filter  string
	Search  string
	Company int64
	Groups  []string // ids
	Status  []string
}

func (e ExportQuery) query() query {
	q := query{}.text("format", e.Format).words("fields", e.Fields).text("filter", e.Filter).text("q", e.Search).number("company", e.Company).words("status", e.Status)
	for _, id := range e.Groups {
		url.Values(q).Add("group", id)
	}
	return q
}

// Export opens a file of users, of any length. A read error means that it is not
// whole.
func (s *UserService) Export(ctx context.Context, q ExportQuery, options ...CallOption) (io.ReadCloser, error) {
	return s.c.open(ctx, &request{method: http.MethodGet, path: path("users", "export"), query: url.Values(q.query())}, options)
}

// ExportLines goes over the objects of an export as FormatNDJSON, or FormatSCIM if q
// says so. An error ends it and is its last pair.
func (s *UserService) ExportLines(ctx context.Context, q ExportQuery, options ...CallOption) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		if q.Format == "" {
			q.Format = FormatNDJSON
		}
		file, err := s.Export(ctx, q, options...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = file.Close() }() // what matters of it has been read
		lines := bufio.NewReaderSize(file, 64<<10)
		for {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF && len(line) == 0 {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(line[:len(line)-1], nil) {
				return
			}
		}
	}
}

// open asks for a file and returns it as it comes. The time limit of the http.Client
// is not for it: it ends when nothing has come for a minute.
func (c *Client) open(ctx context.Context, r *request, options []CallOption) (io.ReadCloser, error) {
	if r.path == "" {
		return nil, fmt.Errorf("client: %s: an id, a number or a key is empty", r.method)
	}
	o := callOptions{header: http.Header{}, query: r.query}
	if o.query == nil {
		o.query = url.Values{}
	}
	for _, option := range options {
		option(&o)
	}
	if _, err := c.prepare(r, o.header); err != nil {
		return nil, err
	}
	o.header.Set("Accept", "*/*")
	for n := 1; ; n++ {
		file, refused, err := c.begin(ctx, r, &o)
		if err == nil {
			return file, nil
		}
		again := broken(ctx, err)
		if refused != nil {
			refused.Attempts = n
			again = busy(refused)
		}
		pause, ok := c.retry.pause(ctx, n, retryDelay(refused))
		if !again || !ok {
			return nil, err
		}
		if ended := c.retry.wait(ctx, pause); ended != nil {
			return nil, fmt.Errorf("%w; %w", err, ended)
		}
	}
}

// begin makes one attempt; a refusal is the error too.
func (c *Client) begin(ctx context.Context, r *request, o *callOptions) (io.ReadCloser, *Error, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	d := &download{cancel: cancel, what: r.method + " " + r.path}
	d.quiet = time.AfterFunc(silence, func() { cancel(errSilent) })
	address := c.base + r.path
	if len(o.query) > 0 {
		address += "?" + o.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, nil)
	if err != nil {
		d.end()
		return nil, nil, fmt.Errorf("client: %s: %w", d.what, cause(err))
	}
	req.Header = o.header.Clone()
	endless := *c.http
	endless.Timeout = 0
	resp, err := endless.Do(req) //nolint:bodyclose // read, and closed, by whoever takes the export
	if err != nil {
		d.end()
		return nil, nil, fmt.Errorf("client: %s: %w", d.what, cause(err))
	}
	d.body = resp.Body
	if resp.StatusCode == http.StatusOK {
		return d, nil, nil
	}
	defer func() { _ = d.Close() }() // what matters of it has been read
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, nil, fmt.Errorf("client: %s: the answer breaks off: %w", d.what, cause(err))
	}
	refused := refusal(r, &answer{status: resp.StatusCode, header: resp.Header, body: body}, c.retry.now())
	refused.RequestID = o.header.Get("X-Request-Id")
	return nil, refused, refused
}

// download is a file that is on its way.
type download struct {
	what   string
	body   io.ReadCloser
	quiet  *time.Timer
	cancel context.CancelCauseFunc
}

// Read implements io.Reader.
func (d *download) Read(b []byte) (int, error) {
	n, err := d.body.Read(b)
	d.quiet.Reset(silence)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("client: %s: the answer breaks off: %w", d.what, cause(err))
	}
	return n, err
}

// Close implements io.Closer.
func (d *download) Close() error {
	d.end()
	return d.body.Close()
}

func (d *download) end() {
	d.quiet.Stop()
	d.cancel(nil)
}

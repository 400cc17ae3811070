package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"
)

// Company is a node of the tenant's tree of companies.
type Company struct {
	Head
	Number    int64           `json:"number"`
	ID        string          `json:"id"` // UUID
	Name      string          `json:"name"`
	Parent    int64           `json:"parent"` // number; 0 for a root
	Path      []int64         `json:"path"`   // numbers from its root down to itself
	Website   string          `json:"website"`
	Metadata  json.RawMessage `json:"metadata"` // any JSON; null for none
	Version   int64           `json:"version"`
	CreatedAt time.Time       `json:"created_at"`
}

func (c *Company) setVersion() { c.ETag = etag(c.Version) }

// NewCompany is a company to be created.
type NewCompany struct {
	Name     string          `json:"name"`
	Parent   int64           `json:"parent,omitzero"` // number; 0 is a root
	Number   int64           `json:"number,omitzero"` // to keep; 0 is drawn
	ID       string          `json:"id,omitzero"`     // UUID to keep; "" is drawn
	Website  string          `json:"website,omitzero"`
	Metadata json.RawMessage `json:"metadata,omitzero"` // any JSON
}

// CompanyPatch changes some members of a company.
type CompanyPatch struct {
	Name     Opt[string]          `json:"name,omitzero"`
	Website  Opt[string]          `json:"website,omitzero"`
	Metadata Opt[json.RawMessage] `json:"metadata,omitzero"` // all of it
}

// CompanyQuery is a list of companies.
type CompanyQuery struct {
	PageQuery
	Search string // part of the name
	Parent *int64 // number: only those directly below it; 0 is roots, nil all
	Total  bool   // ask for Page.Total
}

// CompanyService is the companies. They are named by number or id.
type CompanyService struct{ c *Client }

// List reads one page of companies.
func (s *CompanyService) List(ctx context.Context, q CompanyQuery, options ...CallOption) (*Page[Company], error) {
	return read[Page[Company]](ctx, s.c, path("companies"), query{}.page(q.PageQuery).text("q", q.Search).numbered("parent", q.Parent).flag("total", q.Total), options)
}

// All goes over the companies of all pages.
func (s *CompanyService) All(ctx context.Context, q CompanyQuery, options ...CallOption) iter.Seq2[Company, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Company], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// Get reads a company.
func (s *CompanyService) Get(ctx context.Context, company string, options ...CallOption) (*Company, error) {
	return read[Company](ctx, s.c, path("companies", company), nil, options)
}

// Create makes a company below another one, or as a root.
func (s *CompanyService) Create(ctx context.Context, company NewCompany, options ...CallOption) (*Company, error) {
	return write[Company](ctx, s.c, &request{method: http.MethodPost, path: path("companies"), body: company, creates: true}, options)
}

// Update changes some members of a company, which keeps its place in the tree.
func (s *CompanyService) Update(ctx context.Context, company string, p CompanyPatch, options ...CallOption) (*Company, error) {
	return write[Company](ctx, s.c, &request{method: http.MethodPatch, path: path("companies", company), body: p}, options)
}

// Delete removes a company that nothing belongs to; else it is a conflict.
func (s *CompanyService) Delete(ctx context.Context, company string, options ...CallOption) error {
	return s.c.remove(ctx, path("companies", company), nil, options)
}

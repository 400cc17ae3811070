package client

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// Location belongs to a company; users are assigned to locations.
type Location struct {
	Head
	Number       int64     `json:"number"`
	ID           string    `json:"id"`      // UUID
	Company      int64     `json:"company"` // number
	Name         string    `json:"name"`
	Headquarters bool      `json:"headquarters"`
	Address      *Address  `json:"address"` // nil for none
	Phone        string    `json:"phone"`
	Fax          string    `json:"fax"`
	Version      int64     `json:"version"`
	CreatedAt    time.Time `json:"created_at"`
}

func (l *Location) setVersion() { l.ETag = etag(l.Version) }

// NewLocation is a location to be created.
type NewLocation struct {
	Company      int64    `json:"company"` // number
	Name         string   `json:"name"`
	Number       int64    `json:"number,omitzero"` // to keep; 0 is drawn
	ID           string   `json:"id,omitzero"`     // UUID to keep; "" is drawn
	Headquarters bool     `json:"headquarters,omitzero"`
	Address      *Address `json:"address,omitzero"`
	Phone        string   `json:"phone,omitzero"`
	Fax          string   `json:"fax,omitzero"`
}

// LocationPatch changes some members of a location.
type LocationPatch struct {
	Name         Opt[string]       `json:"name,omitzero"`
	Headquarters Opt[bool]         `json:"headquarters,omitzero"`
	Address      Opt[AddressPatch] `json:"address,omitzero"`
	Phone        Opt[string]       `json:"phone,omitzero"`
	Fax          Opt[string]       `json:"fax,omitzero"`
}

// LocationQuery is a list of locations.
type LocationQuery struct {
	PageQuery
	Search  string // part of the name
	Company int64  // number; 0 is all that the key can see
	Total   bool   // ask for Page.Total
}

// LocationService is the locations. They are named by number or id.
type LocationService struct{ c *Client }

// List reads one page of locations.
func (s *LocationService) List(ctx context.Context, q LocationQuery, options ...CallOption) (*Page[Location], error) {
	return read[Page[Location]](ctx, s.c, path("locations"), query{}.page(q.PageQuery).text("q", q.Search).number("company", q.Company).flag("total", q.Total), options)
}

// All goes over the locations of all pages.
func (s *LocationService) All(ctx context.Context, q LocationQuery, options ...CallOption) iter.Seq2[Location, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Location], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// Get reads a location.
func (s *LocationService) Get(ctx context.Context, location string, options ...CallOption) (*Location, error) {
	return read[Location](ctx, s.c, path("locations", location), nil, options)
}

// Create makes a location.
func (s *LocationService) Create(ctx context.Context, location NewLocation, options ...CallOption) (*Location, error) {
	return write[Location](ctx, s.c, &request{method: http.MethodPost, path: path("locations"), body: location, creates: true}, options)
}

// Update changes some members of a location, which stays with its company.
func (s *LocationService) Update(ctx context.Context, location string, p LocationPatch, options ...CallOption) (*Location, error) {
	return write[Location](ctx, s.c, &request{method: http.MethodPatch, path: path("locations", location), body: p}, options)
}

// Delete removes a location that nobody is assigned to; else it is a conflict.
func (s *LocationService) Delete(ctx context.Context, location string, options ...CallOption) error {
	return s.c.remove(ctx, path("locations", location), nil, options)
}

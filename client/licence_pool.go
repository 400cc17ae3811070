package client

import (
	"context"
	"net/http"
)

// LicencePool is the seats of one licence type.
type LicencePool struct {
	Head
	Type string `json:"type"`
	// Total is how many seats there are: nil is any number, 0 that the tenant is not
	// entitled to the type.
	Total   *int64 `json:"total"`
	Used    int64  `json:"used"`
	Version int64  `json:"version"` // rises with every change of the total
}

func (p *LicencePool) setVersion() { p.ETag = etag(p.Version) }

// setHead makes the tag of the version: the answer has none, since the seats in use
// change without it.
func (p *LicencePool) setHead(http.Header) { p.setVersion() }

// LicencePoolService is the licence pools.
type LicencePoolService struct{ c *Client }

// List reads all pools.
func (s *LicencePoolService) List(ctx context.Context, options ...CallOption) ([]LicencePool, error) {
	pools, err := readAll[LicencePool](ctx, s.c, path("licence_pools"), options)
	for i := range pools {
		pools[i].setVersion()
	}
	return pools, err
}

// Get reads the pool of a licence type.
func (s *LicencePoolService) Get(ctx context.Context, licenceType string, options ...CallOption) (*LicencePool, error) {
	return read[LicencePool](ctx, s.c, path("licence_pools", licenceType), nil, options)
}

// Set makes or resizes a pool; nil is any number of seats. A total below what is
// used takes no seat away: nobody gets one until enough are free.
func (s *LicencePoolService) Set(ctx context.Context, licenceType string, total *int64, options ...CallOption) (*LicencePool, error) {
	body := struct {
		Total *int64 `json:"total"`
	}{total}
	return write[LicencePool](ctx, s.c, &request{method: http.MethodPut, path: path("licence_pools", licenceType), body: body}, options)
}

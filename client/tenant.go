package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Tenant is the tenant that the key belongs to.
type Tenant struct {
	Head
	ID             string                     `json:"id"` // UUID
	Name           string                     `json:"name"`
	Doors          []string                   `json:"doors"`
	Hosts          []string                   `json:"hosts"`           // host names that lead to it
	DefaultCompany int64                      `json:"default_company"` // of users for whom nobody names one
	Owner          int64                      `json:"owner"`           // number of the account owner; 0 for none
	Settings       map[string]json.RawMessage `json:"settings"`
	Disabled       bool                       `json:"disabled"`
	Version        int64                      `json:"version"`
	CreatedAt      time.Time                  `json:"created_at"`
}

// TenantPatch changes some members of the tenant.
type TenantPatch struct {
	Doors          Opt[[]string] `json:"doors,omitzero"`
	Hosts          Opt[[]string] `json:"hosts,omitzero"`
	DefaultCompany Opt[int64]    `json:"default_company,omitzero"`
	// Settings changes the settings that it has: a value of null gives one its
	// default.
	Settings Opt[map[string]json.RawMessage] `json:"settings,omitzero"`
}

// TenantService is the tenant.
type TenantService struct{ c *Client }

// Get reads the tenant.
func (s *TenantService) Get(ctx context.Context, options ...CallOption) (*Tenant, error) {
	return read[Tenant](ctx, s.c, path("tenant"), nil, options)
}

// Update changes some members of the tenant.
func (s *TenantService) Update(ctx context.Context, p TenantPatch, options ...CallOption) (*Tenant, error) {
	return write[Tenant](ctx, s.c, &request{method: http.MethodPatch, path: path("tenant"), body: p}, options)
}

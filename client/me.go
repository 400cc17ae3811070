package client

import (
	"context"
	"net/http"
)

// Me is who asks: a credential or a person.
type Me struct {
	Head
	Kind       string      `json:"kind"`
	Rank       string      `json:"rank"`
	Tenant     string      `json:"tenant"`     // name
	User       *User       `json:"user"`       // of a person
	Credential *Credential `json:"credential"` // of a key
}

// MeService is who asks.
type MeService struct{ c *Client }

// Get tells who asks.
func (s *MeService) Get(ctx context.Context, options ...CallOption) (*Me, error) {
	return read[Me](ctx, s.c, path("me"), nil, options)
}

// Update changes what a person may change of itself.
func (s *MeService) Update(ctx context.Context, p UserPatch, options ...CallOption) (*User, error) {
	return write[User](ctx, s.c, &request{method: http.MethodPatch, path: path("me"), body: p}, options)
}

// SetPassword replaces a person's own password, which ends all its sessions.
func (s *MeService) SetPassword(ctx context.Context, old, password Secret, options ...CallOption) error {
	return s.c.post(ctx, path("me", "password"), struct {
		Old      Secret `json:"old_password"`
		Password Secret `json:"password"`
	}{old, password}, options)
}

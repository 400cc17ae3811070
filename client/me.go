package client

import (
	"context"
	"net/http"
)

// Me is who asks: a credential or a person.
type Me struct {
	Head
	Kind       string      `json:"kind"`         // "user" of a person, else the kind of the credential
	Name       string      `json:"name"`         // as events name the caller
	OnBehalfOf string      `json:"on_behalf_of"` // who acts in the person's name; "" for nobody
	Rank       string      `json:"rank"`
	Scopes     []string    `json:"scopes"`
	Company    int64       `json:"company"` // sees only this one and those below; 0: the tenant
	Tenant     TenantRef   `json:"tenant"`
	User       *User       `json:"user"`       // the person's own record
	Credential *Credential `json:"credential"` // the credential, without its secret
}

// TenantRef is a tenant as everybody in it may see it.
type TenantRef struct {
	ID   string `json:"id"` // UUID
	Name string `json:"name"`
}

// MeService is who asks.
type MeService struct{ c *Client }

// Get tells who asks.
func (s *MeService) Get(ctx context.Context, options ...CallOption) (*Me, error) {
	return read[Me](ctx, s.c, path("me"), nil, options)
}

// Update changes what a person may change of its own record. A key is nobody: not
// found.
func (s *MeService) Update(ctx context.Context, p UserPatch, options ...CallOption) (*User, error) {
	return write[User](ctx, s.c, &request{method: http.MethodPatch, path: path("me"), body: p}, options)
}

// SetPassword replaces a person's own password, which ends all the person's
// sessions, this one too.
func (s *MeService) SetPassword(ctx context.Context, password Secret, options ...CallOption) error {
	return s.c.post(ctx, path("me", "password"), struct {
		Password Secret `json:"password"`
	}{password}, options)
}

package client

import (
	"context"
	"net/http"
	"time"
)

// The kinds of credentials.
const (
	CredentialKey      = "key"      // an API key
	CredentialClient   = "client"   // an OAuth client
	CredentialAPIUser  = "api_user" // a name and password that open API sessions (edubrite)
	CredentialCustomer = "customer" // a customer id and code (servicemobility)
)

// Credential is what opens doors to programs.
type Credential struct {
	Head
	ID        string    `json:"id"` // UUID
	Kind      string    `json:"kind"`
	Name      string    `json:"name"`
	ClientID  string    `json:"client_id"` // of all kinds but keys
	Hint      string    `json:"hint"`      // how the secret ends
	Rank      string    `json:"rank"`
	Scopes    []string  `json:"scopes"`
	Doors     []string  `json:"doors"`
	Company   int64     `json:"company"`    // it sees only this one and those below; 0: the tenant
	ExpiresAt time.Time `json:"expires_at"` // zero: never
	CreatedAt time.Time `json:"created_at"`
	// Secret is there only in the answer of Create.
	Secret Secret `json:"secret"`
}

// NewCredential is a credential to be created.
type NewCredential struct {
	Kind      string    `json:"kind,omitzero"` // "" is CredentialKey
	Name      string    `json:"name"`
	ClientID  string    `json:"client_id,omitzero"` // of all kinds but keys; "" is drawn
	Secret    Secret    `json:"secret,omitzero"`    // "" is drawn, as it should be
	Rank      string    `json:"rank,omitzero"`      // "" is RankReader
	Scopes    []string  `json:"scopes,omitzero"`    // nil: the maker's
	Doors     []string  `json:"doors,omitzero"`     // nil: the maker's
	Company   int64     `json:"company,omitzero"`   // number; 0: the maker's
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// CredentialService is the credentials of the tenant.
type CredentialService struct{ c *Client }

// List reads all credentials, the oldest first, without their secrets.
func (s *CredentialService) List(ctx context.Context, options ...CallOption) ([]Credential, error) {
	return readAll[Credential](ctx, s.c, path("credentials"), options)
}

// Get reads a credential, without its secret.
func (s *CredentialService) Get(ctx context.Context, id string, options ...CallOption) (*Credential, error) {
	return read[Credential](ctx, s.c, path("credentials", id), nil, options)
}

// Create makes a credential, whose secret is shown only in this answer. Nobody
// makes one that may do more than itself.
func (s *CredentialService) Create(ctx context.Context, credential NewCredential, options ...CallOption) (*Credential, error) {
	return write[Credential](ctx, s.c, &request{method: http.MethodPost, path: path("credentials"), body: credential, creates: true}, options)
}

// Revoke ends a credential with all its tokens and sessions: it is refused from its
// next request on.
func (s *CredentialService) Revoke(ctx context.Context, id string, options ...CallOption) error {
	return s.c.remove(ctx, path("credentials", id), nil, options)
}

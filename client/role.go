package client

import (
	"context"
	"iter"
	"net/http"
)

// The ranks, the lowest first.
const (
	RankSelf          = "self"
	RankReader        = "reader"
	RankHelpdesk      = "helpdesk"
	RankAdministrator = "administrator"
	RankOwner         = "owner" // the account owner's; no role has it
)

// Role is a named set of rights.
type Role struct {
	Head
	Number      int64    `json:"number"`
	Key         string   `json:"key"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Company     int64    `json:"company"` // that owns it; 0: the tenant
	Rank        string   `json:"rank"`
	Permissions []string `json:"permissions"`
	Version     int64    `json:"version"`
}

func (r *Role) setVersion() { r.ETag = etag(r.Version) }

// NewRole is a role to be created.
type NewRole struct {
	Number      int64    `json:"number,omitzero"` // to keep; 0 is drawn
	Key         string   `json:"key,omitzero"`    // "" is made of the name
	Name        string   `json:"name"`
	Description string   `json:"description,omitzero"`
	Company     int64    `json:"company,omitzero"` // 0: the tenant
	Rank        string   `json:"rank,omitzero"`    // "" is RankSelf
	Permissions []string `json:"permissions,omitzero"`
}

// RolePatch changes some members of a role.
type RolePatch struct {
	Name        Opt[string]   `json:"name,omitzero"`
	Description Opt[string]   `json:"description,omitzero"`
	Rank        Opt[string]   `json:"rank,omitzero"`
	Permissions Opt[[]string] `json:"permissions,omitzero"`
}

// RoleQuery is a list of roles.
type RoleQuery struct {
	PageQuery
	Search  string // part of the name
	Company *int64 // number: its own roles; 0 is the tenant's, nil all
	Total   bool   // ask for Page.Total
}

// RoleService is the roles.
type RoleService struct{ c *Client }

// List reads one page of roles.
func (s *RoleService) List(ctx context.Context, q RoleQuery, options ...CallOption) (*Page[Role], error) {
	return read[Page[Role]](ctx, s.c, path("roles"), query{}.page(q.PageQuery).text("q", q.Search).numbered("company", q.Company).flag("total", q.Total), options)
}

// All goes over the roles of all pages.
func (s *RoleService) All(ctx context.Context, q RoleQuery, options ...CallOption) iter.Seq2[Role, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Role], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// Get reads a role.
func (s *RoleService) Get(ctx context.Context, role int64, options ...CallOption) (*Role, error) {
	return read[Role](ctx, s.c, path("roles", number(role)), nil, options)
}

// Create makes a role.
func (s *RoleService) Create(ctx context.Context, role NewRole, options ...CallOption) (*Role, error) {
	return write[Role](ctx, s.c, &request{method: http.MethodPost, path: path("roles"), body: role, creates: true}, options)
}

// Update changes some members of a role. The rank of a role that somebody holds
// cannot change, which is a conflict.
func (s *RoleService) Update(ctx context.Context, role int64, p RolePatch, options ...CallOption) (*Role, error) {
	return write[Role](ctx, s.c, &request{method: http.MethodPatch, path: path("roles", number(role)), body: p}, options)
}

// Delete removes a role that nobody holds; else it is a conflict.
func (s *RoleService) Delete(ctx context.Context, role int64, options ...CallOption) error {
	return s.c.remove(ctx, path("roles", number(role)), nil, options)
}

// Members reads one page of the users who hold a role.
func (s *RoleService) Members(ctx context.Context, role int64, q MemberQuery, options ...CallOption) (*Page[Member], error) {
	return read[Page[Member]](ctx, s.c, path("roles", number(role), "members"), q.query(), options)
}

// AllMembers goes over the users who hold a role.
func (s *RoleService) AllMembers(ctx context.Context, role int64, q MemberQuery, options ...CallOption) iter.Seq2[Member, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Member], error) {
		q.Cursor = cursor
		return s.Members(ctx, role, q, options...)
	})
}

package client

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// The kinds of groups.
const (
	GroupPlain       = "group"
	GroupDashboard   = "dashboard"
	GroupServiceTeam = "service_team" // a user is in one at most
)

// Group is a group of users.
type Group struct {
	Head
	ID          string    `json:"id"` // UUID
	Number      int64     `json:"number"`
	Kind        string    `json:"kind"`
	Key         string    `json:"key"` // unique in its kind
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Parent      string    `json:"parent"`      // id; "" for none
	ExternalID  string    `json:"external_id"` // what this key calls the group
	Version     int64     `json:"version"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func (g *Group) setVersion() { g.ETag = etag(g.Version) }

// NewGroup is a group to be created.
type NewGroup struct {
	ID          string   `json:"id,omitzero"`     // UUID to keep; "" is drawn
	Number      int64    `json:"number,omitzero"` // to keep; 0 is drawn
	Kind        string   `json:"kind,omitzero"`   // "" is GroupPlain
	Key         string   `json:"key,omitzero"`    // of a service team; "" is its id
	Name        string   `json:"name"`
	Description string   `json:"description,omitzero"`
	Parent      string   `json:"parent,omitzero"` // id of a group of the same kind
	ExternalID  string   `json:"external_id,omitzero"`
	Members     []string `json:"members,omitzero"` // ids of users, at most 2,000
}

// GroupPatch changes some members of a group.
type GroupPatch struct {
	Name        Opt[string] `json:"name,omitzero"`
	Description Opt[string] `json:"description,omitzero"`
	Parent      Opt[string] `json:"parent,omitzero"`
	ExternalID  Opt[string] `json:"external_id,omitzero"`
}

// GroupQuery is a list of groups.
type GroupQuery struct {
	PageQuery
	Search string // part of the name
	Kind   string // "" is GroupPlain
	Parent string // id: only those directly below it; "none": those below no group
	Sort   string // "number", "-number", "name" or "-name"; "" is number
	Total  bool   // ask for Page.Total
}

// Member is a user as a group or a role shows it.
type Member struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	UserName    string `json:"user_name"`
	DisplayName string `json:"display_name"`
}

// MemberQuery is a list of members.
type MemberQuery struct {
	PageQuery
	Total bool // ask for Page.Total
}

func (q MemberQuery) query() query { return query{}.page(q.PageQuery).flag("total", q.Total) }

// GroupService is the groups of every kind. They are named by id.
type GroupService struct{ c *Client }

// List reads one page of groups of one kind.
func (s *GroupService) List(ctx context.Context, q GroupQuery, options ...CallOption) (*Page[Group], error) {
	return read[Page[Group]](ctx, s.c, path("groups"), query{}.page(q.PageQuery).text("q", q.Search).text("kind", q.Kind).text("parent", q.Parent).text("sort", q.Sort).flag("total", q.Total), options)
}

// All goes over the groups of one kind.
func (s *GroupService) All(ctx context.Context, q GroupQuery, options ...CallOption) iter.Seq2[Group, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Group], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// Get reads a group.
func (s *GroupService) Get(ctx context.Context, group string, options ...CallOption) (*Group, error) {
	return read[Group](ctx, s.c, path("groups", group), nil, options)
}

// Create makes a group with its first members.
func (s *GroupService) Create(ctx context.Context, group NewGroup, options ...CallOption) (*Group, error) {
	return write[Group](ctx, s.c, &request{method: http.MethodPost, path: path("groups"), body: group, creates: true}, options)
}

// Update changes some members of a group.
func (s *GroupService) Update(ctx context.Context, group string, p GroupPatch, options ...CallOption) (*Group, error) {
	return write[Group](ctx, s.c, &request{method: http.MethodPatch, path: path("groups", group), body: p}, options)
}

// Delete removes a group with its memberships. Groups below it lose their parent.
func (s *GroupService) Delete(ctx context.Context, group string, options ...CallOption) error {
	return s.c.remove(ctx, path("groups", group), nil, options)
}

// Members reads one page of a group's members.
func (s *GroupService) Members(ctx context.Context, group string, q MemberQuery, options ...CallOption) (*Page[Member], error) {
	return read[Page[Member]](ctx, s.c, path("groups", group, "members"), q.query(), options)
}

// AllMembers goes over a group's members.
func (s *GroupService) AllMembers(ctx context.Context, group string, q MemberQuery, options ...CallOption) iter.Seq2[Member, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Member], error) {
		q.Cursor = cursor
		return s.Members(ctx, group, q, options...)
	})
}

// MemberChange is who joins and who leaves a group, by id; at most 2,000 each.
type MemberChange struct {
	Add    []string `json:"add,omitzero"`
	Remove []string `json:"remove,omitzero"`
}

// ChangeMembers lets users join and leave a group in one change: all or none.
func (s *GroupService) ChangeMembers(ctx context.Context, group string, m MemberChange, options ...CallOption) (*Group, error) {
	return write[Group](ctx, s.c, &request{method: http.MethodPost, path: path("groups", group, "members"), body: m}, options)
}

// AddMember puts a user into a group; who is in already stays.
func (s *GroupService) AddMember(ctx context.Context, group, user string, options ...CallOption) error {
	return s.c.send(ctx, &request{method: http.MethodPut, path: path("groups", group, "members", user)}, nil, options)
}

// RemoveMember takes a user out of a group.
func (s *GroupService) RemoveMember(ctx context.Context, group, user string, options ...CallOption) error {
	return s.c.remove(ctx, path("groups", group, "members", user), nil, options)
}

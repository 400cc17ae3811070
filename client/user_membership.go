package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Groups are the groups of a user that the key can see.
func (s *UserService) Groups(ctx context.Context, id string, options ...CallOption) ([]GroupRef, error) {
	return readAll[GroupRef](ctx, s.c, path("users", id, "groups"), options)
}

// JoinGroup puts a user into a group; who is in already stays. role is the user's
// part in it: "" leaves it as it is, and is of a new member an ordinary one.
func (s *UserService) JoinGroup(ctx context.Context, id, group, role string, options ...CallOption) error {
	body := struct {
		Role string `json:"role,omitzero"`
	}{role}
	return s.c.send(ctx, &request{method: http.MethodPut, path: path("users", id, "groups", group), body: body}, nil, options)
}

// LeaveGroup takes a user out of a group; who is not in it stays out.
func (s *UserService) LeaveGroup(ctx context.Context, id, group string, options ...CallOption) error {
	return s.c.remove(ctx, path("users", id, "groups", group), nil, options)
}

// Locations are the locations of a user that the key can see.
func (s *UserService) Locations(ctx context.Context, id string, options ...CallOption) ([]LocationRef, error) {
	return readAll[LocationRef](ctx, s.c, path("users", id, "locations"), options)
}

// JoinLocation assigns a user to a location, named by number or id.
func (s *UserService) JoinLocation(ctx context.Context, id, location string, options ...CallOption) error {
	return s.c.send(ctx, &request{method: http.MethodPut, path: path("users", id, "locations", location)}, nil, options)
}

// LeaveLocation takes a user from a location, named by number or id.
func (s *UserService) LeaveLocation(ctx context.Context, id, location string, options ...CallOption) error {
	return s.c.remove(ctx, path("users", id, "locations", location), nil, options)
}

// Roles are the roles of a user.
func (s *UserService) Roles(ctx context.Context, id string, options ...CallOption) ([]RoleRef, error) {
	return readAll[RoleRef](ctx, s.c, path("users", id, "roles"), options)
}

// GiveRole gives a user a role for a company; 0 is the user's own.
func (s *UserService) GiveRole(ctx context.Context, id string, role, company int64, options ...CallOption) error {
	r := request{method: http.MethodPut, path: path("users", id, "roles", number(role)), query: url.Values(query{}.number("company", company))}
	return s.c.send(ctx, &r, nil, options)
}

// TakeRole takes a role from a user, for every company. A role that the user does
// not hold is not found.
func (s *UserService) TakeRole(ctx context.Context, id string, role int64, options ...CallOption) error {
	return s.c.remove(ctx, path("users", id, "roles", number(role)), nil, options)
}

// number is a number as a part of a path.
func number(n int64) string { return strconv.FormatInt(n, 10) }

// The kinds of holds.
const (
	HoldOpenOrders      = "open_orders"      // blocks deactivation and deletion
	HoldAssignedVehicle = "assigned_vehicle" // blocks deactivation and deletion
	HoldVehicleRemoved  = "vehicle_removed"  // blocks activation
	HoldLegal           = "legal"            // blocks deletion and purging
)

// Hold is another system's claim on a user. Kind, Source and Ref together name it.
type Hold struct {
	Kind      string    `json:"kind"`
	Source    string    `json:"source"` // the system that placed it
	Ref       string    `json:"ref"`    // what it is about there
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// Holds are the holds on a user, the oldest first.
func (s *UserService) Holds(ctx context.Context, id string, options ...CallOption) ([]Hold, error) {
	return readAll[Hold](ctx, s.c, path("users", id, "holds"), options)
}

// PlaceHold places a hold; the same one a second time changes nothing.
func (s *UserService) PlaceHold(ctx context.Context, id string, h Hold, options ...CallOption) error {
	h.CreatedAt = time.Time{} // the server's
	return s.c.post(ctx, path("users", id, "holds"), h, options)
}

// ReleaseHold releases a hold; one that is not there changes nothing.
func (s *UserService) ReleaseHold(ctx context.Context, id string, h Hold, options ...CallOption) error {
	return s.c.remove(ctx, path("users", id, "holds"), query{}.text("kind", h.Kind).text("source", h.Source).text("ref", h.Ref), options)
}

// UserSession is one sign-in of a user that has not ended.
type UserSession struct {
	ID        string    `json:"id"`     // UUID
	Door      string    `json:"door"`   // through which API the user signed in
	Client    string    `json:"client"` // id of the credential through which; "" for none
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Sessions are the sign-ins of a user, the newest first.
func (s *UserService) Sessions(ctx context.Context, id string, options ...CallOption) ([]UserSession, error) {
	return readAll[UserSession](ctx, s.c, path("users", id, "sessions"), options)
}

// EndSessions ends all sessions of a user, as SignOut does.
func (s *UserService) EndSessions(ctx context.Context, id string, options ...CallOption) error {
	return s.c.remove(ctx, path("users", id, "sessions"), nil, options)
}

// EndSession ends one session of a user.
func (s *UserService) EndSession(ctx context.Context, id, session string, options ...CallOption) error {
	return s.c.remove(ctx, path("users", id, "sessions", session), nil, options)
}

// Events reads a page of a user's history, the oldest first; also of a user in the
// recycle bin.
func (s *UserService) Events(ctx context.Context, id string, q PageQuery, options ...CallOption) (*EventPage, error) {
	return read[EventPage](ctx, s.c, path("users", id, "events"), query{}.page(q), options)
}

// AllEvents goes over a user's history until now.
func (s *UserService) AllEvents(ctx context.Context, id string, q PageQuery, options ...CallOption) iter.Seq2[Event, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Event], error) {
		q.Cursor = cursor
		return eventPage(s.Events(ctx, id, q, options...))
	})
}

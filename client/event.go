package client

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Event is the record of one change.
type Event struct {
	Position   int64     `json:"position"` // its place in the tenant's history, without gaps
	ID         string    `json:"id"`       // UUID
	Type       string    `json:"type"`     // "user.deactivated"; an open set
	Time       time.Time `json:"time"`
	User       int64     `json:"user"`         // number of the user it is about; 0 for something else
	UserID     string    `json:"user_id"`      // that user's id; "" for none
	Company    int64     `json:"company"`      // number of the company of what it is about; 0 for none
	Subject    string    `json:"subject"`      // what else it is about, as "location:83"
	Door       string    `json:"door"`         // through which API
	Actor      string    `json:"actor"`        // "key:", "user:" or "system:" and a name or number
	Origin     string    `json:"origin"`       // who, by what nobody else is ever given: "credential:" and an id
	OnBehalfOf string    `json:"on_behalf_of"` // through whom the actor acted
	Reason     string    `json:"reason"`       // why, if the client said so
	RequestID  string    `json:"request_id"`   // finds the request in the server's log
	Erased     bool      `json:"erased"`       // the user was purged, and reason and changes with it
	Version    int64     `json:"version"`      // the user's after the change; 0 for none
	// Changes are the values before and after by member; never a secret.
	Changes map[string][2]json.RawMessage `json:"changes"`
	// Cursor goes on behind this event; only Follow sets it.
	Cursor string `json:"-"`
}

// EventPage is a page of events. NextCursor asks for what is yet to happen: it is
// always there, but at the end of EventQuery.Newest.
type EventPage struct {
	Items      []Event `json:"items"`
	NextCursor string  `json:"next_cursor"`
	More       bool    `json:"more"` // whether more is there already
}

// eventPage makes a page of a list that ends where nothing more is there.
func eventPage(p *EventPage, err error) (*Page[Event], error) {
	if err != nil {
		return nil, err
	}
	page := &Page[Event]{Items: p.Items}
	if p.More {
		page.NextCursor = p.NextCursor
	}
	return page, nil
}

// OriginSelf stands for the caller's own origin in an EventQuery.
const OriginSelf = "self"

// EventQuery selects events: all that is set must match. The zero value is every
// event, the oldest first.
type EventQuery struct {
	PageQuery
	User       string   // id of a user
	UserNumber int64    // number of a user, in place of its id
	Actor      string   // who, as events name it
	Reason     string   // why, exactly as it was said
	Door       string   // through which API
	Types      []string // "user.created", or "user.*" for all types of a noun
	Origin     string   // by whom: an origin, or OriginSelf
	// ExceptOrigins leaves out what these have done, so that a system does not hear
	// its own echo: OriginSelf.
	ExceptOrigins []string
	Since, Until  time.Time // from Since, before Until
	// Newest lists the newest first; the list ends at the oldest. Not for Follow.
	Newest bool
	// Wait lets List wait while there is nothing, for whole seconds, at most 30. An
	// http.Client of one's own must allow more time than that.
	Wait time.Duration
}

func (q EventQuery) query() query {
	out := query{}.page(q.PageQuery).text("user", q.User).number("user_number", q.UserNumber).text("actor", q.Actor).text("reason", q.Reason).
		text("door", q.Door).words("type", q.Types).text("origin", q.Origin).words("except_origin", q.ExceptOrigins).
		moment("since", q.Since).moment("until", q.Until).number("wait", int64(q.Wait/time.Second))
	if q.Newest {
		out.text("order", "newest")
	}
	return out
}

// EventService is the events of the tenant.
type EventService struct{ c *Client }

// List reads a page of events. Keep NextCursor and ask with it later, and with the
// rest of the query unchanged, for what has happened since; it is good for 30 days.
func (s *EventService) List(ctx context.Context, q EventQuery, options ...CallOption) (*EventPage, error) {
	return read[EventPage](ctx, s.c, path("events"), q.query(), options)
}

// All goes over the events until now, or with q.Newest back to the first.
func (s *EventService) All(ctx context.Context, q EventQuery, options ...CallOption) iter.Seq2[Event, error] {
	q.Wait = 0
	return pages(q.Cursor, func(cursor string) (*Page[Event], error) {
		q.Cursor = cursor
		return eventPage(s.List(ctx, q, options...))
	})
}

// Follow goes over the events from q.Cursor on, or from the first, and waits for
// more until ctx is done. A connection that breaks is made again, and the events go
// on behind the last one: none is missing, and none comes twice. An error that will
// not go away, as a revoked key or feed.reset, ends it and is its last pair.
func (s *EventService) Follow(ctx context.Context, q EventQuery, options ...CallOption) iter.Seq2[Event, error] {
	return follow(ctx, s.c, q, "", options, func(cursor string, data []byte) (Event, error) {
		e := Event{Cursor: cursor}
		err := json.Unmarshal(data, &e)
		return e, err
	})
}

// CloudEvent is an event in the envelope of CloudEvents 1.0.
type CloudEvent struct {
	Cursor string // goes on behind this event
	JSON   json.RawMessage
}

// FollowCloudEvents is Follow for those who pass events on as CloudEvents.
func (s *EventService) FollowCloudEvents(ctx context.Context, q EventQuery, options ...CallOption) iter.Seq2[CloudEvent, error] {
	return follow(ctx, s.c, q, "cloudevents", options, func(cursor string, data []byte) (CloudEvent, error) {
		e := CloudEvent{Cursor: cursor}
		return e, json.Unmarshal(data, &e.JSON)
	})
}

// Checkpoint says, signed, where the tenant's history ended at a time.
type Checkpoint struct {
	Tenant    int64     `json:"tenant"`
	TenantID  string    `json:"tenant_id"`
	Name      string    `json:"name"` // the tenant's
	Epoch     int64     `json:"epoch"`
	Position  int64     `json:"position"` // of the last event that it covers
	Hash      string    `json:"hash"`     // of that event, in hexadecimal
	Time      time.Time `json:"time"`
	Restart   string    `json:"restart"`   // why the history goes on from here, whatever earlier ones say
	Key       string    `json:"key"`       // id of the key
	Signature string    `json:"signature"` // Ed25519, in base64
	// Line is what the server sent: kept as a line of a file, `usher audit verify`
	// takes it.
	Line json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps the line too.
func (c *Checkpoint) UnmarshalJSON(text []byte) error {
	type plain Checkpoint
	if err := json.Unmarshal(text, (*plain)(c)); err != nil {
		return err
	}
	c.Line = append(json.RawMessage(nil), text...)
	return nil
}

// Checkpoint makes a checkpoint. Kept elsewhere, it proves that nothing before it
// was changed since. The error's reason is audit.no_key where the server has no key.
func (s *EventService) Checkpoint(ctx context.Context, options ...CallOption) (*Checkpoint, error) {
	return read[Checkpoint](ctx, s.c, path("events", "checkpoint"), nil, options)
}

package client

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Event is the record of one change.
type Event struct {
	ID         string    `json:"id"`   // UUID
	Type       string    `json:"type"` // "user.deactivated"; an open set
	Time       time.Time `json:"time"`
	User       int64     `json:"user"`         // number of the user it is about; 0 for something else
	Subject    string    `json:"subject"`      // what else it is about, as "location:83"
	Door       string    `json:"door"`         // through which API
	Actor      string    `json:"actor"`        // "key:", "user:" or "system:" and a name or number
	OnBehalfOf string    `json:"on_behalf_of"` // through whom the actor acted
	Reason     string    `json:"reason"`       // why, if the client said so
	RequestID  string    `json:"request_id"`   // finds the request in the server's log
	// Changes are the values before and after by member; never a secret.
	Changes map[string][2]json.RawMessage `json:"changes"`
}

// EventPage is a page of events. NextCursor is always there: it asks for what is
// yet to happen.
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

// EventService is the events of the tenant.
type EventService struct{ c *Client }

// List reads a page of events, the oldest first. Keep NextCursor and ask with it
// later for what has happened since; it is good for 30 days.
func (s *EventService) List(ctx context.Context, q PageQuery, options ...CallOption) (*EventPage, error) {
	return read[EventPage](ctx, s.c, path("events"), query{}.page(q), options)
}

// All goes over the events until now.
func (s *EventService) All(ctx context.Context, q PageQuery, options ...CallOption) iter.Seq2[Event, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Event], error) {
		q.Cursor = cursor
		return eventPage(s.List(ctx, q, options...))
	})
}

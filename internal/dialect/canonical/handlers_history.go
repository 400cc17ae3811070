package canonical

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// event is the record of one change.
type event struct {
	ID         string                        `json:"id" format:"uuid"`
	Type       string                        `json:"type" example:"user.deactivated" doc:"What happened. An open set; types never change their meaning."`
	Time       time.Time                     `json:"time"`
	User       nullable[int64]               `json:"user" doc:"Number of the user it is about; null where it is about something else."`
	Subject    string                        `json:"subject" example:"location:83" doc:"What else it is about; empty for nothing."`
	Door       string                        `json:"door" doc:"Through which API."`
	Actor      string                        `json:"actor" example:"key:reader" doc:"Who: key:, user: or system: and a name or number."`
	OnBehalfOf string                        `json:"on_behalf_of" doc:"Through whom the actor acted; empty for who acts alone."`
	Reason     string                        `json:"reason" doc:"Why, if the client said so."`
	RequestID  string                        `json:"request_id" doc:"Finds the request in the server's log."`
	Changes    map[string][2]json.RawMessage `json:"changes" doc:"By member: its value before and after. Never a secret."`
}

// eventOf is an event of the core as it is shown.
func eventOf(e *directory.Event) (event, error) {
	shown := event{ID: e.ID, Type: string(e.Type), Time: e.Time.UTC(), User: numberOf(e.User), Subject: e.Subject, Door: e.Door.String(),
		Actor: e.Actor, OnBehalfOf: e.OnBehalfOf, Reason: e.Reason, RequestID: e.RequestID, Changes: map[string][2]json.RawMessage{}}
	if len(e.Payload) == 0 {
		return shown, nil
	}
	payload := struct {
		Changes *map[string][2]json.RawMessage
	}{&shown.Changes}
	err := json.Unmarshal(e.Payload, &payload)
	if shown.Changes == nil {
		shown.Changes = map[string][2]json.RawMessage{}
	}
	return shown, err
}

// feed is the answer of a list of events, which goes on when more happens.
type feed struct {
	Items      []event `json:"items"`
	NextCursor string  `json:"next_cursor" doc:"Continues the list: always there, for what is yet to happen."`
	More       bool    `json:"more" doc:"Whether more is there already."`
}

// feedOutput is the output of a list of events.
type feedOutput struct{ Body feed }

// feedAnswer answers with a page of events.
func feedAnswer(p *directory.EventPage) (*feedOutput, error) {
	out := &feedOutput{Body: feed{Items: make([]event, 0, len(p.Events)), NextCursor: p.Next, More: p.More}}
	for i := range p.Events {
		e, err := eventOf(&p.Events[i])
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, e)
	}
	return out, nil
}

// registerHistory adds the events of a user.
func registerHistory(d *door) {
	register(d, operation{id: "list_user_events", method: http.MethodGet, path: "/users/{id}/events", tag: "events", summary: "History of a user",
		description: "Every change of the user, oldest first, also of one in the recycle bin.", examples: []example{{name: "history", path: "/users/" + exampleUser + "/events?limit=2"}}},
		func(ctx context.Context, x *exchange, in *struct {
			UserPath
			PageQuery
		}) (*feedOutput, error) {
			events, err := x.door.svc.UserEvents(ctx, &x.call, directory.ByID(in.ID), in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return feedAnswer(&events)
		})
}

package canonical

import (
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/directory"
)

// event is the record of one change.
type event struct {
	Position   int64                         `json:"position" minimum:"1" doc:"Its place in the history of the tenant: without gaps, in the order of the list."`
	ID         string                        `json:"id" format:"uuid"`
	Type       string                        `json:"type" example:"user.deactivated" doc:"What happened. An open set; types never change their meaning."`
	Time       time.Time                     `json:"time"`
	User       nullable[int64]               `json:"user" doc:"Number of the user it is about; null where it is about something else."`
	UserID     nullable[string]              `json:"user_id" doc:"Id of the user it is about; null of an event that was written before ids were kept, too."`
	Company    nullable[int64]               `json:"company" doc:"Number of the company of what it is about, afterwards; null for none."`
	Subject    string                        `json:"subject" example:"location:83" doc:"What else it is about; empty for nothing."`
	Door       string                        `json:"door" doc:"Through which API."`
	Actor      string                        `json:"actor" example:"key:reader" doc:"Who: key:, user: or system: and a name or number."`
	Origin     string                        `json:"origin" example:"credential:0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31" doc:"Who, by what nobody else is ever given. With except_origin=self a system does not hear its own echo."`
	OnBehalfOf string                        `json:"on_behalf_of" doc:"Through whom the actor acted; empty for who acts alone."`
	Reason     string                        `json:"reason" doc:"Why, if the client said so."`
	RequestID  string                        `json:"request_id" doc:"Finds the request in the server's log."`
	Erased     bool                          `json:"erased" doc:"The user was purged, and with it reason and changes."`
	Version    nullable[int64]               `json:"version" doc:"The user's version after the change; null where it has none."`
	Changes    map[string][2]json.RawMessage `json:"changes" doc:"By member: its value before and after. Never a secret."`
}

// eventOf is an event of the core as it is shown.
func eventOf(e *directory.Event) (event, error) {
	shown := event{Position: e.Position, ID: e.ID, Type: string(e.Type), Time: e.Time.UTC(), User: numberOf(e.User), UserID: textOf(e.UserID),
		Company: numberOf(e.Company), Subject: e.Subject, Door: e.Door.String(), Actor: e.Actor, Origin: e.Origin, OnBehalfOf: e.OnBehalfOf,
		Reason: e.Reason, RequestID: e.RequestID, Erased: e.Erased(), Changes: map[string][2]json.RawMessage{}}
	if len(e.Payload) == 0 {
		return shown, nil
	}
	var payload struct {
		Version int64
		Changes map[string][2]json.RawMessage
	}
	err := json.Unmarshal(e.Payload, &payload)
	if payload.Changes != nil {
		shown.Changes = payload.Changes
	}
	shown.Version = numberOf(payload.Version)
	return shown, err
}

// textOf is a text for an answer that huma writes, null for "".
func textOf(text string) nullable[string] {
	if text == "" {
		return nullable[string]{}
	}
	return some(text)
}

// feed is the answer of a list of events, which goes on when more happens.
type feed struct {
	Items      []event          `json:"items"`
	NextCursor nullable[string] `json:"next_cursor" doc:"Continues the list: always there, for what is yet to happen, but at the end of order=newest."`
	More       bool             `json:"more" doc:"Whether more is there already. A page can be short, or empty, all the same."`
}

// feedOutput is the output of a list of events.
type feedOutput struct{ Body feed }

// feedAnswer answers with a page of events.
func feedAnswer(p *directory.EventPage) (*feedOutput, error) {
	out := &feedOutput{Body: feed{Items: make([]event, 0, len(p.Events)), NextCursor: textOf(p.Next), More: p.More}}
	for i := range p.Events {
		e, err := eventOf(&p.Events[i])
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, e)
	}
	return out, nil
}

// cloudEvent is the schema of an event in the envelope of CloudEvents, which
// package cloudevent writes.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion" enum:"1.0"`
	ID              string    `json:"id" format:"uuid"`
	Source          string    `json:"source" example:"https://users.example.com/api/v1" doc:"This server's API."`
	Type            string    `json:"type" example:"usher.user.deactivated" doc:"usher. and the type."`
	Subject         string    `json:"subject,omitempty" example:"users/9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870" doc:"What it is about."`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype" enum:"application/json"`
	Origin          string    `json:"origin,omitempty" doc:"Who, by what nobody else is ever given."`
	Sequence        string    `json:"sequence,omitempty" doc:"The position, of 20 digits."`
	PartitionKey    string    `json:"partitionkey,omitempty" example:"user:2576" doc:"What is kept in order."`
	Data            cloudData `json:"data"`
}

// cloudData is what happened, in the envelope of CloudEvents.
type cloudData struct {
	Type       string                        `json:"type"`
	Tenant     int64                         `json:"tenant"`
	User       nullable[cloudUser]           `json:"user"`
	Company    nullable[int64]               `json:"company"`
	Subject    nullable[string]              `json:"subject"`
	Door       nullable[string]              `json:"door"`
	Actor      nullable[string]              `json:"actor"`
	OnBehalfOf nullable[string]              `json:"on_behalf_of"`
	Reason     nullable[string]              `json:"reason"`
	RequestID  nullable[string]              `json:"request_id"`
	Erased     bool                          `json:"erased"`
	Version    int64                         `json:"version,omitempty"`
	Changes    map[string][2]json.RawMessage `json:"changes"`
}

// cloudUser is a user in the envelope of CloudEvents.
type cloudUser struct {
	Number nullable[int64]  `json:"number"`
	ID     nullable[string] `json:"id"`
}

// Checkpoint is the schema of a signed checkpoint, which the core writes: what is
// kept of it can be verified as it is.
type Checkpoint struct {
	Tenant    int64     `json:"tenant" doc:"Number of the tenant in the installation."`
	TenantID  string    `json:"tenant_id"`
	Name      string    `json:"name" doc:"The tenant's."`
	Epoch     int64     `json:"epoch" doc:"Rises when the history is declared to go on from another point than was known."`
	Position  int64     `json:"position" doc:"Of the last event that it covers."`
	Hash      string    `json:"hash" doc:"Of that event, in hexadecimal: it stands for all before it."`
	Time      time.Time `json:"time"`
	Restart   string    `json:"restart,omitempty" doc:"Why the history goes on from here, whatever earlier checkpoints say."`
	Key       string    `json:"key" doc:"Id of the key: the first eight bytes of the SHA-256 of the public one, in hexadecimal."`
	Signature string    `json:"signature" doc:"Ed25519, in base64."`
}

// checkpointBody is a checkpoint as an answer.
type checkpointBody struct{ directory.Checkpoint }

// Schema implements huma.SchemaProvider.
func (checkpointBody) Schema(r huma.Registry) *huma.Schema { return schemaOf[Checkpoint](r) }

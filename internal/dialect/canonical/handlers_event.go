package canonical

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/cloudevent"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// EventQuery are the parameters of the events of the tenant.
type EventQuery struct {
	PageQuery
	User         string    `query:"user" example:"9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870" doc:"Id of a user: what is about it."`
	UserNumber   int64     `query:"user_number" minimum:"1" maximum:"2147483647" doc:"Number of a user: what is about it."`
	Actor        string    `query:"actor" example:"key:HR sync" doc:"Who, as events name it."`
	Reason       string    `query:"reason" doc:"Why, exactly as it was said."`
	Door         string    `query:"door" enum:"canonical,cli,console,edubrite,encore,iqmetrix,scim,server,servicemobility,smartapp" doc:"Through which API; server is what the server did by itself."`
	Type         string    `query:"type" example:"user.created,group.*" doc:"Types, or a noun with .* for all of its types, separated by commas."`
	Origin       string    `query:"origin" doc:"By whom: an origin, as events have it; self is the caller's own."`
	ExceptOrigin string    `query:"except_origin" example:"self" doc:"By nobody of these: origins, separated by commas; self is the caller's own, so that a system does not hear its own echo."`
	Since        time.Time `query:"since" example:"2026-02-01T00:00:00Z" doc:"From this moment on."`
	Until        time.Time `query:"until" doc:"Before this moment."`
	Order        string    `query:"order" enum:"oldest,newest" default:"oldest" doc:"oldest first, which goes on with what is yet to happen, or newest first, which ends."`
	Wait         int       `query:"wait" minimum:"0" maximum:"30" doc:"Seconds for which the answer is held back while there is nothing. Not with newest."`
	Envelope     string    `query:"envelope" enum:"cloudevents" doc:"Each event in an envelope of CloudEvents 1.0, as Accept can ask for a page."`
	LastEventID  string    `header:"Last-Event-ID" doc:"Of a stream that goes on: the id of the last event that came. Wins over cursor."`
}

// core is the query for the core.
func (q *EventQuery) core() (directory.EventQuery, error) {
	next := directory.EventQuery{Actor: q.Actor, Reason: q.Reason, Door: doorOf[q.Door], Origin: q.Origin, ExceptOrigins: words(q.ExceptOrigin),
		From: q.Since, To: q.Until, Newest: q.Order == "newest", Cursor: q.Cursor, Limit: q.Limit, Wait: time.Duration(q.Wait) * time.Second}
	switch {
	case q.User != "" && q.UserNumber != 0:
		return next, badQuery("user_number", "user and user_number: give one of them.")
	case q.User != "":
		next.User = directory.ByID(q.User)
	case q.UserNumber != 0:
		next.User = directory.ByNumber(q.UserNumber)
	}
	next.Types = typesOf(words(q.Type))
	return next, nil
}

// words are the words of a parameter, separated by commas.
func words(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// doorOf are the doors by their names.
var doorOf = func() map[string]directory.Door {
	doors := map[string]directory.Door{}
	for door := directory.DoorCanonical; door.String() != ""; door <<= 1 {
		doors[door.String()] = door
	}
	return doors
}()

// eventFields names the members of the core's query as the parameters are.
func eventFields(field string) string {
	switch field {
	case "types":
		return "type"
	case "from":
		return "since"
	case "to":
		return "until"
	case "except_origins":
		return "except_origin"
	case "newest":
		return "order"
	}
	return field
}

// registerEvents adds the events of the tenant.
func registerEvents(d *door) {
	const path = "/events"
	register(d, operation{id: "list_events", method: http.MethodGet, path: path, tag: "events", summary: "Events of the tenant",
		description: "Every change, oldest first. Keep `next_cursor` and ask with it again: it goes on with what happened since, for 30 days; with `wait` as soon as something happens. " +
			"With `Accept: text/event-stream` the answer is a stream of server-sent events that goes on with `Last-Event-ID` where it broke off; with `Accept: application/cloudevents-batch+json` a page of CloudEvents. " +
			"A credential of one company is refused: events are not kept by company. 410 `feed.reset`: the history is another one than the cursor knows, or what followed has been removed; read the directory anew.",
		examples: []example{{name: "the first events", path: "/events?limit=3"}, {name: "the latest of some types", path: "/events?type=user.*,group.created&order=newest&limit=2"},
			{name: "what others did", path: "/events?except_origin=self&since=2026-01-01T00:00:00Z&limit=2"}}}, listEvents)
	describeEvents(d, path)
	register(d, operation{id: "get_checkpoint", method: http.MethodGet, path: "/events/checkpoint", tag: "events", summary: "A signed checkpoint",
		description: "Says, signed with the server's key (Ed25519), where the history of the tenant ends now: kept elsewhere, it proves to `usher audit verify` that nothing before it was changed since. 503 `audit.no_key` where the server has no key.",
		examples:    []example{{name: "a checkpoint", path: "/events/checkpoint"}}},
		func(ctx context.Context, x *exchange, _ *struct{}) (*made[checkpointBody], error) {
			c, err := x.door.svc.LatestCheckpoint(ctx, &x.call)
			if err != nil {
				return nil, err
			}
			x.setHeader("Cache-Control", "no-store")
			return &made[checkpointBody]{Body: checkpointBody{c}}, nil
		})
}

// describeEvents says of the list of events what its types do not.
func describeEvents(d *door, path string) {
	described := d.registered(http.MethodGet, prefix+path)
	text := &huma.Schema{Type: huma.TypeString}
	success := described.Responses["200"]
	schemas := d.api.OpenAPI().Components.Schemas
	success.Content[cloudevent.BatchMediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeArray, Items: schemas.Schema(reflect.TypeFor[cloudEvent](), true, "")}}
	success.Content[contentStream] = &huma.MediaType{Schema: text,
		Example: "id: Zm9y…\nevent: user.deactivated\ndata: {\"position\":71,\"type\":\"user.deactivated\",…}\n\n"}
	success.Headers["Usher-Cursor"] = &huma.Header{Description: "next_cursor of a page of CloudEvents.", Schema: text}
	success.Headers["Usher-More"] = &huma.Header{Description: "more of a page of CloudEvents.", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"true", "false"}}}
	success.Headers["Link"] = &huma.Header{Description: "The next page of CloudEvents (RFC 8288).", Schema: &huma.Schema{Type: huma.TypeString, Pattern: `^</api/v1/events\?.*>; rel="next"$`}}
	described.Responses["410"] = &huma.Response{Ref: "#/components/responses/410"}
}

// listEvents answers in the form that the client asks for.
func listEvents(ctx context.Context, x *exchange, in *EventQuery) (*feedOutput, error) {
	q, err := in.core()
	if err != nil {
		return nil, x.refuse(err)
	}
	form := x.accepted(contentJSON, cloudevent.BatchMediaType, contentStream)
	if form == contentStream {
		return x.followEvents(ctx, q, in)
	}
	if q.Wait > 0 {
		x.req.HoldFor(q.Wait)
	}
	page, err := x.door.svc.ListEvents(ctx, &x.call, q)
	if err != nil {
		return nil, renamed(err, eventFields)
	}
	if form == cloudevent.BatchMediaType || in.Envelope != "" {
		x.raw = x.cloudPage(&page)
		return &feedOutput{}, nil
	}
	return feedAnswer(&page)
}

// cloudPage is a page of CloudEvents; what continues it is in the headers.
func (x *exchange) cloudPage(page *directory.EventPage) *web.Response {
	response := web.Response{ContentType: cloudevent.BatchMediaType, Header: [][2]string{{"Usher-More", "false"}},
		Body: cloudevent.AppendBatch(make([]byte, 0, 64+1024*len(page.Events)), x.door.source(), page.Events)}
	if page.More {
		response.Header[0][1] = "true"
	}
	if page.Next != "" {
		query := x.req.URL.Query()
		query.Set("cursor", page.Next)
		response.Header = append(response.Header, [2]string{"Usher-Cursor", page.Next},
			[2]string{"Link", "<" + prefix + x.route.op.path + "?" + query.Encode() + `>; rel="next"`})
	}
	return &response
}

// source is what CloudEvents name as theirs.
func (d *door) source() string { return d.opts.PublicURL + prefix }

package canonical

import (
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// asOf says as of when a user is shown.
type asOf struct {
	At      time.Time        `json:"at" doc:"The moment that was asked for."`
	Event   nullable[string] `json:"event" doc:"Id of the last event before it; null where none is kept."`
	Unknown []string         `json:"unknown" example:"picture" doc:"Members whose value then is not known: it was too long for an event."`
}

func asOfOf(past *directory.PastUser) asOf {
	shown := asOf{At: past.At.UTC(), Event: textOf(past.Event), Unknown: []string{}}
	for i := range userMembers {
		if past.Unknown.Has(fieldNamed[userMembers[i].name()]) {
			shown.Unknown = append(shown.Unknown, userMembers[i].name())
		}
	}
	return shown
}

// fieldNamed are the fields of a user by the members that show them, which have
// their names.
var fieldNamed = func() map[string]directory.Field {
	fields := map[string]directory.Field{}
	for f := directory.FieldID; f.String() != ""; f++ {
		fields[f.String()] = f
	}
	return fields
}()

// readPastUser answers with a user as it was.
func (x *exchange) readPastUser(ref directory.UserRef, only memberSet, with directory.Include) (web.Response, error) {
	at, err := time.Parse(time.RFC3339, x.query.Get("at"))
	switch {
	case err != nil:
		return web.Response{}, x.refuse(badQuery("at", "at must be a time of RFC 3339, as 2026-02-25T12:00:00Z."))
	case with != 0:
		return web.Response{}, x.refuse(badQuery("expand", "expand shows what is now: it cannot be given with at."))
	}
	past, err := x.door.svc.UserAt(x.req.Context(), &x.call, ref, at)
	if err != nil {
		return web.Response{}, err
	}
	s := shown{u: &past.User, caller: x.call.Actor.Credential, past: &past}
	return web.Response{Status: http.StatusOK, ContentType: contentJSON, Body: appendUser(make([]byte, 0, 1024), &s, only)}, nil
}

package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

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

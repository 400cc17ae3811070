package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

// registerEvents adds the events of the tenant.
func registerEvents(d *door) {
	register(d, operation{id: "list_events", method: http.MethodGet, path: "/events", tag: "events", summary: "Events of the tenant",
		description: "Every change, oldest first. Keep `next_cursor` and ask with it again: it goes on with what happened since, for 30 days. A credential of one company is refused: events are not kept by company.",
		examples:    []example{{name: "the first events", path: "/events?limit=3"}}},
		func(ctx context.Context, x *exchange, in *PageQuery) (*feedOutput, error) {
			events, err := x.door.svc.ListEvents(ctx, &x.call, directory.EventQuery{Cursor: in.Cursor, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return feedAnswer(&events)
		})
}

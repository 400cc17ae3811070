package directory

import (
	"context"
	"time"
)

// FeedCursorLifetime is how long a cursor of ListEvents is good: whoever listens
// to a tenant may be away for a while.
const FeedCursorLifetime = 30 * 24 * time.Hour

// eventFeed is the kind of the cursors of ListEvents.
const eventFeed = "events"

// ListEvents lists a page of the tenant's events in the order of their sequence
// numbers, oldest first; the cursor of the last page goes on with what happens
// later. A caller that is bound to a company sees none: events are not kept by
// company. Errors: cursor.invalid, cursor.expired.
func (s *Service) ListEvents(ctx context.Context, call *Call, cursor string, limit int) (EventPage, error) {
	if err := s.enter(ctx, call, ActReadEvents); err != nil {
		return EventPage{}, err
	}
	if call.Actor.Root != 0 {
		return EventPage{}, errWholeTenant()
	}
	if err := checkLimit(limit); err != nil {
		return EventPage{}, err
	}
	after, err := s.after(call, eventFeed, "", cursor)
	if err != nil {
		return EventPage{}, err
	}
	var list []Event
	err = s.store.Read(ctx, func(r Reader) (err error) {
		list, err = r.Events(ctx, call.Actor.Tenant, after, limit+1)
		return err
	})
	if err != nil {
		return EventPage{}, err
	}
	page := EventPage{Events: list, More: len(list) > limit}
	if page.More {
		page.Events = list[:limit]
	}
	if n := len(page.Events); n > 0 {
		after = page.Events[n-1].Seq
	}
	page.Next, err = s.sealCursorFor(call, eventFeed, "", place{Number: after}, FeedCursorLifetime)
	return page, err
}

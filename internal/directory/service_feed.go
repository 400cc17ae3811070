package directory

import (
	"context"
	"time"
)

// FeedCursorLifetime is how long a cursor of ListEvents is good: whoever listens
// to a tenant may be away for a while.
const FeedCursorLifetime = 30 * 24 * time.Hour

// MaxFeedWait is the longest that ListEvents waits for something to happen.
const MaxFeedWait = 30 * time.Second

// EventQuery selects events; every member that is set must match. The zero value
// is every event of the tenant.
type EventQuery struct {
	User   UserRef // the zero value: all
	Actor  string
	Reason string
	Door   Door
	Types  []EventType // "user.created", or "user.*"; none: all
	// Origin is who asked, OriginSelf the caller itself.
	Origin string
	// ExceptOrigins are origins whose events are left out: a system names its own,
	// or OriginSelf.
	ExceptOrigins []string
	From, To      time.Time // from From, before To; zero: no bound
	// Newest lists the newest first; the list ends at the oldest.
	Newest bool
	Cursor string
	Limit  int
	// Wait is how long the answer is held back while there is nothing; not with
	// Newest. MaxFeedWait at most.
	Wait time.Duration
	// EachCursor asks for EventPage.Cursors.
	EachCursor bool
}

// OriginSelf stands for the caller's own origin in an EventQuery.
const OriginSelf = "self"

// ListEvents lists a page of the tenant's events in the order of their positions;
// the cursor of the last page goes on with what happens later. A page may be
// short, or empty, although More is set: a search looks at a bounded number of
// events. A caller that is bound to a company sees none: events are not kept by
// company. Errors: cursor.invalid, cursor.expired; feed.reset when the history is
// not the one that the cursor knows, or what followed it has been removed;
// feed.busy when too many wait.
func (s *Service) ListEvents(ctx context.Context, call *Call, q EventQuery) (EventPage, error) {
	panic("ListEvents")
}

// FollowEvents calls each with every page of events as they happen, beginning
// after q.Cursor, the first time at once, with an empty page if there is nothing,
// until ctx is done, each fails or the caller may not read any
// more: its credential is verified again before each page, and at least every
// quarter of a minute, when each gets an empty page. Errors as ListEvents and
// authenticate.
func (s *Service) FollowEvents(ctx context.Context, call *Call, q EventQuery, each func(EventPage) error) error {
	panic("FollowEvents")
}

// RunFeed keeps the feed going until ctx is done: it lets the store give events
// their positions, wakes whoever waits for them, and makes them findable. The
// server runs it once. Followers are sent away when it ends.
func (s *Service) RunFeed(ctx context.Context, call *Call) error { panic("RunFeed") }

package directory

import (
	"context"
	"sync"
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

// eventFeed is the kind of the cursors of ListEvents and FollowEvents.
const eventFeed = "events"

// ListEvents lists a page of the tenant's events in the order of their positions;
// the cursor of the last page goes on with what happens later. A page may be
// short, or empty, although More is set: a search looks at a bounded number of
// events. A caller that is bound to a company sees none: events are not kept by
// company. Errors: cursor.invalid, cursor.expired; feed.reset when the history is
// not the one that the cursor knows, or what followed it has been removed;
// feed.busy when too many wait.
func (s *Service) ListEvents(ctx context.Context, call *Call, q EventQuery) (EventPage, error) {
	if err := s.enterWhole(ctx, call, ActReadEvents); err != nil {
		return EventPage{}, err
	}
	w, err := s.feedWalk(ctx, call, &q)
	if err != nil {
		return EventPage{}, err
	}
	if q.Wait == 0 {
		return s.readFeed(ctx, call, w)
	}
	waiter, err := s.feed.join(w.tenant)
	if err != nil {
		return EventPage{}, err
	}
	defer waiter.leave()
	timer := time.NewTimer(q.Wait)
	defer timer.Stop()
	began := time.Now()
	page, err := s.readFeed(ctx, call, w)
	for err == nil && len(page.Events) == 0 && !page.More && time.Since(began) < q.Wait {
		if !waiter.wait(ctx, w.head, timer.C) {
			break // the answer is what there is
		}
		if err = s.readmit(ctx, call); err == nil {
			page, err = s.readFeed(ctx, call, w)
		}
	}
	return page, err
}

// feedWalk is the way of a query through the feed, of which it checks every part.
func (s *Service) feedWalk(ctx context.Context, call *Call, q *EventQuery) (*eventWalk, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	q.nameSelf(call.Actor.origin())
	var user int64
	if q.User != (UserRef{}) {
		var err error
		if user, err = s.whose(ctx, call, q.User); err != nil {
			return nil, err
		}
	}
	return s.newWalk(call, eventFeed, q.text(user), FeedCursorLifetime, q, user)
}

// readFeed reads the next page, what this caller has just done included.
func (s *Service) readFeed(ctx context.Context, call *Call, w *eventWalk) (EventPage, error) {
	if err := s.store.Seal(ctx, w.tenant); err != nil {
		return EventPage{}, err
	}
	return w.read(ctx, s, call)
}

// readmit decides whether somebody who has waited may still read the feed. The
// limiter has counted the call already.
func (s *Service) readmit(ctx context.Context, call *Call) error {
	if call.trusted {
		return nil
	}
	return s.enterWhole(ctx, call.Part(), ActReadEvents)
}

// FollowEvents calls each with every page of events as they happen, beginning
// after q.Cursor, the first time at once, with a page that may be empty. It returns
// nil once ctx is done or the server stops, what each fails with, or why the caller
// may not read any more: its credential is verified again before each page, and at
// least every quarter of a minute, when each gets an empty page. q.Newest and q.Wait
// are not for it. Errors as ListEvents and authenticate.
func (s *Service) FollowEvents(ctx context.Context, call *Call, q EventQuery, each func(EventPage) error) error {
	if err := s.enterWhole(ctx, call, ActReadEvents); err != nil {
		return err
	}
	w, err := s.feedWalk(ctx, call, &q)
	if err != nil {
		return err
	}
	if q.Newest || q.Wait != 0 {
		return Invalid("wait", ReasonFieldValue, "Events are followed in their order, as they happen.")
	}
	waiter, err := s.feed.join(w.tenant)
	if err != nil {
		return err
	}
	defer waiter.leave()
	beat := time.NewTimer(s.feed.beat)
	defer beat.Stop()
	var told time.Time
	for {
		page, err := s.readFeed(ctx, call, w)
		if err != nil {
			return unlessDone(ctx, err)
		}
		if len(page.Events) > 0 || time.Since(told) >= s.feed.beat {
			if err := each(page); err != nil {
				return err
			}
			told = time.Now()
			beat.Reset(s.feed.beat)
		}
		if s.feed.over(ctx) || !page.More && !waiter.wait(ctx, w.head, beat.C) {
			return nil
		}
		if err := s.readmit(ctx, call); err != nil {
			return unlessDone(ctx, err)
		}
	}
}

// unlessDone is an error, but not one that came of the caller's going away.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// RunFeed keeps the feed going until ctx is done: it lets the store give events
// their positions, wakes whoever waits for them, and makes them findable. The
// server runs it once; only it can. Followers are sent away when it ends.
func (s *Service) RunFeed(ctx context.Context, call *Call) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	defer s.feed.end()
	defer context.AfterFunc(ctx, s.feed.end)()
	var indexing sync.WaitGroup
	indexing.Go(func() { s.keepIndexed(ctx) })
	defer indexing.Wait()
	for {
		err := s.store.Follow(ctx, s.feed.grow)
		if ctx.Err() != nil {
			return nil
		}
		s.opts.Logger.Error("the feed of events stopped and begins again", "error", err)
		if !s.feed.sleep(ctx, s.feed.rest) {
			return nil
		}
	}
}

// keepIndexed makes events findable behind the writers.
func (s *Service) keepIndexed(ctx context.Context) {
	for {
		if s.feed.stale.Swap(false) {
			if err := s.indexAll(ctx); err != nil && ctx.Err() == nil {
				s.feed.stale.Store(true)
				s.opts.Logger.Warn("events cannot be found as yet", "error", err)
			}
		}
		if !s.feed.sleep(ctx, s.feed.rest) {
			return
		}
	}
}

// indexAll makes the events of all tenants findable that have positions. Between
// two transactions it leaves the writers as long as the last one took, and more.
func (s *Service) indexAll(ctx context.Context) error {
	const heads = 500
	for after := TenantNo(0); ; {
		var list []ChainHead
		err := s.store.Read(ctx, func(r Reader) (err error) {
			list, err = r.ChainHeads(ctx, after, heads)
			return err
		})
		if err != nil {
			return err
		}
		for i := range list {
			after = list[i].Tenant
			for done := list[i].Indexed; done < list[i].Position; {
				began := time.Now()
				n, err := s.indexSome(ctx, after)
				if err != nil {
					return err
				}
				if done += int64(n); n == 0 {
					break
				}
				if !s.feed.sleep(ctx, 3*time.Since(began)) {
					return ctx.Err()
				}
			}
		}
		if len(list) < heads {
			return nil
		}
	}
}

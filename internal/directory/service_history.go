package directory

import (
	"context"
	"strconv"
)

// EventPage is one page of events, oldest first.
type EventPage struct {
	Events []Event
	Next   string // cursor of what follows; never "" where events may follow later
	More   bool   // whether more are there already
	// Cursors go on behind each of Events; nil unless EventQuery.EachCursor.
	Cursors []string
}

// userHistory is the kind of the cursors of a user's events.
const userHistory = "user events"

// UserEvents lists the events of one user, oldest first: its history. A caller
// that is bound to a company sees those of the users it can see. Deleted users
// have theirs too; of one that was purged the envelopes are left, but not for
// a caller that is bound to a company. Errors: user.not_found, cursor.invalid,
// cursor.expired, feed.reset, feed.busy.
func (s *Service) UserEvents(ctx context.Context, call *Call, ref UserRef, cursor string, limit int) (EventPage, error) {
	if err := s.enter(ctx, call, ActReadEvents); err != nil {
		return EventPage{}, err
	}
	q := EventQuery{User: ref, Cursor: cursor, Limit: limit}
	if err := q.check(); err != nil {
		return EventPage{}, err
	}
	number, err := s.whose(ctx, call, ref)
	if err != nil {
		return EventPage{}, err
	}
	w, err := s.newWalk(call, userHistory, strconv.FormatInt(number, 10), CursorLifetime, &q, number)
	if err != nil {
		return EventPage{}, err
	}
	return s.readFeed(ctx, call, w)
}

// whose is the number of the user whose events are asked for: one in the recycle
// bin too, and one that was purged.
func (s *Service) whose(ctx context.Context, call *Call, ref UserRef) (number int64, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		u, err := lookUp(ctx, r, call.Actor.Tenant, call.own(ref))
		if err == nil {
			err = visible(ctx, r, call.Actor, &u)
		}
		number = u.Number
		if !IsReason(err, ReasonUserNotFound) || call.Actor.Root != 0 {
			return err
		}
		purged, failed := erased(ctx, r, call.Actor.Tenant, ref)
		if failed != nil || purged != 0 {
			number = purged
			return failed
		}
		return err
	})
	return number, err
}

// indexedAtOnce is how many events one transaction makes findable by user.
const indexedAtOnce = 500

// findable gives every committed event of a tenant its position and sees to it
// that those that the index does not know are few enough to be looked at one by
// one. They are, but for the first minutes behind a large import: the feed keeps
// the index behind the writers, who need not pay for it.
func (s *Service) findable(ctx context.Context, t TenantNo) error {
	if err := s.store.Seal(ctx, t); err != nil {
		return err
	}
	var head ChainHead
	err := s.store.Read(ctx, func(r Reader) (err error) {
		head, err = r.ChainHead(ctx, t)
		return err
	})
	for n := 1; err == nil && n > 0 && head.Position-head.Indexed > int64(s.searches.scan); head.Indexed += int64(n) {
		n, err = s.indexSome(ctx, t)
	}
	return err
}

// indexSome makes a few events of a tenant findable and reports how many.
func (s *Service) indexSome(ctx context.Context, t TenantNo) (n int, err error) {
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		n, err = tx.IndexEvents(ctx, t, indexedAtOnce)
		return err
	})
	return n, err
}

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
// have theirs too; of one that was purged the envelopes are left, by number, but
// for a caller that is bound to a company. Errors: user.not_found, cursor.invalid,
// cursor.expired, feed.reset.
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
	if err := s.store.Seal(ctx, call.Actor.Tenant); err != nil {
		return EventPage{}, err
	}
	return w.read(ctx, s, call)
}

// whose is the number of the user whose events are asked for: one in the recycle
// bin too, and by number one that was purged.
func (s *Service) whose(ctx context.Context, call *Call, ref UserRef) (number int64, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		u, err := lookUp(ctx, r, call.Actor.Tenant, call.own(ref))
		if err == nil {
			err = visible(ctx, r, call.Actor, &u)
		}
		number = u.Number
		if !IsReason(err, ReasonUserNotFound) || ref.Number <= 0 || ref.Number > MaxNumber || call.Actor.Root != 0 {
			return err
		}
		purged, failed := r.Purged(ctx, call.Actor.Tenant, ref.Number, "")
		if failed != nil {
			return failed
		}
		if !purged {
			return err
		}
		number = ref.Number
		return nil
	})
	return number, err
}

// indexedAtOnce is how many events one transaction makes findable by user.
const indexedAtOnce = 500

// indexEvents makes every event of a tenant findable, those included that were
// committed a moment ago. Writers do not, so that they need not pay for it: the
// feed does behind them.
func (s *Service) indexEvents(ctx context.Context, t TenantNo) error {
	if err := s.store.Seal(ctx, t); err != nil {
		return err
	}
	for {
		if n, err := s.indexSome(ctx, t); err != nil || n == 0 {
			return err
		}
	}
}

// indexSome makes a few events of a tenant findable and reports how many.
func (s *Service) indexSome(ctx context.Context, t TenantNo) (n int, err error) {
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		n, err = tx.IndexEvents(ctx, t, indexedAtOnce)
		return err
	})
	return n, err
}

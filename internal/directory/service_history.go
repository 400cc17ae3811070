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

// UserEvents lists the events of one user, oldest first: its history. A caller
// that is bound to a company sees those of the users it can see. Deleted users
// have theirs too. Errors: user.not_found, cursor.invalid, cursor.expired.
func (s *Service) UserEvents(ctx context.Context, call *Call, ref UserRef, cursor string, limit int) (EventPage, error) {
	if err := s.enter(ctx, call, ActReadEvents); err != nil {
		return EventPage{}, err
	}
	if limit <= 0 || limit > MaxLimit {
		return EventPage{}, Invalid("limit", ReasonFieldValue, "limit must be from 1 to %d.", MaxLimit)
	}
	var number int64
	err := s.store.View(ctx, func(r Reader) (err error) {
		number, err = s.subject(ctx, r, call, ref)
		return err
	})
	if err != nil {
		return EventPage{}, err
	}
	query := strconv.FormatInt(number, 10)
	var at place
	if cursor != "" {
		if at, err = s.openCursor(call, userHistory, query, cursor); err != nil {
			return EventPage{}, err
		}
	}
	if err := s.indexEvents(ctx, call.Actor.Tenant); err != nil {
		return EventPage{}, err
	}
	var found EventsFound
	err = s.store.Read(ctx, func(r Reader) (err error) {
		found, err = r.FindEvents(ctx, call.Actor.Tenant, EventSelection{User: number, After: at.Number, Limit: limit, Scan: maxEventScan})
		return err
	})
	if err != nil {
		return EventPage{}, err
	}
	page := EventPage{Events: found.Events, More: found.More}
	at.Number = max(at.Number, found.Seen)
	page.Next, err = s.sealCursor(call, userHistory, query, at)
	return page, err
}

// userHistory is the kind of the cursors of a user's events.
const userHistory = "user events"

// subject is the number of the user whose history is asked for, one that is in
// the recycle bin too.
func (s *Service) subject(ctx context.Context, r Reader, call *Call, ref UserRef) (int64, error) {
	u, err := lookUp(ctx, r, call.Actor.Tenant, call.own(ref))
	if err == nil {
		err = visible(ctx, r, call.Actor, &u)
	}
	return u.Number, err
}

// indexedAtOnce is how many events one transaction makes findable by user.
const indexedAtOnce = 500

// maxEventScan is the most events that one page of a search looks at.
const maxEventScan = 10_000

// indexEvents makes every event of a tenant findable, those included that were
// committed a moment ago. Writers do not, so that they need not pay for it: the
// feed does behind them, and whoever asks.
func (s *Service) indexEvents(ctx context.Context, t TenantNo) error {
	if err := s.store.Seal(ctx, t); err != nil {
		return err
	}
	for {
		var n int
		err := s.store.Update(ctx, func(tx Tx) (err error) {
			n, err = tx.IndexEvents(ctx, t, indexedAtOnce)
			return err
		})
		if err != nil || n < indexedAtOnce {
			return err
		}
	}
}

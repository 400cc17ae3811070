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
	if err := s.indexEvents(ctx); err != nil {
		return EventPage{}, err
	}
	var list []Event
	err = s.store.Read(ctx, func(r Reader) (err error) {
		list, err = r.UserEvents(ctx, call.Actor.Tenant, number, at.Number, limit+1)
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
		at.Number = page.Events[n-1].Seq
	}
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

// indexEvents makes every event findable by user. Writers do not, so that they
// need not pay for it: whoever asks first does, and the sweep.
func (s *Service) indexEvents(ctx context.Context) error {
	for {
		var n int
		err := s.store.Update(ctx, func(tx Tx) (err error) {
			n, err = tx.IndexEvents(ctx, indexedAtOnce)
			return err
		})
		if err != nil || n < indexedAtOnce {
			return err
		}
	}
}

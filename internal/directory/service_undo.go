package directory

import (
	"context"
	"slices"
)

// UndoRecords hands out, newest change first, the records of an undo file of a run:
// importing them takes back what the run did, as far as nobody has changed the same
// users since. They come from the events that the run's changes left behind. A user
// that it made is deleted, and so is one that it took out of the recycle bin; of every
// other that it changed the record has the fields as they were before the run, with
// the version that it left behind. What events do not keep cannot be taken back and
// is left out: passwords and sign-outs, values that were too long for an event or held
// a secret, users purged since, and what retention has removed; companies, groups and
// roles that an import made stay. The slice is used again for the next page. Errors:
// bulk.not_found; bulk.state of a run that has not ended; feed.busy.
func (s *Service) UndoRecords(ctx context.Context, call *Call, id string, each func([]Record) error) error {
	if err := s.enterWhole(ctx, call, ActReadBulk); err != nil {
		return err
	}
	if err := call.permit(ActReadEvents); err != nil { // it is made of events
		return err
	}
	run, err := s.readBulk(ctx, call.Actor.Tenant, id)
	if err != nil {
		return err
	}
	if !run.State.Ended() {
		return errBulkState(&run)
	}
	if err := s.findable(ctx, run.Tenant); err != nil {
		return err
	}
	u := &undoing{s: s, run: &run}
	if err := u.walk(ctx, u.count); err != nil {
		return err
	}
	u.settle()
	return u.walk(ctx, func(ctx context.Context, page []Event) error {
		if err := u.take(ctx, page); err != nil || len(u.out) == 0 {
			return err
		}
		return each(u.out)
	})
}

// undoing is a run's way back through its events. It goes twice: of users whom the
// run has changed more than once, all changes make one record.
type undoing struct {
	s     *Service
	run   *BulkRun
	users []uint32 // of several events, in order
	// left is how many events of each of them are yet to come; negative, or 0, once
	// the record is out.
	left []int32
	out  []Record
}

// count notes whom events are about.
func (u *undoing) count(_ context.Context, page []Event) error {
	for i := range page {
		u.users = append(u.users, uint32(page[i].User))
	}
	return nil
}

// settle keeps the users of several events.
func (u *undoing) settle() {
	slices.Sort(u.users)
	kept := u.users[:0]
	for i := 0; i < len(u.users); {
		next := i + 1
		for next < len(u.users) && u.users[next] == u.users[i] {
			next++
		}
		if next-i > 1 {
			kept = append(kept, u.users[i])
			u.left = append(u.left, int32(next-i))
		}
		i = next
	}
	u.users = kept
}

// take makes the records of a page of events.
func (u *undoing) take(ctx context.Context, page []Event) error {
	u.out = u.out[:0]
	for i := range page {
		events := page[i : i+1]
		if at, several := slices.BinarySearch(u.users, uint32(page[i].User)); several {
			if u.left[at] <= 0 {
				u.left[at]++
				continue
			}
			var err error
			if events, err = u.eventsOf(ctx, page[i:], int(u.left[at])); err != nil {
				return err
			}
			u.left[at] = 1 - u.left[at]
		}
		if r, ok := undoOf(events); ok {
			u.out = append(u.out, r)
		}
	}
	return nil
}

// eventsOf are all events of the run about the user of the first one: they are on the
// same page, or are looked up.
func (u *undoing) eventsOf(ctx context.Context, page []Event, want int) (list []Event, err error) {
	for i := range page {
		if page[i].User == page[0].User {
			list = append(list, page[i])
		}
	}
	if len(list) >= want {
		return list, nil
	}
	list = nil
	err = u.walkOf(ctx, page[0].User, func(_ context.Context, page []Event) error {
		list = append(list, page...)
		return nil
	})
	return list, err
}

// walk hands out the run's events about users, the newest first.
func (u *undoing) walk(ctx context.Context, each func(ctx context.Context, page []Event) error) error {
	return u.walkOf(ctx, 0, each)
}

// walkOf is walk for the events about one user; 0 is all.
func (u *undoing) walkOf(ctx context.Context, user int64, each func(ctx context.Context, page []Event) error) error {
	q := EventQuery{Newest: true, Reason: u.run.reason(), Limit: eventChunk}
	w := &eventWalk{tenant: u.run.Tenant, q: &q, user: user, bounds: u.s.searches}
	for {
		page, err := u.page(ctx, w)
		if err != nil {
			return err
		}
		about := slices.DeleteFunc(page.Events, func(e Event) bool {
			return e.User == 0 || e.Erased() || e.RequestID != u.run.requestID() || e.Type == EventUserPurged
		})
		if err := each(ctx, about); err != nil || !page.More {
			return err
		}
	}
}

// page reads the next page in this search's turn.
func (u *undoing) page(ctx context.Context, w *eventWalk) (EventPage, error) {
	leave, err := u.s.turns.enter(ctx, w.tenant)
	if err != nil {
		return EventPage{}, err
	}
	defer leave()
	return w.snapshot(ctx, u.s.store, atOnce)
}

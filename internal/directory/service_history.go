package directory

import "context"

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
	panic("UserEvents")
}

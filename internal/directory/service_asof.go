package directory

import (
	"context"
	"time"
)

// PastUser is a user as it was.
type PastUser struct {
	User
	// At is the moment, and Event the id of the last event before it.
	At    time.Time
	Event string
	// Unknown are fields whose value then is not kept: it was too long for an event.
	Unknown FieldSet
}

// UserAt is a user as it was at a moment: the present one with every later change
// taken back. Errors: user.not_found, before it was made too; history.gone when it
// was purged or the events since have been removed; invalid for a moment that is
// yet to come; history.too_long.
func (s *Service) UserAt(ctx context.Context, call *Call, ref UserRef, at time.Time) (PastUser, error) {
	panic("UserAt")
}

package directory

import (
	"context"
	"time"
)

// ClaimWebhooks leases endpoints that have something to do. Only the server itself
// can. It looks before it writes.
func (s *Service) ClaimWebhooks(ctx context.Context, call *Call, owner string, limit int, lease time.Duration) ([]Webhook, error) {
	panic("ClaimWebhooks")
}

// Dispatch is the next work for an endpoint.
type Dispatch struct {
	// Messages are due now, in the order in which those of a user are to be sent.
	// Retries have Delivery set.
	Messages []DueMessage
	// Through is the position up to which the feed has been looked at: the
	// endpoint's progress once all messages are delivered or parked.
	Through int64
	// Replaying says that Messages are of the replayed range, and Through is within it.
	Replaying bool
	// More says that there is more at once; else NextAt is when a delivery that
	// waits is due, zero for none.
	More   bool
	NextAt time.Time
}

// DueMessage is a message and, of a retry, its delivery.
type DueMessage struct {
	Message
	Delivery Opt[Delivery]
	// Behind says that an earlier event of the same user waits: it is to be parked
	// without a try.
	Behind bool
}

// NextDispatch reads what is to be sent to an endpoint: deliveries that wait and
// are due, then events of the feed that its filters let through. Only the server
// itself can.
func (s *Service) NextDispatch(ctx context.Context, call *Call, w Webhook, limit int) (Dispatch, error) {
	panic("NextDispatch")
}

// Outcome is what became of one message.
type Outcome struct {
	Message DueMessage
	Receipt Receipt
}

// NoteDispatch writes what became of messages, parks those that failed, moves the
// progress of the endpoint to through (with replaying, that of the replay) and
// decides when it is tried again and whether it is paused. It returns the endpoint
// as it is now. done gives up the lease. Errors: job.lost when another process has
// it.
func (s *Service) NoteDispatch(ctx context.Context, call *Call, w Webhook, outcomes []Outcome, d *Dispatch, done bool) (Webhook, error) {
	panic("NoteDispatch")
}

package directory

import (
	"context"
	"time"
)

// ClaimWebhooks leases endpoints that have something to do. Only the server itself
// can. It looks before it writes.
func (s *Service) ClaimWebhooks(ctx context.Context, call *Call, owner string, limit int, lease time.Duration) ([]Webhook, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return nil, err
	}
	due := false
	err := s.store.Read(ctx, func(r Reader) (err error) {
		due, err = r.WebhooksDue(ctx, s.now())
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	var list []Webhook
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		now := s.now()
		list, err = tx.ClaimWebhooks(ctx, owner, now, now.Add(min(lease, MaxWebhookLease)), limit)
		return err
	})
	return list, err
}

// Dispatch is the next work for an endpoint.
type Dispatch struct {
	// Messages are due now, in the order in which those of a user are to be sent: one
	// after the other, and none behind one that failed. Those of different users may
	// be sent at the same time.
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
	// Full says that so much waits that nothing more is taken from the feed.
	Full bool
	// Notice is what people are to know of the endpoint; "" for nothing.
	Notice string
}

// DueMessage is a message and, of a retry, its delivery.
type DueMessage struct {
	Message
	Delivery Opt[Delivery]
	// Behind says that an earlier event of the same user waits: it is to be parked
	// without a try.
	Behind bool
}

// maxDispatch is the most messages of one dispatch: one transaction notes what
// became of them.
const maxDispatch = 250

// NextDispatch reads what is to be sent to an endpoint: deliveries that wait and
// are due, then a range to be replayed, then events of the feed that its filters
// let through. An endpoint that is down is given one message, to see whether it
// still is. Only the server itself can. Errors: job.lost when another process has
// the endpoint, or it is gone; none of its secrets opens.
func (s *Service) NextDispatch(ctx context.Context, call *Call, w Webhook, limit int) (Dispatch, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return Dispatch{}, err
	}
	var q *dispatchQuery
	err := s.store.View(ctx, func(r Reader) error {
		q = &dispatchQuery{r: r, now: s.now(), limit: min(max(limit, 1), maxDispatch)}
		return q.run(ctx, &w)
	})
	if err != nil {
		return Dispatch{}, err
	}
	if len(q.out.Messages) == 0 {
		return q.out, nil
	}
	secrets, err := s.openWebhookSecrets(&q.w)
	if err != nil {
		return Dispatch{}, s.unsigned(ctx, &w, err)
	}
	for i := range q.out.Messages {
		q.out.Messages[i].Secrets = secrets
	}
	return q.out, nil
}

// unsignedWait is how long an endpoint is left alone whose deliveries nobody can
// sign: until somebody gives the server the key, or the endpoint another secret.
const unsignedWait = 10 * time.Minute

// unsigned leaves an endpoint alone for a while that none of its secrets opens
// for, and gives up the lease.
func (s *Service) unsigned(ctx context.Context, w *Webhook, cause error) error {
	err := s.store.Update(ctx, func(tx Tx) error {
		cur, err := leasedWebhook(ctx, tx.LockWebhook, w)
		if err != nil {
			return err
		}
		cur.LastError = "The server has not the key with which the secrets of the webhook were sealed."
		cur.NextAt = s.now().Add(unsignedWait)
		cur.LeaseOwner, cur.LeaseUntil = "", s.now()
		return tx.UpdateWebhook(ctx, cur)
	})
	if err != nil {
		return err
	}
	return cause
}

// leasedWebhook reads an endpoint as it is now. Errors: job.lost when it is gone,
// or another process has it.
func leasedWebhook(ctx context.Context, read func(context.Context, TenantNo, string) (Webhook, error), w *Webhook) (Webhook, error) {
	cur, err := read(ctx, w.Tenant, w.ID)
	if err != nil {
		return cur, notFound(err, ReasonJobLost, "The webhook is gone.")
	}
	if cur.LeaseOwner == "" || cur.LeaseOwner != w.LeaseOwner || cur.Fence != w.Fence {
		return cur, Wrong(CodeConflict, ReasonJobLost, "Another process has the webhook.")
	}
	return cur, nil
}

// Outcome is what became of one message. One without a receipt was not tried.
type Outcome struct {
	Message DueMessage
	Receipt Receipt
}

// noteLease is the least for which NoteDispatch renews a lease.
const noteLease = time.Minute

// NoteDispatch writes what became of messages, parks those that failed, moves the
// progress of the endpoint to where everything before is delivered or parked (with
// d.Replaying, that of the replay) and decides when it is tried again and whether
// it is paused (docs/decisions/0033-webhooks.md). A message of d without an outcome
// was not tried. It returns the endpoint as it is now, with the lease renewed; done
// gives up the lease, and so does a pause. Errors: job.lost when another process
// has it.
func (s *Service) NoteDispatch(ctx context.Context, call *Call, w Webhook, outcomes []Outcome, d *Dispatch, done bool) (Webhook, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return Webhook{}, err
	}
	if d == nil {
		d = &Dispatch{Through: w.Position}
	}
	var noted Webhook
	err := s.store.Update(ctx, func(tx Tx) error {
		cur, err := leasedWebhook(ctx, tx.LockWebhook, &w)
		if err != nil {
			return err
		}
		n := newDispatchNote(s, tx, &cur, d, outcomes)
		if err := n.write(ctx); err != nil {
			return err
		}
		if cur.LeaseUntil = later(w.LeaseUntil, n.now.Add(noteLease)); done || cur.State != WebhookActive {
			cur.LeaseOwner, cur.LeaseUntil = "", n.now
		}
		noted = cur
		return tx.UpdateWebhook(ctx, cur)
	})
	return noted, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

package directory

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

const (
	// downAfter is how many failures in a row make an endpoint one that is down.
	downAfter = 5
	// pauseAfter is the least number of failures after which an endpoint is paused,
	// so that a clock that jumps does not pause it.
	pauseAfter = 10
	// maxRetryAfter is the longest that an endpoint can ask to be left alone.
	maxRetryAfter = time.Hour
	// fullWait is how long an endpoint for which too much waits is left alone.
	fullWait = time.Minute
)

// retryWaits are the waits before an event that was refused is tried again (the
// Standard Webhooks specification, "Deliverability and reliability"), and
// downWaits those before an endpoint that is down is.
var (
	retryWaits = [WebhookAttempts - 1]time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	downWaits = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour}
)

// after is the wait after so many failures, with a fifth of it left to chance, so
// that what failed together does not come back together.
func after(waits []time.Duration, failures int) time.Duration {
	wait := waits[min(max(failures, 1), len(waits))-1]
	return time.Duration(float64(wait) * (0.9 + 0.2*rand.Float64()))
}

// isDown reports whether an endpoint has failed so often, the last time by not
// being there, that it is asked only whether it is back.
func (w *Webhook) isDown() bool {
	switch w.LastStatus {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return w.Failures >= downAfter
	}
	return false
}

// dispatchNote writes what became of a dispatch.
type dispatchNote struct {
	s        *Service
	tx       Tx
	now      time.Time
	w        *Webhook
	d        *Dispatch
	receipts map[int64]*Receipt // of messages that were tried, by position
	behind   map[int64]bool     // of messages that were not, since one before them waits

	delivered bool      // at least one was
	wasDown   bool      // the endpoint, before
	down      bool      // it took nothing, and the failure was its own
	lastTried int64     // position of the last message of the feed that was tried
	users     []int64   // whose order is to be settled
	worst     *Receipt  // of the last failure
	refused   int       // how many were refused the first time that they were tried
	retryAt   time.Time // when an endpoint that is down is tried again
	gone      bool      // it wants no more
}

func newDispatchNote(s *Service, tx Tx, w *Webhook, d *Dispatch, outcomes []Outcome) *dispatchNote {
	n := &dispatchNote{s: s, tx: tx, now: s.now(), w: w, d: d, receipts: map[int64]*Receipt{}, behind: map[int64]bool{}, wasDown: w.isDown()}
	unwell := false
	for i := range outcomes {
		m, r := &outcomes[i].Message, &outcomes[i].Receipt
		if *r == (Receipt{}) {
			n.behind[m.Event.Position] = m.Behind
			continue
		}
		n.receipts[m.Event.Position] = r
		if !m.Delivery.Set {
			n.lastTried = max(n.lastTried, m.Event.Position)
		}
		if r.Delivered {
			n.delivered = true
			continue
		}
		n.worst = r
		n.gone = n.gone || r.Gone
		if unhealthy(r) {
			unwell = true
		} else if !m.Delivery.Set {
			n.refused++
		}
	}
	n.down = unwell && !n.delivered
	return n
}

// unhealthy reports whether a failure is the endpoint's and not the event's.
func unhealthy(r *Receipt) bool { return r.Down || r.Gone }

// write notes all outcomes, and edits the endpoint.
func (n *dispatchNote) write(ctx context.Context) error {
	n.endpoint()
	through := n.d.Through
	for _, m := range slices.SortedFunc(slices.Values(n.d.Messages), byPosition) {
		if !m.Delivery.Set && n.leaves(&m) {
			through = m.Event.Position - 1
			break
		}
		if err := n.message(ctx, &m); err != nil {
			return err
		}
	}
	n.progress(through)
	for _, user := range withoutRepeats(n.users) {
		if err := n.tx.SettleDeliveries(ctx, n.w.Tenant, n.w.ID, user, n.now); err != nil {
			return err
		}
	}
	return n.pause(ctx)
}

// byPosition puts retries before what comes from the feed, where a dispatch had
// both.
func byPosition(a, b DueMessage) int {
	switch {
	case a.Delivery.Set != b.Delivery.Set && a.Delivery.Set:
		return -1
	case a.Delivery.Set != b.Delivery.Set:
		return 1
	case a.Event.Position < b.Event.Position:
		return -1
	case a.Event.Position > b.Event.Position:
		return 1
	}
	return 0
}

// leaves reports whether the progress stops before a message of the feed, which
// the next dispatch then has again: an endpoint that takes nothing at all has not
// refused it, or nobody came to try it. As long as the endpoint takes others of
// the same dispatch the message is parked instead, so that those are not sent
// twice; and so it is when an endpoint is down, so that the next try is made with
// another event.
func (n *dispatchNote) leaves(m *DueMessage) bool {
	r := n.receipts[m.Event.Position]
	switch {
	case m.Behind || n.behind[m.Event.Position]:
		return false
	case r == nil:
		return n.down && !n.wasDown || m.Event.Position > n.lastTried
	}
	return unhealthy(r) && n.down && !n.wasDown
}

// message notes what became of one.
func (n *dispatchNote) message(ctx context.Context, m *DueMessage) error {
	r := n.receipts[m.Event.Position]
	if r != nil && r.Delivered {
		if !m.Delivery.Set && !m.Replay {
			return nil
		}
		n.users = append(n.users, m.Event.User)
		err := n.tx.DeleteDelivery(ctx, n.w.Tenant, n.w.ID, m.Event.Position)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	row := Delivery{Tenant: n.w.Tenant, Webhook: n.w.ID, Position: m.Event.Position, Event: m.Event.ID, Type: m.Event.Type, User: m.Event.User,
		State: DeliveryWaiting, CreatedAt: n.now}
	if m.Delivery.Set {
		if r == nil {
			return nil
		}
		var err error
		if row, err = n.tx.Delivery(ctx, n.w.Tenant, n.w.ID, m.Event.Position); errors.Is(err, ErrNotFound) {
			return nil // somebody dropped it
		} else if err != nil {
			return err
		}
	}
	n.users = append(n.users, row.User)
	if r != nil {
		n.fail(&row, r)
	}
	return n.tx.PutDelivery(ctx, row)
}

// fail counts a failed try of a delivery. What an endpoint that is known to be down
// does not take is not counted against the event.
func (n *dispatchNote) fail(row *Delivery, r *Receipt) {
	row.LastError, row.LastStatus = causeText(r.Error), r.Status
	if n.wasDown && n.down {
		row.NextAt = n.retryAt
		return
	}
	row.Attempts++
	if row.Attempts >= WebhookAttempts {
		row.State, row.NextAt = DeliveryDead, time.Time{}
		return
	}
	row.State, row.NextAt = DeliveryWaiting, n.now.Add(max(after(retryWaits[:], row.Attempts), min(r.RetryAfter, maxRetryAfter)))
}

// endpoint edits what is known of the endpoint's health.
func (n *dispatchNote) endpoint() {
	w := n.w
	if len(n.receipts) > 0 {
		w.NextAt = time.Time{}
	}
	switch {
	case n.delivered:
		w.Failures, w.FailingSince, w.LastSuccess = 0, time.Time{}, n.now
		w.LastError, w.LastStatus = "", n.success().Status
	case n.down:
		n.failing(1)
	case n.worst != nil:
		n.failing(n.refused)
	}
	if n.worst != nil {
		w.LastError, w.LastStatus = causeText(n.worst.Error), n.worst.Status
		var asked time.Duration
		for _, r := range n.receipts {
			if unhealthy(r) {
				asked = max(asked, min(r.RetryAfter, maxRetryAfter))
			}
		}
		if n.down {
			asked = max(asked, after(downWaits[:], w.Failures))
		}
		if asked > 0 {
			w.NextAt = n.now.Add(asked)
		}
	}
	n.retryAt = w.NextAt
	if n.d.Full && len(n.receipts) == 0 {
		w.NextAt = n.now.Add(fullWait)
		if n.d.NextAt.After(n.now) && n.d.NextAt.Before(w.NextAt) {
			w.NextAt = n.d.NextAt
		}
	}
	if n.d.Notice != "" {
		w.LastError = n.d.Notice
	}
}

// failing counts failures since the last success.
func (n *dispatchNote) failing(more int) {
	n.w.Failures = min(n.w.Failures+more, math.MaxInt32)
	if more > 0 && (n.w.FailingSince.IsZero() || n.w.FailingSince.After(n.now)) {
		n.w.FailingSince = n.now
	}
}

// success is the receipt of a message that was delivered.
func (n *dispatchNote) success() *Receipt {
	for _, r := range n.receipts {
		if r.Delivered {
			return r
		}
	}
	return &Receipt{}
}

// progress moves the position, or that of the replay.
func (n *dispatchNote) progress(through int64) {
	w := n.w
	switch {
	case !n.d.Replaying:
		w.Position = through
	case w.ReplayFrom == 0:
	case through >= w.ReplayTo:
		w.ReplayFrom, w.ReplayTo = 0, 0
	default:
		w.ReplayFrom = through + 1
	}
}

// pause ends the tries of an endpoint that wants no more, or has taken nothing for
// too long, with an event that says so.
func (n *dispatchNote) pause(ctx context.Context) error {
	before, w := *n.w, n.w
	switch {
	case w.State != WebhookActive:
		return nil
	case n.gone:
		w.PauseReason = "The endpoint answered that it wants no more (410 Gone)."
	case !n.delivered && n.worst != nil && w.Failures >= pauseAfter && n.now.Sub(w.FailingSince) >= WebhookPatience:
		w.PauseReason = "The endpoint has taken nothing for three days."
	default:
		return nil
	}
	w.State = WebhookPaused
	w.Version++
	w.UpdatedAt = n.now
	diff := webhookChanges(&before, w)
	return n.s.record(ctx, n.tx, byItself(w.Tenant, "webhooks"), EventWebhookUpdated, topic{}, webhookSubject(w), &diff)
}

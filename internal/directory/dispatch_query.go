package directory

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// maxDispatchScan is the most events that are looked at for one dispatch.
	maxDispatchScan = 2000
	// dispatchChunk is how many are read at once where most may not match.
	dispatchChunk = 500
)

// dispatchQuery looks for the next work of an endpoint, in one snapshot.
type dispatchQuery struct {
	r     Reader
	now   time.Time
	limit int

	w       Webhook
	head    ChainHead
	waiting map[int64]int64 // how many deliveries wait, by user
	down    bool            // one message that is tried is enough
	tried   int             // messages that are not Behind
	filter  eventFilter
	paths   map[int64][]int64
	out     Dispatch
}

func (q *dispatchQuery) run(ctx context.Context, claimed *Webhook) (err error) {
	if q.w, err = leasedWebhook(ctx, q.r.Webhook, claimed); err != nil {
		return err
	}
	q.out.Through = q.w.Position
	if q.w.State != WebhookActive {
		return nil
	}
	if waits(q.w.NextAt, q.now) {
		q.out.NextAt = q.w.NextAt
		return nil
	}
	q.down = q.w.isDown()
	q.filter = eventFilter{types: q.w.Types, companies: q.w.Companies, exceptOrigins: q.w.ExceptOrigins}
	q.paths = map[int64][]int64{}
	due, err := q.due(ctx)
	if err != nil {
		return err
	}
	if len(due) > 0 && !q.down {
		q.out.More = true
		return q.retry(ctx, due)
	}
	if err := q.feed(ctx); err != nil {
		return err
	}
	if len(due) > 0 && len(q.out.Messages) == 0 && !q.out.More {
		q.out.More = true
		return q.retry(ctx, due[:1])
	}
	return nil
}

// waits reports whether a time is still to come. One that is too far ahead was
// written while a clock was wrong.
func waits(until, now time.Time) bool {
	return until.After(now) && !until.After(now.Add(MaxWebhookWait))
}

// due are the deliveries whose time has come; of the others it notes the next time.
func (q *dispatchQuery) due(ctx context.Context) ([]Delivery, error) {
	list, err := q.r.DeliveriesDue(ctx, q.w.Tenant, q.w.ID, q.limit)
	if err != nil {
		return nil, err
	}
	var due []Delivery
	for i := range list {
		if !waits(list[i].NextAt, q.now) {
			due = append(due, list[i])
		} else if q.out.NextAt.IsZero() {
			q.out.NextAt = list[i].NextAt
		}
	}
	return due, nil
}

// retry makes messages of deliveries.
func (q *dispatchQuery) retry(ctx context.Context, due []Delivery) error {
	for _, d := range due {
		list, err := q.r.Events(ctx, d.Tenant, d.Position-1, 1)
		if err != nil {
			return err
		}
		// Of an event that retention has removed there is what the delivery says.
		e := Event{Tenant: d.Tenant, Position: d.Position, ID: d.Event, Type: d.Type, User: d.User, Time: d.CreatedAt}
		if len(list) == 1 && list[0].Position == d.Position {
			e = list[0]
		}
		q.out.Messages = append(q.out.Messages, DueMessage{Message: Message{Webhook: q.w, Event: e}, Delivery: Some(d)})
	}
	return nil
}

// feed takes events from the range that is replayed, or from behind the position,
// unless too many wait already.
func (q *dispatchQuery) feed(ctx context.Context) (err error) {
	if q.head, err = q.r.ChainHead(ctx, q.w.Tenant); err != nil {
		return err
	}
	if q.waiting, err = q.r.UsersWaiting(ctx, q.w.Tenant, q.w.ID); err != nil {
		return err
	}
	var total int64
	for _, n := range q.waiting {
		total += n
	}
	from, to := q.start()
	if q.out.Through = from; total >= MaxDeliveriesWaits {
		q.out.Full = q.out.Replaying || from < to
		return nil
	}
	return q.scan(ctx, from, to)
}

// start is the position behind which the feed is read, and the one up to which.
// What retention has removed cannot be sent, and a position beyond the end is of a
// history that is not this one.
func (q *dispatchQuery) start() (from, to int64) {
	if q.w.ReplayFrom > 0 {
		q.out.Replaying = true
		to = min(q.w.ReplayTo, q.head.Position)
		from = min(max(q.w.ReplayFrom-1, q.head.Base), q.w.ReplayTo)
		if from >= to {
			from = q.w.ReplayTo // nothing is left of it
		}
		return from, to
	}
	from, to = q.w.Position, q.head.Position
	switch {
	case from < q.head.Base:
		q.out.Notice = fmt.Sprintf("Events %d to %d had been removed by retention before they were sent.", from+1, q.head.Base)
		from = q.head.Base
	case from > to:
		q.out.Notice = fmt.Sprintf("The history ends at %d, before what was sent last (%d): it goes on from there.", to, from)
		from = to
	}
	return from, to
}

// scan reads events behind a position until the dispatch is full.
func (q *dispatchQuery) scan(ctx context.Context, from, to int64) error {
	chunk := q.limit
	if len(q.w.Types)+len(q.w.Companies)+len(q.w.ExceptOrigins) > 0 {
		chunk = dispatchChunk
	}
	for looked := 0; from < to && !q.full() && looked < maxDispatchScan; looked += chunk {
		list, err := q.r.Events(ctx, q.w.Tenant, from, chunk)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			from = to
			break
		}
		if from, err = q.take(ctx, list, from, to); err != nil {
			return err
		}
	}
	q.out.Through, q.out.More = from, from < to || q.out.Replaying
	return nil
}

// take makes messages of events that match, and returns the position up to which
// it has looked.
func (q *dispatchQuery) take(ctx context.Context, list []Event, from, to int64) (int64, error) {
	var parked map[int64]bool
	var err error
	if q.out.Replaying {
		if parked, err = q.parked(ctx, from, len(list)); err != nil {
			return 0, err
		}
	}
	var failed error
	path := func(company int64) []int64 { return q.path(ctx, company, &failed) }
	for i := range list {
		e := &list[i]
		if e.Position > to {
			return to, nil
		}
		if q.filter.match(e, path) && !parked[e.Position] {
			behind := q.waiting[e.User] > 0
			if !behind {
				q.tried++
			}
			q.out.Messages = append(q.out.Messages, DueMessage{Message: Message{Webhook: q.w, Event: *e, Replay: q.out.Replaying}, Behind: behind})
		}
		if failed != nil {
			return 0, failed
		}
		if from = e.Position; q.full() {
			return from, nil
		}
	}
	return from, nil
}

// full reports whether the dispatch has as many messages as it can.
func (q *dispatchQuery) full() bool { return len(q.out.Messages) >= q.limit || q.down && q.tried > 0 }

// parked are the positions behind one, and before count others, whose events wait
// to be sent anyway.
func (q *dispatchQuery) parked(ctx context.Context, after int64, count int) (map[int64]bool, error) {
	list, err := q.r.Deliveries(ctx, q.w.Tenant, q.w.ID, DeliveryWaiting, after, count)
	found := make(map[int64]bool, len(list))
	for i := range list {
		found[list[i].Position] = true
	}
	return found, err
}

// path is a company with all that are above it; nothing for one that is gone.
func (q *dispatchQuery) path(ctx context.Context, company int64, failed *error) []int64 {
	known, ok := q.paths[company]
	if ok {
		return known
	}
	c, err := q.r.Company(ctx, q.w.Tenant, company)
	if err != nil && !errors.Is(err, ErrNotFound) {
		*failed = err
		return nil
	}
	q.paths[company] = c.Path
	return c.Path
}

package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// ReplayRange says what to send once more.
type ReplayRange struct {
	From time.Time // the zero time: from the oldest event that is kept
	To   time.Time // the zero time: up to what has been sent
}

// ReplayWebhook sends the events of a period once more, in order, before what is
// new: those of them that were due already. It returns how many positions that
// are, matching or not. Errors: webhook.not_found, webhook.replaying while an
// earlier one goes on.
func (s *Service) ReplayWebhook(ctx context.Context, call *Call, id string, r ReplayRange) (int64, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return 0, err
	}
	id, err := webhookID(id)
	if err != nil {
		return 0, err
	}
	if !r.From.IsZero() && !r.To.IsZero() && !r.From.Before(r.To) {
		return 0, Invalid("to", ReasonFieldValue, "to must be later than from.")
	}
	if _, err := s.webhookOf(ctx, call.Actor.Tenant, id); err != nil {
		return 0, err
	}
	first, last, err := s.period(ctx, call.Actor.Tenant, r)
	if err != nil {
		return 0, err
	}
	var count int64
	err = s.store.Update(ctx, func(tx Tx) error {
		count = 0
		w, err := lockWebhook(ctx, tx, call, id)
		if err != nil {
			return err
		}
		if w.ReplayFrom > 0 {
			return Wrong(CodeConflict, ReasonWebhookReplaying, "An earlier replay has not ended.")
		}
		to := min(last, w.Position)
		if first == 0 || to < first {
			return nil
		}
		count = to - first + 1
		w.ReplayFrom, w.ReplayTo = first, to
		if err := tx.UpdateWebhook(ctx, w); err != nil {
			return err
		}
		var diff changes
		diff.raw("positions", nil, asJSON([]int64{first, to}))
		return s.record(ctx, tx, call, EventWebhookReplayed, topic{}, webhookSubject(&w), &diff)
	})
	if call.Changed = err == nil && count > 0; call.Changed {
		s.webhooksChanged()
	}
	return count, err
}

// webhookOf reads an endpoint. Errors: webhook.not_found.
func (s *Service) webhookOf(ctx context.Context, t TenantNo, id string) (Webhook, error) {
	var w Webhook
	err := s.store.Read(ctx, func(r Reader) (err error) {
		w, err = r.Webhook(ctx, t, id)
		return err
	})
	return w, notFound(err, ReasonWebhookNotFound, noWebhook)
}

// periodSteps is how many pages, of periodPage, of events are looked at to find an end of a
// period. Beyond, more is sent than was asked for: up to an hour at each end.
const (
	periodSteps = 40
	periodPage  = 500
)

// period is the range of positions of the events of a period; 0 and 0 for none.
// Where a clock jumped, events of other times lie in between.
func (s *Service) period(ctx context.Context, t TenantNo, r ReplayRange) (first, last int64, err error) {
	if err := s.store.Seal(ctx, t); err != nil {
		return 0, 0, err
	}
	err = s.store.View(ctx, func(rd Reader) error {
		head, err := rd.ChainHead(ctx, t)
		if err != nil {
			return err
		}
		first, last = head.Base+1, head.Position
		if !r.From.IsZero() || !r.To.IsZero() {
			first, last, err = rd.EventPeriod(ctx, t, r.From, r.To)
		}
		if first = max(first, head.Base+1); last < first {
			first, last = 0, 0
		}
		return err
	})
	if err != nil || first == 0 || r.From.IsZero() && r.To.IsZero() {
		return first, last, err
	}
	if first, err = s.narrow(ctx, t, r, first, last, false); err != nil || first == 0 {
		return 0, 0, err
	}
	last, err = s.narrow(ctx, t, r, first, last, true)
	return first, last, err
}

// narrow is the first position of a range, or the last one, whose event is of a
// period; 0 for none.
func (s *Service) narrow(ctx context.Context, t TenantNo, r ReplayRange, first, last int64, fromEnd bool) (int64, error) {
	sel := EventSelection{After: first - 1, Before: last + 1, Descending: fromEnd, Limit: periodPage, Scan: periodPage}
	for range periodSteps {
		var found EventsFound
		err := s.store.Read(ctx, func(rd Reader) (err error) {
			found, err = rd.FindEvents(ctx, t, sel)
			return err
		})
		if err != nil {
			return 0, err
		}
		for i := range found.Events {
			if e := &found.Events[i]; (r.From.IsZero() || !e.Time.Before(r.From)) && (r.To.IsZero() || e.Time.Before(r.To)) {
				return e.Position, nil
			}
		}
		if !found.More {
			return 0, nil
		}
		if fromEnd {
			sel.Before = found.Seen
		} else {
			sel.After = found.Seen
		}
	}
	if fromEnd {
		return sel.Before - 1, nil
	}
	return sel.After + 1, nil
}

// TestWebhook sends a message of the type "webhook.test" at once and returns what
// the endpoint answered, one that is paused too. It changes nothing. Errors:
// webhook.not_found; webhook.testing while another one is on its way; webhook.off.
func (s *Service) TestWebhook(ctx context.Context, call *Call, id string) (Receipt, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return Receipt{}, err
	}
	id, err := webhookID(id)
	if err != nil {
		return Receipt{}, err
	}
	w, err := s.webhookOf(ctx, call.Actor.Tenant, id)
	if err != nil {
		return Receipt{}, err
	}
	if s.opts.Courier == nil {
		return Receipt{}, Wrong(CodeUnavailable, ReasonWebhookOff, "This server sends no webhooks.")
	}
	if _, busy := s.trying.LoadOrStore(id, true); busy {
		return Receipt{}, Wrong(CodeConflict, ReasonWebhookTesting, "A test message is on its way to this webhook.")
	}
	defer s.trying.Delete(id)
	secrets, err := s.openWebhookSecrets(&w)
	if err != nil {
		return Receipt{}, err
	}
	salt := make([]byte, eventSaltBytes)
	rand.Read(salt) // never fails (crypto/rand)
	m := Message{Webhook: w, Secrets: secrets, Test: true, Event: Event{Tenant: w.Tenant, ID: s.opts.NewID(), Type: EventWebhookTest,
		Subject: webhookSubject(&w), Door: call.Door, Actor: call.Actor.Name, Origin: call.Actor.origin(), OnBehalfOf: call.Actor.OnBehalfOf,
		Reason: call.Reason, RequestID: call.RequestID, Time: s.now(), Salt: salt, Payload: (&changes{}).payload()}}
	return s.opts.Courier.Send(ctx, &m), nil
}

// DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	Deliveries []Delivery
	Next       string // cursor; "" at the end
}

// deliveryList is the kind of the cursors of Deliveries.
const deliveryList = "deliveries"

// Deliveries lists what an endpoint has not taken, in a state or ("") in any, in
// the order of the events. Errors: webhook.not_found, cursor.invalid,
// cursor.expired.
func (s *Service) Deliveries(ctx context.Context, call *Call, id string, state DeliveryState, cursor string, limit int) (DeliveryPage, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return DeliveryPage{}, err
	}
	if err := checkLimit(limit); err != nil {
		return DeliveryPage{}, err
	}
	if state != "" && state != DeliveryWaiting && state != DeliveryDead {
		return DeliveryPage{}, Invalid("state", ReasonFieldValue, "state must be %s or %s.", DeliveryWaiting, DeliveryDead)
	}
	id, err := webhookID(id)
	if err != nil {
		return DeliveryPage{}, err
	}
	query := id + " " + string(state)
	var at place
	if cursor != "" {
		if at, err = s.openCursor(call, deliveryList, query, cursor); err != nil {
			return DeliveryPage{}, err
		}
	}
	page := DeliveryPage{}
	err = s.store.View(ctx, func(r Reader) error {
		if _, err := r.Webhook(ctx, call.Actor.Tenant, id); err != nil {
			return notFound(err, ReasonWebhookNotFound, noWebhook)
		}
		page.Deliveries, err = r.Deliveries(ctx, call.Actor.Tenant, id, state, at.Number, limit+1)
		return err
	})
	if err != nil || len(page.Deliveries) <= limit {
		return page, err
	}
	page.Deliveries = page.Deliveries[:limit]
	page.Next, err = s.sealCursor(call, deliveryList, query, place{Number: page.Deliveries[limit-1].Position})
	return page, err
}

// RetryDelivery makes a delivery due at once, a dead one too, with its attempts
// counted anew. One that is behind another one of the same user comes after it.
// Errors: webhook.not_found, delivery.not_found.
func (s *Service) RetryDelivery(ctx context.Context, call *Call, id string, position int64) (Delivery, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return Delivery{}, err
	}
	var made Delivery
	err := s.changeDelivery(ctx, call, id, position, "retried", func(tx Tx, w *Webhook, d Delivery) error {
		d.State, d.Attempts, d.NextAt = DeliveryWaiting, 0, s.now()
		if err := tx.PutDelivery(ctx, d); err != nil || w.NextAt.IsZero() {
			return err
		}
		w.NextAt = time.Time{} // an endpoint that is left alone is tried, too
		return tx.UpdateWebhook(ctx, *w)
	}, func(tx Tx, d Delivery) (err error) {
		made, err = tx.Delivery(ctx, d.Tenant, d.Webhook, d.Position)
		return err
	})
	return made, err
}

// DropDelivery gives up an event for an endpoint. What waited behind it goes on.
// Errors: webhook.not_found, delivery.not_found.
func (s *Service) DropDelivery(ctx context.Context, call *Call, id string, position int64) error {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return err
	}
	return s.changeDelivery(ctx, call, id, position, "dropped", func(tx Tx, _ *Webhook, d Delivery) error {
		return tx.DeleteDelivery(ctx, d.Tenant, d.Webhook, d.Position)
	}, func(Tx, Delivery) error { return nil })
}

// changeDelivery changes a delivery, settles the order of those about its user,
// and looks at what became of it. What names the deed in the event.
func (s *Service) changeDelivery(ctx context.Context, call *Call, id string, position int64, what string,
	change func(tx Tx, w *Webhook, d Delivery) error, look func(tx Tx, d Delivery) error) error {
	id, err := webhookID(id)
	if err != nil {
		return err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		w, err := lockWebhook(ctx, tx, call, id)
		if err != nil {
			return err
		}
		d, err := tx.Delivery(ctx, w.Tenant, id, position)
		if errors.Is(err, ErrNotFound) {
			return Wrong(CodeNotFound, ReasonDeliveryNotFound, "The event does not wait for this webhook.")
		}
		if err != nil {
			return err
		}
		if err := change(tx, &w, d); err != nil {
			return err
		}
		if err := tx.SettleDeliveries(ctx, w.Tenant, id, d.User, s.now()); err != nil {
			return err
		}
		var diff changes
		diff.named(fmt.Sprintf("deliveries.%d", d.Position), string(d.State), what)
		if err := s.record(ctx, tx, call, EventWebhookUpdated, topic{}, webhookSubject(&w), &diff); err != nil {
			return err
		}
		return look(tx, d)
	})
	if call.Changed = err == nil; call.Changed {
		s.webhooksChanged()
	}
	return err
}

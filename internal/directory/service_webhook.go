package directory

import (
	"context"
	"slices"
	"time"
)

// NewWebhook is the input of CreateWebhook.
type NewWebhook struct {
	Name          string
	URL           string
	Types         []EventType
	Companies     []int64
	ExceptOrigins []string // OriginSelf stands for the caller's own
	// FromStart sends everything that ever happened first; without it only what
	// happens from now on.
	FromStart bool
}

// WebhookPatch changes an endpoint.
type WebhookPatch struct {
	Name          Opt[string]
	URL           Opt[string]
	Types         Opt[[]EventType]
	Companies     Opt[[]int64]
	ExceptOrigins Opt[[]string]
	// State pauses an endpoint or lets it go on, at once.
	State Opt[WebhookState]
}

// WebhookDetail is an endpoint with what waits for it.
type WebhookDetail struct {
	Webhook
	Waiting int64 // deliveries that wait, MaxDeliveriesWaits at most
	Dead    int64 // and those that are given up, as many at most
	Behind  int64 // events between its position and the end of the feed, matching or not
}

// MadeWebhook is what CreateWebhook gives to Idempotency.Answer, and
// MadeWebhookSecret what AddWebhookSecret does.
type MadeWebhook struct {
	Webhook WebhookDetail
	Secret  Secret
}

// MadeWebhookSecret is a secret with its text, which is shown only once.
type MadeWebhookSecret struct {
	Made   WebhookSecret
	Secret Secret
}

const noWebhook = "Webhook not found."

// webhookID is an id as the store has it. What is no UUID is no endpoint's.
func webhookID(id string) (string, error) {
	id, bad := presetID(id)
	if bad != nil {
		return "", Wrong(CodeNotFound, ReasonWebhookNotFound, noWebhook)
	}
	return id, nil
}

// lockWebhook reads an endpoint for change, if the call's condition is met.
func lockWebhook(ctx context.Context, tx Tx, call *Call, id string) (Webhook, error) {
	w, err := tx.LockWebhook(ctx, call.Actor.Tenant, id)
	if err != nil {
		return w, notFound(err, ReasonWebhookNotFound, noWebhook)
	}
	return w, call.If.check(w.Version)
}

// Webhooks lists the tenant's endpoints.
func (s *Service) Webhooks(ctx context.Context, call *Call) ([]WebhookDetail, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return nil, err
	}
	var list []WebhookDetail
	err := s.store.View(ctx, func(r Reader) error {
		all, err := r.Webhooks(ctx, call.Actor.Tenant)
		if err != nil {
			return err
		}
		list = make([]WebhookDetail, len(all))
		for i := range all {
			if list[i], err = webhookDetail(ctx, r, all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// webhookDetail adds what waits for an endpoint.
func webhookDetail(ctx context.Context, r Reader, w Webhook) (WebhookDetail, error) {
	d := WebhookDetail{Webhook: w}
	head, err := r.ChainHead(ctx, w.Tenant)
	if err != nil {
		return d, err
	}
	d.Behind = max(head.Position-max(w.Position, head.Base), 0)
	if d.Waiting, err = r.CountDeliveries(ctx, w.Tenant, w.ID, DeliveryWaiting, MaxDeliveriesWaits); err != nil {
		return d, err
	}
	d.Dead, err = r.CountDeliveries(ctx, w.Tenant, w.ID, DeliveryDead, MaxDeliveriesWaits)
	return d, err
}

// Webhook reads one endpoint. Errors: webhook.not_found.
func (s *Service) Webhook(ctx context.Context, call *Call, id string) (WebhookDetail, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return WebhookDetail{}, err
	}
	id, err := webhookID(id)
	if err != nil {
		return WebhookDetail{}, err
	}
	var d WebhookDetail
	err = s.store.View(ctx, func(r Reader) error {
		w, err := r.Webhook(ctx, call.Actor.Tenant, id)
		if err != nil {
			return notFound(err, ReasonWebhookNotFound, noWebhook)
		}
		d, err = webhookDetail(ctx, r, w)
		return err
	})
	return d, err
}

// CreateWebhook makes an endpoint with a first secret, which is shown here and by
// no list. Errors: invalid with its fields; webhook.too_many; secret_key.missing.
func (s *Service) CreateWebhook(ctx context.Context, call *Call, in NewWebhook) (WebhookDetail, Secret, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return WebhookDetail{}, "", err
	}
	if err := s.replayed(ctx, call); err != nil {
		return WebhookDetail{}, "", err
	}
	w := Webhook{Tenant: call.Actor.Tenant, ID: s.opts.NewID(), State: WebhookActive, CreatedAt: s.now(), Version: 1}
	w.UpdatedAt = w.CreatedAt
	patch := WebhookPatch{Name: Some(in.Name), URL: Some(in.URL), Types: Some(in.Types), Companies: Some(in.Companies), ExceptOrigins: Some(in.ExceptOrigins)}
	if err := s.checkWebhook(call, &patch); err != nil {
		return WebhookDetail{}, "", err
	}
	patch.apply(&w)
	first, secret, err := s.drawWebhookSecret(&w)
	if err != nil {
		return WebhookDetail{}, "", err
	}
	w.Secrets = []WebhookSecret{first}
	if err := s.store.Seal(ctx, w.Tenant); err != nil { // what was answered before is before the endpoint
		return WebhookDetail{}, "", err
	}
	var made MadeWebhook
	err = s.once(ctx, call, func(tx Tx) (any, error) {
		d, err := s.insertWebhook(ctx, tx, call, w, in.FromStart)
		made = MadeWebhook{Webhook: d, Secret: secret}
		return made, err
	})
	if err != nil {
		return WebhookDetail{}, "", err
	}
	call.Changed = true
	s.webhooksChanged()
	return made.Webhook, made.Secret, nil
}

// insertWebhook writes a new endpoint with its event.
func (s *Service) insertWebhook(ctx context.Context, tx Tx, call *Call, w Webhook, fromStart bool) (WebhookDetail, error) {
	if _, err := tx.LockTenant(ctx, w.Tenant); err != nil {
		return WebhookDetail{}, err
	}
	if err := checkWebhookCompanies(ctx, tx, call, w.Companies); err != nil {
		return WebhookDetail{}, err
	}
	others, err := tx.Webhooks(ctx, w.Tenant)
	if err != nil {
		return WebhookDetail{}, err
	}
	if len(others) >= MaxWebhooks {
		return WebhookDetail{}, Wrong(CodeExhausted, ReasonWebhookTooMany, "A tenant can have %d webhooks.", MaxWebhooks)
	}
	head, err := tx.ChainHead(ctx, w.Tenant)
	if err != nil {
		return WebhookDetail{}, err
	}
	if w.Position = head.Position; fromStart {
		w.Position = head.Base
	}
	if err := tx.InsertWebhook(ctx, w); err != nil {
		return WebhookDetail{}, err
	}
	diff := webhookChanges(&Webhook{}, &w)
	if err := s.record(ctx, tx, call, EventWebhookCreated, topic{}, webhookSubject(&w), &diff); err != nil {
		return WebhookDetail{}, err
	}
	return webhookDetail(ctx, tx, w)
}

func webhookSubject(w *Webhook) string { return "webhook:" + w.ID }

// webhooksChanged tells whoever sends webhooks to look.
func (s *Service) webhooksChanged() {
	if s.opts.WebhooksChanged != nil {
		s.opts.WebhooksChanged()
	}
}

// changeWebhook writes what edit makes of an endpoint, with its event if what
// people set has changed.
func (s *Service) changeWebhook(ctx context.Context, call *Call, id string, edit func(tx Tx, w *Webhook) error) (WebhookDetail, error) {
	id, err := webhookID(id)
	if err != nil {
		return WebhookDetail{}, err
	}
	var d WebhookDetail
	var wrote bool
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		wrote, d, err = s.changeWebhookIn(ctx, tx, call, id, edit)
		return err
	})
	call.Changed = err == nil && wrote
	if call.Changed {
		s.webhooksChanged()
	}
	return d, err
}

func (s *Service) changeWebhookIn(ctx context.Context, tx Tx, call *Call, id string, edit func(tx Tx, w *Webhook) error) (bool, WebhookDetail, error) {
	before, err := lockWebhook(ctx, tx, call, id)
	if err != nil {
		return false, WebhookDetail{}, err
	}
	after := before
	after.Secrets = slices.Clone(before.Secrets)
	if err := edit(tx, &after); err != nil {
		return false, WebhookDetail{}, err
	}
	diff := webhookChanges(&before, &after)
	wrote := len(diff.json) > 0
	if wrote {
		after.Version++
		after.UpdatedAt = s.now()
		if err := s.record(ctx, tx, call, EventWebhookUpdated, topic{}, webhookSubject(&after), &diff); err != nil {
			return false, WebhookDetail{}, err
		}
		if err := tx.UpdateWebhook(ctx, after); err != nil {
			return false, WebhookDetail{}, err
		}
	}
	d, err := webhookDetail(ctx, tx, after)
	return wrote, d, err
}

// EditWebhook changes an endpoint. One that is let go on, or gets another URL, is
// tried at once, with everything that waits for it. Errors: webhook.not_found,
// version.mismatch, invalid.
func (s *Service) EditWebhook(ctx context.Context, call *Call, id string, patch WebhookPatch) (WebhookDetail, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return WebhookDetail{}, err
	}
	if err := s.checkWebhook(call, &patch); err != nil {
		return WebhookDetail{}, err
	}
	return s.changeWebhook(ctx, call, id, func(tx Tx, w *Webhook) error {
		if err := checkWebhookCompanies(ctx, tx, call, patch.Companies.Value); err != nil {
			return err
		}
		before := *w
		patch.apply(w)
		if w.State != before.State {
			w.PauseReason = ""
			if w.State == WebhookPaused {
				w.PauseReason = "An administrator paused it."
			}
		}
		if w.URL == before.URL && (w.State == before.State || w.State == WebhookPaused) {
			return nil
		}
		w.forgetFailures()
		return tx.HurryDeliveries(ctx, w.Tenant, w.ID, s.now())
	})
}

// apply edits an endpoint.
func (p *WebhookPatch) apply(w *Webhook) {
	w.Name, w.URL = p.Name.or(w.Name), p.URL.or(w.URL)
	w.Types, w.Companies, w.ExceptOrigins = p.Types.or(w.Types), p.Companies.or(w.Companies), p.ExceptOrigins.or(w.ExceptOrigins)
	w.State = p.State.or(w.State)
}

// forgetFailures makes an endpoint one that has not failed.
func (w *Webhook) forgetFailures() {
	w.Failures, w.LastStatus, w.LastError = 0, 0, ""
	w.FailingSince, w.NextAt = time.Time{}, time.Time{}
}

// DeleteWebhook erases an endpoint with what waits for it. Errors:
// webhook.not_found, version.mismatch.
func (s *Service) DeleteWebhook(ctx context.Context, call *Call, id string) error {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return err
	}
	id, err := webhookID(id)
	if err != nil {
		return err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		w, err := lockWebhook(ctx, tx, call, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteWebhook(ctx, w.Tenant, w.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventWebhookDeleted, topic{}, webhookSubject(&w), &changes{})
	})
	call.Changed = err == nil
	return err
}

// AddWebhookSecret makes a secret more, with which every delivery is signed too.
// Errors: webhook.not_found, webhook.too_many_secrets, secret_key.missing.
func (s *Service) AddWebhookSecret(ctx context.Context, call *Call, id string) (WebhookSecret, Secret, error) {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return WebhookSecret{}, "", err
	}
	if err := s.replayed(ctx, call); err != nil {
		return WebhookSecret{}, "", err
	}
	id, err := webhookID(id)
	if err != nil {
		return WebhookSecret{}, "", err
	}
	added, secret, err := s.drawWebhookSecret(&Webhook{Tenant: call.Actor.Tenant, ID: id})
	if err != nil {
		return WebhookSecret{}, "", err
	}
	err = s.once(ctx, call, func(tx Tx) (any, error) {
		_, _, err := s.changeWebhookIn(ctx, tx, call, id, func(_ Tx, w *Webhook) error {
			if len(w.Secrets) >= MaxWebhookSecrets {
				return Wrong(CodeExhausted, ReasonWebhookTooManySecrets, "A webhook can have %d secrets.", MaxWebhookSecrets)
			}
			w.Secrets = append(w.Secrets, added)
			return nil
		})
		return MadeWebhookSecret{Made: added, Secret: secret}, err
	})
	if err != nil {
		return WebhookSecret{}, "", err
	}
	call.Changed = true
	return added, secret, nil
}

// RemoveWebhookSecret takes a secret away; the last one stays. Errors:
// webhook.not_found, webhook.secret_not_found, webhook.last_secret.
func (s *Service) RemoveWebhookSecret(ctx context.Context, call *Call, id, secret string) error {
	if err := s.enterWhole(ctx, call, ActWebhooks); err != nil {
		return err
	}
	_, err := s.changeWebhook(ctx, call, id, func(_ Tx, w *Webhook) error {
		at := slices.IndexFunc(w.Secrets, func(known WebhookSecret) bool { return known.ID == secret })
		if at < 0 {
			return Wrong(CodeNotFound, ReasonWebhookSecretNotFound, "The webhook has no such secret.")
		}
		if len(w.Secrets) == 1 {
			return Wrong(CodeConflict, ReasonWebhookLastSecret, "The last secret of a webhook cannot be removed: add another one first.")
		}
		w.Secrets = slices.Delete(w.Secrets, at, at+1)
		return nil
	})
	return err
}

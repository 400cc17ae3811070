package directory_test

import (
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// addWebhookRules are the rows of the policy matrix about endpoints and what is
// sent to them.
func addWebhookRules(rules map[string]methodRule) {
	type use func(w *world, c *directory.Call, hook directory.WebhookDetail) error
	row := func(call use) methodRule {
		return methodRule{adminRank, directory.ScopeEvents | directory.ScopeTenant, false, false, wholeTenant, func(w *world) func(c *directory.Call) error {
			hook := w.webhook(func(in *directory.NewWebhook) { in.FromStart = true })
			_, _, err := w.svc.AddWebhookSecret(w.ctx, w.sys(), hook.ID)
			check(w.t, err)
			w.park(hook.Webhook, 1)
			return func(c *directory.Call) error { return call(w, c, hook) }
		}}
	}
	rules["Webhooks"] = row(func(w *world, c *directory.Call, _ directory.WebhookDetail) error {
		return second(w.svc.Webhooks(w.ctx, c))
	})
	rules["Webhook"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		return second(w.svc.Webhook(w.ctx, c, h.ID))
	})
	rules["CreateWebhook"] = row(func(w *world, c *directory.Call, _ directory.WebhookDetail) error {
		_, _, err := w.svc.CreateWebhook(w.ctx, c, newWebhook())
		return err
	})
	rules["EditWebhook"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		return second(w.svc.EditWebhook(w.ctx, c, h.ID, directory.WebhookPatch{Name: directory.Some("changed")}))
	})
	rules["DeleteWebhook"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		return w.svc.DeleteWebhook(w.ctx, c, h.ID)
	})
	rules["AddWebhookSecret"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		_, _, err := w.svc.AddWebhookSecret(w.ctx, c, h.ID)
		return err
	})
	rules["RemoveWebhookSecret"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		return w.svc.RemoveWebhookSecret(w.ctx, c, h.ID, h.Secrets[0].ID)
	})
	rules["ReplayWebhook"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		return second(w.svc.ReplayWebhook(w.ctx, c, h.ID, directory.ReplayRange{}))
	})
	rules["TestWebhook"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		_, err := w.svc.TestWebhook(w.ctx, c, h.ID)
		if directory.IsReason(err, directory.ReasonWebhookOff) {
			return nil // which only those who may are told
		}
		return err
	})
	rules["Deliveries"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		return second(w.svc.Deliveries(w.ctx, c, h.ID, "", "", 10))
	})
	rules["RetryDelivery"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		return second(w.svc.RetryDelivery(w.ctx, c, h.ID, 1))
	})
	rules["DropDelivery"] = row(func(w *world, c *directory.Call, h directory.WebhookDetail) error {
		return w.svc.DropDelivery(w.ctx, c, h.ID, 1)
	})
	addDispatchRules(rules)
}

func addDispatchRules(rules map[string]methodRule) {
	row := func(call func(w *world, c *directory.Call, claimed directory.Webhook) error) methodRule {
		return methodRule{adminRank, directory.ScopeTenant, false, true, directory.ReasonRankTooLow, func(w *world) func(c *directory.Call) error {
			hook := w.webhook(func(in *directory.NewWebhook) { in.FromStart = true })
			claimed := w.claimed("matrix", hook.ID)
			return func(c *directory.Call) error { return call(w, c, claimed) }
		}}
	}
	rules["ClaimWebhooks"] = row(func(w *world, c *directory.Call, _ directory.Webhook) error {
		return second(w.svc.ClaimWebhooks(w.ctx, c, "one", 5, time.Minute))
	})
	rules["NextDispatch"] = row(func(w *world, c *directory.Call, hook directory.Webhook) error {
		return second(w.svc.NextDispatch(w.ctx, c, hook, 10))
	})
	rules["NoteDispatch"] = row(func(w *world, c *directory.Call, hook directory.Webhook) error {
		return second(w.svc.NoteDispatch(w.ctx, c, hook, nil, nil, true))
	})
}

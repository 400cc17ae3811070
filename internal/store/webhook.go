package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// The stored codes of states; never renumber them.
var (
	webhookStates  = [...]directory.WebhookState{directory.WebhookActive, directory.WebhookPaused}
	deliveryStates = [...]directory.DeliveryState{directory.DeliveryWaiting, directory.DeliveryDead}
)

const webhookColumns = "tenant, id, name, url, types, companies, except_origins, state, pause_reason, secrets, created_at, updated_at, version, " +
	"position, replay_from, replay_to, failures, failing_since, next_at, last_error, last_status, last_success, lease_owner, lease_until, fence"

// sealedSecret is how a secret of an endpoint is stored.
type sealedSecret struct {
	ID        string `json:"id"`
	Sealed    []byte `json:"sealed"`
	CreatedAt int64  `json:"created_at"` // microseconds, as all stored times
}

func scanWebhook(r *row) directory.Webhook {
	w := directory.Webhook{Tenant: directory.TenantNo(r.int()), ID: r.text(), Name: r.text(), URL: r.text()}
	decodeList(r, &w.Types)
	decodeList(r, &w.Companies)
	decodeList(r, &w.ExceptOrigins)
	w.State, w.PauseReason = kindOf(r, webhookStates[:]), r.text()
	var secrets []sealedSecret
	decodeList(r, &secrets)
	for _, s := range secrets {
		w.Secrets = append(w.Secrets, directory.WebhookSecret{ID: s.ID, Sealed: s.Sealed, CreatedAt: fromMicros(s.CreatedAt)})
	}
	w.CreatedAt, w.UpdatedAt, w.Version = r.time(), r.time(), r.int()
	w.Position, w.ReplayFrom, w.ReplayTo = r.int(), r.int(), r.int()
	w.Failures, w.FailingSince, w.NextAt = int(r.int()), r.time(), r.time()
	w.LastError, w.LastStatus, w.LastSuccess = r.text(), int(r.int()), r.time()
	w.LeaseOwner, w.LeaseUntil, w.Fence = r.text(), r.time(), r.int()
	return w
}

// decodeList reads the next column as a JSON list; one of nothing is nil.
func decodeList[T any](r *row, list *[]T) {
	if decode(r, r.text(), list); len(*list) == 0 {
		*list = nil
	}
}

// encodeList writes a list as JSON.
func encodeList[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "[]", nil
	}
	return encode(list)
}

// webhookValues are the values of webhookColumns.
func webhookValues(w *directory.Webhook) ([]any, error) {
	types, err := encodeList(w.Types)
	if err != nil {
		return nil, err
	}
	companies, err := encodeList(w.Companies)
	if err != nil {
		return nil, err
	}
	origins, err := encodeList(w.ExceptOrigins)
	if err != nil {
		return nil, err
	}
	var sealed []sealedSecret
	for _, s := range w.Secrets {
		sealed = append(sealed, sealedSecret{ID: s.ID, Sealed: s.Sealed, CreatedAt: micros(s.CreatedAt)})
	}
	secrets, err := encodeList(sealed)
	if err != nil {
		return nil, err
	}
	state, err := code(webhookStates[:], w.State)
	return []any{int64(w.Tenant), w.ID, w.Name, w.URL, types, companies, origins, state, w.PauseReason, secrets,
		micros(w.CreatedAt), micros(w.UpdatedAt), w.Version, w.Position, w.ReplayFrom, w.ReplayTo,
		int64(w.Failures), micros(w.FailingSince), micros(w.NextAt), w.LastError, int64(w.LastStatus), micros(w.LastSuccess),
		w.LeaseOwner, micros(w.LeaseUntil), w.Fence}, err
}

// Webhook implements directory.WebhookReader.
func (r *reader) Webhook(ctx context.Context, t directory.TenantNo, id string) (directory.Webhook, error) {
	return r.webhook(ctx, t, id, "")
}

// webhook reads one endpoint; lock is what the look-up ends with.
func (r *reader) webhook(ctx context.Context, t directory.TenantNo, id, lock string) (directory.Webhook, error) {
	var w directory.Webhook
	err := r.one(ctx, "SELECT "+webhookColumns+" FROM webhooks WHERE tenant = $1 AND id = $2"+lock, []any{int64(t), id},
		func(row *row) { w = scanWebhook(row) })
	return w, err
}

// Webhooks implements directory.WebhookReader.
func (r *reader) Webhooks(ctx context.Context, t directory.TenantNo) ([]directory.Webhook, error) {
	var list []directory.Webhook
	err := r.q.query(ctx, "SELECT "+webhookColumns+" FROM webhooks WHERE tenant = $1 ORDER BY created_at, id", []any{int64(t)},
		func(row *row) { list = append(list, scanWebhook(row)) })
	return list, err
}

// What has something to do at $1. Leases that end after $2 and waits that end
// after $3 are of a clock that was wrong. $4 is the time of what waits for
// another delivery.
const (
	dueWebhooks = ` FROM webhooks w WHERE w.state = 0 AND (w.lease_until <= $1 OR w.lease_until > $2)
		AND (w.next_at <= $1 OR w.next_at > $3)
		AND EXISTS (SELECT 1 FROM tenants t WHERE t.no = w.tenant AND t.disabled = 0)
		AND (w.replay_from > 0
		OR EXISTS (SELECT 1 FROM chain_heads h WHERE h.tenant = w.tenant AND h.position <> w.position)
		OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.tenant = w.tenant AND d.webhook = w.id AND d.state = 0 AND d.next_at > $4 AND d.next_at <= $1)
		OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.tenant = w.tenant AND d.webhook = w.id AND d.state = 0 AND d.next_at > $3))`
	// Whose lease ended first comes first, so that none waits for ever.
	claimWebhooksSQL = `WITH due AS MATERIALIZED (SELECT w.tenant AS due_tenant, w.id AS due_id` + dueWebhooks + `
		ORDER BY w.lease_until, w.tenant, w.id LIMIT $5`
	takeWebhooksSQL = `) UPDATE webhooks SET lease_owner = $6, lease_until = $7, fence = fence + 1 FROM due
		WHERE tenant = due_tenant AND id = due_id RETURNING ` + webhookColumns
)

// dueAt are the first arguments of dueWebhooks.
func dueAt(now time.Time) []any {
	return []any{micros(now), micros(now.Add(directory.MaxWebhookLease)), micros(now.Add(directory.MaxWebhookWait)), noTime}
}

// WebhooksDue implements directory.WebhookReader.
func (r *reader) WebhooksDue(ctx context.Context, now time.Time) (bool, error) {
	due := false
	err := r.q.query(ctx, "SELECT w.tenant"+dueWebhooks+" LIMIT 1", dueAt(now), func(*row) { due = true })
	return due, err
}

// ClaimWebhooks implements directory.WebhookWriter.
func (t *tx) ClaimWebhooks(ctx context.Context, owner string, now, until time.Time, limit int) ([]directory.Webhook, error) {
	var list []directory.Webhook
	err := t.q.query(ctx, claimWebhooksSQL+t.e.claim+takeWebhooksSQL, append(dueAt(now), int64(max(limit, 0)), owner, micros(until)),
		func(r *row) { list = append(list, scanWebhook(r)) })
	slices.SortFunc(list, func(a, b directory.Webhook) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ID, b.ID))
	})
	return list, err
}

// InsertWebhook implements directory.WebhookWriter.
func (t *tx) InsertWebhook(ctx context.Context, w directory.Webhook) error {
	values, err := webhookValues(&w)
	if err != nil {
		return err
	}
	return t.insert(ctx, "INSERT INTO webhooks ("+webhookColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
		$17, $18, $19, $20, $21, $22, $23, $24, $25) ON CONFLICT DO NOTHING`, values...)
}

// LockWebhook implements directory.WebhookWriter.
func (t *tx) LockWebhook(ctx context.Context, no directory.TenantNo, id string) (directory.Webhook, error) {
	return t.webhook(ctx, no, id, t.e.lock)
}

// UpdateWebhook implements directory.WebhookWriter.
func (t *tx) UpdateWebhook(ctx context.Context, w directory.Webhook) error {
	values, err := webhookValues(&w)
	if err != nil {
		return err
	}
	return t.change(ctx, `UPDATE webhooks SET name = $3, url = $4, types = $5, companies = $6, except_origins = $7, state = $8, pause_reason = $9,
		secrets = $10, created_at = $11, updated_at = $12, version = $13, position = $14, replay_from = $15, replay_to = $16, failures = $17,
		failing_since = $18, next_at = $19, last_error = $20, last_status = $21, last_success = $22, lease_owner = $23, lease_until = $24, fence = $25
		WHERE tenant = $1 AND id = $2`, values...)
}

// DeleteWebhook implements directory.WebhookWriter.
func (t *tx) DeleteWebhook(ctx context.Context, no directory.TenantNo, id string) error {
	if err := t.change(ctx, "DELETE FROM webhooks WHERE tenant = $1 AND id = $2", int64(no), id); err != nil {
		return err
	}
	_, err := t.q.exec(ctx, "DELETE FROM webhook_deliveries WHERE tenant = $1 AND webhook = $2", int64(no), id)
	return err
}

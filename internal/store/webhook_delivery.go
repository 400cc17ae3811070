package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

const deliveryColumns = "d.tenant, d.webhook, d.position, d.event, d.type, d.number, d.state, d.attempts, d.next_at, d.last_error, d.last_status, d.created_at"

func scanDelivery(r *row) directory.Delivery {
	return directory.Delivery{Tenant: directory.TenantNo(r.int()), Webhook: r.text(), Position: r.int(), Event: r.text(),
		Type: directory.EventType(r.text()), User: r.int(), State: kindOf(r, deliveryStates[:]), Attempts: int(r.int()), NextAt: r.time(),
		LastError: r.text(), LastStatus: int(r.int()), CreatedAt: r.time()}
}

// Deliveries implements directory.WebhookReader.
func (r *reader) Deliveries(ctx context.Context, t directory.TenantNo, webhook string, state directory.DeliveryState, after int64, limit int) ([]directory.Delivery, error) {
	a := args{}
	where := " FROM webhook_deliveries d WHERE d.tenant = " + a.add(int64(t)) + " AND d.webhook = " + a.add(webhook) + " AND d.position > " + a.add(after)
	if state != "" {
		n, err := code(deliveryStates[:], state)
		if err != nil {
			return nil, err
		}
		where += " AND d.state = " + a.add(n)
	}
	return r.deliveries(ctx, where+" ORDER BY d.position LIMIT "+a.add(int64(max(limit, 0))), a.list)
}

func (r *reader) deliveries(ctx context.Context, where string, args []any) ([]directory.Delivery, error) {
	var list []directory.Delivery
	err := r.q.query(ctx, "SELECT "+deliveryColumns+where, args, func(row *row) { list = append(list, scanDelivery(row)) })
	return list, err
}

// Delivery implements directory.WebhookReader.
func (r *reader) Delivery(ctx context.Context, t directory.TenantNo, webhook string, position int64) (directory.Delivery, error) {
	var d directory.Delivery
	err := r.one(ctx, "SELECT "+deliveryColumns+" FROM webhook_deliveries d WHERE d.tenant = $1 AND d.webhook = $2 AND d.position = $3",
		[]any{int64(t), webhook, position}, func(row *row) { d = scanDelivery(row) })
	return d, err
}

// DeliveriesDue implements directory.WebhookReader.
func (r *reader) DeliveriesDue(ctx context.Context, t directory.TenantNo, webhook string, limit int) ([]directory.Delivery, error) {
	return r.deliveries(ctx, ` FROM webhook_deliveries d WHERE d.tenant = $1 AND d.webhook = $2 AND d.state = 0 AND d.next_at > $3
		ORDER BY d.next_at, d.position LIMIT $4`, []any{int64(t), webhook, noTime, int64(max(limit, 0))})
}

// UsersWaiting implements directory.WebhookReader.
func (r *reader) UsersWaiting(ctx context.Context, t directory.TenantNo, webhook string) (map[int64]int64, error) {
	waiting := map[int64]int64{}
	err := r.q.scan(ctx, "SELECT d.number, count(*) FROM webhook_deliveries d WHERE d.tenant = $1 AND d.webhook = $2 AND d.state = 0 GROUP BY d.number",
		[]any{int64(t), webhook}, func(row *row) {
			number := row.int()
			waiting[number] = row.int()
		})
	return waiting, err
}

// CountDeliveries implements directory.WebhookReader.
func (r *reader) CountDeliveries(ctx context.Context, t directory.TenantNo, webhook string, state directory.DeliveryState, limit int64) (int64, error) {
	n, err := code(deliveryStates[:], state)
	if err != nil {
		return 0, err
	}
	var count int64
	err = r.q.scan(ctx, "SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries d WHERE d.tenant = $1 AND d.webhook = $2 AND d.state = $3 LIMIT $4) k",
		[]any{int64(t), webhook, n, max(limit, 0)}, func(row *row) { count = row.int() })
	return count, err
}

// PutDelivery implements directory.WebhookWriter.
func (t *tx) PutDelivery(ctx context.Context, d directory.Delivery) error {
	state, err := code(deliveryStates[:], d.State)
	if err != nil {
		return err
	}
	_, err = t.q.exec(ctx, `INSERT INTO webhook_deliveries (tenant, webhook, position, event, type, number, state, attempts, next_at, last_error,
		last_status, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (tenant, webhook, position) DO UPDATE SET event = excluded.event, type = excluded.type, number = excluded.number,
		state = excluded.state, attempts = excluded.attempts, next_at = excluded.next_at, last_error = excluded.last_error,
		last_status = excluded.last_status, created_at = excluded.created_at`,
		int64(d.Tenant), d.Webhook, d.Position, d.Event, string(d.Type), d.User, state, int64(d.Attempts), micros(d.NextAt), d.LastError,
		int64(d.LastStatus), micros(d.CreatedAt))
	return err
}

// DeleteDelivery implements directory.WebhookWriter.
func (t *tx) DeleteDelivery(ctx context.Context, no directory.TenantNo, webhook string, position int64) error {
	return t.change(ctx, "DELETE FROM webhook_deliveries WHERE tenant = $1 AND webhook = $2 AND position = $3", int64(no), webhook, position)
}

// The first of the deliveries about a user that wait.
const firstWaitingSQL = `(SELECT e.position FROM webhook_deliveries e WHERE e.tenant = $1 AND e.webhook = $2 AND e.state = 0 AND e.number = $3
	ORDER BY e.position LIMIT 1)`

// SettleDeliveries implements directory.WebhookWriter.
func (t *tx) SettleDeliveries(ctx context.Context, no directory.TenantNo, webhook string, user int64, now time.Time) error {
	_, err := t.q.exec(ctx, `UPDATE webhook_deliveries SET next_at = $4 WHERE tenant = $1 AND webhook = $2 AND state = 0 AND number = $3
		AND next_at > $4 AND position > `+firstWaitingSQL, int64(no), webhook, user, noTime)
	if err == nil {
		_, err = t.q.exec(ctx, `UPDATE webhook_deliveries SET next_at = $4 WHERE tenant = $1 AND webhook = $2 AND state = 0
			AND next_at <= $5 AND position = `+firstWaitingSQL, int64(no), webhook, user, micros(now), noTime)
	}
	return err
}

// HurryDeliveries implements directory.WebhookWriter.
func (t *tx) HurryDeliveries(ctx context.Context, no directory.TenantNo, webhook string, now time.Time) error {
	_, err := t.q.exec(ctx, "UPDATE webhook_deliveries SET next_at = $3 WHERE tenant = $1 AND webhook = $2 AND state = 0 AND next_at > $3",
		int64(no), webhook, micros(now))
	return err
}

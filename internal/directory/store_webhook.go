package directory

import (
	"context"
	"time"
)

// WebhookReader reads endpoints and what could not be delivered to them.
type WebhookReader interface {
	Webhook(ctx context.Context, t TenantNo, id string) (Webhook, error)
	// Webhooks lists a tenant's, by time of creation.
	Webhooks(ctx context.Context, t TenantNo) ([]Webhook, error)
	// WebhooksDue reports whether ClaimWebhooks would find one now.
	WebhooksDue(ctx context.Context, now time.Time) (bool, error)
	// Deliveries lists those of an endpoint in a state ("" for all), by position,
	// greater than after.
	Deliveries(ctx context.Context, t TenantNo, webhook string, state DeliveryState, after int64, limit int) ([]Delivery, error)
	Delivery(ctx context.Context, t TenantNo, webhook string, position int64) (Delivery, error)
	// DeliveriesDue lists those that wait for a time, and not for another one about
	// the same user, by that time.
	DeliveriesDue(ctx context.Context, t TenantNo, webhook string, limit int) ([]Delivery, error)
	// UsersWaiting counts, by user, the deliveries of an endpoint that wait.
	UsersWaiting(ctx context.Context, t TenantNo, webhook string) (map[int64]int64, error)
	// CountDeliveries counts those of an endpoint in a state, and stops at limit.
	CountDeliveries(ctx context.Context, t TenantNo, webhook string, state DeliveryState, limit int64) (int64, error)
}

// WebhookWriter changes endpoints and their deliveries.
type WebhookWriter interface {
	InsertWebhook(ctx context.Context, w Webhook) error
	// LockWebhook reads an endpoint for change: until the transaction ends nobody
	// else changes it or claims it.
	LockWebhook(ctx context.Context, t TenantNo, id string) (Webhook, error)
	// UpdateWebhook replaces the row of w.ID.
	UpdateWebhook(ctx context.Context, w Webhook) error
	// DeleteWebhook erases an endpoint with its deliveries.
	DeleteWebhook(ctx context.Context, t TenantNo, id string) error
	// ClaimWebhooks leases active endpoints, of tenants that are not disabled, to an
	// owner until then. Nobody has them, their NextAt has come, and they have
	// something to do: their chain does not end at Position, there is a range to
	// replay, or the time of a delivery has come. Fence rises with each claim. Two
	// that claim at once never get the same endpoint. A lease of more than
	// MaxWebhookLease from now and a wait of more than MaxWebhookWait are over: a
	// clock was wrong.
	ClaimWebhooks(ctx context.Context, owner string, now, until time.Time, limit int) ([]Webhook, error)
	// PutDelivery writes a delivery or replaces it.
	PutDelivery(ctx context.Context, d Delivery) error
	DeleteDelivery(ctx context.Context, t TenantNo, webhook string, position int64) error
	// SettleDeliveries lets the first of the deliveries about a user that wait have
	// a time, now if it has none, and all behind it have none.
	SettleDeliveries(ctx context.Context, t TenantNo, webhook string, user int64, now time.Time) error
	// HurryDeliveries makes all due now that wait for a later time.
	HurryDeliveries(ctx context.Context, t TenantNo, webhook string, now time.Time) error
}

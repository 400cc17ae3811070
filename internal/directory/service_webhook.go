package directory

import (
	"context"
	"time"
)

// NewWebhook is the input of CreateWebhook.
type NewWebhook struct {
	Name          string
	URL           string
	Types         []EventType
	Companies     []int64
	ExceptOrigins []string
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
	Dead    int64
	Behind  int64 // events between its position and the end of the feed, matching or not
}

// Webhooks lists the tenant's endpoints.
func (s *Service) Webhooks(ctx context.Context, call *Call) ([]WebhookDetail, error) {
	panic("Webhooks")
}

// Webhook reads one endpoint. Errors: webhook.not_found.
func (s *Service) Webhook(ctx context.Context, call *Call, id string) (WebhookDetail, error) {
	panic("Webhook")
}

// MadeWebhook is what CreateWebhook gives to Idempotency.Answer.
type MadeWebhook struct {
	Webhook WebhookDetail
	Secret  Secret
}

// CreateWebhook makes an endpoint with a first secret, which is shown here and by
// no list. Errors: invalid with its fields; webhook.too_many.
func (s *Service) CreateWebhook(ctx context.Context, call *Call, in NewWebhook) (WebhookDetail, Secret, error) {
	panic("CreateWebhook")
}

// EditWebhook changes an endpoint. Errors: webhook.not_found, invalid.
func (s *Service) EditWebhook(ctx context.Context, call *Call, id string, patch WebhookPatch) (WebhookDetail, error) {
	panic("EditWebhook")
}

// DeleteWebhook erases an endpoint. Errors: webhook.not_found.
func (s *Service) DeleteWebhook(ctx context.Context, call *Call, id string) error {
	panic("DeleteWebhook")
}

// AddWebhookSecret makes a secret more, with which every delivery is signed too.
// Errors: webhook.not_found, webhook.too_many_secrets.
func (s *Service) AddWebhookSecret(ctx context.Context, call *Call, id string) (WebhookSecret, Secret, error) {
	panic("AddWebhookSecret")
}

// RemoveWebhookSecret takes a secret away; the last one stays. Errors:
// webhook.not_found, webhook.secret_not_found, webhook.last_secret.
func (s *Service) RemoveWebhookSecret(ctx context.Context, call *Call, id, secret string) error {
	panic("RemoveWebhookSecret")
}

// ReplayRange says what to send once more.
type ReplayRange struct {
	From time.Time // the zero time: from the oldest event that is kept
	To   time.Time // the zero time: up to what has been sent
}

// ReplayWebhook sends the events of a period once more, in order, before what is
// new. It returns how many positions that are, matching or not. Errors:
// webhook.not_found, webhook.replaying while an earlier one goes on.
func (s *Service) ReplayWebhook(ctx context.Context, call *Call, id string, r ReplayRange) (int64, error) {
	panic("ReplayWebhook")
}

// TestWebhook sends a message of the type "webhook.test" at once and returns what
// the endpoint answered. Errors: webhook.not_found.
func (s *Service) TestWebhook(ctx context.Context, call *Call, id string) (Receipt, error) {
	panic("TestWebhook")
}

// DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	Deliveries []Delivery
	Next       string // cursor; "" at the end
}

// Deliveries lists what an endpoint has not taken, in a state or ("") in any.
// Errors: webhook.not_found, cursor.invalid, cursor.expired.
func (s *Service) Deliveries(ctx context.Context, call *Call, id string, state DeliveryState, cursor string, limit int) (DeliveryPage, error) {
	panic("Deliveries")
}

// RetryDelivery makes a delivery due at once, a dead one too. Errors:
// webhook.not_found, delivery.not_found.
func (s *Service) RetryDelivery(ctx context.Context, call *Call, id string, position int64) (Delivery, error) {
	panic("RetryDelivery")
}

// DropDelivery gives up an event for an endpoint. Errors: webhook.not_found,
// delivery.not_found.
func (s *Service) DropDelivery(ctx context.Context, call *Call, id string, position int64) error {
	panic("DropDelivery")
}

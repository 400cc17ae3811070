package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"
)

// The states of an endpoint.
const (
	WebhookActive = "active"
	WebhookPaused = "paused" // it is sent nothing and loses nothing
)

// Webhook is an endpoint to which events are sent.
type Webhook struct {
	Head
	ID            string          `json:"id"` // UUID
	Name          string          `json:"name"`
	URL           string          `json:"url"`
	Types         []string        `json:"types"`          // "user.created", or "user.*"; none: all
	Companies     []int64         `json:"companies"`      // numbers; none: everything
	ExceptOrigins []string        `json:"except_origins"` // whose changes are not sent
	State         string          `json:"state"`          // WebhookActive or WebhookPaused
	PauseReason   string          `json:"pause_reason"`
	Secrets       []WebhookSecret `json:"secrets"`
	CreatedAt     time.Time       `json:"created_at"`
	UpdatedAt     time.Time       `json:"updated_at"`
	Version       int64           `json:"version"` // rises with changes, not with the progress

	// The progress.
	Behind       int64             `json:"behind"`   // events that are still to be looked at
	Waiting      int64             `json:"waiting"`  // deliveries that are tried again
	Dead         int64             `json:"dead"`     // deliveries that were given up
	Failures     int64             `json:"failures"` // tries in a row that failed
	FailingSince time.Time         `json:"failing_since"`
	NextAt       time.Time         `json:"next_at"` // nothing is sent before
	LastStatus   int64             `json:"last_status"`
	LastError    string            `json:"last_error"`
	LastSuccess  time.Time         `json:"last_success"`
	Replay       *WebhookPositions `json:"replay"` // what is sent once more; nil for nothing
}

func (w *Webhook) setVersion() { w.ETag = etag(w.Version) }

// setHead makes the tag of the version: the answer has none, since the progress
// changes without it.
func (w *Webhook) setHead(header http.Header) {
	w.Head.setHead(header)
	w.setVersion()
}

// WebhookSecret is a secret of an endpoint.
type WebhookSecret struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

// WebhookPositions is a range of positions of events.
type WebhookPositions struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// MadeWebhook is an endpoint with its first secret, which is shown once.
type MadeWebhook struct {
	Webhook
	Secret Secret `json:"secret"`
}

// NewWebhook is an endpoint to be made.
type NewWebhook struct {
	Name          string   `json:"name"`
	URL           string   `json:"url"`
	Types         []string `json:"types,omitzero"`
	Companies     []int64  `json:"companies,omitzero"`
	ExceptOrigins []string `json:"except_origins,omitzero"`
	FromStart     bool     `json:"from_start,omitzero"` // what is kept of the history first
}

// WebhookPatch changes some members of an endpoint: what is zero stays.
type WebhookPatch struct {
	Name          Opt[string]   `json:"name,omitzero"`
	URL           Opt[string]   `json:"url,omitzero"`
	Types         Opt[[]string] `json:"types,omitzero"`
	Companies     Opt[[]int64]  `json:"companies,omitzero"`
	ExceptOrigins Opt[[]string] `json:"except_origins,omitzero"`
	State         Opt[string]   `json:"state,omitzero"`
}

// WebhookService is the endpoints of the tenant.
type WebhookService struct{ c *Client }

// List reads all endpoints.
func (s *WebhookService) List(ctx context.Context, options ...CallOption) ([]Webhook, error) {
	webhooks, err := readAll[Webhook](ctx, s.c, path("webhooks"), options)
	for i := range webhooks {
		webhooks[i].setVersion()
	}
	return webhooks, err
}

// Get reads an endpoint.
func (s *WebhookService) Get(ctx context.Context, id string, options ...CallOption) (*Webhook, error) {
	return read[Webhook](ctx, s.c, path("webhooks", id), nil, options)
}

// Create makes an endpoint, whose secret is shown only here.
func (s *WebhookService) Create(ctx context.Context, w NewWebhook, options ...CallOption) (*MadeWebhook, error) {
	return write[MadeWebhook](ctx, s.c, &request{method: http.MethodPost, path: path("webhooks"), body: w, creates: true}, options)
}

// Update changes some members of an endpoint.
func (s *WebhookService) Update(ctx context.Context, id string, p WebhookPatch, options ...CallOption) (*Webhook, error) {
	return write[Webhook](ctx, s.c, &request{method: http.MethodPatch, path: path("webhooks", id), body: p}, options)
}

// Delete erases an endpoint with whatever waits for it.
func (s *WebhookService) Delete(ctx context.Context, id string, options ...CallOption) error {
	return s.c.remove(ctx, path("webhooks", id), nil, options)
}

// MadeWebhookSecret is a secret that was just made.
type MadeWebhookSecret struct {
	WebhookSecret
	Secret Secret `json:"secret"`
}

// AddSecret makes a secret more, with which every delivery is signed too.
func (s *WebhookService) AddSecret(ctx context.Context, id string, options ...CallOption) (*MadeWebhookSecret, error) {
	return write[MadeWebhookSecret](ctx, s.c, &request{method: http.MethodPost, path: path("webhooks", id, "secrets"), creates: true}, options)
}

// RemoveSecret takes a secret away; the last one stays.
func (s *WebhookService) RemoveSecret(ctx context.Context, id, secret string, options ...CallOption) error {
	return s.c.remove(ctx, path("webhooks", id, "secrets", secret), nil, options)
}

// WebhookTest is what an endpoint answered to a test.
type WebhookTest struct {
	Delivered  bool   `json:"delivered"`
	Status     int64  `json:"status"` // HTTP status; 0 for no answer
	Error      string `json:"error"`
	DurationMS int64  `json:"duration_ms"`
}

// Test sends a message of the type webhook.test and says what was answered.
func (s *WebhookService) Test(ctx context.Context, id string, options ...CallOption) (*WebhookTest, error) {
	return write[WebhookTest](ctx, s.c, &request{method: http.MethodPost, path: path("webhooks", id, "test")}, options)
}

// Replay sends the events of a period once more, and says how many are looked at.
// A zero to is what has been sent; a from before all events sends all that is kept.
func (s *WebhookService) Replay(ctx context.Context, id string, from, to time.Time, options ...CallOption) (int64, error) {
	body := struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to,omitzero"`
	}{from, to}
	out, err := write[struct {
		Events int64 `json:"events"`
	}](ctx, s.c, &request{method: http.MethodPost, path: path("webhooks", id, "replay"), body: body}, options)
	if err != nil {
		return 0, err
	}
	return out.Events, nil
}

// The states of a delivery.
const (
	DeliveryWaiting = "waiting" // for its next try, or for an earlier one of the same user
	DeliveryDead    = "dead"    // given up
)

// Delivery is an event that an endpoint has not taken.
type Delivery struct {
	Position   int64     `json:"position"` // of the event; names the delivery
	Event      string    `json:"event"`    // id of the event
	Type       string    `json:"type"`
	User       int64     `json:"user"` // number; 0 for none
	State      string    `json:"state"`
	Attempts   int64     `json:"attempts"`
	NextAt     time.Time `json:"next_at"`
	LastStatus int64     `json:"last_status"`
	LastError  string    `json:"last_error"`
	CreatedAt  time.Time `json:"created_at"`
}

// DeliveryQuery selects deliveries; the zero value is all.
type DeliveryQuery struct {
	PageQuery
	State string // DeliveryWaiting or DeliveryDead
}

// Deliveries reads a page of what an endpoint has not taken, the oldest first.
func (s *WebhookService) Deliveries(ctx context.Context, id string, q DeliveryQuery, options ...CallOption) (*Page[Delivery], error) {
	return read[Page[Delivery]](ctx, s.c, path("webhooks", id, "deliveries"), query{}.page(q.PageQuery).text("state", q.State), options)
}

// AllDeliveries goes over what an endpoint has not taken.
func (s *WebhookService) AllDeliveries(ctx context.Context, id string, q DeliveryQuery, options ...CallOption) iter.Seq2[Delivery, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Delivery], error) {
		q.Cursor = cursor
		return s.Deliveries(ctx, id, q, options...)
	})
}

// RetryDelivery makes a delivery due at once, a dead one too.
func (s *WebhookService) RetryDelivery(ctx context.Context, id string, position int64, options ...CallOption) (*Delivery, error) {
	return write[Delivery](ctx, s.c, &request{method: http.MethodPost, path: path("webhooks", id, "deliveries", fmt.Sprint(position), "retry")}, options)
}

// DropDelivery gives up an event for an endpoint.
func (s *WebhookService) DropDelivery(ctx context.Context, id string, position int64, options ...CallOption) error {
	return s.c.remove(ctx, path("webhooks", id, "deliveries", fmt.Sprint(position)), nil, options)
}

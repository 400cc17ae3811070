package canonical

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Delivery is an event that an endpoint has not taken.
type Delivery struct {
	Position   int64               `json:"position" minimum:"1" doc:"Of the event, and the delivery's name."`
	Event      string              `json:"event" doc:"Id of the event."`
	Type       string              `json:"type" example:"user.created"`
	User       nullable[int64]     `json:"user" doc:"Number of the user it is about: what is about one is sent in order. null for none."`
	State      string              `json:"state" enum:"waiting,dead" doc:"waiting: for its next try, or for an earlier one of the same user; dead: given up, until somebody retries or drops it."`
	Attempts   int64               `json:"attempts"`
	NextAt     nullable[time.Time] `json:"next_at" doc:"Not tried before; null for at once, or of a dead one."`
	LastStatus nullable[int64]     `json:"last_status" doc:"HTTP status of the last answer; null for none."`
	LastError  string              `json:"last_error"`
	CreatedAt  time.Time           `json:"created_at" doc:"Of the first try."`
}

// deliveryOf is a delivery of the core as it is shown.
func deliveryOf(y *directory.Delivery) Delivery {
	return Delivery{Position: y.Position, Event: y.Event, Type: string(y.Type), User: numberOf(y.User), State: string(y.State), Attempts: int64(y.Attempts),
		NextAt: timeOf(y.NextAt), LastStatus: numberOf(int64(y.LastStatus)), LastError: y.LastError, CreatedAt: y.CreatedAt.UTC()}
}

// DeliveryPath are the parameters of a delivery.
type DeliveryPath struct {
	WebhookPath
	Position string `path:"position" example:"71" doc:"The position of the event."`
}

// parsePosition reads a position; what is none is that of no event.
func parsePosition(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != text {
		return noNumber
	}
	return n
}

// registerWebhookActions adds what can be done with an endpoint.
func registerWebhookActions(d *door) {
	const tag, path = "webhooks", "/webhooks/{webhook}"
	register(d, operation{id: "add_webhook_secret", method: http.MethodPost, path: path + "/secrets", tag: tag, summary: "Add a secret",
		description: "Every delivery is signed with it too, from now on. Let the receiver take both, then remove the old one. The secret is shown once.", status: http.StatusCreated, creates: true,
		examples: noWebhook("/secrets", "")}, addWebhookSecret)
	register(d, removal("remove_webhook_secret", path+"/secrets/{secret}", tag, "Remove a secret", "The last one stays.", noWebhook("/secrets/0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31", "")...),
		func(ctx context.Context, x *exchange, in *struct {
			WebhookPath
			Secret string `path:"secret" example:"0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31" doc:"The secret's id."`
		}) (*nothing, error) {
			return nil, x.door.svc.RemoveWebhookSecret(ctx, &x.call, in.Webhook, in.Secret)
		})
	register(d, operation{id: "test_webhook", method: http.MethodPost, path: path + "/test", tag: tag, summary: "Send a test",
		description: "Sends a message of the type `webhook.test` at once, also to a paused endpoint, and says what was answered.", examples: noWebhook("/test", "")}, testWebhook)
	register(d, operation{id: "replay_webhook", method: http.MethodPost, path: path + "/replay", tag: tag, summary: "Send a period once more",
		description: "In order, before what is new, with the same ids of messages: a receiver that has them leaves them out.", examples: noWebhook("/replay", `{"from":"2026-02-01T00:00:00Z"}`)}, replayWebhook)
	register(d, operation{id: "list_deliveries", method: http.MethodGet, path: path + "/deliveries", tag: tag, summary: "What an endpoint has not taken",
		description: "Oldest first. What was delivered or dropped is not listed.", examples: noWebhook("/deliveries", "")},
		func(ctx context.Context, x *exchange, in *struct {
			WebhookPath
			PageQuery
			State string `query:"state" enum:"waiting,dead" doc:"Only these; all if left out."`
		}) (*pageOutput[Delivery], error) {
			list, err := x.door.svc.Deliveries(ctx, &x.call, in.Webhook, directory.DeliveryState(in.State), in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return treePage(directory.Page[directory.Delivery]{Items: list.Deliveries, Next: list.Next}, false, deliveryOf), nil
		})
	register(d, operation{id: "retry_delivery", method: http.MethodPost, path: path + "/deliveries/{position}/retry", tag: tag, summary: "Retry a delivery",
		description: "Makes it due at once, a dead one too.", examples: noWebhook("/deliveries/71/retry", "")},
		func(ctx context.Context, x *exchange, in *struct{ DeliveryPath }) (*made[Delivery], error) {
			y, err := x.door.svc.RetryDelivery(ctx, &x.call, in.Webhook, parsePosition(in.Position))
			if err != nil {
				return nil, err
			}
			return &made[Delivery]{Body: deliveryOf(&y)}, nil
		})
	register(d, removal("drop_delivery", path+"/deliveries/{position}", tag, "Drop a delivery", "The event is given up for this endpoint; later ones of the same user go on.", noWebhook("/deliveries/71", "")...),
		func(ctx context.Context, x *exchange, in *struct{ DeliveryPath }) (*nothing, error) {
			return nil, x.door.svc.DropDelivery(ctx, &x.call, in.Webhook, parsePosition(in.Position))
		})
}

// NewWebhookSecret is a secret that was just made.
type NewWebhookSecret struct {
	WebhookSecret
	Secret string `json:"secret" doc:"whsec_ and base64: shown only here."`
}

func addWebhookSecret(ctx context.Context, x *exchange, in *struct{ WebhookPath }) (*made[NewWebhookSecret], error) {
	show := func(m directory.MadeWebhookSecret) (NewWebhookSecret, string, int64) {
		return NewWebhookSecret{WebhookSecret{ID: m.Made.ID, CreatedAt: m.Made.CreatedAt.UTC()}, string(m.Secret)}, "/webhooks/" + in.Webhook + "/secrets/" + m.Made.ID, 0
	}
	creates(x, show)
	s, secret, err := x.door.svc.AddWebhookSecret(ctx, &x.call, in.Webhook)
	if err != nil {
		return nil, err
	}
	body, path, _ := show(directory.MadeWebhookSecret{Made: s, Secret: secret})
	x.setHeader("Cache-Control", "no-store")
	x.setLocation(path)
	return &made[NewWebhookSecret]{Body: body}, nil
}

// testResult is what an endpoint answered to a test.
type testResult struct {
	Delivered  bool            `json:"delivered" doc:"It was taken, with a status of 2xx."`
	Status     nullable[int64] `json:"status" doc:"HTTP status of the answer; null for none."`
	Error      string          `json:"error" doc:"What went wrong; empty for nothing."`
	DurationMS int64           `json:"duration_ms" doc:"How long it took, in milliseconds."`
}

func testWebhook(ctx context.Context, x *exchange, in *struct{ WebhookPath }) (*made[testResult], error) {
	receipt, err := x.door.svc.TestWebhook(ctx, &x.call, in.Webhook)
	if err != nil {
		return nil, err
	}
	return &made[testResult]{Body: testResult{Delivered: receipt.Delivered, Status: numberOf(int64(receipt.Status)), Error: receipt.Error,
		DurationMS: receipt.Duration.Milliseconds()}}, nil
}

// replayResult says how much is sent once more.
type replayResult struct {
	Events int64 `json:"events" doc:"How many events are looked at; those that the endpoint's filters let through are sent."`
}

func replayWebhook(ctx context.Context, x *exchange, in *struct {
	WebhookPath
	Body struct {
		From time.Time      `json:"from" doc:"From this moment on; one before all events sends everything that is kept."`
		To   opt[time.Time] `json:"to,omitempty" doc:"Up to what has been sent if left out."`
	} `nameHint:"Replay"`
}) (*made[replayResult], error) {
	n, err := x.door.svc.ReplayWebhook(ctx, &x.call, in.Webhook, directory.ReplayRange{From: in.Body.From, To: in.Body.To.or(time.Time{})})
	if err != nil {
		return nil, err
	}
	return &made[replayResult]{Body: replayResult{Events: n}}, nil
}

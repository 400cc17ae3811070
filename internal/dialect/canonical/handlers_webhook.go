package canonical

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Webhook is an endpoint to which events are sent.
type Webhook struct {
	ID            string                     `json:"id" format:"uuid"`
	Name          string                     `json:"name" example:"Payroll" doc:"What people call it."`
	URL           string                     `json:"url" format:"uri" example:"https://payroll.example.com/usher"`
	Types         []string                   `json:"types" doc:"Types of events that are sent, or nouns with .* for all of their types; none for all."`
	Companies     []int64                    `json:"companies" doc:"Numbers of companies: only what happens in their subtrees is sent. None: everything."`
	ExceptOrigins []string                   `json:"except_origins" doc:"Origins whose changes are not sent."`
	State         string                     `json:"state" enum:"active,paused" doc:"A paused endpoint is sent nothing and loses nothing: it goes on where it stopped."`
	PauseReason   string                     `json:"pause_reason" doc:"Why it is paused; empty when it is not."`
	Secrets       []WebhookSecret            `json:"secrets" doc:"Each signs every delivery (Standard Webhooks), so that a receiver can change over."`
	CreatedAt     time.Time                  `json:"created_at"`
	UpdatedAt     time.Time                  `json:"updated_at"`
	Version       int64                      `json:"version" minimum:"1" doc:"Rises with every change of what is above, and not with the progress below. If-Match compares with it."`
	Behind        int64                      `json:"behind" doc:"Events between where it is and the end of the history, whether they are sent or not."`
	Waiting       int64                      `json:"waiting" doc:"Deliveries that are tried again."`
	Dead          int64                      `json:"dead" doc:"Deliveries that were given up: see deliveries."`
	Failures      int64                      `json:"failures" doc:"Tries in a row that failed."`
	FailingSince  nullable[time.Time]        `json:"failing_since" doc:"After three days of failing it is paused; null while it works."`
	NextAt        nullable[time.Time]        `json:"next_at" doc:"Nothing is sent before; null for at once."`
	LastStatus    nullable[int64]            `json:"last_status" doc:"HTTP status of the last answer; null for none."`
	LastError     string                     `json:"last_error" doc:"What went wrong the last time; empty for nothing."`
	LastSuccess   nullable[time.Time]        `json:"last_success"`
	Replay        nullable[webhookPositions] `json:"replay" doc:"Positions that are being sent once more; null for none."`
}

// WebhookSecret is a secret of an endpoint without itself.
type WebhookSecret struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

// webhookPositions is a range of positions.
type webhookPositions struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// NewWebhook is an endpoint that was just made, with its first secret.
type NewWebhook struct {
	Webhook
	Secret string `json:"secret" doc:"whsec_ and base64: shown only here."`
}

// webhookOf is an endpoint of the core as it is shown.
func webhookOf(w *directory.WebhookDetail) Webhook {
	shown := Webhook{ID: w.ID, Name: w.Name, URL: w.URL, Types: []string{}, Companies: append([]int64{}, w.Companies...),
		ExceptOrigins: append([]string{}, w.ExceptOrigins...), State: string(w.State), PauseReason: w.PauseReason, Secrets: []WebhookSecret{},
		CreatedAt: w.CreatedAt.UTC(), UpdatedAt: w.UpdatedAt.UTC(), Version: w.Version, Behind: w.Behind, Waiting: w.Waiting, Dead: w.Dead,
		Failures: int64(w.Failures), FailingSince: timeOf(w.FailingSince), NextAt: timeOf(w.NextAt), LastStatus: numberOf(int64(w.LastStatus)),
		LastError: w.LastError, LastSuccess: timeOf(w.LastSuccess)}
	for _, t := range w.Types {
		shown.Types = append(shown.Types, string(t))
	}
	for _, s := range w.Secrets {
		shown.Secrets = append(shown.Secrets, WebhookSecret{ID: s.ID, CreatedAt: s.CreatedAt.UTC()})
	}
	if w.ReplayTo != 0 {
		shown.Replay = some(webhookPositions{From: w.ReplayFrom, To: w.ReplayTo})
	}
	return shown
}

// WebhookPath is the parameter of an endpoint.
type WebhookPath struct {
	Webhook string `path:"webhook" example:"0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31" doc:"The endpoint's id, a UUID; anything else is unknown."`
}

// exampleWebhook is the id of no endpoint: ids of endpoints are drawn.
const exampleWebhook = "/webhooks/0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31"

// noWebhook is an example about it.
func noWebhook(path, body string) []example {
	return []example{{name: "no such endpoint", path: exampleWebhook + path, body: body, status: http.StatusNotFound}}
}

// registerWebhooks adds the operations on endpoints.
func registerWebhooks(d *door) {
	const tag, path = "webhooks", "/webhooks/{webhook}"
	register(d, operation{id: "list_webhooks", method: http.MethodGet, path: "/webhooks", tag: tag, summary: "List endpoints",
		description: "Oldest first, without their secrets.", examples: []example{{name: "endpoints"}}},
		func(ctx context.Context, x *exchange, _ *struct{}) (*listOutput[Webhook], error) {
			list, err := x.door.svc.Webhooks(ctx, &x.call)
			if err != nil {
				return nil, err
			}
			var items []Webhook
			for i := range list {
				items = append(items, webhookOf(&list[i]))
			}
			return listAnswer(items), nil
		})
	register(d, operation{id: "create_webhook", method: http.MethodPost, path: "/webhooks", tag: tag, summary: "Create an endpoint",
		description: "Events are sent to it as CloudEvents, signed as Standard Webhooks are; those of one user in their order. The secret is shown once. Targets in private networks are refused unless the operator allows them.",
		status:      http.StatusCreated, creates: true,
		examples: []example{{name: "users of one company", body: `{"name":"Payroll","url":"https://payroll.example.com/usher","types":["user.*"],"companies":[14146]}`}}}, createWebhook)
	register(d, operation{id: "get_webhook", method: http.MethodGet, path: path, tag: tag, summary: "Read an endpoint",
		description: "What it is, and how far it has come. There is no `ETag`, since the progress is shown too; `If-Match` of a write compares with `version`.", examples: noWebhook("", "")},
		func(ctx context.Context, x *exchange, in *struct{ WebhookPath }) (*made[Webhook], error) {
			w, err := x.door.svc.Webhook(ctx, &x.call, in.Webhook)
			if err != nil {
				return nil, err
			}
			return &made[Webhook]{Body: webhookOf(&w)}, nil
		})
	register(d, operation{id: "update_webhook", method: http.MethodPatch, path: path, tag: tag, summary: "Change an endpoint",
		description: "A merge patch (RFC 7396): members that are left out stay. `state` pauses it, or lets it go on at once.", patch: true,
		examples: noWebhook("", `{"state":"paused"}`)}, updateWebhook)
	register(d, removal("delete_webhook", path, tag, "Delete an endpoint", "With whatever still waits for it.", noWebhook("", "")...),
		func(ctx context.Context, x *exchange, in *struct{ WebhookPath }) (*nothing, error) {
			return nil, x.door.svc.DeleteWebhook(ctx, &x.call, in.Webhook)
		})
}

// WebhookFields are the members of an endpoint that a client can write.
type WebhookFields struct {
	Types         opt[[]string] `json:"types,omitempty" maxItems:"100" doc:"Types of events, or nouns with .*; all if left out or empty."`
	Companies     opt[[]int64]  `json:"companies,omitempty" maxItems:"100" doc:"Numbers of companies: only what happens in their subtrees. Everything if left out or empty."`
	ExceptOrigins opt[[]string] `json:"except_origins,omitempty" maxItems:"100" doc:"Origins whose changes are not sent, as events name them."`
}

// typesOf are types of events by their names.
func typesOf(names []string) []directory.EventType {
	var types []directory.EventType
	for _, name := range names {
		types = append(types, directory.EventType(name))
	}
	return types
}

func createWebhook(ctx context.Context, x *exchange, in *struct {
	Body struct {
		WebhookFields
		Name      string    `json:"name" minLength:"1" maxLength:"256"`
		URL       string    `json:"url" minLength:"1" maxLength:"2048" example:"https://payroll.example.com/usher" doc:"Where to: https, and no private network unless the operator allows it."`
		FromStart opt[bool] `json:"from_start,omitempty" doc:"Sends everything that is kept of the history first; only what happens from now on if left out."`
	} `nameHint:"WebhookInput"`
}) (*made[NewWebhook], error) {
	show := func(m directory.MadeWebhook) (NewWebhook, string, int64) {
		return NewWebhook{Webhook: webhookOf(&m.Webhook), Secret: string(m.Secret)}, "/webhooks/" + m.Webhook.ID, 0
	}
	creates(x, show)
	b := &in.Body
	w, secret, err := x.door.svc.CreateWebhook(ctx, &x.call, directory.NewWebhook{Name: b.Name, URL: b.URL, Types: typesOf(b.Types.or(nil)),
		Companies: b.Companies.or(nil), ExceptOrigins: b.ExceptOrigins.or(nil), FromStart: b.FromStart.or(false)})
	if err != nil {
		return nil, inBody(err, directory.ReasonCompanyNotFound, "companies")
	}
	body, path, _ := show(directory.MadeWebhook{Webhook: w, Secret: secret})
	x.setHeader("Cache-Control", "no-store")
	x.setLocation(path)
	return &made[NewWebhook]{Body: body}, nil
}

func updateWebhook(ctx context.Context, x *exchange, in *struct {
	WebhookPath
	Body struct {
		WebhookFields
		Name  opt[string] `json:"name,omitempty" minLength:"1" maxLength:"256"`
		URL   opt[string] `json:"url,omitempty" minLength:"1" maxLength:"2048"`
		State opt[string] `json:"state,omitempty" enum:"active,paused" doc:"Left out or null: as it is."`
	} `nameHint:"WebhookChange"`
}) (*made[Webhook], error) {
	b := &in.Body
	patch := directory.WebhookPatch{Name: b.Name.reset(), URL: b.URL.reset(), Companies: b.Companies.reset(), ExceptOrigins: b.ExceptOrigins.reset(),
		Types: directory.Opt[[]directory.EventType]{Set: b.Types.set, Value: typesOf(b.Types.value)},
		State: directory.Opt[directory.WebhookState]{Set: b.State.set && !b.State.null, Value: directory.WebhookState(b.State.value)}}
	w, err := x.door.svc.EditWebhook(ctx, &x.call, in.Webhook, patch)
	if err != nil {
		return nil, inBody(err, directory.ReasonCompanyNotFound, "companies")
	}
	return &made[Webhook]{Body: webhookOf(&w)}, nil
}

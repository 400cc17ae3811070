package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-id/usher/internal/webhook"
)

// newCourier makes what sends single events, for the dispatcher and for the test
// deliveries that people ask for.
func (a *App) newCourier() (*webhook.Courier, error) {
	networks, err := a.cfg.WebhookPrefixes()
	if err != nil {
		return nil, fmt.Errorf("webhook_networks: %w", err)
	}
	return webhook.NewCourier(webhook.CourierOptions{
		Source:   a.cfg.BaseURL() + "/api/v1",
		Version:  strings.TrimPrefix(Version(), "v"),
		Networks: networks,
		HTTP:     a.cfg.WebhookHTTP,
	}), nil
}

// openWebhooks makes what sends events to the tenants' endpoints.
func (a *App) openWebhooks(context.Context) error {
	a.webhooks = webhook.NewDispatcher(a.service, a.courier, webhook.Options{
		Owner:   leaseOwner(),
		Grace:   a.cfg.ShutdownTimeout,
		Logger:  a.log,
		Observe: a.metrics.webhooks(),
	})
	a.inBackground(func(ctx context.Context) error {
		a.webhooks.Run(ctx)
		return nil
	})
	return nil
}

// wakeWebhooks makes the dispatcher look for endpoints at once.
func (a *App) wakeWebhooks() {
	if a.webhooks != nil {
		a.webhooks.Wake()
	}
}

// webhooks counts deliveries by outcome.
func (m *metrics) webhooks() func(webhook.Outcome) {
	tries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "usher_webhook_deliveries_total",
		Help: "Tries to deliver an event to a webhook, by outcome: delivered, refused (the endpoint answered and did not take it), unreachable, gone.",
	}, []string{"outcome"})
	m.registry.MustRegister(tries)
	for _, outcome := range webhook.Outcomes() { // a rate needs the zeros too
		tries.WithLabelValues(string(outcome))
	}
	return func(outcome webhook.Outcome) { tries.WithLabelValues(string(outcome)).Inc() }
}

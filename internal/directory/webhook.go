package directory

import (
	"context"
	"time"
)

// Webhook is an endpoint of a tenant to which events are sent. It follows the
// feed: what is behind Position has been delivered, was not asked for, or is a
// Delivery of its own.
type Webhook struct {
	Tenant TenantNo
	ID     string // UUID v7

	// What people set.
	Name  string
	URL   string
	Types []EventType // "user.created", or "user.*" for all of a noun; none: all types
	// Companies are numbers of companies: only what happens in their subtrees is
	// sent, a move out of one too. None: everything.
	Companies []int64
	// ExceptOrigins are origins whose changes are not sent: a system names its own.
	ExceptOrigins []string
	State         WebhookState
	PauseReason   string // why it is paused
	Secrets       []WebhookSecret
	CreatedAt     time.Time
	UpdatedAt     time.Time
	Version       int64

	// The progress.
	Position int64
	// ReplayFrom to ReplayTo are positions that are sent once more; 0 and 0 for none.
	ReplayFrom, ReplayTo int64
	Failures             int       // in a row, without a success between
	FailingSince         time.Time // the first of them; zero while it works
	NextAt               time.Time // nothing is sent before; zero for at once
	LastError            string
	LastStatus           int // of the last answer; 0 for none
	LastSuccess          time.Time
	LeaseOwner           string
	LeaseUntil           time.Time
	Fence                int64
}

// WebhookState says whether an endpoint is sent anything.
type WebhookState string

// The states of an endpoint.
const (
	WebhookActive WebhookState = "active"
	// WebhookPaused is one that nothing is sent to, because somebody said so or
	// because it was dead for WebhookPatience. Nothing is lost: it goes on where it
	// stopped.
	WebhookPaused WebhookState = "paused"
)

// WebhookSecret signs deliveries (Standard Webhooks). Several at once let a
// receiver change over.
type WebhookSecret struct {
	ID        string
	Sealed    []byte
	CreatedAt time.Time
}

// The bounds of endpoints.
const (
	MaxWebhooks        = 100 // of a tenant
	MaxWebhookSecrets  = 5
	MaxWebhookURL      = 2048
	MaxWebhookFilters  = 100 // entries of each of Types, Companies and ExceptOrigins, of an EventQuery too
	MaxDeliveriesWaits = 10_000
)

// WebhookPatience is how long an endpoint that takes nothing is tried before it
// is paused, and WebhookAttempts how often an event is tried that it refuses
// before it is dead: at the times that Standard Webhooks recommends, which end
// after three days (retryWaits).
const (
	WebhookPatience = 72 * time.Hour
	WebhookAttempts = 10
)

// MaxWebhookLease is the longest that an endpoint is leased for, and
// MaxWebhookWait the longest that it, or a delivery, waits. What ends later than
// that was written while a clock was ahead.
const (
	MaxWebhookLease = time.Hour
	MaxWebhookWait  = 27 * time.Hour
)

// DeliveryState is where an event stands that could not be delivered at once.
type DeliveryState string

// The states of deliveries. What is delivered or dropped has no row.
const (
	DeliveryWaiting DeliveryState = "waiting" // for its next try, or for one of the same user before it
	DeliveryDead    DeliveryState = "dead"    // given up, until somebody retries or drops it
)

// Delivery is an event that an endpoint has not taken yet.
type Delivery struct {
	Tenant   TenantNo
	Webhook  string
	Position int64 // of the event: with Webhook, the key
	Event    string
	Type     EventType
	User     int64 // what is sent in order; 0 is an order of its own
	State    DeliveryState
	Attempts int
	// NextAt is not before; zero for one that waits for an earlier one of the same
	// user, and for a dead one. LastError and LastStatus are of the last try.
	NextAt     time.Time
	LastError  string
	LastStatus int
	CreatedAt  time.Time
}

// Message is one event on its way to an endpoint. Test marks one that no change
// made.
type Message struct {
	Webhook Webhook
	Event   Event
	Secrets []Secret // unsealed, "whsec_" and base64
	Test    bool
	Replay  bool
}

// Receipt is what became of a try.
type Receipt struct {
	Status int // of the answer; 0 for none
	// Delivered says that the endpoint has taken it, with a status of 2xx. Gone says
	// that it wants no more (410).
	Delivered, Gone bool
	// Down says that the failure is the endpoint's and not the event's: it cannot be
	// reached, does not answer in time, or answers 429, 502, 503 or 504.
	Down bool
	// RetryAfter is how long the endpoint asked to be left alone; 0 for nothing.
	RetryAfter time.Duration
	// Error says what went wrong, without anything of the answer's body.
	Error    string
	Duration time.Duration
}

// Courier sends messages: package webhook.
type Courier interface {
	// Send tries once. It answers within its own time limit.
	Send(ctx context.Context, m *Message) Receipt
	// Check refuses a URL to which nothing may be sent, with a text for people.
	Check(url string) error
}

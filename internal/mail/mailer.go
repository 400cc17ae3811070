package mail

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Transport takes a message to where it is delivered. Send may be called by
// several goroutines at once. It returns an *Error.
type Transport interface {
	Send(ctx context.Context, m *Message) error
}

// Mailer renders messages and sends them.
type Mailer struct {
	renderer  *Renderer
	transport Transport
	now       func() time.Time
}

// NewMailer makes a Mailer; now is the clock, time.Now but in tests.
func NewMailer(renderer *Renderer, transport Transport, now func() time.Time) *Mailer {
	return &Mailer{renderer: renderer, transport: transport, now: now}
}

// Deliver sends one message. id makes it recognisable when it is sent twice,
// and asked is when it was asked for. A message whose link or password has
// ended meanwhile is not sent: it would only mislead.
func (d *Mailer) Deliver(ctx context.Context, m directory.Mail, id string, asked time.Time) error {
	if !m.Expires.IsZero() && !d.now().Before(m.Expires) {
		return permanent("the link or the password in the message has ended")
	}
	message, err := d.renderer.Render(m, id, asked)
	if err != nil {
		return err
	}
	return d.transport.Send(ctx, message)
}

package client

import (
	"context"
	"time"
)

// WithoutWaiting makes pauses of no length, half of the drawn part each, and tells
// how long they would have been.
func WithoutWaiting(paused func(time.Duration)) Option {
	return func(c *Client) {
		c.retry.random = func() float64 { return 0.5 }
		c.retry.wait = func(_ context.Context, d time.Duration) error {
			paused(d)
			return nil
		}
	}
}

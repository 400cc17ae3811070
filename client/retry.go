package client

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// retryPolicy says when a call is sent again.
type retryPolicy struct {
	attempts int
	first    time.Duration // the longest first pause; each further one is twice as long
	longest  time.Duration // no pause is longer
	wait     func(context.Context, time.Duration) error
	random   func() float64 // from 0 up to 1
	now      func() time.Time
}

func defaultRetry() retryPolicy {
	return retryPolicy{attempts: 4, first: 250 * time.Millisecond, longest: time.Minute, wait: wait, random: rand.Float64, now: time.Now}
}

// wait waits, or returns the context's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause is how long to wait before the attempt after number n, counted from 1, and
// whether to make one at all. Half of the pause is drawn, so that clients that were
// refused together do not come back together; what the server asks for is the least.
func (p *retryPolicy) pause(ctx context.Context, n int, asked time.Duration) (time.Duration, bool) {
	if n >= p.attempts || asked > p.longest {
		return 0, false
	}
	grown := min(p.longest, p.first<<min(n-1, 10))
	d := asked + grown/2 + time.Duration(p.random()*float64(grown/2))
	if asked > 0 {
		d = asked + time.Duration(p.random()*float64(p.first))
	}
	until, bounded := ctx.Deadline()
	return d, !bounded || p.now().Add(d).Before(until)
}

// busy reports whether a refusal is of the moment: the server is busy, or still
// works on an earlier attempt of the same creation. A setting that it lacks it lacks
// the next time too.
func busy(e *Error) bool {
	if e.Reason == "audit.no_key" || e.Reason == "secret_key.missing" {
		return false
	}
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable || e.Reason == "idempotency.in_progress"
}

// broken reports whether an error is of the connection and may go away. A server
// that is not who it should be stays so.
func broken(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, ErrAnswerTooLarge) {
		return false
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return !untrusted
}

// retryAfter reads Retry-After: seconds or a date (RFC 9110 section 10.2.3); 0 for
// none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(n)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// retryDelay is how long a refusal asks to wait.
func retryDelay(e *Error) time.Duration {
	if e == nil {
		return 0
	}
	return e.RetryAfter
}

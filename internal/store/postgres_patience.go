package store

import (
	"context"
	"errors"
	"time"
)

// A database that does not answer, because somebody holds a lock on a table or the
// network swallows what is sent, must not keep requests for ever: they would gather
// until the memory is gone. So what is fast by construction is waited for within
// Options.Patience, and then the caller may try again.

// patient is a context for a step that is fast by construction. A caller who hangs up
// does not end it: that would cost a connection each time, and whoever hangs up often
// would leave none for others. A caller's own deadline does.
func patient(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	end := time.Now().Add(within)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}

// lateness is the answer to a caller whose statement took too long, unless it was the
// caller's own deadline that passed.
func lateness(ctx context.Context, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if deadline, ok := ctx.Deadline(); !ok || time.Now().Before(deadline) {
		return busy(err)
	}
	return err
}

// wait is the answer to a caller for whom no connection was free, or none answered.
func wait(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return busy(err)
	}
	return answerOf(ctx, err)
}

// guard ends a context when a step takes too long.
type guard struct {
	timer  *time.Timer // nil for none
	within time.Duration
	cancel context.CancelFunc
}

// endAfter is a context that ends after a time, unless its guard rests by then; 0 is
// never.
func endAfter(ctx context.Context, within time.Duration) (context.Context, *guard) {
	if within == 0 {
		return ctx, &guard{cancel: func() {}}
	}
	ctx, cancel := context.WithCancel(ctx)
	return ctx, &guard{time.AfterFunc(within, cancel), within, cancel}
}

// steady is endAfter for a transaction, which a caller who hangs up does not end: its
// statements look for themselves whether somebody still waits for them. Ending it
// would cost its connection.
func steady(ctx context.Context, within time.Duration) (context.Context, *guard) {
	if within > 0 {
		ctx = context.WithoutCancel(ctx)
	}
	return endAfter(ctx, within)
}

// rest lets the next steps take as long as they want.
func (g *guard) rest() {
	if g.timer != nil {
		g.timer.Stop()
	}
}

// again bounds the next step.
func (g *guard) again() {
	if g.timer != nil {
		g.timer.Reset(g.within)
	}
}

// stop ends the context.
func (g *guard) stop() {
	g.rest()
	g.cancel()
}

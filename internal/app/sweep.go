package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-id/usher/internal/directory"
)

// sweepInterval is how often a server removes what has ended. Rows stay a day
// and longer anyway (directory.Sweep), so that it matters to nobody when.
const sweepInterval = time.Hour

// sweep removes what has ended, at once and then every hour, until ctx is done.
// Several servers on one database may do so at the same time.
func (a *App) sweep(ctx context.Context) {
	swept := a.metrics.sweeps()
	every(ctx, sweepInterval, func() {
		n, err := a.service.Sweep(ctx, directory.System(0, "sweep"))
		swept.Add(float64(n))
		if n > 0 {
			a.log.Info("removed what had ended", "rows", n)
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn("what has ended cannot be removed, and will be in an hour", "error", err)
		}
	})
}

// every calls fn at once and then in intervals, until ctx is done.
func every(ctx context.Context, interval time.Duration, fn func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		fn()
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// sweeps counts what sweeps remove.
func (m *metrics) sweeps() prometheus.Counter {
	swept := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "usher_swept_rows_total",
		Help: "Rows removed because they had ended: tokens, impersonations, jobs, signing keys.",
	})
	m.registry.MustRegister(swept)
	return swept
}

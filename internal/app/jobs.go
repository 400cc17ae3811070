package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/job"
)

const (
	// dailyInterval is how often jobs are looked for that come day by day: nobody
	// waits for them.
	dailyInterval = 15 * time.Second
	// dailyTimeout bounds one go of them. What is done by then stays done.
	dailyTimeout = 30 * time.Minute
	// ensureInterval is how often a server looks whether every tenant has the jobs
	// that it must have.
	ensureInterval = time.Hour
)

// openJobs makes the runners of the jobs that are not mail, and gives each tenant
// those that it must have.
func (a *App) openJobs(ctx context.Context) error {
	system := func() *directory.Call { return directory.System(0, "jobs") }
	if err := a.service.EnsureJobs(ctx, system()); err != nil {
		return err
	}
	a.inBackground(func(ctx context.Context) error {
		every(ctx, ensureInterval, func() {
			if err := a.service.EnsureJobs(ctx, system()); err != nil && ctx.Err() == nil {
				a.log.Warn("whether every tenant has its jobs cannot be seen, and will be in an hour", "error", err)
			}
		})
		return nil
	})
	a.runJobs(directory.JobExpiry, func(ctx context.Context, j directory.Job) error { return a.service.Expire(ctx, system(), j) }, job.Options{})
	daily := job.Options{Interval: dailyInterval, Workers: 1, Timeout: dailyTimeout}
	a.runJobs(directory.JobRecycle, func(ctx context.Context, j directory.Job) error { return a.service.Recycle(ctx, system(), j) }, daily)
	a.runJobs(directory.JobRetention, func(ctx context.Context, j directory.Job) error { return a.service.Trim(ctx, system(), j) }, daily)
	a.openBulk()
	return nil
}

// runJobs does the jobs of a kind while the server runs.
func (a *App) runJobs(kind directory.JobKind, handle job.Handler, o job.Options) {
	if a.observeJob == nil {
		a.observeJob = a.metrics.jobs()
	}
	o.Owner = leaseOwner()
	o.Grace, o.Logger, o.Observe = a.cfg.ShutdownTimeout, a.log, a.observeJob
	runner := job.New(a.service, kind, handle, o)
	a.runners = append(a.runners, runner)
	a.inBackground(func(ctx context.Context) error {
		runner.Run(ctx)
		return nil
	})
}

// wakeJobs makes the runners look for jobs at once.
func (a *App) wakeJobs() {
	for _, runner := range a.runners {
		runner.Wake()
	}
}

// jobs counts tries of jobs by kind and outcome.
func (m *metrics) jobs() func(directory.JobKind, job.Outcome) {
	tries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "usher_jobs_total",
		Help: "Tries of background jobs, by kind and outcome.",
	}, []string{"kind", "outcome"})
	m.registry.MustRegister(tries)
	for _, kind := range directory.JobKinds() { // a rate needs the zeros too
		for _, outcome := range job.Outcomes() {
			tries.WithLabelValues(string(kind), string(outcome))
		}
	}
	return func(kind directory.JobKind, outcome job.Outcome) {
		tries.WithLabelValues(string(kind), string(outcome)).Inc()
	}
}

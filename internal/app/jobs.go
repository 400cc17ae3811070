package app

import "context"

// openJobs makes the runners of the jobs that are not mail.
func (a *App) openJobs(context.Context) error { return nil }

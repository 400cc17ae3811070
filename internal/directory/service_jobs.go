package directory

import "context"

// JobQuery selects jobs of the caller's tenant.
type JobQuery struct {
	Kind   JobKind  // "": all
	State  JobState // "": all
	User   UserRef  // the zero value: all
	Cursor string
	Limit  int
}

// JobPage is one page of jobs, the newest first, without payloads.
type JobPage struct {
	Jobs []Job
	Next string // cursor; "" at the end
}

// Jobs lists jobs. Errors: invalid, cursor.invalid, cursor.expired.
func (s *Service) Jobs(ctx context.Context, call *Call, q JobQuery) (JobPage, error) { panic("Jobs") }

// Job reads one job. Errors: job.not_found.
func (s *Service) Job(ctx context.Context, call *Call, id string) (Job, error) { panic("Job") }

// RedoJob makes a job due at once: one that waits, has failed or was cancelled.
// Errors: job.not_found; job.closed when it is done or what it needs is erased;
// job.running.
func (s *Service) RedoJob(ctx context.Context, call *Call, id string) (Job, error) { panic("RedoJob") }

// CancelJob ends a job that waits. Those that never end cannot be cancelled.
// Errors: job.not_found, job.closed, job.running, job.permanent.
func (s *Service) CancelJob(ctx context.Context, call *Call, id string) (Job, error) {
	panic("CancelJob")
}

// Expire does a job of the kind expiry: it moves the user's state if a date has
// come. Only the server itself can. Errors: those of Activate and Deactivate.
func (s *Service) Expire(ctx context.Context, call *Call, job Job) error { panic("Expire") }

// Recycle does a job of the kind recycle and Trim one of the kind retention. Only
// the server itself can. Both answer an error with a method Again, which says when
// the job is due the next time, when all is done.
func (s *Service) Recycle(ctx context.Context, call *Call, job Job) error { panic("Recycle") }

// Trim does a job of the kind retention.
func (s *Service) Trim(ctx context.Context, call *Call, job Job) error { panic("Trim") }

// EnsureJobs writes the jobs that every tenant has and that never end, where one
// is missing. Only the server itself can.
func (s *Service) EnsureJobs(ctx context.Context, call *Call) error { panic("EnsureJobs") }

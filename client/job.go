package client

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// The states of a job.
const (
	JobWaiting   = "waiting"
	JobRunning   = "running"
	JobDone      = "done"
	JobFailed    = "failed" // given up after all attempts
	JobCancelled = "cancelled"
)

// Job is work that the server does beside the requests.
type Job struct {
	ID        string    `json:"id"`   // UUID
	Kind      string    `json:"kind"` // "mail", "expiry", "recycle", "retention"; an open set
	State     string    `json:"state"`
	User      int64     `json:"user"`   // number of the user it is about; 0 for none
	RunAt     time.Time `json:"run_at"` // not done before
	Attempts  int64     `json:"attempts"`
	LastError string    `json:"last_error"`
	CreatedAt time.Time `json:"created_at"`
	ClosedAt  time.Time `json:"closed_at"` // zero while it waits or runs
}

// JobQuery selects jobs; the zero value is all.
type JobQuery struct {
	PageQuery
	Kind  string
	State string // one of the Job constants
	User  string // id of a user
}

// JobService is the jobs of the tenant.
type JobService struct{ c *Client }

// List reads a page of jobs, the newest first.
func (s *JobService) List(ctx context.Context, q JobQuery, options ...CallOption) (*Page[Job], error) {
	return read[Page[Job]](ctx, s.c, path("jobs"), query{}.page(q.PageQuery).text("kind", q.Kind).text("state", q.State).text("user", q.User), options)
}

// All goes over the jobs of all pages.
func (s *JobService) All(ctx context.Context, q JobQuery, options ...CallOption) iter.Seq2[Job, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Job], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// Get reads a job.
func (s *JobService) Get(ctx context.Context, id string, options ...CallOption) (*Job, error) {
	return read[Job](ctx, s.c, path("jobs", id), nil, options)
}

// Retry makes a job due at once: one that waits, has failed or was cancelled.
func (s *JobService) Retry(ctx context.Context, id string, options ...CallOption) (*Job, error) {
	return write[Job](ctx, s.c, &request{method: http.MethodPost, path: path("jobs", id, "retry")}, options)
}

// Cancel ends a job that waits.
func (s *JobService) Cancel(ctx context.Context, id string, options ...CallOption) (*Job, error) {
	return write[Job](ctx, s.c, &request{method: http.MethodPost, path: path("jobs", id, "cancel")}, options)
}

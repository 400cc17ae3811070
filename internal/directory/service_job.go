package directory

import (
	"context"
	"time"
)

// ClaimJobs leases jobs of a kind that are due to an owner, oldest first. Only
// the server itself can.
func (s *Service) ClaimJobs(ctx context.Context, call *Call, kind JobKind, owner string, limit int, lease time.Duration) ([]Job, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return nil, err
	}
	panic("ClaimJobs")
}

// FinishJob notes that a job is done and erases its payload. Errors: job.lost.
func (s *Service) FinishJob(ctx context.Context, call *Call, job Job) error {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return err
	}
	panic("FinishJob")
}

// RetryJob puts a job back until next. Errors: job.lost.
func (s *Service) RetryJob(ctx context.Context, call *Call, job Job, next time.Time, cause string) error {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return err
	}
	panic("RetryJob")
}

// AbandonJob ends a job that cannot be done and erases its payload. Errors:
// job.lost.
func (s *Service) AbandonJob(ctx context.Context, call *Call, job Job, cause string) error {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return err
	}
	panic("AbandonJob")
}

// OpenMail unseals the message that a mail job carries.
func (s *Service) OpenMail(ctx context.Context, call *Call, job Job) (Mail, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Mail{}, err
	}
	panic("OpenMail")
}

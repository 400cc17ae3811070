package directory

import (
	"context"
	"strings"
	"time"
)

// ClaimJobs leases jobs of a kind that are due to an owner, oldest first. Only
// the server itself can. It looks before it writes: servers ask every second.
func (s *Service) ClaimJobs(ctx context.Context, call *Call, kind JobKind, owner string, limit int, lease time.Duration) ([]Job, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return nil, err
	}
	due := false
	err := s.store.Read(ctx, func(r Reader) (err error) {
		due, err = r.JobsDue(ctx, kind, s.now())
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	var jobs []Job
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		now := s.now()
		jobs, err = tx.ClaimJobs(ctx, kind, owner, now, now.Add(min(lease, MaxLease)), limit)
		return err
	})
	return jobs, err
}

// FinishJob notes that a job is done and erases its payload. Errors: job.lost.
func (s *Service) FinishJob(ctx context.Context, call *Call, job Job) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	return s.closeJob(ctx, func(tx Tx) (bool, error) { return tx.CloseJob(ctx, job, JobDone, "", s.now()) })
}

// RetryJob puts a job back until next. Without a cause it has been done, and
// comes again by itself: its attempts are counted from 0. Errors: job.lost.
func (s *Service) RetryJob(ctx context.Context, call *Call, job Job, next time.Time, cause string) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	return s.closeJob(ctx, func(tx Tx) (bool, error) {
		return tx.RetryJob(ctx, job, next.UTC().Truncate(time.Microsecond), causeText(cause))
	})
}

// AbandonJob ends a job that cannot be done. Errors: job.lost.
func (s *Service) AbandonJob(ctx context.Context, call *Call, job Job, cause string) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	return s.closeJob(ctx, func(tx Tx) (bool, error) { return tx.CloseJob(ctx, job, JobFailed, causeText(cause), s.now()) })
}

// OpenMail unseals the message that a mail job carries. Errors:
// secret_key.missing; internal, with a method Permanent, when the key that
// sealed it is not there any more.
func (s *Service) OpenMail(ctx context.Context, call *Call, job Job) (Mail, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return Mail{}, err
	}
	return s.openMail(&job)
}

// closeJob gives up a lease in whatever way note does.
func (s *Service) closeJob(ctx context.Context, note func(tx Tx) (bool, error)) error {
	return s.store.Update(ctx, func(tx Tx) error {
		had, err := note(tx)
		if err == nil && !had {
			err = Wrong(CodeConflict, ReasonJobLost, "The job is done, or another process has it.")
		}
		return err
	})
}

// maxCause is the most bytes of a cause that are kept with a job.
const maxCause = 500

// causeText is a cause as every engine takes it: short UTF-8 without NUL.
func causeText(cause string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(cause[:min(len(cause), maxCause)], ""), "\x00", "")
}

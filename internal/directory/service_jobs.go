package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// JobQuery selects jobs of the caller's tenant.
type JobQuery struct {
	Kind   JobKind  // "": all
	State  JobState // "": all
	User   UserRef  // the zero value: all
	Cursor string
	Limit  int // 1 to MaxLimit
}

// JobPage is one page of jobs, the newest first, without payloads.
type JobPage struct {
	Jobs []Job
	Next string // cursor; "" at the end
}

// jobStates lists the states.
var jobStates = []JobState{JobWaiting, JobRunning, JobDone, JobFailed, JobCancelled}

// check validates the query.
func (q *JobQuery) check() error {
	switch {
	case q.Kind != "" && !slices.Contains(JobKinds(), q.Kind):
		return Invalid("kind", ReasonFieldValue, "There is no such kind of job: use %s.", orList(JobKinds()))
	case q.State != "" && !slices.Contains(jobStates, q.State):
		return Invalid("state", ReasonFieldValue, "A job has no such state: use %s.", orList(jobStates))
	}
	return checkLimit(q.Limit)
}

// orList writes texts as "a, b or c".
func orList[T ~string](texts []T) (out string) {
	for i, text := range texts {
		switch {
		case i > 0 && i == len(texts)-1:
			out += " or "
		case i > 0:
			out += ", "
		}
		out += string(text)
	}
	return out
}

// Jobs lists jobs, the newest first. A caller that is bound to a company cannot:
// jobs are not kept by company. Errors: invalid, cursor.invalid, cursor.expired,
// user.not_found.
func (s *Service) Jobs(ctx context.Context, call *Call, q JobQuery) (JobPage, error) {
	if err := s.enterWhole(ctx, call, ActReadJobs); err != nil {
		return JobPage{}, err
	}
	if err := q.check(); err != nil {
		return JobPage{}, err
	}
	query := fmt.Sprintf("%s %s %+v", q.Kind, q.State, q.User)
	sel := JobSelection{Kind: q.Kind, State: q.State, Now: s.now(), Limit: q.Limit + 1}
	if q.Cursor != "" {
		at, err := s.openCursor(call, "jobs", query, q.Cursor)
		if err != nil {
			return JobPage{}, err
		}
		sel.BeforeTime, sel.BeforeID = time.UnixMicro(at.Number).UTC(), at.Value
	}
	var jobs []Job
	err := s.store.View(ctx, func(r Reader) error {
		if q.User != (UserRef{}) {
			u, err := lookUp(ctx, r, call.Actor.Tenant, call.own(q.User)) // one in the recycle bin has jobs too
			if err != nil {
				return err
			}
			sel.User = u.Number
		}
		var err error
		jobs, err = r.Jobs(ctx, call.Actor.Tenant, sel)
		return err
	})
	if err != nil || len(jobs) <= q.Limit {
		return JobPage{Jobs: jobs}, err
	}
	jobs = jobs[:q.Limit]
	last := &jobs[len(jobs)-1]
	next, err := s.sealCursor(call, "jobs", query, place{Number: last.CreatedAt.UnixMicro(), Value: last.ID})
	return JobPage{Jobs: jobs, Next: next}, err
}

// Job reads one job, without its payload. Errors: job.not_found.
func (s *Service) Job(ctx context.Context, call *Call, id string) (Job, error) {
	if err := s.enterWhole(ctx, call, ActReadJobs); err != nil {
		return Job{}, err
	}
	var job Job
	err := s.store.Read(ctx, func(r Reader) (err error) {
		job, err = r.Job(ctx, call.Actor.Tenant, id, s.now())
		return err
	})
	job.Payload = nil
	return job, notFound(err, ReasonJobNotFound, noJob)
}

const noJob = "Job not found."

// RedoJob makes a job due at once: one that waits, has failed or was cancelled. One
// for a date that is yet to come waits for it: done before, it would find nothing to
// do, and nobody would come back. Its attempts are counted from 0. Errors: job.not_found; job.closed when it is
// done or what it needs is erased; job.running.
func (s *Service) RedoJob(ctx context.Context, call *Call, id string) (Job, error) {
	if err := s.enterWhole(ctx, call, ActJobs); err != nil {
		return Job{}, err
	}
	job, err := s.steer(ctx, call, id, EventJobReopened, func(tx Tx, j *Job) (bool, error) {
		if j.State == JobDone || needsPayload(j) {
			return false, Wrong(CodeConflict, ReasonJobClosed, "The job is done, or what it needs is erased.")
		}
		return tx.ReopenJob(ctx, j.Tenant, j.ID, s.redoAt(j), JobWaiting, JobFailed, JobCancelled)
	})
	call.jobs = true
	s.jobsAdded(call, err)
	return job, err
}

// redoAt is when a job that is done again is due: now, or the date that it is for.
// Of one that was tried the date has come, and what it waits for is another try.
func (s *Service) redoAt(j *Job) time.Time {
	now := s.now()
	if j.Kind == JobExpiry && j.Attempts == 0 && j.RunAt.After(now) {
		return j.RunAt
	}
	return now
}

// needsPayload reports that a job cannot be done, because its payload is erased.
func needsPayload(j *Job) bool { return j.Kind == JobMail && len(j.Payload) == 0 }

// permanent reports whether a kind of job comes again by itself, without end.
func (k JobKind) permanent() bool { return k == JobRecycle || k == JobRetention }

// CancelJob ends a job that waits. Those that never end cannot be cancelled.
// Errors: job.not_found, job.closed, job.running, job.permanent.
func (s *Service) CancelJob(ctx context.Context, call *Call, id string) (Job, error) {
	if err := s.enterWhole(ctx, call, ActJobs); err != nil {
		return Job{}, err
	}
	return s.steer(ctx, call, id, EventJobCancelled, func(tx Tx, j *Job) (bool, error) {
		switch {
		case j.Kind.permanent():
			return false, Wrong(CodeConflict, ReasonJobPermanent, "This job comes again by itself: change the tenant's settings instead.")
		case j.State != JobWaiting:
			return false, Wrong(CodeConflict, ReasonJobClosed, "The job is closed: it is %s.", j.State)
		}
		return tx.EndJob(ctx, j.Tenant, j.ID, JobCancelled, s.now())
	})
}

// steer changes the state of a job that nobody is doing, and returns it without
// its payload as it is then. move reports whether it still could.
func (s *Service) steer(ctx context.Context, call *Call, id string, event EventType, move func(tx Tx, j *Job) (bool, error)) (Job, error) {
	var result Job
	err := s.store.Update(ctx, func(tx Tx) error {
		before, err := tx.Job(ctx, call.Actor.Tenant, id, s.now())
		if err != nil {
			return notFound(err, ReasonJobNotFound, noJob)
		}
		moved := false
		if before.State != JobRunning {
			if moved, err = move(tx, &before); err != nil {
				return err
			}
		}
		if !moved { // or another process began between the look and the change
			return Wrong(CodeConflict, ReasonJobRunning, "A process is doing the job at this moment.")
		}
		after, err := tx.Job(ctx, call.Actor.Tenant, id, s.now())
		if err != nil {
			return err
		}
		on, err := aboutJob(ctx, tx, &after)
		if err != nil {
			return err
		}
		var diff changes
		diff.named("kind", "", string(after.Kind))
		diff.named("state", string(before.State), string(after.State))
		result = after
		return s.record(ctx, tx, call, event, on, "job:"+id, &diff)
	})
	call.Changed = err == nil
	result.Payload = nil
	return result, err
}

// aboutJob is the topic of what happens to a job: the user that it is about.
func aboutJob(ctx context.Context, r Reader, j *Job) (topic, error) {
	if j.User == 0 {
		return topic{}, nil
	}
	u, err := r.UserByNumber(ctx, j.Tenant, j.User)
	if errors.Is(err, ErrNotFound) {
		return topic{user: j.User}, nil
	}
	return onUser(&u), err
}

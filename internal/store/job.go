package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// jobStates are the stored codes of states. That a job runs is no state of its
// own: it is open, and somebody has a lease on it.
var jobStates = map[directory.JobState]int64{
	directory.JobWaiting: 0, directory.JobRunning: 0, directory.JobDone: 1, directory.JobFailed: 2, directory.JobCancelled: 3,
}

// closedJobStates are the states of closed jobs by their codes less 1.
var closedJobStates = [...]directory.JobState{directory.JobDone, directory.JobFailed, directory.JobCancelled}

// InsertJob implements directory.JobWriter. An id that is taken, by a closed
// job too, is ErrDuplicate.
func (t *tx) InsertJob(ctx context.Context, j directory.Job) error {
	return t.insert(ctx, `INSERT INTO jobs (tenant, id, kind, number, state, run_at, attempts, lease_owner, lease_until, payload, result, created_at, closed_at)
		VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, '', $10, $11) ON CONFLICT DO NOTHING`,
		int64(j.Tenant), j.ID, string(j.Kind), j.User, micros(j.RunAt), int64(j.Attempts), j.LeaseOwner, micros(j.LeaseUntil),
		bytesOf(j.Payload), micros(j.CreatedAt), noTime)
}

// What is due. A clock that was ahead for a while leaves leases and pauses that
// end far in the future: those that are longer than any can be are none. A job
// that nobody has tried yet may well be for next year.
const (
	dueJobs = ` FROM jobs j WHERE j.state = 0 AND j.kind = $1 AND j.run_at <= $2 AND (j.lease_until <= $2 OR j.lease_until > $3)`
	// $4 or $7, which is the latest time that a pause can end.
	strayJobs     = ` FROM jobs j WHERE j.state = 0 AND j.kind = $1 AND j.attempts > 0 AND (j.lease_until <= $2 OR j.lease_until > $3) AND j.run_at > `
	oldestJobs    = ` ORDER BY j.run_at, j.id LIMIT $4`
	jobKey        = `SELECT j.tenant AS due_tenant, j.id AS due_id`
	jobsToDoSQL   = `SELECT 1` + dueJobs + ` UNION ALL SELECT 1` + strayJobs + `$4 LIMIT 1`
	claimDueSQL   = jobKey + dueJobs + oldestJobs
	claimStraySQL = jobKey + strayJobs + `$7` + oldestJobs
	takeJobsSQL   = `) UPDATE jobs SET lease_owner = $5, lease_until = $6, attempts = attempts + 1 FROM due
		WHERE tenant = due_tenant AND id = due_id
		RETURNING ` + jobColumns + `, payload` + jobOutcome
)

// farLease and farPause are what no lease and no pause reaches.
func farLease(now time.Time) int64 { return micros(now.Add(directory.MaxLease)) }
func farPause(now time.Time) int64 { return micros(now.Add(directory.MaxJobPause)) }

// leasedAt reports whether somebody has a job: it is what dueJobs leaves out.
func leasedAt(until, now time.Time) bool {
	return until.After(now) && !until.After(now.Add(directory.MaxLease))
}

// The columns of a job as scanJob reads them.
const (
	jobColumns   = "tenant, id, kind, number, state, run_at, attempts, lease_owner, lease_until"
	jobOutcome   = ", result, created_at, closed_at"
	selectJobSQL = "SELECT " + jobColumns + ", payload" + jobOutcome + " FROM jobs WHERE tenant = $1 AND id = $2"
)

// scanJob reads a row of a job, with or without the payload.
func scanJob(r *row, now time.Time, payload bool) directory.Job {
	j := directory.Job{Tenant: directory.TenantNo(r.int()), ID: r.text(), Kind: directory.JobKind(r.text()), User: r.int()}
	state := r.int()
	j.RunAt, j.Attempts, j.LeaseOwner, j.LeaseUntil = r.time(), int(r.int()), r.text(), r.time()
	if payload {
		j.Payload = r.blob()
	}
	j.LastError, j.CreatedAt, j.ClosedAt = r.text(), r.time(), r.time()
	switch {
	case state > 0 && state <= int64(len(closedJobStates)):
		j.State = closedJobStates[state-1]
	case leasedAt(j.LeaseUntil, now):
		j.State = directory.JobRunning
	default:
		j.State = directory.JobWaiting
	}
	return j
}

// JobsDue implements directory.JobReader.
func (r *reader) JobsDue(ctx context.Context, kind directory.JobKind, now time.Time) (bool, error) {
	due := false
	err := r.q.query(ctx, jobsToDoSQL, []any{string(kind), micros(now), farLease(now), farPause(now)}, func(*row) { due = true })
	return due, err
}

// ClaimJobs implements directory.JobWriter. It names the jobs first, each locked
// for the claimer, and takes what it has locked: in one condition the database
// might look for them twice.
func (t *tx) ClaimJobs(ctx context.Context, kind directory.JobKind, owner string, now, until time.Time, limit int) ([]directory.Job, error) {
	var list []directory.Job
	take := func(sql string, more ...any) error {
		params := append([]any{string(kind), micros(now), farLease(now), int64(max(limit-len(list), 0)), owner, micros(until)}, more...)
		return t.q.query(ctx, "WITH due AS MATERIALIZED ("+sql+t.e.claim+takeJobsSQL, params, func(r *row) { list = append(list, scanJob(r, now, true)) })
	}
	if err := take(claimDueSQL); err != nil {
		return nil, err
	}
	if len(list) < limit {
		if err := take(claimStraySQL, farPause(now)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b directory.Job) int { return cmp.Or(a.RunAt.Compare(b.RunAt), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// Job implements directory.JobReader.
func (r *reader) Job(ctx context.Context, t directory.TenantNo, id string, now time.Time) (directory.Job, error) {
	var j directory.Job
	err := r.one(ctx, selectJobSQL, []any{int64(t), id}, func(row *row) { j = scanJob(row, now, true) })
	return j, err
}

// Jobs implements directory.JobReader. Those of a user, which are few, are found
// by the user and sorted; all others are walked in order.
func (r *reader) Jobs(ctx context.Context, t directory.TenantNo, q directory.JobSelection) ([]directory.Job, error) {
	if q.Limit <= 0 {
		return nil, nil
	}
	a := args{}
	sql, from := "", "jobs"
	where := " WHERE tenant = " + a.add(int64(t))
	if q.User != 0 {
		// Not number = user, from which SQLite concludes that number <> 0 says
		// something of the user, and does not see the index.
		user := a.add(q.User)
		sql, from = "WITH theirs AS MATERIALIZED (SELECT * FROM jobs"+where+" AND number BETWEEN "+user+" AND "+user+" AND number <> 0) ", "theirs s"
	}
	if q.Kind != "" {
		where += " AND kind = " + a.add(string(q.Kind))
	}
	if q.State != "" {
		where += " AND state = " + a.add(jobStates[q.State])
	}
	switch q.State {
	case directory.JobRunning:
		where += " AND lease_until > " + a.add(micros(q.Now)) + " AND lease_until <= " + a.add(farLease(q.Now))
	case directory.JobWaiting:
		where += " AND (lease_until <= " + a.add(micros(q.Now)) + " OR lease_until > " + a.add(farLease(q.Now)) + ")"
	}
	if !q.BeforeTime.IsZero() || q.BeforeID != "" {
		where += " AND (created_at, id) < (" + a.add(micros(q.BeforeTime)) + ", " + a.add(q.BeforeID) + ")"
	}
	sql += "SELECT " + jobColumns + jobOutcome + " FROM " + from + where + " ORDER BY created_at DESC, id DESC LIMIT " + a.add(int64(q.Limit))
	var list []directory.Job
	err := r.q.query(ctx, sql, a.list, func(row *row) { list = append(list, scanJob(row, q.Now, false)) })
	return list, err
}

// leased is the condition that a job is open and that the lease is the one
// with which it was claimed: the same owner may have claimed it again since,
// and its attempts may have been counted anew.
const leased = " WHERE tenant = $1 AND id = $2 AND state = 0 AND lease_owner = $3 AND attempts = $4 AND lease_until = $5"

func leaseOf(j *directory.Job) []any {
	return []any{int64(j.Tenant), j.ID, j.LeaseOwner, int64(j.Attempts), micros(j.LeaseUntil)}
}

// CloseJob implements directory.JobWriter.
func (t *tx) CloseJob(ctx context.Context, j directory.Job, state directory.JobState, cause string, now time.Time) (bool, error) {
	set, params := "state = $6, result = $7, closed_at = $8, lease_owner = '', lease_until = $9",
		append(leaseOf(&j), jobStates[state], cause, micros(now), noTime)
	if state == directory.JobDone {
		set, params = set+", payload = $10", append(params, []byte{})
	}
	n, err := t.q.exec(ctx, "UPDATE jobs SET "+set+leased, params...)
	return n > 0, err
}

// RetryJob implements directory.JobWriter.
func (t *tx) RetryJob(ctx context.Context, j directory.Job, then time.Time, cause string) (bool, error) {
	attempts := int64(j.Attempts)
	if cause == "" {
		attempts = 0
	}
	n, err := t.q.exec(ctx, "UPDATE jobs SET run_at = $6, result = $7, attempts = $8, lease_owner = '', lease_until = $9"+leased,
		append(leaseOf(&j), micros(then), cause, attempts, noTime)...)
	return n > 0, err
}

// ReopenJob implements directory.JobWriter.
func (t *tx) ReopenJob(ctx context.Context, no directory.TenantNo, id string, then time.Time, states ...directory.JobState) (bool, error) {
	a := args{}
	sql := "UPDATE jobs SET state = 0, run_at = " + a.add(micros(then)) + ", attempts = 0, lease_owner = '', lease_until = " + a.add(noTime) +
		", closed_at = " + a.add(noTime) + " WHERE tenant = " + a.add(int64(no)) + " AND id = " + a.add(id) + " AND (1 = 0"
	now, far := a.add(micros(then)), a.add(farLease(then))
	free := "(lease_until <= " + now + " OR lease_until > " + far + ")"
	for _, state := range states {
		sql += " OR state = " + a.add(jobStates[state])
		switch state {
		case directory.JobWaiting:
			sql += " AND " + free
		case directory.JobRunning:
			sql += " AND NOT " + free
		}
	}
	if !slices.Contains(states, directory.JobWaiting) && !slices.Contains(states, directory.JobRunning) {
		sql += " OR 1 = 0 AND " + free // each parameter must be used
	}
	n, err := t.q.exec(ctx, sql+")", a.list...)
	return n > 0, err
}

// EndJob implements directory.JobWriter.
func (t *tx) EndJob(ctx context.Context, no directory.TenantNo, id string, state directory.JobState, now time.Time) (bool, error) {
	n, err := t.q.exec(ctx, `UPDATE jobs SET state = $3, closed_at = $4, lease_owner = ''
		WHERE tenant = $1 AND id = $2 AND state = 0 AND (lease_until <= $4 OR lease_until > $5)`,
		int64(no), id, jobStates[state], micros(now), farLease(now))
	return n > 0, err
}

// endJobsOf cancels what is to be done about a user that is being erased, and
// forgets of what was done whom it was about. When that was is not said: the
// next sweep may remove them.
func (t *tx) endJobsOf(ctx context.Context, u *directory.User) error {
	_, err := t.q.exec(ctx, `UPDATE jobs SET state = CASE WHEN state = 0 THEN 3 ELSE state END, number = 0, payload = $3, result = '', lease_owner = ''
		WHERE tenant = $1 AND number = $2 AND number <> 0`, int64(u.Tenant), u.Number, []byte{})
	return err
}

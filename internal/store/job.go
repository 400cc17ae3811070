package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// InsertJob implements directory.JobWriter. An id that is taken, by a closed
// job too, is ErrDuplicate.
func (t *tx) InsertJob(ctx context.Context, j directory.Job) error {
	return t.insert(ctx, `INSERT INTO jobs (tenant, id, kind, number, state, run_at, attempts, lease_owner, lease_until, payload, result, created_at)
		VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, '', $10) ON CONFLICT DO NOTHING`,
		int64(j.Tenant), j.ID, string(j.Kind), j.User, micros(j.RunAt), int64(j.Attempts), j.LeaseOwner, micros(j.LeaseUntil),
		bytesOf(j.Payload), micros(j.CreatedAt))
}

// A claim names the due jobs first, each locked for the claimer, and takes
// what it has locked: in one condition the database might look for them twice.
const (
	dueJobsSQL = `SELECT j.tenant AS due_tenant, j.id AS due_id FROM jobs j
		WHERE j.state = 0 AND j.kind = $1 AND j.run_at <= $2 AND j.lease_until <= $2 ORDER BY j.run_at, j.id LIMIT $3`
	takeJobsSQL = `) UPDATE jobs SET lease_owner = $4, lease_until = $5, attempts = attempts + 1 FROM due
		WHERE tenant = due_tenant AND id = due_id
		RETURNING tenant, id, kind, number, run_at, attempts, lease_owner, lease_until, payload, created_at`
)

// JobsDue implements directory.JobReader. It finds the first of those that
// ClaimJobs would find.
func (r *reader) JobsDue(ctx context.Context, kind directory.JobKind, now time.Time) (bool, error) {
	due := false
	err := r.q.query(ctx, dueJobsSQL, []any{string(kind), micros(now), int64(1)}, func(*row) { due = true })
	return due, err
}

// ClaimJobs implements directory.JobWriter.
func (t *tx) ClaimJobs(ctx context.Context, kind directory.JobKind, owner string, now, until time.Time, limit int) ([]directory.Job, error) {
	var list []directory.Job
	err := t.q.query(ctx, "WITH due AS MATERIALIZED ("+dueJobsSQL+t.e.claim+takeJobsSQL,
		[]any{string(kind), micros(now), int64(max(limit, 0)), owner, micros(until)}, func(r *row) {
			list = append(list, directory.Job{Tenant: directory.TenantNo(r.int()), ID: r.text(), Kind: directory.JobKind(r.text()),
				User: r.int(), RunAt: r.time(), Attempts: int(r.int()), LeaseOwner: r.text(), LeaseUntil: r.time(),
				Payload: r.blob(), CreatedAt: r.time()})
		})
	slices.SortFunc(list, func(a, b directory.Job) int { return cmp.Or(a.RunAt.Compare(b.RunAt), cmp.Compare(a.ID, b.ID)) })
	return list, err
}

// leased is the condition that a job is open and that the lease is the one
// with which it was claimed: the same owner may have claimed it again since.
const leased = " WHERE tenant = $1 AND id = $2 AND state = 0 AND lease_owner = $3 AND attempts = $4"

// CloseJob implements directory.JobWriter.
func (t *tx) CloseJob(ctx context.Context, j directory.Job, state directory.JobState, result string, now time.Time) (bool, error) {
	n, err := t.q.exec(ctx, "UPDATE jobs SET state = 1, payload = $5, result = $6, lease_owner = ''"+leased,
		int64(j.Tenant), j.ID, j.LeaseOwner, int64(j.Attempts), []byte{}, result)
	return n > 0, err
}

// RetryJob implements directory.JobWriter.
func (t *tx) RetryJob(ctx context.Context, j directory.Job, then time.Time, result string) (bool, error) {
	n, err := t.q.exec(ctx, "UPDATE jobs SET run_at = $5, result = $6, lease_owner = '', lease_until = $7"+leased,
		int64(j.Tenant), j.ID, j.LeaseOwner, int64(j.Attempts), micros(then), result, noTime)
	return n > 0, err
}

// endJobsOf ends what is to be done about a user that is being erased, and
// forgets of what was done whom it was about.
func (t *tx) endJobsOf(ctx context.Context, u *directory.User) error {
	_, err := t.q.exec(ctx, "UPDATE jobs SET state = 1, number = 0, payload = $3, result = '', lease_owner = '' WHERE tenant = $1 AND number = $2 AND number <> 0",
		int64(u.Tenant), u.Number, []byte{})
	return err
}

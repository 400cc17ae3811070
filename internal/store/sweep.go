package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// What a sweep removes: its key, found along an index from the oldest on. A
// DELETE has no LIMIT, and no way to pass over rows that others are using.
const (
	endedTokensSQL         = "SELECT k.hash FROM tokens k WHERE k.expires_at < $1 ORDER BY k.expires_at LIMIT $2"
	endedImpersonationsSQL = "SELECT i.id FROM impersonations i WHERE i.expires_at < $1 ORDER BY i.expires_at LIMIT $2"
	closedJobsSQL          = "SELECT j.tenant AS old_tenant, j.id AS old_id FROM jobs j WHERE j.state <> 0 AND j.closed_at < $1 ORDER BY j.closed_at LIMIT $2"
	oldPayloadsSQL         = "SELECT j.tenant AS old_tenant, j.id AS old_id FROM jobs j WHERE j.state <> 0 AND length(j.payload) > 0 AND j.closed_at < $1 ORDER BY j.closed_at LIMIT $2"
	// A tenant has a key or two: there are not many more rows than tenants, and
	// a walk along the index of tenants meets each once.
	replacedKeysSQL = `SELECT k.id FROM signing_keys k WHERE k.created_at < $1 AND EXISTS (SELECT 1 FROM signing_keys n
		WHERE n.tenant = k.tenant AND n.created_at < $1 AND (n.created_at > k.created_at OR n.created_at = k.created_at AND n.id > k.id))
		ORDER BY k.tenant, k.created_at, k.id LIMIT $2`
)

// sweep removes the rows of a table that a query names.
func (t *tx) sweep(ctx context.Context, remove, ended string, before time.Time, limit int) (int, error) {
	n, err := t.q.exec(ctx, "WITH ended AS MATERIALIZED ("+ended+t.e.claim+") "+remove, micros(before), int64(max(limit, 0)))
	return int(n), err
}

// SweepTokens implements directory.Sweeper.
func (t *tx) SweepTokens(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.sweep(ctx, "DELETE FROM tokens WHERE hash IN (SELECT hash FROM ended)", endedTokensSQL, before, limit)
}

// SweepImpersonations implements directory.Sweeper.
func (t *tx) SweepImpersonations(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.sweep(ctx, "DELETE FROM impersonations WHERE id IN (SELECT id FROM ended)", endedImpersonationsSQL, before, limit)
}

// SweepJobs implements directory.Sweeper.
func (t *tx) SweepJobs(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.sweep(ctx, "DELETE FROM jobs WHERE (tenant, id) IN (SELECT old_tenant, old_id FROM ended)", closedJobsSQL, before, limit)
}

// SweepPayloads implements directory.Sweeper.
func (t *tx) SweepPayloads(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := t.q.exec(ctx, "WITH ended AS MATERIALIZED ("+oldPayloadsSQL+t.e.claim+") UPDATE jobs SET payload = $3 WHERE (tenant, id) IN (SELECT old_tenant, old_id FROM ended)",
		micros(before), int64(max(limit, 0)), []byte{})
	return int(n), err
}

// SweepSigningKeys implements directory.Sweeper.
func (t *tx) SweepSigningKeys(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.sweep(ctx, "DELETE FROM signing_keys WHERE id IN (SELECT id FROM ended)", replacedKeysSQL, before, limit)
}

var _ directory.Sweeper = (*tx)(nil)

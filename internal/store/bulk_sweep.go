package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// What belongs to a run, by its key within it.
const (
	deletePartsSQL    = "DELETE FROM bulk_parts WHERE tenant = $1 AND run = $2 AND part IN (SELECT part FROM bulk_parts WHERE tenant = $1 AND run = $2 ORDER BY part LIMIT $3)"
	deleteSeenSQL     = "DELETE FROM bulk_seen WHERE tenant = $1 AND run = $2 AND number IN (SELECT number FROM bulk_seen WHERE tenant = $1 AND run = $2 ORDER BY number LIMIT $3)"
	deleteVerdictsSQL = "DELETE FROM bulk_verdicts WHERE tenant = $1 AND run = $2 AND first_row IN (SELECT first_row FROM bulk_verdicts WHERE tenant = $1 AND run = $2 ORDER BY first_row LIMIT $3)"
)

// DeleteBulkData implements directory.BulkWriter. What it removes is erased: a
// file brings passwords.
func (t *tx) DeleteBulkData(ctx context.Context, tenant directory.TenantNo, id string, limit int) (int, error) {
	return t.deleteOfRun(ctx, tenant, id, limit, deletePartsSQL, deleteSeenSQL)
}

// deleteOfRun removes at most limit rows of a run.
func (t *tx) deleteOfRun(ctx context.Context, tenant directory.TenantNo, id string, limit int, statements ...string) (int, error) {
	removed := 0
	for _, sql := range statements {
		if removed >= limit {
			break
		}
		n, err := t.q.exec(ctx, sql, int64(tenant), id, int64(limit-removed))
		if err != nil {
			return removed, err
		}
		removed += int(n)
	}
	if removed > 0 {
		t.e.shred()
	}
	return removed, nil
}

// endedRunSQL finds the run that ended first; one that has not ended has noTime.
const endedRunSQL = "SELECT tenant, id FROM bulk_runs WHERE ended_at > $1 AND ended_at < $2 ORDER BY ended_at LIMIT 1"

// SweepBulkRuns implements directory.BulkWriter. A run goes when nothing belongs to
// it any more.
func (t *tx) SweepBulkRuns(ctx context.Context, before time.Time, limit int) (int, error) {
	removed := 0
	for removed < limit {
		var tenant directory.TenantNo
		id := ""
		err := t.q.query(ctx, endedRunSQL+t.e.claim, []any{noTime, micros(before)},
			func(r *row) { tenant, id = directory.TenantNo(r.int()), r.text() })
		if err != nil || id == "" {
			return removed, err
		}
		n, err := t.deleteOfRun(ctx, tenant, id, limit-removed, deletePartsSQL, deleteSeenSQL, deleteVerdictsSQL)
		if removed += n; err != nil || removed >= limit {
			return removed, err
		}
		if err := t.change(ctx, "DELETE FROM bulk_runs WHERE tenant = $1 AND id = $2", int64(tenant), id); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

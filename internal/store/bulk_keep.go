package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// OpenBulkRuns implements directory.BulkKeeper.
func (t *tx) OpenBulkRuns(ctx context.Context, tenant directory.TenantNo) (int64, error) {
	var n int64
	err := t.q.query(ctx, "SELECT count(*) FROM bulk_runs WHERE tenant = $1 AND ended_at = $2", []any{int64(tenant), noTime},
		func(r *row) { n = r.int() })
	return n, err
}

// IdleBulkRuns implements directory.BulkKeeper.
func (t *tx) IdleBulkRuns(ctx context.Context, before time.Time, limit int) ([]directory.BulkRun, error) {
	var list []directory.BulkRun
	err := t.q.query(ctx, "SELECT "+bulkRunColumns+` FROM bulk_runs WHERE ended_at = $1 AND state IN ('open', 'stopped') AND updated_at < $2
		ORDER BY tenant, id LIMIT $3`+t.e.claim, []any{noTime, micros(before), int64(max(limit, 0))},
		func(r *row) { list = append(list, scanBulkRun(r)) })
	return list, err
}

// SweepBulkData implements directory.BulkKeeper.
func (t *tx) SweepBulkData(ctx context.Context, before time.Time, limit int) (int, error) {
	removed := 0
	for removed < limit {
		var tenant directory.TenantNo
		id := ""
		err := t.q.query(ctx, `SELECT b.tenant, b.id FROM bulk_runs b WHERE b.ended_at > $1 AND b.ended_at < $2 AND (
			EXISTS (SELECT 1 FROM bulk_parts p WHERE p.tenant = b.tenant AND p.run = b.id) OR
			EXISTS (SELECT 1 FROM bulk_seen s WHERE s.tenant = b.tenant AND s.run = b.id)) ORDER BY b.ended_at LIMIT 1`+t.e.claim,
			[]any{noTime, micros(before)}, func(r *row) { tenant, id = directory.TenantNo(r.int()), r.text() })
		if err != nil || id == "" {
			return removed, err
		}
		n, err := t.DeleteBulkData(ctx, tenant, id, limit-removed)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// PoolDays implements directory.OverviewReader.
func (r *reader) PoolDays(ctx context.Context, t directory.TenantNo, from int64) ([]directory.PoolDay, error) {
	var list []directory.PoolDay
	err := r.q.query(ctx, "SELECT licence_type, day, used, total FROM pool_days WHERE tenant = $1 AND day >= $2 ORDER BY licence_type, day",
		[]any{int64(t), from}, func(row *row) {
			list = append(list, directory.PoolDay{Type: row.text(), Day: row.int(), Used: row.int(), Total: row.int()})
		})
	return list, err
}

// samplePoolsSQL takes the rows in one order, so that two processes that sample at
// once wait for each other and never in a circle.
const samplePoolsSQL = `INSERT INTO pool_days (tenant, licence_type, day, used, total)
	SELECT p.tenant, p.type, CAST($1 AS BIGINT), CAST(coalesce((SELECT sum(s.used) FROM licence_shards s WHERE s.tenant = p.tenant AND s.type = p.type), 0) AS BIGINT), p.total
	FROM licence_pools p WHERE p.tenant > 0 ORDER BY p.tenant, p.type
	ON CONFLICT (tenant, licence_type, day) DO UPDATE SET used = excluded.used, total = excluded.total`

// SamplePools implements directory.OverviewWriter.
func (t *tx) SamplePools(ctx context.Context, day int64) error {
	_, err := t.q.exec(ctx, samplePoolsSQL, day)
	return err
}

const oldPoolDaysSQL = `SELECT p.tenant AS old_tenant, p.licence_type AS old_type, p.day AS old_day FROM pool_days p WHERE p.day < $1
	ORDER BY p.tenant, p.licence_type, p.day LIMIT $2`

// SweepPoolDays implements directory.OverviewWriter. There is a row for each pool and
// day, so that it looks at all of them.
func (t *tx) SweepPoolDays(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := t.q.exec(ctx, "WITH ended AS MATERIALIZED ("+oldPoolDaysSQL+t.e.claim+
		") DELETE FROM pool_days WHERE (tenant, licence_type, day) IN (SELECT old_tenant, old_type, old_day FROM ended)",
		hourOf(micros(before))/24, int64(max(limit, 0)))
	return int(n), err
}

// EventDays implements directory.OverviewReader.
func (r *reader) EventDays(ctx context.Context, t directory.TenantNo, from int64) ([]directory.EventDay, error) {
	var list []directory.EventDay
	err := r.q.query(ctx, `SELECT hour / 24, CAST(sum(last - first + 1) AS BIGINT) FROM event_hours WHERE tenant = $1 AND hour >= $2
		GROUP BY hour / 24 ORDER BY 1`, []any{int64(t), from * 24}, func(row *row) {
		list = append(list, directory.EventDay{Day: row.int(), Events: row.int()})
	})
	return list, err
}

// CountLocked implements directory.OverviewReader.
func (r *reader) CountLocked(ctx context.Context, t directory.TenantNo, company, limit int64) (int64, error) {
	var n int64
	sql, args := "SELECT 1 FROM users u WHERE u.tenant = $1 AND u.locked <> 0 AND u.state <> $2", []any{int64(t), int64(directory.StateDeleted.Index()), limit}
	if company != 0 {
		sql += " AND EXISTS (SELECT 1 FROM user_company c WHERE c.tenant = u.tenant AND c.state = u.state AND c.ancestor = $4 AND c.number = u.number)"
		args = append(args, company)
	}
	err := r.one(ctx, "SELECT count(*) FROM ("+sql+" LIMIT $3) found", args, func(row *row) { n = row.int() })
	return n, err
}

// CountFailedJobs implements directory.OverviewReader.
func (r *reader) CountFailedJobs(ctx context.Context, t directory.TenantNo, limit int64) (int64, error) {
	var n int64
	err := r.one(ctx, "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE tenant = $1 AND state = $2 LIMIT $3) found",
		[]any{int64(t), jobStates[directory.JobFailed], limit}, func(row *row) { n = row.int() })
	return n, err
}

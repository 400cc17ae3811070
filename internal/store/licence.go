package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// A pool's seats are spread over shards, so that activations on PostgreSQL do
// not all wait for one row. What makes overselling impossible: the totals of
// the shards add up to the pool's, and no shard gives more than its total. In
// which shard a seat is counted means nothing: FreeSeat may find it in another
// after the pool was resized.

const selectPool = `SELECT p.type, p.total, p.version,
	CAST(coalesce((SELECT sum(s.used) FROM licence_shards s WHERE s.tenant = p.tenant AND s.type = p.type), 0) AS BIGINT)
	FROM licence_pools p WHERE p.tenant = $1`

func scanPool(r *row) directory.Pool {
	return directory.Pool{Type: r.text(), Total: r.int(), Version: r.int(), Used: r.int()}
}

// Pool implements directory.LicenceReader.
func (r *reader) Pool(ctx context.Context, t directory.TenantNo, licenceType string) (directory.Pool, error) {
	var p directory.Pool
	err := r.one(ctx, selectPool+" AND p.type = $2", []any{int64(t), licenceType}, func(row *row) { p = scanPool(row) })
	return p, err
}

// Pools implements directory.LicenceReader, in order of type.
func (r *reader) Pools(ctx context.Context, t directory.TenantNo) ([]directory.Pool, error) {
	var list []directory.Pool
	err := r.q.query(ctx, selectPool+" ORDER BY p.type", []any{int64(t)}, func(row *row) { list = append(list, scanPool(row)) })
	return list, err
}

// SetPool implements directory.LicenceWriter.
func (t *tx) SetPool(ctx context.Context, tenant directory.TenantNo, licenceType string, total int64) error {
	// The row of the pool is the lock under which shards come and go.
	_, err := t.q.exec(ctx, `INSERT INTO licence_pools (tenant, type, total, shards) VALUES ($1, $2, $3, 0)
		ON CONFLICT (tenant, type) DO UPDATE SET total = excluded.total,
		version = licence_pools.version + CASE WHEN licence_pools.total <> excluded.total THEN 1 ELSE 0 END`, int64(tenant), licenceType, total)
	if err != nil {
		return err
	}
	return t.spreadPool(ctx, tenant, licenceType, total)
}

// AddPool implements directory.LicenceWriter.
func (t *tx) AddPool(ctx context.Context, tenant directory.TenantNo, licenceType string, total int64) error {
	n, err := t.q.exec(ctx, "INSERT INTO licence_pools (tenant, type, total, shards) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING",
		int64(tenant), licenceType, total)
	if err != nil || n == 0 {
		return err
	}
	return t.spreadPool(ctx, tenant, licenceType, total)
}

// spreadPool distributes a pool, whose row this transaction has locked, over
// its shards.
func (t *tx) spreadPool(ctx context.Context, tenant directory.TenantNo, licenceType string, total int64) error {
	var used []int64
	err := t.q.query(ctx, "SELECT used FROM licence_shards WHERE tenant = $1 AND type = $2 ORDER BY shard"+t.e.lock,
		[]any{int64(tenant), licenceType}, func(r *row) { used = append(used, r.int()) })
	if err != nil {
		return err
	}
	shards := spread(total, used, int(t.e.poolShards(total)))
	for n, s := range shards {
		_, err := t.q.exec(ctx, `INSERT INTO licence_shards (tenant, type, shard, total, used) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant, type, shard) DO UPDATE SET total = excluded.total, used = excluded.used`,
			int64(tenant), licenceType, int64(n), s.total, s.used)
		if err != nil {
			return err
		}
	}
	_, err = t.q.exec(ctx, "DELETE FROM licence_shards WHERE tenant = $1 AND type = $2 AND shard >= $3",
		int64(tenant), licenceType, int64(len(shards)))
	if err != nil {
		return err
	}
	_, err = t.q.exec(ctx, "UPDATE licence_pools SET shards = $3 WHERE tenant = $1 AND type = $2",
		int64(tenant), licenceType, int64(len(shards)))
	return err
}

// shardSeats is one shard of a pool.
type shardSeats struct{ total, used int64 }

// spread distributes a pool over n shards. A pool that has more seats in use
// than it may is kept in one shard whatever n is: only there does the first
// seat become free when enough are.
func spread(total int64, used []int64, n int) []shardSeats {
	var sum int64
	for _, u := range used {
		sum += u
	}
	if sum > total || n < 1 {
		n = 1
	}
	shards := make([]shardSeats, n)
	for i := range shards {
		share := int64(n)
		part := func(all int64) int64 { return all/share + bit(int64(i) < all%share) }
		shards[i].used = part(sum)
		shards[i].total = shards[i].used + part(max(total-sum, 0))
	}
	if sum > total {
		shards[0].total = total
	}
	return shards
}

// TakeSeat implements directory.LicenceWriter.
func (t *tx) TakeSeat(ctx context.Context, tenant directory.TenantNo, licenceType string) (int, error) {
	seat := 0
	err := t.q.query(ctx, `UPDATE licence_shards SET used = used + 1 WHERE tenant = $1 AND type = $2 AND used < total
		AND shard = (SELECT $3 % p.shards FROM licence_pools p WHERE p.tenant = $1 AND p.type = $2 AND p.shards > 0) RETURNING shard`,
		[]any{int64(tenant), licenceType, t.e.shard()}, func(r *row) { seat = int(r.int()) + 1 })
	if err != nil || seat > 0 {
		return seat, err
	}
	return t.anyShard(ctx, tenant, licenceType, "used = used + 1", "used < total")
}

// FreeSeat implements directory.LicenceWriter. The seat of a pool that does
// not exist any more is no error.
func (t *tx) FreeSeat(ctx context.Context, tenant directory.TenantNo, licenceType string, seat int) error {
	n, err := t.changeShard(ctx, tenant, licenceType, int64(seat-1), "used = used - 1", "used > 0")
	if err != nil || n > 0 {
		return err
	}
	_, err = t.anyShard(ctx, tenant, licenceType, "used = used - 1", "used > 0")
	return err
}

// anyShard makes a change of the first shard that a condition allows, and
// returns the shard + 1, or 0. A pool that is resized meanwhile may move seats
// into a shard that was looked at before, so that nobody is refused, and no
// seat is lost, before the shards were looked at under the pool's lock too.
func (t *tx) anyShard(ctx context.Context, tenant directory.TenantNo, licenceType, set, condition string) (int, error) {
	seat, err := t.firstShard(ctx, tenant, licenceType, set, condition)
	if err != nil || seat > 0 {
		return seat, err
	}
	err = t.q.query(ctx, "SELECT total FROM licence_pools WHERE tenant = $1 AND type = $2"+t.e.share,
		[]any{int64(tenant), licenceType}, func(*row) {})
	if err != nil {
		return 0, err
	}
	return t.firstShard(ctx, tenant, licenceType, set, condition)
}

// firstShard reads before it writes: on PostgreSQL an UPDATE that has waited
// for a row keeps its lock even if it then finds that it must not change it,
// and two that walk over full shards would wait for each other.
func (t *tx) firstShard(ctx context.Context, tenant directory.TenantNo, licenceType, set, condition string) (int, error) {
	var shards []int64
	err := t.q.query(ctx, "SELECT shard FROM licence_shards WHERE tenant = $1 AND type = $2 AND "+condition+" ORDER BY shard",
		[]any{int64(tenant), licenceType}, func(r *row) { shards = append(shards, r.int()) })
	if err != nil {
		return 0, err
	}
	for _, shard := range shards {
		if n, err := t.changeShard(ctx, tenant, licenceType, shard, set, condition); err != nil || n > 0 {
			return int(n * (shard + 1)), err
		}
	}
	return 0, nil
}

// changeShard returns 1 if the condition allowed the change of a shard.
func (t *tx) changeShard(ctx context.Context, tenant directory.TenantNo, licenceType string, shard int64, set, condition string) (int64, error) {
	return t.q.exec(ctx, "UPDATE licence_shards SET "+set+" WHERE tenant = $1 AND type = $2 AND shard = $3 AND "+condition,
		int64(tenant), licenceType, shard)
}

package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// TakeSeats implements directory.BulkWriter. As in anyShard, nobody gets fewer
// seats than the pool has because it was resized meanwhile.
func (t *tx) TakeSeats(ctx context.Context, tenant directory.TenantNo, licenceType string, count int) ([]int, error) {
	if count <= 0 {
		return nil, nil
	}
	seats, err := t.seatsOfShards(ctx, tenant, licenceType, make([]int, 0, count), count)
	if err != nil || len(seats) == count {
		return seats, err
	}
	err = t.q.query(ctx, "SELECT total FROM licence_pools WHERE tenant = $1 AND type = $2"+t.e.share,
		[]any{int64(tenant), licenceType}, func(*row) {})
	if err != nil {
		return nil, err
	}
	return t.seatsOfShards(ctx, tenant, licenceType, seats, count)
}

// seatsOfShards takes what is free in the shards, in their order, until there are
// count seats. Full shards are passed over without a lock (see firstShard).
func (t *tx) seatsOfShards(ctx context.Context, tenant directory.TenantNo, licenceType string, seats []int, count int) ([]int, error) {
	var shards []int64
	err := t.q.query(ctx, "SELECT shard FROM licence_shards WHERE tenant = $1 AND type = $2 AND used < total ORDER BY shard",
		[]any{int64(tenant), licenceType}, func(r *row) { shards = append(shards, r.int()) })
	if err != nil {
		return nil, err
	}
	for _, shard := range shards {
		if len(seats) == count {
			break
		}
		n, err := t.seatsOfShard(ctx, tenant, licenceType, shard, int64(count-len(seats)))
		if err != nil {
			return nil, err
		}
		for range n {
			seats = append(seats, int(shard)+1)
		}
	}
	return seats, nil
}

// seatsOfShard takes at most count seats of one shard and returns how many.
func (t *tx) seatsOfShard(ctx context.Context, tenant directory.TenantNo, licenceType string, shard, count int64) (int64, error) {
	var free int64
	err := t.q.query(ctx, "SELECT total - used FROM licence_shards WHERE tenant = $1 AND type = $2 AND shard = $3"+t.e.lock,
		[]any{int64(tenant), licenceType, shard}, func(r *row) { free = r.int() })
	if count = min(count, free); err != nil || count <= 0 {
		return 0, err
	}
	n, err := t.q.exec(ctx, "UPDATE licence_shards SET used = used + $4 WHERE tenant = $1 AND type = $2 AND shard = $3 AND used + $4 <= total",
		int64(tenant), licenceType, shard, count)
	return n * count, err
}

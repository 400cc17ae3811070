package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/usher-id/usher/internal/directory"
)

// selectHead begins a look-up of chain heads, for scanHead.
const selectHead = "SELECT h.tenant, h.position, h.hash, h.epoch, h.base, h.base_hash, coalesce(i.position, 0)" +
	" FROM chain_heads h LEFT JOIN event_index i ON i.tenant = h.tenant"

func scanHead(r *row) directory.ChainHead {
	return directory.ChainHead{Tenant: directory.TenantNo(r.int()), Position: r.int(), Hash: r.blob(), Epoch: r.int(),
		Base: r.int(), BaseHash: r.blob(), Indexed: r.int()}
}

// ChainHead implements directory.EventReader.
func (r *reader) ChainHead(ctx context.Context, t directory.TenantNo) (directory.ChainHead, error) {
	head := directory.ChainHead{Tenant: t}
	err := r.q.query(ctx, selectHead+" WHERE h.tenant = $1", []any{int64(t)}, func(row *row) { head = scanHead(row) })
	return head, err
}

// ChainHeads implements directory.EventReader.
func (r *reader) ChainHeads(ctx context.Context, after directory.TenantNo, limit int) ([]directory.ChainHead, error) {
	var list []directory.ChainHead
	err := r.q.query(ctx, selectHead+" WHERE h.tenant > $1 AND h.position > 0 ORDER BY h.tenant LIMIT $2",
		[]any{int64(after), int64(max(limit, 0))}, func(row *row) { list = append(list, scanHead(row)) })
	return list, err
}

const insertHead = "INSERT INTO chain_heads (tenant, position, hash, epoch, base, base_hash) VALUES ($1, 0, $2, 0, 0, $2) ON CONFLICT (tenant) DO NOTHING"

// lockHead reads the head of a chain and keeps all others from moving the chain's
// ends until the transaction ends, which nobody does without this lock. On SQLite
// the events of the batch are not behind it yet.
func lockHead(ctx context.Context, e *engine, q querier, t directory.TenantNo) (directory.ChainHead, error) {
	for range 2 {
		head, err := headToChange(ctx, q, t, e.lock)
		if err != nil || head.Tenant == t {
			return head, err
		}
		if _, err := q.exec(ctx, insertHead, int64(t), []byte{}); err != nil {
			return head, err
		}
	}
	return directory.ChainHead{}, fmt.Errorf("store: the chain of tenant %d has no head", t)
}

// headToChange reads a row of chain_heads with a lock; the zero head is none.
func headToChange(ctx context.Context, q querier, t directory.TenantNo, lock string) (head directory.ChainHead, err error) {
	err = q.query(ctx, "SELECT tenant, position, hash, epoch, base, base_hash, 0 FROM chain_heads WHERE tenant = $1"+lock, []any{int64(t)},
		func(r *row) { head = scanHead(r) })
	return head, err
}

// SetChainEpoch implements directory.EventWriter.
func (t *tx) SetChainEpoch(ctx context.Context, no directory.TenantNo, epoch int64) error {
	if _, err := lockHead(ctx, t.e, t.q, no); err != nil {
		return err
	}
	_, err := t.q.exec(ctx, "UPDATE chain_heads SET epoch = $2 WHERE tenant = $1", int64(no), epoch)
	return err
}

// follower hears of chains that have grown.
type follower struct {
	grown func(t directory.TenantNo, position int64)
	mu    sync.Mutex
	told  map[directory.TenantNo]int64
}

func newFollower(grown func(directory.TenantNo, int64)) *follower {
	return &follower{grown: grown, told: map[directory.TenantNo]int64{}}
}

// tell calls grown, unless that is known.
func (f *follower) tell(t directory.TenantNo, position int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.told[t] != position {
		f.told[t] = position
		f.grown(t, position)
	}
}

// begin tells where a chain was before the follower came, unless it has grown
// since.
func (f *follower) begin(t directory.TenantNo, position int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.told[t]; !known {
		f.told[t] = position
		f.grown(t, position)
	}
}

// headsAtOnce is how many chain heads one look-up reads.
const headsAtOnce = 1000

// eachHead reads the heads of all chains.
func eachHead(ctx context.Context, s directory.Store, fn func(t directory.TenantNo, position int64)) error {
	after := directory.TenantNo(0)
	for {
		var list []directory.ChainHead
		err := s.Read(ctx, func(r directory.Reader) (err error) {
			list, err = r.ChainHeads(ctx, after, headsAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		for _, h := range list {
			fn(h.Tenant, h.Position)
			after = h.Tenant
		}
		if len(list) < headsAtOnce {
			return nil
		}
	}
}

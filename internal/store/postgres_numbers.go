package store

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// blockSize is how many numbers a process draws at a time: fewer draws, and no
// transaction waits for another's number.
const blockSize = 64

// numberBlocks draws numbers in blocks, each in a transaction of its own, so
// that a counter's row is never locked for as long as a change takes. Numbers
// of a block that are left when the process ends are lost.
type numberBlocks struct {
	pool *sql.DB
	// patience is how long a draw may wait for the database; 0 is for ever.
	patience time.Duration
	mu       sync.Mutex
	blocks   map[numberKey]*numberBlock
}

type numberKey struct {
	tenant int64
	kind   string
}

// numberBlock has the numbers from next to end, without end.
type numberBlock struct {
	mu        sync.Mutex // one caller draws, the others wait for what it gets
	next, end int64
}

func newNumberBlocks(pool *sql.DB) *numberBlocks {
	return &numberBlocks{pool: pool, blocks: make(map[numberKey]*numberBlock)}
}

func (n *numberBlocks) block(tenant int64, kind string) *numberBlock {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := numberKey{tenant, kind}
	b := n.blocks[k]
	if b == nil {
		b = &numberBlock{}
		n.blocks[k] = b
	}
	return b
}

func (n *numberBlocks) next(ctx context.Context, _ querier, tenant int64, kind string) (int64, error) {
	b := n.block(tenant, kind)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == b.end {
		first, err := drawNumbers(ctx, sqlQuerier{run: n.pool, within: n.patience}, tenant, kind, blockSize)
		if err != nil {
			return 0, err
		}
		b.next, b.end = first, first+blockSize
	}
	b.next++
	return b.next - 1, nil
}

// row draws past the block of this process, which keeps its numbers for others.
func (n *numberBlocks) row(ctx context.Context, _ querier, tenant int64, kind string, count int64) (int64, error) {
	return drawNumbers(ctx, sqlQuerier{run: n.pool, within: n.patience}, tenant, kind, count)
}

// raise raises the counter for all processes and drops what is left of this
// one's block below it. It does not wait for the caller's transaction: inside
// of it, the counter's row would stay locked, and a draw of the same closure on
// another connection would wait for it for ever.
func (n *numberBlocks) raise(ctx context.Context, _ querier, tenant int64, kind string, number int64) error {
	b := n.block(tenant, kind)
	b.mu.Lock()
	defer b.mu.Unlock()
	if number < b.next {
		return nil // drawn from the counter, which is past it
	}
	if err := raiseNumber(ctx, sqlQuerier{run: n.pool, within: n.patience}, tenant, kind, number); err != nil {
		return err
	}
	b.next = min(max(b.next, number+1), b.end)
	return nil
}

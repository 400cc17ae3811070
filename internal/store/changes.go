package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// changes are what a transaction writes last: counters, which everybody
// shares, search documents, which are dear, and events. They are summed in memory,
// merged into those of the batch when the closure has succeeded and written
// once. A closure that fails drops its own.
type changes struct {
	batch  *changes // of what came before this in the transaction; nil for nothing
	totals map[totalKey]int64
	search map[int64]searchChange
	events []pendingEvent
	erased []erasure
	loaded int            // users of LoadUsers
	event  committedEvent // the last one written
	failed error          // what a part met after which the transaction cannot go on
}

// totalKey names a counter; company 0 is the whole tenant.
type totalKey struct {
	tenant, company int64
	state           int64
}

func (a totalKey) compare(b totalKey) int {
	return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.company, b.company), cmp.Compare(a.state, b.state))
}

// searchChange is the new search document of a user, or its removal.
type searchChange struct {
	tenant   int64
	document string
	drop     bool
	fresh    bool   // of a user who has none
	tokens   string // of a fresh one: what the engine makes of the document
}

func (c *changes) total(k totalKey, delta int64) {
	if c.totals == nil {
		c.totals = make(map[totalKey]int64)
	}
	c.totals[k] += delta
}

func (c *changes) document(rid int64, change searchChange) {
	if c.search == nil {
		c.search = make(map[int64]searchChange)
	}
	c.search[rid] = change
}

// reset forgets everything, for the next run of a closure.
func (c *changes) reset() {
	clear(c.totals)
	clear(c.search)
	c.events, c.erased, c.loaded = nil, nil, 0
	c.event, c.failed = committedEvent{}, nil
}

// merge takes over the changes of a closure, or of a part, that has succeeded.
func (c *changes) merge(done *changes) {
	for k, delta := range done.totals {
		c.total(k, delta)
	}
	for rid, change := range done.search {
		c.document(rid, change)
	}
	c.loaded += done.loaded
	c.mergeEvents(done)
}

// sum is what a counter will rise by.
func (c *changes) sum(k totalKey) int64 {
	if c == nil {
		return 0
	}
	return c.totals[k] + c.batch.sum(k)
}

// flush writes everything, the counters in the order of their keys, so that
// two transactions never wait for each other in a circle.
func (c *changes) flush(ctx context.Context, e *engine, q querier) error {
	if err := c.flushSearch(ctx, e, q); err != nil {
		return err
	}
	if err := e.writeEvents(ctx, q, c); err != nil {
		return err
	}
	if len(c.totals) == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(c.totals), totalKey.compare)
	keys = slices.DeleteFunc(keys, func(k totalKey) bool { return c.totals[k] == 0 })
	shard := e.shard()
	for some := range slices.Chunk(keys, totalsAtOnce) {
		var a args
		for _, k := range some {
			a.list = append(a.list, k.tenant, k.company, k.state, shard, c.totals[k])
		}
		_, err := q.exec(ctx, `INSERT INTO company_totals (tenant, company, state, shard, n) VALUES `+rowsOf(len(some), 5)+
			` ON CONFLICT (tenant, company, state, shard) DO UPDATE SET n = company_totals.n + excluded.n`, a.list...)
		if err != nil {
			return err
		}
	}
	return nil
}

// totalsAtOnce is how many counters one statement writes: enough for a change
// of state in the deepest company.
const totalsAtOnce = 2 * (directory.MaxDepth + 1)

// rowsOf is the VALUES list of n rows: "($1, $2), ($3, $4)".
func rowsOf(n, columns int) string {
	var b strings.Builder
	for i := range n * columns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString(placeholder(i + 1))
	}
	b.WriteString(")")
	return b.String()
}

// flushSearch writes the search documents. Writing one twice does no harm: what is
// written is not fresh any more.
func (c *changes) flushSearch(ctx context.Context, e *engine, q querier) error {
	var fresh []int64
	for _, rid := range slices.Sorted(maps.Keys(c.search)) {
		change := c.search[rid]
		var err error
		switch {
		case change.fresh:
			fresh = append(fresh, rid)
		case change.drop:
			err = e.dropSearch(ctx, q, rid)
		default:
			err = e.indexSearch(ctx, q, rid, change.tenant, change.document)
		}
		if err != nil {
			return err
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := e.addSearch(ctx, q, fresh, func(rid int64) searchChange { return c.search[rid] }); err != nil {
		return err
	}
	for _, rid := range fresh {
		change := c.search[rid]
		change.fresh = false
		c.search[rid] = change
	}
	return nil
}

// flushBeforeSearch makes a search inside of a transaction see what was
// changed in it, and by the closures of the batch before it. The documents are
// written again at the end: only then is it known that this closure succeeds.
func (r *reader) flushBeforeSearch(ctx context.Context) error {
	return r.pending.flushSearchSoFar(ctx, r.e, r.q)
}

func (c *changes) flushSearchSoFar(ctx context.Context, e *engine, q querier) error {
	if c == nil {
		return nil
	}
	if err := c.batch.flushSearchSoFar(ctx, e, q); err != nil {
		return err
	}
	return c.flushSearch(ctx, e, q)
}

// UserTotal implements directory.UserReader.
func (r *reader) UserTotal(ctx context.Context, t directory.TenantNo, company int64, states directory.StateSet) (int64, error) {
	var n int64
	err := r.q.query(ctx, "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM company_totals WHERE tenant = $1 AND company = $2 AND state IN ("+
		stateList(states)+")", []any{int64(t), company}, func(row *row) { n = row.int() })
	if err != nil {
		return 0, err
	}
	for _, state := range directory.States {
		if states.Has(state) {
			n += r.pending.sum(totalKey{int64(t), company, int64(state.Index())})
		}
	}
	return n, nil
}

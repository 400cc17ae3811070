package store

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/usher-id/usher/internal/directory"
)

// sqliteChains are the ends of the chains of a file, in the memory of the one
// process that writes it: the writer seals the events of a batch as its last step
// (docs/decisions/0029).
type sqliteChains struct {
	known bool  // that seq is read
	seq   int64 // the last one drawn
	heads map[directory.TenantNo]directory.ChainHead
	// What the transaction that is open would make of it.
	nextSeq int64
	next    map[directory.TenantNo]*directory.ChainHead

	follower atomic.Pointer[follower]
	// shredding is set while something is erased, and shredded once it is committed:
	// the log may still hold it.
	shredding bool
	shredded  atomic.Bool
}

func newSQLiteChains() *sqliteChains {
	return &sqliteChains{heads: map[directory.TenantNo]directory.ChainHead{}, next: map[directory.TenantNo]*directory.ChainHead{}}
}

// forget makes the next batch read everything again, because how the last one
// ended is not sure.
func (c *sqliteChains) forget() {
	c.known = false
	clear(c.heads)
	clear(c.next)
}

// begin reads what is not known yet. What an earlier transaction that did not
// commit has left in next is dropped.
func (c *sqliteChains) begin(ctx context.Context, q querier) error {
	clear(c.next)
	if !c.known {
		err := q.query(ctx, `SELECT max(coalesce((SELECT max(seq) FROM events), 0),
			coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'events'), 0))`, nil, func(r *row) { c.seq = r.int() })
		if err != nil {
			return err
		}
		c.known = true
	}
	c.nextSeq = c.seq
	return nil
}

// head is a chain's head in the transaction that is open.
func (c *sqliteChains) head(ctx context.Context, q querier, t directory.TenantNo) (*directory.ChainHead, error) {
	if h := c.next[t]; h != nil {
		return h, nil
	}
	h, ok := c.heads[t]
	if !ok {
		var err error
		if h, err = headToChange(ctx, q, t, ""); err != nil {
			return nil, err
		}
		h.Tenant = t
	}
	c.next[t] = &h
	return &h, nil
}

// sealedEvents writes events with all that they have.
var sealedEvents = rowsInsert{columns: eventWidth + 4, most: eventsAtOnce,
	head: "INSERT INTO events (seq, position, payload_hash, hash, " + eventColumns + ") VALUES "}.prepare()

// write seals and writes the events of a batch.
func (c *sqliteChains) write(ctx context.Context, q querier, pending *changes) error {
	if len(pending.events) == 0 {
		return nil
	}
	if err := c.begin(ctx, q); err != nil {
		return err
	}
	list := make([]any, 0, len(pending.events)*(eventWidth+4))
	for i := range pending.events {
		e := &pending.events[i]
		head, err := c.head(ctx, q, e.Tenant)
		if err != nil {
			return err
		}
		c.nextSeq++
		e.Seq = c.nextSeq
		head.Append(&e.Event)
		list = e.values(append(list, e.Seq, e.Position, e.PayloadHash, e.Hash))
	}
	err := sealedEvents.each(list, func(sql string, args []any) error {
		_, err := q.exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		return err
	}
	return c.writeHeads(ctx, q)
}

func (c *sqliteChains) writeHeads(ctx context.Context, q querier) error {
	for t, h := range c.next {
		_, err := q.exec(ctx, `INSERT INTO chain_heads (tenant, position, hash, epoch, base, base_hash) VALUES ($1, $2, $3, 0, 0, x'')
			ON CONFLICT (tenant) DO UPDATE SET position = excluded.position, hash = excluded.hash`, int64(t), h.Position, h.Hash)
		if err != nil {
			return err
		}
	}
	return nil
}

// committed makes what the transaction wrote known, and tells the follower.
func (c *sqliteChains) committed() {
	if c.shredding {
		c.shredding = false
		c.shredded.Store(true)
	}
	if len(c.next) == 0 {
		return
	}
	c.seq = c.nextSeq
	f := c.follower.Load()
	for t, h := range c.next {
		c.heads[t] = *h
		if f != nil {
			f.tell(t, h.Position)
		}
	}
	clear(c.next)
}

// Seal implements directory.Store: the writer has done it.
func (db *sqliteDB) Seal(context.Context, directory.TenantNo) error { return nil }

// Follow implements directory.Store.
func (db *sqliteDB) Follow(ctx context.Context, grown func(directory.TenantNo, int64)) error {
	f := newFollower(grown)
	if !db.engine.chains.follower.CompareAndSwap(nil, f) {
		return errFollowed
	}
	defer db.engine.chains.follower.Store(nil)
	if err := eachHead(ctx, db, f.begin); err != nil && ctx.Err() == nil {
		return err
	}
	<-ctx.Done()
	return nil
}

var errFollowed = errors.New("store: this process follows the chains already")

// sealedAtOnce is how many events one transaction seals that were committed
// before it.
const sealedAtOnce = 1000

// sealEarlier gives positions to the events that a version wrote which did not.
func (c *sqliteChains) sealEarlier(ctx context.Context, conn *sqliteConn, log *slog.Logger) error {
	total := 0
	for {
		n, err := c.sealSome(ctx, conn)
		if err != nil {
			return err // whoever opens the file closes it again
		}
		if total += n; n < sealedAtOnce {
			break
		}
		if total%(100*sealedAtOnce) == 0 {
			log.Info("events of an earlier version get their positions", "done", total)
		}
	}
	if total > 0 {
		log.Info("events of an earlier version have got their positions", "events", total)
	}
	return nil
}

func (c *sqliteChains) sealSome(ctx context.Context, conn *sqliteConn) (int, error) {
	var list []directory.Event
	err := conn.query(ctx, selectEvent+" FROM events e WHERE e.position IS NULL ORDER BY e.tenant, e.seq LIMIT $1", []any{int64(sealedAtOnce)},
		func(r *row) { list = append(list, scanEvent(r)) })
	if err != nil || len(list) == 0 {
		return 0, err
	}
	if _, err := conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return 0, err
	}
	if err := c.begin(ctx, conn); err != nil {
		return 0, err
	}
	for i := range list {
		e := &list[i]
		head, err := c.head(ctx, conn, e.Tenant)
		if err != nil {
			return 0, err
		}
		head.Append(e)
		_, err = conn.exec(ctx, "UPDATE events SET position = $2, payload_hash = $3, hash = $4 WHERE seq = $1", e.Seq, e.Position, e.PayloadHash, e.Hash)
		if err != nil {
			return 0, err
		}
	}
	if err := c.writeHeads(ctx, conn); err != nil {
		return 0, err
	}
	if _, err := conn.exec(ctx, "COMMIT"); err != nil {
		return 0, err
	}
	c.committed()
	return len(list), nil
}

// shred has the log cut once the open transaction is committed: it holds pages
// from before. In the file SQLite overwrites what is removed (secure_delete).
func (c *sqliteChains) shred() { c.shredding = true }

package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// The bounds of sealing.
const (
	sealEvery = 50 * time.Millisecond // for what other processes commit
	sealPause = 5 * time.Millisecond  // at least, so that one transaction seals what several wrote
	sealRetry = 500 * time.Millisecond
	// tenantsAtOnce is how many chains one look finds that have something to seal.
	tenantsAtOnce = 1000
)

// postgresSealing is how the transactions of a process wake its sealer.
type postgresSealing struct {
	wake     chan struct{}
	followed atomic.Bool
}

func newPostgresSealing() *postgresSealing { return &postgresSealing{wake: make(chan struct{}, 1)} }

// wakeSealer tells the sealer that a transaction wrote an event.
func (db *postgresDB) wakeSealer(committed *changes) {
	if committed.event.id == "" {
		return
	}
	select {
	case db.sealing.wake <- struct{}{}:
	default:
	}
}

// Seal implements directory.Store.
func (db *postgresDB) Seal(ctx context.Context, t directory.TenantNo) error {
	for try := 1; ; try++ {
		err := db.sealTenant(ctx, t)
		if err == nil {
			return nil
		}
		if again, final := retry(ctx, err, new(int)); !again {
			return final
		}
		if try == maxTries {
			return busy(err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// anyUnsealedSQL sees events that another process is sealing, until it has.
const anyUnsealedSQL = `SELECT 1 WHERE EXISTS (SELECT FROM events_new WHERE tenant = $1)
	OR EXISTS (SELECT FROM events WHERE tenant = $1 AND position IS NULL)`

func (db *postgresDB) sealTenant(ctx context.Context, t directory.TenantNo) error {
	unsealed := false
	err := sqlQuerier{run: db.pool, within: db.opts.Patience}.query(ctx, anyUnsealedSQL, []any{int64(t)}, func(*row) { unsealed = true })
	for n := sealedAtOnce; err == nil && unsealed && n == sealedAtOnce; {
		n, err = db.sealSome(ctx, t, "")
	}
	return err
}

// sealSome gives positions to the next events of a tenant, in one transaction that
// holds the row of the chain's head: that lock is the only lease. skip is the
// locking clause's end for whoever has others to go on with.
func (db *postgresDB) sealSome(ctx context.Context, t directory.TenantNo, skip string) (int, error) {
	dt, err := db.pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return 0, answerOf(ctx, err)
	}
	defer dt.Rollback() // after a commit it does nothing
	q := sqlQuerier{run: dt, within: db.opts.Patience}
	head, err := headToSeal(ctx, q, t, skip)
	if err != nil || head.Tenant != t {
		return 0, err
	}
	// A statement of its own: it sees all that the last holder of the lock has done.
	s := sealing{q: q, head: head}
	if err := s.read(ctx); err != nil || len(s.events) == 0 {
		return 0, err
	}
	if err := s.write(ctx); err != nil {
		return 0, err
	}
	return len(s.events), answerOf(ctx, dt.Commit())
}

// headToSeal locks a chain's head; the zero head is one that another process has.
// A process that is gone without a word loses its lock after a while.
func headToSeal(ctx context.Context, q querier, t directory.TenantNo, skip string) (head directory.ChainHead, err error) {
	if _, err = q.exec(ctx, "SELECT set_config('idle_in_transaction_session_timeout', '10s', true)"); err != nil {
		return head, err
	}
	for range 2 {
		head, err = headToChange(ctx, q, t, " FOR UPDATE"+skip)
		if err != nil || head.Tenant == t {
			return head, err
		}
		n, err := q.exec(ctx, insertHead, int64(t), []byte{})
		if err != nil || n == 0 && skip != "" {
			return head, err
		}
	}
	return head, nil
}

// sealing is one transaction that gives positions.
type sealing struct {
	q      querier
	head   directory.ChainHead
	events []unsealedEvent
}

// unsealedEvent is an event without a position. One that a version wrote which
// did not know of events_new stays where it is.
type unsealedEvent struct {
	directory.Event
	inPlace bool
}

// read finds the next events, in the order of their sequence numbers.
func (s *sealing) read(ctx context.Context) error {
	for _, from := range [...]struct {
		sql     string
		inPlace bool
	}{{" FROM events_new e WHERE e.tenant = $1", false}, {" FROM events e WHERE e.tenant = $1 AND e.position IS NULL", true}} {
		err := s.q.query(ctx, selectEvent+from.sql+" ORDER BY e.seq LIMIT $2", []any{int64(s.head.Tenant), int64(sealedAtOnce)},
			func(r *row) { s.events = append(s.events, unsealedEvent{scanEvent(r), from.inPlace}) })
		if err != nil {
			return err
		}
	}
	slices.SortFunc(s.events, func(a, b unsealedEvent) int { return int(a.Seq - b.Seq) })
	s.events = s.events[:min(len(s.events), sealedAtOnce)]
	return nil
}

// write moves the events behind the head, and the head.
func (s *sealing) write(ctx context.Context) error {
	var moved, placed sealedRows
	for i := range s.events {
		e := &s.events[i]
		s.head.Append(&e.Event)
		if e.inPlace {
			placed.add(&e.Event)
		} else {
			moved.add(&e.Event)
		}
	}
	if err := moved.run(ctx, s.q, moveEventsSQL, s.head.Tenant); err != nil {
		return err
	}
	if err := placed.run(ctx, s.q, placeEventsSQL, s.head.Tenant); err != nil {
		return err
	}
	_, err := s.q.exec(ctx, "UPDATE chain_heads SET position = $2, hash = $3 WHERE tenant = $1", int64(s.head.Tenant), s.head.Position, s.head.Hash)
	return err
}

// sealedRows are the arguments of a statement that seals, as texts of arrays: one
// statement whatever their number, for every way to send arguments.
type sealedRows struct {
	n                           int64
	seqs, positions, sums, hash strings.Builder
}

func (s *sealedRows) add(e *directory.Event) {
	if s.n++; s.n > 1 {
		for _, b := range [...]*strings.Builder{&s.seqs, &s.positions, &s.sums, &s.hash} {
			b.WriteByte(',')
		}
	}
	s.seqs.WriteString(strconv.FormatInt(e.Seq, 10))
	s.positions.WriteString(strconv.FormatInt(e.Position, 10))
	s.sums.WriteString(hex.EncodeToString(e.PayloadHash))
	s.hash.WriteString(hex.EncodeToString(e.Hash))
}

const (
	sealedRowsSQL = `WITH sealed AS (SELECT u.seq, u.position, decode(u.sum, 'hex') AS payload_hash, decode(u.hash, 'hex') AS hash
		FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text::text[], $5::text::text[]) AS u(seq, position, sum, hash))`
	moveEventsSQL = sealedRowsSQL + `, moved AS (DELETE FROM events_new n USING sealed s WHERE n.tenant = $1 AND n.seq = s.seq
			RETURNING n.*, s.position, s.payload_hash, s.hash)
		INSERT INTO events (seq, position, payload_hash, hash, ` + eventColumns + `) OVERRIDING SYSTEM VALUE
		SELECT seq, position, payload_hash, hash, ` + eventColumns + ` FROM moved ORDER BY position`
	placeEventsSQL = sealedRowsSQL + ` UPDATE events e SET position = s.position, payload_hash = s.payload_hash, hash = s.hash
		FROM sealed s WHERE e.tenant = $1 AND e.seq = s.seq AND e.position IS NULL`
)

func (s *sealedRows) run(ctx context.Context, q querier, sql string, t directory.TenantNo) error {
	if s.n == 0 {
		return nil
	}
	array := func(b *strings.Builder) string { return "{" + b.String() + "}" }
	n, err := q.exec(ctx, sql, int64(t), array(&s.seqs), array(&s.positions), array(&s.sums), array(&s.hash))
	if err == nil && n != s.n {
		err = fmt.Errorf("store: %d of %d events of tenant %d could be sealed", n, s.n, t)
	}
	return err
}

// Follow implements directory.Store. It asks again and again, since behind a pooler
// of transactions nobody can be notified.
func (db *postgresDB) Follow(ctx context.Context, grown func(directory.TenantNo, int64)) error {
	if !db.sealing.followed.CompareAndSwap(false, true) {
		return errFollowed
	}
	defer db.sealing.followed.Store(false)
	f := newFollower(grown)
	sum, failing := int64(-1), false
	for ctx.Err() == nil {
		next, more, err := db.sealRound(ctx, f, sum)
		wait := sealEvery
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			if sum = next; more {
				wait = sealPause
			}
		default:
			if wait = sealRetry; !failing {
				db.opts.Logger.Error("sealing events failed and is tried again", "error", err)
			}
		}
		failing = err != nil
		db.restSealer(ctx, wait, failing)
	}
	return nil
}

// restSealer waits until there may be something to seal.
func (db *postgresDB) restSealer(ctx context.Context, wait time.Duration, failing bool) {
	rest := time.NewTimer(sealPause)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
		return
	}
	wake := db.sealing.wake
	if failing {
		wake = nil
	}
	rest.Reset(wait - sealPause)
	select {
	case <-wake:
	case <-rest.C:
	case <-ctx.Done():
	}
}

// sealRound seals what is there, and tells of all chains that have grown since sum
// was the sum of their lengths. Of a tenant with very many events it leaves some to
// the next round, so that the others need not wait.
func (db *postgresDB) sealRound(ctx context.Context, f *follower, sum int64) (next int64, more bool, err error) {
	q := sqlQuerier{run: db.pool, within: db.opts.Patience}
	var tenants []directory.TenantNo
	err = q.query(ctx, unsealedTenantsSQL, []any{int64(tenantsAtOnce)}, func(r *row) { tenants = append(tenants, directory.TenantNo(r.int())) })
	more = len(tenants) == tenantsAtOnce
	for _, t := range tenants {
		n, failed := db.sealSome(ctx, t, " SKIP LOCKED")
		more, err = more || n == sealedAtOnce, errors.Join(err, failed)
	}
	look := q.query(ctx, "SELECT CAST(coalesce(sum(position), 0) AS BIGINT) FROM chain_heads", nil, func(r *row) { next = r.int() })
	if look == nil && next != sum {
		look = eachHead(ctx, db, f.tell)
	}
	return next, more, errors.Join(err, look)
}

// unsealedTenantsSQL jumps from tenant to tenant on the indexes.
const unsealedTenantsSQL = `WITH RECURSIVE
	fresh(tenant) AS ((SELECT n.tenant FROM events_new n ORDER BY n.tenant LIMIT 1) UNION ALL
		SELECT (SELECT n.tenant FROM events_new n WHERE n.tenant > f.tenant ORDER BY n.tenant LIMIT 1) FROM fresh f WHERE f.tenant IS NOT NULL),
	earlier(tenant) AS ((SELECT e.tenant FROM events e WHERE e.position IS NULL ORDER BY e.tenant LIMIT 1) UNION ALL
		SELECT (SELECT e.tenant FROM events e WHERE e.position IS NULL AND e.tenant > f.tenant ORDER BY e.tenant LIMIT 1) FROM earlier f WHERE f.tenant IS NOT NULL)
	SELECT tenant FROM (SELECT tenant FROM fresh UNION SELECT tenant FROM earlier) t WHERE tenant IS NOT NULL ORDER BY tenant LIMIT $1`

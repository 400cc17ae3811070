package store

import (
	"context"
	"math"

	"github.com/usher-id/usher/internal/directory"
)

// InsertEvent implements directory.EventWriter. Events are written at the end of
// the transaction: on SQLite, where they are sealed as well, at the end of the batch.
func (t *tx) InsertEvent(_ context.Context, e directory.Event) error {
	t.pending.events = append(t.pending.events, pendingEvent{Event: e})
	return nil
}

// pendingEvent is an event that is not written yet. The contents of an erased one
// are covered by its hash and never written.
type pendingEvent struct {
	directory.Event
	erased bool
}

// erasure is EraseEvents of this transaction.
type erasure struct {
	tenant directory.TenantNo
	number int64
}

// erase marks the events of a user.
func (c *changes) erase(x erasure) {
	for i := range c.events {
		if e := &c.events[i]; e.User == x.number && e.Tenant == x.tenant {
			e.erased = true
		}
	}
}

// settleEvents ends a transaction, or a part: what it erases it also erases of the
// events that it writes after that.
func (c *changes) settleEvents() {
	for _, x := range c.erased {
		c.erase(x)
	}
}

// mergeEvents takes over the events of a closure or of a part.
func (c *changes) mergeEvents(done *changes) {
	done.settleEvents()
	for _, x := range done.erased {
		c.erase(x)
	}
	c.erased = append(c.erased, done.erased...)
	c.events = append(c.events, done.events...)
}

// The columns of an event that it has from the beginning, without seq, and their
// values.
const (
	eventColumns = "tenant, id, type, number, subject, door, actor, on_behalf_of, reason, request_id, at, salt, payload, " +
		"user_id, company, origin"
	eventWidth = 16
)

func (e *pendingEvent) values(list []any) []any {
	reason, salt, payload := e.Reason, any(bytesOf(e.Salt)), any(bytesOf(e.Payload))
	if e.erased {
		reason, salt, payload = "", nil, nil
	}
	return append(list, int64(e.Tenant), e.ID, string(e.Type), e.User, e.Subject, int64(e.Door), e.Actor, e.OnBehalfOf, reason,
		e.RequestID, micros(e.Time), salt, payload, e.UserID, e.Company, e.Origin)
}

// committedEvent names the last event of a transaction. Whether it can be
// found tells the outcome of a COMMIT whose answer was lost.
type committedEvent struct {
	tenant directory.TenantNo
	seq    int64
	id     string
}

// eventsAtOnce is the most events that one statement writes.
const eventsAtOnce = 16

// newEvents writes events where PostgreSQL keeps those without a position.
var newEvents = rowsInsert{columns: eventWidth, most: eventsAtOnce, first: "nextval(pg_get_serial_sequence('events', 'seq')), ",
	head: "INSERT INTO events_new (seq, " + eventColumns + ") VALUES ", tail: " RETURNING seq"}.prepare()

// writeNewEvents writes the events of a transaction of PostgreSQL. The sequence is
// drawn while the users that they are about are locked, so that the events of one
// user are in the order of their commits.
func writeNewEvents(ctx context.Context, q querier, c *changes) error {
	if len(c.events) == 0 {
		return nil
	}
	var list []any
	for i := range c.events {
		list = c.events[i].values(list)
	}
	last := &c.events[len(c.events)-1]
	c.event = committedEvent{tenant: last.Tenant, id: last.ID}
	return newEvents.each(list, func(sql string, args []any) error {
		return q.query(ctx, sql, args, func(r *row) { c.event.seq = r.int() })
	})
}

// selectEvent begins a look-up of events, for scanEvent; one of sealedColumns goes
// on with it, for scanSealed.
const (
	selectEvent = "SELECT e.seq, e.tenant, e.id, e.type, e.number, e.subject, e.door, e.actor, e.on_behalf_of, e.reason, " +
		"e.request_id, e.at, e.salt, e.payload, e.user_id, e.company, e.origin"
	sealedColumns = ", e.position, e.payload_hash, e.hash"
)

func scanEvent(r *row) directory.Event {
	return directory.Event{Seq: r.int(), Tenant: directory.TenantNo(r.int()), ID: r.text(),
		Type: directory.EventType(r.text()), User: r.int(), Subject: r.text(), Door: doorOf(r.int()),
		Actor: r.text(), OnBehalfOf: r.text(), Reason: r.text(), RequestID: r.text(), Time: r.time(),
		Salt: r.blob(), Payload: r.blob(), UserID: r.text(), Company: r.int(), Origin: r.text()}
}

func scanSealed(r *row) directory.Event {
	e := scanEvent(r)
	e.Position, e.PayloadHash, e.Hash = r.int(), r.blob(), r.blob()
	return e
}

// Events implements directory.EventReader. The contents of an erased event are
// nil.
func (r *reader) Events(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.Event, error) {
	var list []directory.Event
	err := r.q.query(ctx, selectEvent+sealedColumns+" FROM events e WHERE e.tenant = $1 AND e.position > $2 ORDER BY e.position LIMIT $3",
		[]any{int64(t), after, int64(max(limit, 0))}, func(row *row) { list = append(list, scanSealed(row)) })
	return list, err
}

// doorOf is a door as it is stored. A number that is none reads as no door, and not
// as the one whose bits it ends with: an audit has to see it.
func doorOf(n int64) directory.Door {
	if n < 0 || n > math.MaxUint16 {
		return 0
	}
	return directory.Door(n)
}

package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// InsertEvent implements directory.EventWriter.
func (t *tx) InsertEvent(ctx context.Context, e directory.Event) error {
	seq, err := t.e.insertEvent(ctx, t.q, []any{int64(e.Tenant), e.ID, string(e.Type), e.User, e.Subject, int64(e.Door), e.Actor,
		e.OnBehalfOf, e.Reason, e.RequestID, micros(e.Time), bytesOf(e.Salt), bytesOf(e.Payload)})
	t.pending.event = committedEvent{seq: seq, id: e.ID}
	return err
}

const insertEventSQL = `INSERT INTO events (tenant, id, type, number, subject, door, actor, on_behalf_of, reason, request_id, at,
	salt, payload) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

// insertEventOnly does not ask for the sequence number: SQLite would keep it in
// a table of its own for that, and needs no committedEvent.
func insertEventOnly(ctx context.Context, q querier, values []any) (int64, error) {
	_, err := q.exec(ctx, insertEventSQL, values...)
	return 0, err
}

func insertEventReturning(ctx context.Context, q querier, values []any) (seq int64, err error) {
	err = q.query(ctx, insertEventSQL+" RETURNING seq", values, func(r *row) { seq = r.int() })
	return seq, err
}

// committedEvent names the last event of a transaction. Whether it can be
// found tells the outcome of a COMMIT whose answer was lost.
type committedEvent struct {
	seq int64
	id  string
}

const selectEvent = "SELECT e.seq, e.tenant, e.id, e.type, e.number, e.subject, e.door, e.actor, e.on_behalf_of, e.reason, " +
	"e.request_id, e.at, e.salt, e.payload"

func scanEvent(r *row) directory.Event {
	return directory.Event{Seq: r.int(), Tenant: directory.TenantNo(r.int()), ID: r.text(),
		Type: directory.EventType(r.text()), User: r.int(), Subject: r.text(), Door: directory.Door(r.int()),
		Actor: r.text(), OnBehalfOf: r.text(), Reason: r.text(), RequestID: r.text(), Time: r.time(),
		Salt: r.blob(), Payload: r.blob()}
}

// Events implements directory.EventReader. The payload of an erased event is
// nil.
func (r *reader) Events(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.Event, error) {
	var list []directory.Event
	err := r.q.query(ctx, selectEvent+" FROM events e WHERE e.tenant = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3",
		[]any{int64(t), after, int64(max(limit, 0))}, func(row *row) { list = append(list, scanEvent(row)) })
	return list, err
}

// The events of a user. PostgreSQL has an index; SQLite a table that is filled
// behind the writers.
const (
	userEventsByIndex = " FROM events e WHERE e.tenant = $1 AND e.number = $2 AND e.number <> 0 AND e.seq > $3 ORDER BY e.seq"
	userEventsBehind  = " FROM event_users k CROSS JOIN events e WHERE k.tenant = $1 AND k.number = $2 AND k.seq > $3 AND e.seq = k.seq ORDER BY k.seq"
)

// UserEvents implements directory.EventReader. Number 0 is nobody.
func (r *reader) UserEvents(ctx context.Context, t directory.TenantNo, number, after int64, limit int) ([]directory.Event, error) {
	var list []directory.Event
	err := r.q.query(ctx, selectEvent+r.e.userEvents+" LIMIT $4", []any{int64(t), number, after, int64(max(limit, 0))},
		func(row *row) { list = append(list, scanEvent(row)) })
	return list, err
}

// IndexEvents implements directory.EventWriter. On SQLite events about nobody
// count too, though there is nothing to do about them.
func (t *tx) IndexEvents(ctx context.Context, no directory.TenantNo, limit int) (int, error) {
	return t.e.indexEvents(ctx, t.q, max(limit, 0))
}

// indexEventsBehind goes on where it ended the last time. SQLite's one writer
// draws sequence numbers in the order of commits, so that none appears below
// the mark later.
func indexEventsBehind(ctx context.Context, q querier, limit int) (int, error) {
	var done, last, n int64
	err := q.query(ctx, "SELECT seq FROM event_users_done", nil, func(r *row) { done = r.int() })
	if err != nil {
		return 0, err
	}
	err = q.query(ctx, "SELECT coalesce(max(seq), 0), count(*) FROM (SELECT seq FROM events WHERE seq > $1 ORDER BY seq LIMIT $2) k",
		[]any{done, int64(limit)}, func(r *row) { last, n = r.int(), r.int() })
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = q.exec(ctx, `INSERT INTO event_users (tenant, number, seq)
		SELECT tenant, number, seq FROM events WHERE seq > $1 AND seq <= $2 AND number <> 0`, done, last)
	if err == nil {
		_, err = q.exec(ctx, "UPDATE event_users_done SET seq = $1", last)
	}
	return int(n), err
}

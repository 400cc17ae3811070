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

// Events implements directory.LicenceReader. The payload of an erased event is
// nil.
func (r *reader) Events(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.Event, error) {
	var list []directory.Event
	err := r.q.query(ctx, `SELECT e.seq, e.tenant, e.id, e.type, e.number, e.subject, e.door, e.actor, e.on_behalf_of, e.reason,
		e.request_id, e.at, e.salt, e.payload FROM events e WHERE e.tenant = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3`,
		[]any{int64(t), after, int64(max(limit, 0))},
		func(row *row) {
			list = append(list, directory.Event{Seq: row.int(), Tenant: directory.TenantNo(row.int()), ID: row.text(),
				Type: directory.EventType(row.text()), User: row.int(), Subject: row.text(), Door: directory.Door(row.int()),
				Actor: row.text(), OnBehalfOf: row.text(), Reason: row.text(), RequestID: row.text(), Time: row.time(),
				Salt: row.blob(), Payload: row.blob()})
		})
	return list, err
}

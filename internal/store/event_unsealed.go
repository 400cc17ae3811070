package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// The events u that have no position. SQLite's writer leaves none, but those of
// before positions were given are there until the first start.
const (
	unsealedInPlace = " FROM events u WHERE u.tenant = $1 AND u.position IS NULL"
	unsealedApart   = ` FROM (SELECT tenant, seq, id, type, number, at FROM events WHERE position IS NULL
		UNION ALL SELECT tenant, seq, id, type, number, at FROM events_new) u WHERE u.tenant = $1`
)

// UnsealedEvents implements directory.EventReader.
func (r *reader) UnsealedEvents(ctx context.Context, t directory.TenantNo, limit int) ([]directory.Event, error) {
	var list []directory.Event
	err := r.q.query(ctx, "SELECT u.seq, u.tenant, u.id, u.type, u.number, u.at"+r.e.unsealed+" ORDER BY u.seq LIMIT $2",
		[]any{int64(t), int64(max(limit, 0))}, func(row *row) {
			list = append(list, directory.Event{Seq: row.int(), Tenant: directory.TenantNo(row.int()), ID: row.text(),
				Type: directory.EventType(row.text()), User: row.int(), Time: row.time()})
		})
	return list, err
}

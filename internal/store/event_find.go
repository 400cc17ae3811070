package store

import (
	"context"
	"math"

	"github.com/usher-id/usher/internal/directory"
)

// The events that a search looks at in one step. A search that finds little goes
// on in larger ones.
const (
	firstFind = 64
	mostFind  = 1024
)

// FindEvents implements directory.EventReader. It goes in steps: what has a
// position stays, so that they need no common snapshot. Without a position looked
// at, Seen is the bound at which the search began.
func (r *reader) FindEvents(ctx context.Context, t directory.TenantNo, q directory.EventSelection) (directory.EventsFound, error) {
	w := eventWalk{tenant: t, after: q.After, before: q.Before, descending: q.Descending}
	if w.before <= 0 {
		w.before = math.MaxInt64
	}
	if keys := keysOf(q.User, q.Reason, q.Origin, q.Actor, q.Type, q.Door); len(keys) > 0 {
		w.key = keys[0]
	}
	found := directory.EventsFound{Seen: q.After}
	if q.Descending {
		found.Seen = q.Before
	}
	step := max(firstFind, min(q.Limit+1, mostFind))
	for left := q.Scan; left > 0 && q.Limit > 0; step = min(4*step, mostFind) {
		n := min(step, left)
		list, err := r.walkEvents(ctx, w, n)
		if err != nil {
			return found, err
		}
		for i := range list {
			if found.Seen = list[i].Position; !selects(&q, &list[i]) {
				continue
			}
			if found.Events = append(found.Events, list[i]); len(found.Events) == q.Limit {
				found.More = i+1 < len(list) || len(list) == n
				return found, nil
			}
		}
		if len(list) < n {
			return found, nil
		}
		left -= n
		w.goOn(found.Seen)
	}
	found.More = true
	return found, nil
}

// eventWalk is a range of positions, of all events or of those with a key.
type eventWalk struct {
	tenant        directory.TenantNo
	key           eventKey // kind 0 is all
	after, before int64    // without either
	descending    bool
}

// goOn leaves out what was seen.
func (w *eventWalk) goOn(seen int64) {
	if w.descending {
		w.before = seen
	} else {
		w.after = seen
	}
}

// walkEvents reads the next events of a walk.
func (r *reader) walkEvents(ctx context.Context, w eventWalk, limit int) ([]directory.Event, error) {
	order := ""
	if w.descending {
		order = " DESC"
	}
	var a args
	sql, column := " FROM events e WHERE e.tenant = "+a.add(int64(w.tenant)), "e.position"
	if w.key.kind != 0 {
		column = "k.position"
		sql = " FROM event_keys k CROSS JOIN events e WHERE k.tenant = $1 AND e.tenant = $1 AND e.position = k.position AND k.kind = " +
			a.add(int64(w.key.kind)) + " AND k.key = " + a.add(w.key.key)
	}
	sql += " AND " + column + " > " + a.add(w.after) + " AND " + column + " < " + a.add(w.before) +
		" ORDER BY " + column + order + " LIMIT " + a.add(int64(limit))
	var list []directory.Event
	err := r.q.query(ctx, selectEvent+sealedColumns+sql, a.list, func(row *row) { list = append(list, scanSealed(row)) })
	return list, err
}

// selects reports whether an event equals every member that is set; positions
// aside.
func selects(q *directory.EventSelection, e *directory.Event) bool {
	return (q.User == 0 || q.User == e.User) &&
		(q.Actor == "" || q.Actor == e.Actor) &&
		(q.Reason == "" || q.Reason == e.Reason) &&
		(q.Door == 0 || q.Door == e.Door) &&
		(q.Type == "" || q.Type == e.Type) &&
		(q.Origin == "" || q.Origin == e.Origin) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) &&
		(q.To.IsZero() || e.Time.Before(q.To))
}

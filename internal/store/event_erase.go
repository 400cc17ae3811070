package store

import (
	"context"
	"maps"
	"slices"

	"github.com/usher-id/usher/internal/directory"
)

// noContents empties what an event says about a person.
const noContents = "salt = NULL, payload = NULL, reason = ''"

const (
	reasonsOfSQL = `SELECT e.position, e.reason FROM event_keys k CROSS JOIN events e WHERE k.tenant = $1 AND k.kind = 1 AND k.key = $2
		AND e.tenant = $1 AND e.position = k.position AND e.number = $2 AND e.reason <> ''`
	eraseIndexedSQL = "UPDATE events SET " + noContents + ` WHERE tenant = $1 AND number = $2
		AND position IN (SELECT position FROM event_keys WHERE tenant = $1 AND kind = 1 AND key = $2)`
	trimEventsSQL = "DELETE FROM events WHERE tenant = $1 AND position > $2 AND position <= $3"
	trimKeysSQL   = "DELETE FROM event_keys WHERE tenant = $1 AND kind = $2 AND key = $3 AND position <= $4"
	eraseLaterSQL = "UPDATE events SET " + noContents + " WHERE tenant = $1 AND number = $2 AND position > $3"
)

// EraseEvents implements directory.EventWriter. What is indexed is found by the
// index; all behind its mark is looked through, which is little unless many events
// were written a moment ago. Number 0 is nobody.
func (t *tx) EraseEvents(ctx context.Context, no directory.TenantNo, number int64) error {
	if number == 0 {
		return nil
	}
	t.pending.erased = append(t.pending.erased, erasure{no, number})
	// Nobody moves events from one table to the other, or reads a reason that is
	// erased into the index, while these locks are held.
	if _, err := lockHead(ctx, t.e, t.q, no); err != nil {
		return err
	}
	mark, err := t.lockIndex(ctx, no)
	if err != nil {
		return err
	}
	t.e.shred()
	for _, sql := range t.e.eraseUnsealed {
		if _, err := t.q.exec(ctx, sql, int64(no), number); err != nil {
			return err
		}
	}
	if err := t.eraseReasons(ctx, no, number); err != nil {
		return err
	}
	if _, err := t.q.exec(ctx, eraseIndexedSQL, int64(no), number); err != nil {
		return err
	}
	_, err = t.q.exec(ctx, eraseLaterSQL, int64(no), number, mark)
	return err
}

// eraseReasons takes the reasons of a user's events out of the index: who knows
// the text would still find by it whom it was about.
func (t *tx) eraseReasons(ctx context.Context, no directory.TenantNo, number int64) error {
	keys := map[int64]int64{}
	err := t.q.query(ctx, reasonsOfSQL, []any{int64(no), number}, func(r *row) {
		position := r.int()
		keys[position] = textKey(keyReason, r.text()).key
	})
	if err != nil {
		return err
	}
	for _, position := range slices.Sorted(maps.Keys(keys)) {
		_, err := t.q.exec(ctx, "DELETE FROM event_keys WHERE tenant = $1 AND kind = $2 AND key = $3 AND position = $4",
			int64(no), int64(keyReason), keys[position], position)
		if err != nil {
			return err
		}
	}
	return nil
}

// TrimEvents implements directory.EventWriter.
func (t *tx) TrimEvents(ctx context.Context, no directory.TenantNo, through int64, limit int) (int, error) {
	head, err := lockHead(ctx, t.e, t.q, no)
	if err != nil {
		return 0, err
	}
	mark, err := t.lockIndex(ctx, no)
	if err != nil {
		return 0, err
	}
	list, err := t.indexedEvents(ctx, no, head.Base, through, max(limit, 0))
	if err != nil || len(list) == 0 {
		return 0, err
	}
	last := list[len(list)-1]
	t.e.shred()
	if err := t.trimIndex(ctx, no, list); err != nil {
		return 0, err
	}
	_, err = t.q.exec(ctx, trimEventsSQL, int64(no), head.Base, last.position)
	if err == nil && mark < last.position {
		err = t.setIndex(ctx, no, last.position)
	}
	if err == nil {
		_, err = t.q.exec(ctx, "UPDATE chain_heads SET base = $2, base_hash = $3 WHERE tenant = $1", int64(no), last.position, last.hash)
	}
	return len(list), err
}

// trimIndex removes what finds the oldest events, up to the last of the list.
func (t *tx) trimIndex(ctx context.Context, no directory.TenantNo, list []indexedEvent) error {
	keys, hours := map[eventKey]bool{}, map[int64]bool{}
	for _, e := range list {
		hours[e.hour] = true
		for _, k := range e.keys {
			keys[k] = true
		}
	}
	last := list[len(list)-1].position
	for _, k := range slices.SortedFunc(maps.Keys(keys), eventKey.compare) {
		if _, err := t.q.exec(ctx, trimKeysSQL, int64(no), int64(k.kind), k.key, last); err != nil {
			return err
		}
	}
	for _, hour := range slices.Sorted(maps.Keys(hours)) {
		if _, err := t.q.exec(ctx, "DELETE FROM event_hours WHERE tenant = $1 AND hour = $2 AND last <= $3", int64(no), hour, last); err != nil {
			return err
		}
	}
	return nil
}

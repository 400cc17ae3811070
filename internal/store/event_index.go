package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// keyKind says what of an event a row of event_keys is about.
type keyKind int64

// The stored kinds of keys.
const (
	keyUser   keyKind = 1
	keyActor  keyKind = 2
	keyReason keyKind = 3
	keyDoor   keyKind = 4
	keyType   keyKind = 5
	keyOrigin keyKind = 6
)

// eventKey is one thing by which events are found. That of a text is eight bytes
// of its hash: two texts may have one key, so that each event that is found is
// compared with what was asked for.
type eventKey struct {
	kind keyKind
	key  int64
}

func (a eventKey) compare(b eventKey) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
}

// textKey is the key of a text.
func textKey(kind keyKind, text string) eventKey {
	sum := sha256.Sum256([]byte(text))
	return eventKey{kind, int64(binary.BigEndian.Uint64(sum[:8]))}
}

// keysOf are the keys that are set, of an event or of a selection, in the order in
// which they narrow a search.
func keysOf(user int64, reason, origin, actor string, kind directory.EventType, door directory.Door) []eventKey {
	var keys []eventKey
	if user != 0 {
		keys = append(keys, eventKey{keyUser, user})
	}
	for _, text := range [...]struct {
		kind  keyKind
		value string
	}{{keyReason, reason}, {keyOrigin, origin}, {keyActor, actor}, {keyType, string(kind)}} {
		if text.value != "" {
			keys = append(keys, textKey(text.kind, text.value))
		}
	}
	if door != 0 {
		keys = append(keys, eventKey{keyDoor, int64(door)})
	}
	return keys
}

// indexedEvent is what the index needs of an event.
type indexedEvent struct {
	position int64
	keys     []eventKey
	hour     int64
	hash     []byte
}

// indexedEvents reads what the index needs of the events between two positions,
// after and through, in order.
func (t *tx) indexedEvents(ctx context.Context, no directory.TenantNo, after, through int64, limit int) ([]indexedEvent, error) {
	var list []indexedEvent
	err := t.q.query(ctx, "SELECT e.position, e.number, e.reason, e.origin, e.actor, e.type, e.door, e.at, e.hash FROM events e"+
		" WHERE e.tenant = $1 AND e.position > $2 AND e.position <= $3 ORDER BY e.position LIMIT $4",
		[]any{int64(no), after, through, int64(limit)}, func(r *row) {
			e := indexedEvent{position: r.int()}
			e.keys = keysOf(r.int(), r.text(), r.text(), r.text(), directory.EventType(r.text()), directory.Door(r.int()))
			e.hour, e.hash = hourOf(r.int()), r.blob()
			list = append(list, e)
		})
	return list, err
}

// hourOf is the hour since 1970 of a stored time.
func hourOf(at int64) int64 {
	const hour = int64(time.Hour / time.Microsecond)
	if at < 0 {
		return (at+1)/hour - 1
	}
	return at / hour
}

// lockIndex reads how far events are indexed and keeps all others from going on
// until the transaction ends.
func (t *tx) lockIndex(ctx context.Context, no directory.TenantNo) (mark int64, err error) {
	for range 2 {
		found := false
		err := t.q.query(ctx, "SELECT position FROM event_index WHERE tenant = $1"+t.e.lock, []any{int64(no)},
			func(r *row) { mark, found = r.int(), true })
		if err != nil || found {
			return mark, err
		}
		if _, err := t.q.exec(ctx, "INSERT INTO event_index (tenant, position) VALUES ($1, 0) ON CONFLICT (tenant) DO NOTHING", int64(no)); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("store: the index of events of tenant %d has no mark", no)
}

// Rows that IndexEvents writes.
var (
	newKeys = rowsInsert{columns: 4, most: 128,
		head: "INSERT INTO event_keys (tenant, kind, key, position) VALUES "}.prepare()
	// Positions only rise, so that the first one of an hour stays.
	newHours = rowsInsert{columns: 4, most: 16, head: "INSERT INTO event_hours (tenant, hour, first, last) VALUES ",
		tail: " ON CONFLICT (tenant, hour) DO UPDATE SET last = excluded.last"}.prepare()
)

// IndexEvents implements directory.EventWriter.
func (t *tx) IndexEvents(ctx context.Context, no directory.TenantNo, limit int) (int, error) {
	mark, err := t.lockIndex(ctx, no)
	if err != nil {
		return 0, err
	}
	list, err := t.indexedEvents(ctx, no, mark, math.MaxInt64, max(limit, 0))
	if err != nil || len(list) == 0 {
		return 0, err
	}
	var keys, hours []any
	first, last := map[int64]int64{}, map[int64]int64{}
	for _, e := range list {
		for _, k := range e.keys {
			keys = append(keys, int64(no), int64(k.kind), k.key, e.position)
		}
		if _, known := first[e.hour]; !known {
			first[e.hour] = e.position
		}
		last[e.hour] = e.position
	}
	for _, hour := range slices.Sorted(maps.Keys(first)) {
		hours = append(hours, int64(no), hour, first[hour], last[hour])
	}
	write := func(sql string, args []any) error {
		_, err := t.q.exec(ctx, sql, args...)
		return err
	}
	if err := newKeys.each(keys, write); err != nil {
		return 0, err
	}
	if err := newHours.each(hours, write); err != nil {
		return 0, err
	}
	return len(list), t.setIndex(ctx, no, list[len(list)-1].position)
}

func (t *tx) setIndex(ctx context.Context, no directory.TenantNo, position int64) error {
	_, err := t.q.exec(ctx, "UPDATE event_index SET position = $2 WHERE tenant = $1", int64(no), position)
	return err
}

const eventPeriodSQL = `SELECT coalesce((SELECT min(first) FROM event_hours WHERE tenant = $1 AND hour >= $2 AND hour <= $3), 0),
	coalesce((SELECT max(last) FROM event_hours WHERE tenant = $1 AND hour >= $2 AND hour <= $3), 0),
	coalesce((SELECT position FROM event_index WHERE tenant = $1), 0), h.position, h.base FROM chain_heads h WHERE h.tenant = $1`

// EventPeriod implements directory.EventReader. Zero times are no bounds.
func (r *reader) EventPeriod(ctx context.Context, t directory.TenantNo, from, to time.Time) (first, last int64, err error) {
	until := int64(math.MaxInt64)
	if !to.IsZero() {
		until = hourOf(micros(to) - 1)
	}
	err = r.q.query(ctx, eventPeriodSQL, []any{int64(t), hourOf(micros(from)), until}, func(row *row) {
		first, last = row.int(), row.int()
		mark, position, base := row.int(), row.int(), row.int()
		if mark = max(mark, base); mark < position {
			if last = position; first == 0 {
				first = mark + 1
			}
		}
		first = max(first, base+1)
	})
	if err != nil || last < first {
		return 0, 0, err
	}
	return first, last, nil
}

package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/usher-id/usher/internal/directory"
)

// history is the walk along a tenant's events from the last to the first, beside the
// users that they are about: each user has the version that the last event which
// raised it says, has an event, and is gone only if a purge says so.
type history struct {
	x      *examiner
	p      *Part
	tenant directory.TenantNo
	top    int64 // the position at which the walk began
	base   int64
	// met are the users that an event was about; versioned those whose version was
	// compared.
	met, versioned bitmap
	// doubts are users that changed while the walk went on, or contradict it.
	doubts map[int64]string
	events int64
}

// mostDoubts bounds the doubts: beyond so many it is no longer a race.
const mostDoubts = 10_000

// events compares the users of each tenant with their events. Whether the chain
// itself is whole is not its business (directory.Service.VerifyChain).
func (x *examiner) events(ctx context.Context, db directory.Store, p *Part) error {
	total := int64(0)
	for _, no := range x.all {
		h := &history{x: x, p: p, tenant: no, met: bitmap{}, versioned: bitmap{}, doubts: map[int64]string{}}
		if err := h.walk(ctx, db); err != nil {
			return err
		}
		total += h.events
	}
	p.Seen = fmt.Sprintf("%d events of users", total)
	return nil
}

func (h *history) walk(ctx context.Context, db directory.Store) error {
	err := sift(ctx, db, "SELECT position, base FROM chain_heads WHERE tenant = $1", []any{int64(h.tenant)}, func(r *row) { h.top, h.base = r.int(), r.int() })
	for next := h.top; err == nil && next > 0; {
		err = db.View(ctx, func(r directory.Reader) (err error) {
			next, err = h.page(ctx, r.(*reader), next)
			return err
		})
	}
	// Retention removes the events of those who have not changed since.
	for after := int64(0); err == nil && after >= 0 && h.base == 0; {
		after, err = h.unmet(ctx, db, after)
	}
	if err == nil && len(h.doubts) > 0 {
		err = db.View(ctx, func(r directory.Reader) error { return h.settle(ctx, r.(*reader)) })
	}
	return err
}

// unmet looks for users without an event among those behind a number, and answers
// the number where the next page begins, -1 for none.
func (h *history) unmet(ctx context.Context, db directory.Store, after int64) (next int64, err error) {
	n, from := 0, int64(h.tenant)<<numberBits
	err = sift(ctx, db, "SELECT rid FROM users WHERE rid > $1 AND rid < $2 ORDER BY rid LIMIT $3",
		[]any{from + after, int64(h.tenant+1) << numberBits, int64(usersAtOnce)}, func(r *row) {
			n++
			if next = r.int() - from; !h.met.has(next) {
				h.doubt(next, "users of whom no event says anything")
			}
		})
	if n < usersAtOnce {
		next = -1
	}
	return next, err
}

// doubt notes what will be looked at again in one moment.
func (h *history) doubt(number int64, what string) {
	if len(h.doubts) < mostDoubts {
		h.doubts[number] = what
	}
}

const historySQL = `SELECT position, number, payload FROM events WHERE tenant = $1 AND position <= $2 AND number <> 0 ORDER BY position DESC LIMIT $3`

// page compares the users of the events through a position, and answers where the
// next page begins.
func (h *history) page(ctx context.Context, r *reader, through int64) (next int64, err error) {
	var numbers []int64
	said := map[int64]int64{}
	err = r.q.scan(ctx, historySQL, []any{int64(h.tenant), through, int64(usersAtOnce)}, func(row *row) {
		h.events++
		next = row.int() - 1
		e := directory.Event{User: row.int(), Payload: row.blob()}
		if _, asked := said[e.User]; !asked && !h.met.has(e.User) {
			numbers = append(numbers, e.User)
			said[e.User] = 0
		}
		if v := e.UserVersion(); v != 0 && !h.versioned.has(e.User) {
			if _, asked := said[e.User]; !asked {
				numbers = append(numbers, e.User)
			}
			said[e.User] = v
			h.versioned.set(e.User)
		}
	})
	if err != nil || len(numbers) == 0 {
		return next, err
	}
	versions, err := h.versions(ctx, r, numbers)
	if err != nil {
		return 0, err
	}
	for _, number := range numbers {
		version, there := versions[number]
		switch {
		case !there && !h.met.has(number):
			h.doubt(number, "users who are gone, and no purge says so")
		case there && version >= 0 && said[number] != 0 && version != said[number]:
			h.doubt(number, "users whose version is not that of their last event")
		}
		h.met.set(number)
	}
	return next, nil
}

// versions reads the versions of users; those of erased users are -1.
func (h *history) versions(ctx context.Context, r *reader, numbers []int64) (map[int64]int64, error) {
	list := make(map[int64]int64, len(numbers))
	var erased, there args
	err := r.q.scan(ctx, "SELECT number FROM purged WHERE tenant = "+erased.add(int64(h.tenant))+" AND "+r.e.anyOfNumbers(&erased, "number", numbers), erased.list,
		func(row *row) { list[row.int()] = -1 })
	if err != nil {
		return nil, err
	}
	rids := make([]int64, len(numbers))
	for i, number := range numbers {
		rids[i] = int64(h.tenant)<<numberBits | number
	}
	sql := "SELECT rid, version FROM users WHERE " + r.e.anyOfNumbers(&there, "rid", rids)
	err = r.q.scan(ctx, sql, there.list, func(row *row) {
		_, number := split(row.int())
		list[number] = row.int()
	})
	return list, err
}

// settle leaves aside the doubts about users of whom there are events that the walk
// has not seen: they changed meanwhile.
func (h *history) settle(ctx context.Context, r *reader) error {
	changed := func(row *row) { delete(h.doubts, row.int()) }
	err := r.q.scan(ctx, "SELECT number FROM events WHERE tenant = $1 AND position > $2", []any{int64(h.tenant), h.top}, changed)
	if err == nil {
		err = r.q.scan(ctx, "SELECT u.number"+r.e.unsealed, []any{int64(h.tenant)}, changed)
	}
	for _, number := range slices.Sorted(maps.Keys(h.doubts)) {
		h.p.add(h.doubts[number], remedyForeign, "tenant %d user %d", h.tenant, number)
	}
	return err
}

// bitmap is a set of numbers.
type bitmap map[int64]*[bitmapPage / 64]uint64

// bitmapPage is how many numbers share a piece of memory.
const bitmapPage = 1 << 14

func (b bitmap) has(n int64) bool {
	page := b[n/bitmapPage]
	return page != nil && page[n%bitmapPage/64]&(1<<(n%64)) != 0
}

func (b bitmap) set(n int64) {
	page := b[n/bitmapPage]
	if page == nil {
		page = new([bitmapPage / 64]uint64)
		b[n/bitmapPage] = page
	}
	page[n%bitmapPage/64] |= 1 << (n % 64)
}

// keySums are what the rows of event_keys of one kind add up to.
type keySums struct{ rows, keys, places int64 }

// mask of what is added up of a key and of a position, so that no sum overflows.
const keyMask = 1<<32 - 1

func (s *keySums) add(key, position int64) {
	s.rows++
	s.keys += key & keyMask
	s.places += (key & 0xffff) * (position & 0xffff)
}

// indexes compares what finds events with the events, for each tenant as of one
// moment.
func (x *examiner) indexes(ctx context.Context, db directory.Store, p *Part) error {
	total := int64(0)
	for _, no := range x.all {
		err := db.View(ctx, func(r directory.Reader) error {
			n, err := x.index(ctx, querierOf(r), no, p)
			total += n
			return err
		})
		if err != nil {
			return err
		}
	}
	p.Seen = fmt.Sprintf("%d events", total)
	return nil
}

func (x *examiner) index(ctx context.Context, q querier, no directory.TenantNo, p *Part) (events int64, err error) {
	mark, base := int64(0), int64(0)
	err = q.scan(ctx, selectHead+" WHERE h.tenant = $1", []any{int64(no)}, func(r *row) {
		head := scanHead(r)
		mark, base = head.Indexed, head.Base
		if mark > head.Position {
			p.add("indexes of events that go on behind the last event", remedyIndex, "tenant %d", no)
		}
	})
	if err != nil {
		return 0, err
	}
	want, first, last := map[keyKind]keySums{}, map[int64]int64{}, map[int64]int64{}
	err = q.scan(ctx, "SELECT position, number, reason, origin, actor, type, door, at FROM events WHERE tenant = $1 AND position > $2 AND position <= $3",
		[]any{int64(no), base, mark}, func(r *row) {
			events++
			position := r.int()
			for _, k := range keysOf(r.int(), r.text(), r.text(), r.text(), directory.EventType(r.text()), directory.Door(r.int())) {
				sums := want[k.kind]
				sums.add(k.key, position)
				want[k.kind] = sums
			}
			hour := hourOf(r.int())
			if at, known := first[hour]; !known || position < at {
				first[hour] = position
			}
			last[hour] = max(last[hour], position)
		})
	if err != nil {
		return 0, err
	}
	err = q.scan(ctx, fmt.Sprintf(`SELECT kind, count(*), CAST(sum(key & %d) AS BIGINT), CAST(sum((key & 65535) * (position & 65535)) AS BIGINT)
		FROM event_keys WHERE tenant = $1 GROUP BY kind`, keyMask), []any{int64(no)}, func(r *row) {
		kind, have := keyKind(r.int()), keySums{r.int(), r.int(), r.int()}
		if want[kind] != have {
			p.add("indexes of events that are not those of the events", remedyIndex, "tenant %d kind %d", no, kind)
		}
		delete(want, kind)
	})
	for kind := range want {
		p.add("indexes of events that are not those of the events", remedyIndex, "tenant %d kind %d", no, kind)
	}
	if err == nil {
		err = x.hours(ctx, q, no, base, first, last, p)
	}
	return events, err
}

// hours compares the first and the last event of each hour.
func (x *examiner) hours(ctx context.Context, q querier, no directory.TenantNo, base int64, first, last map[int64]int64, p *Part) error {
	const what = "hours of events that are not those of the events"
	err := q.scan(ctx, "SELECT hour, first, last FROM event_hours WHERE tenant = $1", []any{int64(no)}, func(r *row) {
		hour, from, through := r.int(), r.int(), r.int()
		// Of an hour of which retention removed a part, the beginning stays.
		if last[hour] != through || first[hour] != from && from > base {
			p.add(what, remedyIndex, "tenant %d hour %d", no, hour)
		}
		delete(last, hour)
	})
	for hour := range last {
		p.add(what, remedyIndex, "tenant %d hour %d", no, hour)
	}
	return err
}

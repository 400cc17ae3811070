package directory

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// maxEventScan is the most events that one page of a search looks at.
	maxEventScan = 10_000
	// eventChunk is how many events are read at once where most may not match.
	eventChunk = 500
	// nearEvents is how many events are looked at one by one, whatever is searched
	// for: an index would not find them sooner.
	nearEvents = 1000
	// eventHashBytes is how much of an event's hash a cursor carries: enough that
	// another history never fits by chance.
	eventHashBytes = 8
)

// searchBounds are the bounds of searches for events.
type searchBounds struct{ scan, near int }

// eventWalk is a search on its way through a tenant's chain of events, from page
// to page. It needs nothing but the chain: its cursors say where in which history
// it is.
type eventWalk struct {
	tenant   TenantNo
	kind     string // of its cursors
	query    string // what they are bound to
	lifetime time.Duration
	q        *EventQuery
	user     int64 // of q.User
	filter   eventFilter
	bounds   searchBounds

	begun  bool  // at is set
	at     place // of the last event that was looked at
	head   int64 // position of the last event when it last read
	events []Event
}

// newWalk begins a search, or goes on where its cursor says. Errors:
// cursor.invalid, cursor.expired, feed.reset.
func (s *Service) newWalk(call *Call, kind, query string, lifetime time.Duration, q *EventQuery, user int64) (*eventWalk, error) {
	w := &eventWalk{tenant: call.Actor.Tenant, kind: kind, query: query, lifetime: lifetime, q: q, user: user, bounds: s.searches,
		filter: eventFilter{types: q.Types, exceptOrigins: q.ExceptOrigins}}
	if q.Cursor == "" {
		return w, nil
	}
	at, err := s.openCursor(call, kind, query, q.Cursor)
	if err != nil {
		return nil, err
	}
	if at.Number != 0 { // of a time when cursors went by sequence number
		return nil, errFeedReset()
	}
	w.begun, w.at = true, at
	return w, nil
}

func errFeedReset() error {
	return Wrong(CodeNotFound, ReasonFeedReset, "The history is not the one that the cursor knows, or what followed it has been removed.")
}

// read reads the next page and makes the cursor of the one after it.
func (w *eventWalk) read(ctx context.Context, s *Service, call *Call) (EventPage, error) {
	page, err := w.advance(ctx, s)
	if err != nil {
		return EventPage{}, err
	}
	if w.q.EachCursor {
		page.Cursors = make([]string, len(page.Events))
		for i := range page.Events {
			e := &page.Events[i]
			behind := place{Epoch: w.at.Epoch, Position: e.Position, Hash: shortHash(e.Hash)}
			if page.Cursors[i], err = s.sealCursorFor(call, w.kind, w.query, behind, w.lifetime); err != nil {
				return EventPage{}, err
			}
		}
	}
	if w.q.Newest && !page.More {
		return page, nil
	}
	page.Next, err = s.sealCursorFor(call, w.kind, w.query, w.at, w.lifetime)
	return page, err
}

// errLong is that a search has many events to look through.
var errLong = errors.New("directory: a long search")

// advance goes on to the next page, in one snapshot. A long search waits for its
// turn first. Errors: feed.reset, feed.busy.
func (w *eventWalk) advance(ctx context.Context, s *Service) (EventPage, error) {
	page, err := w.snapshot(ctx, s.store, w.isLong)
	if !errors.Is(err, errLong) {
		return page, err
	}
	leave, err := s.turns.enter(ctx, w.tenant)
	if err != nil {
		return EventPage{}, err
	}
	defer leave()
	return w.snapshot(ctx, s.store, atOnce)
}

// atOnce lets a search go on whatever it has to look through.
func atOnce(*ChainHead, int64) bool { return false }

// isLong reports whether a page may take many more events than it shows.
func (w *eventWalk) isLong(head *ChainHead, here int64) bool {
	left := head.Position - here
	if w.q.Newest {
		left = here - head.Base
	}
	return (w.searches() || len(w.q.Types)+len(w.q.ExceptOrigins) > 0) && left > int64(w.bounds.near)
}

// snapshot reads the next page, unless that is not to be done now: errLong.
func (w *eventWalk) snapshot(ctx context.Context, store Store, later func(head *ChainHead, here int64) bool) (EventPage, error) {
	var page EventPage
	var next place
	var head ChainHead
	err := store.View(ctx, func(r Reader) (err error) {
		if head, err = r.ChainHead(ctx, w.tenant); err != nil {
			return err
		}
		here, err := w.verify(ctx, r, &head)
		switch {
		case err != nil:
			return err
		case later(&head, here.Position):
			return errLong
		}
		page, next, err = w.page(ctx, r, &head, here)
		return err
	})
	if err == nil {
		w.begun, w.at, w.head = true, next, head.Position
	}
	return page, err
}

// verify reports where the walk goes on, if the history is still the one that it
// knows. Errors: feed.reset.
func (w *eventWalk) verify(ctx context.Context, r Reader, head *ChainHead) (place, error) {
	if !w.begun {
		here := place{Epoch: head.Epoch, Position: head.Base}
		if w.q.Newest {
			here.Position = head.Position + 1
		}
		return here, nil
	}
	here := w.at
	switch {
	case here.Epoch != head.Epoch, here.Position > head.Position:
		return here, errFeedReset()
	case here.Position < head.Base && w.q.Newest:
		return here, nil // what it would still list is gone, and with it what to compare
	case here.Position < head.Base:
		return here, errFeedReset()
	}
	hash, err := hashAt(ctx, r, head, here.Position)
	if err == nil && !bytes.Equal(hash, here.Hash) {
		err = errFeedReset()
	}
	return here, err
}

// hashAt is the part that cursors carry of the hash of the event at a position;
// nothing at 0.
func hashAt(ctx context.Context, r Reader, head *ChainHead, position int64) ([]byte, error) {
	var hash []byte
	switch position {
	case 0:
		return nil, nil
	case head.Position:
		hash = head.Hash
	case head.Base:
		hash = head.BaseHash
	default:
		list, err := r.Events(ctx, head.Tenant, position-1, 1)
		if err != nil {
			return nil, err
		}
		if len(list) != 1 || list[0].Position != position {
			return nil, errFeedReset()
		}
		hash = list[0].Hash
	}
	return shortHash(hash), nil
}

func shortHash(hash []byte) []byte { return hash[:min(len(hash), eventHashBytes)] }

// page collects the next page, and where the one after it goes on.
func (w *eventWalk) page(ctx context.Context, r Reader, head *ChainHead, here place) (EventPage, place, error) {
	w.events = nil
	seen, more, err := w.collect(ctx, r, w.spans(head, here.Position))
	if err != nil {
		return EventPage{}, place{}, err
	}
	if len(w.events) > w.q.Limit {
		w.events, more = w.events[:w.q.Limit], true
		seen = w.events[w.q.Limit-1].Position
	}
	next := place{Epoch: head.Epoch, Position: seen}
	if !more && !w.q.Newest {
		next.Position = head.Position // everything up to there was looked at
	}
	if more || !w.q.Newest {
		next.Hash, err = hashAt(ctx, r, head, next.Position)
	}
	page := EventPage{Events: w.events, More: more}
	w.events = nil // whoever waits keeps nothing
	return page, next, err
}

// eventSpan is a range of positions, both ends not included, that is searched in
// one way.
type eventSpan struct {
	after, before int64
	keyed         bool // by the index, else one by one
}

// spans is what is left to look at, in order. What has no index yet, at the end of
// the chain, and what is near is looked at one by one.
func (w *eventWalk) spans(head *ChainHead, here int64) []eventSpan {
	after, before := here, head.Position+1
	if w.q.Newest {
		after, before = head.Base, here
	}
	indexed := min(head.Indexed, before-1)
	if !w.searches() || indexed-after <= int64(w.bounds.near) {
		return []eventSpan{{after, before, false}}
	}
	spans := []eventSpan{{after, indexed + 1, true}, {indexed, before, false}}
	if w.q.Newest {
		slices.Reverse(spans)
	}
	return spans
}

// searches reports whether an index can help.
func (w *eventWalk) searches() bool {
	q := w.q
	return w.user != 0 || q.Actor != "" || q.Reason != "" || q.Door != 0 || q.Origin != "" || w.exactType() != "" || !q.From.IsZero() || !q.To.IsZero()
}

// exactType is the type of all that is wanted, if there is just one.
func (w *eventWalk) exactType() EventType {
	if len(w.q.Types) == 1 && w.q.Types[0][len(w.q.Types[0])-1] != '*' {
		return w.q.Types[0]
	}
	return ""
}

// collect looks through the spans for one event more than the page has, and
// returns the last position that it looked at and whether it stopped there.
func (w *eventWalk) collect(ctx context.Context, r Reader, spans []eventSpan) (seen int64, more bool, err error) {
	budget := w.bounds.scan
	for _, span := range spans {
		whole := span
		if span.keyed {
			if span, err = w.inPeriod(ctx, r, span); err != nil {
				return 0, false, err
			}
		}
		for span.before-span.after > 1 && len(w.events) <= w.q.Limit {
			if budget <= 0 {
				return seen, true, nil
			}
			sel := w.selection(span, budget)
			found, err := r.FindEvents(ctx, w.tenant, sel)
			if err != nil {
				return 0, false, err
			}
			w.keep(found.Events)
			if !found.More {
				break
			}
			if seen = found.Seen; w.q.Newest {
				span.before = seen
			} else {
				span.after = seen
			}
			if budget -= len(found.Events); len(found.Events) < sel.Limit {
				budget = 0 // it looked at as much as it may
			}
		}
		if seen = whole.before - 1; w.q.Newest {
			seen = whole.after + 1
		}
	}
	return seen, false, nil
}

// inPeriod narrows a span to the period that is asked for.
func (w *eventWalk) inPeriod(ctx context.Context, r Reader, span eventSpan) (eventSpan, error) {
	if w.q.From.IsZero() && w.q.To.IsZero() {
		return span, nil
	}
	first, last, err := r.EventPeriod(ctx, w.tenant, w.q.From, w.q.To)
	if err != nil || last == 0 {
		return eventSpan{}, err
	}
	span.after, span.before = max(span.after, first-1), min(span.before, last+1)
	return span, nil
}

// selection is what the store is asked for.
func (w *eventWalk) selection(span eventSpan, budget int) EventSelection {
	sel := EventSelection{After: span.after, Before: span.before, Descending: w.q.Newest, Scan: budget, Limit: w.q.Limit + 1 - len(w.events)}
	if span.keyed {
		sel.User, sel.Actor, sel.Reason, sel.Door, sel.Origin = w.user, w.q.Actor, w.q.Reason, w.q.Door, w.q.Origin
		sel.Type, sel.From, sel.To = w.exactType(), w.q.From, w.q.To
	}
	if len(w.q.ExceptOrigins) > 0 || len(w.q.Types) > 0 && sel.Type == "" || w.searches() && !span.keyed {
		sel.Limit = max(sel.Limit, eventChunk)
	}
	sel.Limit = min(sel.Limit, budget)
	return sel
}

// keep adds what matches.
func (w *eventWalk) keep(list []Event) {
	for i := range list {
		if w.wants(&list[i]) {
			w.events = append(w.events, list[i])
		}
	}
}

// wants reports whether an event is one of those that are searched for.
func (w *eventWalk) wants(e *Event) bool {
	q := w.q
	return (w.user == 0 || e.User == w.user) && (q.Actor == "" || e.Actor == q.Actor) && (q.Reason == "" || e.Reason == q.Reason) &&
		(q.Door == 0 || e.Door == q.Door) && (q.Origin == "" || e.Origin == q.Origin) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) && (q.To.IsZero() || e.Time.Before(q.To)) && w.filter.match(e, nil)
}

// check refuses queries that select nothing by mistake.
func (q *EventQuery) check() error {
	if err := checkLimit(q.Limit); err != nil {
		return err
	}
	for _, text := range []struct{ name, value string }{{"actor", q.Actor}, {"reason", q.Reason}} {
		if err := CleanText(text.name, text.value, maxTextRunes); err != nil {
			return err
		}
	}
	if err := checkEventTypes("types", q.Types); err != nil {
		return err
	}
	if err := checkOrigins("except_origins", q.ExceptOrigins); err != nil {
		return err
	}
	if q.Origin != "" {
		if err := checkOrigin("origin", q.Origin); err != nil {
			return err
		}
	}
	switch {
	case q.Door != 0 && q.Door.String() == "":
		return Invalid("door", ReasonFieldValue, "There is no such door.")
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return Invalid("to", ReasonFieldValue, "The period must end after it begins.")
	case q.Wait < 0 || q.Wait > MaxFeedWait:
		return Invalid("wait", ReasonFieldValue, "wait must be from 0 to %d seconds.", int(MaxFeedWait.Seconds()))
	case q.Wait > 0 && q.Newest:
		return Invalid("wait", ReasonFieldValue, "What is newest first comes to an end: it is not waited for.")
	}
	return nil
}

// nameSelf puts the caller's own origin in the place of OriginSelf.
func (q *EventQuery) nameSelf(origin string) {
	if q.Origin == OriginSelf {
		q.Origin = origin
	}
	q.ExceptOrigins = withSelf(q.ExceptOrigins, origin)
}

// text is what a cursor of the query is bound to; "" for every event in order.
func (q *EventQuery) text(user int64) string {
	if user == 0 && q.Actor == "" && q.Reason == "" && q.Origin == "" && q.Door == 0 && len(q.Types) == 0 && len(q.ExceptOrigins) == 0 &&
		q.From.IsZero() && q.To.IsZero() && !q.Newest {
		return ""
	}
	return string(asJSON([]any{user, q.Actor, q.Reason, q.Origin, q.Door, q.Types, q.ExceptOrigins, q.From.UnixMicro(), q.To.UnixMicro(), q.Newest}))
}

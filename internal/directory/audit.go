package directory

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// audit is one walk along a chain. Each page is read in a snapshot of its own,
// with the head as it is then, so that the walk may take as long as it needs while
// servers write, and still ends at a head that has exactly these events.
type audit struct {
	tenant *Tenant
	report AuditReport
	done   bool

	begun  bool
	head   ChainHead
	at     int64  // the last position that was verified
	hash   []byte // of the event there
	points []Checkpoint
	next   int // of points: the first one that has not been met

	// erased are users with an erased event, and where the first one is that no
	// purge behind it excuses.
	erased map[int64]int64
	// waited are the ids of events that had no position when the walk began, and
	// where the walk met them.
	waited   map[string]int64
	epoch    int64 // what the chain and agreeing checkpoints say last
	dated    bool  // whether they say anything
	trimmed  *Event
	restarts []Checkpoint // signed declarations that a history went on from there
}

// waitingAtOnce is the most events without a position that an audit looks at.
const waitingAtOnce = 10_000

func newAudit(t *Tenant, checkpoints []Checkpoint) *audit {
	a := &audit{tenant: t, report: AuditReport{Tenant: t.No, Name: t.Name}, erased: map[int64]int64{}, waited: map[string]int64{}}
	for _, c := range checkpoints {
		if c.TenantID != t.ID {
			continue
		}
		a.points = append(a.points, c)
		if c.Restart != "" {
			a.restarts = append(a.restarts, c)
		}
	}
	slices.SortStableFunc(a.points, func(x, y Checkpoint) int { return cmp.Compare(x.Position, y.Position) })
	return a
}

// breakAt ends the walk: at a position something is wrong. There is none before 1.
func (a *audit) breakAt(position int64, format string, args ...any) {
	a.done = true
	a.report.Broken, a.report.Problem = max(position, 1), fmt.Sprintf(format, args...)
}

// read verifies the next page.
func (a *audit) read(ctx context.Context, r Reader) error {
	head, err := r.ChainHead(ctx, a.tenant.No)
	if err != nil {
		return err
	}
	after, overlap := int64(math.MinInt64), 0
	switch {
	case !a.begun:
		if err := a.begin(ctx, r, &head); err != nil {
			return err
		}
	case head.Base > a.at: // retention has overtaken the walk
		a.at, a.hash = head.Base, head.BaseHash
		after = a.at
	default:
		// The event that was verified last comes once more: another one at its
		// position would come with it.
		after = a.at - 1
		if a.at > head.Base {
			overlap = 1
		}
	}
	a.head = head
	events, err := r.Events(ctx, a.tenant.No, after, auditPage+overlap)
	if err != nil {
		return err
	}
	if overlap > 0 {
		if len(events) == 0 || !bytes.Equal(events[0].Hash, a.hash) || events[0].Position != a.at {
			a.breakAt(a.at, "the event has been changed or removed while it was verified")
			return nil
		}
	}
	for i := overlap; i < len(events) && !a.done; i++ {
		a.verify(&events[i])
	}
	if a.done || len(events) == auditPage+overlap {
		return nil
	}
	waiting, err := r.UnsealedEvents(ctx, a.tenant.No, waitingAtOnce)
	if err == nil {
		a.end(waiting)
	}
	return err
}

// begin notes where the chain begins.
func (a *audit) begin(ctx context.Context, r Reader, head *ChainHead) error {
	a.begun, a.at, a.hash = true, head.Base, head.BaseHash
	waiting, err := r.UnsealedEvents(ctx, a.tenant.No, waitingAtOnce)
	for i := range waiting {
		a.waited[waiting[i].ID] = 0
	}
	return err
}

// verify looks at the event that follows the last one.
func (a *audit) verify(e *Event) {
	switch {
	case e.Position <= a.head.Base:
		a.breakAt(e.Position, "there is an event, although the chain says that retention has removed all through position %d", a.head.Base)
	case e.Position > a.at+1:
		a.breakAt(a.at+1, "the event is missing; the next one there is has position %d", e.Position)
	case e.Position > a.head.Position:
		a.breakAt(e.Position, "there is an event behind the end of the chain, which is at position %d", a.head.Position)
	case e.Position <= a.at:
		a.breakAt(e.Position, "there are two events at this position")
	case !e.follows(a.hash):
		a.breakAt(e.Position, "%s", whyNot(e))
	}
	if a.done {
		return
	}
	if a.at, a.hash = e.Position, e.Hash; a.report.First == 0 {
		a.report.First = e.Position
	}
	a.report.Last = e.Position
	a.report.Events++
	a.note(e)
	a.compare()
}

// whyNot says what is wrong with an event that does not follow.
func whyNot(e *Event) string {
	switch {
	case e.Erased() && (e.Reason != "" || len(e.Payload) > 0):
		return "a part of the event's contents has been removed"
	case !e.Erased() && !bytes.Equal(e.PayloadHash, contentsHash(e)):
		return "the event's contents (reason or changes) are not those that were written"
	}
	return "the event has been changed, or is not the one that was written behind the event before it: its hash does not fit"
}

// note remembers what an event says about others.
func (a *audit) note(e *Event) {
	if _, waited := a.waited[e.ID]; waited {
		a.waited[e.ID] = e.Position
	}
	if e.Erased() {
		a.report.Erased++
		if _, known := a.erased[e.User]; !known {
			a.erased[e.User] = e.Position
		}
	}
	switch e.Type {
	case EventUserPurged:
		if e.User != 0 {
			delete(a.erased, e.User)
		}
	case EventFeedRestarted:
		a.epoch, a.dated = restartOf(e), true
	case EventFeedTrimmed:
		trimmed := *e
		a.trimmed = &trimmed
	}
}

// compare holds the checkpoints of the position that was reached, and of those
// that have been removed, against the chain.
func (a *audit) compare() {
	for ; a.next < len(a.points) && a.points[a.next].Position <= a.at && !a.done; a.next++ {
		c := &a.points[a.next]
		switch {
		case c.Position <= a.head.Base || a.excused(c):
		case c.Position == a.at && bytes.Equal(c.Hash, a.hash):
			a.report.Checkpoints++
			a.epoch, a.dated = c.Epoch, true
			if a.report.Covered != a.at || c.Time.Before(a.report.CoveredAt) {
				a.report.Covered, a.report.CoveredAt = a.at, c.Time
			}
		default:
			a.breakAt(c.Position, "the checkpoint of %s has another hash: an event from position %d to here has been changed, with all hashes behind it",
				c.Time.Format(time.RFC3339), a.report.Covered+1)
		}
	}
}

// excused reports whether the history that a checkpoint knows was given up before
// its position, by a signed declaration.
func (a *audit) excused(c *Checkpoint) bool {
	return slices.ContainsFunc(a.restarts, func(r Checkpoint) bool { return r.Epoch > c.Epoch && r.Position <= c.Position })
}

// end looks at what only the whole chain can show.
func (a *audit) end(waiting []Event) {
	a.done = true
	a.report.Waiting = len(waiting)
	if a.at != a.head.Position {
		a.breakAt(a.at+1, "the event is missing, and all behind it; the chain ends at position %d", a.head.Position)
		return
	}
	if !bytes.Equal(a.hash, a.head.Hash) {
		a.breakAt(max(a.at, 1), "the end of the chain has another hash than the last event")
		return
	}
	for _, step := range []func(){func() { a.settle(waiting) }, a.checkBase, a.checkRest, func() { a.checkEpoch(waiting) }, func() { a.checkWaiting(waiting) }} {
		if step(); a.report.Broken != 0 {
			return
		}
	}
}

// settle requires a purge for what was erased. That of an erasure that was
// committed a moment ago may wait for its position.
func (a *audit) settle(waiting []Event) {
	for i := range waiting {
		if waiting[i].Type == EventUserPurged && waiting[i].User != 0 {
			delete(a.erased, waiting[i].User)
		}
	}
	for user, position := range a.erased {
		if a.report.Broken == 0 || position < a.report.Broken {
			a.breakAt(position, "the event's contents have been removed, but no purge of user %d behind it says so", user)
		}
	}
}

// checkBase requires that retention has recorded where it ended.
func (a *audit) checkBase() {
	base, hash := int64(0), ""
	if a.trimmed != nil {
		base, hash = trimOf(a.trimmed)
	}
	if base != a.head.Base || hash != hex.EncodeToString(a.head.BaseHash) {
		a.breakAt(a.head.Base+1, "the chain begins behind position %d, but the last record of retention says %d: events have been removed by something else",
			a.head.Base, base)
	}
}

// trimOf is the base, and its hash in hexadecimal, that a feed.trimmed event says.
func trimOf(e *Event) (base int64, hash string) {
	base, err := strconv.ParseInt(string(payloadChange(e, trimBase)), 10, 64)
	if err != nil || json.Unmarshal(payloadChange(e, trimBaseHash), &hash) != nil {
		return 0, ""
	}
	return base, hash
}

// checkEpoch requires that each change of epoch is in the chain, unless retention
// may have removed it. That of a moment ago may wait for its position.
func (a *audit) checkEpoch(waiting []Event) {
	restarts := slices.ContainsFunc(waiting, func(e Event) bool { return e.Type == EventFeedRestarted })
	if a.head.Epoch != a.epoch && (a.dated || a.head.Base == 0) && !restarts {
		a.breakAt(a.at, "the chain has epoch %d, but its last restart or checkpoint says %d", a.head.Epoch, a.epoch)
	}
}

// checkRest looks at checkpoints of what is not there.
func (a *audit) checkRest() {
	for i := range a.points {
		c := &a.points[i]
		switch {
		case a.excused(c):
		case c.Position > a.at:
			a.breakAt(a.at+1, "the checkpoint of %s knows position %d, the chain ends at %d: events have been removed, or a backup was restored (then: usher audit restart)",
				c.Time.Format(time.RFC3339), c.Position, a.at)
			return
		case c.Epoch > a.head.Epoch:
			a.breakAt(c.Position, "the checkpoint of %s knows a later history (epoch %d) than the chain (epoch %d): has a backup been restored? (then: usher audit restart)",
				c.Time.Format(time.RFC3339), c.Epoch, a.head.Epoch)
			return
		}
	}
}

// checkWaiting requires that what waits for a position is not in the chain.
func (a *audit) checkWaiting(waiting []Event) {
	for i := range waiting {
		if position := a.waited[waiting[i].ID]; position != 0 {
			a.breakAt(a.at+1, "an event that waits for its position is a copy of the one at position %d", position)
			return
		}
	}
}

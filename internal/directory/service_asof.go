package directory

import (
	"context"
	"encoding/json"
	"time"
)

// PastUser is a user as it was, without what events do not keep: Seat, AuthEpoch
// and EmailClaimed are zero. UpdatedAt is the time of the event before the moment.
type PastUser struct {
	User
	// At is the moment, and Event the id of the last event of that moment or before;
	// "" when that one has been removed since.
	At    time.Time
	Event string
	// Unknown are fields whose value then is not kept and which are zero: it was too
	// long for an event, or held a secret.
	Unknown FieldSet
}

// maxPastEvents is the most events of a user that are taken back.
const maxPastEvents = 50_000

// UserAt is a user as it was at a moment: the present one, which may be in the
// recycle bin, with every later change taken back. Later is what comes behind the
// last event of that moment or before in the order of the feed, whatever a clock
// that jumped says. Whoever may read a user may read what it was. Errors:
// user.not_found, before it was made too; history.gone when it was purged or the
// events since have been removed; invalid for a moment that is yet to come;
// history.too_long; feed.busy when too many searches wait.
func (s *Service) UserAt(ctx context.Context, call *Call, ref UserRef, at time.Time) (PastUser, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return PastUser{}, err
	}
	at = at.UTC().Truncate(time.Microsecond)
	if at.After(s.now()) {
		return PastUser{}, Invalid("at", ReasonFieldValue, "at is yet to come.")
	}
	var present User
	if err := s.store.View(ctx, func(r Reader) (err error) {
		present, err = pastUser(ctx, r, call, ref)
		return err
	}); err != nil {
		return PastUser{}, err
	}
	// Whatever the row shows has its event by now; what came since, the walk leaves out.
	if err := s.findable(ctx, present.Tenant); err != nil {
		return PastUser{}, err
	}
	return s.takeBack(ctx, &present, at)
}

// pastUser reads the user whose past is asked for, as find does, in the recycle
// bin too.
func pastUser(ctx context.Context, r Reader, call *Call, ref UserRef) (User, error) {
	if call.Actor.selfOnly && ref.Number != 0 && ref.Number != call.Actor.User {
		return User{}, errSelfOnly()
	}
	ref = call.own(ref)
	u, err := lookUp(ctx, r, call.Actor.Tenant, ref)
	if IsReason(err, ReasonUserNotFound) && call.Actor.Root == 0 && !call.Actor.selfOnly {
		return User{}, goneOr(ctx, r, call.Actor.Tenant, ref, err)
	}
	if err == nil {
		err = visible(ctx, r, call.Actor, &u)
	}
	if call.Actor.selfOnly && (err != nil || u.Number != call.Actor.User) && isRefusal(err) {
		return User{}, errSelfOnly()
	}
	return u, err
}

// goneOr is history.gone for a user that was purged, else the error.
func goneOr(ctx context.Context, r Reader, t TenantNo, ref UserRef, otherwise error) error {
	purged, err := erased(ctx, r, t, ref)
	switch {
	case err != nil:
		return err
	case purged != 0:
		return errHistoryGone()
	}
	return otherwise
}

// erased is the number of the user that was purged, which ref names by number or
// by id; 0 for none.
func erased(ctx context.Context, r Reader, t TenantNo, ref UserRef) (int64, error) {
	id := ""
	if ref.Number == 0 && ref.ID != "" {
		id, _ = presetID(ref.ID) // "" for what is none
	}
	if id == "" && (ref.Number <= 0 || ref.Number > MaxNumber) {
		return 0, nil
	}
	return r.Purged(ctx, t, ref.Number, id)
}

func errHistoryGone() error {
	return Wrong(CodeNotFound, ReasonHistoryGone, "What the user was then is not kept any more.")
}

// takeBack walks a user's events from the newest back to a moment.
func (s *Service) takeBack(ctx context.Context, present *User, at time.Time) (PastUser, error) {
	p := PastUser{User: *present, At: at}
	p.Seat, p.AuthEpoch, p.EmailClaimed = 0, 0, false
	back := &takingBack{past: &p, current: present.Version, at: at}
	q := EventQuery{Newest: true, Limit: eventChunk}
	w := &eventWalk{tenant: present.Tenant, q: &q, user: present.Number, bounds: s.searches}
	for {
		done, more, err := s.takePageBack(ctx, w, back)
		if done || err != nil {
			return p, err
		}
		if !more {
			return p, s.atBase(ctx, back)
		}
	}
}

// takePageBack takes back the next page of events, in this search's turn: a long
// history is much to read, and more to take back.
func (s *Service) takePageBack(ctx context.Context, w *eventWalk, back *takingBack) (done, more bool, err error) {
	leave, err := s.turns.enter(ctx, w.tenant)
	if err != nil {
		return false, false, err
	}
	defer leave()
	page, err := w.snapshot(ctx, s.store, atOnce)
	for i := 0; i < len(page.Events) && !done && err == nil; i++ {
		done, err = back.event(&page.Events[i])
	}
	return done, page.More, err
}

// takingBack is the state of such a walk.
type takingBack struct {
	past    *PastUser
	current int64 // version of the row that the walk began with
	at      time.Time
	taken   int
	changed bool // an event of a change was taken back
}

// event takes an event back, or reports that there is no need to any more.
func (b *takingBack) event(e *Event) (done bool, err error) {
	p := b.past
	var contents eventContents
	if e.Erased() || json.Unmarshal(e.Payload, &contents) != nil {
		return false, errHistoryGone()
	}
	if contents.Version > b.current {
		return false, nil // came after the row was read
	}
	b.taken++
	if p.Event == "" && !e.Time.After(b.at) {
		p.Event, p.UpdatedAt = e.ID, e.Time
	}
	switch {
	case p.Event != "" && (p.State != StateDeleted || !p.DeletedAt.IsZero() || b.taken > maxPastEvents):
		return true, nil
	case p.Event != "" && e.Type == EventUserDeleted: // that is all that was missing
		p.DeletedAt = e.Time
		return true, nil
	case p.Event != "":
		return false, nil
	case b.taken > maxPastEvents:
		return false, Wrong(CodeUnsupported, ReasonHistoryTooLong, "The user has changed more than %d times since.", maxPastEvents)
	case e.Type == EventUserCreated:
		return false, errNoUser()
	}
	b.changed = b.changed || len(contents.Changes) > 0
	was := p.State
	p.undo(&contents)
	if p.State != StateDeleted || was != StateDeleted {
		p.DeletedAt = time.Time{}
	}
	return false, nil
}

// atBase decides what is known once all events of the user that there are were
// looked at: that it was so at the moment, if the events since are all there.
func (s *Service) atBase(ctx context.Context, b *takingBack) error {
	if b.past.Event != "" {
		return nil
	}
	var head ChainHead
	var first []Event
	err := s.store.View(ctx, func(r Reader) (err error) {
		if head, err = r.ChainHead(ctx, b.past.Tenant); err == nil {
			first, err = r.Events(ctx, b.past.Tenant, head.Base, 1)
		}
		return err
	})
	if err != nil {
		return err
	}
	if head.Base == 0 || len(first) == 0 || first[0].Time.After(b.at) {
		return errHistoryGone()
	}
	if b.changed {
		b.past.UpdatedAt = time.Time{}
		b.past.Unknown |= Fields(FieldUpdatedAt)
	}
	return nil
}

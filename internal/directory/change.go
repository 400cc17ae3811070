package directory

import (
	"context"
	"crypto/rand"
)

// edit is what one run of a change closure decided besides the user's fields.
type edit struct {
	event      EventType
	subject    string
	changes    changes // beyond what comparing the user rows shows
	claim      bool    // a taken e-mail is an error
	handles    bool    // identifiers may have to move
	newEmail   bool    // the e-mail was set: decide again whether it is claimed
	endSession bool    // raise the auth epoch
	seat       bool    // state or licence type may have changed: settle the seat
	after      func(tx Tx) error
	// changed, if set, is told which fields differ.
	changed func(FieldSet)
}

// change is how a use case changes a user: in a transaction of its own. fn may
// run twice.
func (s *Service) change(ctx context.Context, call *Call, action Action, ref UserRef, fn func(tx Tx, u *User, e *edit) error) (User, error) {
	var result User
	var wrote bool
	err := s.store.Update(ctx, func(tx Tx) (err error) {
		result, wrote, err = s.changeIn(ctx, tx, call, action, ref, func(u *User, e *edit) error {
			if err := call.If.check(u.Version); err != nil {
				return err
			}
			return fn(tx, u, e)
		})
		return err
	})
	call.Changed = err == nil && wrote
	s.jobsAdded(call, err)
	return result, err
}

// changeIn changes a user inside of a transaction: lock the row, check the
// policy, let fn edit a copy, and write what follows from the difference in a
// fixed order: handles, event, seat, user row. Without a difference nothing is
// written, no version rises and no event is made. It returns the user as it is
// now and whether anything was written.
func (s *Service) changeIn(ctx context.Context, tx Tx, call *Call, action Action, ref UserRef, fn func(u *User, e *edit) error) (User, bool, error) {
	before, err := s.lockTarget(ctx, tx, call, action, ref)
	if err != nil {
		return User{}, false, err
	}
	after, e := before, edit{}
	if err := fn(&after, &e); err != nil {
		return User{}, false, err
	}
	diff := e.changes
	diff.compare(&before, &after)
	if e.changed != nil {
		e.changed(diff.set)
	}
	if diff.set == 0 && !e.endSession {
		return before, false, nil
	}
	if call.Actor.selfOnly && diff.set&^selfFields != 0 && action != ActReplaceOwnPassword {
		return User{}, false, Wrong(CodeForbidden, ReasonFieldRights, "The caller may not change these fields of its own record.")
	}
	if call.Actor.provisions && after.Rank > before.Rank {
		return User{}, false, errProvisioning()
	}
	after.UpdatedAt = s.now()
	if diff.set != 0 {
		after.Version++
		diff.version = after.Version
	}
	e.event = diff.event(e.event)
	if diff.set&doorVersionFields != 0 {
		after.DoorVersion++
	}
	if e.endSession {
		after.AuthEpoch++
	}
	err = s.writeChange(ctx, tx, call, &before, &after, &e, &diff)
	return after, true, err
}

// writeChange writes an edited user and all that belongs to the edit.
func (s *Service) writeChange(ctx context.Context, tx Tx, call *Call, before, after *User, e *edit, diff *changes) error {
	if e.newEmail {
		if err := claimEmail(ctx, tx, after, e.claim); err != nil {
			return err
		}
	}
	if e.handles {
		if err := moveHandles(ctx, tx, handlesOf(before), handlesOf(after), after.Tenant); err != nil {
			return err
		}
	}
	if before.Email != after.Email || after.Rank > before.Rank {
		// A link that went to the old address is in somebody else's hands now, and
		// one that was made for a person without rank must not be good for more.
		if err := tx.DeleteTokens(ctx, after.Tenant, after.Number, TokenReset); err != nil {
			return err
		}
	}
	if e.after != nil {
		if err := e.after(tx); err != nil {
			return err
		}
	}
	if err := s.record(ctx, tx, call, e.event, onUser(after), e.subject, diff); err != nil {
		return err
	}
	if err := s.enqueueExpiry(ctx, tx, call, before, after); err != nil {
		return err
	}
	if e.seat {
		if err := settleSeat(ctx, tx, before, after); err != nil {
			return err
		}
	}
	return tx.UpdateUser(ctx, *before, *after)
}

// topic is whom or what an event is about, for those who look for it.
type topic struct {
	user    int64
	userID  string
	company int64
}

// onUser is the topic of what happens to a user, as it is afterwards.
func onUser(u *User) topic { return topic{user: u.Number, userID: u.ID, company: u.Company} }

// onCompany is the topic of what happens to a company or what belongs to it.
func onCompany(number int64) topic { return topic{company: number} }

// record writes the event of a change.
func (s *Service) record(ctx context.Context, tx Tx, call *Call, kind EventType, on topic, subject string, diff *changes) error {
	if !eventsAreKept {
		return nil
	}
	return tx.InsertEvent(ctx, s.event(call, kind, on, subject, diff))
}

// event is the event of a change.
func (s *Service) event(call *Call, kind EventType, on topic, subject string, diff *changes) Event {
	salt := make([]byte, eventSaltBytes)
	rand.Read(salt) // never fails (crypto/rand)
	return Event{
		Tenant: call.Actor.Tenant, ID: s.opts.NewID(), Type: kind, User: on.user, UserID: on.userID, Company: on.company, Subject: subject,
		Door: call.Door, Actor: call.Actor.Name, Origin: call.Actor.origin(), OnBehalfOf: call.Actor.OnBehalfOf, Reason: call.Reason,
		RequestID: call.RequestID, Time: s.now(), Salt: salt, Payload: diff.payload(),
	}
}

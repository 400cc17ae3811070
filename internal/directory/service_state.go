package directory

import (
	"context"
	"time"
)

// Activate makes a user active; an active one stays as it is. Errors:
// user.not_found, seat.exhausted, seat.not_entitled, forbidden.
func (s *Service) Activate(ctx context.Context, call *Call, ref UserRef) (User, error) {
	if err := s.enter(ctx, call, ActActivate); err != nil {
		return User{}, err
	}
	return s.move(ctx, call, ref, VerbActivate)
}

// Deactivate makes a user inactive: it keeps its handles, frees its seat and
// ends its sessions. An inactive one stays as it is. Errors: user.not_found,
// owner.protected, forbidden.
func (s *Service) Deactivate(ctx context.Context, call *Call, ref UserRef) (User, error) {
	if err := s.enter(ctx, call, ActDeactivate); err != nil {
		return User{}, err
	}
	return s.move(ctx, call, ref, VerbDeactivate)
}

// DeleteUser puts a user into the recycle bin: its handles are free at once.
// A deleted one answers user.deleted. Errors as for Deactivate.
func (s *Service) DeleteUser(ctx context.Context, call *Call, ref UserRef) (User, error) {
	if err := s.enter(ctx, call, ActDelete); err != nil {
		return User{}, err
	}
	return s.move(ctx, call, ref, VerbDelete)
}

// RestoreUser takes a user out of the recycle bin, as inactive. Errors: the
// taken reasons when somebody else has one of its handles now.
func (s *Service) RestoreUser(ctx context.Context, call *Call, ref UserRef) (User, error) {
	if err := s.enter(ctx, call, ActRestore); err != nil {
		return User{}, err
	}
	return s.move(ctx, call, ref, VerbRestore)
}

// move runs one verb of the state machine.
func (s *Service) move(ctx context.Context, call *Call, ref UserRef, verb Verb) (User, error) {
	return s.change(ctx, call, verbAction(verb), ref, func(tx Tx, u *User, e *edit) error {
		return s.step(ctx, tx, u, e, verb)
	})
}

// step edits a user as a verb says.
func (s *Service) step(ctx context.Context, tx Tx, u *User, e *edit, verb Verb) error {
	if u.State == verbTarget[verb] && u.State != StateDeleted {
		return nil
	}
	step, allowed := transitions[verb][u.State]
	if !allowed && u.State == StateDeleted {
		return errDeleted()
	}
	if !allowed {
		return Wrong(CodeConflict, ReasonStateNotAllowed, "A user that is %s cannot be %sd.", u.State, verb)
	}
	if err := heldFor(ctx, tx, u, verb); err != nil {
		return err
	}
	u.State = step.to
	if step.to == StateDeleted {
		u.DeletedAt = s.now()
	} else if step.effects&claimsHandles != 0 {
		// Only an address that was its handle must come back as one.
		u.DeletedAt, e.newEmail, e.claim = time.Time{}, true, u.EmailClaimed
	}
	e.event, e.endSession = step.event, step.effects&endsSessions != 0
	e.seat = step.effects&(takesSeat|freesSeat) != 0
	e.handles = step.effects&(claimsHandles|releasesHandles) != 0
	return nil
}

// verbAction is the action of a verb, the same from whatever state.
func verbAction(verb Verb) Action {
	for _, step := range transitions[verb] {
		return step.action
	}
	return 0
}

// PurgeUser erases a deleted user for good, and what its events say; its id and
// number are never given again. Errors: user.not_found; state.not_allowed unless
// it was deleted.
func (s *Service) PurgeUser(ctx context.Context, call *Call, ref UserRef) error {
	if err := s.enter(ctx, call, ActDelete); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		u, err := s.lockTarget(ctx, tx, call, ActDelete, ref)
		if err != nil {
			return err
		}
		if err := call.If.check(u.Version); err != nil {
			return err
		}
		if _, allowed := transitions[VerbPurge][u.State]; !allowed {
			return Wrong(CodeConflict, ReasonStateNotAllowed, "Only a deleted user can be purged.")
		}
		if err := heldFor(ctx, tx, &u, VerbPurge); err != nil {
			return err
		}
		return s.purge(ctx, tx, call, u)
	})
}

// purge erases a user. Of its events the envelopes stay, so that the chain still
// verifies; of this one too.
func (s *Service) purge(ctx context.Context, tx Tx, call *Call, u User) error {
	if err := s.record(ctx, tx, call, EventUserPurged, onUser(&u), "", &changes{}); err != nil {
		return err
	}
	if err := tx.DeleteUser(ctx, u); err != nil {
		return err
	}
	return tx.EraseEvents(ctx, u.Tenant, u.Number)
}

// errSelfLock refuses to lock oneself out (docs/dialects/servicemobility.md 5.15).
func errSelfLock() error {
	return Wrong(CodeConflict, ReasonSelfLock, "Nobody can lock itself out.")
}

// Lock locks a user out, with an optional reason (0: none) that belongs to the
// user's company or one above it; any other is lock_reason.not_found. Of a
// locked user the reason is replaced.
func (s *Service) Lock(ctx context.Context, call *Call, ref UserRef, reason int64) (User, error) {
	if err := s.enter(ctx, call, ActLock); err != nil {
		return User{}, err
	}
	return s.change(ctx, call, ActLock, ref, func(tx Tx, u *User, e *edit) error {
		return lockStep(ctx, tx, call, u, e, reason)
	})
}

// lockStep edits a user as Lock says.
func lockStep(ctx context.Context, tx Tx, call *Call, u *User, e *edit, reason int64) error {
	if u.State == StateDeleted {
		return errDeleted()
	}
	if reason != 0 {
		if err := reasonFits(ctx, tx, u, reason); err != nil {
			return err
		}
	}
	if call.Actor.User == u.Number && !u.Locked {
		return errSelfLock()
	}
	e.event, e.endSession = EventUserLocked, !u.Locked
	u.Locked, u.LockReason = true, reason
	return nil
}

// reasonFits checks that a lock reason serves the user's company.
func reasonFits(ctx context.Context, r Reader, u *User, number int64) error {
	reason, err := r.LockReason(ctx, u.Tenant, number)
	if err != nil {
		return notFound(err, ReasonLockReasonNotFound, noLockReason)
	}
	company, err := r.Company(ctx, u.Tenant, u.Company)
	if err != nil {
		return notFound(err, ReasonCompanyNotFound, "Company not found.")
	}
	for _, ancestor := range company.Path {
		if ancestor == reason.Company {
			return nil
		}
	}
	return Wrong(CodeNotFound, ReasonLockReasonNotFound, noLockReason)
}

// Unlock lets a locked user in again; an unlocked one stays as it is.
func (s *Service) Unlock(ctx context.Context, call *Call, ref UserRef) (User, error) {
	if err := s.enter(ctx, call, ActUnlock); err != nil {
		return User{}, err
	}
	return s.change(ctx, call, ActUnlock, ref, func(_ Tx, u *User, e *edit) error { return unlockStep(u, e) })
}

// unlockStep edits a user as Unlock says.
func unlockStep(u *User, e *edit) error {
	if u.State == StateDeleted {
		return errDeleted()
	}
	e.event = EventUserUnlocked
	u.Locked, u.LockReason = false, 0
	return nil
}

// LockStatus is whether a user is locked and why.
type LockStatus struct {
	Locked bool
	Reason LockReason // Number 0 when there is none, or it was deleted
}

// LockStatus reads a user's lock. Errors as for User.
func (s *Service) LockStatus(ctx context.Context, call *Call, ref UserRef) (LockStatus, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return LockStatus{}, err
	}
	var status LockStatus
	err := s.store.View(ctx, func(r Reader) error {
		u, err := s.find(ctx, r, call, ref)
		if err != nil {
			return err
		}
		status, err = lockStatus(ctx, r, &u)
		return err
	})
	return status, err
}

// lockStatus reads the reason of a user's lock; one that was deleted since is
// left out.
func lockStatus(ctx context.Context, r Reader, u *User) (LockStatus, error) {
	status := LockStatus{Locked: u.Locked}
	if !u.Locked || u.LockReason == 0 {
		return status, nil
	}
	reason, err := r.LockReason(ctx, u.Tenant, u.LockReason)
	if err != nil && CodeOf(notFound(err, ReasonLockReasonNotFound, "")) == CodeNotFound {
		return status, nil
	}
	status.Reason = reason
	return status, err
}

// SignOutEverywhere ends every session and token of a user in every process.
func (s *Service) SignOutEverywhere(ctx context.Context, call *Call, ref UserRef) error {
	if err := s.enter(ctx, call, ActSignOut); err != nil {
		return err
	}
	_, err := s.change(ctx, call, ActSignOut, ref, func(_ Tx, u *User, e *edit) error { return signOutStep(u, e) })
	return err
}

// signOutStep edits a user as SignOutEverywhere says.
func signOutStep(u *User, e *edit) error {
	if u.State == StateDeleted {
		return errDeleted()
	}
	e.event, e.endSession = EventSignedOut, true
	return nil
}

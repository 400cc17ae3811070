package directory

import (
	"context"
	"errors"
	"fmt"
)

// askedBy is who makes a call, for what is done later in that name.
func askedBy(call *Call) Asker {
	return Asker{Name: call.Actor.Name, OnBehalfOf: call.Actor.OnBehalfOf, User: call.Actor.User, Credential: call.Actor.through, Door: call.Door.String()}
}

// system reports whether it is the server's operator, or the server itself: every
// other caller is a person or came with a credential.
func (a *Asker) system() bool { return a.User == 0 && a.Credential == "" }

// action is what the policy says about making a run and working on it.
func (r *BulkRun) action() Action { return bulkAction(r.Kind) }

func bulkAction(kind BulkKind) Action {
	if kind == BulkImport {
		return ActImport
	}
	return ActBulk
}

// requestID and reason are what the events of a run say. No other run has its
// reason, by which they are found again (UndoRecords).
func (r *BulkRun) requestID() string { return "bulk:" + r.ID }

func (r *BulkRun) reason() string {
	why := r.Reason
	switch {
	case why != "":
	case r.Kind == BulkImport:
		why = "import " + r.Name
	default:
		why = string(r.Deed.Verb)
	}
	return fmt.Sprintf("%s (%s)", firstRunes(why, maxBulkText), r.requestID())
}

// maxBulkText is the most characters of a run's name, and of what its events say
// of why it was asked for: with the run's id a reason can still be searched for.
const maxBulkText = 200

// askersCall is a call in the name of who asked for a run, with the rights that
// they have at this moment: it is made anew for every page. A session that has
// ended since, a new password and a temporary one's being replaced do not end a run;
// what takes the right away does. The call passes enter and enterWhole as one that
// came with a credential. Errors: bulk.asker, with a message for people, when they
// may not do it any more.
func (s *Service) askersCall(ctx context.Context, run *BulkRun) (*Call, error) {
	call := &Call{Door: doorNamed(run.By.Door), RequestID: run.requestID(), Reason: run.reason(), asked: true}
	call.Actor = Actor{Tenant: run.Tenant}
	if err := s.useTenant(ctx, call, -1); err != nil {
		return nil, err
	}
	err := s.admitAsker(ctx, call, &run.By)
	if err == nil {
		err = call.permit(run.action())
	}
	if err == nil && call.Actor.Root != 0 {
		err = errWholeTenant()
	}
	switch CodeOf(err) {
	case CodeForbidden, CodeUnauthenticated:
		return nil, Wrong(CodeForbidden, ReasonBulkAsker, "Who asked for it may not do it any more. %s", AsError(err).Message)
	}
	return call, err
}

// admitAsker makes who asked the actor of a call, if they may still act.
func (s *Service) admitAsker(ctx context.Context, call *Call, by *Asker) error {
	if by.system() {
		call.trusted = true
		call.Actor.Name, call.Actor.Rank, call.Actor.Scopes = by.Name, RankOwner, AllScopes
		return nil
	}
	if call.tenant.Disabled || !call.tenant.Doors.Has(call.Door) {
		return errDoorClosed()
	}
	var credential Credential
	if by.Credential != "" {
		err := s.store.Read(ctx, func(r Reader) (err error) {
			credential, err = r.Credential(ctx, call.Actor.Tenant, by.Credential)
			return err
		})
		if errors.Is(err, ErrNotFound) {
			return Wrong(CodeUnauthenticated, ReasonCredentialInvalid, "The credential was revoked.")
		}
		if err == nil {
			err = s.validNow(call, &credential)
		}
		if err != nil {
			return err
		}
	}
	if by.User == 0 {
		call.Actor = keyAsActor(&credential)
	} else if err := s.admitPerson(ctx, call, by.User); err != nil {
		return err
	} else if by.Credential != "" {
		call.Actor = within(call.Actor, &credential)
	}
	call.Actor.Name, call.Actor.OnBehalfOf = by.Name, by.OnBehalfOf
	call.Actor.provisions = call.Door == DoorSCIM
	return nil
}

// admitPerson makes a user the actor of a call, if the user may still act.
func (s *Service) admitPerson(ctx context.Context, call *Call, number int64) error {
	var u User
	err := s.store.Read(ctx, func(r Reader) (err error) {
		u, err = r.UserByNumber(ctx, call.Actor.Tenant, number)
		return err
	})
	if errors.Is(err, ErrNotFound) || err == nil && !u.Usable(s.now()) {
		return Wrong(CodeUnauthenticated, ReasonCredentialInvalid, "The person's account is not active, or is locked.")
	}
	call.Actor = personOf(&u)
	return err
}

// doorNamed is the door of a name; 0 for none.
func doorNamed(name string) Door {
	for d, n := range doorNames {
		if n == name {
			return d
		}
	}
	return 0
}

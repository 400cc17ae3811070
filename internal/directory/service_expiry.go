package directory

import (
	"context"
	"errors"
	"time"
)

// Expire does a job of the kind expiry: it moves the user's state if a date has
// come. A date that was moved since has a job of its own. Only the server itself
// can. Errors: those of Activate and Deactivate; owner.protected, with a method
// Permanent, of the account owner.
func (s *Service) Expire(ctx context.Context, call *Call, job Job) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	var u User
	err := s.store.Read(ctx, func(r Reader) (err error) {
		u, err = r.UserByNumber(ctx, job.Tenant, job.User)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil // erased since
	}
	if err != nil {
		return err
	}
	verb, why := s.dueVerb(&u)
	if verb == "" {
		return nil
	}
	own := byItself(job.Tenant, "expiry")
	own.Reason = why
	action := verbAction(verb)
	if err := s.enter(ctx, own, action); err != nil {
		return err
	}
	_, err = s.change(ctx, own, action, ByNumber(u.Number), func(tx Tx, u *User, e *edit) error {
		if now, _ := s.dueVerb(u); now != verb {
			return nil // somebody moved the date or the user since
		}
		return s.step(ctx, tx, u, e, verb)
	})
	switch {
	case IsReason(err, ReasonUserNotFound):
		return nil
	case IsReason(err, ReasonOwnerProtected):
		return hopeless{err}
	}
	return err
}

// dueVerb is what a user's dates ask for now, and why; "" for nothing.
func (s *Service) dueVerb(u *User) (verb Verb, why string) {
	now := s.now()
	come := func(date time.Time) bool { return !date.IsZero() && !now.Before(date) }
	switch {
	case come(deactivatesAt(u)):
		return VerbDeactivate, "expires_at has come"
	case come(activatesAt(u)):
		return VerbActivate, "valid_from has come"
	}
	return "", ""
}

// activatesAt and deactivatesAt are when a user's dates move its state; zero for
// never.
func activatesAt(u *User) time.Time {
	if u.State == StateStaged {
		return u.ValidFrom
	}
	return time.Time{}
}

func deactivatesAt(u *User) time.Time {
	if u.State == StateStaged || u.State == StateActive {
		return u.ExpiresAt
	}
	return time.Time{}
}

// enqueueExpiry writes a job for each date that a change has made one to wait
// for. One that has passed is due at once.
func (s *Service) enqueueExpiry(ctx context.Context, tx Tx, call *Call, before, after *User) error {
	if after.ValidFrom.IsZero() && after.ExpiresAt.IsZero() {
		return nil // as nearly all users
	}
	for _, date := range [...]struct{ before, after time.Time }{
		{activatesAt(before), activatesAt(after)}, {deactivatesAt(before), deactivatesAt(after)},
	} {
		if date.after.IsZero() || date.after.Equal(date.before) {
			continue
		}
		job := Job{Tenant: after.Tenant, ID: s.opts.NewID(), Kind: JobExpiry, User: after.Number, RunAt: date.after, CreatedAt: s.now()}
		if !job.RunAt.After(job.CreatedAt) {
			job.RunAt, call.jobs = job.CreatedAt, true
		}
		if err := tx.InsertJob(ctx, job); err != nil {
			return err
		}
	}
	return nil
}

// hopeless is an error that no repetition of a job can mend.
type hopeless struct{ error }

// Unwrap gives the error itself.
func (e hopeless) Unwrap() error { return e.error }

// Permanent tells whoever does jobs to give this one up.
func (hopeless) Permanent() bool { return true }

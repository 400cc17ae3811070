package directory

import (
	"context"
	"errors"
	"fmt"
)

// LockReasons lists a company's own lock reasons in order of number.
func (s *Service) LockReasons(ctx context.Context, call *Call, company int64) ([]LockReason, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return nil, err
	}
	var list []LockReason
	err := s.store.View(ctx, func(r Reader) error {
		if _, err := companyInScope(ctx, r, call.Actor, company); err != nil {
			return err
		}
		var err error
		list, err = r.LockReasons(ctx, call.Actor.Tenant, company)
		return err
	})
	return list, err
}

// LockReason reads one of a company's own. Errors: company.not_found,
// lock_reason.not_found.
func (s *Service) LockReason(ctx context.Context, call *Call, company, number int64) (LockReason, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return LockReason{}, err
	}
	var reason LockReason
	err := s.store.View(ctx, func(r Reader) (err error) {
		reason, err = ownLockReason(ctx, r, call, company, number)
		return err
	})
	return reason, err
}

// noLockReason is the message of lock_reason.not_found.
const noLockReason = "Lock reason not found."

func ownLockReason(ctx context.Context, r Reader, call *Call, company, number int64) (LockReason, error) {
	if _, err := companyInScope(ctx, r, call.Actor, company); err != nil {
		return LockReason{}, err
	}
	missing := Wrong(CodeNotFound, ReasonLockReasonNotFound, noLockReason)
	if number <= 0 || number > MaxNumber {
		return LockReason{}, missing
	}
	reason, err := r.LockReason(ctx, call.Actor.Tenant, number)
	if errors.Is(err, ErrNotFound) || err == nil && reason.Company != company {
		return LockReason{}, missing
	}
	return reason, err
}

// CreateLockReason makes a lock reason for a company and all below it. Its
// name is unique in the company. A set number is kept when free.
func (s *Service) CreateLockReason(ctx context.Context, call *Call, in LockReason) (LockReason, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return LockReason{}, err
	}
	if err := s.replayed(ctx, call); err != nil {
		return LockReason{}, err
	}
	if err := checkLockReason(&in); err != nil {
		return LockReason{}, err
	}
	if err := checkNumber(FieldNumber.String(), in.Number); err != nil {
		return LockReason{}, err
	}
	in.Tenant, in.Version = call.Actor.Tenant, 1
	var made LockReason
	err := s.once(ctx, call, func(tx Tx) (any, error) {
		next := in
		if _, err := companyInScope(ctx, tx, call.Actor, in.Company); err != nil {
			return nil, err
		}
		if err := lockReasonFree(ctx, tx, &next); err != nil {
			return nil, err
		}
		err := numberFor(ctx, tx, next.Tenant, NumberLockReason, &next.Number, func(n int64) error {
			_, err := tx.LockReason(ctx, next.Tenant, n)
			return err
		})
		if err != nil {
			return nil, err
		}
		made = next
		if err := tx.InsertLockReason(ctx, next); err != nil {
			return nil, err
		}
		return made, s.recordReason(ctx, tx, call, EventLockReasonCreated, &LockReason{}, &next)
	})
	call.Changed = err == nil
	return made, err
}

// UpdateLockReason replaces name and description of a company's own reason.
// Errors: lock_reason.not_found, lock_reason.name_taken, version.mismatch.
func (s *Service) UpdateLockReason(ctx context.Context, call *Call, in LockReason) (LockReason, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return LockReason{}, err
	}
	var result LockReason
	err := s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		before, err := heldLockReason(ctx, tx, call, in.Company, in.Number)
		if err != nil {
			return false, err
		}
		next := in
		next.Tenant, next.Version = before.Tenant, before.Version
		wrote, err := s.replaceLockReason(ctx, tx, call, before, &next)
		result = next
		return wrote, err
	})
	return result, err
}

// replaceLockReason writes a changed lock reason, whose version it sets, with its
// event, and reports whether it was changed.
func (s *Service) replaceLockReason(ctx context.Context, tx Tx, call *Call, before LockReason, next *LockReason) (bool, error) {
	if err := checkLockReason(next); err != nil {
		return false, err
	}
	if *next == before {
		return false, nil
	}
	if err := lockReasonFree(ctx, tx, next); err != nil {
		return false, err
	}
	next.Version++
	if err := tx.UpdateLockReason(ctx, *next); err != nil { // deleted meanwhile?
		return false, notFound(err, ReasonLockReasonNotFound, noLockReason)
	}
	return true, s.recordReason(ctx, tx, call, EventLockReasonUpdated, &before, next)
}

// heldLockReason reads a company's own reason for change; the tenant is locked.
func heldLockReason(ctx context.Context, tx Tx, call *Call, company, number int64) (LockReason, error) {
	reason, err := ownLockReason(ctx, tx, call, company, number)
	if err != nil {
		return LockReason{}, err
	}
	return reason, call.If.check(reason.Version)
}

// DeleteLockReason erases a company's own reason. Locks that name it stay, and
// say no reason from then on (docs/dialects/iqmetrix.md 5.19).
func (s *Service) DeleteLockReason(ctx context.Context, call *Call, company, number int64) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	return s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		before, err := heldLockReason(ctx, tx, call, company, number)
		if err != nil {
			return false, err
		}
		return true, s.eraseLockReason(ctx, tx, call, before)
	})
}

// eraseLockReason erases a lock reason with its event.
func (s *Service) eraseLockReason(ctx context.Context, tx Tx, call *Call, before LockReason) error {
	if err := tx.DeleteLockReason(ctx, before.Tenant, before.Number); err != nil { // deleted meanwhile?
		return notFound(err, ReasonLockReasonNotFound, noLockReason)
	}
	return s.recordReason(ctx, tx, call, EventLockReasonDeleted, &before, &LockReason{Number: before.Number})
}

func checkLockReason(r *LockReason) error {
	var bad violations
	collect(&bad, checkName("name", r.Name))
	if r.Description == "" {
		bad = append(bad, FieldError{Field: "description", Reason: ReasonFieldRequired, Message: "description is required."})
	} else {
		collect(&bad, CleanText("description", r.Description, 2000))
	}
	return bad.err()
}

// collect adds the field errors of err.
func collect(bad *violations, err error) {
	if err != nil {
		*bad = append(*bad, AsError(err).Fields...)
	}
}

// lockReasonFree refuses a name that another reason of the company has.
func lockReasonFree(ctx context.Context, tx Tx, r *LockReason) error {
	held, err := tx.LockReasonByName(ctx, r.Tenant, r.Company, NameKey(r.Name))
	if errors.Is(err, ErrNotFound) || err == nil && held.Number == r.Number {
		return nil
	}
	if err != nil {
		return err
	}
	const message = "The company has a lock reason of this name."
	return &Error{Code: CodeConflict, Reason: ReasonLockReasonTaken, Message: message,
		Fields: []FieldError{{Field: "name", Reason: ReasonLockReasonTaken, Message: message}}}
}

func (s *Service) recordReason(ctx context.Context, tx Tx, call *Call, kind EventType, before, after *LockReason) error {
	var diff changes
	diff.named("name", before.Name, after.Name)
	diff.named("description", before.Description, after.Description)
	return s.record(ctx, tx, call, kind, onCompany(after.Company), fmt.Sprintf("lock_reason:%d", after.Number), &diff)
}

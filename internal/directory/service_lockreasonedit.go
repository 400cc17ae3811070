package directory

import "context"

// LockReasonPatch names what to change of a lock reason; its company stays.
type LockReasonPatch struct {
	Name        Opt[string]
	Description Opt[string]
}

// EditLockReason changes what the patch names. Errors: lock_reason.not_found,
// lock_reason.name_taken, version.mismatch.
func (s *Service) EditLockReason(ctx context.Context, call *Call, number int64, p LockReasonPatch) (LockReason, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return LockReason{}, err
	}
	var result LockReason
	err := s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		before, err := visibleLockReason(ctx, tx, call.Actor, number)
		if err != nil {
			return false, err
		}
		if err := call.If.check(before.Version); err != nil {
			return false, err
		}
		next := before
		next.Name, next.Description = p.Name.or(before.Name), p.Description.or(before.Description)
		wrote, err := s.replaceLockReason(ctx, tx, call, before, &next)
		result = next
		return wrote, err
	})
	return result, err
}

// EraseLockReason erases a lock reason, as DeleteLockReason does. Errors:
// lock_reason.not_found, version.mismatch.
func (s *Service) EraseLockReason(ctx context.Context, call *Call, number int64) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	return s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		before, err := visibleLockReason(ctx, tx, call.Actor, number)
		if err != nil {
			return false, err
		}
		if err := call.If.check(before.Version); err != nil {
			return false, err
		}
		return true, s.eraseLockReason(ctx, tx, call, before)
	})
}

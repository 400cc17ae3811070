package directory

import (
	"context"
	"errors"
)

// Unlimited is the total of a pool that nobody limited. A type without a pool
// gets such a pool on its first activation, so that seats are counted from the
// start and a limit set later finds them.
const Unlimited int64 = 1 << 40

// holdsSeat is invariant 5: an active user with a licence type holds a seat.
func holdsSeat(u *User) bool { return u.State == StateActive && u.LicenceType != "" }

// settleSeat makes the seat follow the state and the licence type. It runs
// after everything that only this user has been written: shards are shared.
func settleSeat(ctx context.Context, tx Tx, before, after *User) error {
	if holdsSeat(after) && after.Seat != 0 && before.LicenceType == after.LicenceType {
		return nil
	}
	seat := 0
	if holdsSeat(after) {
		var err error
		if seat, err = takeSeat(ctx, tx, after.Tenant, after.LicenceType); err != nil {
			return err
		}
	}
	if before.Seat != 0 {
		if err := tx.FreeSeat(ctx, before.Tenant, before.LicenceType, before.Seat); err != nil {
			return err
		}
	}
	after.Seat = seat
	return nil
}

// takeSeat takes a seat or says why there is none.
func takeSeat(ctx context.Context, tx Tx, t TenantNo, licenceType string) (int, error) {
	seat, err := tx.TakeSeat(ctx, t, licenceType)
	if err != nil || seat != 0 {
		return seat, err
	}
	pool, err := tx.Pool(ctx, t, licenceType)
	if errors.Is(err, ErrNotFound) {
		// Somebody may have set a limit since the look: that one counts.
		if err := tx.AddPool(ctx, t, licenceType, Unlimited); err != nil {
			return 0, err
		}
		if seat, err = tx.TakeSeat(ctx, t, licenceType); err != nil || seat != 0 {
			return seat, err
		}
		pool, err = tx.Pool(ctx, t, licenceType)
	}
	if err != nil {
		return 0, err
	}
	if pool.Total == 0 {
		return 0, Wrong(CodeExhausted, ReasonSeatNotEntitled, "The tenant is not entitled to licences of type %s.", licenceType)
	}
	return 0, Wrong(CodeExhausted, ReasonSeatExhausted, "No seat is free of licence type %s.", licenceType)
}

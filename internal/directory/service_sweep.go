package directory

import (
	"context"
	"time"
)

// How long rows stay that nothing needs any more.
const (
	// EndedKept is how long what has expired stays: until then whoever comes with
	// it is told that it has expired, and clocks of servers may differ.
	EndedKept = 24 * time.Hour
	// PayloadsKept is how long a job that failed or was cancelled keeps what it needs
	// to be done all the same.
	PayloadsKept = 7 * 24 * time.Hour
	// JobsKept is how long the row of a job stays once it is closed.
	JobsKept = 30 * 24 * time.Hour
	// PoolDaysKept is how long the seats of a day stay.
	PoolDaysKept = 800 * 24 * time.Hour
)

// sweptRows is the most rows that one transaction of a sweep removes, so that
// nobody waits for it.
const sweptRows = 500

// Sweep notes the seats of today, which stay the day's if it is the last to do so, and
// removes what has ended, of all tenants, in many short transactions:
// tokens and sessions of every kind, impersonations, closed jobs, bulk runs, and
// signing keys none of whose tokens can be valid. It returns how many rows it removed,
// also when it fails. Only the server itself can. Several servers may sweep at
// once: none waits for another.
func (s *Service) Sweep(ctx context.Context, call *Call) (swept int, err error) {
	if err := s.enterServer(ctx, call); err != nil {
		return 0, err
	}
	if err := s.store.Update(ctx, func(tx Tx) error { return tx.SamplePools(ctx, dayOf(s.now())) }); err != nil {
		return 0, err
	}
	for {
		var n int
		err := s.store.Update(ctx, func(tx Tx) (err error) {
			n, err = s.sweepSome(ctx, tx)
			return err
		})
		if err != nil {
			return swept, err
		}
		if swept += n; n < sweptRows {
			return swept, nil
		}
	}
}

// sweepSome removes at most sweptRows rows.
func (s *Service) sweepSome(ctx context.Context, tx Tx) (int, error) {
	ended := s.now().Add(-EndedKept)
	swept := 0
	for _, step := range []struct {
		remove func(ctx context.Context, before time.Time, limit int) (int, error)
		before time.Time
	}{
		{tx.SweepTokens, ended},
		{tx.SweepImpersonations, ended},
		{tx.SweepPayloads, s.now().Add(-PayloadsKept)},
		{tx.SweepJobs, s.now().Add(-JobsKept)},
		{tx.SweepAnswers, s.now().Add(-AnswersKept)},
		{func(ctx context.Context, _ time.Time, limit int) (int, error) { return s.sweepBulk(ctx, tx, limit) }, ended},
		// A key signed until the tenant had a newer one.
		{tx.SweepSigningKeys, ended.Add(-SignedTokenLifetime)},
		{tx.SweepPoolDays, s.now().Add(-PoolDaysKept)},
	} {
		n, err := step.remove(ctx, step.before, sweptRows-swept)
		if err != nil {
			return 0, err
		}
		swept += n
	}
	return swept, nil
}

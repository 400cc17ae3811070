package directory

import (
	"context"
	"errors"
	"fmt"
)

// How many users one call of EndImport looks at, and deactivates.
const (
	missingLooked = 10_000
	missingPage   = 500
	missingAtOnce = 100
)

// EndImport does what follows the last record, page by page (DeactivateMissing), and
// ends the run: it is called until the run has ended. It first counts all whom it
// would deactivate, so that a run that would touch too many is stopped before the
// first. Only the server does it. Errors: those of the store.
func (s *Service) EndImport(ctx context.Context, call *Call, t TenantNo, id string) (BulkRun, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return BulkRun{}, err
	}
	run, err := s.readBulk(ctx, t, id)
	if err != nil || !run.importing() {
		return run, err
	}
	asker, err := s.askersCall(ctx, &run)
	if IsReason(err, ReasonBulkAsker) {
		return s.failBulk(ctx, t, id, AsError(err).Message)
	}
	if err != nil {
		return run, err
	}
	switch {
	case !run.Import.DeactivateMissing:
		return s.endImport(ctx, asker, &run)
	case !run.Marks.Counted:
		return s.countMissing(ctx, asker, &run)
	}
	return s.deactivateMissing(ctx, asker, &run)
}

// endImport ends a run whose last row is done. What a dry run was told stays.
func (s *Service) endImport(ctx context.Context, call *Call, read *BulkRun) (BulkRun, error) {
	return s.editBulk(ctx, read.Tenant, read.ID, func(tx Tx, run *BulkRun) error {
		if !run.importing() || run.Done != read.Done {
			return nil
		}
		if err := s.beginImport(ctx, tx, call, run); err != nil {
			return err
		}
		return s.endBulk(ctx, tx, call, run, BulkDone, run.Error)
	})
}

// missing are users whom no row of the run named, by number, after one: active, of the
// run's subtree, and neither administrators nor the owner. next is the last that was
// looked at; 0 when there are no more.
func missing(ctx context.Context, r Reader, run *BulkRun, after int64, limit int) (list []User, next int64, err error) {
	users, err := r.Users(ctx, run.Tenant, UserQuery{Company: run.Import.Company, States: StatesOf(StateActive), After: after, Limit: limit})
	if err != nil || len(users) == 0 {
		return nil, 0, err
	}
	numbers := make([]int64, 0, 2*len(users))
	for i := range users {
		numbers = append(numbers, users[i].Number, -users[i].Number)
	}
	named, err := r.SeenRows(ctx, run.Tenant, run.ID, numbers)
	if err != nil {
		return nil, 0, err
	}
	about := make(map[int64]bool, len(named))
	for _, n := range named {
		about[max(n, -n)] = true
	}
	for i := range users {
		if u := &users[i]; !about[u.Number] && !run.Marks.hasMade(u.Number) && u.Rank < RankAdministrator {
			list = append(list, *u)
		}
	}
	if len(users) == limit {
		next = users[len(users)-1].Number
	}
	return list, next, nil
}

// countMissing counts some of those who would be deactivated, and stops the run when
// all are counted and too many.
func (s *Service) countMissing(ctx context.Context, call *Call, read *BulkRun) (BulkRun, error) {
	after, found := read.Marks.After, int64(0)
	for looked := 0; looked < missingLooked; looked += missingPage {
		var list []User
		err := s.store.View(ctx, func(r Reader) (err error) {
			list, after, err = missing(ctx, r, read, after, missingPage)
			return err
		})
		if err != nil {
			return *read, err
		}
		if found += int64(len(list)); after == 0 {
			break
		}
	}
	return s.editBulk(ctx, read.Tenant, read.ID, func(tx Tx, run *BulkRun) error {
		if !run.importing() || run.Done != read.Done || run.Marks.After != read.Marks.After || run.Marks.Counted {
			return nil
		}
		if err := s.beginImport(ctx, tx, call, run); err != nil {
			return err
		}
		run.Marks.Ending, run.Marks.After = true, after
		if run.Marks.Missing += found; after != 0 {
			return nil
		}
		return s.judgeMissing(ctx, tx, run)
	})
}

// judgeMissing decides whether those who were counted may be deactivated. Who starts a
// stopped run again has them counted again.
func (s *Service) judgeMissing(ctx context.Context, tx Tx, run *BulkRun) error {
	there, err := tx.UserTotal(ctx, run.Tenant, run.Import.Company, LivingStates)
	if err != nil {
		return err
	}
	n, most := run.Marks.Missing, run.Import.maxDeactivations()
	if beyond(n, there, most) {
		text := fmt.Sprintf("It would deactivate %d of %d users (%s), more than the %d %% allowed.", n, there, share(n, there), most)
		run.Error = text
		if !run.DryRun {
			run.State, run.Marks.Missing = BulkStopped, 0
			return nil
		}
	}
	run.Marks.Counted, run.Rows = true, run.Done+n
	return nil
}

// deactivateMissing deactivates the next of those whom no row was about, and ends the
// run behind the last.
func (s *Service) deactivateMissing(ctx context.Context, call *Call, read *BulkRun) (BulkRun, error) {
	run, err := s.editBulk(ctx, read.Tenant, read.ID, func(tx Tx, run *BulkRun) error {
		if !run.importing() || run.Done != read.Done || run.Marks.After != read.Marks.After {
			return nil
		}
		run.UpdatedAt = s.now()
		list, next, err := missing(ctx, tx, run, run.Marks.After, missingAtOnce)
		if err != nil {
			return err
		}
		p := &importPage{s: s, tx: tx, call: call, run: run}
		verdicts, err := p.deactivate(ctx, list)
		if err != nil {
			return err
		}
		if err := noteRows(ctx, tx, run, verdicts); err != nil {
			return err
		}
		if run.Marks.After = next; next == 0 {
			return s.endBulk(ctx, tx, call, run, BulkDone, run.Error)
		}
		return nil
	})
	s.jobsAdded(call, err)
	return run, err
}

// deactivate deactivates users, each for itself, or tries whether it could.
func (p *importPage) deactivate(ctx context.Context, list []User) ([]RowVerdict, error) {
	verdicts := make([]RowVerdict, len(list))
	for i := range list {
		u := &list[i]
		verdicts[i] = RowVerdict{Row: p.run.Done + int64(i) + 1, Verdict: RowDeactivate, User: u.Number, Name: u.UserName}
		err := p.tx.Try(ctx, func() error {
			_, _, err := p.s.changeIn(ctx, p.tx, p.call, ActDeactivate, ByNumber(u.Number), func(u *User, e *edit) error {
				return p.s.step(ctx, p.tx, u, e, VerbDeactivate)
			})
			if err == nil && p.run.DryRun {
				return errUndone
			}
			return err
		})
		if err == nil || errors.Is(err, errUndone) {
			continue
		}
		if !isRefused(err) {
			return nil, err
		}
		_, verdicts[i].Faults = (&Record{}).refused(err)
		verdicts[i].Verdict = RowConflict
	}
	return verdicts, nil
}

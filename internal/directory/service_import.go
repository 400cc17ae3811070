package directory

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// MaxImportPage is how many records ImportPage takes at a time.
const MaxImportPage = 500

// ImportPage gives the next records of an import their verdicts and, unless it is a
// dry run, does what they say, with the note of how far the run is in the same
// transaction: in the name of who asked for it, with the rights that they have now.
// done is how many rows were done before this page; when the run is elsewhere, nothing
// is done and the run is returned as it is. It is PlanImport and ApplyImport in one.
// Only the server does it. Errors: those of the store; whatever is wrong with a record
// is its verdict.
func (s *Service) ImportPage(ctx context.Context, call *Call, t TenantNo, id string, done int64, page []Record) (BulkRun, []RowVerdict, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return BulkRun{}, nil, err
	}
	plan, err := s.planImport(ctx, t, id, page)
	if err != nil {
		return BulkRun{}, nil, err
	}
	return s.applyImport(ctx, t, done, plan)
}

// PlanImport looks at the next records of an import and does all that needs no
// transaction: reading them, finding their users, hashing passwords. It may be called
// for a page while ApplyImport writes the one before it; the records must stay as they
// are until the page has been applied. Only the server does it. Errors: bulk.not_found,
// those of the store.
func (s *Service) PlanImport(ctx context.Context, call *Call, t TenantNo, id string, page []Record) (*ImportPlan, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return nil, err
	}
	return s.planImport(ctx, t, id, page)
}

// ApplyImport does the rest of ImportPage for a page that has been looked at.
func (s *Service) ApplyImport(ctx context.Context, call *Call, t TenantNo, done int64, plan *ImportPlan) (BulkRun, []RowVerdict, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return BulkRun{}, nil, err
	}
	return s.applyImport(ctx, t, done, plan)
}

// working reports whether a run is an import that has more to do.
func (r *BulkRun) importing() bool { return r.Kind == BulkImport && r.in(BulkWaiting, BulkRunning) }

func (s *Service) planImport(ctx context.Context, t TenantNo, id string, page []Record) (*ImportPlan, error) {
	if len(page) > MaxImportPage {
		return nil, Invalid("rows", ReasonFieldLength, "At most %d rows can be imported at a time.", MaxImportPage)
	}
	plan := &ImportPlan{tenant: t, id: id, passwords: map[int]importPassword{}}
	var err error
	if plan.run, err = s.readBulk(ctx, t, id); err != nil || !plan.run.importing() {
		return plan, err
	}
	call, err := s.askersCall(ctx, &plan.run)
	if IsReason(err, ReasonBulkAsker) {
		return plan, nil // ApplyImport looks again, and says so
	}
	if err != nil {
		return nil, err
	}
	plan.rows = make([]*importRow, len(page))
	passwords := false
	for i := range page {
		plan.rows[i] = s.newImportRow(call, &plan.run, &page[i], i)
		passwords = passwords || plan.rows[i].password != ""
	}
	decide := func() error {
		d := &importDecider{s: s, call: call, run: &plan.run, passwords: plan.passwords, quick: true}
		return s.store.View(ctx, func(r Reader) (err error) {
			plan.decisions, err = d.decide(ctx, r, plan.rows)
			return err
		})
	}
	if err := decide(); err != nil || !passwords {
		return plan, err
	}
	if err := s.hashImported(ctx, call, plan); err != nil {
		return nil, err
	}
	return plan, decide()
}

// hashImported hashes the plain passwords of a page, each only if its row needs it: not
// of one that is refused, nor of a user who has that password.
func (s *Service) hashImported(ctx context.Context, call *Call, plan *ImportPlan) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, row := range plan.rows {
		if row.password == "" || plan.decisions[i].verdict != "" {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			made, err := s.importPassword(ctx, call, plan, i)
			mu.Lock()
			defer mu.Unlock()
			plan.passwords[i] = made
			failed = errors.Join(failed, err)
		})
	}
	wg.Wait()
	return failed
}

// importPassword hashes the password of a row, unless its user has that one. A dry run
// needs no hash.
func (s *Service) importPassword(ctx context.Context, call *Call, plan *ImportPlan, at int) (importPassword, error) {
	plain, u := plan.rows[at].password, plan.decisions[at].user
	administrator := call.Actor.Rank >= RankAdministrator
	if u != nil {
		var held Password
		err := s.store.Read(ctx, func(r Reader) (err error) {
			held, err = passwordOf(ctx, r, u)
			return err
		})
		if err != nil {
			return importPassword{}, err
		}
		if held.Hash != "" {
			if same, _, err := s.hasher.Verify(ctx, plain, held.Hash, administrator); same || err != nil {
				return importPassword{same: same}, err
			}
		}
	}
	if plan.run.DryRun {
		return importPassword{}, nil
	}
	hash, err := s.hasher.Hash(ctx, plain, administrator)
	return importPassword{hash: hash}, err
}

// errThreshold takes back a page with which a run would touch too many.
var errThreshold = errors.New("directory: the import would change too many users")

func (s *Service) applyImport(ctx context.Context, t TenantNo, done int64, plan *ImportPlan) (BulkRun, []RowVerdict, error) {
	if t != plan.tenant {
		return BulkRun{}, nil, Wrong(CodeNotFound, ReasonBulkNotFound, noBulk)
	}
	run, err := s.readBulk(ctx, t, plan.id)
	if err != nil || !run.importing() || run.Done != done {
		return run, nil, err
	}
	call, err := s.askersCall(ctx, &run)
	if IsReason(err, ReasonBulkAsker) {
		run, err = s.failBulk(ctx, t, plan.id, AsError(err).Message)
		return run, nil, err
	}
	if err != nil {
		return run, nil, err
	}
	if len(plan.decisions) != len(plan.rows) || len(plan.rows) == 0 {
		return run, nil, nil // when it was looked at, the run was not to go on
	}
	var verdicts []RowVerdict
	changes, last := int64(0), false
	run, err = s.editBulk(ctx, t, plan.id, func(tx Tx, run *BulkRun) (err error) {
		verdicts, changes = nil, 0
		if !run.importing() || run.Done != done {
			return nil
		}
		p := &importPage{s: s, tx: tx, call: call, run: run, plan: plan, decisions: plan.decisions, last: last}
		last = true
		verdicts, err = p.whole(ctx)
		changes = run.Counts[RowUpdate]
		return err
	})
	if errors.Is(err, errThreshold) {
		run, err = s.stopChanges(ctx, t, plan.id, changes)
		return run, nil, err
	}
	if err != nil {
		return run, nil, err
	}
	s.jobsAdded(call, nil)
	return run, verdicts, nil
}

// whole does a page inside of a transaction.
func (p *importPage) whole(ctx context.Context) ([]RowVerdict, error) {
	if err := p.s.beginImport(ctx, p.tx, p.call, p.run); err != nil {
		return nil, err
	}
	if p.last {
		// What somebody did meanwhile may have changed what the rows are about.
		d := &importDecider{s: p.s, call: p.call, run: p.run, passwords: p.plan.passwords}
		var err error
		if p.decisions, err = d.decide(ctx, p.tx, p.plan.rows); err != nil {
			return nil, err
		}
	}
	if err := p.write(ctx); err != nil {
		return nil, err
	}
	if err := p.noteSeen(ctx); err != nil {
		return nil, err
	}
	if err := noteRows(ctx, p.tx, p.run, p.verdicts); err != nil {
		return nil, err
	}
	if p.run.tooManyChanges() {
		if !p.run.DryRun {
			return nil, errThreshold
		}
		p.run.Error = p.run.changesText(p.run.Counts[RowUpdate])
	}
	return p.verdicts, nil
}

// beginImport begins an import that waits, and counts whom there is at its first page.
func (s *Service) beginImport(ctx context.Context, tx Tx, call *Call, run *BulkRun) error {
	if run.StartedAt.IsZero() {
		users, err := tx.UserTotal(ctx, run.Tenant, 0, LivingStates)
		if err != nil {
			return err
		}
		run.Marks.Users = users
	}
	if !run.DryRun {
		run.Error = ""
	}
	return s.beginBulk(ctx, tx, call, run)
}

// tooManyChanges reports whether a run has updated more users than it may.
func (r *BulkRun) tooManyChanges() bool {
	return beyond(r.Counts[RowUpdate], r.Marks.Users, r.Import.maxChanges())
}

func (o *ImportOptions) maxChanges() int {
	if o.MaxChanges == 0 {
		return 100
	}
	return o.MaxChanges
}

func (o *ImportOptions) maxDeactivations() int {
	if o.MaxDeactivations == 0 {
		return DefaultMaxDeactivations
	}
	return o.MaxDeactivations
}

// beyond reports whether a part is more than so many in 100 of a whole.
func beyond(part, whole int64, percent int) bool {
	return percent < 100 && part*100 > whole*int64(percent)
}

// share says how many in 100 a part is.
func share(part, whole int64) string {
	if whole == 0 {
		return "none were there"
	}
	return fmt.Sprintf("%d %%", (part*100+whole-1)/whole)
}

func (r *BulkRun) changesText(changes int64) string {
	return fmt.Sprintf("It would update at least %d of %d users (%s), more than the %d %% allowed.",
		changes, r.Marks.Users, share(changes, r.Marks.Users), r.Import.maxChanges())
}

// stopChanges stops a run whose next page would change too many users.
func (s *Service) stopChanges(ctx context.Context, t TenantNo, id string, changes int64) (BulkRun, error) {
	return s.editBulk(ctx, t, id, func(tx Tx, run *BulkRun) error {
		if !run.importing() {
			return nil
		}
		if run.StartedAt.IsZero() { // nobody is told that it began
			users, err := tx.UserTotal(ctx, run.Tenant, 0, LivingStates)
			if err != nil {
				return err
			}
			run.Marks.Users = users
		}
		run.State, run.Error, run.UpdatedAt = BulkStopped, run.changesText(changes), s.now()
		return nil
	})
}

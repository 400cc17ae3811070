package directory

import (
	"context"
	"slices"
	"time"
)

// How long what belongs to a run is kept.
const (
	// BulkFilesKept is how long the file of a finished import stays whose rejected
	// rows can still be asked for, and how long a run waits for whoever asked for it
	// to go on.
	BulkFilesKept = 7 * 24 * time.Hour
	// BulkRunsKept is how long runs and their verdicts stay once they have ended.
	BulkRunsKept = 30 * 24 * time.Hour
)

// Ended reports whether nothing more happens to the run.
func (s BulkState) Ended() bool { return s == BulkDone || s == BulkFailed || s == BulkCancelled }

// rejected is how many rows of a run can be corrected and sent again.
func (r *BulkRun) rejected() int64 { return r.Counts[RowInvalid] + r.Counts[RowConflict] }

// beginBulk makes a run that waits one that runs. The caller writes its row.
func (s *Service) beginBulk(ctx context.Context, tx Tx, call *Call, run *BulkRun) error {
	run.UpdatedAt = s.now()
	if run.State == BulkRunning {
		return nil
	}
	run.State = BulkRunning
	if !run.StartedAt.IsZero() {
		return nil // it had stopped
	}
	run.StartedAt = run.UpdatedAt
	var diff changes
	diff.named("kind", "", string(run.Kind))
	diff.named("name", "", run.Name)
	diff.flagged("dry_run", run.DryRun)
	return s.record(ctx, tx, call, EventBulkStarted, topic{}, "bulk:"+run.ID, &diff)
}

// flagged notes a flag that is set.
func (c *changes) flagged(name string, set bool) {
	if set {
		c.raw(name, []byte("false"), []byte("true"))
	}
}

// endBulk ends a run, with the reason for people unless it is done. The caller
// writes its row, and calls dropBulkFile once that is committed.
func (s *Service) endBulk(ctx context.Context, tx Tx, call *Call, run *BulkRun, state BulkState, cause string) error {
	before := run.State
	now := s.now()
	run.State, run.Error, run.UpdatedAt, run.EndedAt = state, causeText(cause), now, now
	if state == BulkDone {
		run.Rows = run.Done
	}
	if run.StartedAt.IsZero() && before == BulkOpen {
		return nil // nothing happened but that a file was sent
	}
	var diff changes
	diff.named("kind", "", string(run.Kind))
	diff.named("name", "", run.Name)
	diff.flagged("dry_run", run.DryRun)
	diff.named("state", string(before), string(state))
	for _, verdict := range verdicts {
		if n := run.Counts[verdict]; n > 0 {
			diff.raw(string(verdict), nil, asJSON(n))
		}
	}
	diff.named("error", "", run.Error)
	return s.record(ctx, tx, call, EventBulkEnded, topic{}, "bulk:"+run.ID, &diff)
}

// verdicts lists all, in the order in which they are counted out.
var verdicts = []Verdict{RowCreate, RowUpdate, RowSkip, RowConflict, RowInvalid, RowDeactivate}

// dropBulkFile removes the file of a run that has ended, and what was noted of it,
// unless somebody may still ask for its rejected rows, or import for good what was only
// tried. What a failure leaves behind Sweep removes.
func (s *Service) dropBulkFile(ctx context.Context, run *BulkRun) {
	if run.Kind != BulkImport || !run.State.Ended() || run.State == BulkDone && (run.DryRun || run.rejected() > 0) {
		return
	}
	parts := run.Parts
	for n, limit := 0, 0; n == limit; parts -= int64(n) {
		if limit = droppedAtOnce; parts <= 0 {
			limit = notesDroppedAtOnce // a file comes first
		}
		err := s.store.Update(ctx, func(tx Tx) (err error) {
			n, err = tx.DeleteBulkData(ctx, run.Tenant, run.ID, limit)
			return err
		})
		if err != nil {
			s.opts.Logger.Warn("the file of an import that has ended stays for the next sweep", "run", run.ID, "error", err)
			return
		}
	}
}

// How many rows of a run's file one transaction removes, and how many of its notes,
// which are short and next to each other.
const (
	droppedAtOnce      = 200
	notesDroppedAtOnce = 5000
)

// editBulk changes a run's row, in a transaction of its own. Errors: bulk.not_found,
// those of fn.
func (s *Service) editBulk(ctx context.Context, t TenantNo, id string, fn func(tx Tx, run *BulkRun) error) (BulkRun, error) {
	var result BulkRun
	err := s.store.Update(ctx, func(tx Tx) error {
		run, err := tx.LockBulkRun(ctx, t, id)
		if err != nil {
			return notFound(err, ReasonBulkNotFound, noBulk)
		}
		before := run.State
		if err := fn(tx, &run); err != nil {
			return err
		}
		result = run
		if before.Ended() {
			return nil
		}
		return tx.UpdateBulkRun(ctx, run)
	})
	if err == nil {
		s.dropBulkFile(ctx, &result)
	}
	return result, err
}

const noBulk = "There is no such import or bulk action."

// errBulkState refuses what a run's state does not allow.
func errBulkState(run *BulkRun) error {
	return Wrong(CodeConflict, ReasonBulkState, "The %s is %s.", bulkNoun(run.Kind), run.State)
}

func bulkNoun(kind BulkKind) string {
	if kind == BulkImport {
		return "import"
	}
	return "bulk action"
}

// in reports whether a run is in one of some states.
func (r *BulkRun) in(states ...BulkState) bool { return slices.Contains(states, r.State) }

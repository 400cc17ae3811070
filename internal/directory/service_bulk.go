package directory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
)

// NewBulk is the input of CreateBulk.
type NewBulk struct {
	Kind   BulkKind
	Name   string // of the file; an action is named by its verb
	DryRun bool
	Import ImportOptions
	Deed   BulkDeed
}

// MaxOpenBulks is how many runs of a tenant can be under way at a time, those that
// wait for their file or for a decision among them.
const MaxOpenBulks = 20

// CreateBulk makes a run. One of BulkImport is BulkOpen until StartBulk, and gets its
// file by AddBulkPart; one of BulkAction waits at once. It is for administrators who
// are not bound to a company and whose credential may write users, and for an import
// set passwords. The call's reason is that of all events of the run. Errors: invalid
// with the field; bulk.too_many; secret_key.missing.
func (s *Service) CreateBulk(ctx context.Context, call *Call, in NewBulk) (BulkRun, error) {
	if err := s.enterWhole(ctx, call, bulkAction(in.Kind)); err != nil {
		return BulkRun{}, err
	}
	if err := s.replayed(ctx, call); err != nil {
		return BulkRun{}, err
	}
	run, err := s.newBulk(call, &in)
	if err != nil {
		return BulkRun{}, err
	}
	var made BulkRun
	err = s.once(ctx, call, func(tx Tx) (any, error) {
		made = run
		if err := namesKnown(ctx, tx, call, &made); err != nil {
			return nil, err
		}
		open, err := tx.OpenBulkRuns(ctx, made.Tenant)
		if err != nil {
			return nil, err
		}
		if open >= MaxOpenBulks {
			return nil, Wrong(CodeExhausted, ReasonBulkTooMany, "The tenant has %d imports and bulk actions under way, which is as many as it can have.", open)
		}
		if made.Kind == BulkAction {
			if made.Rows, err = deedRows(ctx, tx, call, &made.Deed); err != nil {
				return nil, err
			}
			if err := s.enqueueBulk(ctx, tx, call, &made); err != nil {
				return nil, err
			}
		}
		return made, tx.InsertBulkRun(ctx, made)
	})
	call.Changed = err == nil
	s.jobsAdded(call, err)
	return made, err
}

// newBulk checks what CreateBulk is given and makes the run of it.
func (s *Service) newBulk(call *Call, in *NewBulk) (BulkRun, error) {
	now := s.now()
	run := BulkRun{Tenant: call.Actor.Tenant, ID: s.opts.NewID(), Kind: in.Kind, Name: in.Name, State: BulkOpen, DryRun: in.DryRun,
		Reason: call.Reason, By: askedBy(call), CreatedAt: now, UpdatedAt: now}
	if err := CleanText("reason", call.Reason, maxTextRunes); err != nil {
		return run, err
	}
	switch in.Kind {
	case BulkImport:
		if s.opts.Sealer == nil {
			return run, errNoSecretKey()
		}
		run.Import = in.Import
		run.Name = orNew(in.Name, func() string { return "users." + string(in.Import.Format) })
		if err := CleanText("name", in.Name, maxBulkText); err != nil {
			return run, err
		}
		return run, checkImport(&run.Import)
	case BulkAction:
		run.State, run.Name = BulkWaiting, string(in.Deed.Verb)
		run.Deed = in.Deed
		run.Deed.Users = slices.Clone(in.Deed.Users)
		if err := checkDeed(&run.Deed); err != nil {
			return run, err
		}
		if sel := run.Deed.Select; sel != nil {
			q := run.Deed.page()
			if err := q.clean(call); err != nil {
				return run, err
			}
			kept := *sel
			kept.Filter = StoredFilter{q.Filter} // with the caller's own external ids
			run.Deed.Select = &kept
		}
		return run, nil
	}
	return run, Invalid("kind", ReasonFieldValue, "There is no such kind of run: use import or action.")
}

// enqueueBulk writes the job that works on a run.
func (s *Service) enqueueBulk(ctx context.Context, tx Tx, call *Call, run *BulkRun) error {
	call.jobs = true
	now := s.now()
	return tx.InsertJob(ctx, Job{Tenant: run.Tenant, ID: s.opts.NewID(), Kind: JobBulk, RunAt: now, Payload: []byte(run.ID), CreatedAt: now})
}

// DefaultMaxBulkFile is Options.MaxBulkFile where it is 0.
const DefaultMaxBulkFile = 16 << 30

// maxBulkFile is the greatest length of an import's file.
func (s *Service) maxBulkFile() int64 {
	if s.opts.MaxBulkFile > 0 {
		return s.opts.MaxBulkFile
	}
	return DefaultMaxBulkFile
}

// AddBulkPart adds part (from 0) to the file of an open run, at most MaxPart bytes;
// it is kept compressed and sealed until the run has ended. Only who made the run
// can. A part that is there is accepted again and changes nothing. Errors:
// bulk.not_found, bulk.state, bulk.part (the part does not follow, or is there and is
// another one), bulk.too_large, bulk.asker, secret_key.missing.
func (s *Service) AddBulkPart(ctx context.Context, call *Call, id string, part int64, data []byte) (BulkRun, error) {
	if err := s.enterWhole(ctx, call, ActImport); err != nil {
		return BulkRun{}, err
	}
	if len(data) > MaxPart {
		return BulkRun{}, Wrong(CodeTooLarge, ReasonBulkTooLarge, "A part of a file can have at most %d bytes.", MaxPart)
	}
	t := call.Actor.Tenant
	packed, err := deflate(data)
	if err != nil {
		return BulkRun{}, fmt.Errorf("directory: part %d of run %s: %w", part, id, err)
	}
	sealed, err := s.opts.Sealer.Seal(bulkPurpose(t, id, part), packed)
	if err != nil {
		return BulkRun{}, err
	}
	var repeated bool
	run, err := s.editBulk(ctx, t, id, func(tx Tx, run *BulkRun) error {
		repeated = false
		switch {
		case !run.askedBy(call):
			return Wrong(CodeForbidden, ReasonBulkAsker, "Only who made the import can send its file.")
		case !run.in(BulkOpen):
			return errBulkState(run)
		case part >= 0 && part < run.Parts:
			repeated = true
			return nil
		case part != run.Parts || len(data) == 0:
			return Wrong(CodeConflict, ReasonBulkPart, "The next part of the file is %d, and it must not be empty.", run.Parts)
		case run.Bytes+int64(len(data)) > s.maxBulkFile():
			return Wrong(CodeTooLarge, ReasonBulkTooLarge, "The file can have at most %d bytes.", s.maxBulkFile())
		}
		run.Parts++
		run.Bytes += int64(len(data))
		run.UpdatedAt = s.now()
		return tx.InsertBulkPart(ctx, t, id, part, sealed)
	})
	if err == nil && repeated {
		err = s.samePart(ctx, &run, part, data)
	}
	call.Changed = err == nil && !repeated
	return run, err
}

// askedBy reports whether the caller is who asked for the run.
func (r *BulkRun) askedBy(call *Call) bool {
	return r.By.User == call.Actor.User && r.By.Credential == call.Actor.through
}

// samePart refuses a part that is there and is another one.
func (s *Service) samePart(ctx context.Context, run *BulkRun, part int64, data []byte) error {
	held, err := s.openPart(ctx, run.Tenant, run.ID, part)
	if err == nil && !bytes.Equal(held, data) {
		err = Wrong(CodeConflict, ReasonBulkPart, "Part %d was sent before, and it was another one.", part)
	}
	return err
}

// bulkPurpose binds a sealed part to its place.
func bulkPurpose(t TenantNo, id string, part int64) string {
	return fmt.Sprintf("bulk %d %s %d", t, id, part)
}

// BulkThresholds are new thresholds for a run that stopped, in 100; 0 keeps one.
type BulkThresholds struct{ MaxChanges, MaxDeactivations int }

// StartBulk makes an open or stopped run wait for a server. Only who made a run starts
// it; another who lets one that stopped go on allows its thresholds and lends it nothing:
// it stays in the name of who made it. Errors: bulk.not_found, bulk.state, bulk.asker,
// invalid with the field.
func (s *Service) StartBulk(ctx context.Context, call *Call, id string, t BulkThresholds) (BulkRun, error) {
	if err := s.enterWhole(ctx, call, ActBulk); err != nil {
		return BulkRun{}, err
	}
	var bad violations
	bad.between("max_changes", t.MaxChanges, 0, maxPercent)
	bad.between("max_deactivations", t.MaxDeactivations, 0, maxPercent)
	if err := bad.err(); err != nil {
		return BulkRun{}, err
	}
	run, err := s.editBulk(ctx, call.Actor.Tenant, id, func(tx Tx, run *BulkRun) error {
		if err := call.permit(run.action()); err != nil {
			return err
		}
		if !run.in(BulkOpen, BulkStopped) {
			return errBulkState(run)
		}
		if run.State == BulkOpen && !run.askedBy(call) {
			return Wrong(CodeForbidden, ReasonBulkAsker, "Only who made the import can start it.")
		}
		if run.Parts == 0 {
			return Wrong(CodeConflict, ReasonBulkState, "The import has no file as yet.")
		}
		if t.MaxChanges != 0 {
			run.Import.MaxChanges = t.MaxChanges
		}
		if t.MaxDeactivations != 0 {
			run.Import.MaxDeactivations = t.MaxDeactivations
		}
		run.State, run.Error, run.UpdatedAt = BulkWaiting, "", s.now()
		return s.enqueueBulk(ctx, tx, call, run)
	})
	call.Changed = err == nil
	s.jobsAdded(call, err)
	return run, err
}

// CancelBulk ends a run; what was done stays. Errors: bulk.not_found, bulk.state.
func (s *Service) CancelBulk(ctx context.Context, call *Call, id string) (BulkRun, error) {
	if err := s.enterWhole(ctx, call, ActBulk); err != nil {
		return BulkRun{}, err
	}
	run, err := s.editBulk(ctx, call.Actor.Tenant, id, func(tx Tx, run *BulkRun) error {
		if err := call.permit(run.action()); err != nil {
			return err
		}
		if run.State.Ended() {
			return errBulkState(run)
		}
		return s.endBulk(ctx, tx, call, run, BulkCancelled, "")
	})
	call.Changed = err == nil
	return run, err
}

// FailBulk ends a run that cannot go on, because its file cannot be read: cause is
// what people are told. One that has ended stays as it is. Only the server does it.
// Errors: bulk.not_found.
func (s *Service) FailBulk(ctx context.Context, call *Call, t TenantNo, id, cause string) (BulkRun, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return BulkRun{}, err
	}
	return s.failBulk(ctx, t, id, cause)
}

// failBulk is FailBulk for the core itself.
func (s *Service) failBulk(ctx context.Context, t TenantNo, id, cause string) (BulkRun, error) {
	own := byItself(t, "bulk")
	own.RequestID = "bulk:" + id
	return s.editBulk(ctx, t, id, func(tx Tx, run *BulkRun) error {
		if run.State.Ended() {
			return nil
		}
		return s.endBulk(ctx, tx, own, run, BulkFailed, cause)
	})
}

// sweepBulk ends runs for which nobody has come back, and removes files of runs that
// ended BulkFilesKept ago and runs that ended BulkRunsKept ago, of all tenants, in
// short transactions. It returns how many rows it changed.
func (s *Service) sweepBulk(ctx context.Context, tx Tx, limit int) (int, error) {
	now := s.now()
	idle, err := tx.IdleBulkRuns(ctx, now.Add(-BulkFilesKept), limit)
	if err != nil {
		return 0, err
	}
	for i := range idle {
		run := &idle[i]
		if err := s.endBulk(ctx, tx, byItself(run.Tenant, "bulk"), run, BulkCancelled, "Nobody went on with it."); err != nil {
			return 0, err
		}
		if err := tx.UpdateBulkRun(ctx, *run); err != nil {
			return 0, err
		}
	}
	swept := len(idle)
	for _, step := range []struct {
		remove func(ctx context.Context, before time.Time, limit int) (int, error)
		before time.Time
	}{{tx.SweepBulkData, now.Add(-BulkFilesKept)}, {tx.SweepBulkRuns, now.Add(-BulkRunsKept)}} {
		n, err := step.remove(ctx, step.before, limit-swept)
		if err != nil {
			return 0, err
		}
		swept += n
	}
	return swept, nil
}

package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bulk reads a run. Errors: bulk.not_found.
func (s *Service) Bulk(ctx context.Context, call *Call, id string) (BulkRun, error) {
	if err := s.enterWhole(ctx, call, ActReadBulk); err != nil {
		return BulkRun{}, err
	}
	return s.readBulk(ctx, call.Actor.Tenant, id)
}

func (s *Service) readBulk(ctx context.Context, t TenantNo, id string) (BulkRun, error) {
	var run BulkRun
	err := s.store.Read(ctx, func(r Reader) (err error) {
		run, err = r.BulkRun(ctx, t, id)
		return err
	})
	return run, notFound(err, ReasonBulkNotFound, noBulk)
}

// Bulks lists the tenant's runs of a kind ("" for all), the newest first. Errors:
// invalid, cursor.invalid, cursor.expired.
func (s *Service) Bulks(ctx context.Context, call *Call, kind BulkKind, cursor string, limit int) (BulkPage, error) {
	if err := s.enterWhole(ctx, call, ActReadBulk); err != nil {
		return BulkPage{}, err
	}
	if kind != "" && kind != BulkImport && kind != BulkAction {
		return BulkPage{}, Invalid("kind", ReasonFieldValue, "There is no such kind of run: use import or action.")
	}
	if err := checkLimit(limit); err != nil {
		return BulkPage{}, err
	}
	var before time.Time
	var beforeID string
	if cursor != "" {
		at, err := s.openCursor(call, "bulks", string(kind), cursor)
		if err != nil {
			return BulkPage{}, err
		}
		before, beforeID = time.UnixMicro(at.Number).UTC(), at.Value
	}
	var runs []BulkRun
	err := s.store.Read(ctx, func(r Reader) (err error) {
		runs, err = r.BulkRuns(ctx, call.Actor.Tenant, kind, before, beforeID, limit+1)
		return err
	})
	if err != nil || len(runs) <= limit {
		return BulkPage{Runs: runs}, err
	}
	runs = runs[:limit]
	last := &runs[limit-1]
	next, err := s.sealCursor(call, "bulks", string(kind), place{Number: last.CreatedAt.UnixMicro(), Value: last.ID})
	return BulkPage{Runs: runs, Next: next}, err
}

// How many blocks of verdicts are read at once, and how many one page looks through
// at most: of a long run with few rejected rows a page may be short.
const (
	blocksAtOnce  = 20
	blocksPerPage = 400
)

// BulkVerdicts lists the verdicts of a run's rows. A page may be short, or empty,
// although Next is set: it looks through a bounded number of rows. Errors:
// bulk.not_found, invalid, cursor.invalid, cursor.expired.
func (s *Service) BulkVerdicts(ctx context.Context, call *Call, id string, q VerdictQuery) (VerdictPage, error) {
	if err := s.enterWhole(ctx, call, ActReadBulk); err != nil {
		return VerdictPage{}, err
	}
	if err := checkLimit(q.Limit); err != nil {
		return VerdictPage{}, err
	}
	for _, v := range q.Verdicts {
		if !slices.Contains(verdicts, v) {
			return VerdictPage{}, Invalid("verdict", ReasonFieldValue, "There is no verdict %.80q: use %s.", string(v), orList(verdicts))
		}
	}
	query := fmt.Sprintf("%s %q", id, q.Verdicts)
	w := verdictWalk{q: &q}
	if q.Cursor != "" {
		at, err := s.openCursor(call, "verdicts", query, q.Cursor)
		if err != nil {
			return VerdictPage{}, err
		}
		w.after = at.Number
	}
	if _, err := s.readBulk(ctx, call.Actor.Tenant, id); err != nil {
		return VerdictPage{}, err
	}
	if err := w.read(ctx, s.store, call.Actor.Tenant, id); err != nil || !w.more {
		return VerdictPage{Verdicts: w.found}, err
	}
	next, err := s.sealCursor(call, "verdicts", query, place{Number: w.after})
	return VerdictPage{Verdicts: w.found, Next: next}, err
}

// verdictWalk is one page's way through a run's verdicts.
type verdictWalk struct {
	q     *VerdictQuery
	after int64 // the last row that was looked at
	found []RowVerdict
	more  bool
}

// read looks through blocks until the page is full, or enough was looked through.
func (w *verdictWalk) read(ctx context.Context, store Store, t TenantNo, id string) error {
	for range blocksPerPage / blocksAtOnce {
		var blocks []VerdictBlock
		err := store.Read(ctx, func(r Reader) (err error) {
			blocks, err = r.BulkVerdicts(ctx, t, id, w.after, blocksAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		for i := range blocks {
			if full, err := w.block(&blocks[i]); full || err != nil {
				w.more = true
				return err
			}
		}
		if len(blocks) < blocksAtOnce {
			return nil
		}
	}
	w.more = true
	return nil
}

// block takes what the page wants of a block, and reports whether the page is full
// and there is more.
func (w *verdictWalk) block(block *VerdictBlock) (full bool, err error) {
	rows, err := unpackVerdicts(block)
	if err != nil {
		return false, err
	}
	for i := range rows {
		if rows[i].Row <= w.after || len(w.q.Verdicts) > 0 && !slices.Contains(w.q.Verdicts, rows[i].Verdict) {
			continue
		}
		if len(w.found) == w.q.Limit {
			return true, nil
		}
		w.found = append(w.found, rows[i])
		w.after = rows[i].Row
	}
	w.after = max(w.after, block.LastRow)
	return false, nil
}

// BulkPart reads a part of a run's file, for a server that works on it and for whoever
// asks for the rejected rows. Errors: bulk.not_found, also when the part is not there.
func (s *Service) BulkPart(ctx context.Context, call *Call, id string, part int64) ([]byte, error) {
	if err := s.enterWhole(ctx, call, ActImport); err != nil {
		return nil, err
	}
	return s.openPart(ctx, call.Actor.Tenant, id, part)
}

func (s *Service) openPart(ctx context.Context, t TenantNo, id string, part int64) ([]byte, error) {
	var sealed []byte
	err := s.store.Read(ctx, func(r Reader) (err error) {
		sealed, err = r.BulkPart(ctx, t, id, part)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, Wrong(CodeNotFound, ReasonBulkNotFound, "There is no such import, or its file is not kept any more.")
	}
	if err != nil {
		return nil, err
	}
	packed, err := s.opts.Sealer.Open(bulkPurpose(t, id, part), sealed)
	if err != nil {
		return nil, err
	}
	data, err := inflate(packed, MaxPart)
	if err != nil {
		return nil, fmt.Errorf("directory: part %d of run %s: %w", part, id, err)
	}
	return data, nil
}

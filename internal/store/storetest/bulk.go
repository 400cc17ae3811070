package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var bulkChecks = []check{
	{"A run's fields round trip and UpdateBulkRun replaces it", runFields},
	{"BulkRuns lists the runs of a kind, the newest first", runsListed},
	{"OpenBulkRuns counts the runs of a tenant that have not ended", runsOpen},
	{"IdleBulkRuns lists runs of any tenant that wait for somebody and have not changed", runsIdle},
	{"InsertBulkPart keeps a part of any bytes, once", runParts},
	{"BulkVerdicts lists the blocks that hold rows greater than after, in order", runVerdicts},
	{"SeenRows reports which users NoteSeen noted for the run", runSeen},
	{"DeleteBulkData removes parts and notes, and nothing else, so many at a time", runDataDeleted},
	{"SweepBulkRuns removes runs that ended before a time with what belongs to them", runsSwept},
	{"SweepBulkData removes the data of runs that ended before a time, and no run", runDataSwept},
}

// run is a bulk run with every field set.
func (s *sample) run(at time.Time) directory.BulkRun {
	return directory.BulkRun{Tenant: s.tenant, ID: uuid.Must(uuid.NewV7()).String(), Kind: directory.BulkImport, Name: "Büro.csv",
		State: directory.BulkRunning, DryRun: true, Reason: "merger", By: directory.Asker{Name: "key:a", OnBehalfOf: "user:7", User: 7, Credential: "k", Door: "canonical"},
		Import: directory.ImportOptions{Format: directory.BulkCSV, Columns: []directory.ImportColumn{{Header: "E-Mail <x>", Field: "email"}}, Comma: ";",
			Match: []string{"email"}, Existing: directory.ExistingSkip, Company: 1, Status: directory.StateStaged, DeactivateMissing: true, MaxDeactivations: 3},
		Deed:  directory.BulkDeed{Verb: directory.DeedLock, Users: []int64{1, 2}, LockReason: 4},
		Bytes: 1 << 40, Parts: 5, Rows: 1000, Done: 500, Counts: map[directory.Verdict]int64{directory.RowCreate: 400, directory.RowInvalid: 100},
		Error: "it stopped", CreatedAt: at, StartedAt: at.Add(time.Second), UpdatedAt: at.Add(time.Minute),
		Marks: directory.ImportMarks{Users: 3, Seats: map[string]int64{"Full": 2}, Ending: true, After: 9}}
}

func (s *sample) addRun(r directory.BulkRun) directory.BulkRun {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.InsertBulkRun(s.ctx, r) })
	return r
}

func (s *sample) storedRun(id string) directory.BulkRun {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.BulkRun, error) {
		return r.BulkRun(ctx, s.tenant, id)
	})
}

func (s *sample) hasRun(id string) bool {
	s.t.Helper()
	return s.found(func(ctx context.Context, r directory.Reader) error {
		_, err := r.BulkRun(ctx, s.tenant, id)
		return err
	})
}

func runFields(t *testing.T, s *sample) {
	full, bare := s.addRun(s.run(noon)), s.addRun(directory.BulkRun{Tenant: s.tenant, ID: uuid.NewString(), Kind: directory.BulkAction, CreatedAt: noon})
	wantSame(t, "the run", s.storedRun(full.ID), full)
	wantSame(t, "a bare run", s.storedRun(bare.ID), bare)
	wantConflict(t, "a run that is there", s.try(func(tx directory.Tx) error { return tx.InsertBulkRun(s.ctx, full) }))
	changed := s.run(noon.Add(time.Hour))
	changed.ID, changed.State, changed.EndedAt, changed.DryRun, changed.Counts = full.ID, directory.BulkDone, noon.Add(2*time.Hour), false, nil
	s.update(func(tx directory.Tx) error {
		got, err := tx.LockBulkRun(s.ctx, s.tenant, full.ID)
		wantSame(t, "the locked run", got, full)
		return errors.Join(err, tx.UpdateBulkRun(s.ctx, changed))
	})
	wantSame(t, "the changed run", s.storedRun(full.ID), changed)
	wantSame(t, "the other run", s.storedRun(bare.ID), bare)
	missing := s.run(noon)
	wantNotFound(t, "UpdateBulkRun", s.try(func(tx directory.Tx) error { return tx.UpdateBulkRun(s.ctx, missing) }))
	wantNotFound(t, "LockBulkRun", s.try(func(tx directory.Tx) error {
		_, err := tx.LockBulkRun(s.ctx, s.tenant, missing.ID)
		return err
	}))
}

func runsListed(t *testing.T, s *sample) {
	var want []directory.BulkRun
	for i, minute := range []int{0, 3, 3, 3, 7} {
		r := s.run(noon.Add(time.Duration(minute) * time.Minute))
		if i%2 == 1 {
			r.Kind = directory.BulkAction
		}
		want = append(want, s.addRun(r))
	}
	slices.Reverse(want) // ids rise with time, those of one minute too
	for _, kind := range []directory.BulkKind{"", directory.BulkImport, directory.BulkAction} {
		var some, got []directory.BulkRun
		for _, r := range want {
			if kind == "" || r.Kind == kind {
				some = append(some, r)
			}
		}
		before, id := time.Time{}, ""
		for {
			page := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.BulkRun, error) {
				return r.BulkRuns(ctx, s.tenant, kind, before, id, 2)
			})
			got = append(got, page...)
			if len(page) < 2 {
				break
			}
			before, id = page[1].CreatedAt, page[1].ID
		}
		wantSame(t, fmt.Sprintf("runs of kind %q", kind), got, some)
	}
}

func runsOpen(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.addRun(other.run(noon))
	for i := range 5 {
		r := s.run(noon)
		if i > 2 {
			r.EndedAt = noon
		}
		s.addRun(r)
	}
	s.update(func(tx directory.Tx) error {
		n, err := tx.OpenBulkRuns(s.ctx, s.tenant)
		wantSame(t, "open runs", n, 3)
		return err
	})
}

func runsIdle(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	old := past.Add(-time.Hour)
	idle := map[string]bool{}
	for _, of := range []*sample{s, other} {
		for _, state := range []directory.BulkState{directory.BulkOpen, directory.BulkWaiting, directory.BulkRunning, directory.BulkStopped, directory.BulkDone} {
			for _, at := range []time.Time{old, past} {
				r := of.run(at)
				if r.State, r.UpdatedAt = state, at; state == directory.BulkDone {
					r.EndedAt = noon
				}
				of.addRun(r)
				if at.Equal(old) && (state == directory.BulkOpen || state == directory.BulkStopped) {
					idle[r.ID] = true
				}
			}
		}
	}
	s.update(func(tx directory.Tx) error {
		list, err := tx.IdleBulkRuns(s.ctx, past, 100)
		got := map[string]bool{}
		for _, r := range list {
			got[r.ID] = true
		}
		wantSame(t, "idle runs", got, idle)
		some, err2 := tx.IdleBulkRuns(s.ctx, past, 3)
		none, err3 := tx.IdleBulkRuns(s.ctx, past, 0)
		if len(some) != 3 || len(none) != 0 {
			t.Errorf("%d and %d runs, want 3 and 0", len(some), len(none))
		}
		for _, r := range list { // what is listed may be changed
			r.UpdatedAt = noon
			err = errors.Join(err, tx.UpdateBulkRun(s.ctx, r))
		}
		return errors.Join(err, err2, err3)
	})
}

func (s *sample) addParts(run directory.BulkRun, count int) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for i := range count {
			if err := tx.InsertBulkPart(s.ctx, s.tenant, run.ID, int64(i), bytes.Repeat([]byte{byte(i), 0, 255}, 100*i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// parts are the numbers of the parts that are there, below 20.
func (s *sample) parts(run directory.BulkRun) (numbers []int64) {
	s.t.Helper()
	for part := range int64(20) {
		if s.found(func(ctx context.Context, r directory.Reader) error {
			_, err := r.BulkPart(ctx, s.tenant, run.ID, part)
			return err
		}) {
			numbers = append(numbers, part)
		}
	}
	return numbers
}

func runParts(t *testing.T, s *sample) {
	run, other := s.addRun(s.run(noon)), s.addRun(s.run(noon))
	s.addParts(run, 3)
	s.addParts(other, 1)
	for i := range 3 {
		got := look(t, s, func(ctx context.Context, r directory.Reader) ([]byte, error) {
			return r.BulkPart(ctx, s.tenant, run.ID, int64(i))
		})
		wantSame(t, "part", got, bytes.Repeat([]byte{byte(i), 0, 255}, 100*i))
	}
	wantSame(t, "parts", s.parts(run), []int64{0, 1, 2})
	wantConflict(t, "a part that is there", s.try(func(tx directory.Tx) error { return tx.InsertBulkPart(s.ctx, s.tenant, run.ID, 1, nil) }))
	large := bytes.Repeat([]byte("0123456789abcdef"), directory.MaxPart/16)
	s.update(func(tx directory.Tx) error { return tx.InsertBulkPart(s.ctx, s.tenant, run.ID, 3, large) })
	got := look(t, s, func(ctx context.Context, r directory.Reader) ([]byte, error) {
		return r.BulkPart(ctx, s.tenant, run.ID, 3)
	})
	if !bytes.Equal(got, large) {
		t.Errorf("a part of %d bytes comes back with %d", len(large), len(got))
	}
}

func (s *sample) addVerdicts(run directory.BulkRun, blocks ...directory.VerdictBlock) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, b := range blocks {
			if err := tx.InsertVerdicts(s.ctx, s.tenant, run.ID, b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sample) verdicts(run directory.BulkRun, after int64, limit int) []directory.VerdictBlock {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.VerdictBlock, error) {
		return r.BulkVerdicts(ctx, s.tenant, run.ID, after, limit)
	})
}

func runVerdicts(t *testing.T, s *sample) {
	run, other := s.addRun(s.run(noon)), s.addRun(s.run(noon))
	blocks := []directory.VerdictBlock{{FirstRow: 1, LastRow: 500, Data: []byte{1, 0, 2}}, {FirstRow: 501, LastRow: 502, Data: []byte("x")},
		{FirstRow: 503, LastRow: 1000, Data: []byte("y")}}
	s.addVerdicts(run, blocks[2], blocks[0], blocks[1])
	s.addVerdicts(other, directory.VerdictBlock{FirstRow: 1, LastRow: 9})
	for _, c := range []struct {
		after int64
		limit int
		want  []directory.VerdictBlock
	}{{0, 10, blocks}, {0, 2, blocks[:2]}, {1, 10, blocks}, {499, 10, blocks}, {500, 10, blocks[1:]}, {501, 1, blocks[1:2]}, {502, 10, blocks[2:]},
		{999, 10, blocks[2:]}, {1000, 10, nil}, {0, 0, nil}} {
		wantSame(t, fmt.Sprintf("at most %d blocks after row %d", c.limit, c.after), s.verdicts(run, c.after, c.limit), c.want)
	}
	wantConflict(t, "a block that is there", s.try(func(tx directory.Tx) error { return tx.InsertVerdicts(s.ctx, s.tenant, run.ID, blocks[1]) }))
}

func (s *sample) seen(run directory.BulkRun, users ...int64) []int64 {
	s.t.Helper()
	got := look(s.t, s, func(ctx context.Context, r directory.Reader) ([]int64, error) {
		return r.SeenRows(ctx, s.tenant, run.ID, users)
	})
	slices.Sort(got)
	return got
}

func (s *sample) noteSeen(run directory.BulkRun, users ...int64) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.NoteSeen(s.ctx, s.tenant, run.ID, users) })
}

func runSeen(t *testing.T, s *sample) {
	run, other := s.addRun(s.run(noon)), s.addRun(s.run(noon))
	var even, all []int64
	for n := int64(1); n <= 600; n++ {
		if all = append(all, n); n%2 == 0 {
			even = append(even, n)
		}
	}
	s.noteSeen(run, even...)
	s.noteSeen(run, 2, 2, 4, 600) // once more
	s.noteSeen(run)
	s.noteSeen(other, 1)
	wantSame(t, "seen of all", s.seen(run, all...), even)
	wantSame(t, "seen of some", s.seen(run, 3, 8, 5, 2, 9999), []int64{2, 8})
	wantSame(t, "seen of none", s.seen(run), nil)
	wantSame(t, "seen by the other run", s.seen(other, all...), []int64{1})
}

func runDataDeleted(t *testing.T, s *sample) {
	run, other := s.addRun(s.run(noon)), s.addRun(s.run(noon))
	for _, r := range []directory.BulkRun{run, other} {
		s.addParts(r, 4)
		s.noteSeen(r, 1, 2, 3)
		s.addVerdicts(r, directory.VerdictBlock{FirstRow: 1, LastRow: 3})
	}
	for _, c := range []struct{ limit, removed int }{{0, 0}, {-1, 0}, {3, 3}, {2, 2}, {100, 2}, {100, 0}} {
		s.update(func(tx directory.Tx) error {
			n, err := tx.DeleteBulkData(s.ctx, s.tenant, run.ID, c.limit)
			wantSame(t, fmt.Sprintf("removed with the limit %d", c.limit), n, c.removed)
			return err
		})
	}
	if len(s.parts(run)) != 0 || len(s.seen(run, 1, 2, 3)) != 0 || len(s.verdicts(run, 0, 9)) != 1 || !s.hasRun(run.ID) {
		t.Error("of the run more or less is left than itself with its verdicts")
	}
	if len(s.parts(other)) != 4 || len(s.seen(other, 1, 2, 3)) != 3 {
		t.Error("the other run has lost something")
	}
}

// endedRuns are two runs that ended before past, with 9 and 1 rows besides
// themselves, and two that did not.
func (s *sample) endedRuns() (gone, kept []directory.BulkRun) {
	for i := range 4 {
		r := s.run(past)
		switch i {
		case 0, 1:
			r.EndedAt = past.Add(time.Duration(i-3) * time.Minute)
			gone = append(gone, s.addRun(r))
		case 2:
			r.EndedAt = past
			kept = append(kept, s.addRun(r))
		case 3:
			kept = append(kept, s.addRun(r))
		}
		if i != 1 {
			s.addParts(r, 4)
			s.noteSeen(r, 1, 2, 3)
			s.addVerdicts(r, directory.VerdictBlock{FirstRow: 1, LastRow: 2}, directory.VerdictBlock{FirstRow: 3, LastRow: 3})
		} else {
			s.addParts(r, 1)
		}
	}
	return gone, kept
}

func (s *sample) wantKept(runs []directory.BulkRun) {
	s.t.Helper()
	for _, r := range runs {
		if !s.hasRun(r.ID) || len(s.parts(r)) != 4 || len(s.seen(r, 1, 2, 3)) != 3 || len(s.verdicts(r, 0, 9)) != 2 {
			s.t.Errorf("run %s, which had not ended by then, has lost something", r.ID)
		}
	}
}

func runsSwept(t *testing.T, s *sample) {
	var gone, kept []directory.BulkRun
	s.wantSwept(12, func() { gone, kept = s.endedRuns() }, func(tx directory.Tx) removal { return tx.SweepBulkRuns })
	for _, r := range gone {
		if s.hasRun(r.ID) || len(s.parts(r)) != 0 || len(s.seen(r, 1, 2, 3)) != 0 || len(s.verdicts(r, 0, 9)) != 0 {
			t.Errorf("something is left of run %s", r.ID)
		}
	}
	s.wantKept(kept)
}

func runDataSwept(t *testing.T, s *sample) {
	s.swept(past, 1<<20, func(tx directory.Tx) removal { return tx.SweepBulkRuns })
	var gone, kept []directory.BulkRun
	s.wantSwept(8, func() { gone, kept = s.endedRuns() }, func(tx directory.Tx) removal { return tx.SweepBulkData })
	for i, r := range gone {
		if !s.hasRun(r.ID) || len(s.parts(r)) != 0 || len(s.seen(r, 1, 2, 3)) != 0 || len(s.verdicts(r, 0, 9)) != 2-2*i {
			t.Errorf("of run %s more or less is left than itself with its verdicts", r.ID)
		}
	}
	s.wantKept(kept)
}

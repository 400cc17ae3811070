package directory_test

import (
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// addBulkRules are the rows of the policy matrix about imports and actions on many
// users.
func addBulkRules(rules map[string]methodRule) {
	const passwords = directory.ScopeUsersWrite | directory.ScopePasswords
	row := func(rank directory.Rank, scope directory.ScopeSet, call func(w *world, c *directory.Call, id string) error) methodRule {
		return methodRule{rank, scope, false, false, wholeTenant, func(w *world) func(c *directory.Call) error {
			w.endBulks()
			id := w.openImport("user_name\nann\n").ID
			return func(c *directory.Call) error { return call(w, c, id) }
		}}
	}
	rules["CreateBulk"] = row(adminRank, directory.ScopeUsersWrite, func(w *world, c *directory.Call, _ string) error {
		return second(w.svc.CreateBulk(w.ctx, c, action(directory.DeedUnlock, 987_654)))
	})
	rules["StartBulk"] = row(adminRank, passwords, func(w *world, c *directory.Call, id string) error {
		err := second(w.svc.StartBulk(w.ctx, c, id, directory.BulkThresholds{}))
		if directory.IsReason(err, directory.ReasonBulkAsker) {
			return nil // which only those who may are told
		}
		return err
	})
	rules["CancelBulk"] = row(adminRank, passwords, func(w *world, c *directory.Call, id string) error {
		return second(w.svc.CancelBulk(w.ctx, c, id))
	})
	rules["BulkPart"] = row(adminRank, passwords, func(w *world, c *directory.Call, id string) error {
		return second(w.svc.BulkPart(w.ctx, c, id, 0))
	})
	rules["AddBulkPart"] = row(adminRank, passwords, func(w *world, c *directory.Call, id string) error {
		_, err := w.svc.AddBulkPart(w.ctx, c, id, 0, []byte("user_name\nann\n"))
		if directory.IsReason(err, directory.ReasonBulkAsker) {
			return nil // which only those who may are told
		}
		return err
	})
	rules["Bulk"] = row(readerRank, directory.ScopeUsersRead, func(w *world, c *directory.Call, id string) error {
		return second(w.svc.Bulk(w.ctx, c, id))
	})
	rules["Bulks"] = row(readerRank, directory.ScopeUsersRead, func(w *world, c *directory.Call, _ string) error {
		return second(w.svc.Bulks(w.ctx, c, "", "", 10))
	})
	rules["BulkVerdicts"] = row(readerRank, directory.ScopeUsersRead, func(w *world, c *directory.Call, id string) error {
		return second(w.svc.BulkVerdicts(w.ctx, c, id, directory.VerdictQuery{Limit: 10}))
	})
	rules["UndoRecords"] = methodRule{readerRank, directory.ScopeUsersRead | directory.ScopeEvents, false, false, wholeTenant, func(w *world) func(c *directory.Call) error {
		run, _ := w.act(w.bulk(action(directory.DeedUnlock, 987_654)))
		return func(c *directory.Call) error {
			return w.svc.UndoRecords(w.ctx, c, run.ID, func([]directory.Record) error { return nil })
		}
	}}
	rules["ExportUsers"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, noCompany, noPreparation(func(w *world, c *directory.Call) error {
		return w.svc.ExportUsers(w.ctx, c, directory.UserQuery{Company: w.outside}, directory.IncludeGroups, func([]directory.Record) error { return nil })
	})}
	addBulkServerRules(rules)
	addImportRules(rules)
}

func addBulkServerRules(rules map[string]methodRule) {
	row := func(call func(w *world, c *directory.Call, id string) error) methodRule {
		return methodRule{adminRank, directory.ScopeTenant, false, true, directory.ReasonRankTooLow, func(w *world) func(c *directory.Call) error {
			w.endBulks()
			id := w.bulk(action(directory.DeedUnlock, 987_654)).ID
			return func(c *directory.Call) error { return call(w, c, id) }
		}}
	}
	rules["ActBulk"] = row(func(w *world, c *directory.Call, id string) error {
		return second(w.svc.ActBulk(w.ctx, c, w.tenant.No, id))
	})
	rules["FailBulk"] = row(func(w *world, c *directory.Call, id string) error {
		return second(w.svc.FailBulk(w.ctx, c, w.tenant.No, id, "It cannot be read."))
	})
}

// action is an action on users by number.
func action(verb directory.DeedVerb, users ...int64) directory.NewBulk {
	return directory.NewBulk{Kind: directory.BulkAction, Deed: directory.BulkDeed{Verb: verb, Users: users}}
}

// importing is an import of a CSV file.
func importing(change ...func(*directory.ImportOptions)) directory.NewBulk {
	in := directory.NewBulk{Kind: directory.BulkImport, Name: "users.csv", Import: directory.ImportOptions{Format: directory.BulkCSV}}
	for _, c := range change {
		c(&in.Import)
	}
	return in
}

// bulk makes a run.
func (f *fixture) bulk(in directory.NewBulk) directory.BulkRun {
	f.t.Helper()
	return must(f.svc.CreateBulk(f.ctx, f.sys(), in))(f.t)
}

// openImport makes an import whose file is sent.
func (f *fixture) openImport(parts ...string) directory.BulkRun {
	f.t.Helper()
	run := f.bulk(importing())
	for i, part := range parts {
		run = must(f.svc.AddBulkPart(f.ctx, f.sys(), run.ID, int64(i), []byte(part)))(f.t)
	}
	return run
}

// endBulks cancels what is under way.
func (f *fixture) endBulks() {
	f.t.Helper()
	for _, run := range must(f.svc.Bulks(f.ctx, f.sys(), "", "", directory.MaxLimit))(f.t).Runs {
		if !run.State.Ended() {
			must(f.svc.CancelBulk(f.ctx, f.sys(), run.ID))(f.t)
		}
	}
}

// act does an action to its end and returns its verdicts.
func (f *fixture) act(run directory.BulkRun) (directory.BulkRun, []directory.RowVerdict) {
	f.t.Helper()
	for !run.State.Ended() {
		run = must(f.svc.ActBulk(f.ctx, directory.System(0, "bulk"), f.tenant.No, run.ID))(f.t)
	}
	return run, f.verdicts(run.ID)
}

// verdicts are all verdicts of a run, read in small pages.
func (f *fixture) verdicts(id string, only ...directory.Verdict) (all []directory.RowVerdict) {
	f.t.Helper()
	q := directory.VerdictQuery{Verdicts: only, Limit: 7}
	for {
		page := must(f.svc.BulkVerdicts(f.ctx, f.sys(), id, q))(f.t)
		all = append(all, page.Verdicts...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return all
		}
	}
}

// Nobody starts a run in another person's name: it would outlast the hour.
func TestRulesBulkImpersonator(t *testing.T) {
	f := newFixture(t)
	admin, target := f.ranked(ownerRank), f.ranked(adminRank)
	token := must(f.impersonate(admin, target))(t)
	for _, in := range []directory.NewBulk{action(directory.DeedUnlock, 1), importing()} {
		_, err := f.svc.CreateBulk(f.ctx, f.signed(token), in)
		wantError(t, err, directory.CodeForbidden, directory.ReasonImpersonating)
	}
}

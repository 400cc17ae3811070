package directory_test

import (
	"fmt"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// addImportRules are the rows of the policy matrix about the pages of an import.
func addImportRules(rules map[string]methodRule) {
	row := func(call func(w *world, c *directory.Call, id string) error) methodRule {
		return methodRule{adminRank, directory.ScopeTenant, false, true, directory.ReasonRankTooLow, func(w *world) func(c *directory.Call) error {
			for _, run := range must(w.svc.Bulks(w.ctx, w.sys(), "", "", directory.MaxLimit))(w.t).Runs {
				if !run.State.Ended() { // there may not be many
					must(w.svc.CancelBulk(w.ctx, w.sys(), run.ID))(w.t)
				}
			}
			id := w.begun(w.sys(), importOf()).ID
			return func(c *directory.Call) error { return call(w, c, id) }
		}}
	}
	rules["ImportPage"] = row(func(w *world, c *directory.Call, id string) error {
		_, _, err := w.svc.ImportPage(w.ctx, c, w.tenant.No, id, 0, []directory.Record{{UserName: new(w.unique("made"))}})
		return err
	})
	rules["PlanImport"] = row(func(w *world, c *directory.Call, id string) error {
		_, err := w.svc.PlanImport(w.ctx, c, w.tenant.No, id, []directory.Record{{UserName: new(w.unique("made"))}})
		return err
	})
	rules["ApplyImport"] = row(func(w *world, c *directory.Call, id string) error {
		plan := must(w.svc.PlanImport(w.ctx, w.sys(), w.tenant.No, id, []directory.Record{{UserName: new(w.unique("made"))}}))(w.t)
		_, _, err := w.svc.ApplyImport(w.ctx, c, w.tenant.No, 0, plan)
		return err
	})
	rules["EndImport"] = row(func(w *world, c *directory.Call, id string) error {
		_, err := w.svc.EndImport(w.ctx, c, w.tenant.No, id)
		return err
	})
}

// importOf is an import of records.
func importOf(change ...func(*directory.ImportOptions)) directory.NewBulk {
	in := directory.NewBulk{Kind: directory.BulkImport, Name: "users.csv", Import: directory.ImportOptions{Format: directory.BulkNDJSON}}
	for _, c := range change {
		c(&in.Import)
	}
	return in
}

// begun is an import that a server can take up.
func (f *fixture) begun(call *directory.Call, in directory.NewBulk) directory.BulkRun {
	f.t.Helper()
	run := must(f.svc.CreateBulk(f.ctx, call, in))(f.t)
	again := func() *directory.Call {
		c := *call
		return &c
	}
	must(f.svc.AddBulkPart(f.ctx, again(), run.ID, 0, []byte("user_name\nann\n")))(f.t)
	return must(f.svc.StartBulk(f.ctx, again(), run.ID, directory.BulkThresholds{}))(f.t)
}

// page imports the next rows of a run.
func (f *fixture) page(run directory.BulkRun, records ...directory.Record) (directory.BulkRun, []directory.RowVerdict) {
	f.t.Helper()
	next, verdicts, err := f.svc.ImportPage(f.ctx, f.sys(), f.tenant.No, run.ID, run.Done, records)
	check(f.t, err)
	return next, verdicts
}

// ended ends a run whose rows are done.
func (f *fixture) ended(run directory.BulkRun) directory.BulkRun {
	f.t.Helper()
	for run.State == directory.BulkRunning || run.State == directory.BulkWaiting {
		run = must(f.svc.EndImport(f.ctx, f.sys(), f.tenant.No, run.ID))(f.t)
	}
	return run
}

// imported imports rows as one page.
func (f *fixture) imported(in directory.NewBulk, records ...directory.Record) (directory.BulkRun, []directory.RowVerdict) {
	f.t.Helper()
	run, verdicts := f.page(f.begun(f.sys(), in), records...)
	return f.ended(run), verdicts
}

// recordOf is a record of a user name.
func recordOf(name string, change ...func(*directory.Record)) directory.Record {
	r := directory.Record{UserName: new(name)}
	for _, c := range change {
		c(&r)
	}
	return r
}

// whatCame writes verdicts as "verdict: field reason, field reason" or, of an update,
// with the fields that changed.
func whatCame(verdicts []directory.RowVerdict) []string {
	out := make([]string, len(verdicts))
	for i, v := range verdicts {
		var details []string
		for _, f := range v.Faults {
			details = append(details, f.Field+" "+string(f.Reason))
		}
		out[i] = strings.TrimSuffix(fmt.Sprintf("%s: %s", v.Verdict, strings.Join(append(details, v.Changed...), ", ")), ": ")
	}
	return out
}

// numberOf is the number of the user of a name, 0 for none.
func (f *fixture) numberOf(name string) int64 { return f.holder(directory.SpaceLogin, name) }

package store_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// importing is a tenant into which files are imported.
type importing struct {
	t   *testing.T
	ctx context.Context
	svc *directory.Service
	no  directory.TenantNo
}

func (i *importing) call() *directory.Call { return directory.System(i.no, "test") }

// run makes an import that a server can take up.
func (i *importing) run(in directory.NewBulk) directory.BulkRun {
	i.t.Helper()
	in.Kind, in.Name, in.Import.Format = directory.BulkImport, "users.ndjson", directory.BulkNDJSON
	run, err := i.svc.CreateBulk(i.ctx, i.call(), in)
	if err == nil {
		_, err = i.svc.AddBulkPart(i.ctx, i.call(), run.ID, 0, []byte("{}\n"))
	}
	if err == nil {
		run, err = i.svc.StartBulk(i.ctx, i.call(), run.ID, directory.BulkThresholds{})
	}
	if err != nil {
		i.t.Fatal(err)
	}
	return run
}

// pages imports pages, all of which are looked at before the first is written, and
// returns the verdicts as texts.
func (i *importing) pages(run directory.BulkRun, pages ...[]directory.Record) (directory.BulkRun, []string) {
	i.t.Helper()
	plans := make([]*directory.ImportPlan, len(pages))
	for at, page := range pages {
		var err error
		if plans[at], err = i.svc.PlanImport(i.ctx, i.call(), i.no, run.ID, page); err != nil {
			i.t.Fatal(err)
		}
	}
	var came []string
	for _, plan := range plans {
		next, verdicts, err := i.svc.ApplyImport(i.ctx, i.call(), i.no, run.Done, plan)
		if err != nil {
			i.t.Fatal(err)
		}
		run = next
		for _, v := range verdicts {
			text := string(v.Verdict)
			for _, f := range v.Faults {
				text += " " + string(f.Reason)
			}
			came = append(came, text)
		}
	}
	for run.State == directory.BulkRunning || run.State == directory.BulkWaiting {
		var err error
		if run, err = i.svc.EndImport(i.ctx, i.call(), i.no, run.ID); err != nil {
			i.t.Fatal(err)
		}
	}
	return run, came
}

// A page that was looked at too early is decided about anew in a second transaction, in
// which rows are refused one by one; on both engines, and in a dry run too.
func TestImport(t *testing.T) {
	for engine, open := range map[string]func(*testing.T) directory.Store{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(engine, func(t *testing.T) {
			sealer, err := directory.NewSealer(bytes.Repeat([]byte{1}, directory.SecretKeyBytes))
			if err != nil {
				t.Fatal(err)
			}
			i := &importing{t: t, ctx: context.Background(), svc: directory.New(open(t), directory.Options{Sealer: sealer})}
			tenant, err := i.svc.CreateTenant(i.ctx, directory.System(0, "test"), directory.Tenant{Name: "acme"}, directory.Company{})
			if err != nil {
				t.Fatal(err)
			}
			i.no = tenant.No
			if _, err := i.svc.SetPool(i.ctx, i.call(), "Full", 3); err != nil {
				t.Fatal(err)
			}
			row := func(name string, change ...func(*directory.Record)) directory.Record {
				r := directory.Record{UserName: &name}
				for _, c := range change {
					c(&r)
				}
				return r
			}
			seat := func(r *directory.Record) { r.LicenceType = new("Full") }
			number := func(n int64) func(*directory.Record) {
				return func(r *directory.Record) { r.Number = &n }
			}
			north := func(r *directory.Record) { r.CompanyName = new("North") }
			pages := [][]directory.Record{
				{row("ann", seat, number(500)), row("bob", seat), row("cat", north)},
				{row("dan", number(900)), row("Ann"), row("eve", seat, north), row("fay", seat), row("bad name ")},
				{row("guy", number(500)), row("hal")},
			}
			want := []string{"create", "create", "create", "create", "conflict import.same_row", "create", "conflict seat.exhausted", "invalid field.format",
				"conflict import.same_row", "create"}
			for _, dry := range []bool{true, false} {
				in := directory.NewBulk{DryRun: dry, Import: directory.ImportOptions{CreateMissing: true}}
				run, came := i.pages(i.run(in), pages...)
				if diff := cmp.Diff(want, came); diff != "" || run.State != directory.BulkDone {
					t.Errorf("dry run %t: %s, verdicts (-want +got):\n%s", dry, run.State, diff)
				}
			}
			names := i.names()
			if diff := cmp.Diff([]string{"ann", "bob", "cat", "dan", "eve", "hal"}, names); diff != "" {
				t.Errorf("users (-want +got):\n%s", diff)
			}
			in := directory.NewBulk{Import: directory.ImportOptions{DeactivateMissing: true, MaxDeactivations: 100}}
			run, came := i.pages(i.run(in), []directory.Record{row("ann"), row("bob", func(r *directory.Record) { r.Title = new("New") }), row("cat"), row("dan")})
			if diff := cmp.Diff([]string{"skip", "update", "skip", "skip"}, came); diff != "" || run.Counts[directory.RowDeactivate] != 2 {
				t.Errorf("the run is %+v, verdicts (-want +got):\n%s", run, diff)
			}
		})
	}
}

// names are the user names of all users, in order of their names.
func (i *importing) names() (names []string) {
	i.t.Helper()
	page, err := i.svc.Users(i.ctx, i.call(), directory.UserQuery{Limit: 100, Sort: directory.FieldUserName})
	if err != nil {
		i.t.Fatal(fmt.Errorf("users: %w", err))
	}
	for _, u := range page.Users {
		names = append(names, u.UserName)
	}
	return names
}

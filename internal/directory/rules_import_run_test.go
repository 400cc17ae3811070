package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// Importing what was exported changes nothing, whatever there is of a user.
func TestRulesImportOfExport(t *testing.T) {
	f := newFixture(t)
	company, reason := f.company("North", f.root), f.lockReason(f.root)
	team := must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: directory.GroupPlain, Name: "Team"}, {Kind: directory.GroupServiceTeam, Name: "T", Key: "Aa"}}, nil))(t)
	f.user("plain")
	f.user("full", withLicence, withPassword, withCompany(company), func(in *directory.NewUser) {
		p := &in.Fields
		p.Phones = directory.Some([]directory.Phone{{Number: "=1", Type: "work"}, {Number: "2"}})
		p.Address, p.Language = directory.Some(directory.Address{Set: true}), directory.Some("nb")
		p.Picture, p.ClientUserID = directory.Some(raw(`{"a": 1}`)), directory.Some("same")
		p.ExpiresAt = directory.Some(f.clock.now().Add(time.Hour + time.Microsecond))
		p.Groups = []directory.GroupChange{{Kind: directory.GroupPlain, Mode: directory.GroupsReplace, Groups: []directory.GroupRef{{ID: team[0].ID}}, Role: "ADMIN"},
			{Kind: directory.GroupServiceTeam, Mode: directory.GroupsReplace, Groups: []directory.GroupRef{{ID: team[1].ID}}}}
	})
	f.user("second", withState(directory.StateInactive), func(in *directory.NewUser) {
		in.ClaimEmail, in.Fields.Email, in.Fields.ClientUserID = false, directory.Some("plain@example.com"), directory.Some("same")
	})
	locked := f.user("locked")
	must(f.svc.Lock(f.ctx, f.sys(), directory.ByNumber(locked.Number), reason.Number))(t)
	check(t, f.svc.AssignLocation(f.ctx, f.sys(), directory.ByNumber(locked.Number), f.location(f.root)))
	f.ranked(adminRank)
	f.ranked(ownerRank)
	gone := f.user("gone")
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	f.user("gone") // whose handles are free
	var records []directory.Record
	q := directory.UserQuery{States: directory.LivingStates | directory.StatesOf(directory.StateDeleted)}
	check(t, f.svc.ExportUsers(f.ctx, f.sys(), q, directory.IncludeRecord, func(page []directory.Record) error {
		records = append(records, page...)
		return nil
	}))
	dump := f.dump("users", "identifiers", "group_members", "user_roles", "user_locations")
	run, verdicts := f.imported(importOf(), records...)
	for i, v := range verdicts {
		if v.Verdict != directory.RowSkip {
			t.Errorf("%s: %v", v.Name, whatCame(verdicts[i:i+1]))
		}
	}
	if len(verdicts) != 8 || run.Counts[directory.RowSkip] != 8 {
		t.Errorf("%d verdicts, the run is %+v", len(verdicts), run)
	}
	if diff := cmp.Diff(dump, f.dump("users", "identifiers", "group_members", "user_roles", "user_locations")); diff != "" {
		t.Errorf("something changed:\n%s", diff)
	}
}

// A page that was done is not done again: not by another server, nor by this one after
// it was killed before it heard of the commit.
func TestRulesImportResumes(t *testing.T) {
	f := newFixture(t)
	run := f.begun(f.sys(), importOf())
	first, _ := f.page(run, recordOf("ann"))
	mark := f.mark()
	again, verdicts := f.page(run, recordOf("ann")) // as far as it knew
	if verdicts != nil || again.Done != 1 || len(f.types(mark)) != 0 {
		t.Errorf("a repeat gave %+v and the run %+v", verdicts, again)
	}
	ahead := first
	ahead.Done = 7
	if next, verdicts := f.page(ahead, recordOf("bob")); verdicts != nil || next.Done != 1 || f.numberOf("bob") != 0 {
		t.Errorf("a page beyond gave %+v and the run %+v", verdicts, next)
	}
	must(f.svc.CancelBulk(f.ctx, f.sys(), run.ID))(t)
	if next, verdicts := f.page(first, recordOf("bob")); verdicts != nil || next.State != directory.BulkCancelled || f.numberOf("bob") != 0 {
		t.Errorf("a page of a cancelled run gave %+v and the run %+v", verdicts, next)
	}
	if next := must(f.svc.EndImport(f.ctx, f.sys(), f.tenant.No, run.ID))(t); next.State != directory.BulkCancelled {
		t.Errorf("the run is %+v", next)
	}
}

// Pages may be looked at before those before them are written: what comes out is the
// same.
func TestRulesImportLooksAhead(t *testing.T) {
	f := newFixture(t)
	run := f.begun(f.sys(), importOf())
	client := func(r *directory.Record) { r.ClientUserID = new("c1") }
	pages := [][]directory.Record{
		{recordOf("ann", client), recordOf("bob", func(r *directory.Record) { r.Email = new("bob@example.com") })},
		{recordOf("ann"), recordOf("cat")},
		{recordOf("dan", client), recordOf("eve", func(r *directory.Record) { r.Email = new("bob@example.com") })},
	}
	var plans []*directory.ImportPlan
	for _, page := range pages {
		plans = append(plans, must(f.svc.PlanImport(f.ctx, f.sys(), f.tenant.No, run.ID, page))(t))
	}
	var all []directory.RowVerdict
	for _, plan := range plans {
		next, verdicts, err := f.svc.ApplyImport(f.ctx, f.sys(), f.tenant.No, run.Done, plan)
		check(t, err)
		run, all = next, append(all, verdicts...)
	}
	want := []string{"create", "create", "conflict: user_name import.same_row", "create",
		"conflict: client_user_id import.same_row", "conflict: email import.same_row"}
	if diff := cmp.Diff(want, whatCame(all)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(all, f.verdicts(run.ID)); diff != "" {
		t.Errorf("the kept verdicts (-given +kept):\n%s", diff)
	}
}

// A run has the rights that who asked for it has at the moment of each page.
func TestRulesImportRights(t *testing.T) {
	f := newFixture(t)
	made, secret, err := f.svc.CreateKey(f.ctx, f.sys(), directory.NewCredential{Name: "importer", Rank: adminRank,
		Scopes: directory.ScopeUsersRead | directory.ScopeUsersWrite | directory.ScopePasswords})
	check(t, err)
	f.secret(secret)
	run := f.begun(f.as(secret), importOf(func(o *directory.ImportOptions) { o.CreateMissing = true }))
	admin, owner := f.role(adminRank), f.ranked(ownerRank)
	run, verdicts := f.page(run,
		recordOf("ann", func(r *directory.Record) { r.Roles = &[]string{admin.Key} }),
		recordOf("bob", func(r *directory.Record) { r.CompanyName = new("Nowhere") }),
		recordOf("cat", func(r *directory.Record) { r.Groups = &[]directory.RecordGroup{{Key: "none"}} }),
		recordOf(owner.UserName, func(r *directory.Record) { r.Title = new("Slave") }),
		recordOf("dan"))
	want := []string{"conflict: roles scope.missing", "conflict: company_name scope.missing", "conflict: groups scope.missing",
		"conflict:  rank.too_low", "create"}
	if diff := cmp.Diff(want, whatCame(verdicts)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s%+v", diff, verdicts)
	}
	events := f.events(f.mark() - 1)
	if event := events[len(events)-1]; event.Actor != "key:importer" || event.Door != directory.DoorCanonical {
		t.Errorf("the event is by %s through %s", event.Actor, event.Door)
	}
	// A row cannot first take the role that protects a password.
	held := f.ranked(adminRank)
	run, verdicts = f.page(run, recordOf(held.UserName, func(r *directory.Record) {
		r.Roles, r.Password = &[]string{}, new(directory.Secret("another password of 30 letters"))
	}))
	if diff := cmp.Diff([]string{"conflict:  scope.missing"}, whatCame(verdicts)); diff != "" {
		t.Errorf("a password with the role taken (-want +got):\n%s", diff)
	}
	check(t, f.svc.RevokeCredential(f.ctx, f.sys(), made.ID))
	next, verdicts := f.page(run, recordOf("eve"))
	if next.State != directory.BulkFailed || !strings.Contains(next.Error, "revoked") || verdicts != nil || f.numberOf("eve") != 0 {
		t.Errorf("verdicts %+v, the run is %+v", verdicts, next)
	}
	if f.numberOf("dan") == 0 {
		t.Error("what was done is gone")
	}
}

// A run that would update more users than it may stops before the first of the page
// with which it would, and goes on when it is allowed to.
func TestRulesImportMaxChanges(t *testing.T) {
	f := newFixture(t)
	var rows []directory.Record
	for i := range 10 {
		u := f.someone()
		rows = append(rows, recordOf(u.UserName, func(r *directory.Record) { r.Title = new(fmt.Sprint("New ", i)) }))
	}
	in := importOf(func(o *directory.ImportOptions) { o.MaxChanges = 20 })
	run := f.begun(f.sys(), in)
	run, _ = f.page(run, rows[:2]...)
	run, verdicts := f.page(run, rows[2:]...)
	if run.State != directory.BulkStopped || run.Done != 2 || verdicts != nil ||
		run.Error != "It would update at least 10 of 10 users (100 %), more than the 20 % allowed." {
		t.Fatalf("verdicts %+v, the run is %+v", verdicts, run)
	}
	if u := f.stored(f.numberOf(*rows[2].UserName)); u.Title != "" {
		t.Errorf("the user is %+v", u)
	}
	run = must(f.svc.StartBulk(f.ctx, f.sys(), run.ID, directory.BulkThresholds{MaxChanges: 100}))(t)
	run, verdicts = f.page(run, rows[2:]...)
	if run = f.ended(run); run.State != directory.BulkDone || len(verdicts) != 8 || run.Counts[directory.RowUpdate] != 10 || run.Error != "" {
		t.Errorf("verdicts %+v, the run is %+v", verdicts, run)
	}
	in.DryRun = true
	for i := range rows {
		rows[i].Title = new("Other")
	}
	run, verdicts = f.imported(in, rows...)
	if run.State != directory.BulkDone || len(verdicts) != 10 || !strings.Contains(run.Error, "more than the 20 % allowed") {
		t.Errorf("the dry run is %+v", run)
	}
}

// Users whom no row was about are deactivated at the end: not administrators and the
// owner, not those who are held, and not those whose row was refused.
func TestRulesImportDeactivatesMissing(t *testing.T) {
	f := newFixture(t)
	admin, owner := f.ranked(adminRank), f.ranked(ownerRank)
	gone, held, refused, other := f.user("gone"), f.user("held"), f.user("refused"), f.user("other", withState(directory.StateStaged))
	check(t, f.svc.PlaceHold(f.ctx, f.sys(), directory.ByNumber(held.Number), directory.Hold{Kind: directory.HoldOpenOrders, Source: "orders", Ref: "1"}))
	f.user("kept")
	rows := []directory.Record{recordOf("kept"), recordOf("made"), recordOf("refused", func(r *directory.Record) { r.Email = new("no address") })}
	in := importOf(func(o *directory.ImportOptions) { o.DeactivateMissing = true })

	stopped, _ := f.imported(in, rows...)
	want := "It would deactivate 2 of 8 users (25 %), more than the 10 % allowed."
	if stopped.State != directory.BulkStopped || stopped.Error != want || f.stored(gone.Number).State != directory.StateActive {
		t.Fatalf("the run is %+v", stopped)
	}
	in.DryRun = true
	dry, _ := f.imported(in, rows...)
	if dry.State != directory.BulkDone || dry.Error != want || f.stored(gone.Number).State != directory.StateActive {
		t.Errorf("the dry run is %+v", dry)
	}
	run := must(f.svc.StartBulk(f.ctx, f.sys(), stopped.ID, directory.BulkThresholds{MaxDeactivations: 100}))(t)
	run = f.ended(run)
	ends := []string{"deactivate", "conflict: hold:open_orders user.held"}
	for _, r := range []directory.BulkRun{dry, run} {
		verdicts := f.verdicts(r.ID)
		if diff := cmp.Diff(ends, whatCame(verdicts[3:])); diff != "" || verdicts[3].User != gone.Number || verdicts[3].Row != 4 || verdicts[4].User != held.Number {
			t.Errorf("verdicts (-want +got):\n%s%+v", diff, verdicts)
		}
		if r.Rows != 5 || r.Done != 5 || r.Counts[directory.RowDeactivate] != 1 {
			t.Errorf("the run is %+v", r)
		}
	}
	if run.State != directory.BulkDone || run.Error != "" || f.stored(gone.Number).State != directory.StateInactive || f.stored(other.Number).State != directory.StateStaged {
		t.Errorf("the run is %+v, the user %+v", run, f.stored(gone.Number))
	}
	for _, u := range []directory.User{admin, owner, held, refused} {
		if f.stored(u.Number).State != directory.StateActive {
			t.Errorf("%s is %s", u.UserName, f.stored(u.Number).State)
		}
	}
}

// What an import did is taken back by importing what UndoRecords hands out, but where
// somebody changed the user since.
func TestRulesImportUndone(t *testing.T) {
	f := newFixture(t)
	f.user("ann", withLicence)
	f.user("bob")
	title := func(r *directory.Record) { r.Title, r.Status = new("New"), new(directory.StateInactive) }
	run, verdicts := f.imported(importOf(), recordOf("ann", title), recordOf("bob", title), recordOf("cat"), recordOf("dan"))
	if diff := cmp.Diff([]string{"update: status, title", "update: status, title", "create", "create"}, whatCame(verdicts)); diff != "" {
		t.Fatalf("verdicts (-want +got):\n%s", diff)
	}
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByUserName("bob"), directory.UserPatch{GivenName: directory.Some("Bob")}, directory.UpdateOptions{}))(t)
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByUserName("dan"), directory.UserPatch{GivenName: directory.Some("Dan")}, directory.UpdateOptions{}))(t)
	cat := f.numberOf("cat")
	var records []directory.Record
	check(t, f.svc.UndoRecords(f.ctx, f.sys(), run.ID, func(page []directory.Record) error {
		records = append(records, page...)
		return nil
	}))
	undone, verdicts := f.imported(importOf(), records...)
	// The newest first: new users are written before the others of a page.
	want := []string{"conflict: version version.mismatch", "update: status, title", "conflict: version version.mismatch", "update: status"}
	if diff := cmp.Diff(want, whatCame(verdicts)); diff != "" || undone.State != directory.BulkDone {
		t.Errorf("verdicts (-want +got):\n%s%+v", diff, verdicts)
	}
	ann := f.stored(f.numberOf("ann"))
	if ann.Title != "" || ann.State != directory.StateActive || ann.Seat == 0 || f.stored(cat).State != directory.StateDeleted {
		t.Errorf("ann is %+v, cat %+v", ann, f.stored(cat))
	}
}

// Seats are counted out in order of the rows, over pages, in a dry run as in the run.
func TestRulesImportSeats(t *testing.T) {
	for _, dry := range []bool{true, false} {
		f := newFixture(t)
		f.setPool(3)
		f.someone(withLicence)
		in := importOf()
		in.DryRun = dry
		run, want := f.begun(f.sys(), in), []string{"create", "create", "conflict: licence_type seat.exhausted", "create"}
		var got []string
		for i, state := range []directory.State{directory.StateActive, directory.StateActive, directory.StateActive, directory.StateStaged} {
			next, verdicts := f.page(run, recordOf(fmt.Sprint("u", i), func(r *directory.Record) { r.LicenceType, r.Status = new(licence), &state }))
			run, got = next, append(got, whatCame(verdicts)...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("dry run %t (-want +got):\n%s", dry, diff)
		}
		if used := f.pool(licence).Used; used != map[bool]int64{true: 1, false: 3}[dry] {
			t.Errorf("dry run %t: %d seats are used", dry, used)
		}
	}
}

// What rows name and is not there is made, if that was asked for.
func TestRulesImportCreatesMissing(t *testing.T) {
	f := newFixture(t)
	rows := []directory.Record{
		recordOf("ann", func(r *directory.Record) {
			r.CompanyName, r.Roles = new("North"), &[]string{"Driver"}
			r.Groups = &[]directory.RecordGroup{{Kind: directory.GroupPlain, Key: "Team"}, {Kind: directory.GroupServiceTeam, Key: "Aa", Name: "Alpha"}}
		}),
		recordOf("bob", func(r *directory.Record) { r.CompanyName, r.Roles = new("NORTH"), &[]string{"Driver"} }),
	}
	_, verdicts := f.imported(importOf(), rows...)
	want := []string{"conflict: company_name company.not_found, groups group.not_found, groups group.not_found, roles role.not_found",
		"conflict: company_name company.not_found, roles role.not_found"}
	got := whatCame(verdicts)
	for i := range got {
		parts := strings.Split(strings.TrimPrefix(got[i], "conflict: "), ", ")
		slices.Sort(parts)
		got[i] = "conflict: " + strings.Join(parts, ", ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	in := importOf(func(o *directory.ImportOptions) { o.CreateMissing = true })
	in.DryRun = true
	dump := f.dump("companies", "groups", "roles")
	_, verdicts = f.imported(in, rows...)
	if diff := cmp.Diff([]string{"create", "create"}, whatCame(verdicts)); diff != "" {
		t.Errorf("the dry run's verdicts (-want +got):\n%s%+v", diff, verdicts)
	}
	if diff := cmp.Diff(dump, f.dump("companies", "groups", "roles")); diff != "" {
		t.Errorf("a dry run changed:\n%s", diff)
	}
	in.DryRun = false
	_, verdicts = f.imported(in, rows...)
	if diff := cmp.Diff([]string{"create", "create"}, whatCame(verdicts)); diff != "" {
		t.Fatalf("verdicts (-want +got):\n%s%+v", diff, verdicts)
	}
	ann := must(f.svc.UserDetail(f.ctx, f.sys(), directory.ByUserName("ann"), directory.IncludeRecord))(t)
	bob := f.stored(f.numberOf("bob"))
	if ann.Company.Name != "North" || ann.Company.Parent != f.root || bob.Company != ann.Company.Number || len(ann.Groups) != 2 || ann.Groups[1].Group.Key != "Aa" ||
		ann.Groups[1].Group.Name != "Alpha" || len(ann.Roles) != 1 || ann.Roles[0].Role.Rank != selfRank {
		t.Errorf("ann is %+v, bob %+v", ann, bob)
	}
}

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

// said writes verdicts as "user verdict reason".
func said(list []directory.RowVerdict) (out []string) {
	for _, v := range list {
		text := fmt.Sprintf("%d %s %s", v.User, v.Name, v.Verdict)
		for _, f := range v.Faults {
			text += " " + string(f.Reason)
		}
		out = append(out, text)
	}
	return out
}

// Every verb does to each user what its use case does, and says so with the same
// event; who has it already is passed over.
func TestRulesBulkVerbs(t *testing.T) {
	f := newFixture(t)
	company, reason := f.company("Elsewhere", f.root), f.lockReason(f.root)
	team := must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: directory.GroupPlain, Name: "Team"}}, nil))(t)[0]
	for _, c := range []struct {
		deed  directory.BulkDeed
		event directory.EventType
		start directory.State
		holds func(u directory.User) bool
		again directory.Verdict
	}{
		{directory.BulkDeed{Verb: directory.DeedActivate}, directory.EventUserActivated, directory.StateInactive,
			func(u directory.User) bool { return u.State == directory.StateActive }, directory.RowSkip},
		{directory.BulkDeed{Verb: directory.DeedDeactivate}, directory.EventUserDeactivated, "",
			func(u directory.User) bool { return u.State == directory.StateInactive && u.AuthEpoch == 2 }, directory.RowSkip},
		{directory.BulkDeed{Verb: directory.DeedLock, LockReason: reason.Number}, directory.EventUserLocked, "",
			func(u directory.User) bool { return u.Locked && u.LockReason == reason.Number && u.AuthEpoch == 2 }, directory.RowSkip},
		{directory.BulkDeed{Verb: directory.DeedUnlock}, directory.EventUserUnlocked, "locked",
			func(u directory.User) bool { return !u.Locked }, directory.RowSkip},
		{directory.BulkDeed{Verb: directory.DeedMove, Company: company}, directory.EventUserUpdated, "",
			func(u directory.User) bool { return u.Company == company }, directory.RowSkip},
		{directory.BulkDeed{Verb: directory.DeedAddGroup, Group: team.Number}, directory.EventGroupsChanged, "",
			func(u directory.User) bool { return f.inGroup(team.Number, u.Number) }, directory.RowSkip},
		{directory.BulkDeed{Verb: directory.DeedRemoveGroup, Group: team.Number}, directory.EventGroupsChanged, "member",
			func(u directory.User) bool { return !f.inGroup(team.Number, u.Number) }, directory.RowSkip},
		{directory.BulkDeed{Verb: directory.DeedLicence, LicenceType: licence}, directory.EventUserUpdated, "",
			func(u directory.User) bool { return u.LicenceType == licence }, directory.RowSkip},
		{directory.BulkDeed{Verb: directory.DeedSignOut}, directory.EventSignedOut, "",
			func(u directory.User) bool { return u.AuthEpoch >= 2 }, directory.RowUpdate},
		{directory.BulkDeed{Verb: directory.DeedDelete}, directory.EventUserDeleted, "",
			func(u directory.User) bool { return u.State == directory.StateDeleted }, directory.RowConflict},
		{directory.BulkDeed{Verb: directory.DeedRestore}, directory.EventUserRestored, directory.StateDeleted,
			func(u directory.User) bool { return u.State == directory.StateInactive }, directory.RowSkip},
	} {
		t.Run(string(c.deed.Verb), func(t *testing.T) {
			f := f.sub(t)
			u := f.startingAt(string(c.start), team)
			c.deed.Users = []int64{u.Number, u.Number}
			mark := f.mark()
			run, list := f.act(f.bulk(deed(c.deed)))
			f.wantEvents(mark, directory.EventBulkStarted, c.event, directory.EventBulkEnded)
			if run.State != directory.BulkDone || run.Rows != 1 || run.Done != 1 || len(list) != 1 || list[0].Verdict != directory.RowUpdate || !c.holds(f.stored(u.Number)) {
				t.Errorf("the run is %+v, its verdicts %+v, the user %+v", run, list, f.stored(u.Number))
			}
			if event := f.events(mark)[1]; event.Reason != string(c.deed.Verb)+" (bulk:"+run.ID+")" || event.RequestID != "bulk:"+run.ID || event.Actor != "system:test" {
				t.Errorf("the event has the reason %q, request %q and actor %q", event.Reason, event.RequestID, event.Actor)
			}
			if _, list = f.act(f.bulk(deed(c.deed))); len(list) != 1 || list[0].Verdict != c.again {
				t.Errorf("the second time: %+v", list)
			}
		})
	}
}

// startingAt makes a user in a state, locked, or a member of a group.
func (f *fixture) startingAt(what string, team directory.Group) directory.User {
	f.t.Helper()
	u := f.someone()
	ref := directory.ByNumber(u.Number)
	switch what {
	case "locked":
		must(f.svc.Lock(f.ctx, f.sys(), ref, 0))(f.t)
	case "member":
		must(f.svc.ChangeGroups(f.ctx, f.sys(), ref, 0, directory.GroupChange{Kind: team.Kind, Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{ID: team.ID}}}))(f.t)
	case string(directory.StateInactive):
		must(f.svc.Deactivate(f.ctx, f.sys(), ref))(f.t)
	case string(directory.StateDeleted):
		must(f.svc.DeleteUser(f.ctx, f.sys(), ref))(f.t)
	}
	return f.stored(u.Number)
}

// inGroup reports whether a user is in a group.
func (f *fixture) inGroup(group, number int64) bool {
	f.t.Helper()
	var members []int64
	check(f.t, f.store.Read(f.ctx, func(r directory.Reader) (err error) {
		members, err = r.GroupMembers(f.ctx, f.tenant.No, group, 0, 1000)
		return err
	}))
	return slices.Contains(members, number)
}

// Users who are refused do not stop the others, and each has its reason.
func TestRulesBulkRefusals(t *testing.T) {
	f := newFixture(t)
	admin, owner, plain, held, gone := f.ranked(adminRank), f.ranked(ownerRank), f.someone(), f.someone(), f.someone()
	check(t, f.svc.PlaceHold(f.ctx, f.sys(), directory.ByNumber(held.Number), directory.Hold{Kind: directory.HoldOpenOrders, Source: "orders", Ref: "1"}))
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	last := f.someone()
	in := action(directory.DeedDeactivate, last.Number, gone.Number, held.Number, 987_654, plain.Number, owner.Number, admin.Number)
	run := must(f.svc.CreateBulk(f.ctx, f.as(f.key(adminRank)), in))(t)
	run, list := f.act(run)
	want := []string{
		fmt.Sprintf("%d %s update", admin.Number, admin.UserName),
		fmt.Sprintf("%d %s invalid owner.protected", owner.Number, owner.UserName),
		fmt.Sprintf("%d %s update", plain.Number, plain.UserName),
		fmt.Sprintf("%d %s conflict user.held", held.Number, held.UserName),
		fmt.Sprintf("%d %s conflict user.deleted", gone.Number, gone.UserName),
		fmt.Sprintf("%d %s update", last.Number, last.UserName),
		"987654  invalid user.not_found",
	}
	if diff := cmp.Diff(want, said(list)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[directory.Verdict]int64{directory.RowUpdate: 3, directory.RowInvalid: 2, directory.RowConflict: 2}, run.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got := f.verdicts(run.ID, directory.RowConflict); len(got) != 2 || got[0].User != held.Number || got[0].Row != 4 {
		t.Errorf("conflicts alone: %+v", got)
	}
}

// Seats are never oversold, whatever is asked of many at once.
func TestRulesBulkSeats(t *testing.T) {
	f := newFixture(t)
	var numbers []int64
	for range 5 {
		numbers = append(numbers, f.someone(withLicence, withState(directory.StateStaged)).Number)
	}
	f.setPool(3)
	dry := action(directory.DeedActivate, numbers...)
	dry.DryRun = true
	for _, in := range []directory.NewBulk{dry, action(directory.DeedActivate, numbers...)} {
		dump := f.dump("users", "licence_shards")
		run, _ := f.act(f.bulk(in))
		if diff := cmp.Diff(map[directory.Verdict]int64{directory.RowUpdate: 3, directory.RowConflict: 2}, run.Counts); diff != "" {
			t.Errorf("dry run %t (-want +got):\n%s", in.DryRun, diff)
		}
		if after := f.dump("users", "licence_shards"); in.DryRun != cmp.Equal(dump, after) {
			t.Errorf("dry run %t: the users changed: %t", in.DryRun, !cmp.Equal(dump, after))
		}
	}
}

// A selection is read page by page in order of number; every condition that a list
// knows is kept with the run.
func TestRulesBulkSelection(t *testing.T) {
	f := newFixture(t)
	company := f.company("Many", f.root)
	var want []int64
	for i := range 250 {
		title := "Engineer"
		if i%2 == 1 {
			title = "Clerk"
		}
		u := f.someone(withCompany(company), func(in *directory.NewUser) { in.Fields.Title = directory.Some(title) })
		if title == "Engineer" {
			want = append(want, u.Number)
		}
	}
	f.someone(func(in *directory.NewUser) { in.Fields.Title = directory.Some("Engineer") })
	filter := directory.And{directory.Text{Field: directory.FieldTitle, Value: "Engineer"}, directory.Not{Filter: directory.Is{Field: directory.FieldLocked, Value: true}}}
	run := f.bulk(deed(directory.BulkDeed{Verb: directory.DeedLock, Select: directory.SelectionOf(&directory.UserQuery{Company: company, Filter: filter})}))
	if run.Rows != 125 {
		t.Errorf("the run counts %d users", run.Rows)
	}
	run = must(f.svc.ActBulk(f.ctx, directory.System(0, "bulk"), f.tenant.No, run.ID))(t)
	if run.State != directory.BulkRunning || run.Done != 100 {
		t.Errorf("after a page: %s, %d done", run.State, run.Done)
	}
	run, list := f.act(run)
	var got []int64
	for i, v := range list {
		if v.Row != int64(i)+1 || v.Verdict != directory.RowUpdate {
			t.Errorf("row %d is %+v", i, v)
		}
		got = append(got, v.User)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d users were locked, want %d", len(got), len(want))
	}
	if again, _ := f.act(f.bulk(deed(run.Deed))); again.Done != 0 || again.State != directory.BulkDone {
		t.Errorf("the same selection again: %+v", again)
	}
	search := &directory.BulkSelect{Terms: []string{"user"}, States: []directory.State{directory.StateActive}}
	if run := f.bulk(deed(directory.BulkDeed{Verb: directory.DeedUnlock, Select: search})); run.Rows != 251 {
		t.Errorf("a search counts %d users", run.Rows)
	}
	if run := f.bulk(deed(directory.BulkDeed{Verb: directory.DeedRestore, Select: &directory.BulkSelect{}})); run.Rows != 0 {
		t.Errorf("to restore are %d users", run.Rows)
	}
}

// A page that was done is not done again when a server dies behind it, and one that
// was not is: how far the run is is one thing with what was done.
func TestRulesBulkOnce(t *testing.T) {
	f := newFixture(t)
	var numbers []int64
	for range 150 {
		numbers = append(numbers, f.someone().Number)
	}
	run := f.bulk(action(directory.DeedSignOut, numbers...))
	must(f.svc.ActBulk(f.ctx, directory.System(0, "one"), f.tenant.No, run.ID))(t)
	another := directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t)})
	run = must(another.ActBulk(f.ctx, directory.System(0, "two"), f.tenant.No, run.ID))(t)
	if run.State != directory.BulkDone || run.Done != 150 {
		t.Errorf("the run is %+v", run)
	}
	for _, n := range numbers {
		if u := f.stored(n); u.AuthEpoch != 2 {
			t.Errorf("user %d was signed out %d times", n, u.AuthEpoch-1)
		}
	}
	dump := f.dump()
	must(f.svc.ActBulk(f.ctx, directory.System(0, "one"), f.tenant.No, run.ID))(t)
	f.wantUnchanged(dump, "a run that has ended")
}

// A run goes no further than who asked for it may go at that moment.
func TestRulesBulkAsker(t *testing.T) {
	f := newFixture(t)
	var numbers []int64
	for range 101 {
		numbers = append(numbers, f.someone().Number)
	}
	person := func(rank directory.Rank) (directory.User, *directory.Call) {
		u := f.ranked(rank)
		return u, f.session(u)()
	}
	for what, c := range map[string]struct {
		call func() *directory.Call
		lose func(run directory.BulkRun)
		says string
	}{
		"a revoked key": {func() *directory.Call { return f.as(f.key(adminRank)) }, func(run directory.BulkRun) {
			check(t, f.svc.RevokeCredential(f.ctx, f.sys(), run.By.Credential))
		}, "revoked"},
		"an expired key": {func() *directory.Call {
			return f.as(f.key(adminRank, func(in *directory.NewCredential) { in.ExpiresAt = f.clock.now().Add(time.Hour) }))
		}, func(directory.BulkRun) { f.clock.advance(time.Hour) }, "expired"},
		"a person locked out": {func() *directory.Call { _, call := person(adminRank); return call }, func(run directory.BulkRun) {
			must(f.svc.Lock(f.ctx, f.sys(), directory.ByNumber(run.By.User), 0))(t)
		}, "locked"},
		"a person without rank": {func() *directory.Call { _, call := person(adminRank); return call }, func(run directory.BulkRun) {
			held := must(f.svc.UserRoles(f.ctx, f.sys(), directory.ByNumber(run.By.User)))(t)
			check(t, f.svc.UnassignRole(f.ctx, f.sys(), directory.ByNumber(run.By.User), held[0].Number))
		}, "rank"},
	} {
		t.Run(what, func(t *testing.T) {
			run := must(f.svc.CreateBulk(f.ctx, c.call(), action(directory.DeedSignOut, numbers...)))(t)
			run = must(f.svc.ActBulk(f.ctx, directory.System(0, "bulk"), f.tenant.No, run.ID))(t)
			c.lose(run)
			mark := f.mark()
			run = must(f.svc.ActBulk(f.ctx, directory.System(0, "bulk"), f.tenant.No, run.ID))(t)
			if run.State != directory.BulkFailed || run.Done != 100 || !strings.Contains(run.Error, c.says) {
				t.Errorf("the run is %s with %d done: %q", run.State, run.Done, run.Error)
			}
			f.wantEvents(mark, directory.EventBulkEnded)
		})
	}
}

// What a person's own rights were when the page is done decides: a session that has
// ended since does not end the run, and a closed door does.
func TestRulesBulkAskerNow(t *testing.T) {
	f := newFixture(t)
	admin, owner, plain := f.ranked(adminRank), f.ranked(ownerRank), f.someone()
	call := f.session(admin)()
	mark := f.mark()
	run := must(f.svc.CreateBulk(f.ctx, call, action(directory.DeedLock, plain.Number, owner.Number)))(t)
	check(t, f.svc.SignOutEverywhere(f.ctx, f.sys(), directory.ByNumber(admin.Number)))
	_, list := f.act(run)
	want := []string{fmt.Sprintf("%d %s invalid rank.too_low", owner.Number, owner.UserName), fmt.Sprintf("%d %s update", plain.Number, plain.UserName)}
	if diff := cmp.Diff(want, said(list)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	events := f.events(mark)
	if last := events[len(events)-2]; last.Actor != "user:"+itoa(admin.Number) || last.Door != directory.DoorIQmetrix || last.Type != directory.EventUserLocked {
		t.Errorf("the event is %+v", last)
	}
	run = must(f.svc.CreateBulk(f.ctx, f.session(admin)(), action(directory.DeedUnlock, plain.Number)))(t)
	f.settings(func(t *directory.Tenant) { t.Doors &^= directory.DoorSet(directory.DoorIQmetrix) })
	if run, _ = f.act(run); run.State != directory.BulkFailed || !f.stored(plain.Number).Locked {
		t.Errorf("through a door that was closed: %+v", run)
	}
}

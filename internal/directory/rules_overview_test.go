package directory_test

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

func TestRulesOverview(t *testing.T) {
	f := newFixture(t)
	f.setPool(5)
	boss := f.ranked(adminRank)
	active := f.someone(func(in *directory.NewUser) { in.Fields.LicenceType = directory.Some(licence) })
	check(t, f.doing("lock")(directory.ByNumber(active.Number)))
	gone := f.someone()
	check(t, f.doing("lock")(directory.ByNumber(gone.Number)))
	check(t, f.doing("delete")(directory.ByNumber(gone.Number)))
	must(f.svc.Sweep(f.ctx, directory.System(0, "sweep")))(t)
	f.clock.advance(24 * time.Hour)
	f.setPool(7)
	must(f.svc.Sweep(f.ctx, directory.System(0, "sweep")))(t)
	f.setPool(8)
	o := must(f.svc.Overview(f.ctx, f.atConsole(f.consoleSession(boss))))(t)
	if o.People[directory.StateActive] != 2 || o.People[directory.StateDeleted] != 1 || o.People[directory.StateStaged] != 0 || o.Locked != 1 {
		t.Errorf("people: %v, locked %d", o.People, o.Locked)
	}
	lines := o.Pools.Value
	if len(lines) != 1 || lines[0].Total != 8 || lines[0].Used != 1 {
		t.Fatalf("pools: %+v", lines)
	}
	want := []directory.PoolDay{{Type: licence, Day: o.Today - 1, Used: 1, Total: 5}, {Type: licence, Day: o.Today, Used: 1, Total: 8}}
	if len(lines[0].Days) != 2 || lines[0].Days[0] != want[0] || lines[0].Days[1] != want[1] {
		t.Errorf("days: %+v", lines[0].Days)
	}
	days := o.Changes.Value
	if len(days) != directory.OverviewDays || days[directory.OverviewDays-1].Day != o.Today || days[directory.OverviewDays-1].Events == 0 {
		t.Errorf("changes: %+v", days)
	}
	all := int64(len(f.events(0)))
	sum := int64(0)
	for _, d := range days {
		sum += d.Events
	}
	if sum != all {
		t.Errorf("%d events in all days, want %d", sum, all)
	}
	if recent := o.Recent.Value; len(recent) != 10 || recent[0].Type != directory.EventSignedIn || recent[0].Position < recent[1].Position {
		t.Errorf("recent: %+v", recent)
	}
	if !o.Failed.Set || o.Failed.Value.Count != 0 || !o.PausedWebhooks.Set || !o.Health.Set || !o.Health.Value.SecretKey || !o.Health.Value.PeopleWithoutFactor {
		t.Errorf("overview: %+v", o)
	}
}

// What failed is counted and shown, and what happened by day once it is indexed.
func TestRulesOverviewTroubles(t *testing.T) {
	f := newFixture(t)
	boss := f.ranked(adminRank)
	for range 7 {
		check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(boss.Number)))
	}
	for _, job := range must(f.svc.ClaimJobs(f.ctx, f.sys(), directory.JobMail, "test", 100, time.Minute))(t) {
		check(t, f.svc.AbandonJob(f.ctx, f.sys(), job, "no such address"))
	}
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
		_, err := tx.IndexEvents(f.ctx, f.tenant.No, 1000)
		return err
	}))
	indexed := int64(len(f.events(0)))
	o := must(f.svc.Overview(f.ctx, f.atConsole(f.consoleSession(boss))))(t)
	if o.Failed.Value.Count != 7 || len(o.Failed.Value.Last) != 5 {
		t.Errorf("failed: %+v", o.Failed.Value)
	}
	if got := o.Changes.Value[directory.OverviewDays-1].Events; got != indexed+1 || o.Health.Value.Unindexed != 1 {
		t.Errorf("%d events today, %d of them not indexed; want %d and 1", got, o.Health.Value.Unindexed, indexed+1)
	}
}

// A caller of one company is told of its people, and a reader of nothing that is the
// administrators'.
func TestRulesOverviewRights(t *testing.T) {
	f := newFixture(t)
	inside, outside := f.company("Inside", f.root), f.company("Outside", f.root)
	f.someone(withCompany(inside))
	locked := f.someone(withCompany(outside))
	check(t, f.doing("lock")(directory.ByNumber(locked.Number)))
	o := must(f.svc.Overview(f.ctx, f.as(f.bound(inside))))(t)
	if o.People[directory.StateActive] != 1 || o.Locked != 0 || o.Pools.Set || o.Changes.Set || o.Recent.Set || o.Failed.Set || o.PausedWebhooks.Set || o.Health.Set {
		t.Errorf("of one company: %+v", o)
	}
	if o := must(f.svc.Overview(f.ctx, f.as(f.bound(outside))))(t); o.Locked != 1 {
		t.Errorf("of the other: %+v", o)
	}
	reader := f.ranked(readerRank)
	o = must(f.svc.Overview(f.ctx, f.atConsole(f.consoleSession(reader))))(t)
	if !o.Pools.Set || !o.Changes.Set || !o.Recent.Set || !o.Failed.Set || o.PausedWebhooks.Set || o.Health.Set {
		t.Errorf("for a reader: %+v", o)
	}
	o = must(f.svc.Overview(f.ctx, f.as(f.key(adminRank, func(in *directory.NewCredential) { in.Scopes = directory.ScopeUsersRead }))))(t)
	if !o.Pools.Set || o.Changes.Set || o.Recent.Set || o.Failed.Set || o.Health.Set {
		t.Errorf("for a key that reads people: %+v", o)
	}
	wantError(t, second(f.svc.Overview(f.ctx, f.atConsole(f.consoleSession(f.someone(withPassword))))), directory.CodeForbidden, directory.ReasonRankTooLow)
}

package directory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

const day = 24 * time.Hour

// daily does a job that never ends, and returns in what time it comes again.
func (f *fixture) daily(kind directory.JobKind) time.Duration {
	f.t.Helper()
	run := f.svc.Recycle
	if kind == directory.JobRetention {
		run = f.svc.Trim
	}
	err := run(f.ctx, directory.System(0, "jobs"), directory.Job{Tenant: f.tenant.No, Kind: kind})
	next, ok := errors.AsType[again](err)
	if !ok {
		f.t.Fatalf("%s: %v", kind, err)
	}
	return next.Again().Sub(f.clock.now())
}

// Whoever was in the recycle bin for the tenant's days is purged, as an
// administrator would: what is held stays.
func TestRulesRecycle(t *testing.T) {
	f := newFixture(t)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	dispose := func(in *fixture) int64 {
		u := in.someone()
		must(in.svc.DeleteUser(in.ctx, in.sys(), directory.ByNumber(u.Number)))(t)
		return u.Number
	}
	foreign := dispose(other)
	held, first := dispose(f), dispose(f)
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
		_, err := tx.InsertHold(f.ctx, f.tenant.No, directory.Hold{User: held, Kind: directory.HoldLegal, Source: "court", Ref: "1", CreatedAt: start})
		return err
	}))
	restored := dispose(f)
	must(f.svc.RestoreUser(f.ctx, f.sys(), directory.ByNumber(restored)))(t)
	f.clock.advance(day)
	young := dispose(f)
	f.clock.advance(29 * day)
	mark := f.mark()
	if next := f.daily(directory.JobRecycle); next != day {
		t.Errorf("it comes again in %s", next)
	}
	f.wantEvents(mark) // nobody asked for it
	f.settings(func(t *directory.Tenant) { t.Settings.RecycleBinDays = 30 })
	mark = f.mark()
	f.daily(directory.JobRecycle)
	f.wantEvents(mark) // not before 30 days have passed
	f.clock.advance(time.Microsecond)
	f.daily(directory.JobRecycle)
	f.wantEvents(mark, directory.EventUserPurged)
	if e := f.events(mark)[0]; e.User != first || e.Actor != "system:recycle" || e.Door.String() != "server" {
		t.Errorf("the event is of user %d by %s", e.User, e.Actor)
	}
	for _, number := range []int64{held, restored, young} {
		f.stored(number)
	}
	other.stored(foreign)
	check(t, f.svc.ReleaseHold(f.ctx, f.sys(), directory.ByNumber(held), directory.Hold{Kind: directory.HoldLegal, Source: "court", Ref: "1"}))
	f.clock.advance(day)
	mark = f.mark()
	f.daily(directory.JobRecycle)
	f.wantEvents(mark, directory.EventUserPurged, directory.EventUserPurged)
}

// More than a page of users goes in one go, and the held ones stop nobody.
func TestRulesRecycleInPages(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.RecycleBinDays = 1 })
	const users, kept = 230, 110
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
		for i := range int64(users) {
			u := directory.User{Tenant: f.tenant.No, Number: 5000 + i, ID: "00000000-0000-4000-8000-" + itoa(100_000_000_000+i), State: deleted,
				UserName: "u" + itoa(i), Company: f.root, AuthEpoch: 1, Version: 1, DoorVersion: 1, CreatedAt: start, UpdatedAt: start, DeletedAt: start}
			if err := tx.InsertUser(f.ctx, u); err != nil {
				return err
			}
			if i < kept {
				if _, err := tx.InsertHold(f.ctx, f.tenant.No, directory.Hold{User: u.Number, Kind: directory.HoldLegal, Source: "court", Ref: "1", CreatedAt: start}); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	f.clock.advance(2 * day)
	f.daily(directory.JobRecycle)
	if n := len(must(f.svc.Users(f.ctx, f.sys(), directory.UserQuery{States: directory.StatesOf(deleted), Limit: directory.MaxLimit}))(t).Users); n != kept {
		t.Errorf("%d users are left, want %d", n, kept)
	}
}

// chain is the tenant's chain.
func (f *fixture) chain() (head directory.ChainHead) {
	f.t.Helper()
	check(f.t, f.store.Read(f.ctx, func(r directory.Reader) (err error) {
		head, err = r.ChainHead(f.ctx, f.tenant.No)
		return err
	}))
	return head
}

// wantBase fails unless the chain begins after a position, and verifies.
func (f *fixture) wantBase(what string, want int64) {
	f.t.Helper()
	if got := f.chain().Base; got != want {
		f.t.Errorf("%s: the chain begins after %d, want %d", what, got, want)
	}
	report := must(f.svc.VerifyChain(f.ctx, f.sys(), nil))(f.t)
	if report.Broken != 0 {
		f.t.Errorf("%s: the chain is broken at %d: %s", what, report.Broken, report.Problem)
	}
}

// Events older than the tenant keeps them go from the front, and the chain says
// from where it goes on.
func TestRulesRetention(t *testing.T) {
	f := newFixture(t)
	for range 30 {
		f.someone()
	}
	old := f.mark()
	f.clock.advance(31 * day)
	f.daily(directory.JobRetention)
	f.wantBase("kept for ever", 0)
	f.settings(func(t *directory.Tenant) { t.Settings.EventDays = 30 })
	last := f.events(old - 1)[0]
	if next := f.daily(directory.JobRetention); next != day {
		t.Errorf("it comes again in %s", next)
	}
	f.wantBase("after 31 days", old)
	if diff := cmp.Diff([]directory.EventType{directory.EventTenantUpdated, directory.EventFeedTrimmed}, f.types(0)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if head := f.chain(); !cmp.Equal(head.BaseHash, last.Hash) {
		t.Errorf("the chain goes on from %x, want %x", head.BaseHash, last.Hash)
	}
	f.daily(directory.JobRetention)
	f.wantBase("again on the same day", old)
	f.clock.advance(31 * day)
	f.daily(directory.JobRetention)
	f.wantBase("its own records do not count", old+2)
	f.clock.advance(31 * day)
	f.daily(directory.JobRetention)
	f.wantBase("a record of retention by itself is no reason for another", old+2)
}

// Of what clocks that jumped have written only a beginning goes that is old as a
// whole.
func TestRulesRetentionWithAJumpingClock(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.EventDays = 30 })
	f.someone()
	f.clock.advance(100 * day)
	ahead := f.mark()
	f.someone()
	f.clock.advance(-100 * day)
	f.someone()
	f.clock.advance(31 * day)
	f.daily(directory.JobRetention)
	f.wantBase("behind an event of the future", ahead)
	f.clock.advance(100 * day)
	f.daily(directory.JobRetention)
	f.wantBase("once that is old too", f.mark()-1)
}

// What a webhook has not been sent, and what no checkpoint covers, stays.
func TestRulesRetentionKeepsWhatIsNeeded(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.EventDays = 30 })
	covered := int64(0)
	f.svc = directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t),
		CheckpointedThrough: func(directory.TenantNo) int64 { return covered }})
	hook := directory.Webhook{Tenant: f.tenant.No, ID: "hook", Name: "hook", URL: "https://hooks.example.com", State: directory.WebhookPaused,
		CreatedAt: start, UpdatedAt: start, Version: 1}
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return tx.InsertWebhook(f.ctx, hook) }))
	progress := func(change func(w *directory.Webhook)) {
		t.Helper()
		change(&hook)
		check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return tx.UpdateWebhook(f.ctx, hook) }))
	}
	for range 12 {
		f.someone()
	}
	f.clock.advance(31 * day)
	f.daily(directory.JobRetention)
	f.wantBase("no checkpoint", 0)
	covered = 9
	f.daily(directory.JobRetention)
	f.wantBase("a webhook that has been sent nothing", 0)
	progress(func(w *directory.Webhook) { w.Position = 3 })
	f.daily(directory.JobRetention)
	f.wantBase("a paused webhook", 3)
	progress(func(w *directory.Webhook) { w.Position, w.ReplayFrom, w.ReplayTo = 12, 6, 8 })
	f.daily(directory.JobRetention)
	f.wantBase("a replay", 5)
	progress(func(w *directory.Webhook) { w.ReplayFrom, w.ReplayTo = 0, 0 })
	waits := directory.Delivery{Tenant: f.tenant.No, Webhook: hook.ID, Position: 8, Event: "e", Type: directory.EventUserCreated,
		State: directory.DeliveryWaiting, NextAt: start, CreatedAt: start}
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return tx.PutDelivery(f.ctx, waits) }))
	f.daily(directory.JobRetention)
	f.wantBase("an event that waits for its next try", 7)
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
		return tx.DeleteDelivery(f.ctx, waits.Tenant, waits.Webhook, waits.Position)
	}))
	f.daily(directory.JobRetention)
	f.wantBase("the last checkpoint", 9)
}

// Steps are of 500 events, and the chain verifies after each.
func TestRulesRetentionInSteps(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.EventDays = 30 })
	u := f.someone()
	for i := range 1100 {
		f.redated(u.Number, directory.UserPatch{GivenName: directory.Some("Name " + itoa(int64(i)))})
	}
	old := f.mark()
	f.clock.advance(31 * day)
	watched := &writes{Store: f.store}
	f.svc = directory.New(watched, directory.Options{Now: f.clock.now, Sealer: testSealer(t)})
	plain := f.svc
	var bases []int64
	watched.after = func() {
		f.svc = directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t)})
		bases = append(bases, f.chain().Base)
		f.wantBase("on the way", bases[len(bases)-1])
		f.svc = plain
	}
	f.daily(directory.JobRetention)
	if diff := cmp.Diff([]int64{500, 1000, old}, bases); diff != "" {
		t.Errorf("the steps (-want +got):\n%s", diff)
	}
}

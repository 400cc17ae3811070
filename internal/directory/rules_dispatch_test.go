package directory_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// onlyUpdates keeps the events of the test's own making out of the way.
func onlyUpdates(in *directory.NewWebhook) {
	in.Types = []directory.EventType{directory.EventUserUpdated}
}

// What happens is sent once, in order, from when the endpoint was made, or from
// the start.
func TestRulesDispatch(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	u := f.someone()
	before := f.touch(u)
	late := f.webhook(onlyUpdates)
	one, two := f.touch(u), f.touch(f.someone())
	f.deliver(e)
	m := e.got[0]
	if len(m.Secrets) != 1 || !strings.HasPrefix(string(m.Secrets[0]), "whsec_") || m.Webhook.ID != late.ID || m.Test || m.Replay || m.Event.UserID != u.ID {
		t.Errorf("the message %+v", m)
	}
	wantPositions(t, e, one, two)
	f.deliver(e)
	wantPositions(t, e)
	f.webhook(onlyUpdates, func(in *directory.NewWebhook) { in.FromStart = true })
	f.deliver(e)
	wantPositions(t, e, before, one, two)
	if h := f.hook(late.ID); h.Behind != 0 || h.LastStatus != 204 || h.LastSuccess.IsZero() || h.LeaseOwner != "" {
		t.Errorf("afterwards: %+v", h)
	}
}

// Filters: types and nouns, the subtree of a company and what leaves it, and the
// changes that a system made itself.
func TestRulesDispatchFilters(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	a, b := f.company("A", f.root), f.company("B", f.root)
	below := f.company("Below A", a)
	inside, outside := f.someone(withCompany(below)), f.someone(withCompany(b))
	key := f.key(adminRank)
	ofSelf := newWebhook()
	ofSelf.Types, ofSelf.ExceptOrigins = []directory.EventType{directory.EventUserUpdated}, []string{directory.OriginSelf}
	self, secret, err := f.svc.CreateWebhook(f.ctx, f.as(key), ofSelf)
	check(t, err)
	f.secret(string(secret))
	ofCompany := f.webhook(onlyUpdates, func(in *directory.NewWebhook) { in.Companies = []int64{a} })
	ofNoun := f.webhook(func(in *directory.NewWebhook) { in.Types = []directory.EventType{"group.*"} })
	mine, theirs := f.touch(inside), f.touch(outside)
	must(f.svc.UpdateUser(f.ctx, f.as(key), directory.ByNumber(outside.Number), directory.UserPatch{Title: directory.Some("own")}, directory.UpdateOptions{}))(t)
	own := f.head()
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(inside.Number), directory.UserPatch{Company: directory.Some(b)}, directory.UpdateOptions{}))(t)
	moved := f.head()
	gone := f.touch(inside)
	must(f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Kind: directory.GroupPlain, Name: "g"}))(t)
	group := f.head()
	f.deliver(e)
	got := map[string][]int64{}
	for _, m := range e.got {
		got[m.Webhook.ID] = append(got[m.Webhook.ID], m.Event.Position)
	}
	for id, want := range map[string][]int64{self.ID: {mine, theirs, moved, gone}, ofCompany.ID: {mine, moved}, ofNoun.ID: {group}} {
		if !slices.Equal(got[id], want) {
			t.Errorf("it got %v, want %v (own %d)", got[id], want, own)
		}
	}
}

// An event that is refused keeps back those of its user and nobody else's.
func TestRulesDispatchOrder(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	ada, bob := f.someone(), f.someone()
	h := f.webhook(onlyUpdates)
	bad := f.touch(ada)
	e.answer = func(m *directory.Message) directory.Receipt {
		if m.Event.Position == bad {
			return refused
		}
		return taken
	}
	first, behind, other := f.touch(bob), f.touch(ada), f.touch(bob)
	f.deliver(e)
	wantPositions(t, e, first, other)
	f.wantWaiting(h.ID, 2, 0)
	later := f.touch(ada)
	f.deliver(e)
	f.wantWaiting(h.ID, 3, 0)
	list := must(f.svc.Deliveries(f.ctx, f.sys(), h.ID, directory.DeliveryWaiting, "", 10))(t).Deliveries
	if list[0].Attempts != 1 || list[0].LastStatus != 400 || list[0].NextAt.IsZero() || list[1].Attempts != 0 || !list[1].NextAt.IsZero() {
		t.Errorf("deliveries: %+v", list)
	}
	e.answer = nil
	f.clock.advance(time.Minute)
	f.deliver(e)
	wantPositions(t, e, bad, behind, later)
	f.wantWaiting(h.ID, 0, 0)
}

// An event that is refused over three days is dead: the next of its user goes on,
// and it can be tried again or dropped.
func TestRulesDispatchDead(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	u := f.someone()
	h := f.webhook(onlyUpdates)
	bad, next := f.touch(u), f.touch(u)
	tries := 0
	e.answer = func(m *directory.Message) directory.Receipt {
		if m.Event.Position == bad {
			tries++
			return refused
		}
		return taken
	}
	begin := f.clock.now()
	for tries < directory.WebhookAttempts {
		wantPositions(t, e)
		f.deliver(e)
		if tries < directory.WebhookAttempts {
			f.clock.advance(time.Minute)
		}
	}
	if took := f.clock.now().Sub(begin); took < 66*time.Hour || took > 85*time.Hour {
		t.Errorf("it was given up after %s", took)
	}
	wantPositions(t, e, next)
	f.wantWaiting(h.ID, 0, 1)
	if f.hook(h.ID).State != directory.WebhookActive {
		t.Error("one bad event paused the endpoint")
	}
	f.clock.advance(100 * time.Hour)
	f.deliver(e)
	if tries != directory.WebhookAttempts {
		t.Error("a dead event was tried")
	}
	e.answer = nil
	d := must(f.svc.RetryDelivery(f.ctx, f.sys(), h.ID, bad))(t)
	if d.State != directory.DeliveryWaiting || d.Attempts != 0 {
		t.Errorf("retried: %+v", d)
	}
	f.deliver(e)
	wantPositions(t, e, bad)
	wantError(t, second(f.svc.RetryDelivery(f.ctx, f.sys(), h.ID, bad)), directory.CodeNotFound, directory.ReasonDeliveryNotFound)
}

// What is dropped is not sent, and what waited behind it is.
func TestRulesDispatchDrop(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	u := f.someone()
	h := f.webhook(onlyUpdates)
	bad, next := f.touch(u), f.touch(u)
	e.answer = func(*directory.Message) directory.Receipt { return refused }
	f.deliver(e)
	e.answer = nil
	mark := f.mark()
	check(t, f.svc.DropDelivery(f.ctx, f.sys(), h.ID, bad))
	f.wantEvents(mark, directory.EventWebhookUpdated)
	f.deliver(e)
	wantPositions(t, e, next)
	wantError(t, f.svc.DropDelivery(f.ctx, f.sys(), h.ID, bad), directory.CodeNotFound, directory.ReasonDeliveryNotFound)
}

// An endpoint that is away loses nothing and gets nothing twice: the position
// stays, one message asks whether it is back.
func TestRulesDispatchDown(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook(onlyUpdates)
	var want []int64
	for range 30 {
		want = append(want, f.touch(f.someone()))
	}
	tries := 0
	e.answer = func(*directory.Message) directory.Receipt { tries++; return unreachable }
	for range 24 * 60 {
		f.deliver(e)
		f.clock.advance(time.Minute)
	}
	if now := f.hook(h.ID); tries < 8 || tries > 16 || now.State != directory.WebhookActive || now.Failures != tries || now.Waiting > int64(tries) || now.LastError == "" {
		t.Errorf("after %d tries: %+v", tries, now)
	}
	e.answer = nil
	f.clock.advance(9 * time.Hour)
	f.deliver(e)
	f.clock.advance(9 * time.Hour)
	f.deliver(e)
	got := e.positions()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("it took %v, want %v", got, want)
	}
	f.wantWaiting(h.ID, 0, 0)
	if now := f.hook(h.ID); now.Failures != 0 || !now.FailingSince.IsZero() || !now.NextAt.IsZero() {
		t.Errorf("afterwards: %+v", now)
	}
}

// When the endpoint says how long to wait, that is done, for an hour at most.
func TestRulesDispatchRetryAfter(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	for asked, want := range map[time.Duration]time.Duration{10 * time.Minute: 10 * time.Minute, 100 * time.Hour: time.Hour} {
		h := f.webhook(onlyUpdates)
		f.touch(f.someone())
		e.answer = func(*directory.Message) directory.Receipt {
			r := overloaded
			r.RetryAfter = asked
			return r
		}
		f.deliver(e)
		if got := f.hook(h.ID).NextAt.Sub(f.clock.now()); got != want {
			t.Errorf("asked to wait %s it waits %s", asked, got)
		}
		check(t, f.svc.DeleteWebhook(f.ctx, f.sys(), h.ID))
	}
}

// An endpoint that is dead for three days is paused, with an event; it goes on
// where it stopped. A clock that jumps does not pause it.
func TestRulesDispatchPause(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook(onlyUpdates)
	want := []int64{f.touch(f.someone()), f.touch(f.someone())}
	e.answer = func(*directory.Message) directory.Receipt { return overloaded }
	f.deliver(e)
	f.clock.advance(1000 * time.Hour)
	f.deliver(e)
	if f.hook(h.ID).State != directory.WebhookActive {
		t.Error("a clock that jumped paused the endpoint")
	}
	f.clock.advance(-1000 * time.Hour)
	mark := f.mark()
	for range 100 { // the waits are up to nine hours long, by chance
		f.deliver(e)
		f.clock.advance(time.Hour)
	}
	f.wantEvents(mark, directory.EventWebhookUpdated)
	last := f.events(mark)[0]
	if now := f.hook(h.ID); now.State != directory.WebhookPaused || now.PauseReason == "" || now.Version != h.Version+1 || last.Origin != "system:webhooks" {
		t.Errorf("paused: %+v by %s", now, last.Origin)
	}
	e.answer = nil
	f.deliver(e)
	wantPositions(t, e)
	must(f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{State: directory.Some(directory.WebhookActive)}))(t)
	f.deliver(e)
	got := e.positions()
	slices.Sort(got)
	if now := f.hook(h.ID); !slices.Equal(got, want) || now.PauseReason != "" || now.Failures != 0 {
		t.Errorf("it went on with %v: %+v", got, now)
	}
}

// An endpoint that answers 410 is paused at once, and loses nothing.
func TestRulesDispatchGone(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook(onlyUpdates)
	at := f.touch(f.someone())
	e.answer = func(*directory.Message) directory.Receipt {
		return directory.Receipt{Status: 410, Gone: true, Error: "410"}
	}
	f.deliver(e)
	if now := f.hook(h.ID); now.State != directory.WebhookPaused || !strings.Contains(now.PauseReason, "410") {
		t.Errorf("gone: %+v", now)
	}
	e.answer = nil
	must(f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{State: directory.Some(directory.WebhookActive)}))(t)
	f.deliver(e)
	wantPositions(t, e, at)
}

// A process whose lease went to another one notes nothing.
func TestRulesDispatchLost(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook(onlyUpdates)
	at := f.touch(f.someone())
	slow := f.claimed("slow", h.ID)
	d := must(f.svc.NextDispatch(f.ctx, f.sys(), slow, 10))(t)
	f.clock.advance(time.Minute)
	quick := f.claimed("quick", h.ID)
	outcomes := send(f.ctx, e, &d)
	wantError(t, second(f.svc.NoteDispatch(f.ctx, f.sys(), slow, outcomes, &d, true)), directory.CodeConflict, directory.ReasonJobLost)
	wantError(t, second(f.svc.NextDispatch(f.ctx, f.sys(), slow, 10)), directory.CodeConflict, directory.ReasonJobLost)
	f.serve(e, quick, 10)
	wantPositions(t, e, at, at) // rather twice than not at all
	check(t, f.svc.DeleteWebhook(f.ctx, f.sys(), h.ID))
	wantError(t, second(f.svc.NextDispatch(f.ctx, f.sys(), quick, 10)), directory.CodeNotFound, directory.ReasonJobLost)
}

// Of a user that was purged its events are still sent, without their contents; of
// events that retention removed nothing is.
func TestRulesDispatchErased(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	u := f.someone()
	h := f.webhook(onlyUpdates)
	at := f.touch(u)
	e.answer = func(*directory.Message) directory.Receipt { return refused }
	f.deliver(e)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	e.answer = nil
	f.clock.advance(time.Minute)
	f.deliver(e)
	if len(e.got) != 1 || e.got[0].Event.Position != at || !e.got[0].Event.Erased() {
		t.Errorf("sent: %+v", e.got)
	}
	e.got = nil
	must(f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{State: directory.Some(directory.WebhookPaused)}))(t)
	removed := f.touch(f.someone())
	kept := f.touch(f.someone())
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return second(tx.TrimEvents(f.ctx, f.tenant.No, removed, 10_000)) }))
	must(f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{State: directory.Some(directory.WebhookActive)}))(t)
	claimed := f.claimed("one", h.ID)
	d := must(f.svc.NextDispatch(f.ctx, f.sys(), claimed, 10))(t)
	if len(d.Messages) != 1 || d.Messages[0].Event.Position != kept || !strings.Contains(d.Notice, "retention") {
		t.Errorf("after retention: %+v", d)
	}
}

// A period is sent once more, before what is new.
func TestRulesDispatchReplay(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook(onlyUpdates)
	u := f.someone()
	var at []int64
	for range 6 {
		at = append(at, f.touch(u))
		f.clock.advance(time.Minute)
	}
	f.deliver(e)
	e.got = nil
	mark := f.mark()
	count := must(f.svc.ReplayWebhook(f.ctx, f.sys(), h.ID, directory.ReplayRange{From: start.Add(time.Minute), To: start.Add(4 * time.Minute)}))(t)
	if count != at[3]-at[1]+1 {
		t.Errorf("%d positions, want those from %d to %d", count, at[1], at[3])
	}
	f.wantEvents(mark, directory.EventWebhookReplayed)
	wantError(t, second(f.svc.ReplayWebhook(f.ctx, f.sys(), h.ID, directory.ReplayRange{})), directory.CodeConflict, directory.ReasonWebhookReplaying)
	next := f.touch(u)
	f.deliver(e)
	for i, m := range e.got {
		if m.Replay != (i < 3) {
			t.Errorf("message %d says replay %t", i, m.Replay)
		}
	}
	wantPositions(t, e, at[1], at[2], at[3], next)
	if now := f.hook(h.ID); now.ReplayFrom != 0 || now.ReplayTo != 0 {
		t.Errorf("after the replay: %+v", now)
	}
	if n := must(f.svc.ReplayWebhook(f.ctx, f.sys(), h.ID, directory.ReplayRange{From: start.Add(99 * time.Hour)}))(t); n != 0 {
		t.Errorf("%d positions of a time to come", n)
	}
	if n := must(f.svc.ReplayWebhook(f.ctx, f.sys(), h.ID, directory.ReplayRange{}))(t); n != f.hook(h.ID).Position {
		t.Errorf("%d positions of all", n)
	}
}

// Whatever an endpoint answers, and whenever a server dies before it has noted
// what it sent: every event arrives, and those of a user arrive in order.
func TestRulesDispatchRandom(t *testing.T) {
	for seed := range uint64(6) {
		f := newFixture(t)
		e := f.sending()
		c := rand.New(rand.NewPCG(seed, 1))
		users := []directory.User{f.someone(), f.someone(), f.someone(), f.someone()}
		h := f.webhook(onlyUpdates)
		want := map[int64][]int64{}
		bad := 60 // of 100 answers
		e.answer = func(*directory.Message) directory.Receipt {
			if c.IntN(100) >= bad {
				return taken
			}
			return []directory.Receipt{refused, unreachable, overloaded}[c.IntN(3)]
		}
		for range 60 {
			for range c.IntN(5) {
				u := users[c.IntN(len(users))]
				want[u.Number] = append(want[u.Number], f.touch(u))
			}
			check(t, f.store.Seal(f.ctx, f.tenant.No))
			for _, w := range must(f.svc.ClaimWebhooks(f.ctx, f.sys(), f.unique("server"), 10, time.Minute))(t) {
				d := must(f.svc.NextDispatch(f.ctx, f.sys(), w, 1+c.IntN(8)))(t)
				outcomes := send(f.ctx, e, &d)
				if c.IntN(6) == 0 {
					continue // it dies
				}
				must(f.svc.NoteDispatch(f.ctx, f.sys(), w, outcomes, &d, c.IntN(3) > 0))(t)
			}
			f.clock.advance(time.Duration(c.IntN(600)) * time.Second)
		}
		bad = 0
		for range 60 {
			f.clock.advance(time.Hour)
			f.deliver(e)
		}
		f.wantWaiting(h.ID, 0, 0)
		got, seen := map[int64][]int64{}, map[int64]bool{}
		for _, m := range e.got {
			if !seen[m.Event.Position] {
				got[m.Event.User] = append(got[m.Event.User], m.Event.Position)
			}
			seen[m.Event.Position] = true
		}
		for user, positions := range want {
			if !slices.Equal(got[user], positions) {
				t.Errorf("seed %d: of user %d arrived %v, want %v", seed, user, got[user], positions)
			}
		}
	}
}

// Where too much waits nothing more is taken from the feed, until some of it has
// gone.
func TestRulesDispatchFull(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook(onlyUpdates)
	hour := f.clock.now().Add(time.Hour)
	for from := range int64(20) {
		check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
			for i := range int64(directory.MaxDeliveriesWaits / 20) {
				d := directory.Delivery{Tenant: f.tenant.No, Webhook: h.ID, Position: 1000 + from*directory.MaxDeliveriesWaits/20 + i, User: 5000 + i,
					State: directory.DeliveryWaiting, NextAt: hour, CreatedAt: f.clock.now()}
				if err := tx.PutDelivery(f.ctx, d); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	at := f.touch(f.someone())
	claimed := f.claimed("one", h.ID)
	d := must(f.svc.NextDispatch(f.ctx, f.sys(), claimed, 10))(t)
	if len(d.Messages) != 0 || d.More || !d.Full || !d.NextAt.Equal(hour) {
		t.Errorf("dispatch: %+v", d)
	}
	w := must(f.svc.NoteDispatch(f.ctx, f.sys(), claimed, nil, &d, true))(t)
	if w.Position >= at || w.NextAt.Sub(f.clock.now()) != time.Minute {
		t.Errorf("noted: %+v", w)
	}
	check(t, f.svc.DropDelivery(f.ctx, f.sys(), h.ID, 1000))
	f.clock.advance(time.Minute)
	f.deliver(e)
	wantPositions(t, e, at)
}

// An endpoint whose secrets nobody can open is left alone, and says so.
func TestRulesDispatchUnsigned(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook(onlyUpdates)
	at := f.touch(f.someone())
	other := directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: must(directory.NewSealer(bytes.Repeat([]byte{2}, directory.SecretKeyBytes)))(t)})
	if _, err := other.NextDispatch(f.ctx, f.sys(), f.claimed("one", h.ID), 10); directory.CodeOf(err) != directory.CodeInternal {
		t.Errorf("without the key: %v", err)
	}
	if now := f.hook(h.ID); !now.NextAt.After(f.clock.now()) || now.LastError == "" || now.LeaseOwner != "" {
		t.Errorf("it is not left alone: %+v", now)
	}
	f.deliver(e)
	wantPositions(t, e)
	f.clock.advance(time.Hour)
	f.deliver(e)
	wantPositions(t, e, at)
}

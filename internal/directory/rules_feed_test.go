package directory_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// addFeedRules are the rows of the policy matrix about following the feed and a
// user's past.
func addFeedRules(rules map[string]methodRule) {
	enough := errors.New("enough")
	rules["FollowEvents"] = methodRule{readerRank, directory.ScopeEvents, false, false, wholeTenant, noPreparation(func(w *world, c *directory.Call) error {
		err := w.svc.FollowEvents(w.ctx, c, directory.EventQuery{Limit: 10}, func(directory.EventPage) error { return enough })
		if errors.Is(err, enough) {
			return nil
		}
		return err
	})}
	rules["UserAt"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, func(w *world) func(c *directory.Call) error {
		ref := w.target()
		return func(c *directory.Call) error { return second(w.svc.UserAt(w.ctx, c, ref, w.clock.now())) }
	}}
	rules["RunFeed"] = methodRule{adminRank, directory.ScopeTenant, false, true, directory.ReasonRankTooLow, noPreparation(func(w *world, c *directory.Call) error {
		if c.Door != directory.DoorCLI {
			return w.svc.RunFeed(w.ctx, c)
		}
		ctx, cancel := context.WithCancel(w.ctx)
		cancel() // it ends when its context does
		return w.svc.RunFeed(ctx, directory.System(0, "feed"))
	})}
}

// runFeed keeps the feed going until the test ends or stop is called.
func (f *fixture) runFeed() (stop func()) {
	f.svc.FeedTimes(15*time.Second, 0, time.Millisecond)
	ctx, cancel := context.WithCancel(f.ctx)
	done := make(chan error, 1)
	go func() { done <- f.svc.RunFeed(ctx, directory.System(0, "feed")) }()
	stop = sync.OnceFunc(func() {
		cancel()
		check(f.t, <-done)
	})
	f.t.Cleanup(stop)
	return stop
}

// waiting returns once so many requests of the tenant wait.
func (f *fixture) waiting(n int) {
	for f.svc.FeedWaiting(f.tenant.No) != n {
		runtime.Gosched()
	}
}

// feed reads a feed to its end, in pages, and returns the cursor there.
func (f *fixture) feed(call func() *directory.Call, q directory.EventQuery) (all []directory.Event, next string) {
	f.t.Helper()
	for {
		page := must(f.svc.ListEvents(f.ctx, call(), q))(f.t)
		if all = append(all, page.Events...); len(page.Events) > q.Limit {
			f.t.Fatalf("%d events on a page of %d", len(page.Events), q.Limit)
		}
		if q.Cursor = page.Next; !page.More {
			return all, page.Next
		}
	}
}

func eventIDs(list []directory.Event) []string {
	ids := make([]string, 0, len(list))
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	return ids
}

// What a search finds is what a look at every event finds, with the index and
// without, however little is looked at in one go, in both directions.
func TestRulesFeedFilters(t *testing.T) {
	f := newFixture(t)
	key := f.key(adminRank)
	var users []directory.User
	for i := range 12 {
		users = append(users, f.someone())
		f.clock.advance(20 * time.Minute)
		call := f.as(key)
		if i%3 == 0 {
			call = f.through(directory.DoorEncore, key)
			call.Reason = "moved"
		}
		must(f.svc.UpdateUser(f.ctx, call, directory.ByNumber(users[i/2].Number), directory.UserPatch{Title: directory.Some(fmt.Sprint(i))}, directory.UpdateOptions{}))(t)
		if i%4 == 0 {
			must(f.svc.Deactivate(f.ctx, f.as(key), directory.ByNumber(users[i].Number)))(t)
		}
		if i == 6 {
			f.clock.advance(-90 * time.Minute) // clocks jump
		}
	}
	all := f.events(0)
	keyed := all[slices.IndexFunc(all, func(e directory.Event) bool { return e.Door == directory.DoorEncore })]
	from, to := start.Add(time.Hour), start.Add(150*time.Minute)
	queries := map[string]struct {
		q    directory.EventQuery
		want func(e *directory.Event) bool
	}{
		"all":    {directory.EventQuery{}, func(*directory.Event) bool { return true }},
		"user":   {directory.EventQuery{User: directory.ByNumber(users[1].Number)}, func(e *directory.Event) bool { return e.User == users[1].Number }},
		"actor":  {directory.EventQuery{Actor: keyed.Actor}, func(e *directory.Event) bool { return e.Actor == keyed.Actor }},
		"reason": {directory.EventQuery{Reason: "moved"}, func(e *directory.Event) bool { return e.Reason == "moved" }},
		"door":   {directory.EventQuery{Door: directory.DoorEncore}, func(e *directory.Event) bool { return e.Door == directory.DoorEncore }},
		"origin": {directory.EventQuery{Origin: keyed.Origin}, func(e *directory.Event) bool { return e.Origin == keyed.Origin }},
		"type": {directory.EventQuery{Types: []directory.EventType{directory.EventUserCreated}}, func(e *directory.Event) bool {
			return e.Type == directory.EventUserCreated
		}},
		"types": {directory.EventQuery{Types: []directory.EventType{directory.EventUserDeactivated, "tenant.*"}}, func(e *directory.Event) bool {
			return e.Type == directory.EventUserDeactivated || e.Type == directory.EventTenantCreated
		}},
		"not its own": {directory.EventQuery{ExceptOrigins: []string{keyed.Origin}}, func(e *directory.Event) bool { return e.Origin != keyed.Origin }},
		"period":      {directory.EventQuery{From: from, To: to}, func(e *directory.Event) bool { return !e.Time.Before(from) && e.Time.Before(to) }},
		"no period":   {directory.EventQuery{From: start.Add(-2 * time.Hour), To: start.Add(-time.Hour)}, func(*directory.Event) bool { return false }},
		"together": {directory.EventQuery{Actor: keyed.Actor, Door: directory.DoorEncore, Reason: "moved", User: directory.ByID(users[3].ID), From: from},
			func(e *directory.Event) bool {
				return e.Door == directory.DoorEncore && e.User == users[3].Number && !e.Time.Before(from)
			}},
	}
	for _, indexed := range []int{0, 11, len(all)} {
		if indexed > 0 {
			check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return second(tx.IndexEvents(f.ctx, f.tenant.No, indexed)) }))
		}
		for _, bounds := range [][2]int{{10_000, 1000}, {10_000, 0}, {7, 0}, {3, 5}} {
			f.svc.SearchBounds(bounds[0], bounds[1])
			for name, c := range queries {
				for _, newest := range []bool{false, true} {
					var want []directory.Event
					for i := range all {
						if c.want(&all[i]) {
							want = append(want, all[i])
						}
					}
					if c.q.Newest, c.q.Limit = newest, 3; newest {
						slices.Reverse(want)
					}
					got, next := f.feed(f.sys, c.q)
					if diff := cmp.Diff(want, got); diff != "" || newest != (next == "") {
						t.Errorf("%s, newest %t, bounds %v, %d indexed more: next %q (-want +got):\n%s", name, newest, bounds, indexed, next, diff)
					}
				}
			}
		}
	}
}

// A caller reads what it has just done; its own origin has a name that it need
// not know, and a cursor goes on exactly behind each event.
func TestRulesFeedOwn(t *testing.T) {
	f := newFixture(t)
	key := f.key(ownerRank)
	own := func() *directory.Call { return f.as(key) }
	_, next := f.feed(own, directory.EventQuery{Limit: 100})
	made := must(f.svc.CreateUser(f.ctx, own(), newUser("mine")))(t)
	other := f.someone()
	page := must(f.svc.ListEvents(f.ctx, own(), directory.EventQuery{Limit: 100, Cursor: next, EachCursor: true}))(t)
	if len(page.Events) != 2 || page.Events[0].User != made.Number || len(page.Cursors) != 2 {
		t.Fatalf("what was just done: %+v, cursors %d", page.Events, len(page.Cursors))
	}
	if rest, _ := f.feed(own, directory.EventQuery{Limit: 100, Cursor: page.Cursors[0]}); len(rest) != 1 || rest[0].User != other.Number {
		t.Errorf("behind the first: %+v", rest)
	}
	if page.Cursors[1] == "" {
		t.Error("no cursor behind the last")
	}
	mine, _ := f.feed(own, directory.EventQuery{Limit: 100, Origin: directory.OriginSelf})
	others, _ := f.feed(own, directory.EventQuery{Limit: 100, ExceptOrigins: []string{"user:1", directory.OriginSelf}})
	if len(mine) != 1 || mine[0].User != made.Number || len(others) != len(f.events(0))-1 {
		t.Errorf("%d of its own, %d of others", len(mine), len(others))
	}
}

// Cursors are good for one caller and query; bad input is refused.
func TestRulesFeedCursor(t *testing.T) {
	f := newFixture(t)
	f.someones(3)
	reader := f.key(readerRank)
	call := func() *directory.Call { return f.as(reader) }
	list := func(c *directory.Call, q directory.EventQuery) error {
		if q.Limit == 0 {
			q.Limit = 2
		}
		return second(f.svc.ListEvents(f.ctx, c, q))
	}
	page := must(f.svc.ListEvents(f.ctx, call(), directory.EventQuery{Limit: 2}))(t)
	elsewhere := f.in(f.newTenant("umbrella", directory.Settings{}))
	foreign := must(f.svc.ListEvents(f.ctx, elsewhere.sys(), directory.EventQuery{Limit: 1}))(t)
	for name, err := range map[string]error{
		"forged":         list(call(), directory.EventQuery{Cursor: "AAAA" + page.Next[4:]}),
		"no cursor":      list(call(), directory.EventQuery{Cursor: "%"}),
		"another caller": list(f.as(f.key(readerRank)), directory.EventQuery{Cursor: page.Next}),
		"another tenant": list(f.sys(), directory.EventQuery{Cursor: foreign.Next}),
		"another filter": list(call(), directory.EventQuery{Cursor: page.Next, Actor: "x"}),
		"turned round":   list(call(), directory.EventQuery{Cursor: page.Next, Newest: true}),
		"of a user":      second(f.svc.UserEvents(f.ctx, call(), directory.ByNumber(f.someone().Number), page.Next, 2)),
	} {
		wantRefused(t, name, err, directory.CodeInvalid, directory.ReasonCursorInvalid)
	}
	check(t, list(call(), directory.EventQuery{Cursor: page.Next, Limit: 7}))
	many := make([]directory.EventType, 101)
	for i := range many {
		many[i] = directory.EventUserCreated
	}
	for name, q := range map[string]directory.EventQuery{
		"a limit":       {Limit: directory.MaxLimit + 1},
		"a type":        {Types: []directory.EventType{"user.made"}},
		"many types":    {Types: many},
		"an origin":     {ExceptOrigins: []string{""}},
		"a key's name":  {ExceptOrigins: []string{"key:payroll"}},
		"who it was":    {Origin: "payroll"},
		"a door":        {Door: 1 << 14},
		"a period":      {From: start, To: start},
		"a wait":        {Wait: directory.MaxFeedWait + 1},
		"no wait":       {Wait: -1},
		"to wait":       {Wait: 1, Newest: true},
		"control signs": {Actor: "a\x00"},
	} {
		if err := list(call(), q); directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, q := range []directory.EventQuery{{Limit: 2, Newest: true}, {Limit: 2, Wait: time.Second}} {
		err := f.svc.FollowEvents(f.ctx, call(), q, func(directory.EventPage) error { return nil })
		wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
	}
	wantError(t, list(call(), directory.EventQuery{User: directory.ByNumber(987_654)}), directory.CodeNotFound, noUser)
	f.clock.advance(directory.FeedCursorLifetime - time.Second)
	check(t, list(call(), directory.EventQuery{Cursor: page.Next}))
	f.clock.advance(time.Second)
	wantError(t, list(call(), directory.EventQuery{Cursor: page.Next}), directory.CodeInvalid, directory.ReasonCursorExpired)
}

// A cursor of a history that is not this one is told so: nothing is missed and
// nothing told twice without a word.
func TestRulesFeedReset(t *testing.T) {
	f, restored := newFixture(t), newFixture(t) // one key, one tenant number, two histories
	for _, f := range []*fixture{f, restored} {
		f.someones(4)
	}
	list := func(f *fixture, cursor string) error {
		return second(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 2, Cursor: cursor}))
	}
	reset := func(what string, err error) {
		t.Helper()
		wantRefused(t, what, err, directory.CodeNotFound, directory.ReasonFeedReset)
	}
	early := must(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 2}))(t).Next
	_, late := f.feed(f.sys, directory.EventQuery{Limit: 2})
	reset("another history of the same length", list(restored, late))
	reset("another history, further back", list(restored, early))
	f.someone()
	_, ahead := f.feed(f.sys, directory.EventQuery{Limit: 2})
	reset("a cursor ahead of the chain", list(restored, ahead))
	check(t, list(f, late))

	user := directory.ByNumber(f.someone().Number)
	history := must(f.svc.UserEvents(f.ctx, f.sys(), user, "", 2))(t).Next
	begin := must(directory.OldFeedCursor(f.svc, f.sys(), 0))(t)
	check(t, list(f, begin))
	reset("a cursor by sequence number", list(f, must(directory.OldFeedCursor(f.svc, f.sys(), 3))(t)))
	fresh := f.in(f.newTenant("fresh", directory.Settings{}))
	atFirst, cursor := fresh.feed(fresh.sys, directory.EventQuery{Limit: 2})
	if len(atFirst) != 1 {
		t.Fatalf("%d events of a new tenant", len(atFirst))
	}

	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return tx.SetChainEpoch(f.ctx, f.tenant.No, 1) }))
	reset("another epoch", list(f, late))
	reset("another epoch of a user's history", second(f.svc.UserEvents(f.ctx, f.sys(), user, history, 2)))
	err := f.svc.FollowEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 2, Cursor: late}, func(directory.EventPage) error { return nil })
	reset("following with another epoch", err)
	check(t, list(fresh, cursor))
}

// What retention has removed is not passed over in silence.
func TestRulesFeedTrimmed(t *testing.T) {
	f := newFixture(t)
	f.someones(8)
	cursors := map[int64]string{}
	q := directory.EventQuery{Limit: 1}
	for range 6 {
		page := must(f.svc.ListEvents(f.ctx, f.sys(), q))(t)
		q.Cursor = page.Next
		cursors[page.Events[0].Position] = page.Next
	}
	falling := must(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 4, Newest: true}))(t)
	last := falling.Events[3].Position
	all := f.events(0)
	const through = 4
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return second(tx.TrimEvents(f.ctx, f.tenant.No, through, 100)) }))
	for position, cursor := range cursors {
		page, err := f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 100, Cursor: cursor})
		if position < through {
			wantRefused(t, fmt.Sprint("at ", position), err, directory.CodeNotFound, directory.ReasonFeedReset)
		} else if diff := cmp.Diff(eventIDs(all[position:]), eventIDs(page.Events)); err != nil || diff != "" {
			t.Errorf("at %d: %v (-want +got):\n%s", position, err, diff)
		}
	}
	if got, _ := f.feed(f.sys, directory.EventQuery{Limit: 2}); !cmp.Equal(eventIDs(all[through:]), eventIDs(got)) {
		t.Errorf("from the beginning: %v", eventIDs(got))
	}
	rest, _ := f.feed(f.sys, directory.EventQuery{Limit: 2, Newest: true, Cursor: falling.Next})
	if len(rest) != int(last)-1-through {
		t.Errorf("%d events before %d", len(rest), last)
	}
	for _, through := range []int64{last, last + 1} {
		check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return second(tx.TrimEvents(f.ctx, f.tenant.No, through, 100)) }))
		page := must(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 2, Newest: true, Cursor: falling.Next}))(t)
		if len(page.Events) != 0 || page.Next != "" {
			t.Errorf("behind the end: %+v", page)
		}
	}
}

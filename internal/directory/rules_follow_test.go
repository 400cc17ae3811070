package directory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// A request that waits is answered when something happens in its tenant, and not
// of what happens in another.
func TestRulesFeedWait(t *testing.T) {
	f := newFixture(t)
	elsewhere := f.in(f.newTenant("umbrella", directory.Settings{}))
	f.runFeed()
	_, next := f.feed(f.sys, directory.EventQuery{Limit: 100})
	type answer struct {
		page directory.EventPage
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		page, err := f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 100, Cursor: next, Wait: directory.MaxFeedWait,
			Types: []directory.EventType{directory.EventUserDeactivated}})
		answers <- answer{page, err}
	}()
	f.waiting(0) // the cursor is of another query: it is refused at once
	if got := <-answers; !directory.IsReason(got.err, directory.ReasonCursorInvalid) {
		t.Fatalf("%+v", got)
	}
	go func() {
		page, err := f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 100, Wait: directory.MaxFeedWait,
			Types: []directory.EventType{directory.EventUserDeactivated}})
		answers <- answer{page, err}
	}()
	f.waiting(1)
	other := elsewhere.someone()
	must(f.svc.Deactivate(f.ctx, elsewhere.sys(), directory.ByNumber(other.Number)))(t)
	u := f.someone() // not of the type
	must(f.svc.Deactivate(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	got := <-answers
	check(t, got.err)
	if len(got.page.Events) != 1 || got.page.Events[0].User != u.Number {
		t.Errorf("%+v", got.page.Events)
	}
	f.waiting(0)
	short := must(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 100, Cursor: next, Wait: time.Millisecond}))(t)
	if len(short.Events) != 2 {
		t.Errorf("what is there is not waited for: %+v", short.Events)
	}
	none := must(f.svc.ListEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 100, Cursor: short.Next, Wait: time.Millisecond}))(t)
	if len(none.Events) != 0 || none.Next == "" || none.More {
		t.Errorf("nothing happened: %+v", none)
	}
}

// A credential that is revoked while its holder waits reads nothing any more.
func TestRulesFeedRevoked(t *testing.T) {
	f := newFixture(t)
	f.svc.FeedTimes(time.Millisecond, 0, time.Millisecond)
	secret := f.key(readerRank)
	list := must(f.svc.Credentials(f.ctx, f.sys()))(t)
	pages := 0
	err := f.svc.FollowEvents(f.ctx, f.as(secret), directory.EventQuery{Limit: 100}, func(directory.EventPage) error {
		if pages++; pages == 3 { // two of them empty: there is nothing more
			return f.svc.RevokeCredential(f.ctx, f.sys(), list[len(list)-1].ID)
		}
		return nil
	})
	if pages != 3 {
		t.Errorf("%d pages", pages)
	}
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	f.waiting(0)
}

// Following counts as one call, however long it lasts.
func TestRulesFollowCountsOnce(t *testing.T) {
	f := newFixture(t)
	f.svc.FeedTimes(time.Millisecond, 0, time.Millisecond)
	f.settings(func(t *directory.Tenant) { t.Settings.RequestsPerMinute = map[string]int{"canonical": 2} })
	secret, enough, pages := f.key(readerRank), errors.New("enough"), 0
	follow := func() error {
		return f.svc.FollowEvents(f.ctx, f.as(secret), directory.EventQuery{Limit: 100}, func(directory.EventPage) error {
			if pages++; pages%5 == 0 {
				return enough
			}
			return nil
		})
	}
	for range 2 {
		if err := follow(); !errors.Is(err, enough) {
			t.Fatalf("after %d pages: %v", pages, err)
		}
	}
	if err := follow(); directory.CodeOf(err) != directory.CodeRateLimited {
		t.Errorf("the third call: %v", err)
	}
}

// As many as may wait do, the next is told to come back, and all are sent away
// with what there is when the server stops.
func TestRulesFeedBusyAndShutdown(t *testing.T) {
	f := newFixture(t)
	stop := f.runFeed()
	_, next := f.feed(f.sys, directory.EventQuery{Limit: 100})
	wait := directory.EventQuery{Limit: 100, Cursor: next, Wait: directory.MaxFeedWait}
	errs := make(chan error, directory.MaxTenantWaiters)
	for i := range directory.MaxTenantWaiters {
		go func() {
			if i%2 == 0 {
				errs <- f.svc.FollowEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 100, Cursor: next}, func(p directory.EventPage) error {
					if len(p.Events) > 0 {
						return fmt.Errorf("%d events", len(p.Events))
					}
					return nil
				})
				return
			}
			page, err := f.svc.ListEvents(f.ctx, f.sys(), wait)
			if err == nil && (len(page.Events) > 0 || page.Next == "") {
				err = fmt.Errorf("a page %+v", page)
			}
			errs <- err
		}()
	}
	f.waiting(directory.MaxTenantWaiters)
	_, err := f.svc.ListEvents(f.ctx, f.sys(), wait)
	wantError(t, err, directory.CodeUnavailable, directory.ReasonFeedBusy)
	if directory.AsError(err).Retry <= 0 {
		t.Error("it does not say when to come back")
	}
	wait.Wait = 0
	must(f.svc.ListEvents(f.ctx, f.sys(), wait))(t)
	elsewhere := f.in(f.newTenant("umbrella", directory.Settings{}))
	must(f.svc.ListEvents(f.ctx, elsewhere.sys(), directory.EventQuery{Limit: 1, Wait: time.Second}))(t)
	stop()
	for range directory.MaxTenantWaiters {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	f.waiting(0)
	wait.Wait = directory.MaxFeedWait
	must(f.svc.ListEvents(f.ctx, f.sys(), wait))(t) // nobody waits for a server that stops
}

// Whoever goes away is let go, and followers that fail end with what they failed
// with.
func TestRulesFollowEnds(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(f.ctx)
	check(t, f.svc.FollowEvents(ctx, f.sys(), directory.EventQuery{Limit: 100}, func(directory.EventPage) error {
		cancel()
		return nil
	}))
	failed := errors.New("the connection is gone")
	if err := f.svc.FollowEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 100}, func(directory.EventPage) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	f.waiting(0)
}

// Followers are told exactly what concurrent writers did, each event once and in
// one order, whatever page size they read with; and all of it can be found.
func TestRulesFollowWriters(t *testing.T) {
	const writers, changes = 4, 25
	f := newFixture(t)
	f.runFeed()
	users := f.someones(writers)
	_, next := f.feed(f.sys, directory.EventQuery{Limit: 100})
	last, enough := "the end", errors.New("enough")
	told := make([][]directory.Event, 3)
	var followers, writing sync.WaitGroup
	for i := range told {
		followers.Go(func() {
			err := f.svc.FollowEvents(f.ctx, f.sys(), directory.EventQuery{Limit: 1 + 6*i, Cursor: next}, func(p directory.EventPage) error {
				told[i] = append(told[i], p.Events...)
				if n := len(told[i]); n > 0 && told[i][n-1].Reason == last {
					return enough
				}
				return nil
			})
			if !errors.Is(err, enough) {
				t.Errorf("follower %d: %v", i, err)
			}
		})
	}
	f.waiting(len(told))
	for w, u := range users {
		writing.Go(func() {
			for n := range changes {
				call := f.sys()
				call.Reason = fmt.Sprintf("%d/%d", w, n)
				if _, err := f.svc.UpdateUser(f.ctx, call, directory.ByNumber(u.Number), directory.UserPatch{Title: directory.Some(call.Reason)}, directory.UpdateOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	end := f.sys()
	end.Reason = last
	must(f.svc.UpdateUser(f.ctx, end, directory.ByNumber(users[0].Number), directory.UserPatch{Title: directory.Some(last)}, directory.UpdateOptions{}))(t)
	followers.Wait()
	for i := range told {
		if diff := cmp.Diff(told[0], told[i]); diff != "" || len(told[i]) != writers*changes+1 {
			t.Fatalf("follower %d was told %d events (-first +this):\n%s", i, len(told[i]), diff)
		}
	}
	for w, u := range users {
		var got, want []string
		for _, e := range told[0] {
			if e.User == u.Number && e.Reason != last {
				got = append(got, e.Reason)
			}
		}
		for n := range changes {
			want = append(want, fmt.Sprintf("%d/%d", w, n))
		}
		if !slices.Equal(got, want) {
			t.Errorf("writer %d: %v", w, got)
		}
	}
	for head := (directory.ChainHead{}); head.Indexed == 0 || head.Indexed < head.Position; {
		check(t, f.store.Read(f.ctx, func(r directory.Reader) (err error) {
			head, err = r.ChainHead(f.ctx, f.tenant.No)
			return err
		}))
	}
}

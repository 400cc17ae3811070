package processes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/testkit/site"
)

// feedEvent is what the tests read of an event.
type feedEvent struct {
	ID       string                        `json:"id"`
	Position int64                         `json:"position"`
	Type     string                        `json:"type"`
	UserID   string                        `json:"user_id"`
	Changes  map[string][2]json.RawMessage `json:"changes"`
}

// name is the given name that the event says was set.
func (e *feedEvent) name() string {
	var name string
	_ = json.Unmarshal(e.Changes["given_name"][1], &name) // an event without one names nothing
	return name
}

// follower reads the feed with long polls through any of the servers, and goes on
// at another one when its own is killed.
type follower struct {
	site   *site.Site
	first  int // the server that it begins with
	events []feedEvent
}

// follow reads until it has seen what the last event says.
func (f *follower) follow(ctx context.Context, last func(*feedEvent) bool) error {
	cursor, at := "", f.first
	for {
		var page struct {
			Items []feedEvent `json:"items"`
			Next  string      `json:"next_cursor"`
		}
		query := url.Values{"limit": {fmt.Sprint(1 + rand.IntN(100))}, "wait": {"5"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		status, err := f.site.Servers[at].Call(ctx, http.MethodGet, "/events?"+query.Encode(), nil, &page)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("the end was not seen; %d events were", len(f.events))
		case status == 0 || status >= 500:
			at = (at + 1) % len(f.site.Servers)
			<-f.site.Servers[at].Answers()
			continue
		case err != nil:
			return err
		}
		cursor = page.Next
		f.events = append(f.events, page.Items...)
		for i := range page.Items {
			if last(&page.Items[i]) {
				return nil
			}
		}
	}
}

// killing kills one server after the other and starts it again, so many times,
// as the writers go on; the writers' progress says when.
func (w *writers) killing(changes, times int) {
	for n := range times {
		for w.budget.Load() > int64(changes)*int64(times-n)/int64(times+1) {
			w.pause()
		}
		v := w.site.Servers[n%len(w.site.Servers)]
		v.Kill()
		v.Start()
	}
}

// pause lets a request pass, so that whoever waits for progress does not spin.
func (w *writers) pause() {
	v := w.site.Servers[rand.IntN(len(w.site.Servers))]
	<-v.Answers()
	_, _ = v.Call(context.Background(), http.MethodGet, "/me", nil, nil)
}

// Followers miss nothing and see nothing twice while servers are killed and
// another one seals, and all see the same; the audit finds the chain whole.
func TestFeedAcrossKills(t *testing.T) {
	for _, c := range []struct {
		engine                  string
		servers, changes, kills int
	}{{"sqlite", 1, 1200, 4}, {"postgres", 3, 2400, 9}} {
		t.Run(c.engine, func(t *testing.T) {
			s := newSite(t, c.engine, c.servers)
			w := newWriters(s, 40)
			followers := make([]*follower, 3)
			errs := make([]error, len(followers))
			var reading, killing sync.WaitGroup
			for i := range followers {
				followers[i] = &follower{site: s, first: i % len(s.Servers)}
				reading.Go(func() {
					errs[i] = followers[i].follow(t.Context(), func(e *feedEvent) bool { return e.name() == "the end" })
				})
			}
			w.budget.Store(int64(c.changes))
			killing.Go(func() { w.killing(c.changes, c.kills) })
			w.run(c.changes, 8)
			killing.Wait()
			w.last()
			reading.Wait()
			for i, f := range followers {
				if errs[i] != nil {
					t.Fatalf("follower %d: %v", i, errs[i])
				}
				w.compare(t, fmt.Sprintf("follower %d", i), f.events)
			}
			t.Logf("%d changes were acknowledged, of %d nobody knows; %d events", len(w.sure), len(w.unsure), len(followers[0].events))
			if out, err := s.Run("audit", "verify"); err != nil || !strings.Contains(out, "kentel") {
				t.Errorf("audit verify: %v\n%s", err, out)
			}
		})
	}
}

// last makes the change by which followers know the end.
func (w *writers) last() {
	w.site.T.Helper()
	c := change{user: w.users[0], name: "the end"}
	_, err := w.site.Servers[0].Call(w.site.T.Context(), http.MethodPatch, "/users/"+c.user, map[string]any{"given_name": c.name}, nil)
	if err != nil {
		w.site.T.Fatal(err)
	}
	w.sure[c] = true
	w.ordered[c.user] = append(w.ordered[c.user], c.name)
}

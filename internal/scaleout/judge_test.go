package scaleout_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

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

// given is the given name that the event says was set.
func (e *feedEvent) given() string {
	var name string
	_ = json.Unmarshal(e.Changes["given_name"][1], &name) // an event without one names nothing
	return name
}

// theEnd is the name by which the follower knows that it has seen everything.
const theEnd = "the end"

// follow reads the feed with long polls through the balancer, with one cursor
// whatever happens to the servers.
func (l *load) follow() {
	cursor := ""
	for {
		var page struct {
			Items []feedEvent `json:"items"`
			Next  string      `json:"next_cursor"`
		}
		query := url.Values{"limit": {"200"}, "wait": {"2"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		err := send(elsewhere, "Authorization", http.MethodGet, l.balancer.URL()+"/api/v1/events?"+query.Encode(), nil, &page)
		if err != nil {
			l.missed("feed", err)
			if r, ok := errors.AsType[*refusal](err); l.t.Context().Err() != nil || ok && r.status != http.StatusServiceUnavailable {
				return
			}
			continue
		}
		cursor = page.Next
		l.feed = append(l.feed, page.Items...)
		if slices.ContainsFunc(page.Items, func(e feedEvent) bool { return e.given() == theEnd }) {
			return
		}
	}
}

// finish ends the load and holds the directory against what its clients know.
func (l *load) finish() {
	l.t.Helper()
	l.stop.Store(true)
	l.running.Wait() // or changes would come after the end
	last, err := create(elsewhere, l.balancer.URL(), map[string]any{"user_name": "last@kentel.test"})
	if err == nil {
		err = all[0].rename(elsewhere, l.balancer.URL(), last, theEnd)
	}
	if err != nil {
		l.t.Fatal(err) // the follower ends with the test
	}
	l.reading.Wait()
	l.t.Logf("%d changes were acknowledged, of %d names nobody knows; %d events; not answered: %v",
		l.changes, len(l.unsure), len(l.feed), l.failed)
	for i, v := range l.site.Servers {
		l.judgeNames(v, all[i%len(all)])
	}
	l.judgeSeats()
	l.judgeFeed()
	if out, err := l.site.Run("audit", "verify"); err != nil || !strings.Contains(out, l.site.Tenant.Name) {
		l.t.Errorf("audit verify: %v\n%s", err, out)
	}
}

// judgeNames reads every user from a server: it has the last name that was
// acknowledged, or one after it of which nobody knows.
func (l *load) judgeNames(v *site.Server, by door) {
	l.t.Helper()
	for id, p := range l.people {
		want := ""
		if names := l.order[id]; len(names) > 0 {
			want = names[len(names)-1]
		}
		got, err := by.given(elsewhere, v.URL(), p)
		if err != nil || got != want && !l.unsure[renamed{id, got}] {
			l.t.Errorf("%s at %s shows %q, %v; %q was acknowledged last", by.name, v.Addr, got, err, want)
		}
	}
}

// judgeSeats counts the seats.
func (l *load) judgeSeats() {
	l.t.Helper()
	active := 0
	for id, may := range l.seated {
		var user struct{ Status string }
		if err := send(elsewhere, "Authorization", http.MethodGet, l.balancer.URL()+"/api/v1/users/"+id, nil, &user); err != nil {
			l.t.Error(err)
		}
		is := user.Status == "active"
		if is {
			active++
		}
		if !may[is] {
			l.t.Errorf("user %d is %s, acknowledged was something else", l.seatable[id].number, user.Status)
		}
	}
	used, err := pool(elsewhere, l.balancer.URL())
	if err != nil || used != active || used > seats {
		l.t.Errorf("%d seats are used, %v; %d users hold one of %d", used, err, active, seats)
	}
}

// judgeFeed holds the feed against what was acknowledged: each change is there
// once, in order, and nothing that nobody asked for.
func (l *load) judgeFeed() {
	l.t.Helper()
	seen, order := map[renamed]int{}, map[string][]string{}
	for i, e := range l.feed {
		if want := l.feed[0].Position + int64(i); e.Position != want {
			l.t.Fatalf("event %d of the feed has position %d, want %d", i, e.Position, want)
		}
		_, ours := l.people[e.UserID]
		if name := e.given(); e.Type == "user.updated" && name != "" && ours {
			r := renamed{e.UserID, name}
			if seen[r]++; !l.sure[r] && !l.unsure[r] {
				l.t.Errorf("the feed has %v, for which nobody asked", r)
			}
			if l.sure[r] {
				order[r.user] = append(order[r.user], name)
			}
		}
	}
	for r, times := range seen {
		if times > 1 {
			l.t.Errorf("the feed has %v %d times", r, times)
		}
	}
	for user, names := range l.order {
		if fmt.Sprint(order[user]) != fmt.Sprint(names) {
			l.t.Errorf("the feed has %v of user %s, acknowledged were %v", order[user], user, names)
		}
	}
}

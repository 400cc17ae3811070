package promises

import (
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// TestPromiseF_SeatsNeverOversell: of people who are activated at the same moment
// through all doors and in two processes, exactly so many become active as there
// are seats, and the pool counts them. What kill -9 in the middle leaves behind is
// proved in internal/app and internal/torture.
func TestPromiseF_SeatsNeverOversell(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		urls := []string{s.URL}
		if s.Config.Database[:8] == "postgres" {
			urls = append(urls, testkit.Start(t, testkit.Options{Beside: s, Tune: believe}).URL)
		}
		w := newWorld(t, s)
		const seats = 11
		_, err := w.service.SetPool(t.Context(), w.system(), "race", seats)
		must(t, err)
		var all sync.WaitGroup
		var people []directory.User
		gate := make(chan struct{})
		for range 2 {
			for _, y := range ways() {
				if y.verb != "activate" {
					continue
				}
				u := w.fit(t, "activate", func(in *directory.NewUser) { in.Fields.LicenceType = directory.Some("race") })
				there, r := w.wire, y.make(w, u)
				there.url = urls[len(people)%len(urls)]
				people = append(people, u)
				all.Go(func() {
					<-gate
					if a, err := there.send(r); err != nil || a.status >= 500 {
						t.Errorf("%v: %d %s %v", y, a.status, a.body, err)
					}
				})
			}
		}
		close(gate)
		all.Wait()
		active := int64(0)
		for _, u := range people {
			if now, _ := w.user(t, u.Number); now.State == directory.StateActive {
				active++
			}
		}
		pool, err := w.service.Pool(t.Context(), w.system(), "race")
		must(t, err)
		if active != seats || pool.Used != seats {
			t.Errorf("of %d people %d are active and the pool counts %d, there are %d seats", len(people), active, pool.Used, seats)
		}
	})
}

// changed is a field that one door changes, and where it is seen.
type changed struct {
	door string
	make func(w *world, u directory.User, value string) request
	seen func(u directory.User) string
}

// changes name one field each.
var changes = []changed{
	{"canonical", func(w *world, u directory.User, value string) request {
		return w.at("canonical", "PATCH", "/api/v1/users/"+u.ID, map[string]any{"title": value})
	}, func(u directory.User) string { return u.Title }},
	{"scim", func(w *world, u directory.User, value string) request {
		return w.at("scim", "PATCH", "/scim/v2/Users/"+u.ID, patchOf("replace", "displayName", value))
	}, func(u directory.User) string { return u.DisplayName }},
	{"encore", func(w *world, u directory.User, value string) request {
		return w.at("encore", "PATCH", fmt.Sprintf("/users/v1/users/%d", u.Number), map[string]any{"FirstName": value})
	}, func(u directory.User) string { return u.GivenName }},
	{"edubrite", func(w *world, u directory.User, value string) request {
		return w.at("edubrite", "POST", "/oltpublish/site/userService.do", url.Values{"dispatch": {"update"}, "userName": {u.UserName}, "lastName": {value}}.Encode())
	}, func(u directory.User) string { return u.FamilyName }},
	{"smartapp", func(w *world, u directory.User, value string) request {
		return w.at("smartapp", "POST", "/user/update?"+url.Values{"UniqueID": {u.ID}, "email": {value + "@example.test"}}.Encode(), nil)
	}, func(u directory.User) string { return u.Email }},
	{"servicemobility", func(w *world, u directory.User, value string) request {
		return w.at("servicemobility", "PUT", mobilityPath(u)+"/ChangeStorageLocation", map[string]any{"StorageLocationID": value})
	}, func(u directory.User) string { return u.Profile.StorageLocation }},
}

// TestPromiseG_NoWriteIsLost: changes of different fields of one user, at the same
// time and through different doors, do not undo each other: of each field the
// last change that was acknowledged is there at the end. Changes that two make of
// the same thing on purpose are settled by versions, which internal/crossdoor and
// the doors' own tests try.
func TestPromiseG_NoWriteIsLost(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		u := w.person(t)
		last := make([]string, len(changes))
		acknowledged := make([]int, len(changes))
		var all sync.WaitGroup
		for i, c := range changes {
			all.Go(func() {
				for n := range 12 {
					value := fmt.Sprintf("%s%d", c.door, n)
					a, err := w.send(c.make(w, u, value))
					if err != nil || a.status >= 500 {
						t.Errorf("%s: %d %s %v", c.door, a.status, a.body, err)
					} else if a.status < 300 {
						last[i] = value
						acknowledged[i]++
					}
				}
			})
		}
		all.Wait()
		now, _ := w.user(t, u.Number)
		total := 0
		for i, c := range changes {
			total += acknowledged[i]
			want := last[i]
			if c.door == "smartapp" {
				want += "@example.test"
			}
			if have := c.seen(now); have != want || acknowledged[i] == 0 {
				t.Errorf("%s: %d changes acknowledged, the last is %q, the user has %q", c.door, acknowledged[i], want, have)
			}
		}
		if now.Version != u.Version+int64(total) {
			t.Errorf("%d changes made version %d of %d", total, now.Version, u.Version)
		}
	})
}

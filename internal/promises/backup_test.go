package promises

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// TestPromiseL_BackupRestoresTheSameDirectory: a directory that was restored from
// a backup, on the same engine or the other, answers every door as the one that
// was backed up did, byte for byte, to the same credentials; its history verifies.
// That each table comes back row for row is proved in internal/store.
func TestPromiseL_BackupRestoresTheSameDirectory(t *testing.T) {
	for _, way := range [][2]string{{"sqlite", "postgres"}, {"postgres", "sqlite"}} {
		t.Run(way[0]+" to "+way[1], func(t *testing.T) {
			t.Parallel()
			secret := func(c *config.Config) {
				believe(c)
				c.SecretKey = testkit.SecretKey
				c.PublicURL = "https://directory.example.test" // else answers name the port
			}
			s := testkit.Start(t, testkit.Options{Engine: way[0], Tune: secret})
			w := newWorld(t, s)
			w.populate(t)
			before := w.everyAnswer(t)
			file := filepath.Join(t.TempDir(), "usher.backup")
			_, err := app.Backup(t.Context(), &s.Config, file, io.Discard)
			must(t, err)
			must(t, s.Stop())

			database := "sqlite:" + filepath.Join(t.TempDir(), "restored.db")
			if way[1] == "postgres" {
				database = pgtest.Database(t)
			}
			cfg := s.Config
			cfg.Database = database
			done, err := app.Restore(t.Context(), &cfg, file, slog.New(slog.DiscardHandler), "test")
			must(t, err)
			if len(done.Broken) > 0 {
				t.Errorf("broken histories: %v", done.Broken)
			}
			again := testkit.Start(t, testkit.Options{Engine: way[1], Tune: func(c *config.Config) {
				secret(c)
				c.Database = database
			}})
			w.url, w.server, w.service = again.URL, again, again.Service
			after := w.everyAnswer(t)
			for path, body := range before {
				if diff := cmp.Diff(body, after[path]); diff != "" {
					t.Errorf("%s (-before +restored):\n%.1500s", path, diff)
				}
			}
			w.verified(t, "restored", true)
		})
	}
}

// populate makes people of all states, each door some, with all that belongs to
// them.
func (w *world) populate(t *testing.T) {
	t.Helper()
	own := w.furnish(t, "Kept", 3000)
	for i, y := range ways() {
		if y.verb == "purge" || i%2 == 0 && y.verb == "delete" {
			continue
		}
		u := w.fit(t, y.verb, func(in *directory.NewUser) {
			in.Fields.Title, in.Fields.Language = directory.Some(fmt.Sprintf("Title %d – 日本語 🙂", i)), directory.Some("fr")
			in.Fields.Phones = directory.Some([]directory.Phone{{Number: fmt.Sprintf("204555%04d", i), Type: "Work"}})
		})
		w.do(t, y.make(w, u))
		w.do(t, w.at("canonical", "PUT", "/api/v1/users/"+u.ID+"/groups/"+own[groupID], nil))
		w.do(t, w.at("canonical", "PUT", "/api/v1/users/"+u.ID+"/roles/"+own[roleNumber], nil))
	}
}

// everyAnswer is what every door answers about every user and everything else.
func (w *world) everyAnswer(t *testing.T) map[string]string {
	t.Helper()
	answers := map[string]string{}
	ask := func(door, path string) {
		a := w.do(t, w.at(door, "GET", path, ""))
		if a.status >= 500 {
			t.Errorf("%s %s: %d %s", door, path, a.status, a.body)
		}
		body := drawn.ReplaceAllString(a.body, "D") // cursors are sealed anew each time
		answers[door+" "+path] = fmt.Sprint(a.status, " ", a.header.Get("ETag"), " ", strings.ReplaceAll(body, w.url, "URL"))
	}
	for _, u := range w.everybody(t) {
		n := number(u.Number)
		ask("iqmetrix", "/v1/Users("+n+")")
		ask("iqmetrix", "/v1/Users("+n+")/Unlock")
		ask("iqmetrix", "/v1/Users("+n+")/AssignedRoles")
		ask("encore", "/users/v1/users/"+n)
		ask("smartapp", "/user/get/uniqueid?UniqueID="+u.ID)
		ask("edubrite", "/oltpublish/site/userService.do?"+url.Values{"dispatch": {"get"}, "id": {u.ID}}.Encode())
		ask("servicemobility", mobilityPath(u))
		ask("canonical", "/api/v1/users/"+u.ID+"?expand=groups,roles,locations")
		ask("canonical", "/api/v1/users/"+u.ID+"/holds")
		ask("scim", "/scim/v2/Users/"+u.ID)
	}
	for _, path := range []string{"users?total=true&limit=200&status=active,inactive,staged,deleted", "users?q=kept", "groups", "companies", "locations", "roles", "lock_reasons", "licence_pools",
		"credentials", "tenant", "users/export?format=ndjson", "users/export?format=csv"} {
		ask("canonical", "/api/v1/"+path)
	}
	ask("scim", "/scim/v2/Users?count=200")
	ask("scim", "/scim/v2/Groups?count=200")
	ask("encore", "/users/v1/users?pageSize=200")
	ask("smartapp", "/user/getusers?take=200")
	ask("edubrite", "/oltpublish/site/userService.do?dispatch=list&pageSize=200")
	ask("edubrite", "/oltpublish/site/groupService.do?dispatch=list&pageSize=200")
	ask("iqmetrix", fmt.Sprintf("/v1/Entities(%d)/Users?$top=200", w.tenant.DefaultCompany))
	return answers
}

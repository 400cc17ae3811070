package promises

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// TestPromiseA_NoPathAroundTheLifecycle: whatever changes a user's state goes
// through the one state machine. Every word of every door for it leaves exactly
// the event of the machine, in the name of the door, and every other door shows
// the new state with its next answer; none of them passes a hold, deactivates or
// deletes the account owner, or takes a seat that is not there. That the vendors'
// doors tell the same story is proved in internal/crossdoor.
func TestPromiseA_NoPathAroundTheLifecycle(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		for _, y := range ways() {
			u := w.fit(t, y.verb)
			w.goes(t, y, u)
		}
		w.holdsStand(t)
		w.ownerStays(t)
		w.seatsBind(t)
	})
}

// goes goes a way and looks at what it left.
func (w *world) goes(t *testing.T, y way, u directory.User) {
	t.Helper()
	r := y.make(w, u)
	position := w.last(t)
	if a := w.do(t, r); !a.done(y) {
		t.Errorf("%v: %d %.300s", y, a.status, a.body)
		return
	}
	verb := verbs[y.verb]
	var mine []directory.Event
	for _, e := range w.eventsAfter(t, position) {
		if e.User == u.Number {
			mine = append(mine, e)
		}
	}
	if len(mine) != 1 || mine[0].Type != verb.event || mine[0].Door.String() != y.door {
		t.Errorf("%v left %d events, want one %s at %s: %+v", y, len(mine), verb.event, y.door, mine)
	}
	after, kept := w.user(t, u.Number)
	if kept != (verb.to != "") || kept && after.State != verb.to {
		t.Errorf("%v left the user %s (kept %v), want %s", y, after.State, kept, verb.to)
	}
	if kept && after.Locked != (y.verb == "lock") {
		t.Errorf("%v left locked %v", y, after.Locked)
	}
	ends := slices.Contains([]string{"deactivate", "lock", "password", "delete"}, y.verb)
	if kept && ends && after.AuthEpoch <= u.AuthEpoch {
		t.Errorf("%v ended no session", y)
	}
	for _, door := range doorNames {
		active, shown := w.activeAt(t, door, u)
		if shown != (verb.to != "" && verb.to != directory.StateDeleted) || shown && active != (verb.to == directory.StateActive) {
			t.Errorf("after %v %s shows active %v, shown %v", y, door, active, shown)
		}
	}
}

// stays fails unless a way is refused and leaves nothing.
func (w *world) stays(t *testing.T, y way, u directory.User, why string) {
	t.Helper()
	before, _ := w.user(t, u.Number)
	r := y.make(w, u)
	position := w.last(t)
	if a := w.do(t, r); a.done(y) || a.status >= 500 {
		t.Errorf("%v in spite of %s: %d %.200s", y, why, a.status, a.body)
	}
	if after, ok := w.user(t, u.Number); !ok || after.Version != before.Version || after.State != before.State || after.AuthEpoch != before.AuthEpoch {
		t.Errorf("%v in spite of %s changed the user: %s, now %s", y, why, before.State, after.State)
	}
	for _, e := range w.eventsAfter(t, position) {
		if e.User == u.Number {
			t.Errorf("%v in spite of %s left %s", y, why, e.Type)
		}
	}
}

// holdsStand tries every way past each kind of hold.
func (w *world) holdsStand(t *testing.T) {
	t.Helper()
	for kind, blocked := range map[directory.HoldKind][]string{"open_orders": {"deactivate", "delete"}, "assigned_vehicle": {"deactivate", "delete"},
		"vehicle_removed": {"activate"}, "legal": {"delete"}} {
		for _, verb := range blocked {
			u := w.fit(t, verb)
			must(t, w.service.PlaceHold(t.Context(), w.system(), directory.ByNumber(u.Number), directory.Hold{Kind: kind, Source: "test", Ref: "1"}))
			for _, y := range ways() {
				if y.verb == verb {
					w.stays(t, y, u, "a hold of "+string(kind))
				}
			}
		}
	}
}

// ownerStays tries every way to put the account owner out.
func (w *world) ownerStays(t *testing.T) {
	t.Helper()
	owner := w.person(t)
	must(t, w.service.SetOwner(t.Context(), w.system(), directory.ByNumber(owner.Number)))
	for _, y := range ways() {
		if y.verb == "deactivate" || y.verb == "delete" {
			w.stays(t, y, owner, "being the account owner")
		}
	}
}

// seatsBind tries every way to activate a user for whom there is no seat.
func (w *world) seatsBind(t *testing.T) {
	t.Helper()
	_, err := w.service.SetPool(t.Context(), w.system(), "scarce", 0)
	must(t, err)
	u := w.fit(t, "activate", func(in *directory.NewUser) { in.Fields.LicenceType = directory.Some("scarce") })
	for _, y := range ways() {
		if y.verb == "activate" {
			w.stays(t, y, u, "no seat")
		}
	}
}

// TestPromiseA_ManyAtOnce: an action on many users and an import go through the
// state machine too: they leave the events of the machine, and stop at holds, at
// the account owner and at seats.
func TestPromiseA_ManyAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		free, held, owner := w.person(t), w.person(t), w.person(t)
		must(t, w.service.PlaceHold(t.Context(), w.system(), directory.ByNumber(held.Number), directory.Hold{Kind: "open_orders", Source: "test", Ref: "1"}))
		must(t, w.service.SetOwner(t.Context(), w.system(), directory.ByNumber(owner.Number)))
		position := w.last(t)
		made := w.want(t, http.StatusCreated, w.at("canonical", "POST", "/api/v1/bulk_actions", map[string]any{"verb": "deactivate", "users": []int64{free.Number, held.Number, owner.Number}}))
		w.ended(t, "/api/v1/bulk_actions/"+made.text("id"))
		w.deactivatedOnly(t, position, free, held, owner)

		free2 := w.person(t)
		position = w.last(t)
		made = w.want(t, http.StatusCreated, w.at("canonical", "POST", "/api/v1/imports", map[string]any{"name": "x.csv", "format": "csv", "existing": "update", "match": []string{"user_name"},
			"columns": []any{map[string]any{"header": "user_name", "field": "user_name"}, map[string]any{"header": "status", "field": "status"}}}))
		path := "/api/v1/imports/" + made.text("id")
		file := "user_name,status\n"
		for _, u := range []directory.User{free2, held, owner} {
			file += u.UserName + ",inactive\n"
		}
		part := w.at("canonical", "PUT", path+"/parts/0", file)
		part.header = map[string]string{"Authorization": part.header["Authorization"], "Content-Type": "application/octet-stream"}
		if a := w.do(t, part); a.status >= 300 {
			t.Fatalf("%v: %d %s", part, a.status, a.body)
		}
		if a := w.do(t, w.at("canonical", "POST", path+"/start", map[string]any{})); a.status >= 300 {
			t.Fatalf("start: %d %s", a.status, a.body)
		}
		w.ended(t, path)
		w.deactivatedOnly(t, position, free2, held, owner)
	})
}

// ended asks for a run until it has ended. Between two questions it waits for what
// happens next, with a long poll.
func (w *world) ended(t *testing.T, path string) {
	t.Helper()
	cursor := ""
	for deadline := time.Now().Add(time.Minute); ; {
		a := w.want(t, http.StatusOK, w.at("canonical", "GET", path, ""))
		switch state := a.text("state"); state {
		case "done":
			return
		case "failed", "cancelled", "stopped":
			t.Fatalf("%s %s: %s", path, state, a.body)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has not ended after a minute", path)
		}
		next := url.Values{"type": {"bulk.*"}, "wait": {"1"}, "cursor": {cursor}}
		if cursor == "" {
			next.Del("cursor")
		}
		cursor = w.want(t, http.StatusOK, w.at("canonical", "GET", "/api/v1/events?"+next.Encode(), "")).text("next_cursor")
	}
}

// deactivatedOnly fails unless the first user was deactivated with its event, and
// the others were left as they are.
func (w *world) deactivatedOnly(t *testing.T, position int64, one directory.User, others ...directory.User) {
	t.Helper()
	var types []string
	for _, e := range w.eventsAfter(t, position) {
		if e.User != 0 {
			types = append(types, fmt.Sprint(e.User, e.Type))
		}
	}
	if want := fmt.Sprint(one.Number, directory.EventUserDeactivated); len(types) != 1 || types[0] != want {
		t.Errorf("events %v, want %s", types, want)
	}
	if u, _ := w.user(t, one.Number); u.State != directory.StateInactive {
		t.Errorf("the user is %s", u.State)
	}
	for _, other := range others {
		if u, _ := w.user(t, other.Number); u.State != directory.StateActive {
			t.Errorf("the user who is held back is %s", u.State)
		}
	}
}

// writesUsers are statements that write rows of users, and stateSet what sets a
// state in the core.
var (
	writesUsers = regexp.MustCompile(`(UPDATE|INSERT INTO|DELETE FROM|COPY|TRUNCATE|REPLACE INTO)\s+users\b|newLoadedTable\("users"`)
	callsWriter = regexp.MustCompile(`\b(tx|t|p\.tx)\.(UpdateUser|InsertUser|LoadUsers)\(ctx`)
	stateSet    = regexp.MustCompile(`\b(u|user|before|after)\.State = `)
)

// TestPromiseA_OneWriterOfStates: in the source, rows of users are written by two
// files of the store, those are called by the core alone, in four places, and in
// the core only the state machine and the creation of a user set a state.
func TestPromiseA_OneWriterOfStates(t *testing.T) {
	found := map[string][]string{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		name := filepath.ToSlash(strings.TrimPrefix(path, "../../"))
		for what, pattern := range map[string]*regexp.Regexp{"statements": writesUsers, "calls": callsWriter, "states": stateSet} {
			if what == "states" && !strings.HasPrefix(name, "internal/directory/") {
				continue
			}
			if pattern.Match(source) {
				found[what] = append(found[what], name)
			}
		}
		return err
	})
	must(t, err)
	for what, want := range map[string][]string{
		"statements": {"internal/store/load.go", "internal/store/user_write.go"},
		"calls":      {"internal/directory/change.go", "internal/directory/import_apply.go", "internal/directory/service_role.go", "internal/directory/service_user.go"},
		"states":     {"internal/directory/service_state.go", "internal/directory/service_user.go"},
	} {
		have := slices.DeleteFunc(found[what], func(name string) bool { return strings.HasPrefix(name, "internal/store/storetest/") })
		slices.Sort(have)
		if !slices.Equal(have, want) {
			t.Errorf("%s that write users are in %v, want %v", what, have, want)
		}
	}
}

package promises

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// wayIn is something that lets somebody in: how it is used, the answer while it
// is good, and the one once it is not.
type wayIn struct {
	name      string
	door      directory.Door
	use       request
	good, bad int
}

// wayList are ways in, which die together but for those that an end spares.
type wayList []wayIn

// TestPromiseB_DisabledMeansDisabled: who is deactivated, deleted, locked, signed
// out or given another password, and whose key, client, API user, door or tenant
// is closed, is refused with the very next request, by whatever way it came in,
// and in every process on the same database. Each way in is used before and
// after each end, on PostgreSQL in a second process first. That each door's own
// words for these ends end everything is proved in internal/crossdoor.
func TestPromiseB_DisabledMeansDisabled(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		second := s
		if strings.HasPrefix(s.Config.Database, "postgres") {
			second = testkit.Start(t, testkit.Options{Beside: s, Tune: believe})
		}
		w := newWorld(t, s)
		for _, end := range personEnds {
			p := w.administrator(t)
			list := w.waysOf(t, p)
			list.check(t, w, s.URL, "before "+end.name, true, nil)
			list.check(t, w, second.URL, "before "+end.name, true, nil)
			feed := w.listen(t, second.URL, p)
			end.make(t, w, p)
			list.check(t, w, second.URL, end.name, false, end.spares)
			list.check(t, w, s.URL, end.name, false, end.spares)
			w.signInRefused(t, p, end)
			feed.over(t, w, end.name)
		}
	})
}

// personEnd is a way to put a person out.
type personEnd struct {
	name   string
	make   func(t *testing.T, w *world, p directory.User)
	spares []string // ways in that are not the person's own proof
	signs  bool     // the person may sign in again with the old password
}

var personEnds = []personEnd{
	{"deactivate", personEndBy("POST", "/deactivate", nil), nil, false},
	{"delete", personEndBy("DELETE", "", nil), nil, false},
	{"lock", personEndBy("POST", "/lock", nil), nil, false},
	{"end of validity", personEndBy("PATCH", "", map[string]any{"expires_at": "2020-01-01T00:00:00Z"}), nil, false},
	{"new password", personEndBy("POST", "/password", map[string]any{"password": newPassword}), []string{"API user acting for the person"}, false},
	{"sign out everywhere", personEndBy("POST", "/sign_out", nil), []string{"API user acting for the person"}, true},
}

func personEndBy(method, rest string, body any) func(t *testing.T, w *world, p directory.User) {
	return func(t *testing.T, w *world, p directory.User) {
		t.Helper()
		if a := w.do(t, w.at("canonical", method, "/api/v1/users/"+p.ID+rest, body)); a.status >= 300 {
			t.Fatalf("%s %s: %d %s", method, rest, a.status, a.body)
		}
	}
}

// administrator makes a person who may do nearly everything.
func (w *world) administrator(t testing.TB) directory.User {
	t.Helper()
	return w.person(t, func(in *directory.NewUser) { in.Fields.Administrator = directory.Some(true) })
}

// waysOf signs a person in everywhere.
func (w *world) waysOf(t testing.TB, p directory.User) wayList {
	t.Helper()
	other := w.person(t)
	session := map[string]string{"Authorization": "Bearer " + w.session(t, p.UserName, firstPassword), "Content-Type": "application/json"}
	console := w.console(t, p.UserName, firstPassword)
	acting := w.want(t, http.StatusSeeOther, request{"POST", fmt.Sprintf("/console/users/%d/do/impersonate", other.Number), "reason=case+7", console})
	both := console["Cookie"] + "; " + cookiesOf(acting)
	leave := w.want(t, http.StatusOK, request{"POST", "/api/v1/users/" + other.ID + "/impersonate", `{"reason":"case 7"}`, session})
	signed := w.signed(t, p.UserName, firstPassword)
	mobile := w.want(t, http.StatusOK, request{"POST", mobilityPath(other) + "/impersonate", toJSON(map[string]string{"UserID": p.UserName, "Password": firstPassword}),
		map[string]string{"Content-Type": "application/json"}})
	token, refresh := w.oauth(t, p)
	acts := edubriteHeader(w.headers["edubrite"]["Cookie"], p.UserName+"||")
	opened := readEnvelope(t, w.want(t, http.StatusOK, request{"POST", "/oltpublish/site/signinService.do", "dispatch=createSessionApi", acts}))
	reset := w.want(t, http.StatusCreated, w.at("canonical", "POST", "/api/v1/users/"+p.ID+"/reset_token", nil)).text("token")
	list := wayList{
		{"session", directory.DoorCanonical, request{"GET", "/api/v1/users?limit=1", "", session}, 200, 401},
		{"session at scim", directory.DoorSCIM, request{"GET", "/scim/v2/Users?count=1", "", session}, 200, 401},
		{"impersonation", directory.DoorCanonical, request{"GET", "/api/v1/me", "", map[string]string{"Authorization": "Bearer " + leave.text("token")}}, 200, 401},
		{"console", directory.DoorConsole, request{"GET", "/console/users", "", console}, 200, 303},
		{"acting at the console", directory.DoorConsole, request{"GET", "/console/account", "", consoleHeader(both)}, 200, 303},
		{"signed token", directory.DoorServiceMobility, request{"GET", mobilityPath(other), "", map[string]string{"x-access-token": signed}}, 200, 401},
		{"impersonation by name", directory.DoorServiceMobility, request{"GET", mobilityPath(other), "", map[string]string{"x-access-token": mobile.text("Token")}}, 200, 401},
		{"access token", directory.DoorIQmetrix, request{"GET", fmt.Sprintf("/v1/Users(%d)", other.Number), "", map[string]string{"Authorization": "Bearer " + token}}, 200, 401},
		{"API user acting for the person", directory.DoorEduBrite, request{"POST", "/oltpublish/site/userService.do", "dispatch=get&userName=" + url.QueryEscape(other.UserName), acts}, 200, 401},
		{"session opened for the person", directory.DoorEduBrite, request{"POST", "/oltpublish/site/userService.do", "dispatch=get&userName=" + url.QueryEscape(other.UserName),
			edubriteHeader("SESSION_ID="+opened.Session.ID+"; SESSION_INFO="+opened.Session.Info, "")}, 200, 401},
		{"reset link", directory.DoorCanonical, request{"GET", "/reset?token=" + url.QueryEscape(reset), "", nil}, 200, 410},
		{"refresh token", directory.DoorIQmetrix, request{"POST", "/v1/oauth2/token", refresh, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 0, 400},
	}
	return list
}

// oauth signs a person in at the token service, and is the form that would
// refresh the token.
func (w *world) oauth(t testing.TB, p directory.User) (token, refresh string) {
	t.Helper()
	client, secret, err := w.service.CreateClient(t.Context(), w.system(), directory.NewCredential{Name: "client"})
	must(t, err)
	form := url.Values{"grant_type": {"password"}, "username": {p.UserName}, "password": {firstPassword}, "client_id": {client.ClientID}, "client_secret": {secret}}
	a := w.want(t, http.StatusOK, request{"POST", "/v1/oauth2/token", form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.text("refresh_token")}, "client_id": {client.ClientID}, "client_secret": {secret}}
	return a.text("access_token"), form.Encode()
}

// check uses every way in at a server.
func (l wayList) check(t *testing.T, w *world, at, when string, good bool, spares []string) {
	t.Helper()
	there := w.wire
	there.url = at
	for _, way := range l {
		want := way.bad
		if good || slices.Contains(spares, way.name) {
			want = way.good
		}
		if want == 0 { // good once: it is used only when it must fail
			continue
		}
		if a := there.do(t, way.use); a.status != want {
			t.Errorf("%s: %s: %d %.200s, want %d", when, way.name, a.status, a.body, want)
		}
	}
}

// signInRefused tries the old password at every door where people sign in.
func (w *world) signInRefused(t *testing.T, p directory.User, end personEnd) {
	t.Helper()
	login := url.Values{"name": {p.UserName}, "password": {firstPassword}}.Encode()
	for door, r := range map[string]request{
		"canonical":       {"POST", "/api/v1/sessions", toJSON(map[string]string{"user_name": p.UserName, "password": firstPassword}), nil},
		"servicemobility": {"POST", "/createjwt", toJSON(map[string]string{"username": p.UserName, "password": firstPassword}), nil},
		"console":         {"POST", "/console/sign-in", login, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
	} {
		a := w.do(t, r)
		if in := a.status < 400; in != end.signs {
			t.Errorf("%s: signing in at %s: %d %.200s", end.name, door, a.status, a.body)
		}
	}
}

// listening is a person who follows the feed and waits for the next change.
type listening struct {
	stream io.ReadCloser
	polled chan answer
}

// listen opens a stream of events and a long poll in a person's name.
func (w *world) listen(t *testing.T, at string, p directory.User) *listening {
	t.Helper()
	header := map[string]string{"Authorization": "Bearer " + w.session(t, p.UserName, firstPassword)}
	there := w.wire
	there.url = at
	from := "/api/v1/events?since=" + url.QueryEscape(time.Now().UTC().Format(time.RFC3339Nano))
	req, err := http.NewRequestWithContext(t.Context(), "GET", at+from, nil)
	must(t, err)
	req.Host = w.host
	req.Header.Set("Authorization", header["Authorization"])
	req.Header.Set("Accept", "text/event-stream")
	res, err := client.Do(req)
	must(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the stream: %d", res.StatusCode)
	}
	l := &listening{stream: res.Body, polled: make(chan answer, 1)}
	go func() {
		a, err := there.send(request{"GET", from + "&type=user.purged&wait=30", "", header}) // nothing of that kind happens before the end
		if err != nil {
			a.body = err.Error()
		}
		l.polled <- a
	}()
	return l
}

// over fails unless neither the stream nor the poll tells what happens after the
// end. What happens is what both wait for, so that they end at once.
func (l *listening) over(t *testing.T, w *world, when string) {
	t.Helper()
	later := w.person(t)
	_, err := w.service.DeleteUser(t.Context(), w.system(), directory.ByNumber(later.Number))
	must(t, err)
	must(t, w.service.PurgeUser(t.Context(), w.system(), directory.ByNumber(later.Number)))
	for lines := bufio.NewScanner(l.stream); lines.Scan(); {
		if strings.Contains(lines.Text(), later.ID) {
			t.Errorf("%s: the stream goes on: %.200s", when, lines.Text())
			return
		}
	}
	if a := <-l.polled; a.status != http.StatusUnauthorized {
		t.Errorf("%s: the poll that waited is answered with %d %.200s", when, a.status, a.body)
	}
}

// TestPromiseB_ClosedMeansClosed: the same for programs: a revoked key, client,
// API user or customer, a closed door and a disabled tenant.
func TestPromiseB_ClosedMeansClosed(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		second := s
		if strings.HasPrefix(s.Config.Database, "postgres") {
			second = testkit.Start(t, testkit.Options{Beside: s, Tune: believe})
		}
		w := newWorld(t, s)
		for _, end := range programEnds {
			list, close := end.make(t, w)
			list.check(t, w, s.URL, "before "+end.name, true, nil)
			list.check(t, w, second.URL, "before "+end.name, true, nil)
			close()
			list.check(t, w, second.URL, end.name, false, nil)
			list.check(t, w, s.URL, end.name, false, nil)
		}
		w.everyDoorCloses(t, second)
		w.revokedImport(t)
		list := slices.Concat(w.keyWays(t, w.headers), w.waysOf(t, w.administrator(t)))
		list = slices.DeleteFunc(list, func(y wayIn) bool { return y.name == "refresh token" })
		list.check(t, w, second.URL, "before the tenant is disabled", true, nil)
		_, err := w.service.EditTenant(t.Context(), w.system(), directory.TenantPatch{Disabled: directory.Some(true)})
		must(t, err)
		list.check(t, w, second.URL, "the tenant is disabled", false, nil)
		list.check(t, w, s.URL, "the tenant is disabled", false, nil)
	})
}

// programEnd makes a program's ways in, and closes them.
type programEnd struct {
	name string
	make func(t *testing.T, w *world) (wayList, func())
}

var programEnds = []programEnd{
	{"the key is revoked", func(t *testing.T, w *world) (wayList, func()) {
		made, key, err := w.service.CreateKey(t.Context(), w.system(), directory.NewCredential{Name: "key", Rank: directory.RankAdministrator})
		must(t, err)
		return w.keyWays(t, keyHeaders(key)), w.revoke(t, made.ID)
	}},
	{"the API user is revoked", func(t *testing.T, w *world) (wayList, func()) {
		made, secret, err := w.service.CreateAPIUser(t.Context(), w.system(), directory.NewCredential{Name: "api", Rank: directory.RankAdministrator})
		must(t, err)
		header := w.edubrite(t, made.ClientID, secret, w.boss.UserName)
		opened := readEnvelope(t, w.want(t, http.StatusOK, request{"POST", "/oltpublish/site/signinService.do", "dispatch=createSessionApi", header}))
		list := w.keyWays(t, map[string]map[string]string{"edubrite": header})
		return append(list, wayIn{"session opened for a person", directory.DoorEduBrite, request{"GET", "/oltpublish/site/userService.do?dispatch=list", "",
			edubriteHeader("SESSION_ID="+opened.Session.ID+"; SESSION_INFO="+opened.Session.Info, "")}, 200, 401}), w.revoke(t, made.ID)
	}},
	{"the client is revoked", func(t *testing.T, w *world) (wayList, func()) {
		p := w.administrator(t)
		list := w.waysOf(t, p)
		list = slices.DeleteFunc(list, func(y wayIn) bool { return y.name != "access token" && y.name != "refresh token" })
		return list, func() {
			all, err := w.service.Credentials(t.Context(), w.system())
			must(t, err)
			for _, c := range all {
				if c.Name == "client" {
					must(t, w.service.RevokeCredential(t.Context(), w.system(), c.ID))
				}
			}
		}
	}},
	{"the customer is revoked", func(t *testing.T, w *world) (wayList, func()) {
		made, code, err := w.service.CreateCustomer(t.Context(), w.system(), directory.NewCredential{Name: "customer", Rank: directory.RankReader})
		must(t, err)
		path := mobilityPath(w.boss) + "?" + url.Values{"customerid": {made.ClientID}, "customercode": {code}}.Encode()
		return wayList{{"customer id and code", directory.DoorServiceMobility, request{"GET", path, "", nil}, 200, 401}}, w.revoke(t, made.ID)
	}},
}

// revoke revokes a credential over the wire.
func (w *world) revoke(t *testing.T, id string) func() {
	return func() {
		t.Helper()
		w.want(t, http.StatusNoContent, w.at("canonical", "DELETE", "/api/v1/credentials/"+id, nil))
	}
}

// keyWays read something at every door for which there are headers.
func (w *world) keyWays(t testing.TB, headers map[string]map[string]string) wayList {
	t.Helper()
	var list wayList
	for name, at := range map[string]struct {
		door directory.Door
		path string
	}{
		"iqmetrix": {directory.DoorIQmetrix, fmt.Sprintf("/v1/Users(%d)", w.boss.Number)}, "encore": {directory.DoorEncore, "/users/v1/users?pageSize=1"},
		"smartapp": {directory.DoorSmartapp, "/user/getusers?take=1"}, "edubrite": {directory.DoorEduBrite, "/oltpublish/site/userService.do?dispatch=list"},
		"servicemobility": {directory.DoorServiceMobility, mobilityPath(w.boss)}, "canonical": {directory.DoorCanonical, "/api/v1/users?limit=1"},
		"scim": {directory.DoorSCIM, "/scim/v2/Users?count=1"},
	} {
		if headers[name] != nil {
			list = append(list, wayIn{"credential at " + name, at.door, request{"GET", at.path, "", headers[name]}, 200, 401})
		}
	}
	return list
}

// everyDoorCloses closes one door after the other: the way through it is gone,
// those through others stay.
func (w *world) everyDoorCloses(t *testing.T, second *testkit.Server) {
	t.Helper()
	there := w.wire
	there.url = second.URL
	list := slices.Concat(w.keyWays(t, w.headers), w.waysOf(t, w.administrator(t)))
	for _, closed := range []directory.Door{directory.DoorIQmetrix, directory.DoorEncore, directory.DoorSmartapp, directory.DoorEduBrite, directory.DoorServiceMobility,
		directory.DoorCanonical, directory.DoorSCIM, directory.DoorConsole} {
		w.openDoors(t, directory.AllDoors&^directory.DoorSet(closed))
		for _, way := range list {
			if way.good == 0 || strings.HasPrefix(way.use.path, "/reset") { // the page of links is no door
				continue
			}
			a := there.do(t, way.use)
			if open := a.status == way.good; open == (way.door == closed) {
				t.Errorf("%s closed: %s: %d %.200s", closed, way.name, a.status, a.body)
			}
		}
	}
	w.openDoors(t, directory.AllDoors)
}

func (w *world) openDoors(t *testing.T, doors directory.DoorSet) {
	t.Helper()
	_, err := w.service.EditTenant(t.Context(), w.system(), directory.TenantPatch{Doors: directory.Some(doors)})
	must(t, err)
}

// revokedImport starts an import that somebody asked for whose key was revoked
// since: nobody is made.
func (w *world) revokedImport(t *testing.T) {
	t.Helper()
	made, key, err := w.service.CreateKey(t.Context(), w.system(), directory.NewCredential{Name: "importer", Rank: directory.RankAdministrator})
	must(t, err)
	header := map[string]string{"Authorization": "Bearer " + key, "Content-Type": "application/json"}
	run := w.want(t, http.StatusCreated, request{"POST", "/api/v1/imports", `{"name":"x.csv","format":"csv","columns":[{"header":"user_name","field":"user_name"}]}`, header})
	path := "/api/v1/imports/" + run.text("id")
	part := request{"PUT", path + "/parts/0", "user_name\nimported.after.all\n", map[string]string{"Authorization": "Bearer " + key, "Content-Type": "application/octet-stream"}}
	if a := w.do(t, part); a.status >= 300 {
		t.Fatalf("%v: %d %s", part, a.status, a.body)
	}
	w.revoke(t, made.ID)()
	a := w.do(t, w.at("canonical", "POST", path+"/start", map[string]any{}))
	for a.status < 300 {
		a = w.want(t, http.StatusOK, w.at("canonical", "GET", path, ""))
		if state := a.text("state"); state == "failed" || state == "done" || state == "cancelled" || state == "stopped" {
			break
		}
	}
	if found := w.do(t, w.at("canonical", "GET", "/api/v1/users/by/user_name/imported.after.all", "")); found.status != http.StatusNotFound {
		t.Errorf("the import of a revoked key made a user: %d %s, the run: %s", found.status, found.body, a.body)
	}
}

package promises

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// Passwords of people in the tests.
const (
	bossPassword  = "Granite-Window-7-Lamp"
	firstPassword = "Correct-Horse-1-Battery"
	newPassword   = "Staple-Tuesday-9-Harbour"
)

// The doors. The console is the eighth way in and no API.
var doorNames = []string{"iqmetrix", "encore", "smartapp", "edubrite", "servicemobility", "canonical", "scim"}

// world is a tenant with an administrator, and credentials for every door.
type world struct {
	wire
	server  *testkit.Server
	service *directory.Service
	tenant  directory.Tenant
	name    string
	boss    directory.User               // administrator, whose password is bossPassword
	headers map[string]map[string]string // by door, of an administrator
	people  atomic.Int64
	parent  int64  // company in which things are made; 0: beside all others
	hiding  string // whose texts are told from all others: "tenant", "company" or nobody's
}

var worlds atomic.Int64

// newWorld makes a tenant that is found by a host name of its own, with one
// company.
func newWorld(t testing.TB, s *testkit.Server) *world {
	t.Helper()
	n := worlds.Add(1)
	w := &world{server: s, service: s.Service, name: fmt.Sprintf("promise%d", n)}
	w.wire = wire{url: s.URL, host: w.name + ".example.test"}
	var err error
	w.tenant, err = s.Service.CreateTenant(t.Context(), directory.System(0, "test"),
		directory.Tenant{Name: w.name, Hosts: []string{w.host}}, directory.Company{Name: "Kentel " + w.name})
	must(t, err)
	w.boss, err = w.service.CreateUser(t.Context(), w.system(), directory.NewUser{Password: bossPassword,
		Fields: directory.UserPatch{UserName: directory.Some("boss." + w.name), FamilyName: directory.Some("Boss"), Administrator: directory.Some(true)}})
	must(t, err)
	w.headers = w.credentialsOf(t, directory.NewCredential{Name: "test", Rank: directory.RankAdministrator}, w.boss.UserName)
	w.headers["console"] = w.console(t, w.boss.UserName, bossPassword)
	w.headers["canonical person"] = map[string]string{"Authorization": "Bearer " + w.session(t, w.boss.UserName, bossPassword), "Content-Type": "application/json"}
	w.headers["servicemobility person"] = map[string]string{"x-access-token": w.signed(t, w.boss.UserName, bossPassword), "Content-Type": "application/json"}
	return w
}

// system is a call of the core itself.
func (w *world) system() *directory.Call { return directory.System(w.tenant.No, "test") }

// credentialsOf makes credentials that are bounded as in says, and returns the
// headers that present them at each door.
func (w *world) credentialsOf(t testing.TB, in directory.NewCredential, actFor string) map[string]map[string]string {
	t.Helper()
	_, key, err := w.service.CreateKey(t.Context(), w.system(), in)
	must(t, err)
	headers := keyHeaders(key)
	api, secret, err := w.service.CreateAPIUser(t.Context(), w.system(), in)
	must(t, err)
	headers["edubrite"] = w.edubrite(t, api.ClientID, secret, actFor)
	return headers
}

// keyHeaders present an API key at every door that takes one.
func keyHeaders(key string) map[string]map[string]string {
	return map[string]map[string]string{
		"iqmetrix":        {"Authorization": "Bearer " + key, "Content-Type": "application/json"},
		"encore":          {"Ocp-Apim-Subscription-Key": key, "Content-Type": "application/json"},
		"smartapp":        {"X-API-Key": key, "Content-Type": "application/json"},
		"servicemobility": {"x-access-token": key, "Content-Type": "application/json"},
		"canonical":       {"Authorization": "Bearer " + key, "Content-Type": "application/json"},
		"scim":            {"Authorization": "Bearer " + key, "Content-Type": "application/scim+json"},
	}
}

// edubrite signs an API user in and acts for somebody.
func (w *world) edubrite(t testing.TB, name, password, actFor string) map[string]string {
	t.Helper()
	sign := url.Values{"username": {name}, "password": {password}}
	a := w.want(t, http.StatusOK, request{method: "GET", path: "/oltpublish/site/home.do?" + sign.Encode()})
	return edubriteHeader(cookiesOf(a), actFor+"||")
}

func edubriteHeader(cookies, actFor string) map[string]string {
	return map[string]string{"Cookie": cookies, "REAL_UNAME": actFor, "Content-Type": "application/x-www-form-urlencoded"}
}

// cookiesOf are the cookies that an answer sets.
func cookiesOf(a answer) string {
	var pairs []string
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.MaxAge >= 0 {
			pairs = append(pairs, cookie.Name+"="+cookie.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

// session is the token of a session of the canonical door.
func (w *world) session(t testing.TB, name, password string) string {
	t.Helper()
	return w.want(t, http.StatusCreated, request{method: "POST", path: "/api/v1/sessions", body: toJSON(map[string]string{"user_name": name, "password": password})}).text("token")
}

// signed is a signed token of the servicemobility door.
func (w *world) signed(t testing.TB, name, password string) string {
	t.Helper()
	return w.want(t, http.StatusOK, request{method: "POST", path: "/createjwt", body: toJSON(map[string]string{"username": name, "password": password})}).text("token")
}

// console signs somebody in there.
func (w *world) console(t testing.TB, name, password string) map[string]string {
	t.Helper()
	a := w.want(t, http.StatusSeeOther, request{method: "POST", path: "/console/sign-in", body: url.Values{"name": {name}, "password": {password}}.Encode(),
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	return consoleHeader(cookiesOf(a))
}

// consoleHeader is what goes with the requests of a browser: its cookies and the
// proof that a form is the console's own.
func consoleHeader(cookies string) map[string]string {
	_, token, _ := strings.Cut(cookies, "usher_session=")
	token, _, _ = strings.Cut(token, ";")
	if _, acting, ok := strings.Cut(cookies, "usher_acting="); ok {
		token, _, _ = strings.Cut(acting, ";")
	}
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("usher console form"))
	return map[string]string{"Cookie": cookies, "X-Csrf-Token": base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18]),
		"Content-Type": "application/x-www-form-urlencoded"}
}

// at is a request with the credential of the world's administrator at a door.
func (w *world) at(door, method, path string, body any) request {
	text, ok := body.(string)
	if !ok {
		text = toJSON(body)
	}
	return request{method, path, text, w.headers[door]}
}

// person makes a user with a name that nobody else has.
func (w *world) person(t testing.TB, change ...func(*directory.NewUser)) directory.User {
	t.Helper()
	n := w.people.Add(1)
	name := fmt.Sprintf("person%d.%s", n, w.name)
	in := directory.NewUser{Password: firstPassword, ClaimEmail: true, Fields: directory.UserPatch{UserName: directory.Some(name), GivenName: directory.Some("Jo"),
		FamilyName: directory.Some("Bates"), Email: directory.Some(name + "@example.test")}}
	for _, edit := range change {
		edit(&in)
	}
	u, err := w.service.CreateUser(t.Context(), w.system(), in)
	must(t, err)
	return u
}

// user reads a user in whatever state; ok is false when it is purged.
func (w *world) user(t testing.TB, number int64) (u directory.User, ok bool) {
	t.Helper()
	page, err := w.service.Users(context.Background(), w.system(), directory.UserQuery{States: directory.StatesOf(directory.States[:]...), After: number - 1, Limit: 1})
	must(t, err)
	if len(page.Users) != 1 || page.Users[0].Number != number {
		return directory.User{}, false
	}
	return page.Users[0], true
}

// eventsAfter are the events of the tenant behind a position.
func (w *world) eventsAfter(t testing.TB, position int64) []directory.Event {
	t.Helper()
	var list []directory.Event
	for {
		events, err := w.service.Events(context.Background(), w.system(), position, 1000)
		must(t, err)
		if len(events) == 0 {
			return list
		}
		list = append(list, events...)
		position = events[len(events)-1].Seq
	}
}

// last is the position of the newest event.
func (w *world) last(t testing.TB) int64 {
	t.Helper()
	events := w.eventsAfter(t, 0)
	return events[len(events)-1].Seq
}

// envelope is every answer of the edubrite door.
type envelope struct {
	Code    string `xml:"code,attr"`
	Session struct {
		ID   string `xml:"sessionId"`
		Info string `xml:"sessionInfo"`
	} `xml:"data>session"`
	User struct {
		Status string `xml:"status,attr"`
		Token  string `xml:"passwordToken"`
	} `xml:"data>user"`
}

func readEnvelope(t testing.TB, a answer) envelope {
	t.Helper()
	var e envelope
	if err := xml.Unmarshal([]byte(a.body), &e); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return e
}

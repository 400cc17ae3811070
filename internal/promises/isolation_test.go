package promises

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// TestPromiseD_NoRouteLeadsToAnotherTenant: no request shows anything of another
// tenant, changes anything of it, or tells that something of a name exists there.
// Every operation of every door and of the console is asked for everything that
// another tenant has, by every variable of its path and every value of its query
// and its body that names something; the answer has nothing of the other tenant,
// is the same as for a name that nothing has, and nothing there changes.
func TestPromiseD_NoRouteLeadsToAnotherTenant(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w, other := newWorld(t, s), newWorld(t, s)
		other.hiding = "tenant"
		foreign := other.furnish(t, mark, 7_700_000)
		other.furnishWork(t, foreign, mark)
		leaks := append([]string{hidden, other.name}, foreign.traces()...)
		before, position := other.everybody(t), other.last(t)
		asked := probeAll(t, newTwins(t, w, newWorld(t, s)), foreign, nil, leaks, func(r route) {
			if events := other.eventsAfter(t, position); len(events) > 0 {
				t.Errorf("%v changed the other tenant: %v", r, events[0].Type)
				position = other.last(t)
			}
		})
		if diff := cmp.Diff(before, other.everybody(t)); diff != "" {
			t.Errorf("the other tenant's users are others now (-before +after):\n%s", diff)
		}
		if asked < 500 {
			t.Errorf("only %d names were asked for", asked)
		}
	})
}

// TestPromiseD_NoRouteLeadsToAnotherCompany: for a credential that is bound to a
// company nothing exists outside of that company and those below it. It is asked
// as the test above does, for users, companies, locations and lock reasons of the
// company beside. Names that are unique in the tenant, as user names are, tell
// when they are taken by whoever takes one: those are only looked for.
func TestPromiseD_NoRouteLeadsToAnotherCompany(t *testing.T) {
	t.Parallel()
	s := start(t, "sqlite")
	tw := newTwins(t, newWorld(t, s), newWorld(t, s))
	var foreign [2]things
	for i, w := range tw.worlds {
		w.hiding = "company"
		foreign[i] = w.furnish(t, mark, 7_700_000)
		w.hiding = ""
		ours, err := w.service.CreateCompany(t.Context(), w.system(), directory.Company{Number: 5000, Name: "Ours"})
		must(t, err)
		w.parent = ours.Number
		maps.Copy(tw.callers[i].own, w.furnish(t, "Within", 6000))
		tw.callers[i].headers = w.credentialsOf(t, directory.NewCredential{Name: "bound", Rank: directory.RankAdministrator, Root: ours.Number}, w.boss.UserName)
		tw.positions[i] = w.last(t)
	}
	before := tw.worlds[0].outside(t)
	kinds := []kind{userNumber, userID, userSession, userFilter, scimFilter, odataFilter, searchText, companyNumber, companyID, placeNumber, placeID, reasonNumber,
		userName, userEmail, userEmployee, userOpenID, userWebMDN, userExternal, companyName, placeName}
	asked := probeAll(t, tw, foreign[0], kinds, []string{hidden}, func(r route) {
		after := tw.worlds[0].outside(t)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%v changed a user of the other company (-before +after):\n%s", r, diff)
			before = after
		}
	})
	if asked < 300 {
		t.Errorf("only %d names were asked for", asked)
	}
}

// outside are the users of the company that is beside.
func (w *world) outside(t testing.TB) []directory.User {
	t.Helper()
	page, err := w.service.Users(t.Context(), w.system(), directory.UserQuery{Company: 7_700_001, States: directory.StatesOf(directory.States[:]...), Limit: 1000})
	must(t, err)
	return page.Users
}

// taken reports whether a probe would take a name that is unique in the tenant, or
// looks for groups and roles, which are of all companies.
func (p probe) taken() bool {
	if p.what == searchText && (strings.HasSuffix(p.route.path, "/groups") || strings.HasSuffix(p.route.path, "/roles")) {
		return true
	}
	handle := []kind{userName, userEmail, userEmployee, userOpenID, userWebMDN, userExternal, companyName, placeName}
	ids := []kind{userNumber, userID, companyNumber, companyID, placeNumber, placeID, reasonNumber}
	reads := p.route.method == "GET"
	if p.route.door == "edubrite" || p.route.door == "smartapp" { // they change users by GET
		asks := strings.ToLower(p.route.path + " " + p.route.dispatch)
		reads = strings.Contains(asks, "/get/") || strings.HasSuffix(asks, " get") || strings.Contains(asks, "search")
	}
	last := p.place[strings.LastIndexAny(p.place, " .")+1:]
	return !reads && (slices.Contains(handle, p.what) || p.route.method == "POST" && slices.Contains(ids, p.what) && (last == "id" || last == "number"))
}

// traces are ids of what only its own tenant can have; those of users and groups
// may be given to others elsewhere.
func (v things) traces() []string {
	return []string{v[userSession], v[secretID], v[webhookID], v[jobID], v[importID], v[actionID], v[credentialID]}
}

// everybody are all users of a tenant, as they are kept.
func (w *world) everybody(t testing.TB) []directory.User {
	t.Helper()
	page, err := w.service.Users(t.Context(), w.system(), directory.UserQuery{States: directory.StatesOf(directory.States[:]...), Limit: 1000})
	must(t, err)
	return page.Users
}

// shared are names that are unique on the whole server, so that taking one tells
// that it is taken. Each leads to a tenant before any credential is known.
var shared = []string{
	"canonical POST /api/v1/credentials body client_id (name of a client)",
	"canonical PATCH /api/v1/tenant body hosts.[] (host of a tenant)",
}

// twins are two tenants that are alike: one is asked for what is somebody
// else's, the other at the same time for what nobody has, so that what one
// request leaves behind is the same for both.
type twins struct {
	worlds     [2]*world
	callers    [2]caller
	positions  [2]int64
	generation int64
}

func newTwins(t testing.TB, a, b *world) *twins {
	t.Helper()
	tw := &twins{worlds: [2]*world{a, b}}
	for i, w := range tw.worlds {
		tw.callers[i] = caller{headers: w.headers, own: things{}, names: new(atomic.Int64)}
		v := w.furnish(t, "Own0", 10_000)
		w.furnishWork(t, v, "Own0")
		tw.callers[i].own, tw.positions[i] = v, w.last(t)
		v[bossName], v[bossSecret] = w.boss.UserName, bossPassword
	}
	return tw
}

// renew makes new things of the callers' own when what a route did may have
// changed those that they had.
func (tw *twins) renew(t testing.TB) {
	t.Helper()
	if len(tw.worlds[0].eventsAfter(t, tw.positions[0])) == 0 && len(tw.worlds[1].eventsAfter(t, tw.positions[1])) == 0 {
		return
	}
	tw.generation++
	for i, w := range tw.worlds {
		maps.Copy(tw.callers[i].own, w.furnish(t, fmt.Sprintf("Own%d", tw.generation), 10_000+tw.generation*1000))
		tw.positions[i] = w.last(t)
	}
}

// probeAll sends every probe twice, with a name of somebody else's and with one
// that nothing has. only, unless nil, are the kinds to ask for.
func probeAll(t *testing.T, tw *twins, foreign things, only []kind, leaks []string, after func(route)) (asked int) {
	t.Helper()
	missing := foreign.none()
	for _, r := range registered(t, tw.worlds[0]) {
		probes, unknown := tw.callers[0].probesOf(r)
		seconds, _ := tw.callers[1].probesOf(r)
		for _, name := range unknown {
			t.Errorf("%v: nobody has said what {%s} names", r, name)
		}
		for i, p := range probes {
			if name := p.String(); foreign[p.what] == "" || tw.callers[0].headers[r.door] == nil || only != nil && (!slices.Contains(only, p.what) || p.taken()) || slices.Contains(shared, name) {
				continue
			}
			asked++
			first := p.make(foreign[p.what])
			have := tw.worlds[0].do(t, first)
			none := tw.worlds[1].do(t, seconds[i].make(missing[p.what]))
			p.judge(t, first, tw.alike(0, have, foreign[p.what]), tw.alike(1, none, missing[p.what]))
			shown := strings.ToLower(without(have.body, foreign[p.what]))
			for _, leak := range leaks {
				if strings.Contains(shown, leak) {
					t.Errorf("%v shows %s of somebody else: %.600s", p, leak, have.body)
				}
			}
			if have.status >= 500 {
				t.Errorf("%v: %d %s", p, have.status, have.body)
			}
		}
		after(r)
		tw.renew(t)
	}
	return asked
}

// judge fails unless the two answers of a probe are the same.
func (p probe) judge(t *testing.T, asked request, have, none string) {
	t.Helper()
	if have != none {
		at := 0
		for at < min(len(have), len(none)) && have[at] == none[at] {
			at++
		}
		at = max(at-100, 0)
		t.Errorf("%v: what is somebody else's and what nobody has differ:\n%v\n%.40s ... %.500s\n%.40s ... %.500s", p, asked, have, have[at:], none, none[min(at, len(none)):])
	}
}

// alike is what the answers of both twins must have in common.
func (tw *twins) alike(i int, a answer, text string) string {
	w := tw.worlds[i]
	a.body = strings.ReplaceAll(a.body, w.name, "promise")
	return alike(a, text)
}

package promises

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// limited is a caller that must not touch administrators.
type limited struct {
	name string
	in   directory.NewCredential
	// person is the rank of a person in whose name the doors for people are used;
	// 0: there is none.
	person directory.Rank
	doors  []string // nil: all
	writes bool     // it may change administrators, but make nobody one and set no password of one
}

// callers are the limited credentials: below administrators in rank, or of that
// rank with fewer scopes, one company or the provisioning door.
func callers(company int64) []limited {
	return []limited{
		{"helpdesk", directory.NewCredential{Name: "desk", Rank: directory.RankHelpdesk}, directory.RankHelpdesk, nil, false},
		{"reader", directory.NewCredential{Name: "reader", Rank: directory.RankReader}, directory.RankReader, nil, false},
		{"administrator who reads", directory.NewCredential{Name: "reads", Rank: directory.RankAdministrator, Scopes: directory.ScopeUsersRead | directory.ScopeEvents}, 0, nil, false},
		{"administrator of one company", directory.NewCredential{Name: "bound", Rank: directory.RankAdministrator, Root: company}, 0, nil, false},
		{"provisioning", directory.NewCredential{Name: "provisions", Rank: directory.RankAdministrator}, 0, []string{"scim"}, false},
		{"administrator of users", directory.NewCredential{Name: "writes", Rank: directory.RankAdministrator, Scopes: directory.ScopeUsersRead | directory.ScopeUsersWrite}, 0, nil, true},
	}
}

// TestPromiseC_NobodyRisesAboveTheirRank: a credential below an administrator in
// rank, of fewer scopes, bound to a company, or at the provisioning door changes
// nothing of an administrator and gives nobody, itself included, a rank, scope or
// password that it lacks. Every operation of every door is tried on an
// administrator by everything that names one, and everything that grants is asked
// for by each. The rule of each method of the core is tried in
// internal/directory.
func TestPromiseC_NobodyRisesAboveTheirRank(t *testing.T) {
	s := start(t, "sqlite")
	for _, l := range callers(8001) {
		w := newWorld(t, s)
		own := w.furnish(t, "Victim", 8000)
		victim := w.crown(t, own)
		c := w.callerOf(t, l, own)
		g := w.guard(t, victim)
		tried := 0
		for _, r := range registered(t, w) {
			if l.doors != nil && !slices.Contains(l.doors, r.door) || c.headers[r.door] == nil || strings.HasPrefix(r.path, "/site/") ||
				r.door == "smartapp" && r.method == "PUT" || r.door == "edubrite" && r.method == "GET" && r.dispatch != "" {
				continue // the same operation by another name
			}
			probes, _ := c.probesOf(r)
			for _, p := range probes {
				if a := w.do(t, p.make(own[p.what])); a.status >= 500 {
					t.Errorf("%s: %v: %d %s", l.name, p, a.status, a.body)
				}
				tried++
			}
			g.check(t, l, r.String())
		}
		for what, r := range w.grants(t, c) {
			door, _, _ := strings.Cut(what, " ")
			if l.doors != nil && !slices.Contains(l.doors, door) || r.header == nil {
				continue
			}
			if a := w.do(t, r); a.status >= 500 {
				t.Errorf("%s: %s: %d %s", l.name, what, a.status, a.body)
			}
			g.check(t, l, what)
		}
		if tried < 25 {
			t.Errorf("%s tried only %d operations", l.name, tried)
		}
	}
}

// crown makes the user of things an administrator, and its role one with that
// rank.
func (w *world) crown(t testing.TB, own things) directory.User {
	t.Helper()
	ref := directory.ByUserName(own[userName])
	must(t, w.service.ReleaseHold(t.Context(), w.system(), ref, directory.Hold{Kind: "legal", Source: w.secret(), Ref: "Victim"})) // it would stand in the way by itself
	_, err := w.service.UpdateUser(t.Context(), w.system(), ref, directory.UserPatch{Administrator: directory.Some(true)}, directory.UpdateOptions{})
	must(t, err)
	must(t, w.service.SetPassword(t.Context(), w.system(), ref, directory.NewPassword{Password: "Quartz-Ladder-5-Meadow"})) // which no caller has
	role, err := w.service.CreateRole(t.Context(), w.system(), directory.Role{Key: "mighty", Name: "mighty", Rank: directory.RankAdministrator})
	must(t, err)
	own[roleKey], own[roleNumber] = role.Key, number(role.Number)
	u, err := w.service.User(t.Context(), w.system(), ref)
	must(t, err)
	return u
}

// callerOf makes a limited caller's credentials.
func (w *world) callerOf(t testing.TB, l limited, own things) caller {
	t.Helper()
	actFor := w.boss.UserName
	headers := map[string]map[string]string{}
	if l.person != 0 {
		p := w.ranked(t, l.person)
		actFor = p.UserName
		own[bossName], own[bossSecret] = p.UserName, firstPassword
		headers["console"] = w.console(t, p.UserName, firstPassword)
		headers["canonical person"] = map[string]string{"Authorization": "Bearer " + w.session(t, p.UserName, firstPassword), "Content-Type": "application/json"}
		headers["servicemobility person"] = map[string]string{"x-access-token": w.signed(t, p.UserName, firstPassword), "Content-Type": "application/json"}
	}
	maps.Copy(headers, w.credentialsOf(t, l.in, actFor))
	return caller{headers: headers, own: own, names: new(atomic.Int64)}
}

// ranked makes a person of a rank.
func (w *world) ranked(t testing.TB, rank directory.Rank) directory.User {
	t.Helper()
	u := w.person(t)
	role, err := w.service.CreateRole(t.Context(), w.system(), directory.Role{Key: fmt.Sprintf("rank%d", rank), Name: fmt.Sprintf("rank%d", rank), Rank: rank})
	must(t, err)
	_, _, err = w.service.AssignRole(t.Context(), w.system(), directory.ByNumber(u.Number), role.Number, w.tenant.DefaultCompany)
	must(t, err)
	return u
}

// grants are requests that would make somebody mighty: a plain user, or a
// credential, at every door that has a word for it.
func (w *world) grants(t testing.TB, c caller) map[string]request {
	t.Helper()
	u := w.person(t, func(in *directory.NewUser) { in.Fields.Company = directory.Some(int64(8001)) })
	at := func(door, method, path string, body any) request {
		text, ok := body.(string)
		if !ok {
			text = toJSON(body)
		}
		return request{method, path, text, c.headers[door]}
	}
	form := func(pairs ...string) string {
		values := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return values.Encode()
	}
	user := "/api/v1/users/" + u.ID
	credential := map[string]any{"name": "more", "rank": "administrator", "scopes": []string{"users_read", "users_write", "passwords", "companies", "credentials", "tenant", "events"}}
	return map[string]request{
		"canonical role": at("canonical", "PUT", user+"/roles/"+c.own[roleNumber], nil), "canonical credential": at("canonical", "POST", "/api/v1/credentials", credential),
		"canonical rank":            at("canonical", "PATCH", user, map[string]any{"rank": "administrator"}),
		"canonical new role":        at("canonical", "POST", "/api/v1/roles", map[string]any{"name": "mightier", "rank": "owner"}),
		"canonical raised role":     at("canonical", "PATCH", "/api/v1/roles/"+c.own[roleNumber], map[string]any{"rank": "owner"}),
		"canonical password":        at("canonical", "POST", "/api/v1/users/"+c.own[userID]+"/password", map[string]any{"password": newPassword}),
		"canonical act as":          at("canonical person", "POST", "/api/v1/users/"+c.own[userID]+"/impersonate", map[string]any{"reason": "x"}),
		"canonical settings":        at("canonical", "PATCH", "/api/v1/tenant", map[string]any{"settings": map[string]any{"password": map[string]any{"min_length": 4}}}),
		"iqmetrix role":             at("iqmetrix", "POST", fmt.Sprintf("/v1/Users(%d)/AssignedRoles", u.Number), map[string]any{"EntityId": 8001, "SecurityRoleId": mustNumber(c.own[roleNumber])}),
		"encore administrator":      at("encore", "PATCH", fmt.Sprintf("/users/v1/users/%d", u.Number), map[string]any{"RoleId": 1}),
		"encore new administrator":  at("encore", "POST", "/users/v1/users", map[string]any{"UserName": c.fresh(), "Password": firstPassword, "FirstName": "A", "LastName": "B", "RoleId": 1, "LicenseType": 1}),
		"smartapp role":             at("smartapp", "POST", "/user/update?"+form("UniqueID", u.ID, "applicationRoles", "mighty"), nil),
		"edubrite administrator":    at("edubrite", "POST", "/oltpublish/site/userService.do", form("dispatch", "update", "id", u.ID, "siteRole", "ADMIN")),
		"edubrite made":             at("edubrite", "POST", "/oltpublish/site/userService.do", form("dispatch", "create", "userName", c.fresh(), "firstName", "A", "lastName", "B", "email", c.fresh()+"@example.test", "siteRole", "ADMIN")),
		"servicemobility roles":     at("servicemobility", "POST", mobilityPath(u)+"/roles", map[string]any{"Roles": []string{"mighty"}}),
		"servicemobility role user": at("servicemobility", "PUT", "/seiapi/v3/trans/role/mighty/user/"+url.PathEscape(u.UserName), nil),
		"servicemobility users":     at("servicemobility", "PUT", "/seiapi/v3/trans/role/mighty/users", map[string]any{"Users": []string{u.UserName}}),
		"scim roles":                at("scim", "PATCH", "/scim/v2/Users/"+u.ID, patchOf("add", "roles", []any{map[string]any{"value": "mighty"}})),
		"scim made":                 at("scim", "POST", "/scim/v2/Users", map[string]any{"schemas": []string{scimUser}, "userName": c.fresh(), "roles": []any{map[string]any{"value": "mighty"}}}),
		"scim whole":                at("scim", "PUT", "/scim/v2/Users/"+u.ID, map[string]any{"schemas": []string{scimUser}, "userName": u.UserName, "roles": []any{map[string]any{"value": "administrator"}}}),
		"scim password":             at("scim", "PATCH", "/scim/v2/Users/"+c.own[userID], patchOf("replace", "password", newPassword)),
		"console role":              at("console", "POST", fmt.Sprintf("/console/users/%d/memberships", u.Number), form("change", "add-role", "role", c.own[roleNumber], "company", "8001")),
		"console credential":        at("console", "POST", "/console/credentials/new", form("kind", "key", "name", "more", "rank", "administrator")),
		"console settings":          at("console", "POST", "/console/settings", form("min_length", "4")),
	}
}

func mustNumber(text string) (n int64) {
	_, err := fmt.Sscan(text, &n)
	if err != nil {
		panic(err) // the tests' own values
	}
	return n
}

// guarded is what must stay as it is.
type guarded struct {
	w           *world
	victim      directory.User
	mighty      []int64
	credentials int
	roles       []directory.Role
	tenant      directory.Settings
	position    int64 // of the last event that was looked at
}

func (w *world) guard(t testing.TB, victim directory.User) *guarded {
	t.Helper()
	g := &guarded{w: w, victim: victim, position: w.last(t)}
	g.mighty, g.credentials, g.roles, g.tenant = g.look(t)
	return g
}

// look is who has a rank, how many credentials there are, the roles with a rank,
// and the settings.
func (g *guarded) look(t testing.TB) (mighty []int64, credentials int, roles []directory.Role, settings directory.Settings) {
	t.Helper()
	for _, u := range g.w.everybody(t) {
		if u.Rank > directory.RankSelf {
			mighty = append(mighty, u.Number)
		}
	}
	list, err := g.w.service.Credentials(t.Context(), g.w.system())
	must(t, err)
	page, err := g.w.service.ListRoles(t.Context(), g.w.system(), directory.ListQuery{Limit: 200})
	must(t, err)
	for _, role := range page.Items {
		if role.Rank > directory.RankSelf {
			role.Version, role.Name, role.Description = 0, "", "" // what it may be called is no right
			role.Permissions, role.Extras = nil, ""
			roles = append(roles, role)
		}
	}
	tenant, err := g.w.service.TenantByName(t.Context(), directory.System(0, "test"), g.w.name)
	must(t, err)
	return mighty, len(list), roles, tenant.Settings
}

// check fails when a limited caller has changed what it must not.
func (g *guarded) check(t *testing.T, l limited, what string) {
	t.Helper()
	now, _ := g.w.user(t, g.victim.Number)
	if diff := cmp.Diff(g.victim, now); diff != "" && !l.writes {
		t.Errorf("%s: %s changed an administrator (-before +after):\n%s", l.name, what, diff)
		g.victim = now
	}
	mighty, credentials, roles, settings := g.look(t)
	if diff := cmp.Diff(g.mighty, mighty); diff != "" && (!l.writes || len(mighty) > len(g.mighty)) {
		t.Errorf("%s: %s changed who has a rank (-before +after):\n%s", l.name, what, diff)
	}
	if credentials != g.credentials && l.in.Root == 0 { // whoever is bound may make others that are
		t.Errorf("%s: %s changed the credentials: %d, before %d", l.name, what, credentials, g.credentials)
	}
	if diff := cmp.Diff(g.roles, roles); diff != "" {
		t.Errorf("%s: %s changed roles with a rank (-before +after):\n%s", l.name, what, diff)
	}
	if diff := cmp.Diff(g.tenant, settings); diff != "" {
		t.Errorf("%s: %s changed the settings (-before +after):\n%s", l.name, what, diff)
	}
	g.mighty, g.credentials, g.roles, g.tenant = mighty, credentials, roles, settings
	for _, e := range g.w.eventsAfter(t, g.position) {
		opens := []directory.EventType{directory.EventPasswordSet, directory.EventResetMade, directory.EventImpersonated, directory.EventFactorRemoved}
		if e.User == g.victim.Number && slices.Contains(opens, e.Type) {
			t.Errorf("%s: %s opened an administrator's account: %s", l.name, what, e.Type)
		}
		g.position = e.Seq
	}
}

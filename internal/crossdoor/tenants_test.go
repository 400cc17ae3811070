package crossdoor

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// stranger is a user of another tenant with all that belongs to it there. Its
// numbers are none of the first tenant's.
type stranger struct {
	known
	email, employee, openID, client string
	tenant                          string // id
	company                         directory.Company
	location                        directory.Location
	reason                          directory.LockReason
	role                            directory.Role
	group, team                     directory.Group
}

// stranger makes it.
func (w *world) stranger(t *testing.T) stranger {
	t.Helper()
	ctx := t.Context()
	s := stranger{tenant: w.tenant.ID}
	var err error
	s.company, err = w.service.CreateCompany(ctx, w.system(), directory.Company{Number: 77001, Name: "Elsewhere"})
	must(t, err)
	s.location, err = w.service.CreateLocation(ctx, w.system(), directory.Location{Number: 77002, Company: s.company.Number, Name: "Far away"})
	must(t, err)
	s.reason, err = w.service.CreateLockReason(ctx, w.system(), directory.LockReason{Number: 77003, Company: s.company.Number, Name: "Abroad", Description: "Abroad."})
	must(t, err)
	s.role, err = w.service.CreateRole(ctx, w.system(), directory.Role{Number: 77004, Key: "foreigner", Name: "foreigner"})
	must(t, err)
	s.group, err = w.service.CreateGroup(ctx, w.system(), directory.Group{Kind: directory.GroupPlain, Name: "Foreigners"})
	must(t, err)
	s.team, err = w.service.CreateGroup(ctx, w.system(), directory.Group{Kind: directory.GroupServiceTeam, Key: "TEAM-FAR", Name: "Far team"})
	must(t, err)
	s.email, s.employee, s.openID, s.client = "zelda@example.test", "Z-1", "openid:zelda", "ZC-1"
	u, err := w.service.CreateUser(ctx, w.system(), directory.NewUser{Number: 77000, Password: firstSecret, ClaimEmail: true, Fields: directory.UserPatch{
		UserName: directory.Some("zelda"), GivenName: directory.Some("Zelda"), FamilyName: directory.Some("Zimmer"), Email: directory.Some(s.email),
		EmployeeNumber: directory.Some(s.employee), OpenID: directory.Some(s.openID), ClientUserID: directory.Some(s.client), Company: directory.Some(s.company.Number)}})
	must(t, err)
	s.known = known{u.Number, u.ID, u.UserName}
	return s
}

// attempt is a request about a stranger and the door's answer for what does not
// exist.
type attempt struct {
	request
	status int
	says   string // part of the answer
}

// attempts are, door by door, all ways to name a stranger, with the credentials
// of w; own is a user of w.
func (w *world) attempts(own known, s stranger) map[string][]attempt {
	return map[string][]attempt{
		"iqmetrix":        newIQmetrix(w).attempts(own, s),
		"encore":          newEncore(w).attempts(own, s),
		"edubrite":        w.edubrite().attempts(own, s),
		"servicemobility": w.mobility().attempts(w, own, s),
		"smartapp":        newSmartapp(w).attempts(own, s),
		"canonical":       newCanonical(w).attempts(own, s),
		"scim":            newSCIM(w).attempts(own, s),
	}
}

func (c *iqmetrix) attempts(own known, s stranger) []attempt {
	var list []attempt
	add := func(status int, says, method, path, body string) {
		list = append(list, attempt{request{method, "/v1" + path, body, c.header}, status, says})
	}
	whole := toJSON(map[string]any{"UserName": "zelda2", "FirstName": "A", "LastName": "B", "ParentEntityId": c.company})
	for _, r := range [][3]string{{"GET", "", ""}, {"PUT", "", whole}, {"DELETE", "", ""}, {"POST", "/Enable", ""}, {"POST", "/Lock", ""}, {"GET", "/Unlock", ""},
		{"POST", "/Unlock", ""}, {"POST", "/TemporaryPassword", `{"Password":"` + newSecret + `"}`}, {"PUT", "/Password", `{"Password":"` + newSecret + `"}`},
		{"GET", "/Locations", ""}, {"PUT", "/Locations(" + number(c.w.office.Number) + ")", ""}, {"GET", "/AssignedRoles", ""}} {
		add(http.StatusNotFound, "User not found", r[0], c.path(s.known)+r[1], r[2])
	}
	there, here := fmt.Sprintf("/Entities(%d)", s.company.Number), fmt.Sprintf("/Entities(%d)", c.company)
	for _, path := range []string{"/Users", "/Users/Search?terms=zelda", "/lockReasons", "/SecurityRoles"} {
		add(http.StatusNotFound, "Entity not found", "GET", there+path, "")
	}
	add(http.StatusOK, `"count":0`, "GET", here+"/Users/Search?terms=zelda", "")
	add(http.StatusOK, `"count":0`, "GET", here+"/Users/Search?terms=zimmer", "")
	add(http.StatusOK, `[]`, "GET", here+"/Users?$filter="+url.QueryEscape("ClientUserId eq '"+s.client+"'"), "")
	add(http.StatusNotFound, "LockReason not found", "GET", fmt.Sprintf("%s/lockReasons(%d)", here, s.reason.Number), "")
	add(http.StatusNotFound, "SecurityRole not found", "GET", fmt.Sprintf("%s/SecurityRoles(%d)", here, s.role.Number), "")
	add(http.StatusNotFound, "Entity not found", "PUT", fmt.Sprintf("%s/Locations(%d)", c.path(own), s.location.Number), "")
	add(http.StatusNotFound, "LockReason not found", "POST", c.path(own)+"/Lock", fmt.Sprintf(`{"LockReasonId":%d}`, s.reason.Number))
	add(http.StatusNotFound, "not found", "POST", c.path(own)+"/AssignedRoles", fmt.Sprintf(`{"EntityId":%d,"SecurityRoleId":%d}`, c.company, s.role.Number))
	add(http.StatusBadRequest, "ParentEntityId", "POST", "/Users/importExisting", fmt.Sprintf(`{"UserName":"x","ParentEntityId":%d}`, s.company.Number))
	return list
}

func (c *encore) attempts(own known, s stranger) []attempt {
	var list []attempt
	for _, who := range []string{c.path(s.known), "/" + s.employee} {
		for _, r := range [][3]string{{"GET", "", ""}, {"PUT", "", `{"UserName":"zelda2"}`}, {"PATCH", "", `{"FirstName":"A"}`}, {"PUT", "/active", ""}, {"DELETE", "/active", ""}} {
			external := fmt.Sprint(who == "/"+s.employee)
			list = append(list, attempt{request{r[0], "/users/v1/users" + who + r[1] + "?use-external-id=" + external, r[2], c.header}, http.StatusNotFound, ""})
		}
	}
	return append(list,
		attempt{request{"PATCH", "/users/v1/users" + c.path(own), `{"GroupName":"Foreigners"}`, c.header}, http.StatusUnprocessableEntity, `"Code":107`},
		attempt{request{"GET", "/users/v1/users?pageSize=2000", "", c.header}, http.StatusOK, ""})
}

func (c *edubrite) attempts(own known, s stranger) []attempt {
	var list []attempt
	add := func(status int, says, action string, params ...string) {
		form := url.Values{}
		for i := 0; i+1 < len(params); i += 2 {
			form.Set(params[i], params[i+1])
		}
		list = append(list, attempt{request{"POST", "/oltpublish/site/" + action + ".do", form.Encode(), c.header}, status, says})
	}
	for _, key := range [][2]string{{"id", s.id}, {"userName", s.userName}, {"openId", s.openID}} {
		for _, dispatch := range []string{"get", "update", "activate", "deactivate"} {
			add(http.StatusNotFound, "<code>0004</code>", "userService", "dispatch", dispatch, key[0], key[1], "firstName", "A")
		}
		add(http.StatusNotFound, "<code>0004</code>", "userService", "dispatch", "get", key[0], key[1], "pwToken", "true")
	}
	add(http.StatusNotFound, "<code>0004</code>", "userService", "dispatch", "renameUser", "id", s.id, "userName", "zelda2")
	add(http.StatusNotFound, "<code>0004</code>", "userService", "dispatch", "addToGroups", "id", s.id, "groupId", c.group)
	add(http.StatusNotFound, "matching id", "userService", "dispatch", "addToGroups", "userName", own.userName, "groupId", s.group.ID)
	add(http.StatusNotFound, "matching id", "group", "dispatch", "getGroupRef", "id", s.group.ID)
	add(http.StatusNotFound, "matching id", "group", "dispatch", "deleteGroupsByIds", "groupId0", s.group.ID)
	add(http.StatusOK, `numItems="0"`, "userService", "dispatch", "list", "search", "zelda")
	add(http.StatusOK, `numItems="0"`, "userService", "dispatch", "list", "groupId", s.group.ID)
	add(http.StatusOK, `numItems="0"`, "groupService", "dispatch", "list", "groupName", "Foreigners")
	add(http.StatusOK, "", "userService", "dispatch", "list", "pageSize", "1000")
	foreign := edubriteHeader(c.header["Cookie"], s.userName)
	return append(list, attempt{request{"POST", "/oltpublish/site/userService.do", "dispatch=get&userName=" + own.userName, foreign},
		http.StatusUnauthorized, "<code>0005</code>"})
}

func (c *mobility) attempts(w *world, own known, s stranger) []attempt {
	var list []attempt
	add := func(status int, method, path, body string) {
		list = append(list, attempt{request{method, path, body, c.header}, status, ""})
	}
	password := toJSON(map[string]string{"Password": newSecret})
	for _, r := range [][3]string{{"GET", "", ""}, {"DELETE", "", ""}, {"PUT", "/ResetPassword", ""}, {"PUT", "/ChangePassword", password},
		{"PUT", "/SendResetPasswordEmail", ""}, {"PUT", "/ServiceTeams", `{"ServiceTeams":[]}`}, {"GET", "/Entity", ""}, {"GET", "/roles", ""},
		{"POST", "/roles", `{"Roles":[]}`}, {"PUT", "/ChangeStorageLocation", `{"StorageLocationID":"S"}`},
		{"POST", "/impersonate", toJSON(map[string]string{"UserID": w.boss, "Password": w.bossPassword})}} {
		add(http.StatusGone, r[0], c.path(s.userName)+r[1], r[2])
	}
	add(http.StatusGone, "GET", "/seiapi/v3/ServiceTeam/"+s.team.Key, "")
	add(http.StatusGone, "GET", "/seiapi/v3/ServiceTeam/"+s.team.Key+"/Users", "")
	add(http.StatusGone, "GET", "/seiapi/v3/trans/role/"+s.role.Key, "")
	add(http.StatusGone, "GET", "/seiapi/v3/trans/role/"+s.role.Key+"/users", "")
	add(http.StatusGone, "PUT", "/seiapi/v3/trans/role/technician/user/"+s.userName, "")
	add(http.StatusGone, "GET", "/saas/v3/Entity/"+s.tenant, "")
	add(http.StatusGone, "PUT", "/saas/v3/Entity/"+s.tenant, `{"Name":"Ours"}`)
	add(http.StatusGone, "POST", "/saas/v3/Entity/"+s.tenant+"/Roles/technician/delegate", "")
	add(http.StatusBadRequest, "PUT", c.path(own.userName)+"/ServiceTeams", `{"ServiceTeams":["TEAM-FAR"]}`)
	add(http.StatusUnauthorized, "POST", "/createjwt", toJSON(map[string]string{"username": s.userName, "password": firstSecret}))
	return list
}

func (c *smartapp) attempts(own known, s stranger) []attempt {
	var list []attempt
	add := func(status int, method, path string, values ...string) {
		query := url.Values{}
		for i := 0; i+1 < len(values); i += 2 {
			query.Set(values[i], values[i+1])
		}
		list = append(list, attempt{request{method, path + "?" + query.Encode(), "", c.header}, status, ""})
	}
	for _, path := range []string{"/user/activate", "/user/deactivate", "/user/update", "/user/addgroups", "/user/removegroups", "/user/updategroups"} {
		add(http.StatusBadRequest, "POST", path, "UniqueID", s.id, "groups", crew, "firstName", "A")
	}
	add(http.StatusBadRequest, "GET", "/user/get/uniqueid", "UniqueID", s.id)
	add(http.StatusBadRequest, "GET", "/user/get/email", "email", s.email)
	add(http.StatusBadRequest, "GET", "/user/get/username", "userName", s.userName)
	add(http.StatusBadRequest, "GET", "/company/get/uniqueid", "UniqueID", s.company.ID)
	add(http.StatusBadRequest, "GET", "/company/get/name", "name", s.company.Name)
	add(http.StatusBadRequest, "GET", "/companylocation/get/uniqueid", "UniqueID", s.location.ID)
	add(http.StatusBadRequest, "GET", "/companylocation/get/companyuniqueid", "UniqueID", s.company.ID)
	for name, value := range map[string]string{"companyName": s.company.Name, "companyLocationName": s.location.Name, "applicationRoles": s.role.Key,
		"groups": s.group.Name} {
		add(http.StatusBadRequest, "POST", "/user/update", "UniqueID", own.id, name, value)
	}
	add(http.StatusOK, "GET", "/user/getusers", "take", "1000")
	return list
}

// TestTenantsKeptApart: with one tenant's credential no door finds anything of
// another, by whatever name, at whichever host, and says no more than that.
func TestTenantsKeptApart(t *testing.T) {
	onEngines(t, func(t *testing.T, server *testkit.Server) {
		w, other := newWorld(t, server), newWorld(t, server)
		s := other.stranger(t)
		before := other.snapshot(t, s.number)
		own := w.create(t, w.doors[0], w.newcomer())
		mine := w.snapshot(t, own.number)
		for name, attempts := range w.attempts(own, s) {
			for _, a := range attempts {
				hosts := []string{w.wire.host, other.wire.host, "nobody.example.test"}
				if strings.HasSuffix(a.path, "/createjwt") || strings.HasSuffix(a.path, "/impersonate") || a.path == "/api/v1/sessions" {
					hosts = hosts[:1] // there the host says which tenant is meant
				}
				for _, host := range hosts {
					at := w.wire
					at.host = host
					have, err := at.send(a.request)
					if err != nil || have.status != a.status || !strings.Contains(have.body, a.says) {
						t.Errorf("%s: %s %s %s: %d %s %v, want %d %s", name, a.method, a.path, a.body, have.status, have.body, err, a.status, a.says)
					}
					if strings.Contains(have.body, "Zelda") || strings.Contains(have.body, "Zimmer") || strings.Contains(have.body, s.email) {
						t.Errorf("%s: %s %s %s shows the stranger: %s", name, a.method, a.path, a.body, have.body)
					}
				}
			}
		}
		if diff := cmp.Diff(before, other.snapshot(t, s.number)); diff != "" {
			t.Errorf("the stranger changed (-before +after):\n%s", diff)
		}
		if diff := w.snapshot(t, own.number).changed(mine); len(diff) > 0 {
			t.Errorf("the own user changed: %v", diff)
		}
		w.takeNames(t, s)
	})
}

// takeNames makes users of the stranger's own names: in this tenant nobody has
// them, and no answer may tell that somebody elsewhere does.
func (w *world) takeNames(t *testing.T, s stranger) {
	t.Helper()
	p := person{userName: s.userName, given: "Zo", family: "Other", email: s.email, password: firstSecret}
	for _, d := range w.doors {
		if d.name == "smartapp" { // draws the name from the others
			p.given, p.family, p.userName = "Zo", "Elda", "zelda1"
		}
		k := w.create(t, d, p)
		if k.id == s.id || k.number == s.number {
			t.Errorf("%s made the stranger", d.name)
		}
		w.do(t, d, removing, k)
	}
}

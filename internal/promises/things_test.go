package promises

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// kind says what a text in a request names.
type kind string

// The kinds of names. Each is one way to name one sort of thing.
const (
	userNumber    kind = "number of a user"
	userID        kind = "id of a user"
	userName      kind = "user name"
	userEmail     kind = "address of a user"
	userEmployee  kind = "employee number"
	userOpenID    kind = "openId"
	userWebMDN    kind = "web MDN"
	userClient    kind = "client user id"
	userExternal  kind = "external id"
	userStorage   kind = "storage location"
	userSession   kind = "id of a session"
	companyNumber kind = "number of a company"
	companyID     kind = "id of a company"
	companyName   kind = "name of a company"
	placeNumber   kind = "number of a location"
	placeID       kind = "id of a location"
	placeName     kind = "name of a location"
	reasonNumber  kind = "number of a lock reason"
	roleNumber    kind = "number of a role"
	roleKey       kind = "key of a role"
	groupNumber   kind = "number of a group"
	groupID       kind = "id of a group"
	groupName     kind = "name of a group"
	boardName     kind = "name of a dashboard group"
	teamKey       kind = "key of a service team"
	licenceType   kind = "licence type"
	tenantID      kind = "id of a tenant"
	hostName      kind = "host of a tenant"
	credentialID  kind = "id of a credential"
	clientID      kind = "name of a client"
	webhookID     kind = "id of a webhook"
	secretID      kind = "id of a webhook's secret"
	jobID         kind = "id of a job"
	importID      kind = "id of an import"
	actionID      kind = "id of a bulk action"
	listCursor    kind = "cursor of a list"
	eventCursor   kind = "cursor of the feed"
	searchText    kind = "words of a user"
	userFilter    kind = "filter that a user meets"
	scimFilter    kind = "filter of SCIM that a user meets"
	groupFilter   kind = "filter of SCIM that a group meets"
	odataFilter   kind = "filter of OData that a user meets"
	bossSecret    kind = "password of the caller's administrator"
	bossName      kind = "user name of the caller's administrator"
)

// things are names, by kind. Every name of a tenant's own is in it once.
type things map[kind]string

// mark is in every name of the other tenant, so that requests can ask for it;
// hidden is, in small letters, in texts there that no request ever has.
const (
	mark   = "Zyxwvut"
	hidden = "hiddenly"
)

// secret is a text that no request of another tenant has: of the one that is
// asked about it can be told from all others.
func (w *world) secret() string {
	if w.hiding != "" {
		return hidden
	}
	return "plainly"
}

// common is a text of what belongs to all companies of a tenant.
func (w *world) common() string {
	if w.hiding == "tenant" {
		return hidden
	}
	return "plainly"
}

// furnish makes one of everything that a request can name. All texts have the
// mark in them, and numbers begin with base, so that both are seen wherever they
// turn up.
func (w *world) furnish(t testing.TB, mark string, base int64) things {
	t.Helper()
	ctx, sys := t.Context(), w.system
	company, err := w.service.CreateCompany(ctx, sys(), directory.Company{Number: base + 1, Parent: w.parent, Name: mark + " Ltd", Website: "https://" + w.secret() + ".example.test"})
	must(t, err)
	place, err := w.service.CreateLocation(ctx, sys(), directory.Location{Number: base + 2, Company: company.Number, Name: mark + " Hall", Phone: "555", Address: directory.Address{Set: true, City: w.secret()}})
	must(t, err)
	reason, err := w.service.CreateLockReason(ctx, sys(), directory.LockReason{Number: base + 3, Company: company.Number, Name: mark + " reason", Description: w.secret()})
	must(t, err)
	role, err := w.service.CreateRole(ctx, sys(), directory.Role{Number: base + 4, Key: mark + "-role", Name: mark + " role", Description: w.common()})
	must(t, err)
	group, err := w.service.CreateGroup(ctx, sys(), directory.Group{Kind: directory.GroupPlain, Number: base + 5, Name: mark + " crew", Description: w.common()})
	must(t, err)
	board, err := w.service.CreateGroup(ctx, sys(), directory.Group{Kind: directory.GroupDashboard, Name: mark + " board"})
	must(t, err)
	team, err := w.service.CreateGroup(ctx, sys(), directory.Group{Kind: directory.GroupServiceTeam, Key: mark + "-TEAM", Name: mark + " team", Description: w.common()})
	must(t, err)
	_, err = w.service.SetPool(ctx, sys(), mark+"-seats", 5)
	must(t, err)
	v := things{companyNumber: number(company.Number), companyID: company.ID, companyName: company.Name, placeNumber: number(place.Number), placeID: place.ID,
		placeName: place.Name, reasonNumber: number(reason.Number), roleNumber: number(role.Number), roleKey: role.Key, groupNumber: number(group.Number),
		groupID: group.ID, groupName: group.Name, boardName: board.Name, teamKey: team.Key, licenceType: mark + "-seats", tenantID: w.tenant.ID, hostName: w.host}
	w.furnishUser(t, v, mark, base+6, company.Number)
	return v
}

// furnishUser makes a user with every handle, a session and a hold.
func (w *world) furnishUser(t testing.TB, v things, mark string, wanted, company int64) directory.User {
	t.Helper()
	name := mark + "-user"
	u, err := w.service.CreateUser(t.Context(), w.system(), directory.NewUser{Number: wanted, Password: firstPassword, ClaimEmail: true, Fields: directory.UserPatch{
		UserName: directory.Some(name), GivenName: directory.Some(mark), FamilyName: directory.Some(w.secret()), Title: directory.Some(w.secret()), Email: directory.Some(name + "@example.test"),
		EmployeeNumber: directory.Some(mark + "-E"), OpenID: directory.Some("openid:" + mark), WebMDN: directory.Some(mark + "-W"),
		ClientUserID: directory.Some(mark + "-C"), StorageLocation: directory.Some(mark + "-S"), Company: directory.Some(company), LicenceType: directory.Some(mark + "-seats")}})
	must(t, err)
	must(t, w.service.PlaceHold(t.Context(), w.system(), directory.ByNumber(u.Number), directory.Hold{Kind: "legal", Source: w.secret(), Ref: mark}))
	_, err = w.service.ChangeGroups(t.Context(), w.system(), directory.ByNumber(u.Number), 0,
		directory.GroupChange{Kind: directory.GroupPlain, Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{Kind: directory.GroupPlain, ID: v[groupID]}}})
	must(t, err)
	w.want(t, http.StatusOK, w.at("canonical", "PATCH", "/api/v1/users/"+u.ID, map[string]any{"external_id": mark + "-X"}))
	w.want(t, http.StatusCreated, request{"POST", "/api/v1/sessions", toJSON(map[string]string{"user_name": name, "password": firstPassword}), nil})
	sessions, err := w.service.Sessions(t.Context(), w.system(), directory.ByNumber(u.Number))
	must(t, err)
	names := things{userNumber: number(u.Number), userID: u.ID, userName: u.UserName, userEmail: u.Email, userEmployee: u.EmployeeNumber, userOpenID: u.OpenID,
		userWebMDN: u.WebMDN, userClient: u.ClientUserID, userExternal: mark + "-X", userStorage: u.Profile.StorageLocation, userSession: sessions[0].ID, searchText: mark,
		userFilter: fmt.Sprintf("user_name eq %q", name), scimFilter: fmt.Sprintf("userName eq %q", name), groupFilter: fmt.Sprintf("displayName eq %q", v[groupName]),
		odataFilter: "ClientUserId eq '" + mark + "-C'"}
	maps.Copy(v, names)
	return u
}

// furnishWork makes what programs have: a credential, a webhook, runs and jobs,
// and cursors.
func (w *world) furnishWork(t testing.TB, v things, mark string) {
	t.Helper()
	make := func(path string, body any) map[string]any {
		return w.want(t, http.StatusCreated, w.at("canonical", "POST", "/api/v1"+path, body)).object()
	}
	id := func(o map[string]any) string { text, _ := o["id"].(string); return text }
	client, _, err := w.service.CreateClient(t.Context(), w.system(), directory.NewCredential{Name: w.secret(), Rank: directory.RankReader})
	must(t, err)
	v[credentialID], v[clientID] = client.ID, client.ClientID
	hook := make("/webhooks", map[string]any{"name": w.secret(), "url": "https://" + mark + ".example.com/hook", "types": []string{"user.purged"}})
	v[webhookID] = id(hook)
	secrets, _ := hook["secrets"].([]any)
	if len(secrets) > 0 {
		first, _ := secrets[0].(map[string]any)
		v[secretID] = id(first)
	}
	v[importID] = id(make("/imports", map[string]any{"name": w.secret() + ".csv", "format": "csv"}))
	number, err := strconv.ParseInt(v[userNumber], 10, 64)
	must(t, err)
	v[actionID] = id(make("/bulk_actions", map[string]any{"verb": "lock", "users": []int64{number}, "dry_run": true, "reason": w.secret()}))
	jobs := w.want(t, http.StatusOK, w.at("canonical", "GET", "/api/v1/jobs", nil))
	items, _ := jobs.object()["items"].([]any)
	if len(items) > 0 {
		first, _ := items[0].(map[string]any)
		v[jobID] = id(first)
	}
	v[listCursor] = w.want(t, http.StatusOK, w.at("canonical", "GET", "/api/v1/users?limit=1", nil)).text("next_cursor")
	v[eventCursor] = w.want(t, http.StatusOK, w.at("canonical", "GET", "/api/v1/events?limit=1", nil)).text("next_cursor")
	for k, text := range v {
		if text == "" {
			t.Fatalf("there is no %s", k)
		}
	}
}

// none are names that nothing has, of the same forms as those of v.
func (v things) none() things {
	missing := things{}
	for i, k := range slices.Sorted(maps.Keys(v)) {
		text := v[k]
		switch {
		case isUUID(text):
			missing[k] = fmt.Sprintf("0198aaaa-bbbb-7ccc-8ddd-eeeeeeeeee%02d", i)
		case k == listCursor || k == eventCursor:
			missing[k] = flip(text)
		case isNumber(text):
			missing[k] = "99" + text[2:] // as many digits
		default:
			missing[k] = replaceMark(text)
		}
	}
	return missing
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func isNumber(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

// valueOf is a name as JSON has it: numbers as numbers.
func valueOf(k kind, text string) any {
	switch k {
	case userNumber, companyNumber, placeNumber, reasonNumber, roleNumber, groupNumber:
		return json.Number(text)
	}
	return text
}

// query escapes a value of a query.
func query(text string) string { return url.QueryEscape(text) }

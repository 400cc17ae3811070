package crossdoor

import (
	"net/http"
	"net/url"

	"github.com/usher-id/usher/internal/directory"
)

// The schemas of a user (docs/dialects/scim.md 4.1).
const (
	scimUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	scimEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	scimDirectory  = "urn:usher:params:scim:schemas:extension:directory:2.0:User"
	scimPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// scim is a client of the scim door. It knows users by id, has no locks, and
// never touches an administrator. Its key is its own, as that of canonical.
type scim struct {
	w *world
	caller
}

func newSCIM(w *world) *scim {
	return &scim{w, caller{w.wire, "/scim/v2", map[string]string{"Authorization": "Bearer " + w.scimKey.secret, "Content-Type": "application/scim+json"}}}
}

func (c *scim) path(k known) string { return "/Users/" + k.id }

func (c *scim) create(p person) error {
	return c.done(http.StatusCreated, "POST", "/Users", map[string]any{"schemas": []string{scimUser, scimDirectory}, "userName": p.userName,
		"name": map[string]string{"givenName": p.given, "familyName": p.family}, "emails": []any{map[string]any{"value": p.email, "type": "work", "primary": true}},
		"active": true, "password": p.password, scimDirectory: map[string]any{"licenceType": c.w.seats}})
}

func (c *scim) find(k known) (sight, error) {
	o, err := c.show(c.path(k), http.StatusNotFound, "")
	if o == nil {
		return sight{gone: err == nil}, err
	}
	name, _ := o["name"].(map[string]any)
	extension, _ := o[scimDirectory].(map[string]any)
	s := sight{active: flag(o, "active"), given: text(name, "givenName"), name: ptr(text(o, "userName")), licence: ptr(text(extension, "licenceType") == c.w.seats)}
	if emails, _ := o["emails"].([]any); len(emails) > 0 {
		first, _ := emails[0].(map[string]any)
		s.email = text(first, "value")
	}
	return s, nil
}

// patch makes a PATCH of operations: a path and what it is replaced by.
func (c *scim) patch(k known, pathsAndValues ...any) error {
	var operations []any
	for i := 0; i+1 < len(pathsAndValues); i += 2 {
		operations = append(operations, map[string]any{"op": "replace", "path": pathsAndValues[i], "value": pathsAndValues[i+1]})
	}
	return c.done(http.StatusOK, "PATCH", c.path(k), map[string]any{"schemas": []string{scimPatch}, "Operations": operations})
}

func (c *scim) change(k known, given, email string) error {
	return c.patch(k, "name.givenName", given, `emails[type eq "work"].value`, email)
}

func (c *scim) deactivate(k known) error { return c.patch(k, "active", false) }

func (c *scim) activate(k known) error { return c.patch(k, "active", true) }

func (c *scim) lock(known) error { return errNoWord }

func (c *scim) unlock(known) error { return errNoWord }

func (c *scim) setPassword(k known, password string) error { return c.patch(k, "password", password) }

func (c *scim) putInGroup(k known) error {
	return c.done(http.StatusOK, "PATCH", "/Groups/"+c.w.group.ID, map[string]any{"schemas": []string{scimPatch},
		"Operations": []any{map[string]any{"op": "add", "path": "members", "value": []any{map[string]any{"value": k.id}}}}})
}

func (c *scim) remove(k known) error {
	return c.done(http.StatusNoContent, "DELETE", c.path(k), nil)
}

// fill sets every attribute that a client can write but the password, and a
// place in a group.
func (c *scim) fill(k known) error {
	return first(
		c.done(http.StatusOK, "PUT", c.path(k), c.body(k, "Scott", "Imes")),
		c.putInGroup(k),
	)
}

// body is a PUT of every attribute that a client can write but the password and
// the state.
func (c *scim) body(k known, given, family string) map[string]any {
	type object = map[string]any
	return object{
		"schemas": []string{scimUser, scimEnterprise, scimDirectory}, "externalId": "idp-" + k.userName, "userName": k.userName,
		"name": object{"givenName": given, "familyName": family, "middleName": "M.", "honorificPrefix": "Dr", "honorificSuffix": "II",
			"formatted": "Dr " + given + " M. " + family + " II"},
		"displayName": "S. I.", "nickName": "Scotty", "profileUrl": "https://example.test/" + k.userName, "title": "Planner", "userType": "Employee",
		"preferredLanguage": "pt-BR", "locale": "pt-BR", "timezone": "America/Sao_Paulo",
		"emails": []any{object{"value": k.userName + ".sc@example.test", "type": "work", "primary": true},
			object{"value": k.userName + ".home@example.test", "type": "home"}},
		"phoneNumbers": []any{object{"value": "7095550101", "type": "work", "display": "desk", "primary": true}, object{"value": "7095550102", "type": "fax"}},
		"ims":          []any{object{"value": k.userName, "type": "xmpp"}},
		"photos":       []any{object{"value": "https://example.test/" + k.userName + ".jpg", "type": "photo"}},
		"addresses": []any{object{"streetAddress": "5 Quay\nDock 2", "locality": "St. John's", "region": "NL", "postalCode": "A1A 0A1", "country": "CA", "type": "work"},
			object{"locality": "Gander", "type": "home"}},
		"entitlements":     []any{object{"value": "parking"}},
		"roles":            []any{object{"value": c.w.role.Key}, object{"value": "idp-label"}},
		"x509Certificates": []any{object{"value": "MIIB"}},
		scimEnterprise: object{"employeeNumber": "SC-" + k.userName, "costCenter": "4130", "organization": "Kentel", "division": "Field",
			"department": "North", "manager": object{"value": k.id}},
		scimDirectory: object{"licenceType": c.w.seats},
	}
}

// rename gives a user another user name.
func (c *scim) rename(k known, name string) error { return c.patch(k, "userName", name) }

// inCrew reports whether the door shows a user in the group.
func (c *scim) inCrew(k known) (bool, error) {
	a, err := c.call(http.StatusOK, "GET", c.path(k)+"?attributes=groups", nil)
	if err != nil {
		return false, err
	}
	return a.has(c.w.group.ID), nil
}

// scimReplacements are the full replaces of the scim door. State, password and
// roles with a rank stay (docs/dialects/scim.md 5.4).
var scimReplacements = []replacement{
	{"least", func(w *world, k known) error {
		c := newSCIM(w)
		return c.done(http.StatusOK, "PUT", c.path(k), map[string]any{"schemas": []string{scimUser}, "userName": k.userName})
	}, func(w *world, _ known, before directory.User) map[string]any {
		return map[string]any{"Email": "", "EmailClaimed": false, "GivenName": "", "FamilyName": "", "DisplayName": "", "Title": "", "EmployeeNumber": "",
			"LicenceType": "", "Seat": 0, "Phones": nil, "Address": directory.Address{}, "Language": "", "TimeZone": "", "Roles": nil, "Extras.scim": nil,
			"ExternalIDs": othersIDs(before, w.scimKey.id)}
	}},
	{"most", func(w *world, k known) error {
		c := newSCIM(w)
		return c.done(http.StatusOK, "PUT", c.path(k), c.body(k, "Max", "Imal"))
	}, func(w *world, k known, before directory.User) map[string]any {
		ids := othersIDs(before, w.scimKey.id)
		ids[w.scimKey.id] = "idp-" + k.userName
		return map[string]any{"GivenName": "Max", "FamilyName": "Imal", "Email": k.userName + ".sc@example.test", "EmailClaimed": true,
			"DisplayName": "S. I.", "Title": "Planner", "EmployeeNumber": "SC-" + k.userName, "LicenceType": w.seats, "Seat": anew{},
			"Phones":   []directory.Phone{{Number: "7095550101", Type: "work"}, {Number: "7095550102", Type: "fax"}},
			"Address":  directory.Address{Set: true, Line1: "5 Quay", Line2: "Dock 2", City: "St. John's", Region: "NL", Country: "CA", Zip: "A1A 0A1"},
			"Language": "pt-BR", "TimeZone": "America/Sao_Paulo", "Roles": anew{}, "Extras.scim": anew{}, "ExternalIDs": ids}
	}},
}

// attempts are all ways to name a stranger.
func (c *scim) attempts(own known, s stranger) []attempt {
	var list []attempt
	add := func(status int, says, method, path string, body any) {
		list = append(list, attempt{c.ask(method, path, body), status, says})
	}
	member := func(id string) map[string]any {
		return map[string]any{"schemas": []string{scimPatch}, "Operations": []any{map[string]any{"op": "add", "path": "members", "value": []any{map[string]any{"value": id}}}}}
	}
	given := map[string]any{"schemas": []string{scimPatch}, "Operations": []any{map[string]any{"op": "replace", "path": "name.givenName", "value": "A"}}}
	whole := map[string]any{"schemas": []string{scimUser}, "userName": "zelda2"}
	group := map[string]any{"displayName": "Ours"}
	for path, put := range map[string]any{c.path(s.known): whole, "/Groups/" + s.group.ID: group, "/Groups/" + s.team.ID: group} {
		patch := given
		if path != c.path(s.known) {
			patch = member(own.id)
		}
		add(http.StatusNotFound, "", "GET", path, nil)
		add(http.StatusNotFound, "", "PUT", path, put)
		add(http.StatusNotFound, "", "PATCH", path, patch)
		add(http.StatusNotFound, "", "DELETE", path, nil)
	}
	for _, filter := range []string{`userName eq "` + s.userName + `"`, `id eq "` + s.id + `"`, `emails eq "` + s.email + `"`, `name.familyName co "immer"`,
		`groups.value eq "` + s.group.ID + `"`, scimEnterprise + `:employeeNumber eq "` + s.employee + `"`} {
		add(http.StatusOK, `"totalResults":0`, "GET", "/Users?filter="+url.QueryEscape(filter), nil)
	}
	add(http.StatusOK, `"totalResults":0`, "GET", "/Groups?filter="+url.QueryEscape(`displayName eq "Foreigners"`), nil)
	add(http.StatusOK, `"totalResults":0`, "GET", "/Groups?filter="+url.QueryEscape(`members.value eq "`+s.id+`"`), nil)
	add(http.StatusOK, "", "GET", "/Users?count=200", nil)
	add(http.StatusOK, "", "GET", "/?count=200", nil)
	add(http.StatusBadRequest, "members", "PATCH", "/Groups/"+c.w.group.ID, member(s.id))
	add(http.StatusOK, `"status":"404"`, "POST", "/Bulk", map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"},
		"Operations": []any{map[string]any{"method": "DELETE", "path": c.path(s.known)}}})
	return list
}

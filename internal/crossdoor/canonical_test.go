package crossdoor

import (
	"net/http"
	"net/url"

	"github.com/usher-id/usher/internal/directory"
)

// canonical is a client of the canonical API. It knows users by id and has a
// word for everything. Its key is its own, so that what it calls users is not
// what others call them.
type canonical struct {
	w *world
	caller
}

func newCanonical(w *world) *canonical {
	return &canonical{w, caller{w.wire, "/api/v1", map[string]string{"Authorization": "Bearer " + w.canonicalKey.secret, "Content-Type": "application/json"}}}
}

func (c *canonical) path(k known) string { return "/users/" + k.id }

func (c *canonical) create(p person) error {
	return c.done(http.StatusCreated, "POST", "/users", map[string]any{"user_name": p.userName, "given_name": p.given, "family_name": p.family,
		"email": p.email, "password": p.password, "licence_type": c.w.seats})
}

func (c *canonical) find(k known) (sight, error) {
	o, err := c.show(c.path(k), http.StatusNotFound, `"reason":"user.deleted"`)
	if o == nil {
		return sight{gone: err == nil}, err
	}
	return sight{active: ptr(text(o, "status") == "active"), locked: flag(o, "locked"), given: text(o, "given_name"), email: text(o, "email"),
		name: ptr(text(o, "user_name")), licence: ptr(text(o, "licence_type") == c.w.seats)}, nil
}

// patch changes the members of a body.
func (c *canonical) patch(k known, body map[string]any) error {
	return c.done(http.StatusOK, "PATCH", c.path(k), body)
}

func (c *canonical) change(k known, given, email string) error {
	return c.patch(k, map[string]any{"given_name": given, "email": email})
}

// action does what a path below the user is named after.
func (c *canonical) action(k known, name string) error {
	return c.done(http.StatusOK, "POST", c.path(k)+"/"+name, nil)
}

func (c *canonical) deactivate(k known) error { return c.action(k, "deactivate") }

func (c *canonical) activate(k known) error { return c.action(k, "activate") }

func (c *canonical) lock(k known) error { return c.action(k, "lock") }

func (c *canonical) unlock(k known) error { return c.action(k, "unlock") }

func (c *canonical) setPassword(k known, password string) error {
	return c.done(http.StatusNoContent, "POST", c.path(k)+"/password", map[string]any{"password": password})
}

func (c *canonical) putInGroup(k known) error {
	return c.done(http.StatusNoContent, "PUT", c.path(k)+"/groups/"+c.w.group.ID, nil)
}

func (c *canonical) remove(k known) error {
	return c.done(http.StatusNoContent, "DELETE", c.path(k), nil)
}

// signIn opens a session and gives a client that acts as the person.
func (c *canonical) signIn(name, password string) (*canonical, error) {
	a, err := c.call(http.StatusCreated, "POST", "/sessions", map[string]string{"user_name": name, "password": password})
	if err != nil {
		return nil, err
	}
	return c.as(a)
}

// impersonate gives a client of somebody signed in that acts as a user.
func (c *canonical) impersonate(k known) (*canonical, error) {
	a, err := c.call(http.StatusOK, "POST", c.path(k)+"/impersonate", map[string]string{"reason": "case 7"})
	if err != nil {
		return nil, err
	}
	return c.as(a)
}

// as is a client with the token of an answer.
func (c *canonical) as(a answer) (*canonical, error) {
	o, err := a.object()
	return &canonical{c.w, caller{c.wire, c.prefix, map[string]string{"Authorization": "Bearer " + text(o, "token")}}}, err
}

// own is what anybody may do: to read its own record, here and with the same
// token at the scim door.
func (c *canonical) own() (here, atSCIM request) {
	return request{method: "GET", path: "/api/v1/me", header: c.header}, request{method: "GET", path: "/scim/v2/Me", header: c.header}
}

// fill sets every member of a PUT, and what has operations of its own.
func (c *canonical) fill(k known) error {
	return first(
		c.done(http.StatusOK, "PUT", c.path(k), c.body(k, "Cano", "Nical")),
		c.done(http.StatusOK, "POST", c.path(k)+"/lock", map[string]any{"lock_reason": c.w.reason.Number}),
		c.done(http.StatusNoContent, "PUT", c.path(k)+"/groups/"+c.w.group.ID, map[string]any{"role": "LEADER"}),
		c.done(http.StatusNoContent, "PUT", c.path(k)+"/locations/"+number(c.w.office.Number), nil),
		c.done(http.StatusNoContent, "PUT", c.path(k)+"/roles/"+number(c.w.role.Number), nil),
		c.done(http.StatusNoContent, "POST", c.path(k)+"/holds", map[string]any{"kind": "legal", "source": "counsel", "ref": "case 9"}),
		c.done(http.StatusNoContent, "POST", c.path(k)+"/password", map[string]any{"password": newSecret, "temporary": true}),
	)
}

// body is a PUT of every member that a client can write but those that are kept
// when they are left out.
func (c *canonical) body(k known, given, family string) map[string]any {
	return map[string]any{
		"user_name": k.userName, "email": k.userName + ".ca@example.test", "given_name": given, "family_name": family, "display_name": "C. N.",
		"title": "Dispatcher", "valid_from": "2020-02-03T04:05:06Z", "expires_at": "2099-02-03T04:05:06Z", "employee_number": "CA-" + k.userName,
		"open_id": "openid:ca:" + k.userName, "web_mdn": "CM" + k.userName, "client_user_id": "CC-" + k.userName, "external_id": "api-" + k.userName,
		"licence_type": c.w.seats, "phones": []any{map[string]any{"number": "2045550101", "extension": "31", "type": "Work"},
			map[string]any{"number": "2045550102", "type": "Fax"}},
		"address": map[string]any{"line1": "4 Long St", "line2": "Loft", "city": "Winnipeg", "region": "MB", "country": "CA", "zip": "R3C 0A1"},
		"picture": map[string]any{"Id": "11"}, "language": "es", "time_zone": "Europe/Madrid", "attributes": map[string]any{"glove": "M"},
		"mobile_only": true, "storage_location": "CAN-" + k.userName,
	}
}

// rename gives a user another user name.
func (c *canonical) rename(k known, name string) error {
	return c.patch(k, map[string]any{"user_name": name})
}

// inCrew reports whether the door shows a user in the group.
func (c *canonical) inCrew(k known) (bool, error) {
	a, err := c.call(http.StatusOK, "GET", c.path(k)+"/groups", nil)
	if err != nil {
		return false, err
	}
	return a.has(c.w.group.ID), nil
}

// canonicalReplacements are the full replaces of the canonical API. Of external
// ids it takes only its own away (docs/dialects/canonical.md 4.1, 5.3).
var canonicalReplacements = []replacement{
	{"least", func(w *world, k known) error {
		c := newCanonical(w)
		return c.done(http.StatusOK, "PUT", c.path(k), map[string]any{"user_name": k.userName})
	}, func(w *world, _ known, before directory.User) map[string]any {
		return map[string]any{"Email": "", "EmailClaimed": false, "GivenName": "", "FamilyName": "", "DisplayName": "", "Title": "", "ValidFrom": nil,
			"ExpiresAt": nil, "EmployeeNumber": "", "OpenID": "", "WebMDN": "", "ClientUserID": "", "LicenceType": "", "Seat": 0, "Phones": nil,
			"Address": directory.Address{}, "Picture": nil, "Language": "", "TimeZone": "", "Attributes": nil, "MobileOnly": false, "StorageLocation": "",
			"ExternalIDs": othersIDs(before, w.canonicalKey.id)}
	}},
	{"most", func(w *world, k known) error {
		c := newCanonical(w)
		return c.done(http.StatusOK, "PUT", c.path(k), c.body(k, "Max", "Imal"))
	}, func(w *world, k known, before directory.User) map[string]any {
		ids := othersIDs(before, w.canonicalKey.id)
		ids[w.canonicalKey.id] = "api-" + k.userName
		return map[string]any{"GivenName": "Max", "FamilyName": "Imal", "Email": k.userName + ".ca@example.test", "EmailClaimed": true,
			"DisplayName": "C. N.", "Title": "Dispatcher", "ValidFrom": "2020-02-03T04:05:06Z", "ExpiresAt": "2099-02-03T04:05:06Z",
			"EmployeeNumber": "CA-" + k.userName, "OpenID": "openid:ca:" + k.userName, "WebMDN": "CM" + k.userName, "ClientUserID": "CC-" + k.userName,
			"LicenceType": w.seats, "Seat": anew{},
			"Phones":  []directory.Phone{{Number: "2045550101", Extension: "31", Type: "Work"}, {Number: "2045550102", Type: "Fax"}},
			"Address": directory.Address{Set: true, Line1: "4 Long St", Line2: "Loft", City: "Winnipeg", Region: "MB", Country: "CA", Zip: "R3C 0A1"},
			"Picture": map[string]any{"Id": "11"}, "Language": "es", "TimeZone": "Europe/Madrid", "Attributes": map[string]any{"glove": "M"},
			"MobileOnly": true, "StorageLocation": "CAN-" + k.userName, "ExternalIDs": ids}
	}},
}

// attempts are all ways to name a stranger.
func (c *canonical) attempts(own known, s stranger) []attempt {
	var list []attempt
	add := func(status int, says, method, path string, body any) {
		list = append(list, attempt{c.ask(method, path, body), status, says})
	}
	password, foreign := map[string]any{"password": newSecret}, map[string]any{"company": s.company.Number}
	for _, r := range []struct {
		method, path string
		body         any
	}{
		{"GET", "", nil}, {"PUT", "", map[string]any{"user_name": "zelda2"}}, {"PATCH", "", map[string]any{"given_name": "A"}}, {"DELETE", "", nil},
		{"POST", "/activate", nil}, {"POST", "/deactivate", nil}, {"POST", "/lock", nil}, {"POST", "/unlock", nil}, {"POST", "/restore", nil},
		{"POST", "/purge", nil}, {"POST", "/sign_out", nil}, {"POST", "/password", password}, {"POST", "/generate_password", nil},
		{"POST", "/mail_reset", nil}, {"POST", "/reset_token", nil}, {"GET", "/groups", nil}, {"PUT", "/groups/" + c.w.group.ID, nil},
		{"GET", "/locations", nil}, {"PUT", "/locations/" + number(c.w.office.Number), nil}, {"GET", "/roles", nil},
		{"PUT", "/roles/" + number(c.w.role.Number), nil}, {"GET", "/holds", nil},
		{"POST", "/holds", map[string]any{"kind": "legal", "source": "x", "ref": "1"}}, {"GET", "/sessions", nil}, {"DELETE", "/sessions", nil}, {"GET", "/events", nil},
	} {
		add(http.StatusNotFound, `"user.not_found"`, r.method, c.path(s.known)+r.path, r.body)
	}
	for space, key := range map[string]string{"user_name": s.userName, "email": s.email, "login": s.userName, "number": number(s.number),
		"employee_number": s.employee, "open_id": s.openID} {
		add(http.StatusNotFound, `"user.not_found"`, "GET", "/users/by/"+space+"/"+escape(key), nil)
	}
	add(http.StatusOK, `"items":[]`, "GET", "/users?q=zelda", nil)
	add(http.StatusOK, `"items":[]`, "GET", "/users?filter="+url.QueryEscape(`user_name eq "`+s.userName+`"`), nil)
	add(http.StatusOK, "", "GET", "/users?limit=200&status=active,inactive,staged,deleted", nil)
	add(http.StatusOK, "", "GET", "/events?limit=200", nil)
	add(http.StatusNotFound, "", "GET", "/users?company="+number(s.company.Number), nil)
	add(http.StatusOK, `"items":[]`, "GET", "/users?group="+s.group.ID, nil)
	for _, path := range []string{"/groups/" + s.group.ID, "/groups/" + s.team.ID, "/groups/" + s.group.ID + "/members", "/companies/" + number(s.company.Number),
		"/companies/" + s.company.ID, "/locations/" + number(s.location.Number), "/locations/" + s.location.ID, "/roles/" + number(s.role.Number),
		"/roles/" + number(s.role.Number) + "/members", "/lock_reasons/" + number(s.reason.Number)} {
		add(http.StatusNotFound, "", "GET", path, nil)
	}
	add(http.StatusNotFound, "", "PUT", c.path(own)+"/groups/"+s.group.ID, nil)
	add(http.StatusNotFound, "", "PUT", c.path(own)+"/locations/"+number(s.location.Number), nil)
	add(http.StatusNotFound, "", "PUT", c.path(own)+"/roles/"+number(s.role.Number), nil)
	add(http.StatusNotFound, "", "PUT", "/groups/"+c.w.group.ID+"/members/"+s.id, nil)
	add(http.StatusUnprocessableEntity, `"add`, "POST", "/groups/"+c.w.group.ID+"/members", map[string]any{"add": []string{s.id}})
	add(http.StatusUnprocessableEntity, `"company"`, "PATCH", c.path(own), foreign)
	add(http.StatusUnprocessableEntity, `"lock_reason"`, "POST", c.path(own)+"/lock", map[string]any{"lock_reason": s.reason.Number})
	add(http.StatusUnauthorized, "", "POST", "/sessions", map[string]any{"user_name": s.userName, "password": firstSecret})
	return list
}

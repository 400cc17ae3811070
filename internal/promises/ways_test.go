package promises

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// way is how a door does a verb to a user.
type way struct {
	door, name string
	verb       string
	make       func(w *world, u directory.User) request
}

func (y way) String() string { return y.door + " " + y.name }

// verbs are what is done to a user: the state in which it is done, the event that
// must follow and the state and lock afterwards.
var verbs = map[string]struct {
	from, to directory.State
	locked   bool // before; afterwards it is the other way round for lock and unlock
	event    directory.EventType
}{
	"activate":   {directory.StateInactive, directory.StateActive, false, directory.EventUserActivated},
	"deactivate": {directory.StateActive, directory.StateInactive, false, directory.EventUserDeactivated},
	"lock":       {directory.StateActive, directory.StateActive, false, directory.EventUserLocked},
	"unlock":     {directory.StateActive, directory.StateActive, true, directory.EventUserUnlocked},
	"delete":     {directory.StateActive, directory.StateDeleted, false, directory.EventUserDeleted},
	"restore":    {directory.StateDeleted, directory.StateInactive, false, directory.EventUserRestored},
	"purge":      {directory.StateDeleted, "", false, directory.EventUserPurged},
	"password":   {directory.StateActive, directory.StateActive, false, directory.EventPasswordSet},
}

// ways are all words that doors have for what is done to a user.
func ways() []way {
	list := append(iqmetrixWays(), canonicalWays()...)
	list = append(list, scimWays()...)
	return append(list, otherWays()...)
}

func iqmetrixWays() []way {
	plain := func(name, verb, method, rest string, body any) way {
		return way{"iqmetrix", name, verb, func(w *world, u directory.User) request {
			return w.at("iqmetrix", method, fmt.Sprintf("/v1/Users(%d)%s", u.Number, rest), body)
		}}
	}
	return []way{
		plain("DELETE", "deactivate", "DELETE", "", nil), plain("Enable", "activate", "POST", "/Enable", nil), plain("Lock", "lock", "POST", "/Lock", nil),
		plain("Unlock", "unlock", "POST", "/Unlock", nil), plain("Password", "password", "PUT", "/Password", map[string]any{"Password": newPassword}),
		plain("TemporaryPassword", "password", "POST", "/TemporaryPassword", map[string]any{"Password": newPassword}),
	}
}

func canonicalWays() []way {
	plain := func(name, verb, method, rest string, body any) way {
		return way{"canonical", name, verb, func(w *world, u directory.User) request {
			if o, ok := body.(map[string]any); ok && method == "PUT" {
				o["user_name"], o["licence_type"] = u.UserName, u.LicenceType
			}
			return w.at("canonical", method, "/api/v1/users/"+u.ID+rest, body)
		}}
	}
	list := []way{
		plain("PATCH status inactive", "deactivate", "PATCH", "", map[string]any{"status": "inactive"}), plain("PATCH status active", "activate", "PATCH", "", map[string]any{"status": "active"}),
		plain("PATCH locked", "lock", "PATCH", "", map[string]any{"locked": true}), plain("PATCH not locked", "unlock", "PATCH", "", map[string]any{"locked": false}),
		plain("PUT status inactive", "deactivate", "PUT", "", map[string]any{"status": "inactive"}), plain("PUT status active", "activate", "PUT", "", map[string]any{"status": "active"}),
		plain("DELETE", "delete", "DELETE", "", nil), plain("password", "password", "POST", "/password", map[string]any{"password": newPassword}),
	}
	for _, verb := range []string{"activate", "deactivate", "lock", "unlock", "restore", "purge"} {
		list = append(list, plain(verb, verb, "POST", "/"+verb, nil))
	}
	return list
}

func scimWays() []way {
	plain := func(name, verb, method string, body func(u directory.User) any) way {
		return way{"scim", name, verb, func(w *world, u directory.User) request {
			return w.at("scim", method, "/scim/v2/Users/"+u.ID, body(u))
		}}
	}
	patch := func(path string, value any) func(directory.User) any {
		return func(directory.User) any { return patchOf("replace", path, value) }
	}
	whole := func(active bool) func(u directory.User) any {
		return func(u directory.User) any {
			return map[string]any{"schemas": []string{scimUser, scimOwn}, "userName": u.UserName, "active": active, scimOwn: map[string]any{"licenceType": u.LicenceType}}
		}
	}
	return []way{
		plain("PATCH active false", "deactivate", "PATCH", patch("active", false)), plain("PATCH active true", "activate", "PATCH", patch("active", true)),
		plain("PUT active false", "deactivate", "PUT", whole(false)), plain("PUT active true", "activate", "PUT", whole(true)),
		plain("PATCH password", "password", "PATCH", patch("password", newPassword)),
		plain("DELETE", "delete", "DELETE", func(directory.User) any { return nil }),
		{"scim", "Bulk DELETE", "delete", func(w *world, u directory.User) request {
			return w.at("scim", "POST", "/scim/v2/Bulk", map[string]any{"schemas": []string{scimBulk}, "Operations": []any{map[string]any{"method": "DELETE", "path": "/Users/" + u.ID}}})
		}},
	}
}

// otherWays are those of encore, smartapp, edubrite, servicemobility and the
// console.
func otherWays() []way {
	var list []way
	for verb, method := range map[string]string{"activate": "PUT", "deactivate": "DELETE"} {
		list = append(list, way{"encore", method + " active", verb, func(w *world, u directory.User) request {
			return w.at("encore", method, fmt.Sprintf("/users/v1/users/%d/active", u.Number), nil)
		}}, way{"encore", "PATCH IsActive", verb, func(w *world, u directory.User) request {
			return w.at("encore", "PATCH", fmt.Sprintf("/users/v1/users/%d", u.Number), map[string]any{"IsActive": verb == "activate"})
		}})
		for _, method := range []string{"GET", "POST", "PUT"} {
			list = append(list, way{"smartapp", method + " " + verb, verb, func(w *world, u directory.User) request {
				return w.at("smartapp", method, "/user/"+verb+"?UniqueID="+u.ID, nil)
			}})
		}
		list = append(list, way{"edubrite", verb, verb, func(w *world, u directory.User) request {
			return w.at("edubrite", "POST", "/oltpublish/site/userService.do", url.Values{"dispatch": {verb}, "userName": {u.UserName}}.Encode())
		}}, way{"edubrite", "user.do " + verb, verb, func(w *world, u directory.User) request {
			return w.at("edubrite", "GET", "/oltpublish/site/user.do?"+url.Values{"dispatch": {verb + "User"}, "userName": {u.UserName}}.Encode(), "")
		}}, mobilityWay(verb, "Activated", verb == "activate"))
	}
	list = append(list, way{"encore", "PATCH Password", "password", func(w *world, u directory.User) request {
		return w.at("encore", "PATCH", fmt.Sprintf("/users/v1/users/%d", u.Number), map[string]any{"Password": newPassword})
	}}, mobilityWay("lock", "Locked", true), mobilityWay("unlock", "Locked", false), way{"servicemobility", "ChangePassword", "password", func(w *world, u directory.User) request {
		return w.at("servicemobility", "PUT", mobilityPath(u)+"/ChangePassword", map[string]any{"Password": newPassword})
	}}, way{"servicemobility", "DELETE", "delete", func(w *world, u directory.User) request {
		return w.at("servicemobility", "DELETE", mobilityPath(u), nil)
	}})
	for _, verb := range []string{"activate", "deactivate", "lock", "unlock", "delete", "restore", "purge"} {
		list = append(list, way{"console", verb, verb, func(w *world, u directory.User) request {
			return w.at("console", "POST", fmt.Sprintf("/console/users/%d/do/%s", u.Number, verb), url.Values{"name": {u.UserName}, "reason": {"why"}}.Encode())
		}})
	}
	return list
}

func mobilityPath(u directory.User) string {
	return "/seiapi/v3/trans/User/" + url.PathEscape(u.UserName)
}

// mobilityWay sends back what the door shows, with one member changed.
func mobilityWay(verb, member string, value bool) way {
	return way{"servicemobility", fmt.Sprintf("PUT %s %v", member, value), verb, func(w *world, u directory.User) request {
		a, err := w.send(w.at("servicemobility", "GET", mobilityPath(u), ""))
		if err != nil {
			return request{}
		}
		o := a.object()
		if o == nil {
			o = map[string]any{}
		}
		o[member] = value
		return w.at("servicemobility", "PUT", mobilityPath(u), o)
	}}
}

// done reports whether an answer says that a way was gone.
func (a answer) done(y way) bool {
	switch {
	case y.door == "console":
		return a.status == http.StatusSeeOther
	case y.name == "Bulk DELETE":
		return strings.Contains(a.body, `"status":"204"`)
	}
	return a.status >= 200 && a.status < 300
}

// fit makes a user as a verb wants it.
func (w *world) fit(t testing.TB, verb string, change ...func(*directory.NewUser)) directory.User {
	t.Helper()
	v := verbs[verb]
	u := w.person(t, append(change, func(in *directory.NewUser) {
		in.Password = "" // nobody signs in, and hashing takes time
		if v.from == directory.StateInactive {
			in.State = directory.StateInactive
		}
	})...)
	var err error
	if v.from == directory.StateDeleted {
		u, err = w.service.DeleteUser(t.Context(), w.system(), directory.ByNumber(u.Number))
		must(t, err)
	}
	if v.locked {
		u, err = w.service.Lock(t.Context(), w.system(), directory.ByNumber(u.Number), 0)
		must(t, err)
	}
	return u
}

// activeAt is whether a door shows a user as active; ok is false where the door
// shows it no more.
func (w *world) activeAt(t testing.TB, door string, u directory.User) (active, ok bool) {
	t.Helper()
	at := map[string]struct {
		path, yes string
	}{
		"iqmetrix":        {fmt.Sprintf("/v1/Users(%d)", u.Number), `"IsActive":true`},
		"encore":          {fmt.Sprintf("/users/v1/users/%d", u.Number), `"IsActive":true`},
		"smartapp":        {"/user/get/uniqueid?UniqueID=" + u.ID, `"status":"Active"`},
		"edubrite":        {"/oltpublish/site/userService.do?dispatch=get&userName=" + url.QueryEscape(u.UserName), `status="ACTIVE"`},
		"servicemobility": {mobilityPath(u), `"Activated":true`},
		"canonical":       {"/api/v1/users/" + u.ID, `"status":"active"`},
		"scim":            {"/scim/v2/Users/" + u.ID, `"active":true`},
	}[door]
	a := w.do(t, w.at(door, "GET", at.path, ""))
	return strings.Contains(strings.ReplaceAll(a.body, ": ", ":"), at.yes), a.status == http.StatusOK
}

package crossdoor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// proof is something that lets somebody in as a user: how it is used, and the
// answers while it is good and once it is not.
type proof struct {
	name      string
	use       request
	good, bad int
}

// signedIn is a user's proofs of every kind.
type signedIn []proof

// signIn signs a user in everywhere: tokens of the token service, a cookie
// session, a signed token, a session of the canonical door, an administrator's
// leaves to act as the user, and a reset link.
func (w *world) signIn(t *testing.T, k known) signedIn {
	t.Helper()
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	grant := func(kind, name, value string) request {
		body := url.Values{"grant_type": {kind}, name: {value}, "client_id": {w.clientID}, "client_secret": {w.clientSecret}}
		if kind == "password" {
			body.Set("username", k.userName)
		}
		return request{method: "POST", path: "/v1/oauth2/token", header: form, body: body.Encode()}
	}
	a, err := w.wire.want(http.StatusOK, grant("password", "password", firstSecret))
	must(t, err)
	tokens, err := a.object()
	must(t, err)

	acting := *w.edubrite()
	acting.header = edubriteHeader(acting.header["Cookie"], k.userName)
	opened, err := acting.call("signinService", "createSessionApi")
	must(t, err)
	cookies := "SESSION_ID=" + opened.Session.ID + "; SESSION_INFO=" + opened.Session.Info

	signed, err := w.wire.signIn(k.userName, firstSecret)
	must(t, err)
	a, err = w.wire.want(http.StatusOK, request{method: "POST", path: w.mobility().path(k.userName) + "/impersonate",
		body: toJSON(map[string]string{"UserID": w.boss, "Password": w.bossPassword})})
	must(t, err)
	leave, err := a.object()
	must(t, err)
	shown, err := w.edubrite().call("userService", "get", "userName", k.userName, "pwToken", "true")
	must(t, err)

	own := request{method: "GET", path: w.mobility().path(k.userName)}
	with := func(token string) request {
		own.header = map[string]string{"x-access-token": token}
		return own
	}
	list := w.canonicalSignIn(t, k)
	return append(list, []proof{
		{"access token", request{method: "GET", path: fmt.Sprintf("/v1/Users(%d)", k.number),
			header: map[string]string{"Authorization": "Bearer " + text(tokens, "access_token")}}, http.StatusOK, http.StatusUnauthorized},
		{"cookie session", request{method: "POST", path: "/oltpublish/site/userService.do", header: edubriteHeader(cookies, ""),
			body: url.Values{"dispatch": {"get"}, "userName": {k.userName}}.Encode()}, http.StatusOK, http.StatusUnauthorized},
		{"signed token", with(signed), http.StatusOK, http.StatusUnauthorized},
		{"impersonation", with(text(leave, "Token")), http.StatusOK, http.StatusUnauthorized},
		{"reset link", request{method: "GET", path: "/reset?token=" + url.QueryEscape(shown.User.Token)}, http.StatusOK, http.StatusGone},
		// Good once: it is used only when it must fail.
		{"refresh token", grant("refresh_token", "refresh_token", text(tokens, "refresh_token")), 0, http.StatusBadRequest},
	}...)
}

// canonicalSignIn signs a user in at the canonical door, whose tokens the scim
// door takes too.
func (w *world) canonicalSignIn(t *testing.T, k known) signedIn {
	t.Helper()
	person, err := newCanonical(w).signIn(k.userName, firstSecret)
	must(t, err)
	session, provisioning := person.own()
	if w.bossSession == nil {
		w.bossSession, err = newCanonical(w).signIn(w.boss, w.bossPassword)
		must(t, err)
	}
	acting, err := w.bossSession.impersonate(k)
	must(t, err)
	leave, _ := acting.own()
	return signedIn{
		{"session of the canonical door", session, http.StatusOK, http.StatusUnauthorized},
		{"that session at the scim door", provisioning, http.StatusOK, http.StatusUnauthorized},
		{"impersonation at the canonical door", leave, http.StatusOK, http.StatusUnauthorized},
	}
}

// check uses every proof at a server, each over a connection of its own.
func (s signedIn) check(t *testing.T, at wire, good bool) {
	t.Helper()
	at.fresh = true
	for _, p := range s {
		want := p.bad
		if good {
			want = p.good
		}
		if want == 0 {
			continue
		}
		if a, err := at.send(p.use); err != nil || a.status != want {
			t.Errorf("%s: %d %s %v, want %d", p.name, a.status, a.body, err, want)
		}
	}
}

// TestRevocation: whichever door ends a user's access, the next request with
// any proof is refused, also by a second process on the same database.
func TestRevocation(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		second := s
		if s.Config.Database[:8] == "postgres" {
			second = testkit.Start(t, testkit.Options{Beside: s, Tune: believe})
		}
		all := []verb{deactivating, locking, renewing, removing}
		for _, name := range slices.Sorted(maps.Keys(words)) {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, s)
				d := w.door(t, name)
				for _, v := range all {
					if words[name][v.name] {
						t.Run(v.name, func(t *testing.T) { w.revoke(t, d, v, second) })
					}
				}
			})
		}
	})
}

// TestRevocationByOtherMeans: what ends a user's access by the way of another
// call, or in the core itself, ends it as well.
func TestRevocationByOtherMeans(t *testing.T) {
	s := start(t, "sqlite")
	for name := range newWorld(t, s).otherEnds() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, s) // sign-ins of one administrator are limited
			end := w.otherEnds()[name]
			k := w.create(t, w.door(t, "servicemobility"), w.newcomer())
			proofs := w.signIn(t, k)
			proofs.check(t, w.wire, true)
			must(t, end(k))
			proofs.check(t, w.wire, false)
		})
	}
}

// otherEnds are they. What the core does is what the doors without a word for
// it leave to an administrator.
func (w *world) otherEnds() map[string]func(k known) error {
	iq, en, sm := newIQmetrix(w), newEncore(w), w.mobility()
	ends := map[string]func(k known) error{
		"iqmetrix TemporaryPassword": func(k known) error {
			return iq.done(http.StatusNoContent, "POST", iq.path(k)+"/TemporaryPassword", map[string]any{"Password": newSecret})
		},
		"encore PUT without IsActive": func(k known) error {
			_, err := en.call(http.StatusOK, "PUT", en.path(k), map[string]any{"UserName": k.userName, "LicenseType": 1})
			return err
		},
		"encore PUT with Password": func(k known) error {
			_, err := en.call(http.StatusOK, "PUT", en.path(k), map[string]any{"UserName": k.userName, "LicenseType": 1, "IsActive": true, "Password": newSecret})
			return err
		},
		"servicemobility PUT with ResetPassword": func(k known) error {
			return sm.replace(k, func(o map[string]any) { o["ResetPassword"], o["Password"] = true, newSecret })
		},
		"servicemobility ResetPassword": func(k known) error { return sm.done("PUT", sm.path(k.userName)+"/ResetPassword", nil) },
		"core: lock":                    func(k known) error { return locking.core(w, k) },
		"core: set the password":        func(k known) error { return renewing.core(w, k) },
		"core: delete":                  func(k known) error { return removing.core(w, k) },
		"core: end of validity": func(k known) error {
			_, err := w.service.UpdateUser(context.Background(), w.system(), directory.ByNumber(k.number),
				directory.UserPatch{ExpiresAt: directory.Some(time.Now().Add(-time.Hour))}, directory.UpdateOptions{})
			return err
		},
	}
	maps.Copy(ends, w.endsOfOwnDoors())
	return ends
}

// endsOfOwnDoors are those of canonical and scim.
func (w *world) endsOfOwnDoors() map[string]func(k known) error {
	ca, sc := newCanonical(w), newSCIM(w)
	patch := func(member string, value any) func(k known) error {
		return func(k known) error { return ca.patch(k, map[string]any{member: value}) }
	}
	replace := func(member string, value any) func(k known) error {
		return func(k known) error {
			body := sc.body(k, "Scott", "Imes")
			body[member] = value
			return sc.done(http.StatusOK, "PUT", sc.path(k), body)
		}
	}
	return map[string]func(k known) error{
		"canonical PATCH status":     patch("status", "inactive"),
		"canonical PATCH locked":     patch("locked", true),
		"canonical PATCH expires_at": patch("expires_at", "2020-01-01T00:00:00Z"),
		"canonical PATCH valid_from": patch("valid_from", "2099-01-01T00:00:00Z"),
		"canonical PUT with status": func(k known) error {
			return ca.done(http.StatusOK, "PUT", ca.path(k), map[string]any{"user_name": k.userName, "status": "inactive"})
		},
		"canonical generate_password": func(k known) error {
			return ca.done(http.StatusNoContent, "POST", ca.path(k)+"/generate_password", nil)
		},
		"canonical sign_out": func(k known) error { return ca.done(http.StatusNoContent, "POST", ca.path(k)+"/sign_out", nil) },
		"canonical DELETE sessions": func(k known) error {
			return ca.done(http.StatusNoContent, "DELETE", ca.path(k)+"/sessions", nil)
		},
		"scim PUT with active":   replace("active", false),
		"scim PUT with password": replace("password", newSecret),
		"scim PATCH without path": func(k known) error {
			return sc.done(http.StatusOK, "PATCH", sc.path(k), map[string]any{"schemas": []string{scimPatch},
				"Operations": []any{map[string]any{"op": "Replace", "value": map[string]any{"active": "False"}}}})
		},
		"scim PATCH removing the password": func(k known) error {
			return sc.done(http.StatusOK, "PATCH", sc.path(k), map[string]any{"schemas": []string{scimPatch},
				"Operations": []any{map[string]any{"op": "remove", "path": "password"}}})
		},
		"scim Bulk": func(k known) error {
			return sc.done(http.StatusOK, "POST", "/Bulk", map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"},
				"Operations": []any{map[string]any{"method": "DELETE", "path": sc.path(k)}}})
		},
	}
}

// revoke signs a user in, ends its access through a door, and looks at the
// second server first: what it knew of the user must not linger.
func (w *world) revoke(t *testing.T, d *door, v verb, second *testkit.Server) {
	k := w.create(t, w.door(t, "servicemobility"), w.newcomer())
	proofs := w.signIn(t, k)
	beside := w.wire
	beside.url = second.URL
	proofs.check(t, beside, true)
	proofs.check(t, w.wire, true)
	w.do(t, d, v, k)
	proofs.check(t, beside, false)
	proofs.check(t, w.wire, false)

	// What ends is over: coming back revives nothing.
	switch v.name {
	case deactivating.name:
		w.do(t, d, activating, k)
	case locking.name:
		w.do(t, d, unlocking, k)
	default:
		return
	}
	proofs.check(t, w.wire, false)
}

// TestImpersonatorsEnd: who acts as another stops with the administrator's own
// account, whichever door ends that.
func TestImpersonatorsEnd(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		k := w.create(t, w.doors[0], w.newcomer())
		for _, d := range w.doors {
			p := w.newcomer()
			u, err := w.service.CreateUser(t.Context(), w.system(), directory.NewUser{Password: p.password,
				Fields: directory.UserPatch{UserName: directory.Some(p.userName), GivenName: directory.Some(p.given), FamilyName: directory.Some(p.family),
					Administrator: directory.Some(true), LicenceType: directory.Some(w.seats)}})
			must(t, err)
			a, err := w.wire.want(http.StatusOK, request{method: "POST", path: w.mobility().path(k.userName) + "/impersonate",
				body: toJSON(map[string]string{"UserID": p.userName, "Password": p.password})})
			must(t, err)
			leave, err := a.object()
			must(t, err)
			session, err := newCanonical(w).signIn(p.userName, p.password)
			must(t, err)
			acting, err := session.impersonate(k)
			must(t, err)
			own, _ := session.own()
			leaveThere, _ := acting.own()
			use := signedIn{{"impersonation at the canonical door", leaveThere, http.StatusOK, http.StatusUnauthorized},
				{"the administrator's session", own, http.StatusOK, http.StatusUnauthorized},
				{"impersonation", request{method: "GET", path: w.mobility().path(k.userName),
					header: map[string]string{"x-access-token": text(leave, "Token")}}, http.StatusOK, http.StatusUnauthorized}}
			use.check(t, w.wire, true)
			admin := known{u.Number, u.ID, u.UserName}
			if d.name == "scim" { // whoever provisions never touches administrators
				if err := d.deactivate(admin); err == nil {
					t.Error("scim deactivated an administrator")
				}
				use.check(t, w.wire, true)
				continue
			}
			w.do(t, d, deactivating, admin)
			use.check(t, w.wire, false)
		}
	})
}

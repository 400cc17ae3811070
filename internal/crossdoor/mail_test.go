package crossdoor

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/testkit"
)

// grant asks the iqmetrix token service for a token.
func (w *world) grant(name, password string) (answer, error) {
	return w.wire.send(request{method: "POST", path: "/v1/oauth2/token", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		body: url.Values{"grant_type": {"password"}, "username": {name}, "password": {password},
			"client_id": {w.clientID}, "client_secret": {w.clientSecret}}.Encode()})
}

// wantPassword checks at every door where people sign in that a password is
// good, and that another is not; at the canonical one only the former, since an
// account has ten sign-ins a minute.
func (w *world) wantPassword(t *testing.T, name, good, bad string) {
	t.Helper()
	if _, err := w.wire.signIn(name, good); err != nil {
		t.Errorf("createjwt: %v", err)
	}
	if _, err := w.wire.signIn(name, bad); err == nil {
		t.Error("createjwt takes the old password")
	}
	if a, err := w.grant(name, good); err != nil || a.status != http.StatusOK {
		t.Errorf("the token service: %d %s %v", a.status, a.body, err)
	}
	if a, err := w.grant(name, bad); err != nil || a.status != http.StatusBadRequest || !strings.Contains(a.body, "invalid_grant") {
		t.Errorf("the token service takes the old password: %d %s %v", a.status, a.body, err)
	}
	if _, err := newCanonical(w).signIn(name, good); err != nil {
		t.Errorf("the canonical door: %v", err)
	}
}

// spend opens a reset link and sets a new password on its page, which works
// once.
func (w *world) spend(t *testing.T, link string) {
	t.Helper()
	at, err := url.Parse(link)
	must(t, err)
	page, err := w.wire.want(http.StatusOK, request{method: "GET", path: at.RequestURI()})
	must(t, err)
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(page.body)
	if token == nil {
		t.Fatalf("the page has no form:\n%s", page.body)
	}
	submit := request{method: "POST", path: at.Path, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		body: url.Values{"token": {token[1]}, "password": {newSecret}, "again": {newSecret}}.Encode()}
	_, err = w.wire.want(http.StatusOK, submit)
	must(t, err)
	if a, err := w.wire.send(submit); err != nil || a.status != http.StatusGone {
		t.Errorf("the link a second time: %d %v", a.status, err)
	}
}

// TestResetLinks: the link that edubrite shows, the one that servicemobility and
// canonical mail and the one of canonical's token lead to the page, and the
// password that is set there works at every door.
func TestResetLinks(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		mailed := func(p person) string {
			subject, text := s.Mail(t, p.email)
			link := regexp.MustCompile(`https?://\S+/reset\?token=\S+`).FindString(text)
			if link == "" || !strings.Contains(text, p.userName) || !strings.Contains(subject, w.tenant.Name) {
				t.Errorf("%s\n%s", subject, text)
			}
			return link
		}
		ca := newCanonical(w)
		for name, link := range map[string]func(p person, k known) string{
			"edubrite": func(_ person, k known) string {
				shown, err := w.edubrite().call("userService", "get", "userName", k.userName, "pwToken", "true")
				must(t, err)
				if shown.User.Token == "" || !strings.Contains(shown.User.ResetURL, shown.User.Token) {
					t.Errorf("token %q, URL %q", shown.User.Token, shown.User.ResetURL)
				}
				return shown.User.ResetURL
			},
			"servicemobility": func(p person, k known) string {
				must(t, w.mobility().done("PUT", w.mobility().path(k.userName)+"/SendResetPasswordEmail", nil))
				return mailed(p)
			},
			"canonical mail_reset": func(p person, k known) string {
				must(t, ca.done(http.StatusNoContent, "POST", ca.path(k)+"/mail_reset", nil))
				return mailed(p)
			},
			"canonical reset_token": func(_ person, k known) string {
				a, err := ca.call(http.StatusCreated, "POST", ca.path(k)+"/reset_token", nil)
				must(t, err)
				o, err := a.object()
				must(t, err)
				return "/reset?token=" + url.QueryEscape(text(o, "token"))
			},
		} {
			t.Run(name, func(t *testing.T) {
				p := w.newcomer()
				k := w.create(t, w.door(t, "iqmetrix"), p)
				at := link(p, k)
				// The old password stays good until the new one is set.
				w.wantPassword(t, p.userName, firstSecret, newSecret)
				w.spend(t, at)
				w.wantPassword(t, p.userName, newSecret, firstSecret)
			})
		}
	})
}

// mailedPassword is the password in a message.
func mailedPassword(t *testing.T, text string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^Password:\s+(\S+)$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no password in\n%s", text)
	}
	return found[1]
}

// TestMailedPasswords: a new user is mailed its name and password where the
// caller asks for that, and only then.
func TestMailedPasswords(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		c := w.mobility()
		p := w.newcomer()
		must(t, c.done("PUT", c.path(p.userName)+"?emailNotification=true", map[string]any{"FirstName": p.given, "LastName": p.family,
			"Email": p.email, "Password": p.password}))
		_, text := s.Mail(t, p.email)
		if !strings.Contains(text, "User name: "+p.userName+"\n") || mailedPassword(t, text) != p.password {
			t.Errorf("the message is\n%s", text)
		}
		w.wantPassword(t, p.userName, p.password, newSecret)

		// Without a password one is made, which is temporary.
		p = w.newcomer()
		must(t, c.done("PUT", c.path(p.userName)+"?emailNotification=true", map[string]any{"Email": p.email}))
		_, text = s.Mail(t, p.email)
		w.renew(t, p.userName, mailedPassword(t, text))
	})
}

// TestResetPasswordMailsATemporaryOne: servicemobility's ResetPassword and
// canonical's generate_password end the old password and mail one whose owner can
// do nothing but replace it.
func TestResetPasswordMailsATemporaryOne(t *testing.T) {
	onEngines(t, func(t *testing.T, s *testkit.Server) {
		w := newWorld(t, s)
		sm, ca := w.mobility(), newCanonical(w)
		for name, reset := range map[string]func(k known) error{
			"servicemobility": func(k known) error { return sm.done("PUT", sm.path(k.userName)+"/ResetPassword", nil) },
			"canonical": func(k known) error {
				return ca.done(http.StatusNoContent, "POST", ca.path(k)+"/generate_password", nil)
			},
		} {
			t.Run(name, func(t *testing.T) {
				p := w.newcomer()
				k := w.create(t, w.door(t, "encore"), p)
				must(t, reset(k))
				if !w.user(t, k.number).MustChangePassword {
					t.Error("the new password is not temporary")
				}
				_, text := s.Mail(t, p.email)
				if _, err := w.wire.signIn(p.userName, firstSecret); err == nil {
					t.Error("the old password is still good")
				}
				w.renew(t, p.userName, mailedPassword(t, text))
			})
		}
	})
}

// renew signs in with a temporary password, tries everything, and replaces it.
func (w *world) renew(t *testing.T, name, temporary string) {
	t.Helper()
	if a, err := w.grant(name, temporary); err != nil || a.status != http.StatusBadRequest || !strings.Contains(a.body, "invalid_grant") {
		t.Errorf("the token service: %d %s %v", a.status, a.body, err)
	}
	token, err := w.wire.signIn(name, temporary)
	must(t, err)
	own := mobilityAt(w.wire, token)
	for _, r := range []request{
		{method: "GET", path: own.path(name)},
		{method: "PUT", path: own.path(name), body: `{"FirstName":"Eve"}`},
		{method: "GET", path: own.path(name) + "/Entity"},
		{method: "GET", path: own.path(name) + "/roles"},
		{method: "PUT", path: own.path(name) + "/ServiceTeams", body: `{"ServiceTeams":[]}`},
		{method: "PUT", path: own.path(w.boss) + "/ChangePassword", body: toJSON(map[string]string{"Password": newSecret})},
		{method: "POST", path: fmt.Sprintf("/saas/v3/Entity/%s/Roles/%s/delegate", w.tenant.ID, w.role.Key)},
	} {
		r.header = own.header
		if a, err := w.wire.send(r); err != nil || a.status != http.StatusUnauthorized {
			t.Errorf("%s %s: %d %s %v", r.method, r.path, a.status, a.body, err)
		}
	}
	must(t, own.done("PUT", own.path(name)+"/ChangePassword", map[string]any{"Password": newSecret}))
	if a, err := w.wire.send(request{method: "GET", path: own.path(name), header: own.header}); err != nil || a.status != http.StatusUnauthorized {
		t.Errorf("the token of the temporary password: %d %v", a.status, err)
	}
	w.wantPassword(t, name, newSecret, temporary)
	token, err = w.wire.signIn(name, newSecret)
	must(t, err)
	own = mobilityAt(w.wire, token)
	must(t, own.done("GET", own.path(name), nil))
}

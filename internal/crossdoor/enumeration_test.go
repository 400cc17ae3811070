package crossdoor

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// conditions are, by name, people of every kind that a sign-in could tell apart. None
// of them may sign in with the wrong password.
func (w *world) conditions(t *testing.T) map[string]string {
	t.Helper()
	change := func(edit func(ref directory.UserRef) error) string {
		p := w.administrator(t)
		must(t, edit(directory.ByUserName(p.userName)))
		return p.userName
	}
	ctx := t.Context()
	return map[string]string{
		"nobody":      "nobody-at-all",
		"no name":     "no\u200bname", // no user can be called that
		"who may":     w.administrator(t).userName,
		"by address":  w.administrator(t, func(in *directory.NewUser) { in.ClaimEmail = true }).email,
		"no password": w.administrator(t, func(in *directory.NewUser) { in.Password = "" }).userName,
		"temporary password": change(func(ref directory.UserRef) error {
			return w.service.SetPassword(ctx, w.system(), ref, directory.NewPassword{Password: newSecret, Temporary: true})
		}),
		"inactive": change(func(ref directory.UserRef) error {
			_, err := w.service.Deactivate(ctx, w.system(), ref)
			return err
		}),
		"deleted": change(func(ref directory.UserRef) error {
			_, err := w.service.DeleteUser(ctx, w.system(), ref)
			return err
		}),
		"locked with a reason": change(func(ref directory.UserRef) error {
			_, err := w.service.Lock(ctx, w.system(), ref, w.reason.Number)
			return err
		}),
		"outside of its dates": change(func(ref directory.UserRef) error {
			_, err := w.service.UpdateUser(ctx, w.system(), ref, directory.UserPatch{ExpiresAt: directory.Some(time.Now().Add(-time.Hour))}, directory.UpdateOptions{})
			return err
		}),
	}
}

// changing are the parts of an answer that differ from one to the next whatever was
// asked: ids of requests and times.
var changing = regexp.MustCompile(`[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z`)

// told is all that a stranger can learn of an answer: without the name that was sent,
// which forms give back, and what differs with every answer.
func (a answer) told(sent string) string {
	lines := []string{fmt.Sprint(a.status)}
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		switch name {
		case "Date", "Content-Length", "Ratelimit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Ratelimit-Resetseconds":
			lines = append(lines, name)
		default:
			lines = append(lines, name+": "+strings.Join(a.header[name], ", "))
		}
	}
	return changing.ReplaceAllString(strings.ReplaceAll(strings.Join(lines, "\n")+"\n\n"+a.body, sent, "NAME"), "ID")
}

// TestNobodyLearnsWhoExists: wherever people sign in, a wrong password is answered with
// the same bytes whoever is asked about: nobody, somebody who may sign in, and somebody
// who may not, for whatever reason.
func TestNobodyLearnsWhoExists(t *testing.T) {
	w := newWorld(t, start(t, "sqlite"))
	people := w.conditions(t)
	for i, in := range w.entries() {
		t.Run(in.name, func(t *testing.T) {
			at := w.wire
			at.addr = fmt.Sprintf("203.0.113.%d", i+1)
			say := func(name string) string {
				a, err := at.send(in.with(name, "not-the-password"))
				must(t, err)
				if a.status != in.refused {
					t.Errorf("%s: %d %s, want %d", name, a.status, a.body, in.refused)
				}
				return a.told(name)
			}
			want := say("another-nobody")
			for condition, name := range people {
				if diff := cmp.Diff(want, say(name)); diff != "" {
					t.Errorf("%s (-nobody +it):\n%s", condition, diff)
				}
			}
		})
	}
}

// TestNobodyLearnsWhichClientsExist: the names of programs are told by no answer either,
// nor which links were once good.
func TestNobodyLearnsWhichClientsExist(t *testing.T) {
	w := newWorld(t, start(t, "sqlite"))
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	grant := func(client string) request {
		return request{method: "POST", path: "/v1/oauth2/token", header: form, body: url.Values{"grant_type": {"password"}, "username": {w.boss},
			"password": {w.bossPassword}, "client_id": {client}, "client_secret": {"not-the-secret"}}.Encode()}
	}
	connect := func(user string) request {
		return request{method: "GET", path: "/oltpublish/site/home.do?" + url.Values{"username": {user}, "password": {"not-the-password"}}.Encode()}
	}
	link := func(token string) request {
		return request{method: "GET", path: "/reset?token=" + url.QueryEscape(token)}
	}
	customer, _, err := w.service.CreateCustomer(t.Context(), w.system(), directory.NewCredential{Name: "customer", Rank: directory.RankReader})
	must(t, err)
	pair := func(customer string) request {
		return request{method: "GET", path: "/seiapi/v3/trans/User/" + w.boss, header: map[string]string{"customerid": customer, "customercode": "not-the-code"}}
	}
	shown, err := w.edubrite().call("userService", "get", "userName", w.administrator(t).userName, "pwToken", "true")
	must(t, err)
	spent := shown.User.Token
	must(t, w.service.SpendReset(t.Context(), &directory.Call{Door: directory.DoorConsole, Addr: "203.0.113.200"}, directory.Secret(spent), newSecret))
	for name, c := range map[string]struct {
		ask             func(string) request
		unknown, exists string
		status          int
	}{
		"iqmetrix client":          {grant, "nobodys-client", w.clientID, http.StatusBadRequest},
		"iqmetrix client: another": {grant, "nobodys-client", w.apiUser, http.StatusBadRequest},
		"edubrite API user":        {connect, "nobodys-user", w.apiUser, http.StatusUnauthorized},
		"servicemobility customer": {pair, "nobodys-id", customer.ClientID, http.StatusUnauthorized},
		"reset link":               {link, strings.Repeat("x", len(spent)), spent, http.StatusGone},
	} {
		t.Run(name, func(t *testing.T) {
			say := func(text string) string {
				a, err := w.wire.want(c.status, c.ask(text))
				must(t, err)
				return a.told(text)
			}
			if diff := cmp.Diff(say(c.unknown), say(c.exists)); diff != "" {
				t.Errorf("(-nobody's +somebody's):\n%s", diff)
			}
		})
	}
}

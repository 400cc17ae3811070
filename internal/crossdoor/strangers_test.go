package crossdoor

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// guess is a request with a credential in a door's own place.
type guess struct {
	with func(secret string) request
	good string // a credential that the server has seen
	// fresh makes one that it has not.
	fresh func(t *testing.T) string
	// stranger is the door's answer to what nobody has, tooMany to too much of it.
	stranger, tooMany int
	says              string // part of that
}

// guesses are, by name, the ways to present a credential.
func (w *world) guesses(t *testing.T) map[string]guess {
	t.Helper()
	key := func(t *testing.T) string {
		_, secret, err := w.service.CreateKey(t.Context(), w.system(), directory.NewCredential{Name: "fresh", Rank: directory.RankAdministrator})
		must(t, err)
		return secret
	}
	header := func(path, name, before string) func(string) request {
		return func(secret string) request {
			return request{method: "GET", path: path, header: map[string]string{name: before + secret}}
		}
	}
	session := func(secret string) request {
		if strings.HasPrefix(secret, "nobodys") {
			secret = "SESSION_ID=" + secret + "; SESSION_INFO=" + secret
		}
		return request{method: "POST", path: "/oltpublish/site/userService.do", header: edubriteHeader(secret, w.boss+"||"),
			body: url.Values{"dispatch": {"get"}, "userName": {w.boss}, "xml": {"true"}}.Encode()}
	}
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	user := w.user(t, w.number(t, w.boss))
	return map[string]guess{
		"iqmetrix": {header(fmt.Sprintf("/v1/Users(%d)", user.Number), "Authorization", "Bearer "), w.key, key, 401, 429, "rate limit exceeded"},
		"encore":   {header(fmt.Sprintf("/users/v1/users/%d?use-external-id=false", user.Number), "Ocp-Apim-Subscription-Key", ""), w.key, key, 401, 429, "Rate limit is exceeded. Try again in"},
		"smartapp": {header("/user/get/uniqueid?UniqueID="+user.ID, "X-API-Key", ""), w.key, key, 401, 429, "Too many"},
		"edubrite": {session, w.edubrite().header["Cookie"], func(t *testing.T) string { return newEduBrite(t, w).header["Cookie"] }, 401, 429, "Too many"},
		"servicemobility": {header("/seiapi/v3/trans/User/"+w.boss, "x-access-token", ""), w.mobility().header["x-access-token"],
			func(t *testing.T) string { return newServiceMobility(t, w).header["x-access-token"] }, 401, 429, "Too many"},
		"canonical": {header("/api/v1/users/"+user.ID, "Authorization", "Bearer "), w.canonicalKey.secret, key, 401, 429, "limit.credentials"},
		"scim":      {header("/scim/v2/Users?count=1", "Authorization", "Bearer "), w.scimKey.secret, key, 401, 429, "Too many"},
		"iqmetrix: an OAuth client": {func(secret string) request {
			return request{method: "POST", path: "/v1/oauth2/token", header: form, body: url.Values{"grant_type": {"password"}, "username": {w.boss},
				"password": {w.bossPassword}, "client_id": {w.clientID}, "client_secret": {secret}}.Encode()}
		}, w.clientSecret, func(*testing.T) string { return w.clientSecret }, 400, 429, ""},
	}
}

// number is a user's number by name.
func (w *world) number(t *testing.T, name string) int64 {
	t.Helper()
	u, err := w.service.User(t.Context(), w.system(), directory.ByUserName(name))
	must(t, err)
	return u.Number
}

// flood sends attempts, at most so many, until one has another status than usual, and
// returns that answer and how many came before. Limits are refilled as time goes by, so
// that nobody can say which attempt is the first.
func flood(t *testing.T, most, usual int, attempt func(n int) (answer, error)) (answer, int) {
	t.Helper()
	for n := range most {
		a, err := attempt(n)
		must(t, err)
		if a.status != usual {
			return a, n
		}
	}
	t.Fatalf("%d attempts were answered with %d", most, usual)
	return answer{}, most
}

// TestStrangersAreRefused: at every door an address that presents credentials that
// nobody has is refused in the door's own words, and a valid one still passes from
// there: one that the server has seen before, and one that it has not.
func TestStrangersAreRefused(t *testing.T) {
	w := newWorld(t, start(t, "sqlite"))
	list := w.guesses(t)
	for i, name := range slices.Sorted(maps.Keys(list)) {
		t.Run(name, func(t *testing.T) {
			g, at := list[name], w.wire
			at.addr = fmt.Sprintf("203.0.113.%d", i+1)
			fresh := g.fresh(t)
			a, n := flood(t, 10*directory.DefaultStrangersPerAddress, g.stranger, func(n int) (answer, error) {
				return at.send(g.with(fmt.Sprintf("nobodys-%d", n)))
			})
			if n < directory.DefaultStrangersPerAddress || a.status != g.tooMany || !a.has(g.says) {
				t.Errorf("wrong credential %d: %d %s, want %d with %q", n+1, a.status, a.body, g.tooMany, g.says)
			}
			if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 {
				t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
			}
			for what, secret := range map[string]string{"that the server knows": g.good, "that it does not": fresh} {
				if _, err := at.want(http.StatusOK, g.with(secret)); err != nil {
					t.Errorf("a valid credential %s: %v", what, err)
				}
			}
			other := w.wire
			other.addr = fmt.Sprintf("203.0.113.%d", i+101)
			_, err := other.want(g.stranger, g.with("nobodys"))
			must(t, err)
		})
	}
}

// TestGuessersOfPasswordsAreRefused: wherever people sign in, the attempts on one
// account are bounded, also from many addresses, and another account is not touched.
func TestGuessersOfPasswordsAreRefused(t *testing.T) {
	w := newWorld(t, start(t, "sqlite"))
	for i, in := range w.entries() {
		t.Run(in.name, func(t *testing.T) {
			victim, other := w.administrator(t), w.administrator(t)
			at := w.wire
			a, n := flood(t, 5*directory.DefaultLoginsPerAccount, in.refused, func(n int) (answer, error) {
				at.addr = fmt.Sprintf("203.0.%d.%d", i+114, n+1)
				return at.send(in.with(victim.userName, "wrong"))
			})
			if n < directory.DefaultLoginsPerAccount || a.status != http.StatusTooManyRequests {
				t.Errorf("attempt %d: %d %s, want 429", n+1, a.status, a.body)
			}
			if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 {
				t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
			}
			if a, err := at.send(in.with(other.userName, other.password)); err != nil || a.status >= http.StatusBadRequest {
				t.Errorf("another account: %d %s %v", a.status, a.body, err)
			}
		})
	}
}

// entry is a place where people sign in with a name and a password.
type entry struct {
	name    string
	with    func(name, password string) request
	refused int // status for a wrong password
}

// entries are they.
func (w *world) entries() []entry {
	target := w.boss
	asJSON := map[string]string{"Content-Type": "application/json"}
	asForm := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	return []entry{
		{"iqmetrix", func(name, password string) request {
			return request{method: "POST", path: "/v1/oauth2/token", header: asForm, body: url.Values{"grant_type": {"password"}, "username": {name},
				"password": {password}, "client_id": {w.clientID}, "client_secret": {w.clientSecret}}.Encode()}
		}, http.StatusBadRequest},
		{"servicemobility", func(name, password string) request {
			return request{method: "POST", path: "/createjwt", header: asJSON, body: toJSON(map[string]string{"username": name, "password": password})}
		}, http.StatusUnauthorized},
		{"servicemobility impersonate", func(name, password string) request {
			return request{method: "POST", path: "/seiapi/v3/trans/User/" + target + "/impersonate", header: asJSON,
				body: toJSON(map[string]string{"UserID": name, "Password": password})}
		}, http.StatusUnauthorized},
		{"canonical", func(name, password string) request {
			return request{method: "POST", path: "/api/v1/sessions", header: asJSON, body: toJSON(map[string]string{"user_name": name, "password": password})}
		}, http.StatusUnauthorized},
		{"console", func(name, password string) request {
			return request{method: "POST", path: "/console/sign-in", header: asForm, body: url.Values{"name": {name}, "password": {password}}.Encode()}
		}, http.StatusUnprocessableEntity},
	}
}

// administrator makes somebody who may sign in everywhere and act as others.
func (w *world) administrator(t *testing.T, change ...func(*directory.NewUser)) person {
	t.Helper()
	p := w.newcomer()
	in := directory.NewUser{Password: p.password, Fields: directory.UserPatch{UserName: directory.Some(p.userName), GivenName: directory.Some(p.given),
		FamilyName: directory.Some(p.family), Email: directory.Some(strings.ToLower(p.email)), Administrator: directory.Some(true)}}
	for _, c := range change {
		c(&in)
	}
	_, err := w.service.CreateUser(t.Context(), w.system(), in)
	must(t, err)
	return p
}

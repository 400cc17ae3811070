package crossdoor

import (
	"fmt"
	"net/http"
	"testing"
)

// mobility is a client of the servicemobility door: a signed token of an
// administrator. It knows users by user name, and changes them by sending the
// whole object back. Its groups are service teams.
type mobility struct {
	wire   wire
	header map[string]string
}

func newServiceMobility(t *testing.T, w *world) *mobility {
	t.Helper()
	token, err := w.wire.signIn(w.boss, w.bossPassword)
	must(t, err)
	return mobilityAt(w.wire, token)
}

// mobilityAt is a client with a token of its own.
func mobilityAt(at wire, token string) *mobility {
	return &mobility{at, map[string]string{"x-access-token": token, "Content-Type": "application/json"}}
}

// signIn gets a signed token for a name and a password.
func (w wire) signIn(name, password string) (string, error) {
	a, err := w.want(http.StatusOK, request{method: "POST", path: "/createjwt", body: toJSON(map[string]string{"username": name, "password": password})})
	if err != nil {
		return "", err
	}
	o, err := a.object()
	return text(o, "token"), err
}

func (c *mobility) call(status int, method, path string, body any) (answer, error) {
	r := request{method: method, path: path, header: c.header}
	if body != nil {
		r.body = toJSON(body)
	}
	return c.wire.want(status, r)
}

func (c *mobility) path(userName string) string { return "/seiapi/v3/trans/User/" + escape(userName) }

func (c *mobility) create(p person) error {
	_, err := c.call(http.StatusOK, "PUT", c.path(p.userName), map[string]any{"FirstName": p.given, "LastName": p.family, "Email": p.email, "Password": p.password})
	return err
}

func (c *mobility) find(k known) (sight, error) {
	a, err := c.wire.send(request{method: "GET", path: c.path(k.userName), header: c.header})
	if err != nil {
		return sight{}, err
	}
	if a.status == http.StatusGone {
		return sight{gone: true}, nil
	}
	o, err := a.object()
	if err != nil || a.status != http.StatusOK {
		return sight{}, fmt.Errorf("%d %s: %w", a.status, a.body, err)
	}
	return sight{active: flag(o, "Activated"), locked: flag(o, "Locked"), given: text(o, "FirstName"), email: text(o, "Email"),
		name: ptr(text(o, "UserID"))}, nil
}

// replace reads a user, changes the object and sends it back.
func (c *mobility) replace(k known, edit func(o map[string]any)) error {
	a, err := c.call(http.StatusOK, "GET", c.path(k.userName), nil)
	if err != nil {
		return err
	}
	o, err := a.object()
	if err != nil {
		return err
	}
	edit(o)
	_, err = c.call(http.StatusOK, "PUT", c.path(k.userName), o)
	return err
}

func (c *mobility) change(k known, given, email string) error {
	return c.replace(k, func(o map[string]any) { o["FirstName"], o["Email"] = given, email })
}

func (c *mobility) deactivate(k known) error {
	return c.replace(k, func(o map[string]any) { o["Activated"] = false })
}

func (c *mobility) activate(k known) error {
	return c.replace(k, func(o map[string]any) { o["Activated"] = true })
}

func (c *mobility) lock(k known) error {
	return c.replace(k, func(o map[string]any) { o["Locked"] = true })
}

func (c *mobility) unlock(k known) error {
	return c.replace(k, func(o map[string]any) { o["Locked"] = false })
}

func (c *mobility) setPassword(k known, password string) error {
	_, err := c.call(http.StatusOK, "PUT", c.path(k.userName)+"/ChangePassword", map[string]any{"Password": password})
	return err
}

func (c *mobility) putInGroup(k known) error {
	_, err := c.call(http.StatusOK, "PUT", c.path(k.userName)+"/ServiceTeams", map[string]any{"ServiceTeams": []string{crew}})
	return err
}

func (c *mobility) remove(k known) error {
	_, err := c.call(http.StatusOK, "DELETE", c.path(k.userName), nil)
	return err
}

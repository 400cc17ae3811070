package crossdoor

import (
	"net/http"
	"testing"
)

// mobility is a client of the servicemobility door: a signed token of an
// administrator. It knows users by user name, and changes them by sending the
// whole object back. Its groups are service teams.
type mobility struct{ caller }

func newServiceMobility(t *testing.T, w *world) *mobility {
	t.Helper()
	token, err := w.wire.signIn(w.boss, w.bossPassword)
	must(t, err)
	return mobilityAt(w.wire, token)
}

// mobilityAt is a client with a token of its own.
func mobilityAt(at wire, token string) *mobility {
	return &mobility{caller{wire: at, header: map[string]string{"x-access-token": token, "Content-Type": "application/json"}}}
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

func (c *mobility) path(userName string) string { return "/seiapi/v3/trans/User/" + escape(userName) }

func (c *mobility) create(p person) error {
	return c.done("PUT", c.path(p.userName), map[string]any{"FirstName": p.given, "LastName": p.family, "Email": p.email, "Password": p.password})
}

func (c *mobility) find(k known) (sight, error) {
	o, err := c.show(c.path(k.userName), http.StatusGone, "")
	if o == nil {
		return sight{gone: err == nil}, err
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
	return c.done("PUT", c.path(k.userName)+"/ChangePassword", map[string]any{"Password": password})
}

func (c *mobility) putInGroup(k known) error {
	return c.done("PUT", c.path(k.userName)+"/ServiceTeams", map[string]any{"ServiceTeams": []string{crew}})
}

func (c *mobility) remove(k known) error {
	return c.done("DELETE", c.path(k.userName), nil)
}

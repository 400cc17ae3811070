package crossdoor

import (
	"fmt"
	"net/http"
)

// iqmetrix is a client of the iqmetrix door. It knows users by number and has
// no groups, and what it calls deleting is to disable.
type iqmetrix struct {
	w *world
	caller
	company int64
}

func newIQmetrix(w *world) *iqmetrix { return w.iqmetrixAt(w.wire, w.key) }

// iqmetrixAt is a client with a credential of its own.
func (w *world) iqmetrixAt(at wire, credential string) *iqmetrix {
	header := map[string]string{"Authorization": "Bearer " + credential, "Content-Type": "application/json", "Accept": "application/json"}
	return &iqmetrix{w, caller{at, "/v1", header}, w.tenant.DefaultCompany}
}

func (c *iqmetrix) path(k known) string { return fmt.Sprintf("/Users(%d)", k.number) }

func (c *iqmetrix) create(p person) error {
	return c.done(http.StatusCreated, "POST", "/Users/importExisting", map[string]any{
		"UserName": p.userName, "FirstName": p.given, "LastName": p.family, "Email": p.email, "ParentEntityId": c.company, "Password": p.password})
}

func (c *iqmetrix) find(k known) (sight, error) {
	o, err := c.show(c.path(k), http.StatusNotFound, "")
	if o == nil {
		return sight{gone: err == nil}, err
	}
	a, err := c.call(http.StatusOK, "GET", c.path(k)+"/Unlock", nil)
	if err != nil {
		return sight{}, err
	}
	lock, err := a.object()
	return sight{active: flag(o, "IsActive"), locked: flag(lock, "CanUnlockUser"), given: text(o, "FirstName"), email: text(o, "Email"),
		name: ptr(text(o, "UserName"))}, err
}

// replace reads a user, changes the object and sends it back.
func (c *iqmetrix) replace(k known, edit func(o map[string]any)) error {
	a, err := c.call(http.StatusOK, "GET", c.path(k), nil)
	if err != nil {
		return err
	}
	o, err := a.object()
	if err != nil {
		return err
	}
	edit(o)
	_, err = c.call(http.StatusOK, "PUT", c.path(k), o)
	return err
}

func (c *iqmetrix) change(k known, given, email string) error {
	return c.replace(k, func(o map[string]any) { o["FirstName"], o["Email"] = given, email })
}

func (c *iqmetrix) deactivate(k known) error {
	return c.done(http.StatusOK, "DELETE", c.path(k), nil)
}

func (c *iqmetrix) activate(k known) error {
	return c.done(http.StatusOK, "POST", c.path(k)+"/Enable", nil)
}

func (c *iqmetrix) lock(k known) error {
	return c.done(http.StatusNoContent, "POST", c.path(k)+"/Lock", nil)
}

func (c *iqmetrix) unlock(k known) error {
	return c.done(http.StatusNoContent, "POST", c.path(k)+"/Unlock", nil)
}

func (c *iqmetrix) setPassword(k known, password string) error {
	return c.done(http.StatusNoContent, "PUT", c.path(k)+"/Password", map[string]any{"Password": password})
}

func (c *iqmetrix) putInGroup(known) error { return errNoWord }

func (c *iqmetrix) remove(known) error { return errNoWord }

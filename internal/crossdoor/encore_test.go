package crossdoor

import (
	"fmt"
	"net/http"
)

// encore is a client of the encore door. It knows users by number and has
// neither locks nor deletion.
type encore struct{ caller }

func newEncore(w *world) *encore {
	return &encore{caller{w.wire, "/users/v1/users", map[string]string{"Ocp-Apim-Subscription-Key": w.key, "Content-Type": "application/json"}}}
}

func (c *encore) path(k known) string { return fmt.Sprintf("/%d", k.number) }

func (c *encore) create(p person) error {
	return c.done(http.StatusCreated, "POST", "", map[string]any{"UserName": p.userName, "Password": p.password, "FirstName": p.given,
		"LastName": p.family, "Email": p.email, "RoleId": 3, "IsActive": true, "LicenseType": 1})
}

func (c *encore) find(k known) (sight, error) {
	o, err := c.show(c.path(k), http.StatusNotFound, "")
	if o == nil {
		return sight{gone: err == nil}, err
	}
	licence, _ := o["LicenseType"].(float64)
	return sight{active: flag(o, "IsActive"), given: text(o, "FirstName"), email: text(o, "Email"), name: ptr(text(o, "UserName")),
		licence: ptr(licence == 1)}, nil
}

// patch changes the properties of a body.
func (c *encore) patch(k known, body map[string]any) error {
	return c.done(http.StatusOK, "PATCH", c.path(k), body)
}

func (c *encore) change(k known, given, email string) error {
	return c.patch(k, map[string]any{"FirstName": given, "Email": email})
}

func (c *encore) deactivate(k known) error {
	return c.done(http.StatusOK, "DELETE", c.path(k)+"/active", nil)
}

func (c *encore) activate(k known) error {
	return c.done(http.StatusOK, "PUT", c.path(k)+"/active", nil)
}

func (c *encore) lock(known) error { return errNoWord }

func (c *encore) unlock(known) error { return errNoWord }

func (c *encore) setPassword(k known, password string) error {
	return c.patch(k, map[string]any{"Password": password})
}

func (c *encore) putInGroup(k known) error { return c.patch(k, map[string]any{"GroupName": crew}) }

func (c *encore) remove(known) error { return errNoWord }

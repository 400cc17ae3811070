package crossdoor

import (
	"fmt"
	"net/http"
)

// encore is a client of the encore door. It knows users by number and has
// neither locks nor deletion.
type encore struct {
	wire   wire
	header map[string]string
}

func newEncore(w *world) *encore {
	return &encore{w.wire, map[string]string{"Ocp-Apim-Subscription-Key": w.key, "Content-Type": "application/json"}}
}

func (c *encore) call(status int, method, path string, body any) (answer, error) {
	r := request{method: method, path: "/users/v1/users" + path, header: c.header}
	if body != nil {
		r.body = toJSON(body)
	}
	return c.wire.want(status, r)
}

func (c *encore) path(k known) string { return fmt.Sprintf("/%d", k.number) }

func (c *encore) create(p person) error {
	_, err := c.call(http.StatusCreated, "POST", "", map[string]any{"UserName": p.userName, "Password": p.password, "FirstName": p.given,
		"LastName": p.family, "Email": p.email, "RoleId": 3, "IsActive": true, "LicenseType": 1})
	return err
}

func (c *encore) find(k known) (sight, error) {
	a, err := c.wire.send(request{method: "GET", path: "/users/v1/users" + c.path(k), header: c.header})
	if err != nil {
		return sight{}, err
	}
	if a.status == http.StatusNotFound {
		return sight{gone: true}, nil
	}
	o, err := a.object()
	if err != nil || a.status != http.StatusOK {
		return sight{}, fmt.Errorf("%d %s: %w", a.status, a.body, err)
	}
	licence, _ := o["LicenseType"].(float64)
	return sight{active: flag(o, "IsActive"), given: text(o, "FirstName"), email: text(o, "Email"), name: ptr(text(o, "UserName")),
		licence: ptr(licence == 1)}, nil
}

// patch changes the properties of a body.
func (c *encore) patch(k known, body map[string]any) error {
	_, err := c.call(http.StatusOK, "PATCH", c.path(k), body)
	return err
}

func (c *encore) change(k known, given, email string) error {
	return c.patch(k, map[string]any{"FirstName": given, "Email": email})
}

func (c *encore) deactivate(k known) error {
	_, err := c.call(http.StatusOK, "DELETE", c.path(k)+"/active", nil)
	return err
}

func (c *encore) activate(k known) error {
	_, err := c.call(http.StatusOK, "PUT", c.path(k)+"/active", nil)
	return err
}

func (c *encore) lock(known) error { return errNoWord }

func (c *encore) unlock(known) error { return errNoWord }

func (c *encore) setPassword(k known, password string) error {
	return c.patch(k, map[string]any{"Password": password})
}

func (c *encore) putInGroup(k known) error { return c.patch(k, map[string]any{"GroupName": crew}) }

func (c *encore) remove(known) error { return errNoWord }

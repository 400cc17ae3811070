package crossdoor

import (
	"net/http"
	"net/url"
)

// smartapp is a client of the smartapp door. It knows users by id, draws their
// user names, and has neither locks, nor passwords, nor deletion.
type smartapp struct{ caller }

func newSmartapp(w *world) *smartapp {
	return &smartapp{caller{wire: w.wire, header: map[string]string{"X-API-Key": w.key, "Content-Type": "application/json"}}}
}

// call is a call that must succeed: values go into the query, as the vendor's
// updates have them, and a body only where there is one.
func (c *smartapp) call(method, path string, query url.Values, body any) (answer, error) {
	return c.caller.call(http.StatusOK, method, path+"?"+query.Encode(), body)
}

// user is a call about a user.
func (c *smartapp) user(path string, k known, values ...string) error {
	query := url.Values{"UniqueID": {k.id}}
	for i := 0; i+1 < len(values); i += 2 {
		query.Add(values[i], values[i+1])
	}
	_, err := c.call("POST", path, query, nil)
	return err
}

func (c *smartapp) create(p person) error {
	_, err := c.call("POST", "/user/create", nil, map[string]any{"firstName": p.given, "lastName": p.family, "email": p.email})
	return err
}

func (c *smartapp) find(k known) (sight, error) {
	o, err := c.show("/user/get/uniqueid?UniqueID="+url.QueryEscape(k.id), http.StatusBadRequest, "invalid user Id")
	if o == nil {
		return sight{gone: err == nil}, err
	}
	return sight{active: ptr(text(o, "status") == "Active"), given: text(o, "firstName"), email: text(o, "email"), name: ptr(text(o, "userName")),
		licence: ptr(text(o, "licenceType") == "Licenced User")}, nil
}

func (c *smartapp) change(k known, given, email string) error {
	return c.user("/user/update", k, "firstName", given, "email", email)
}

func (c *smartapp) deactivate(k known) error { return c.user("/user/deactivate", k) }

func (c *smartapp) activate(k known) error { return c.user("/user/activate", k) }

func (c *smartapp) lock(known) error { return errNoWord }

func (c *smartapp) unlock(known) error { return errNoWord }

func (c *smartapp) setPassword(known, string) error { return errNoWord }

func (c *smartapp) putInGroup(k known) error { return c.user("/user/addgroups", k, "groups", crew) }

func (c *smartapp) remove(known) error { return errNoWord }

// fill sets every member of an update.
func (c *smartapp) fill(k known) error {
	_, err := c.call("POST", "/user/update", url.Values{"UniqueID": {k.id}}, map[string]any{
		"firstName": "Smart", "lastName": "App", "email": k.userName + ".sa@example.test", "companyName": "Kentel", "companyLocationName": officeName,
		"licenceType": "LicencedUser", "metadata": map[string]any{"Favorite employee": true}, "applicationRoles": []string{"technician"},
		"groups": []string{otherGroup, crew}, "dashboardGroups": []string{dashboard}, "phone": "5550101", "fax": "5550103",
	})
	return err
}

package crossdoor

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// edubrite is a client of the edubrite door: a session of an API user in two
// cookies, which acts for an administrator. It knows users by user name and has
// neither locks, nor passwords of users who exist, nor deletion.
type edubrite struct {
	wire   wire
	group  string // id of the group to put people in
	header map[string]string
}

// envelope is every answer of the door.
type envelope struct {
	Code string `xml:"code,attr"`
	Msgs []struct {
		Code  string `xml:"code"`
		Value string `xml:"value"`
	} `xml:"msgs>msg"`
	User    edubriteUser `xml:"data>user"`
	Session struct {
		ID   string `xml:"sessionId"`
		Info string `xml:"sessionInfo"`
	} `xml:"data>session"`
	Users []edubriteUser `xml:"data>users>user"`
}

type edubriteUser struct {
	ID         string `xml:"id,attr"`
	Status     string `xml:"status,attr"`
	UserName   string `xml:"userName"`
	Given      string `xml:"firstName"`
	Email      string `xml:"email"`
	Family     string `xml:"lastName"`
	SiteRole   string `xml:"siteRole,attr"`
	Properties []struct {
		Name  string `xml:"name"`
		Value string `xml:"value"`
	} `xml:"customProperties>prop"`
	Token    string `xml:"passwordToken"`
	ResetURL string `xml:"passwordResetUrl"`
}

func newEduBrite(t *testing.T, w *world) *edubrite {
	t.Helper()
	sign := url.Values{"username": {w.apiUser}, "password": {w.apiPassword}}
	a, err := w.wire.want(http.StatusOK, request{method: "GET", path: "/oltpublish/site/home.do?" + sign.Encode()})
	must(t, err)
	cookies := ""
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		cookies += cookie.Name + "=" + cookie.Value + "; "
	}
	return &edubrite{w.wire, w.group.ID, edubriteHeader(cookies, w.boss+"||")}
}

// edubriteHeader is what goes with each call: the cookies, and for whom.
func edubriteHeader(cookies, actingFor string) map[string]string {
	return map[string]string{"Cookie": cookies, "REAL_UNAME": actingFor, "Content-Type": "application/x-www-form-urlencoded"}
}

// send makes a call and takes its answer apart.
func (c *edubrite) send(action, dispatch string, params ...string) (answer, envelope, error) {
	form := url.Values{"dispatch": {dispatch}, "xml": {"true"}}
	for i := 0; i+1 < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	a, err := c.wire.send(request{method: "POST", path: "/oltpublish/site/" + action + ".do", body: form.Encode(), header: c.header})
	var e envelope
	if err == nil {
		err = xml.Unmarshal([]byte(a.body), &e)
	}
	return a, e, err
}

// call is a call that must succeed.
func (c *edubrite) call(action, dispatch string, params ...string) (envelope, error) {
	a, e, err := c.send(action, dispatch, params...)
	if err == nil && (a.status != http.StatusOK || e.Code != "0") {
		err = fmt.Errorf("%s %s %q: %d %s", action, dispatch, params, a.status, a.body)
	}
	return e, err
}

func (c *edubrite) user(dispatch string, k known, params ...string) error {
	_, err := c.call("userService", dispatch, append([]string{"userName", k.userName}, params...)...)
	return err
}

func (c *edubrite) create(p person) error {
	_, err := c.call("userService", "create", "userName", p.userName, "firstName", p.given, "lastName", p.family, "email", p.email, "password", p.password)
	return err
}

func (c *edubrite) find(k known) (sight, error) {
	a, e, err := c.send("userService", "get", "userName", k.userName)
	if err != nil {
		return sight{}, err
	}
	if a.status == http.StatusNotFound && e.Msgs[0].Code == "0004" {
		return sight{gone: true}, nil
	}
	if a.status != http.StatusOK {
		return sight{}, fmt.Errorf("%d %s", a.status, a.body)
	}
	return sight{active: ptr(e.User.Status == "ACTIVE"), given: e.User.Given, email: e.User.Email, name: &e.User.UserName}, nil
}

func (c *edubrite) change(k known, given, email string) error {
	return c.user("update", k, "firstName", given, "email", email)
}

func (c *edubrite) deactivate(k known) error { return c.user("deactivate", k) }

func (c *edubrite) activate(k known) error { return c.user("activate", k) }

func (c *edubrite) lock(known) error { return errNoWord }

func (c *edubrite) unlock(known) error { return errNoWord }

func (c *edubrite) setPassword(known, string) error { return errNoWord }

func (c *edubrite) putInGroup(k known) error { return c.user("addToGroups", k, "groupId", c.group) }

func (c *edubrite) remove(known) error { return errNoWord }

package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// newEduBrite acts for the administrator in a session of the API user. Its
// clients write everything as forms.
func newEduBrite(ctx context.Context, s *Site) (*Client, error) {
	const site = "/oltpublish/site/"
	form := line("Content-Type", typeForm)
	connect := url.Values{"username": {APIUser}, "password": {AdminSecret}}
	answer, _, err := s.exchange(ctx, Request{Method: "POST", Path: site + "connect.do", Header: form, Body: connect.Encode()})
	if err != nil {
		return nil, err
	}
	var cookies []string
	for _, c := range answer.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	header := form + line("Cookie", strings.Join(cookies, "; ")) + line("REAL_UNAME", Admin+"||")
	call := func(values url.Values) Request {
		values.Set("xml", "true")
		return Request{Method: "POST", Path: site + "userService.do", Header: header, Body: values.Encode()}
	}
	user := func(dispatch string) func(*Person) Request {
		return func(p *Person) Request { return call(url.Values{"dispatch": {dispatch}, "userName": {p.UserName}}) }
	}
	return &Client{
		Read: user("get"), Activate: user("activate"), Deactivate: user("deactivate"),
		List: func(n int) Request {
			return call(url.Values{"dispatch": {"list"}, "currPage": {fmt.Sprint(n)}, "pageSize": {fmt.Sprint(pageSize)}})
		},
		Search: func(p *Person) Request {
			return call(url.Values{"dispatch": {"list"}, "search": {p.GivenName + " " + p.FamilyName}, "pageSize": {fmt.Sprint(pageSize)}})
		},
		Create: func(p *Person, password string) Request {
			values := url.Values{"dispatch": {"create"}, "userName": {p.UserName}, "firstName": {p.GivenName}, "lastName": {p.FamilyName}, "email": {p.Email}}
			if password != "" {
				values.Set("password", password)
			}
			return call(values)
		},
	}, nil
}

// newServiceMobility has a token of the administrator. The door has no verbs: a
// client writes the whole user as it was read, with another Activated. It finds
// users by their names, so that reading is a look-up too.
func newServiceMobility(ctx context.Context, s *Site) (*Client, error) {
	signIn := func(name string) Request {
		return Request{Method: "POST", Path: "/createjwt", Header: line("Content-Type", typeJSON), Body: object(map[string]any{"username": name, "password": AdminSecret})}
	}
	_, body, err := s.exchange(ctx, signIn(Admin))
	if err != nil {
		return nil, err
	}
	var signed struct{ Token string }
	if err := json.Unmarshal(body, &signed); err != nil || signed.Token == "" {
		return nil, errors.Join(errors.New("the server gave no token"), err)
	}
	header := line("x-access-token", signed.Token)
	path := func(p *Person) string { return "/seiapi/v3/trans/User/" + url.PathEscape(p.UserName) }
	put := func(p *Person, user map[string]any) Request {
		user["UserID"], user["FirstName"], user["LastName"], user["Email"] = p.UserName, p.GivenName, p.FamilyName, p.Email
		user["Phones"] = []map[string]string{{"PhoneNum": p.Phone, "PhoneType": "Work"}}
		return Request{Method: "PUT", Path: path(p), Header: header + line("Content-Type", typeJSON), Body: object(user)}
	}
	return &Client{
		Read:       func(p *Person) Request { return Request{Method: "GET", Path: path(p), Header: header} },
		Activate:   func(p *Person) Request { return put(p, map[string]any{"Activated": true}) },
		Deactivate: func(p *Person) Request { return put(p, map[string]any{"Activated": false}) },
		Create: func(p *Person, password string) Request {
			user := map[string]any{"Activated": true}
			if password != "" {
				user["Password"] = password
			}
			return put(p, user)
		},
		Login: func(p *Person) Request { return signIn(p.UserName) },
	}, nil
}

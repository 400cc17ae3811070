package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// filter is the path of a list of those whose attribute has a value.
func filter(path, attribute string, value func(*Person) string, header string) func(*Person) Request {
	return func(p *Person) Request {
		return Request{Method: "GET", Path: path + "?filter=" + url.QueryEscape(fmt.Sprintf("%s eq %q", attribute, value(p))), Header: header}
	}
}

func userName(p *Person) string   { return p.UserName }
func email(p *Person) string      { return p.Email }
func externalID(p *Person) string { return p.ExternalID }

const canonicalUsers = "/api/v1/users"

// newCanonical walks the first pages of the company's users, since a page is
// asked for with the cursor of the one before.
func newCanonical(ctx context.Context, s *Site) (*Client, error) {
	header := s.bearer()
	user := func(method, after string) func(*Person) Request {
		return func(p *Person) Request {
			return Request{Method: method, Path: canonicalUsers + "/" + p.ID + after, Header: header}
		}
	}
	c := &Client{
		Read: user("GET", ""), Activate: user("POST", "/activate"), Deactivate: user("POST", "/deactivate"),
		LookUp: map[By]func(*Person) Request{
			ByUserName: filter(canonicalUsers, "user_name", userName, header), ByEmail: filter(canonicalUsers, "email", email, header),
			ByExternalID: filter(canonicalUsers, "external_id", externalID, header),
		},
		Search: func(p *Person) Request {
			return Request{Method: "GET", Path: fmt.Sprintf("%s?limit=%d&q=%s", canonicalUsers, pageSize, url.QueryEscape(p.GivenName+" "+p.FamilyName)), Header: header}
		},
		Create: s.createCanonical,
		Login: func(p *Person) Request {
			return Request{Method: "POST", Path: "/api/v1/sessions", Header: line("Content-Type", typeJSON), Body: object(map[string]any{"user_name": p.UserName, "password": AdminSecret})}
		},
	}
	pages, err := canonicalPages(ctx, s, header)
	c.List, c.pages = func(n int) Request { return pages[n%len(pages)] }, len(pages)
	return c, err
}

// createCanonical makes a user, with an id that is brought unless it is empty.
func (s *Site) createCanonical(p *Person, password string) Request {
	user := map[string]any{"user_name": p.UserName, "email": p.Email, "given_name": p.GivenName, "family_name": p.FamilyName, "title": "Sales Clerk",
		"company": s.Company, "phones": []map[string]string{{"number": p.Phone, "extension": "5532", "type": "Work"}},
		"address": map[string]string{"line1": "1432 Merry View Road", "city": "Big Windy", "region": "ON", "country": "CA", "zip": "A1A2B2"}}
	if p.ID != "" {
		user["id"] = p.ID
	}
	if password != "" {
		user["password"] = password
	}
	return Request{Method: "POST", Path: canonicalUsers, Header: s.bearer() + line("Content-Type", typeJSON), Body: object(user)}
}

// canonicalPages are the requests for the first pages of a company.
func canonicalPages(ctx context.Context, s *Site, header string) (pages []Request, err error) {
	path := fmt.Sprintf("%s?company=%d&limit=%d&total=true", canonicalUsers, s.Company, pageSize)
	for cursor := ""; len(pages) < walked; {
		r := Request{Method: "GET", Path: path, Header: header}
		if cursor != "" {
			r.Path += "&cursor=" + url.QueryEscape(cursor)
		}
		_, body, err := s.exchange(ctx, r)
		if err != nil {
			return pages, err
		}
		pages = append(pages, r)
		var page struct {
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return pages, err
		}
		if page.Next == nil || *page.Next == "" {
			break
		}
		cursor = *page.Next
	}
	return pages, nil
}

func newSCIM(_ context.Context, s *Site) (*Client, error) {
	header := s.bearer()
	withBody := header + line("Content-Type", typeSCIM)
	const users = "/scim/v2/Users"
	active := func(value bool) func(*Person) Request {
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":%t}]}`, value)
		return func(p *Person) Request {
			return Request{Method: "PATCH", Path: users + "/" + p.ID, Header: withBody, Body: body}
		}
	}
	return &Client{
		Read:     func(p *Person) Request { return Request{Method: "GET", Path: users + "/" + p.ID, Header: header} },
		Activate: active(true), Deactivate: active(false),
		LookUp: map[By]func(*Person) Request{
			ByUserName: filter(users, "userName", userName, header), ByEmail: filter(users, "emails.value", email, header),
			ByExternalID: filter(users, "externalId", externalID, header),
		},
		List: func(n int) Request {
			return Request{Method: "GET", Path: fmt.Sprintf("%s?startIndex=%d&count=%d", users, n*pageSize+1, pageSize), Header: header}
		},
		Create: func(p *Person, password string) Request {
			user := map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": p.UserName, "active": true,
				"name":         map[string]string{"givenName": p.GivenName, "familyName": p.FamilyName},
				"emails":       []map[string]any{{"value": p.Email, "primary": true}},
				"phoneNumbers": []map[string]any{{"value": p.Phone, "type": "work"}}}
			if password != "" {
				user["password"] = password
			}
			return Request{Method: "POST", Path: users, Header: withBody, Body: object(user)}
		},
	}, nil
}

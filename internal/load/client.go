package load

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// By is what a look-up finds a user by.
type By string

// What users are looked up by.
const (
	ByUserName   By = "user-name"
	ByEmail      By = "email"
	ByExternalID By = "external-id"
)

// Client is a client of one door with its credential, signed in where the
// vendor's own would be: it makes the requests that the door has. nil is a
// request that it has not.
type Client struct {
	Door                       string
	Read, Activate, Deactivate func(p *Person) Request
	LookUp                     map[By]func(p *Person) Request
	// List is page n, from 0, of 30 users.
	List func(n int) Request
	// Search looks for the given and the family name of somebody.
	Search func(p *Person) Request
	// Create makes a user; password "" makes one without.
	Create func(p *Person, password string) Request
	// NoPasswordless says that Create needs a password.
	NoPasswordless bool
	// Login signs a user in with AdminSecret.
	Login func(p *Person) Request
	// restore activates a user, over the canonical API: no door's own idea of an
	// active user who is activated again stands in the way.
	restore func(p *Person) Request
	// pages is how many pages List has; 0: as many as it is asked for.
	pages int
}

// pageSize is how many users are on a page.
const pageSize = 30

// Site is the server that clients are made for.
type Site struct {
	URL     string // http:// or https://, host and port
	Key     string
	Company int64 // the company whose users are listed, and that new users belong to
	HTTP    *http.Client
}

// clients make the client of each door.
var clients = map[string]func(ctx context.Context, s *Site) (*Client, error){
	"iqmetrix": newIQmetrix, "encore": newEncore, "smartapp": newSmartapp, "edubrite": newEduBrite,
	"servicemobility": newServiceMobility, "canonical": newCanonical, "scim": newSCIM,
}

// doorNames are the doors in the order in which they are shown.
var doorNames = []string{"iqmetrix", "encore", "smartapp", "edubrite", "servicemobility", "canonical", "scim"}

// Doors are the names of the doors.
func Doors() []string { return slices.Clone(doorNames) }

// NewClient makes the client of a door.
func NewClient(ctx context.Context, door string, s *Site) (*Client, error) {
	make, ok := clients[door]
	if !ok {
		return nil, fmt.Errorf("there is no door %q; the doors are %s", door, strings.Join(doorNames, ", "))
	}
	c, err := make(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("door %s: %w", door, err)
	}
	c.Door = door
	c.restore = func(p *Person) Request {
		return Request{Method: "POST", Path: canonicalUsers + "/" + p.ID + "/activate", Header: s.bearer()}
	}
	return c, nil
}

// exchange sends what comes before a load and after it, and must succeed. No
// answer of these doors leads elsewhere, and what does is not given the key.
func (s *Site) exchange(ctx context.Context, r Request) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, s.URL+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return nil, nil, err
	}
	for header := range strings.SplitSeq(r.Header, "\r\n") {
		if name, value, ok := strings.Cut(header, ": "); ok {
			request.Header.Add(name, value)
		}
	}
	staying := *cmp.Or(s.HTTP, http.DefaultClient)
	staying.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := staying.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := readBounded(answer.Body)
	if err == nil && (answer.StatusCode < 200 || answer.StatusCode > 299) {
		path, _, _ := strings.Cut(r.Path, "?")
		err = fmt.Errorf("%s %s: %d %.300s", r.Method, path, answer.StatusCode, body)
	}
	return answer, body, err
}

// Content types.
const (
	typeJSON = "application/json"
	typeSCIM = "application/scim+json"
	typeForm = "application/x-www-form-urlencoded"
)

// object is JSON of maps, texts and numbers, which always has a form.
func object(v map[string]any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("load: %v", err))
	}
	return string(text)
}

func (s *Site) bearer() string { return line("Authorization", "Bearer "+s.Key) }

func newIQmetrix(_ context.Context, s *Site) (*Client, error) {
	header := s.bearer()
	withBody := header + line("Content-Type", typeJSON)
	user := func(method, after string) func(*Person) Request {
		return func(p *Person) Request {
			return Request{Method: method, Path: fmt.Sprintf("/v1/Users(%d)%s", p.Number, after), Header: header}
		}
	}
	company := fmt.Sprintf("/v1/Entities(%d)/Users", s.Company)
	return &Client{
		Read: user("GET", ""), Activate: user("POST", "/Enable"), Deactivate: user("DELETE", ""),
		List: func(n int) Request {
			return Request{Method: "GET", Path: fmt.Sprintf("%s?$skip=%d&$top=%d", company, n*pageSize, pageSize), Header: header}
		},
		Search: func(p *Person) Request {
			return Request{Method: "GET", Path: company + "/Search?terms=" + url.QueryEscape(p.GivenName+" "+p.FamilyName), Header: header}
		},
		Create: func(p *Person, password string) Request {
			user := map[string]any{"UserName": p.UserName, "Email": p.Email, "FirstName": p.GivenName, "LastName": p.FamilyName, "JobTitle": "Sales Clerk",
				"ParentEntityId": s.Company, "PhoneNumbers": []map[string]string{{"Number": p.Phone, "Extension": "5532", "Type": "Work"}},
				"Address": map[string]string{"AddressLine1": "1432 Merry View Road", "City": "Big Windy", "StateCode": "ON", "CountryCode": "CA", "Zip": "A1A2B2"}}
			if password != "" {
				user["Password"] = password
			}
			return Request{Method: "POST", Path: "/v1/Users/importExisting", Header: withBody, Body: object(user)}
		},
		Login: func(p *Person) Request {
			form := url.Values{"grant_type": {"password"}, "username": {p.UserName}, "password": {AdminSecret}, "client_id": {OAuthClient}, "client_secret": {AdminSecret}}
			return Request{Method: "POST", Path: "/v1/oauth2/token", Header: line("Content-Type", typeForm), Body: form.Encode()}
		},
	}, nil
}

func newEncore(_ context.Context, s *Site) (*Client, error) {
	header := line("Ocp-Apim-Subscription-Key", s.Key)
	const users = "/users/v1/users"
	user := func(method, after string) func(*Person) Request {
		return func(p *Person) Request {
			return Request{Method: method, Path: fmt.Sprintf("%s/%d%s", users, p.Number, after), Header: header}
		}
	}
	return &Client{
		Read: user("GET", ""), Activate: user("PUT", "/active"), Deactivate: user("DELETE", "/active"),
		List: func(n int) Request {
			return Request{Method: "GET", Path: fmt.Sprintf("%s?pageNumber=%d&pageSize=%d", users, n+1, pageSize), Header: header}
		},
		NoPasswordless: true, // Encore's Create wants one
		Create: func(p *Person, password string) Request {
			return Request{Method: "POST", Path: users, Header: header + line("Content-Type", typeJSON), Body: object(map[string]any{
				"UserName": p.UserName, "Password": password, "FirstName": p.GivenName, "LastName": p.FamilyName, "Email": p.Email, "Phone": p.Phone, "LicenseType": 1, "IsActive": true})}
		},
	}, nil
}

func newSmartapp(_ context.Context, s *Site) (*Client, error) {
	header := line("X-API-Key", s.Key)
	user := func(method, path, parameter string, value func(*Person) string) func(*Person) Request {
		return func(p *Person) Request {
			return Request{Method: method, Path: path + "?" + parameter + "=" + url.QueryEscape(value(p)), Header: header}
		}
	}
	id := func(p *Person) string { return p.ID }
	return &Client{
		Read:     user("GET", "/user/get/uniqueid", "UniqueID", id),
		Activate: user("POST", "/user/activate", "UniqueID", id), Deactivate: user("POST", "/user/deactivate", "UniqueID", id),
		LookUp: map[By]func(*Person) Request{
			ByUserName: user("GET", "/user/get/username", "userName", func(p *Person) string { return p.UserName }),
			ByEmail:    user("GET", "/user/get/email", "email", func(p *Person) string { return p.Email }),
		},
		List: func(n int) Request {
			return Request{Method: "GET", Path: fmt.Sprintf("/user/getusers?skip=%d&take=%d", n*pageSize, pageSize), Header: header}
		},
		Create: func(p *Person, password string) Request {
			user := map[string]any{"firstName": p.GivenName, "lastName": p.FamilyName, "email": p.Email, "userName": p.UserName, "phone": p.Phone}
			if password != "" {
				user["password"] = password
			}
			return Request{Method: "POST", Path: "/user/create", Header: header + line("Content-Type", typeJSON), Body: object(user)}
		},
	}, nil
}

package scaleout_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/usher-id/usher/internal/testkit/site"
)

// doors are those that the load goes through: the canonical one and those of
// three vendors.
const doors = "canonical,iqmetrix,encore,smartapp"

// person is a user as the doors name it.
type person struct {
	id     string
	number int64
}

// door renames and reads users in the words of one door.
type door struct {
	name   string
	rename func(c *http.Client, base string, p person, given string) error
	given  func(c *http.Client, base string, p person) (string, error)
}

// refusal is an answer other than 200 and 201.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.text) }

// send sends a request with the site's key in whatever header a door wants, and
// reads a JSON answer.
func send(c *http.Client, header, method, at string, body, into any) error {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, at, sent)
	if err != nil {
		return err
	}
	value := site.Key
	if header == "Authorization" {
		value = "Bearer " + value
	}
	r.Header.Set(header, value)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusCreated:
		return &refusal{answer.StatusCode, string(text)}
	case into != nil:
		return json.Unmarshal(text, into)
	}
	return nil
}

// all are the doors of the load.
var all = []door{
	{"canonical",
		func(c *http.Client, base string, p person, given string) error {
			return send(c, "Authorization", http.MethodPatch, base+"/api/v1/users/"+p.id, map[string]any{"given_name": given}, nil)
		},
		func(c *http.Client, base string, p person) (string, error) {
			var user struct {
				Name string `json:"given_name"`
			}
			err := send(c, "Authorization", http.MethodGet, base+"/api/v1/users/"+p.id, nil, &user)
			return user.Name, err
		}},
	{"iqmetrix",
		func(c *http.Client, base string, p person, given string) error {
			at, user := fmt.Sprintf("%s/v1/Users(%d)", base, p.number), map[string]any{}
			if err := send(c, "Authorization", http.MethodGet, at, nil, &user); err != nil {
				return err
			}
			user["FirstName"] = given
			return send(c, "Authorization", http.MethodPut, at, user, nil)
		},
		func(c *http.Client, base string, p person) (string, error) {
			var user struct{ FirstName string }
			err := send(c, "Authorization", http.MethodGet, fmt.Sprintf("%s/v1/Users(%d)", base, p.number), nil, &user)
			return user.FirstName, err
		}},
	{"encore",
		func(c *http.Client, base string, p person, given string) error {
			return send(c, "Ocp-Apim-Subscription-Key", http.MethodPatch, fmt.Sprintf("%s/users/v1/users/%d", base, p.number), map[string]any{"FirstName": given}, nil)
		},
		func(c *http.Client, base string, p person) (string, error) {
			var user struct{ FirstName string }
			err := send(c, "Ocp-Apim-Subscription-Key", http.MethodGet, fmt.Sprintf("%s/users/v1/users/%d", base, p.number), nil, &user)
			return user.FirstName, err
		}},
	{"smartapp",
		func(c *http.Client, base string, p person, given string) error {
			query := url.Values{"UniqueID": {p.id}, "firstName": {given}}
			return send(c, "X-API-Key", http.MethodPost, base+"/user/update?"+query.Encode(), nil, nil)
		},
		func(c *http.Client, base string, p person) (string, error) {
			var user struct {
				Name string `json:"firstName"`
			}
			err := send(c, "X-API-Key", http.MethodGet, base+"/user/get/uniqueid?UniqueID="+p.id, nil, &user)
			return user.Name, err
		}},
}

// create makes a user through the canonical door.
func create(c *http.Client, base string, body map[string]any) (person, error) {
	var made struct {
		ID     string
		Number int64
	}
	err := send(c, "Authorization", http.MethodPost, base+"/api/v1/users", body, &made)
	return person{made.ID, made.Number}, err
}

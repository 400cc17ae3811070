package load

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A server that runs already is measured by those of its users whom the key sees,
// and only read from unless writing is allowed.
func TestAServerThatRunsAlready(t *testing.T) {
	server := seededServer(t, "sqlite")
	remote, err := Reach(t.Context(), server.URL, Key, 250, false)
	if err != nil {
		t.Fatal(err)
	}
	if n := remote.people.Count; n != 250 {
		t.Errorf("the sample has %d users", n)
	}
	for _, refused := range []struct{ scenario, door, want string }{
		{"state", "iqmetrix", "--writes"}, {"create", "scim", "--writes"}, {"read", "edubrite", "somebody who signs in"},
		{"lookup-external-id", "scim", "external ids"}, {"search", "scim", "no scenario"},
	} {
		_, err := remote.Contender(t.Context(), refused.scenario, refused.door, 1, 0, false)
		if err == nil || !strings.Contains(err.Error(), refused.want) || errors.Is(err, ErrWrites) != (refused.want == "--writes") {
			t.Errorf("%s through %s: %v, want %q", refused.scenario, refused.door, err, refused.want)
		}
	}
	remote.KeepIn(t.TempDir())
	before := census(t, server)
	var list []*Contender
	for scenario, door := range map[string]string{"read": "encore", "lookup": "scim", "list": "canonical", "search": "iqmetrix", "state": "smartapp"} {
		c, err := remote.Contender(t.Context(), scenario, door, 2, 0, true)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if err := Compete(t.Context(), nil, list, Rounds{Rounds: 2, Slice: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Requests == 0 || len(c.Errors) > 0 || c.Ratio != 0 || c.Engine != "" {
			t.Errorf("%+v", c.Figure)
		}
	}
	if err := remote.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if after := census(t, server); after != before {
		t.Errorf("the directory has %+v, and had %+v", after, before)
	}
	for base, want := range map[string]string{"users.example.com": "give the server's address", "ftp://a": "give the server's address", server.URL + "/scim": "give the server's address"} {
		if _, err := Reach(t.Context(), base, Key, 10, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", base, err)
		}
	}
	if _, err := Reach(t.Context(), server.URL, "not-the-key-of-anybody", 10, false); err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "not-the-key") {
		t.Errorf("another key: %v", err)
	}
}

package console_test

import (
	"testing"

	"github.com/usher-id/usher/internal/browser"
	"github.com/usher-id/usher/internal/testkit"
)

// userPages are the pages about users, by name.
var userPages = []struct{ name, path string }{
	{"list", "/console/users"}, {"list-filtered", "/console/users?status=active&company=14146&locked=no"}, {"list-nobody", "/console/users?q=nobody-at-all"},
	{"new", "/console/users/new"}, {"user", "/console/users/2576"}, {"edit", "/console/users/2576/edit"}, {"memberships", "/console/users/2576/memberships"},
	{"access", "/console/users/2576/access"}, {"seen", "/console/users/2576/seen"}, {"history", "/console/users/2576/history"},
	{"past", "/console/users/2576/past?at=2020-01-01T00:00:00"}, {"lock", "/console/users/2576/do/lock"}, {"delete", "/console/users/2576/do/delete"},
	{"password", "/console/users/2576/do/password"}, {"impersonate", "/console/users/2576/do/impersonate"},
	{"ask-bulk", "/console/actions/new?verb=lock&user=2576&user=2577"}, {"actions", "/console/actions"},
}

// Every page about users is right in light, in dark and on a narrow screen.
func TestPagesOfUsersAreAccessible(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	for name, o := range map[string]browser.Options{"light": {Width: 1440, Height: 900}, "dark": {Width: 1440, Height: 900, Dark: true}, "narrow": {Width: 360, Height: 740}} {
		t.Run(name, func(t *testing.T) {
			p := signIn(t, s.URL, o)
			for _, at := range userPages {
				p.Go(at.path)
				p.Find("h1")
				p.Accessible()
				p.Picture(at.name + "-" + name)
			}
		})
	}
}

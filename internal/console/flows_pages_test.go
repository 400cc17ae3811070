package console_test

import (
	"testing"

	"github.com/usher-id/usher/internal/browser"
	"github.com/usher-id/usher/internal/testkit"
)

// looks are the windows in which every page must be right.
var looks = map[string]browser.Options{
	"light":  {Width: 1440, Height: 900},
	"dark":   {Width: 1440, Height: 900, Dark: true},
	"narrow": {Width: 360, Height: 740},
	"wide":   {Width: 2560, Height: 1300},
}

// What is neither about one user nor about many, filled and empty.
func TestPagesAreAccessible(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	paths := []string{"/", "/companies", "/companies?q=kentel", "/companies?q=nobody", "/companies/14146", "/companies/new", "/companies/14146/edit", "/companies/14146/locations/new", "/locations/2",
		"/groups", "/groups?kind=service_team", "/groups?q=nobody", "/groups/new", "/roles", "/roles/1", "/roles/1/members", "/roles/new", "/licences", "/licences/regular", "/lock-reasons", "/lock-reasons/14", "/lock-reasons/new",
		"/credentials", "/credentials/new", "/doors", "/doors/encore", "/doors/edubrite", "/webhooks", "/webhooks/new", "/jobs", "/jobs?state=failed", "/audit", "/audit?type=user.created", "/settings", "/imports", "/imports/new", "/actions", "/account"}
	for name, o := range looks {
		t.Run(name, func(t *testing.T) {
			p := signIn(t, s.URL, o)
			for i, path := range paths {
				if name == "wide" && i == 8 { // width is the frame's matter
					break
				}
				p.Go("/console" + path)
				p.Accessible()
			}
			p.Picture("overview-" + name)
		})
	}
}

// Errors are pages too.
func TestPagesForErrors(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	p := signIn(t, s.URL, browser.Options{})
	p.Allow("status of 404")
	for _, path := range []string{"/nowhere", "/companies/99999", "/groups/0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a21", "/credentials/none", "/users/999999"} {
		p.Go("/console" + path)
		p.Shows("Not found")
		p.Accessible()
	}
	p.Allow("status of 422")
	p.Go("/console/companies/new")
	p.Fill("#f-name", "Kentel South")
	p.Fill("#f-parent", "99999")
	p.Follow("main form .primary")
	p.Shows("There is no such company.")
	if value := p.Find("#f-name").MustProperty("value").Str(); value != "Kentel South" {
		t.Errorf("the name that was typed is %q now", value)
	}
	p.Accessible()
}

// The organisation is changed, and what belongs to it.
func TestFlowsOfTheOrganisation(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	p := signIn(t, s.URL, browser.Options{})
	p.Go("/console/companies/new?parent=14146")
	p.Fill("#f-name", "Kentel West")
	p.Follow("main form .primary")
	p.Shows("Company Kentel West has been made.")
	p.Follow(`a[href$="/locations/new"]`)
	p.Fill("#f-name", "Harbour")
	p.Follow("main form .primary")
	p.Shows("Location Harbour has been made.")
	p.Go("/console/companies")
	p.Shows("Harbour")

	p.Go("/console/groups/new")
	p.Fill("#f-name", "Night shift")
	p.Follow("main form .primary")
	p.Fill("#f-user", "nobody@example.test")
	p.Allow("status of 422")
	p.Follow(`form[action$="/add"] button`)
	p.Shows("There is no such user.")
	p.Fill("#f-user", "ccarr1")
	p.Follow(`form[action$="/add"] button`)
	p.Shows("1 member")

	p.Go("/console/licences/employee")
	p.Fill("#f-total", "7")
	p.Follow("main form .primary")
	p.Shows("7 seats")

	p.Go("/console/settings")
	p.Fill(`[name="recycle_bin_days"]`, "-1")
	p.Follow("main form .primary")
	p.Shows("recycle_bin_days must be")
	p.Fill(`[name="recycle_bin_days"]`, "30")
	p.Follow("main form .primary")
	p.Shows("Saved.")

	p.Go("/console/doors/canonical")
	p.Fill("#f-key", "usher-demo-key")
	p.Follow("main form .primary")
	p.Shows("200 OK")
	p.Hides("usher-demo-key")

	p.Go("/console/audit")
	p.Follow(`form[action$="/verify"] button`)
	p.Shows("each has the hash that follows from the one before it")
}

// A credential's secret is shown once, works, and ends when the credential is revoked.
func TestFlowOfACredential(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	p := signIn(t, s.URL, browser.Options{})
	p.Go("/console/credentials/new")
	p.Fill("#f-name", "point of sale")
	p.Follow("main form .primary")
	p.Shows("only time that the secret is shown")
	p.Accessible()
	secret := p.Find("#made-secret").MustText()
	if status := get(t, s.URL+"/api/v1/me", secret); status != 200 {
		t.Errorf("the secret answers %d", status)
	}
	p.Go("/console/credentials")
	p.Hides(secret)
	p.Follow(`main tbody tr:last-child a`)
	p.Follow(`form[action$="/revoke"] button`)
	p.Shows("has been revoked")
	if status := get(t, s.URL+"/api/v1/me", secret); status != 401 {
		t.Errorf("a revoked secret answers %d", status)
	}
}

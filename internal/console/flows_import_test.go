package console_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/browser"
	"github.com/usher-id/usher/internal/testkit"
)

// get asks with a key and answers with the status.
func get(t *testing.T, url, key string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

const peopleFile = "Login,First Name,Surname,E-Mail,Shoe size\n" +
	"nina,Nina,Berg,nina@example.test,38\n" +
	"omar,Omar,Diaz,not an address,43\n" +
	"pia,Pia,Engel,pia@example.test,40\n" +
	"nina,Nina,Again,other@example.test,38\n"

// A file with bad rows is sent, its columns are corrected, it is tried, and imported;
// the rejected rows come back as a file.
func TestImportWithBadRows(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	p := signIn(t, s.URL, browser.Options{})
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(peopleFile), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Go("/console/imports/new")
	p.Find("#f-file").MustSetFiles(file)
	p.Follow("main form .primary")
	p.Shows("Shoe size")
	p.Accessible()
	p.Picture("import-options")
	p.Follow(`button[value="try"]`)
	p.Shows("Nothing was changed")
	p.Shows("omar")
	p.Accessible()
	p.Picture("import-tried")
	if status := get(t, s.URL+"/api/v1/users/by/user_name/nina", "usher-demo-key"); status != http.StatusNotFound {
		t.Errorf("after a try nina answers %d", status)
	}
	p.Follow(`button[value="import"]`)
	p.Shows("Rejected rows as a file")
	if status := get(t, s.URL+"/api/v1/users/by/user_name/nina", "usher-demo-key"); status != http.StatusOK {
		t.Errorf("after the import nina answers %d", status)
	}
	rejected := p.MustEval(`() => fetch(document.querySelector('a[href$="/rejected"]').href).then(r => r.text())`).Str()
	if lines := strings.Count(rejected, "\n"); lines != 3 || !strings.Contains(rejected, "omar") || !strings.Contains(rejected, "Again") {
		t.Errorf("rejected rows:\n%s", rejected)
	}
	undo := p.MustEval(`() => fetch(document.querySelector('a[href$="/undo"]').href).then(r => r.text())`).Str()
	if strings.Count(undo, `"undo":"delete"`) != 2 {
		t.Errorf("undo file:\n%s", undo)
	}
	p.Go("/console/imports")
	p.Shows("people.csv")
	p.Accessible()
}

// A form without the proof of its session, and one of another site, change nothing.
func TestForeignFormsAreRefused(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	p := signIn(t, s.URL, browser.Options{})
	p.Allow("status of 403")
	p.Go("/console/companies/new")
	p.Fill("#f-name", "Forged")
	p.MustEval(`() => { document.querySelector('main input[name="csrf"]').value = "forged" }`)
	p.Follow("main form .primary")
	p.Shows("did not come from this console")
	p.Accessible()
	var session string
	for _, c := range p.MustCookies() {
		if c.Name == "usher_session" {
			session = c.Value
			if !c.HTTPOnly || c.Path != "/console" || c.SameSite != "Lax" {
				t.Errorf("the session's cookie: %+v", c)
			}
		}
	}
	for _, header := range [][2]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/console/companies/new", strings.NewReader("name=Forged"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(header[0], header[1])
		req.AddCookie(&http.Cookie{Name: "usher_session", Value: session})
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", header[0], resp.StatusCode)
		}
	}
	p.Go("/console/companies?q=forged")
	p.Shows("No company has such a name.")
}

package app_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// successor makes a directory that has what users of the vendor can belong to, and no
// users: what somebody prepares before the users come.
func successor(t *testing.T, from *testkit.Server) *app.TenantAdmin {
	t.Helper()
	cfg := config.Default()
	cfg.Database = "sqlite:" + filepath.Join(t.TempDir(), "successor.db")
	admin, err := app.OpenAdmin(t.Context(), &cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() }) // again after the test has closed it
	first, err := from.Service.Company(t.Context(), system(), 14146)
	if err == nil {
		_, err = app.ServiceOf(admin).CreateTenant(t.Context(), directory.System(0, "test"), directory.Tenant{Name: "successor",
			Settings: directory.Settings{Password: directory.PasswordPolicy{MinLength: 6}}}, directory.Company{Number: first.Number, ID: first.ID, Name: first.Name})
	}
	if err != nil {
		t.Fatal(err)
	}
	a, err := admin.Tenant(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	furnish(t, from, a)
	return a
}

// furnish makes in a directory the companies, places, groups, roles, pools and
// credentials of the vendor, under the same numbers and ids.
func furnish(t *testing.T, from *testkit.Server, a *app.TenantAdmin) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	to := app.ServiceOf(a.Admin)
	companies, err := from.Service.ListCompanies(ctx, system(), directory.ListQuery{Limit: 100})
	must(err)
	for _, c := range companies.Items {
		if c.Number != 14146 {
			_, err := to.CreateCompany(ctx, system(), directory.Company{Number: c.Number, ID: c.ID, Name: c.Name, Parent: c.Parent})
			must(err)
		}
	}
	_, err = to.CreateLocation(ctx, system(), directory.Location{Number: 14202, Company: 14146, Name: "Regina Downtown"})
	must(err)
	_, err = to.CreateLockReason(ctx, system(), directory.LockReason{Number: 14, Company: 14146, Name: "PaperworkNotDone", Description: "x"})
	must(err)
	for _, r := range []directory.Role{{Key: "intern", Name: "intern"}, {Key: "software developer", Name: "software developer"},
		{Key: "administrator", Name: "administrator", Rank: directory.RankAdministrator}} {
		_, err := to.CreateRole(ctx, system(), r)
		must(err)
	}
	for _, g := range []directory.Group{{Kind: directory.GroupPlain, Name: "interns"}, {Kind: directory.GroupPlain, Name: "Smartapp1350 employee"},
		{Kind: directory.GroupDashboard, Name: "Operations"}, {Kind: directory.GroupServiceTeam, Key: "TEAM-1", Name: "Team 1"},
		{Kind: directory.GroupServiceTeam, Key: "TEAM-2", Name: "Team 2"}} {
		_, err := to.CreateGroup(ctx, system(), g)
		must(err)
	}
	_, err = to.SetPool(ctx, system(), "regular", 1000)
	must(err)
	_, _, err = to.CreateKey(ctx, system(), directory.NewCredential{Name: "key", Secret: "usher-demo-key", Rank: directory.RankOwner})
	must(err)
	_, _, err = to.CreateAPIUser(ctx, system(), directory.NewCredential{Name: "api", ClientID: "api_usher_demo", Secret: "usher-demo-password", Rank: directory.RankOwner})
	must(err)
}

// bringIn imports a file of records.
func bringIn(t *testing.T, a *app.TenantAdmin, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	run, err := a.CreateImport(t.Context(), "pulled", false, []byte(`{"format":"ndjson","create_missing":true,"shared_email":true}`))
	if err == nil {
		_, err = a.SendImport(t.Context(), run.ID, f, func(int64) {})
	}
	if err == nil {
		_, err = a.StartImport(t.Context(), run.ID, 0, 0)
	}
	if err == nil {
		run, err = a.WorkImport(t.Context(), run.ID, func(*app.BulkRun) {})
	}
	if err != nil {
		t.Fatal(err)
	}
	if rows := run.Counts[directory.RowConflict] + run.Counts[directory.RowInvalid]; run.State != directory.BulkDone || rows > 0 {
		t.Errorf("the import is %s with %d rejected rows of %d", run.State, rows, run.Rows)
		shown := 0
		err := a.ImportVerdicts(t.Context(), run.ID, []string{"conflict", "invalid"}, func(v *app.RowVerdict) bool {
			t.Logf("%+v", *v)
			shown++
			return shown < 10
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// drift compares the vendor's users, read anew, with those who are here.
func drift(t *testing.T, url, door string, a *app.TenantAdmin) (list []app.Drift) {
	t.Helper()
	p, _ := newPull(t, url, door)
	if _, err := p.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	names, err := a.CompanyNames(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = p.Compare(t.Context(), a.LocalUsers(0), names, func(d *app.Drift) error { list = append(list, *d); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestPullMovesADirectory: what is read through a door and imported is what the door
// then answers, byte by byte but for what docs/migration.md says is lost; a comparison
// finds nothing, and after a change exactly that.
func TestPullMovesADirectory(t *testing.T) {
	s := vendor(t)
	for _, door := range app.PullDoors() {
		t.Run(door, func(t *testing.T) {
			a := successor(t, s)
			p, file := newPull(t, s.URL, door)
			if _, err := p.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			bringIn(t, a, file)
			if list := drift(t, s.URL, door, a); len(list) > 0 {
				t.Errorf("%d differ: %s", len(list), asText(t, list[:min(5, len(list))]))
			}
			rename := func(name string) {
				t.Helper()
				changed := directory.UserPatch{FamilyName: directory.Some(name)}
				if _, err := s.Service.UpdateUser(t.Context(), system(), directory.ByUserName("worker.003"), changed, directory.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			rename("Changed")
			list := drift(t, s.URL, door, a)
			if len(list) != 1 || list[0].Drift != "changed" || list[0].UserName != "worker.003" || len(list[0].Fields) != 1 ||
				list[0].Fields[0].Field != "family_name" || string(list[0].Fields[0].There) != `"Changed"` {
				t.Errorf("after a change: %s", asText(t, list))
			}
			rename(familyName)
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			here := testkit.Start(t, testkit.Options{Tune: func(c *config.Config) { c.Database = app.DatabaseOf(a.Admin) }})
			answers(t, s.URL, here.URL, door, recordsOf(t, file))
		})
	}
}

func asText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lost are the parts of answers that no pull brings along (docs/migration.md).
var lost = map[string]*regexp.Regexp{
	"iqmetrix": regexp.MustCompile(`,"Version":\d+`),                                                                             // a counter of the server
	"smartapp": regexp.MustCompile(`,"companyLocation":\{[^}]*\}`),                                                               // has no number
	"scim":     regexp.MustCompile(`"meta":\{[^}]*\}|"value":"[^"]*","\$ref":"[^"]*/Groups/[^"]*",|,?"[a-zA-Z]*Cursor":"[^"]*"`), // of the server
}

// paths are what is compared: lists, and users where lists have less.
func paths(door string, records map[string]directory.Record) (list []string) {
	switch door {
	case "encore":
		list = append(list, "/users/v1/users?pageSize=2000")
	case "iqmetrix":
		for skip := range 3 {
			list = append(list, fmt.Sprintf("/v1/Entities(14146)/Users?$skip=%d&$top=100", 100*skip))
		}
	case "smartapp":
		list = append(list, "/user/getusers?take=1000")
	case "edubrite":
		list = append(list, "/oltpublish/site/userService.do?dispatch=list&pageSize=2000")
	case "scim":
		list = append(list, "/scim/v2/Users?count=200", "/scim/v2/Users?count=200&startIndex=201")
	}
	for name, r := range records {
		switch door {
		case "encore":
			list = append(list, fmt.Sprintf("/users/v1/users/%d", *r.Number))
		case "iqmetrix":
			list = append(list, fmt.Sprintf("/v1/Users(%d)/Locations", *r.Number), fmt.Sprintf("/v1/Users(%d)/Unlock", *r.Number))
		case "servicemobility":
			list = append(list, "/seiapi/v3/trans/User/"+name, "/seiapi/v3/trans/User/"+name+"/roles")
		}
	}
	return list
}

// answers compares what a door answers on two servers.
func answers(t *testing.T, there, here, door string, records map[string]directory.Record) {
	t.Helper()
	seen := 0
	for _, path := range paths(door, records) {
		a, b := answer(t, there, door, path), answer(t, here, door, path)
		if re := lost[door]; re != nil {
			a, b = re.ReplaceAllString(a, ""), re.ReplaceAllString(b, "")
		}
		if a = strings.ReplaceAll(a, there, here); a != b {
			t.Errorf("%s: %s", path, cmp.Diff(split(a), split(b)))
			if seen++; seen > 3 {
				return
			}
		}
	}
}

// split makes lines of an answer, so that a difference is short.
func split(text string) []string {
	return strings.Split(strings.NewReplacer("},{", "},\n{", "<user ", "\n<user ").Replace(text), "\n")
}

// answer is a door's answer to a read.
func answer(t *testing.T, url, door, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	switch door {
	case "encore":
		r.Header.Set("Ocp-Apim-Subscription-Key", "usher-demo-key")
	case "servicemobility":
		r.Header.Set("x-access-token", "usher-demo-key")
	case "edubrite":
		r.Header["REAL_UNAME"] = []string{"chenry"}
		id := visit(t, url+"/site/home.do", "SESSION_ID", "")
		r.Header.Set("Cookie", id+"; "+visit(t, url+"/site/connect.do?username=api_usher_demo&password=usher-demo-password", "SESSION_INFO", id))
	default:
		r.Header.Set("Authorization", "Bearer usher-demo-key")
	}
	got, err := insecure.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", path, got.StatusCode, body, err)
	}
	return string(body)
}

var insecure = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}

// visit sends a step of signing in at the edubrite door and returns a cookie of the
// answer.
func visit(t *testing.T, url, cookie, with string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if with != "" {
		r.Header.Set("Cookie", with)
	}
	got, err := insecure.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	for _, c := range got.Cookies() {
		if c.Name == cookie {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("%s: no cookie %s: %s", url, cookie, got.Status)
	return ""
}

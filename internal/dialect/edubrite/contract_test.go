package edubrite_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// prepare adds what the scripts need to the sample directory.
func prepare(t testing.TB, s *testkit.Server) map[string]string { return vars(t, s.Service) }

// TestContract runs the scripts of testdata/contract on both engines, each on
// a sample directory of its own.
func TestContract(t *testing.T) { testkit.Contract(t, prepare) }

// TestContractOfTheProgram runs the scripts against the built program, each on
// a copy of one database.
func TestContractOfTheProgram(t *testing.T) { testkit.ContractOfTheProgram(t, prepare) }

// demo is the number of the sample tenant.
func demo(t testing.TB, service *directory.Service) directory.TenantNo {
	t.Helper()
	tenant, err := service.TenantByName(context.Background(), directory.System(0, "test"), "demo")
	must(t, err)
	return tenant.No
}

// The published API user of the sample directory.
const (
	apiUser     = "api_usher_demo"
	apiPassword = "usher-demo-password"
)

// connected are the cookies of a new session of an API user.
func connected(t testing.TB, service *directory.Service, name, password string) string {
	t.Helper()
	call := &directory.Call{Door: directory.DoorEduBrite, ClientID: name, Secret: directory.Secret(password), Addr: "192.0.2.1"}
	pair, err := service.Connect(context.Background(), call, "")
	must(t, err)
	return "SESSION_ID=" + pair.ID + "; SESSION_INFO=" + pair.Info
}

// vars are the sessions of the sample directory's API user and of one in a
// second tenant, and beside them an ordinary user and an API user whose
// password has the characters of the vendor's.
func vars(t testing.TB, service *directory.Service) map[string]string {
	t.Helper()
	ctx, no := context.Background(), demo(t, service)
	system := func(tenant directory.TenantNo) *directory.Call { return directory.System(tenant, "test") }
	person := func(tenant directory.TenantNo, name, openID string) {
		_, err := service.CreateUser(ctx, system(tenant), directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some(name),
			GivenName: directory.Some("Jordan"), FamilyName: directory.Some("Student"), OpenID: directory.Some(openID)}})
		must(t, err)
	}
	person(no, "jordan.student", "open:jordan")
	_, _, err := service.CreateAPIUser(ctx, system(no), directory.NewCredential{Name: "odd", ClientID: "api_dummy", Secret: "dummy pass*|1-_",
		Rank: directory.RankAdministrator})
	must(t, err)
	groups, err := service.Groups(ctx, system(no), directory.GroupQuery{Kind: directory.GroupPlain, Name: "Smartapp1350 employee", Limit: 1})
	must(t, err)

	other, err := service.CreateTenant(ctx, system(0), directory.Tenant{Name: "other", Doors: directory.AllDoors}, directory.Company{})
	must(t, err)
	_, secret, err := service.CreateAPIUser(ctx, system(other.No), directory.NewCredential{Name: "other", ClientID: "api_other", Rank: directory.RankAdministrator})
	must(t, err)
	person(other.No, "outsider", "")
	role, err := service.CreateRole(ctx, system(other.No), directory.Role{Key: "administrator", Name: "administrator", Rank: directory.RankAdministrator})
	must(t, err)
	_, _, err = service.AssignRole(ctx, system(other.No), directory.ByUserName("outsider"), role.Number, other.DefaultCompany)
	must(t, err)

	return map[string]string{
		"api": connected(t, service, apiUser, apiPassword), "other_api": connected(t, service, "api_other", secret),
		"admin_password": apiPassword, "key": "usher-demo-key", "odd_user": "api_dummy", "group": groups.Groups[0].ID,
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client makes requests with the sample API user's session.
type client struct {
	t       testing.TB
	url     string
	cookies string
}

func newClient(t testing.TB, server *testkit.Server) *client {
	t.Helper()
	return &client{t, server.URL, connected(t, server.Service, apiUser, apiPassword)}
}

// post sends a body for the administrator of the sample directory.
func (c *client) post(path, media string, body []byte) (int, http.Header, string) {
	c.t.Helper()
	r, err := http.NewRequest("POST", c.url+path, bytes.NewReader(body))
	must(c.t, err)
	r.Header.Set("Content-Type", media)
	r.Header.Set("Cookie", c.cookies)
	r.Header.Set("REAL_UNAME", "chenry")
	answer, err := http.DefaultClient.Do(r)
	must(c.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(c.t, err)
	return answer.StatusCode, answer.Header, string(text)
}

// form sends an urlencoded body to userService.do.
func (c *client) form(body string) (int, http.Header, string) {
	c.t.Helper()
	return c.post("/oltpublish/site/userService.do", "application/x-www-form-urlencoded", []byte(body))
}

// TestRequestLimit: over the limit the answer is 429 in the envelope (dossier
// 4.1).
func TestRequestLimit(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	c := newClient(t, server)
	ctx, no := context.Background(), demo(t, server.Service)
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	tenant.Settings.RequestsPerMinute = map[string]int{"edubrite": 1}
	_, err = server.Service.UpdateTenant(ctx, directory.System(no, "test"), tenant)
	must(t, err)
	// Two calls may fall into two windows, three cannot: at most one is new.
	for i := range 3 {
		status, header, body := c.form("dispatch=get&userName=jdoe")
		if status == http.StatusOK {
			if i == 2 {
				t.Fatal("three calls passed a limit of one a minute")
			}
			continue
		}
		const want = `<response code="-1"><msgs><msg><code>-1</code><value><![CDATA[Too many requests. Please try again later.]]></value></msg></msgs></response>`
		if status != http.StatusTooManyRequests || body != want || header.Get("Content-Type") != "text/xml;charset=UTF-8" || header.Get("Retry-After") == "" {
			t.Fatalf("%d %v %q", status, header, body)
		}
		return
	}
}

// TestHostileBodies: no body is the server's fault, and every answer is the
// envelope.
func TestHostileBodies(t *testing.T) {
	const form, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
	big := strings.Repeat("x", 2<<20)
	part := func(name, value string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	bodies := map[string]struct {
		media, body string
		status      int
	}{
		"too large":            {form, "dispatch=get&userName=" + big, 413},
		"too large, multipart": {parts, part("dispatch", "get") + part("userName", big) + "--x--\r\n", 413},
		"many parameters":      {form, "dispatch=get" + strings.Repeat("&a=1", 5000), 400},
		"many parts":           {parts, strings.Repeat(part("a", "1"), 5000) + "--x--\r\n", 400},
		"many empty names":     {form, strings.Repeat("&=1", 5000) + "&dispatch=get&userName=jdoe", 200},
		"cut off":              {parts, part("dispatch", "get") + "--x\r\nContent-Disp", 400},
		"a file":               {parts, part("dispatch", "get") + part("userName", "jdoe") + "--x\r\nContent-Disposition: form-data; name=\"userName\"; filename=\"a\"\r\n\r\nb\r\n--x--\r\n", 200},
		"long name":            {form, "dispatch=create&firstName=a&lastName=b&email=a%40example.test&userName=" + big[:5000], 400},
		"long search":          {form, "dispatch=list&search=" + big[:500_000], 400},
		"many wildcards":       {form, "dispatch=list&search=" + strings.Repeat("a*", 200), 400},
		"many groups":          {form, "dispatch=list&groupId=" + strings.Repeat("a,", 3000), 400},
		"many properties":      {form, "dispatch=list" + strings.Repeat("&customPropertyMap['x']=1", 10) + manyProperties("customPropertyMap", 300), 400},
		"large properties":     {form, "dispatch=update&userName=jdoe" + manyProperties("customUpdPropMap", 3500), 400},
		"long property name":   {form, "dispatch=update&userName=jdoe&customUpdPropMap['" + big[:1000] + "']=1", 400},
		"an empty property":    {form, "dispatch=update&userName=jdoe&customUpdPropMap['']=1", 200},
		"users by the hundred": {form, "dispatch=signup", 400},
		"a negative page":      {form, "dispatch=list&currPage=-2147483648&pageSize=-2147483648", 200},
		"a huge page":          {form, "dispatch=list&currPage=99999999999999999999", 400},
		"an old date":          {form, "dispatch=list&fromDate=0001-01-01", 400},
		"a long date":          {form, "dispatch=list&fromDate=2020-01-01T00:00:00." + big[:1000], 400},
	}
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			c := newClient(t, testkit.Start(t, testkit.Options{Engine: engine, Demo: true}))
			for name, test := range bodies {
				status, _, body := c.post("/oltpublish/site/userService.do", test.media, []byte(test.body))
				if status != test.status || !strings.HasPrefix(body, `<response code="`) {
					t.Errorf("%s: %d %.300s", name, status, body)
				}
			}
		})
	}
}

// manyProperties are n parameters with values of a hundred bytes.
func manyProperties(name string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&" + name + "['p" + strings.Repeat("0", i%7) + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + "']=" + strings.Repeat("v", 100))
	}
	return b.String()
}

// TestHostileValues: bytes that mean something to a database or to nobody, in
// every parameter that is looked for.
func TestHostileValues(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			c := newClient(t, testkit.Start(t, testkit.Options{Engine: engine, Demo: true}))
			for _, value := range []string{"%25", "_", "%22", "'", "''", "*", "%28", "%5C", ":", "-", "NEAR", "%F0%9F%98%80", "%E2%80%AE", "%01", "%EF%BF%BF",
				"AND", "OR+NOT", "%7B%7D", "$1", "?1", "%5D%5D%3E", "%3C%21%5BCDATA%5B"} {
				for _, form := range []string{"dispatch=get&userName=", "dispatch=get&id=", "dispatch=get&openId=", "dispatch=list&search=", "dispatch=list&search=a*",
					"dispatch=list&groupId=", "dispatch=list&groupName=", "dispatch=list&customPropertyMap['a']=", "dispatch=list&customPropertyMap['" + value + "']=",
					"dispatch=list&fromDate=", "dispatch=addToGroups&userName=jdoe&groupId=", "dispatch="} {
					status, _, body := c.form(form + value)
					if status >= 500 || status == 401 || !strings.HasPrefix(body, `<response code="`) {
						t.Errorf("%s%s: %d %s", form, value, status, body)
					}
				}
			}
		})
	}
}

// TestSignupOfMany: 500 users are one call, and one more is too many (dossier
// 5.29).
func TestSignupOfMany(t *testing.T) {
	signup := func(from, n int) []byte {
		var b strings.Builder
		b.WriteString("dispatch=signup&xml=true")
		for i := from; i < from+n; i++ {
			fmt.Fprintf(&b, "&username_%[1]d=many%[1]d&firstname_%[1]d=Many&lastname_%[1]d=Users&email_%[1]d=many%[1]d%%40example.test", i)
		}
		return []byte(b.String())
	}
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			c := newClient(t, testkit.Start(t, testkit.Options{Engine: engine, Demo: true}))
			const form = "application/x-www-form-urlencoded"
			status, _, body := c.post("/oltpublish/site/signupService.do", form, signup(0, 500))
			if status != 200 || strings.Count(body, "<user id=") != 500 || !strings.Contains(body, "<code>0018</code>") {
				t.Errorf("500 users: %d %.300s", status, body)
			}
			if status, _, body = c.post("/oltpublish/site/signupService.do", form, signup(1000, 501)); status != 400 || !strings.Contains(body, "At most 500 users") {
				t.Errorf("501 users: %d %.300s", status, body)
			}
			status, _, body = c.post("/oltpublish/site/signupService.do", form, signup(499, 3))
			if status != 404 || !strings.Contains(body, "[CDATA[ many499 already present. Please rename them]]") {
				t.Errorf("one of them again: %d %.300s", status, body)
			}
			if _, _, body = c.form("dispatch=list&search=many*&pageSize=1"); !strings.Contains(body, `<users numItems="500" `) {
				t.Errorf("after all: %.300s", body)
			}
		})
	}
}

// TestDecisionsHaveCases: every decision of docs/dialects/edubrite.md 5 is
// cited by a case of a script or by a test.
func TestDecisionsHaveCases(t *testing.T) { testkit.DecisionsHaveCases(t, "edubrite", 29) }

// TestScriptsCiteSources: every case of every script says where it comes from.
func TestScriptsCiteSources(t *testing.T) { testkit.ScriptsCiteSources(t) }

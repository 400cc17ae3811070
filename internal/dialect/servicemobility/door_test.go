package servicemobility_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/web"
)

const users = "/seiapi/v3/trans/User/"

// TestRoundTrip: a GET and a PUT of its answer change nothing of any user,
// whichever door has made it (dossier 5.2).
func TestRoundTrip(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			ctx, no := context.Background(), demo(t, server.Service)
			system := func() *directory.Call { return directory.System(no, "test") }
			people(t, server.Service, no)
			_, err := server.Service.ChangeGroups(ctx, system(), directory.ByUserName("tech.jones"), 0, directory.GroupChange{Kind: directory.GroupServiceTeam,
				Mode: directory.GroupsReplace, Groups: []directory.GroupRef{{Kind: directory.GroupServiceTeam, Name: "TEAM-2"}, {Kind: directory.GroupServiceTeam, Name: "TEAM-1"}}})
			must(t, err)
			page, err := server.Service.UserDetails(ctx, system(), directory.UserQuery{States: directory.LivingStates, Limit: 500}, directory.IncludeGroups|directory.IncludeRoles)
			must(t, err)
			if len(page.Users) < 12 {
				t.Fatalf("only %d users", len(page.Users))
			}
			for _, before := range page.Users {
				path := users + before.User.UserName
				status, _, body := send(t, server.URL, "GET", path, "usher-demo-key", nil)
				if status != 200 {
					t.Fatalf("%s: %d %s", path, status, body)
				}
				if status, _, answer := send(t, server.URL, "PUT", path, "usher-demo-key", []byte(body)); status != 200 || answer != `{"code":200}` {
					t.Errorf("%s: %d %s", path, status, answer)
				}
				after, err := server.Service.UserDetail(ctx, system(), directory.ByNumber(before.User.Number), directory.IncludeGroups|directory.IncludeRoles)
				must(t, err)
				if diff := cmp.Diff(before, after, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: %s", path, diff)
				}
			}
		})
	}
}

// TestPutKeepsWhatThisDoorDoesNotShow: a PUT replaces all that the door shows
// and nothing else (dossier 5.2).
func TestPutKeepsWhatThisDoorDoesNotShow(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			ctx, no := context.Background(), demo(t, server.Service)
			smartapp := directory.System(no, "test")
			smartapp.Door = directory.DoorSmartapp
			hidden := directory.UserPatch{DisplayName: directory.Some("TJ"), Title: directory.Some("Technician"), EmployeeNumber: directory.Some("000000099"),
				OpenID: directory.Some("open:1"), WebMDN: directory.Some("5551234567"), ClientUserID: directory.Some("c"), TimeZone: directory.Some("America/Regina"),
				LicenceType: directory.Some("regular"), MobileOnly: directory.Some(true), Extras: directory.Some(json.RawMessage(`{"a":1}`)),
				Address:    directory.Some(directory.Address{Set: true, City: "Regina"}),
				Attributes: directory.Some(map[string]json.RawMessage{"k": json.RawMessage(`"v"`)}), Picture: directory.Some(json.RawMessage(`{"Id":"p"}`)),
				Phones:    directory.Some([]directory.Phone{{Number: "6135550160", Extension: "7", Type: "Work"}, {Number: "6135550161"}}),
				Groups:    []directory.GroupChange{{Kind: directory.GroupPlain, Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{Kind: directory.GroupPlain, Name: "interns"}}}},
				Roles:     directory.Some([]string{"intern"}),
				ExpiresAt: directory.Some(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))}
			ref := directory.ByUserName("tech.jones")
			_, err := server.Service.UpdateUser(ctx, smartapp, ref, hidden, directory.UpdateOptions{})
			must(t, err)
			read := func() directory.UserDetail {
				d, err := server.Service.UserDetail(ctx, directory.System(no, "test"), ref, directory.IncludeGroups|directory.IncludeRoles)
				must(t, err)
				return d
			}
			want := read()
			status, _, body := send(t, server.URL, "PUT", users+"tech.jones", "usher-demo-key", []byte(`{"Phones":[{"PhoneNum":"6135550160","PhoneType":"New"}],"FaceTime":"f"}`))
			if status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			got := read()
			// What the door shows, and what follows from it.
			u := &want.User
			u.GivenName, u.FamilyName, u.Email, u.EmailClaimed, u.Profile.Language = "", "", "", false, ""
			u.Phones = []directory.Phone{{Number: "6135550160", Extension: "7", Type: "New"}}
			u.Profile.Extras = map[string]json.RawMessage{"smartapp": json.RawMessage(`{"a":1}`), "servicemobility": json.RawMessage(`{"FaceTime":"f"}`)}
			u.Version, u.DoorVersion, u.UpdatedAt = u.Version+1, u.DoorVersion+1, got.User.UpdatedAt
			want.Groups = want.Groups[:1] // the service team goes, the group stays
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHostileBodies: no body is the server's fault, and none changes the user.
func TestHostileBodies(t *testing.T) {
	big := `{"FirstName":"` + strings.Repeat("x", 2<<20) + `"}`
	bodies := map[string]struct {
		body   string
		status int
	}{
		"too large":          {big, 413},
		"invalid UTF-8":      {"{\"FirstName\":\"a\xffb\"}", 400},
		"NUL":                {`{"FirstName":"a\u0000b"}`, 400},
		"NUL in own text":    {`{"SMS":"a\u0000b"}`, 400},
		"NUL in a key":       {`{"Extensions":{"\u0000":"a"}}`, 400},
		"NUL in a value":     {`{"Extensions":{"a":"\u0000"}}`, 400},
		"NUL in a phone":     {`{"Phones":[{"PhoneNum":"\u0000"}]}`, 400},
		"NUL in a team":      {`{"ServiceTeamID":"\u0000"}`, 400},
		"NUL in a location":  {`{"StorageLocationID":"\u0000"}`, 400},
		"NUL in a language":  {`{"LanguageCode":"\u0000"}`, 400},
		"long text":          {`{"DGroupID":"` + strings.Repeat("x", 257) + `"}`, 400},
		"long name":          {`{"LastName":"` + strings.Repeat("x", 257) + `"}`, 400},
		"long language":      {`{"LanguageCode":"` + strings.Repeat("x", 300_000) + `"}`, 400},
		"big extensions":     {`{"Extensions":{"a":"` + strings.Repeat("x", 100_000) + `"}}`, 400},
		"many values":        {`{"Extensions":{` + strings.Repeat(`"a":"",`, 20_000) + `"b":""}}`, 400},
		"many phones":        {`{"Phones":[` + strings.Repeat(`{},`, 200) + `{}]}`, 400},
		"deep":               {strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000), 400},
		"a list":             {`[{"FirstName":"a"}]`, 400},
		"two":                {`{} {}`, 400},
		"comment":            {`{/* a */}`, 400},
		"huge number":        {`{"Locked":1e999999999}`, 400},
		"self-closing quote": {`{"FirstName":"`, 400},
	}
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			_, _, before := send(t, server.URL, "GET", users+"tech.jones", "usher-demo-key", nil)
			for name, test := range bodies {
				for _, id := range []string{"tech.jones", "not.there"} {
					status, _, body := send(t, server.URL, "PUT", users+id, "usher-demo-key", []byte(test.body))
					if status != test.status || !strings.HasPrefix(body, fmt.Sprintf(`{"code":%d,"detail":{`, status)) {
						t.Errorf("%s, %s: %d %.300s", name, id, status, body)
					}
				}
			}
			for _, to := range [][2]string{{"PUT", users + "tech.jones/ChangePassword"}, {"PUT", users + "tech.jones/ServiceTeams"}, {"POST", users + "tech.jones/roles"},
				{"PUT", users + "tech.jones/Entity"}, {"PUT", "/seiapi/v3/trans/role/intern"}, {"PUT", "/seiapi/v3/trans/role/intern/users"},
				{"POST", "/seiapi/v3/ServiceTeam"}, {"PUT", "/seiapi/v3/ServiceTeam/TEAM-1/Users"}, {"POST", "/createjwt"}, {"POST", users + "tech.jones/impersonate"}} {
				if status, _, body := send(t, server.URL, to[0], to[1], "usher-demo-key", []byte(big)); status != 413 {
					t.Errorf("%s: %d %.300s", to[1], status, body)
				}
				for _, text := range []string{`{`, `[]`, `{"Users":["\u0000"],"Roles":["\u0000"],"ServiceTeams":["\u0000"],"Name":"\u0000","Desc":{"\u0000":"\u0000"},"Password":"\u0000"}`} {
					if status, _, body := send(t, server.URL, to[0], to[1], "usher-demo-key", []byte(text)); status != 400 {
						t.Errorf("%s: %d %.300s", to[1], status, body)
					}
				}
			}
			if _, _, after := send(t, server.URL, "GET", users+"tech.jones", "usher-demo-key", nil); after != before {
				t.Errorf("the user was changed: %s", after)
			}
		})
	}
}

// TestHostilePaths: bytes that mean something to a database or to nobody.
func TestHostilePaths(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			for _, id := range []string{"%00", "%ff%fe", "%25", "_", "%22", "'", "''", "*", "%5C", "$1", "?1", "%F0%9F%98%80", "%E2%80%AE", "%2e%2e", "%2F%2F",
				strings.Repeat("a", 5000), strings.Repeat("%C3%A9", 300), "a%20", "%20", "%0a", ";", "@", "{}"} {
				for method, paths := range map[string][]string{
					"GET":    {users + id, users + id + "/Entity", users + id + "/roles", "/seiapi/v3/trans/role/" + id, "/seiapi/v3/trans/role/" + id + "/users", "/seiapi/v3/ServiceTeam/" + id, "/seiapi/v3/ServiceTeam/" + id + "/Users", "/saas/v3/Entity/" + id},
					"DELETE": {users + id, "/seiapi/v3/trans/role/intern/user/" + id, "/seiapi/v3/trans/role/" + id, "/seiapi/v3/ServiceTeam/" + id},
					"PUT":    {users + id, users + id + "/ResetPassword", "/seiapi/v3/trans/role/" + id, "/seiapi/v3/ServiceTeam/" + id},
				} {
					for _, path := range paths {
						status, _, body := send(t, server.URL, method, path, "usher-demo-key", []byte("{}"))
						if status >= 500 || status == 401 {
							t.Errorf("%s %.100s: %d %.300s", method, path, status, body)
						}
					}
				}
			}
		})
	}
}

// TestSettings: the second shape of errors (dossier 4.1) and the door's own
// least password (dossier 5.20).
func TestSettings(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) {
		c.ServiceMobilityErrorShape, c.ServiceMobilityMinPassword = "problem", 9
	}})
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", users + "nobody", "", 410, `{"type":"about:blank","title":"Gone","status":410,"detail":"User not found.","invalidParams":[]}`},
		{"GET", "/seiapi/v3/nothing", "", 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"There is no such URL.","invalidParams":[]}`},
		{"POST", users + "nobody", "", 405, `{"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"The method is not supported here.","invalidParams":[]}`},
		{"PUT", users + "tech.jones", `{"UserID":"x"}`, 400, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"UserID 'x' from payload does not match with request URI '/tech.jones'.",` +
			`"invalidParams":[{"name":"UserID","reason":"UserID 'x' from payload does not match with request URI '/tech.jones'.","path":"UserID","value":"x"}]}`},
		{"PUT", users + "new.user", `{"Password":"12345678"}`, 400, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"Password: Use a password of at least 9 characters.",` +
			`"invalidParams":[{"name":"Password","reason":"Password: Use a password of at least 9 characters.","path":"Password","value":""}]}`},
		{"PUT", users + "tech.jones", `{"Password":"12345678","ResetPassword":true}`, 400, ""},
		{"PUT", users + "tech.jones/ChangePassword", `{"Password":"12345678"}`, 400, ""},
		{"PUT", users + "tech.jones/ChangePassword", `{"Password":"123456789"}`, 200, `{"status":200}`},
		{"PUT", users + "new.user?emailNotification=true", `{}`, 200, `{"status":200,"detail":"The user has no e-mail address: nothing was mailed, and no password was made."}`},
	} {
		status, _, body := send(t, server.URL, test.method, test.path, "usher-demo-key", []byte(test.body))
		if status != test.status || test.want != "" && body != test.want {
			t.Errorf("%s %s: %d %s", test.method, test.path, status, body)
		}
	}
}

// TestRequestLimit: over the tenant's limit the answer is 429 with Retry-After
// (dossier 4.2).
func TestRequestLimit(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	ctx, no := context.Background(), demo(t, server.Service)
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	tenant.Settings.RequestsPerMinute = map[string]int{"servicemobility": 1}
	_, err = server.Service.UpdateTenant(ctx, directory.System(no, "test"), tenant)
	must(t, err)
	// Two calls may fall into two windows, three cannot: at most one is new.
	for i := range 3 {
		status, header, body := send(t, server.URL, "GET", users+"tech.jones", "usher-demo-key", nil)
		if status == 200 && i < 2 {
			continue
		}
		if status != 429 || header.Get("Retry-After") == "" || !strings.HasPrefix(body, `{"code":429,"detail":{"message":`) {
			t.Fatalf("%d %v %s", status, header, body)
		}
		return
	}
}

// acme is a directory with an administrator, chief, and an ordinary user, worker,
// on a clock of its own.
func acme(t *testing.T, clock func() time.Time) *directory.Service {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), store.Options{Logger: slog.New(slog.DiscardHandler), Migrate: true})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	sealer, err := directory.NewSealer([]byte(strings.Repeat("k", directory.SecretKeyBytes)))
	must(t, err)
	service := directory.New(db, directory.Options{Now: clock, Sealer: sealer})
	tenant, err := service.CreateTenant(ctx, directory.System(0, "test"), directory.Tenant{Name: "acme"}, directory.Company{})
	must(t, err)
	for name, administrator := range map[string]bool{"chief": true, "worker": false} {
		_, err := service.CreateUser(ctx, directory.System(tenant.No, "test"), directory.NewUser{Password: otherPassword,
			Fields: directory.UserPatch{UserName: directory.Some(name), Administrator: directory.Some(administrator)}})
		must(t, err)
	}
	return service
}

// TestTokensExpire: a token is good for 24 hours, one of an impersonation for
// one (dossier 2.2, 5.11).
func TestTokensExpire(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	service := acme(t, func() time.Time { return now })
	door := httptest.NewServer(servicemobility.New(service, servicemobility.Options{}))
	defer door.Close()
	post := func(path, body, member string) string {
		status, _, answer := send(t, door.URL, "POST", path, "", []byte(body))
		var tokens map[string]string
		if json.Unmarshal([]byte(answer), &tokens) != nil || status != 200 || tokens[member] == "" {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
		return tokens[member]
	}
	own := post("/createjwt", `{"username":"worker","password":"`+otherPassword+`"}`, "token")
	acted := post(users+"worker/impersonate", `{"UserID":"chief","Password":"`+otherPassword+`"}`, "Token")
	start := now
	for _, step := range []struct {
		after      time.Duration
		own, acted int
	}{
		{0, 200, 200}, {time.Hour - time.Second, 200, 200}, {time.Hour, 200, 401}, {24*time.Hour - time.Second, 200, 401}, {24 * time.Hour, 401, 401},
		{-time.Hour, 401, 401}, // made in the future
	} {
		now = start.Add(step.after)
		for token, want := range map[string]int{own: step.own, acted: step.acted} {
			if status, _, body := send(t, door.URL, "GET", users+"worker", token, nil); status != want {
				t.Errorf("after %s: %d %s, want %d", step.after, status, body, want)
			}
		}
	}
}

// TestRequestsNameBothPeople: the record of a request by who acts as another
// names both, reads and refusals too (dossier 5.11).
func TestRequestsNameBothPeople(t *testing.T) {
	service := acme(t, time.Now)
	var seen web.Event
	door := web.NewServer(servicemobility.New(service, servicemobility.Options{}),
		web.Options{Logger: slog.New(slog.DiscardHandler), Observe: func(e *web.Event) { seen = *e }})
	ask := func(method, path, token, body string) string {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("x-access-token", token)
		answer := httptest.NewRecorder()
		door.ServeHTTP(answer, r)
		return answer.Body.String()
	}
	var answer struct{ Token string }
	must(t, json.Unmarshal([]byte(ask("POST", users+"worker/impersonate", "", `{"UserID":"chief","Password":"`+otherPassword+`"}`)), &answer))
	chief := seen.Actor
	if chief == "" || seen.OnBehalfOf != "" {
		t.Errorf("impersonate by %q for %q, want an administrator alone", seen.Actor, seen.OnBehalfOf)
	}
	for _, method := range []string{"GET", "DELETE"} {
		ask(method, users+"worker", answer.Token, "")
		if seen.Actor == "" || seen.Actor == chief || seen.OnBehalfOf != chief {
			t.Errorf("%s by %q through %q, want the worker through %q", method, seen.Actor, seen.OnBehalfOf, chief)
		}
	}
}

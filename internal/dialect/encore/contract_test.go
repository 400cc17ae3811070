package encore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestContract runs the scripts of testdata/contract on both engines, each on
// a sample directory of its own.
func TestContract(t *testing.T) { testkit.Contract(t, prepare) }

// TestContractOfTheProgram runs the scripts against the built program, each on
// a copy of one database.
func TestContractOfTheProgram(t *testing.T) { testkit.ContractOfTheProgram(t, prepare) }

// The users that prepare adds to the sample directory.
const (
	userDeleted      = 900001
	userOrders       = 900002
	userVehicle      = 900003
	userRemoved      = 900004
	userTransactions = 900005
	userWebOnly      = 900006
	userStaged       = 900007
)

// prepare adds what the scripts need to the sample directory and beside it, and
// returns the keys. {boolean} and {body} are the vendor's placeholders, which
// its samples send as they are.
func prepare(t testing.TB, server *testkit.Server) map[string]string {
	t.Helper()
	no := demo(t, server.Service)
	for _, u := range []directory.NewUser{
		{Number: userDeleted, Fields: directory.UserPatch{UserName: directory.Some("gone"), EmployeeNumber: directory.Some("gone-1")}},
		{Number: userOrders, Fields: directory.UserPatch{UserName: directory.Some("orders"), EmployeeNumber: directory.Some("EMP/7 a")}},
		{Number: userVehicle, Fields: directory.UserPatch{UserName: directory.Some("vehicle"), WebMDN: directory.Some("MDN-7")}},
		{Number: userRemoved, State: directory.StateInactive, Fields: directory.UserPatch{UserName: directory.Some("removed")}},
		{Number: userTransactions, Fields: directory.UserPatch{UserName: directory.Some("transactions"), LicenceType: directory.Some("transaction_based")}},
		{Number: userWebOnly, Fields: directory.UserPatch{UserName: directory.Some("web.only"), LicenceType: directory.Some("web_only")}},
		{Number: userStaged, State: directory.StateStaged, Fields: directory.UserPatch{UserName: directory.Some("staged")}},
	} {
		createUser(t, server.Service, no, u)
	}
	_, err := server.Service.DeleteUser(context.Background(), directory.System(no, "test"), directory.ByNumber(userDeleted))
	must(t, err)
	hold(t, server.Service, no, userOrders, directory.HoldOpenOrders)
	hold(t, server.Service, no, userVehicle, directory.HoldOpenOrders, directory.HoldAssignedVehicle, directory.HoldLegal)
	hold(t, server.Service, no, userRemoved, directory.HoldVehicleRemoved)

	other, otherKey := server.Tenant(t, "other", directory.RankAdministrator)
	createUser(t, server.Service, other.No, directory.NewUser{Number: 777002, Fields: directory.UserPatch{UserName: directory.Some("other.user")}})
	gone, goneKey := server.Tenant(t, "gone", directory.RankAdministrator)
	createUser(t, server.Service, gone.No, directory.NewUser{Number: 1, Fields: directory.UserPatch{UserName: directory.Some("gone")}})
	_, err = server.Service.DeleteUser(context.Background(), directory.System(gone.No, "test"), directory.ByNumber(1))
	must(t, err)
	_, emptyKey := server.Tenant(t, "empty", directory.RankReader)
	return map[string]string{
		"boolean": "{boolean}", "body": "{body}", "key": "usher-demo-key", "other_key": otherKey, "gone_key": goneKey,
		"empty_key": emptyKey, "small_key": smallTenant(t, server),
		"reader_key":   key(t, server.Service, no, directory.NewCredential{Name: "reader", Rank: directory.RankReader}),
		"admin_key":    key(t, server.Service, no, directory.NewCredential{Name: "admin", Rank: directory.RankAdministrator}),
		"bound_key":    key(t, server.Service, no, directory.NewCredential{Name: "bound", Rank: directory.RankAdministrator, Root: 14146}),
		"iqmetrix_key": key(t, server.Service, no, directory.NewCredential{Name: "iqmetrix", Rank: directory.RankOwner, Doors: directory.DoorSet(directory.DoorIQmetrix)}),
	}
}

// smallTenant makes a tenant with the strict password policy, one seat of the
// regular licence, which user 1 holds, and none for the web. User 5 has two
// reasons to stay inactive: no licence, and no vehicle.
func smallTenant(t testing.TB, server *testkit.Server) string {
	t.Helper()
	tenant, secret := server.Tenant(t, "small", directory.RankAdministrator)
	for licence, total := range map[string]int64{"regular": 1, "web_only": 0} {
		_, err := server.Service.SetPool(context.Background(), directory.System(tenant.No, "test"), licence, total)
		must(t, err)
	}
	for i, u := range []struct{ name, licence string }{{"seated", "regular"}, {"waiting", "regular"}, {"web", "web_only"}, {"none", ""}, {"held", "web_only"}} {
		state := directory.StateInactive
		if i == 0 {
			state = directory.StateActive
		}
		createUser(t, server.Service, tenant.No, directory.NewUser{Number: int64(i + 1), State: state,
			Fields: directory.UserPatch{UserName: directory.Some(u.name), LicenceType: directory.Some(u.licence)}})
	}
	hold(t, server.Service, tenant.No, 5, directory.HoldVehicleRemoved)
	return secret
}

func createUser(t testing.TB, service *directory.Service, no directory.TenantNo, u directory.NewUser) {
	t.Helper()
	_, err := service.CreateUser(context.Background(), directory.System(no, "test"), u)
	must(t, err)
}

func hold(t testing.TB, service *directory.Service, no directory.TenantNo, user int64, kinds ...directory.HoldKind) {
	t.Helper()
	for _, kind := range kinds {
		h := directory.Hold{Kind: kind, Source: "dispatch", Ref: "7"}
		must(t, service.PlaceHold(context.Background(), directory.System(no, "test"), directory.ByNumber(user), h))
	}
}

func key(t testing.TB, service *directory.Service, no directory.TenantNo, c directory.NewCredential) string {
	t.Helper()
	_, secret, err := service.CreateKey(context.Background(), directory.System(no, "test"), c)
	must(t, err)
	return secret
}

// demo is the number of the sample tenant.
func demo(t testing.TB, service *directory.Service) directory.TenantNo {
	t.Helper()
	tenant, err := service.TenantByName(context.Background(), directory.System(0, "test"), "demo")
	must(t, err)
	return tenant.No
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send makes one request with the sample key; the path goes out as written.
func send(t testing.TB, url, method, path string, body []byte, headers ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, url+"/", bytes.NewReader(body))
	must(t, err)
	r.URL.Opaque = path
	r.Header.Set("Ocp-Apim-Subscription-Key", "usher-demo-key")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

// TestRequestLimit: over the limit the gateway answers 429 and when to come
// back (dossier 2).
func TestRequestLimit(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	ctx, no := context.Background(), demo(t, server.Service)
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	tenant.Settings.RequestsPerMinute = map[string]int{"encore": 1}
	_, err = server.Service.UpdateTenant(ctx, directory.System(no, "test"), tenant)
	must(t, err)
	// Two calls may fall into two windows, three cannot: at most one is new.
	for i := range 3 {
		status, header, body := send(t, server.URL, "GET", "/users/v1/users/123456", nil, "Origin", "https://a.example")
		if status == http.StatusOK {
			if i == 2 {
				t.Fatal("three calls passed a limit of one a minute")
			}
			continue
		}
		wait := header.Get("Retry-After")
		want := `{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in ` + wait + ` seconds." }`
		if status != http.StatusTooManyRequests || body != want || wait == "" || header.Get("Content-Type") != "application/json" {
			t.Fatalf("%d %v %s", status, header, body)
		}
		if header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(header.Get("Access-Control-Expose-Headers"), "Retry-After") {
			t.Errorf("a page could not read it: %v", header)
		}
		// What the door refuses by itself counts too.
		if status, _, _ := send(t, server.URL, "PUT", "/users/v1/users/abc/active", nil); status != http.StatusTooManyRequests {
			t.Errorf("a bad id over the limit: %d", status)
		}
		return
	}
}

// TestStrictExternalID: a setting demands use-external-id (dossier 5.3).
func TestStrictExternalID(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) { c.EncoreStrictExternalID = true }})
	const missing = `[{"Code":1,"Message":"use-external-id is not provided"}]`
	for _, call := range [][2]string{{"PUT", "/users/v1/users/123456/active"}, {"DELETE", "/users/v1/users/123456/active"},
		{"GET", "/users/v1/users/123456"}, {"PUT", "/users/v1/users/123456"}, {"PATCH", "/users/v1/users/123456"}} {
		if status, _, body := send(t, server.URL, call[0], call[1], []byte(`{}`)); status != 400 || body != missing {
			t.Errorf("%v: %d %s", call, status, body)
		}
	}
	if status, _, body := send(t, server.URL, "PUT", "/users/v1/users/123456/active?use-external-id=false", nil); status != 200 {
		t.Errorf("said in the query: %d %s", status, body)
	}
	if status, _, body := send(t, server.URL, "GET", "/users/v1/users/000000006", nil, "use-external-id", "true"); status != 200 {
		t.Errorf("said in the header: %d %s", status, body)
	}
	if status, _, body := send(t, server.URL, "GET", "/users/v1/users", nil); status != 200 {
		t.Errorf("the list names no user: %d %s", status, body)
	}
}

// TestAllowedOrigins: a setting names the origins (dossier 5.14).
func TestAllowedOrigins(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) {
		c.EncoreAllowedOrigins = []string{"https://a.example", "http://b.example:8080"}
	}})
	for origin, want := range map[string]string{"https://a.example": "https://a.example", "http://b.example:8080": "http://b.example:8080",
		"https://b.example": "", "null": "", "https://a.example.evil.example": ""} {
		for _, call := range []struct{ method, path string }{{"GET", "/users/v1/users/123456"}, {"GET", "/users/v1/users/abc"}, {"OPTIONS", "/users/v1/users/1"}} {
			_, header, _ := send(t, server.URL, call.method, call.path, nil, "Origin", origin, "Access-Control-Request-Method", "GET")
			if got := header.Get("Access-Control-Allow-Origin"); got != want || header.Get("Vary") != "Origin" {
				t.Errorf("%v from %s: allowed %q, want %q; Vary %q", call, origin, got, want, header.Get("Vary"))
			}
		}
	}
}

// TestLengthSettings: the lengths are settings (dossier 5.12).
func TestLengthSettings(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) {
		c.EncoreLengths = []string{"UserName=3-4", "Password=8-50"}
	}})
	status, _, body := send(t, server.URL, "POST", "/users/v1/users", []byte(`{"UserName":"ab","Password":"seven77","LicenseType":1,"FirstName":"x"}`))
	if status != 422 || !strings.Contains(body, `"Code":117`) || !strings.Contains(body, `"Code":120`) {
		t.Errorf("%d %s", status, body)
	}
	if status, _, body = send(t, server.URL, "POST", "/users/v1/users", []byte(`{"UserName":"abcd","Password":"eight888","LicenseType":1}`)); status != 201 {
		t.Errorf("%d %s", status, body)
	}
}

// TestPutKeepsWhatThisDoorDoesNotShow: a PUT replaces all that the door shows
// and nothing else (dossier 5.8).
func TestPutKeepsWhatThisDoorDoesNotShow(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			ctx, no := context.Background(), demo(t, server.Service)
			ref := directory.ByNumber(3005) // a user of another door, with groups, roles, phones and extras
			hidden := directory.UserPatch{Title: directory.Some("Intern"), OpenID: directory.Some("open:1"), ClientUserID: directory.Some("132"),
				Language: directory.Some("fr-CA"), TimeZone: directory.Some("America/Regina"), Locked: directory.Some(true),
				Address:    directory.Some(directory.Address{Set: true, City: "Big Windy"}),
				Picture:    directory.Some(json.RawMessage(`{"Id":"5f"}`)),
				Attributes: directory.Some(map[string]json.RawMessage{"a": json.RawMessage(`1`)})}
			_, err := server.Service.UpdateUser(ctx, directory.System(no, "test"), ref, hidden, directory.UpdateOptions{})
			must(t, err)
			_, err = server.Service.ChangeGroups(ctx, directory.System(no, "test"), ref, 0, directory.GroupChange{Kind: directory.GroupPlain,
				Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{Kind: directory.GroupPlain, Name: "interns"}}})
			must(t, err)
			const all = directory.IncludeGroups | directory.IncludeLocations | directory.IncludeRoles
			before, err := server.Service.UserDetail(ctx, directory.System(no, "test"), ref, all)
			must(t, err)

			status, _, body := send(t, server.URL, "PUT", "/users/v1/users/3005", []byte(`{"UserName":"ccarr2","IsActive":true,"LicenseType":1}`))
			if status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			after, err := server.Service.UserDetail(ctx, directory.System(no, "test"), ref, all)
			must(t, err)
			// What the door shows, and what follows from it.
			want := before.User
			want.UserName, want.Email, want.EmailClaimed, want.GivenName, want.FamilyName = "ccarr2", "", false, "", ""
			want.Phones = before.User.Phones[1:]
			want.Version, want.DoorVersion, want.UpdatedAt = before.User.Version+1, before.User.DoorVersion+1, after.User.UpdatedAt
			if diff := cmp.Diff(want, after.User, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before.Locations, after.Locations); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before.Roles, after.Roles); diff != "" {
				t.Error(diff)
			}
			// GroupName shows the first plain group: that one is gone, the others are not.
			if diff := cmp.Diff(names(before.Groups, "Smartapp1350 employee"), names(after.Groups, "")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// names are the kinds and names of memberships but one.
func names(list []directory.Membership, without string) []string {
	var out []string
	for _, m := range list {
		if m.Group.Name != without {
			out = append(out, string(m.Group.Kind)+":"+m.Group.Name)
		}
	}
	return out
}

// TestSeatRace: of two activations for the last seat one wins, and the other is
// told 108 (dossier 5.9).
func TestSeatRace(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine})
			tenant, secret := server.Tenant(t, "race", directory.RankAdministrator)
			_, err := server.Service.SetPool(context.Background(), directory.System(tenant.No, "test"), "regular", 1)
			must(t, err)
			for n, name := range []string{"a", "b"} {
				createUser(t, server.Service, tenant.No, directory.NewUser{Number: int64(n + 1), State: directory.StateInactive,
					Fields: directory.UserPatch{UserName: directory.Some(name), LicenceType: directory.Some("regular")}})
			}
			answers := make(chan string, 2)
			for _, path := range []string{"/users/v1/users/1/active", "/users/v1/users/2/active"} {
				go func() {
					_, _, body := send(t, server.URL, "PUT", path, nil, "Ocp-Apim-Subscription-Key", secret)
					answers <- body
				}()
			}
			got := map[string]int{}
			for range 2 {
				got[regexp.MustCompile(`"Id": [12]`).ReplaceAllString(<-answers, `"Id": n`)]++
			}
			want := map[string]int{`{ "Id": n }`: 1, `[{"Code":108,"Message":"Not enough Licenses"}]`: 1}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecisionsHaveCases: every decision of docs/dialects/encore.md 5 is cited
// by a case of a script or by a test.
func TestDecisionsHaveCases(t *testing.T) { testkit.DecisionsHaveCases(t, "encore", 14) }

// TestScriptsCiteSources: every case of every script says where it comes from.
func TestScriptsCiteSources(t *testing.T) { testkit.ScriptsCiteSources(t) }

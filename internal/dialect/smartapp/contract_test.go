package smartapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/dialect/smartapp"
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

// Ids of users that the scripts name.
const (
	carrID    = "9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870" // the sample directory's
	deletedID = "d0000000-0000-4000-8000-000000000001"
	heldID    = "d0000000-0000-4000-8000-000000000002"
	webOnlyID = "d0000000-0000-4000-8000-000000000003"
	plainID   = "d0000000-0000-4000-8000-000000000004"
	stagedID  = "d0000000-0000-4000-8000-000000000005"
	otherID   = "d0000000-0000-4000-8000-000000000006"
	seatedID  = "d0000000-0000-4000-8000-000000000007"
	waitingID = "d0000000-0000-4000-8000-000000000008"
	noSeatID  = "d0000000-0000-4000-8000-000000000009"
	ownerID   = "d0000000-0000-4000-8000-00000000000a"
)

// prepare adds what the scripts need to the sample directory and beside it, and
// returns the keys and ids.
func prepare(t testing.TB, server *testkit.Server) map[string]string {
	t.Helper()
	no := demo(t, server.Service)
	phones := directory.Some([]directory.Phone{{Number: "111", Type: "Work"}, {Number: "222", Extension: "9", Type: "Mobile"}})
	for _, u := range []directory.NewUser{
		{ID: deletedID, ClaimEmail: true, Fields: fields("gone", "gone@example.test", "")},
		{ID: heldID, Fields: fields("held", "held@example.test", "")},
		{ID: webOnlyID, Fields: fields("web.only", "", "web_only")},
		{ID: stagedID, State: directory.StateStaged, Fields: fields("staged", "", "")},
		{ID: plainID, Fields: directory.UserPatch{UserName: directory.Some("plain"), Email: directory.Some("ccarr@smartapp.com"),
			Phones: phones, DisplayName: directory.Some("Plain Person")}},
	} {
		createUser(t, server.Service, no, u)
	}
	ctx := context.Background()
	_, err := server.Service.DeleteUser(ctx, directory.System(no, "test"), directory.ByID(deletedID))
	must(t, err)
	must(t, server.Service.PlaceHold(ctx, directory.System(no, "test"), directory.ByID(heldID),
		directory.Hold{Kind: directory.HoldOpenOrders, Source: "dispatch", Ref: "7"}))
	owner, err := server.Service.User(ctx, directory.System(no, "test"), directory.ByUserName("admin"))
	must(t, err)

	other, otherKey := server.Tenant(t, "other", directory.RankAdministrator)
	createUser(t, server.Service, other.No, directory.NewUser{ID: otherID, Fields: fields("other", "other@example.test", "")})
	return map[string]string{
		"key": "usher-demo-key", "other_key": otherKey, "small_key": smallTenant(t, server), "owner": owner.ID,
		"carr": carrID, "carr_global": "7b0c9d52-16e3-4f7a-8c4d-5a2e90b1f3d8",
		"company": "5f6d3a52-8f0e-4c6b-9a35-0e1d7a4c2b61", "headquarters": "c2b7f1a4-3d59-4e8c-8b16-7f90d2e4a5c3",
		"deleted": deletedID, "held": heldID, "web_only": webOnlyID, "plain": plainID, "staged": stagedID, "other": otherID,
		"seated": seatedID, "waiting": waitingID, "no_seat": noSeatID, "small_owner": ownerID,
		"reader_key":   key(t, server.Service, no, directory.NewCredential{Name: "reader", Rank: directory.RankReader}),
		"bound_key":    key(t, server.Service, no, directory.NewCredential{Name: "bound", Rank: directory.RankAdministrator, Root: 14146}),
		"iqmetrix_key": key(t, server.Service, no, directory.NewCredential{Name: "iqmetrix", Rank: directory.RankOwner, Doors: directory.DoorSet(directory.DoorIQmetrix)}),
	}
}

func fields(name, email, licence string) directory.UserPatch {
	return directory.UserPatch{UserName: directory.Some(name), Email: directory.Some(email), LicenceType: directory.Some(licence)}
}

// smallTenant makes a tenant with one seat of a licensed user, which one user
// holds, and none for transactions. Its owner is made last and has the least
// number.
func smallTenant(t testing.TB, server *testkit.Server) string {
	t.Helper()
	tenant, secret := server.Tenant(t, "small", directory.RankAdministrator)
	for licence, total := range map[string]int64{"regular": 1, "transaction_based": 0} {
		_, err := server.Service.SetPool(context.Background(), directory.System(tenant.No, "test"), licence, total)
		must(t, err)
	}
	for _, u := range []directory.NewUser{
		{ID: seatedID, Number: 100, Fields: fields("seated", "seated@example.test", "regular")},
		{ID: waitingID, State: directory.StateInactive, Fields: fields("waiting", "waiting@example.test", "regular")},
		{ID: noSeatID, Fields: fields("no.seat", "no.seat@example.test", "")},
		{ID: ownerID, Number: 50, Fields: fields("owner", "owner@example.test", "")},
	} {
		createUser(t, server.Service, tenant.No, u)
	}
	must(t, server.Service.SetOwner(context.Background(), directory.System(tenant.No, "test"), directory.ByID(ownerID)))
	return secret
}

func createUser(t testing.TB, service *directory.Service, no directory.TenantNo, u directory.NewUser) {
	t.Helper()
	_, err := service.CreateUser(context.Background(), directory.System(no, "test"), u)
	must(t, err)
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

// send makes one request with the sample key unless a header has another.
func send(t testing.TB, url, method, path, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, url+path, bytes.NewReader([]byte(body)))
	must(t, err)
	r.Header.Set("X-API-Key", "usher-demo-key")
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

// TestRequestLimit: over the limit is 429 and when to come back (dossier 5.11
// and 6).
func TestRequestLimit(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	setSettings(t, server, "demo", func(s *directory.Settings) { s.RequestsPerMinute = map[string]int{"smartapp": 1} })
	// Two calls may fall into two windows, three cannot: at most one is new.
	for i := range 3 {
		status, header, body := send(t, server.URL, "GET", "/user/getusers?take=1", "")
		if status == http.StatusOK {
			if i == 2 {
				t.Fatal("three calls passed a limit of one a minute")
			}
			continue
		}
		if status != http.StatusTooManyRequests || !strings.HasPrefix(body, `{"message":"`) || header.Get("Retry-After") == "" {
			t.Fatalf("%d %v %s", status, header, body)
		}
		// What the door refuses by itself counts too.
		if status, _, _ := send(t, server.URL, "POST", "/user/activate", ""); status != http.StatusTooManyRequests {
			t.Errorf("no id over the limit: %d", status)
		}
		return
	}
}

// setSettings changes a tenant's settings.
func setSettings(t testing.TB, server *testkit.Server, name string, change func(*directory.Settings)) {
	t.Helper()
	ctx := context.Background()
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), name)
	must(t, err)
	change(&tenant.Settings)
	_, err = server.Service.UpdateTenant(ctx, directory.System(tenant.No, "test"), tenant)
	must(t, err)
}

// TestInactiveWithoutSeat: a tenant's setting makes a user without a seat
// inactive, where it is refused otherwise; a pool of 0 stays a refusal (dossier
// 3.1).
func TestInactiveWithoutSeat(t *testing.T) {
	server := testkit.Start(t, testkit.Options{})
	secret := smallTenant(t, server)
	create := func(email, licence string) (int, string) {
		status, _, body := send(t, server.URL, "POST", "/user/create", `{"email":"`+email+`","licenceType":"`+licence+`"}`, "X-API-Key", secret)
		return status, body
	}
	if status, body := create("a@example.test", "LicencedUser"); status != 401 || body != `{"message":"Insufficient user licences"}` {
		t.Errorf("without the setting: %d %s", status, body)
	}
	setSettings(t, server, "small", func(s *directory.Settings) { s.SmartappInactiveWithoutSeat = true })
	if status, body := create("a@example.test", "LicencedUser"); status != 200 {
		t.Errorf("with the setting: %d %s", status, body)
	}
	status, _, body := send(t, server.URL, "GET", "/user/get/email?email=a@example.test", "", "X-API-Key", secret)
	if status != 200 || !strings.Contains(body, `"status":"Inactive"`) || !strings.Contains(body, `"licenceType":"Licenced User"`) {
		t.Errorf("the user: %d %s", status, body)
	}
	if status, body := create("b@example.test", "TransactionBasedUser"); status != 401 {
		t.Errorf("a pool of 0: %d %s", status, body)
	}
}

// TestPathSettings: operations are served at the paths that settings give them,
// and at no others of their own (dossier 3).
func TestPathSettings(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) {
		c.SmartappPaths = []string{"get_user=/People/Read", "list_users=/user/all", "list_users=/people"}
	}})
	for path, want := range map[string]int{"/people/read?UniqueID=" + carrID: 200, "/PEOPLE/read/" + carrID: 200, "/people": 200, "/user/all": 200,
		"/user/get/email?email=ccarr@smartapp.com": 200, "/user/get/uniqueid?UniqueID=" + carrID: 404, "/user/getusers": 404, "/user/list": 404} {
		if status, _, body := send(t, server.URL, "GET", path, ""); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, body, want)
		}
	}
}

// TestEveryOperationCanBeMoved: the settings take every operation's name, and a
// start with paths that will not do says which.
func TestEveryOperationCanBeMoved(t *testing.T) {
	cfg := config.Default()
	for _, name := range smartapp.Operations() {
		cfg.SmartappPaths = append(cfg.SmartappPaths, name+"=/moved/"+strings.ReplaceAll(name, "_", "-"))
	}
	must(t, cfg.Validate())
	for item, want := range map[string]string{
		"delete_user=/user/delete": `smartapp_paths: there is no operation "delete_user"`,
		"get_user=/user/list":      "smartapp_paths: /user/list is the path of both get_user and list_users",
		"get_user=/users/read":     "smartapp_paths: paths below /users belong to the encore door",
		"get_user=/Healthz":        "smartapp_paths: paths below /healthz belong to the server itself",
	} {
		cfg := config.Default()
		cfg.Database = "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
		cfg.SmartappPaths = []string{item}
		a, err := app.New(t.Context(), cfg, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", item, err, want)
		}
		if err == nil {
			must(t, a.Close())
		}
	}
}

// TestCredentialSettings: a key counts only where settings accept one (dossier
// 2).
func TestCredentialSettings(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) { c.SmartappCredentials = []string{"apikey-header"} }})
	for _, test := range []struct {
		name, value, query string
		want               int
	}{
		{"apiKey", "usher-demo-key", "", 200}, {"X-API-Key", "usher-demo-key", "", 401},
		{"Authorization", "Bearer usher-demo-key", "", 401}, {"X-Other", "", "?apiKey=usher-demo-key", 401},
	} {
		status, header, body := send(t, server.URL, "GET", "/user/getusers"+test.query, "", "X-API-Key", "", test.name, test.value)
		if status != test.want || status == 401 && header.Get("WWW-Authenticate") != `ApiKey realm="smartapp"` {
			t.Errorf("%+v: %d %v %s", test, status, header, body)
		}
	}
}

// TestBodyLimit: a body beyond the setting is 413 (dossier 6), after the key.
func TestBodyLimit(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) { c.MaxBody = 1024 }})
	body := `{"email":"a@example.test","firstName":"` + strings.Repeat("x", 1024) + `"}`
	for _, path := range []string{"/user/create", "/user/update/" + carrID, "/company/create", "/user/activate"} {
		if status, _, answer := send(t, server.URL, "POST", path, body); status != 413 || answer != `{"message":"The body is larger than 1024 bytes."}` {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	if status, _, answer := send(t, server.URL, "POST", "/user/create", body, "X-API-Key", "wrong"); status != 401 {
		t.Errorf("with a wrong key: %d %s", status, answer)
	}
}

// TestMetadataLimit: metadata is bounded in size and depth (dossier 4.1).
func TestMetadataLimit(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	update := func(metadata string) (int, string) {
		status, _, body := send(t, server.URL, "POST", "/user/update/"+carrID, `{"metadata":`+metadata+`}`)
		return status, body
	}
	if status, body := update(`{"a":"` + strings.Repeat("x", 60<<10) + `"}`); status != 200 {
		t.Errorf("60 KiB: %d %s", status, body)
	}
	if status, body := update(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`); status != 400 || !strings.HasPrefix(body, `{"message":"metadata must be at most`) {
		t.Errorf("64 KiB and more: %d %s", status, body)
	}
	if status, body := update(`{"a":` + strings.Repeat("[", 14) + strings.Repeat("]", 14) + `}`); status != 200 {
		t.Errorf("as deep as may be: %d %s", status, body)
	}
	if status, body := update(`{"a":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `}`); status != 400 {
		t.Errorf("deeper: %d %s", status, body)
	}
	if status, body := update(`{"a":"\u0000"}`); status != 400 {
		t.Errorf("with a NUL: %d %s", status, body)
	}
	if _, _, body := send(t, server.URL, "GET", "/user/get/uniqueid/"+carrID, ""); !strings.Contains(body, `"metadata":{"a":[[[[[[[[[[[[[[]]]]]]]]]]]]]]}`) {
		t.Errorf("shown as %s", body)
	}
}

// TestUpdateKeepsWhatThisDoorDoesNotShow: an update of all that this door has
// changes nothing else.
func TestUpdateKeepsWhatThisDoorDoesNotShow(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			ctx, no := context.Background(), demo(t, server.Service)
			ref := directory.ByNumber(2576) // a user of another door
			hidden := directory.UserPatch{OpenID: directory.Some("open:1"), EmployeeNumber: directory.Some("7"), WebMDN: directory.Some("8"),
				Language: directory.Some("fr-CA"), TimeZone: directory.Some("America/Regina"), DisplayName: directory.Some("JB"),
				Picture: directory.Some(json.RawMessage(`{"Id":"5f"}`)), StorageLocation: directory.Some("van 7"), MobileOnly: directory.Some(true),
				Attributes: directory.Some(map[string]json.RawMessage{"a": json.RawMessage(`1`)})}
			_, err := server.Service.UpdateUser(ctx, directory.System(no, "test"), ref, hidden, directory.UpdateOptions{})
			must(t, err)
			const all = directory.IncludeGroups | directory.IncludeLocations | directory.IncludeRoles
			before, err := server.Service.UserDetail(ctx, directory.System(no, "test"), ref, all)
			must(t, err)
			status, _, body := send(t, server.URL, "POST", "/user/update/"+before.User.ID, `{"firstName":"Jo","lastName":"B","email":"jo@example.test",
				"licenceType":"LicencedUser","phone":"1","fax":"2","mobile":"3","metadata":{"x":1},"groups":["interns"],"dashboardGroups":["Operations"],"applicationRoles":["intern"]}`)
			if status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			after, err := server.Service.UserDetail(ctx, directory.System(no, "test"), ref, all)
			must(t, err)
			want := before.User
			want.GivenName, want.FamilyName, want.Email, want.LicenceType, want.Seat = "Jo", "B", "jo@example.test", "regular", after.User.Seat
			want.Phones = append(want.Phones[:1:1], directory.Phone{Number: "1", Type: "phone"}, directory.Phone{Number: "3", Type: "mobile"}, directory.Phone{Number: "2", Type: "fax"})
			want.Profile.Extras = map[string]json.RawMessage{"smartapp": json.RawMessage(`{"metadata":{"x":1}}`)}
			want.Version, want.DoorVersion, want.UpdatedAt = before.User.Version+1, before.User.DoorVersion+1, after.User.UpdatedAt
			if diff := cmp.Diff(want, after.User, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before.Locations, after.Locations); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSeatRace: of two creations for the last seat one wins, and the other is
// told 401 (dossier 6).
func TestSeatRace(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine})
			tenant, secret := server.Tenant(t, "race", directory.RankAdministrator)
			_, err := server.Service.SetPool(context.Background(), directory.System(tenant.No, "test"), "regular", 1)
			must(t, err)
			answers := make(chan int, 2)
			for _, email := range []string{"a@example.test", "b@example.test"} {
				go func() {
					status, _, _ := send(t, server.URL, "POST", "/user/create", `{"firstName":"Ann","lastName":"Lee","email":"`+email+`"}`, "X-API-Key", secret)
					answers <- status
				}()
			}
			got := map[int]int{}
			for range 2 {
				got[<-answers]++
			}
			if diff := cmp.Diff(map[int]int{200: 1, 401: 1}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecisionsHaveCases: every decision of docs/dialects/smartapp.md 5 is cited
// by a case of a script or by a test.
func TestDecisionsHaveCases(t *testing.T) { testkit.DecisionsHaveCases(t, "smartapp", 11) }

// TestScriptsCiteSources: every case of every script says where it comes from.
func TestScriptsCiteSources(t *testing.T) { testkit.ScriptsCiteSources(t) }

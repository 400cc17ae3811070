package iqmetrix_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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
	if err != nil {
		t.Fatal(err)
	}
	return tenant.No
}

// vars are the published credentials of the sample directory, and beside them
// a key that may only read, a second OAuth client, two users whom another system
// holds, and a second tenant with a user and a strict password policy.
func vars(t testing.TB, service *directory.Service) map[string]string {
	t.Helper()
	ctx, no := context.Background(), demo(t, service)
	system := func(tenant directory.TenantNo) *directory.Call { return directory.System(tenant, "test") }
	_, reader, err := service.CreateKey(ctx, system(no), directory.NewCredential{Name: "reader", Rank: directory.RankReader})
	must(t, err)
	client, secret, err := service.CreateClient(ctx, system(no), directory.NewCredential{Name: "second", ClientID: "second-client"})
	must(t, err)

	other, err := service.CreateTenant(ctx, system(0), directory.Tenant{Name: "other", Doors: directory.AllDoors}, directory.Company{})
	must(t, err)
	_, otherKey, err := service.CreateKey(ctx, system(other.No), directory.NewCredential{Name: "other", Rank: directory.RankAdministrator})
	must(t, err)
	// Numbers that the sample directory does not have.
	company, err := service.CreateCompany(ctx, system(other.No), directory.Company{Name: "Annex", Number: 777001})
	must(t, err)
	user, err := service.CreateUser(ctx, system(other.No), directory.NewUser{Number: 777002,
		Fields: directory.UserPatch{UserName: directory.Some("other.user"), Company: directory.Some(company.Number)}})
	must(t, err)

	held, err := service.CreateUser(ctx, system(no), directory.NewUser{
		Fields: directory.UserPatch{UserName: directory.Some("held"), Company: directory.Some[int64](14146)}})
	must(t, err)
	must(t, service.PlaceHold(ctx, system(no), directory.ByNumber(held.Number), directory.Hold{Kind: directory.HoldOpenOrders, Source: "dispatch", Ref: "7"}))
	parked, err := service.CreateUser(ctx, system(no), directory.NewUser{State: directory.StateInactive,
		Fields: directory.UserPatch{UserName: directory.Some("parked"), Company: directory.Some[int64](14146)}})
	must(t, err)
	must(t, service.PlaceHold(ctx, system(no), directory.ByNumber(parked.Number), directory.Hold{Kind: directory.HoldVehicleRemoved, Source: "dispatch", Ref: "7"}))

	return map[string]string{
		"held": strconv.FormatInt(held.Number, 10), "parked": strconv.FormatInt(parked.Number, 10),
		"key": "usher-demo-key", "client_id": "usher-demo-client", "client_secret": "usher-demo-secret", "admin_password": "usher-demo-password",
		"reader_key": reader, "other_client_id": client.ClientID, "other_client_secret": secret,
		"other_key": otherKey, "other_company": strconv.FormatInt(company.Number, 10), "other_user": strconv.FormatInt(user.Number, 10),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRequestLimit: over the limit the answer is 429 in plain text with the
// headers of every answer (rate limiting page; dossier 2.4).
func TestRequestLimit(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	ctx, no := context.Background(), demo(t, server.Service)
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	tenant.Settings.RequestsPerMinute = map[string]int{"iqmetrix": 1}
	_, err = server.Service.UpdateTenant(ctx, directory.System(no, "test"), tenant)
	must(t, err)
	// Two calls may fall into two windows, three cannot: at most one is new.
	for i := range 3 {
		status, header, body := send(t, server.URL, "GET", "/v1/Users(2576)", "", nil)
		if status == http.StatusOK {
			if i == 2 {
				t.Fatal("three calls passed a limit of one a minute")
			}
			continue
		}
		if status != http.StatusTooManyRequests || body != "rate limit exceeded" || header.Get("Content-Type") != "text/plain" {
			t.Fatalf("%d %v %q", status, header, body)
		}
		for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-ResetSeconds", "Retry-After"} {
			if header.Get(name) == "" {
				t.Errorf("no %s in %v", name, header)
			}
		}
		if header.Get("X-RateLimit-Limit") != "1" || header.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("limit %s, remaining %s", header.Get("X-RateLimit-Limit"), header.Get("X-RateLimit-Remaining"))
		}
		return
	}
}

// TestPictureSetting: one setting of the tenant shows a missing picture as
// null (dossier 5.12).
func TestPictureSetting(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	ctx, no := context.Background(), demo(t, server.Service)
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	tenant.Settings.IQmetrixPictureNull = true
	_, err = server.Service.UpdateTenant(ctx, directory.System(no, "test"), tenant)
	must(t, err)
	for _, path := range []string{"/v1/Users(2576)", "/v1/Entities(1)/Users", "/v1/Entities(1)/Users/Search?terms=john"} {
		if status, _, body := send(t, server.URL, "GET", path, "", nil); status != 200 || !strings.Contains(body, `"Picture":null,`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// TestPutKeepsWhatThisDoorDoesNotShow: a PUT replaces all that the door shows
// and nothing else (dossier 5.15).
func TestPutKeepsWhatThisDoorDoesNotShow(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			ctx, no := context.Background(), demo(t, server.Service)
			hidden := directory.UserPatch{DisplayName: directory.Some("Johnny"), EmployeeNumber: directory.Some("000000099"), OpenID: directory.Some("open:1"),
				WebMDN: directory.Some("5551234567"), Language: directory.Some("fr-CA"), TimeZone: directory.Some("America/Regina"),
				ExpiresAt: directory.Some(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))}
			before, err := server.Service.UpdateUser(ctx, directory.System(no, "test"), directory.ByNumber(2576), hidden, directory.UpdateOptions{})
			must(t, err)
			if before.DoorVersion != 1 {
				t.Errorf("what the door does not show raised its Version to %d", before.DoorVersion)
			}
			status, _, body := send(t, server.URL, "PUT", "/v1/Users(2576)", "", []byte(`{"FirstName":"J","LastName":"B","UserName":"jb","ParentEntityId":14146,"Version":1}`))
			if status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			after, err := server.Service.User(ctx, directory.System(no, "test"), directory.ByNumber(2576))
			must(t, err)
			// What the door shows, and what follows from it.
			want := before
			want.GivenName, want.FamilyName, want.UserName, want.Company = "J", "B", "jb", 14146
			want.Email, want.EmailClaimed, want.Title, want.ClientUserID = "", false, "", ""
			want.Phones, want.Address, want.Profile.Picture = nil, directory.Address{}, nil
			want.Version, want.DoorVersion, want.UpdatedAt = before.Version+1, 2, after.UpdatedAt
			if diff := cmp.Diff(want, after, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHostileBodies: no body is the server's fault, and none changes the user.
func TestHostileBodies(t *testing.T) {
	const users, put = "/v1/Users/importExisting", "/v1/Users(2576)"
	big := `{"UserName":"` + strings.Repeat("x", 2<<20) + `"`
	bodies := map[string]struct {
		body   string
		status int
	}{
		"too large":         {big, 413},
		"invalid UTF-8":     {"{\"UserName\":\"a\xffb\",\"ParentEntityId\":1}", 400},
		"lone surrogate":    {`{"UserName":"a\ud800","FirstName":"a","LastName":"b","ParentEntityId":999999}`, 400},
		"NUL":               {`{"UserName":"a\u0000b","FirstName":"a","LastName":"b","ParentEntityId":1}`, 400},
		"NUL in a key":      {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1,"Attributes":{"\u0000":1}}`, 400},
		"NUL in a value":    {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1,"Attributes":{"a":"\u0000"}}`, 400},
		"NUL in a picture":  {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1,"Picture":{"a":"\u0000"}}`, 400},
		"NUL in a phone":    {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1,"PhoneNumbers":[{"Number":"\u00001234567","Type":"a"}]}`, 400},
		"NUL in an address": {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1,"Address":{"City":"\u0000"}}`, 400},
		"huge integer":      {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1` + strings.Repeat("0", 5000) + `}`, 400},
		"huge exponent":     {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1e999999999}`, 400},
		"deep":              {strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000), 400},
		"deep attributes":   {`{"UserName":"ab","ParentEntityId":1,"Attributes":` + strings.Repeat(`[`, 1000) + strings.Repeat("]", 1000) + `}`, 400},
		"many phones":       {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1,"PhoneNumbers":[` + strings.TrimSuffix(strings.Repeat(`{"Number":"1234567","Type":"a"},`, 2000), ",") + `]}`, 400},
		"big attributes":    {`{"UserName":"ab","FirstName":"a","LastName":"b","ParentEntityId":1,"Attributes":{"a":"` + strings.Repeat("x", 100_000) + `"}}`, 400},
		"invisible name":    {`{"UserName":"a\u200bb","FirstName":"a","LastName":"b","ParentEntityId":1}`, 400},
	}
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			for name, test := range bodies {
				for _, to := range [][2]string{{"POST", users}, {"PUT", put}} {
					status, _, body := send(t, server.URL, to[0], to[1], "", []byte(test.body))
					if status != test.status || !strings.HasPrefix(body, `{"Message":`) {
						t.Errorf("%s, %s: %d %.300s", name, to[0], status, body)
					}
				}
			}
			for _, path := range []string{"/v1/Users(2576)/Lock", "/v1/Users(2576)/TemporaryPassword", "/v1/Users(2576)/AssignedRoles",
				"/v1/Entities(14146)/lockReasons", "/v1/Entities(14146)/SecurityRoles"} {
				if status, _, body := send(t, server.URL, "POST", path, "", []byte(big)); status != 413 {
					t.Errorf("%s: %d %.300s", path, status, body)
				}
			}
			if status, _, body := send(t, server.URL, "GET", put, "", nil); status != 200 || !strings.Contains(body, `"Version":1}`) {
				t.Errorf("the user was changed: %d %s", status, body)
			}
		})
	}
}

// TestHostileQueries: bytes that mean something to a database or to nobody.
func TestHostileQueries(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			for _, value := range []string{"%00", "%ff%fe", "%25", "_", "%22", "'", "''", "*", "(", ")", "%5C", ":", "-", "NEAR", "a%00b", "%F0%9F%98%80",
				"%E2%80%AE", strings.Repeat("a", 500), strings.TrimSuffix(strings.Repeat("ab+", 200), "+"), "AND", "OR+NOT", "%zz", "{}", "$1", "?1"} {
				for _, path := range []string{"/v1/Entities(14146)/Users/Search?terms=" + value, "/v1/Entities(14146)/Users?$filter=ClientUserId+eq+'" + value + "'",
					"/v1/Entities(14146)/Users?$skip=" + value, "/v1/Entities(14146)/Users?" + value + "=1", "/v1/Users(" + value + ")"} {
					status, _, body := send(t, server.URL, "GET", path, "", nil)
					if status >= 500 || status == 401 {
						t.Errorf("%s: %d %s", path, status, body)
					}
				}
			}
		})
	}
}

// TestHeaderFlood: a header block beyond every need is refused and harms
// nobody else.
func TestHeaderFlood(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	must(t, err)
	defer conn.Close()
	var b strings.Builder
	b.WriteString("GET /v1/Users(2576) HTTP/1.1\r\nHost: localhost\r\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "X-Flood-%d: %s\r\n", i, strings.Repeat("x", 200))
	}
	b.WriteString("\r\n")
	// The server may cut the connection before it has read all of it.
	_, writeErr := io.WriteString(conn, b.String())
	answer, readErr := io.ReadAll(io.LimitReader(conn, 1<<16))
	if !strings.HasPrefix(string(answer), "HTTP/1.1 431 ") && writeErr == nil && readErr == nil {
		t.Errorf("answer %.200q", answer)
	}
	if status, _, body := send(t, server.URL, "GET", "/v1/Users(2576)", "", nil); status != 200 {
		t.Errorf("after the flood: %d %s", status, body)
	}
	// Many credentials: the first counts.
	status, _, body := send(t, server.URL, "GET", "/v1/Users(2576)", strings.Repeat("x", 8000), nil)
	if status != 401 || body != "invalid token" {
		t.Errorf("a long token: %d %s", status, body)
	}
}

// TestHeaderCase: the limit headers go out in the vendor's letter case (rate
// limiting page).
func TestHeaderCase(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /v1/Users(2576) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer usher-demo-key\r\nConnection: close\r\n\r\n")
	must(t, err)
	answer, err := io.ReadAll(conn)
	must(t, err)
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-ResetSeconds"} {
		if !strings.Contains(string(answer), "\r\n"+name+": ") {
			t.Errorf("no %s in %s", name, answer)
		}
	}
}

// TestFailedLoginsLock: a tenant can have users locked after wrong passwords in
// a row; the right one does not help then (dossier 5.20).
func TestFailedLoginsLock(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	ctx, no := context.Background(), demo(t, server.Service)
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	tenant.Settings.MaxFailedLogins = 2
	_, err = server.Service.UpdateTenant(ctx, directory.System(no, "test"), tenant)
	must(t, err)
	grant := func(password string) string {
		answer, err := http.PostForm(server.URL+"/v1/oauth2/token", url.Values{"grant_type": {"password"}, "client_id": {"usher-demo-client"},
			"client_secret": {"usher-demo-secret"}, "username": {"admin"}, "password": {password}})
		must(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		must(t, err)
		return fmt.Sprint(answer.StatusCode, " ", string(body))
	}
	const wrong = `400 {"error":"invalid_grant","error_description":"The user name or password is incorrect."}`
	for i := range 2 {
		if got := grant("wrong password"); got != wrong {
			t.Errorf("wrong password %d: %s", i+1, got)
		}
	}
	if got := grant("usher-demo-password"); got != `400 {"error":"invalid_grant","error_description":"The account is locked."}` {
		t.Errorf("the right password after two wrong ones: %s", got)
	}
	if _, _, body := send(t, server.URL, "GET", "/v1/Users(3001)/Unlock", "", nil); body != `{"CanUnlockUser":true}` {
		t.Errorf("lock status: %s", body)
	}
}

// TestNoticeOnImport: an import sends nothing, unless the tenant wants that its
// people are told; a notice has no password (dossier 5.22).
func TestNoticeOnImport(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	add := func(name string) {
		t.Helper()
		body := []byte(`{"UserName":"` + name + `","Email":"` + name + `@example.test","FirstName":"Ana","LastName":"Lima","ParentEntityId":14146,"Password":"quarry-lantern"}`)
		if status, _, text := send(t, server.URL, "POST", "/v1/Users/importExisting", "", body); status != http.StatusCreated {
			t.Fatalf("%d %s", status, text)
		}
	}
	add("silent")
	ctx, no := context.Background(), demo(t, server.Service)
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	tenant.Settings.NotifyOnCreate = true
	_, err = server.Service.UpdateTenant(ctx, directory.System(no, "test"), tenant)
	must(t, err)
	add("told")
	subject, text := server.Mail(t, "told@example.test")
	if subject == "" || !strings.Contains(text, "told") || strings.Contains(text, "quarry-lantern") {
		t.Errorf("subject %q:\n%s", subject, text)
	}
	// Messages leave in the order of their changes: an earlier one would be here.
	files, err := filepath.Glob(filepath.Join(server.Config.MailFolder(), "*.eml"))
	must(t, err)
	if len(files) != 1 {
		t.Errorf("%d messages, want one", len(files))
	}
}

// TestDecisionsHaveCases: every decision of docs/dialects/iqmetrix.md 5 is
// cited by a case of a script or by a test.
func TestDecisionsHaveCases(t *testing.T) { testkit.DecisionsHaveCases(t, "iqmetrix", 29) }

// TestScriptsCiteSources: every case of every script says where it comes from.
func TestScriptsCiteSources(t *testing.T) { testkit.ScriptsCiteSources(t) }

// send makes one request with the sample key, or another token.
func send(t testing.TB, url, method, path, token string, body []byte) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, url+"/", bytes.NewReader(body))
	must(t, err)
	// As written: hostile paths are no legal URLs.
	r.URL.Opaque = path
	if token == "" {
		token = "usher-demo-key"
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

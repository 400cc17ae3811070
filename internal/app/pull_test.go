package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// The vendor of these tests is this program itself, with the sample directory and
// generated users: what its doors answer, their readers read.

// generated is how many users the vendor has beside the sample directory: several
// pages of each door.
const generated = 230

// familyName is theirs.
const familyName = "Ünal-O'Neil 李"

// vendor starts a server that plays the vendor.
func vendor(t *testing.T) *testkit.Server {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Demo: true})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Service.SetPool(ctx, system(), "regular", 1000)
	must(err)
	for i := range generated {
		in := directory.NewUser{State: directory.StateActive, Fields: directory.UserPatch{
			UserName: directory.Some(fmt.Sprintf("worker.%03d", i)), GivenName: directory.Some(fmt.Sprintf("Wilma \"%d\" <&>", i)),
			FamilyName: directory.Some(familyName), Email: directory.Some(fmt.Sprintf("Worker.%03d@example.test", i)),
		}}
		call := system()
		p := &in.Fields
		if i%7 == 0 {
			in.State = directory.StateInactive
		}
		if i%3 == 0 {
			p.Company = directory.Some[int64](1)
			p.EmployeeNumber = directory.Some(fmt.Sprintf("E-%d", i))
			p.LicenceType = directory.Some("regular")
			p.Phones = directory.Some([]directory.Phone{{Number: fmt.Sprintf("61355502%02d", i%100), Type: "phone"}})
			p.Title = directory.Some("Fitter")
			p.Groups = []directory.GroupChange{{Kind: directory.GroupPlain, Mode: directory.GroupsReplace,
				Groups: []directory.GroupRef{{Kind: directory.GroupPlain, Name: "interns"}}},
				{Kind: directory.GroupServiceTeam, Mode: directory.GroupsReplace,
					Groups: []directory.GroupRef{{Kind: directory.GroupServiceTeam, Name: "TEAM-2"}}}}
		}
		if i%5 == 0 {
			p.Address = directory.Some(directory.Address{Set: true, Line1: "1 Main St", City: "Regina", Region: "SK", Country: "CA", Zip: "S4P"})
			p.Language, p.TimeZone = directory.Some("fr-CA"), directory.Some("America/Regina")
			p.Roles = directory.Some([]string{"intern"})
			p.Attributes = directory.Some(map[string]json.RawMessage{"Badge": json.RawMessage(`{"n":1.50}`)})
			p.ClientUserID, p.WebMDN, p.MobileOnly = directory.Some(fmt.Sprintf("c%d", i)), directory.Some(fmt.Sprintf("555%04d", i)), directory.Some(true)
			p.StorageLocation = directory.Some(fmt.Sprintf("van %d", i))
		}
		for door, extras := range ownFields {
			if i%4 == int(door)%4 {
				call.Door = door
				p.Extras = directory.Some(json.RawMessage(extras))
			}
		}
		u, err := s.Service.CreateUser(ctx, call, in)
		must(err)
		if i%11 == 0 {
			_, err = s.Service.Lock(ctx, system(), directory.ByNumber(u.Number), 14)
			must(err)
			must(s.Service.AssignLocation(ctx, system(), directory.ByNumber(u.Number), 14202))
		}
	}
	return s
}

func system() *directory.Call { return directory.System(1, "test") }

// ownFields are fields of a user that only one door has.
var ownFields = map[directory.Door]string{
	directory.DoorEncore:          `{"RoleId":5,"EPTTEnabled":true,"EPTTNumber":"100","EPTTToken":"tok"}`,
	directory.DoorSmartapp:        `{"globalUserID":"g-1","metadata":{"a":[1,{"b":null}]}}`,
	directory.DoorEduBrite:        `{"siteRole":"INSTRUCTOR","prop.address":"1 ]]> & <x>"}`,
	directory.DoorServiceMobility: `{"AuthenticationID":"A1","Extensions":{"z":"1","a":"2"},"IsMobileWorker":true,"LanguageCode":"English (Canada)"}`,
	directory.DoorSCIM:            `{"nickName":"Will","costCenter":"77","ims":[{"value":"w@im","type":"xmpp"}]}`,
}

// requests are how each door of a server is read.
func requests(url string) map[string]app.PullRequest {
	const key = "usher-demo-key"
	return map[string]app.PullRequest{
		"encore":          {BaseURL: url, Token: key},
		"iqmetrix":        {BaseURL: url + "/v1", Token: key, Company: 14146},
		"smartapp":        {BaseURL: url, Token: key, Place: "apikey-query", Page: 50},
		"edubrite":        {BaseURL: url, User: "api_usher_demo", Password: "usher-demo-password", ActAs: "chenry", Page: 50},
		"servicemobility": {BaseURL: url, Token: key, Teams: []string{"TEAM-1", "TEAM-2"}, Users: []string{"mwalker", "nobody.here"}},
		"scim":            {BaseURL: url + "/scim/v2", Token: key, Page: 50},
	}
}

// newPull prepares a reading of a door of a server.
func newPull(t *testing.T, url, door string, change ...func(*app.PullRequest)) (*app.Pull, string) {
	t.Helper()
	r := requests(url)[door]
	r.Door, r.Rate, r.Parallel = door, 1e6, 4
	r.File = filepath.Join(t.TempDir(), "users.ndjson")
	for _, c := range change {
		c(&r)
	}
	p, err := app.NewPull(r)
	if err != nil {
		t.Fatal(err)
	}
	return p, r.File
}

// recordsOf reads a file of records, by user name.
func recordsOf(t *testing.T, file string) map[string]directory.Record {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records := map[string]directory.Record{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r directory.Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if _, twice := records[*r.UserName]; twice {
			t.Errorf("%s is there twice", *r.UserName)
		}
		records[*r.UserName] = r
	}
	return records
}

// TestPullReadsEveryDoor: all users that the API shows, each once, as the vendors'
// documents have them.
func TestPullReadsEveryDoor(t *testing.T) {
	s := vendor(t)
	for _, test := range []struct {
		door  string
		users int
		name  string
		want  string
		left  map[string]int64
	}{
		{"encore", generated + 10, "mwalker", `{"number":123456,"user_name":"mwalker","email":"mwalker@example.test","given_name":"Maria","family_name":"Walker",` +
			`"employee_number":"000000006","web_mdn":"","licence_type":"regular","status":"inactive","phones":[{"number":"8135550106"}],` +
			`"extras":{"encore":{"GPSEnabled":true}},"mobile_only":false,"groups":[],"rank":"self"}`, nil},
		{"iqmetrix", generated - 33 + 6, "johnb@kentel.com", `{"number":2576,"user_name":"johnb@kentel.com","email":"johnb@kentel.com","given_name":"John",` +
			`"family_name":"Bates","title":"Sales Clerk","company":1,"client_user_id":"132","status":"active","locked":false,"lock_reason":0,` +
			`"phones":[{"number":"6135550127","extension":"5532","type":"Work"}],"address":{"set":true,"line1":"1432 Merry View Road","city":"Big Windy",` +
			`"region":"ON","country":"CA","zip":"A1A2B2"},"picture":{},"attributes":{},"roles":[],"locations":[14202]}`, nil},
		{"smartapp", generated + 10, "ccarr1", `{"id":"9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870","user_name":"ccarr1","email":"ccarr@smartapp.com","given_name":"Caleb",` +
			`"family_name":"Carr","display_name":"","company_name":"smartapp.com","licence_type":"regular","status":"active",` +
			`"phones":[{"number":"123-456-7890","type":"phone"},{"number":"982-482-5927","type":"mobile"},{"number":"1-555-9876543","type":"fax"}],` +
			`"extras":{"smartapp":{"globalUserID":"7b0c9d52-16e3-4f7a-8c4d-5a2e90b1f3d8","metadata":{"Favorite employee":true}}},` +
			`"groups":[{"kind":"group","key":"smartapp1350 employee","name":"Smartapp1350 employee"},{"kind":"dashboard","key":"operations","name":"Operations"}],` +
			`"roles":["intern","software developer"]}`, map[string]int64{"locations, which this API does not number": 15}},
		{"edubrite", generated + 10, "chenry", `{"user_name":"chenry","email":"chenry@example.test","given_name":"Carol","family_name":"Henry","status":"active",` +
			`"groups":[],"roles":["administrator"],"rank":"administrator"}`, nil},
		{"servicemobility", 77 + 1 + 1, "tech.jones", `{"user_name":"tech.jones","email":"tech.jones@example.test","given_name":"Terry","family_name":"Jones",` +
			`"status":"active","locked":false,"phones":[{"number":"6135550160","type":"Work"},{"number":"6135550161","type":"Mobile"}],"language":"en",` +
			`"extras":{"servicemobility":{"IsMobileWorker":true,"Extensions":{"key1":"value1","key2":"value2"}}},"storage_location":"",` +
			`"groups":[{"kind":"service_team","key":"TEAM-1","name":"Team 1"}],"roles":[]}`, map[string]int64{"users who are gone": 1}},
		{"scim", generated + 10, "ccarr1", `{"id":"9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870","user_name":"ccarr1","email":"ccarr@smartapp.com","given_name":"Caleb",` +
			`"family_name":"Carr","display_name":"ccarr1","title":"","employee_number":"","licence_type":"regular","status":"active",` +
			`"phones":[{"number":"123-456-7890","type":"phone"},{"number":"982-482-5927","type":"mobile"},{"number":"1-555-9876543","type":"fax"}],` +
			`"address":{},"language":"","time_zone":"","groups":[{"kind":"group","key":"smartapp1350 employee","name":"Smartapp1350 employee"}],` +
			`"roles":["intern","software developer"]}`, nil},
	} {
		t.Run(test.door, func(t *testing.T) {
			p, file := newPull(t, s.URL, test.door)
			got, err := p.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Users != int64(test.users) || got.Missing != 0 {
				t.Errorf("%d users, %d missing; want %d", got.Users, got.Missing, test.users)
			}
			if diff := cmp.Diff(test.left, got.Left); diff != "" && len(test.left)+len(got.Left) > 0 {
				t.Errorf("left out: %s", diff)
			}
			records := recordsOf(t, file)
			if len(records) != test.users {
				t.Errorf("the file has %d users", len(records))
			}
			user := records[test.name]
			if test.door == "edubrite" {
				user.ID = nil // drawn
			}
			text, err := json.Marshal(user)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(indented(t, test.want), indented(t, string(text))); diff != "" {
				t.Error(diff)
			}
			again, err := p.Read(t.Context())
			if err != nil || again.Users != got.Users || again.Resumed != got.Users {
				t.Errorf("read again: %+v, %v", again, err)
			}
		})
	}
}

func indented(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestPullSignsIn: the vendors' own credentials are got and used.
func TestPullSignsIn(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	_, secret, err := s.Service.CreateClient(t.Context(), system(), directory.NewCredential{Name: "other client", ClientID: "other"})
	if err != nil {
		t.Fatal(err)
	}
	_, code, err := s.Service.CreateCustomer(t.Context(), system(), directory.NewCredential{Name: "customer", ClientID: "cust", Rank: directory.RankReader})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		door   string
		change func(*app.PullRequest)
		users  int64
	}{
		"password grant": {"iqmetrix", func(r *app.PullRequest) {
			r.Token, r.User, r.Password, r.ClientID, r.ClientSecret = "", "admin", "usher-demo-password", "other", directory.Secret(secret)
		}, 6},
		"createjwt": {"servicemobility", func(r *app.PullRequest) {
			r.Token, r.User, r.Password, r.Teams = "", "admin", "usher-demo-password", []string{"TEAM-1"}
		}, 2},
		"customer": {"servicemobility", func(r *app.PullRequest) {
			r.Token, r.ClientID, r.ClientSecret, r.Teams = "", "cust", directory.Secret(code), []string{"TEAM-1"}
		}, 2},
		"ids": {"iqmetrix", func(r *app.PullRequest) { r.First, r.Last = 2500, 3010 }, 9},
	} {
		p, _ := newPull(t, s.URL, test.door, test.change)
		if got, err := p.Read(t.Context()); err != nil || got.Users != test.users {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestPullRefuses: what is missing is named by its flag, and no error has a secret.
func TestPullRefuses(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	for _, test := range []struct {
		door   string
		change func(*app.PullRequest)
		want   string
	}{
		{"encore", func(r *app.PullRequest) { r.Token = "" }, "--token: "},
		{"encore", func(r *app.PullRequest) { r.BaseURL = "api.example.com" }, "--base-url: "},
		{"encore", func(r *app.PullRequest) { r.Without = []string{"colour"} }, "--without: "},
		{"encore", func(r *app.PullRequest) { r.CAFile = "missing.pem" }, "--ca-file: "},
		{"iqmetrix", func(r *app.PullRequest) { r.Company = 0 }, "--entity: "},
		{"iqmetrix", func(r *app.PullRequest) { r.Token = "" }, "--token: "},
		{"smartapp", func(r *app.PullRequest) { r.Place = "cookie" }, "--credential: "},
		{"edubrite", func(r *app.PullRequest) { r.ActAs = "" }, "--act-as: "},
		{"servicemobility", func(r *app.PullRequest) { r.Teams, r.Users = nil, nil }, "--team: "},
		{"soap", func(*app.PullRequest) {}, `"soap" is none of encore, iqmetrix`},
	} {
		r := requests(s.URL)[test.door]
		r.Door = test.door
		test.change(&r)
		if _, err := app.NewPull(r); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s…", test.door, err, test.want)
		}
	}
	for door := range requests("") {
		p, _ := newPull(t, s.URL, door, func(r *app.PullRequest) {
			if r.Token != "" {
				r.Token = "not-the-key"
			} else {
				r.Password = "not-the-key"
			}
		})
		_, err := p.Read(context.Background())
		if err == nil || !strings.Contains(err.Error(), s.URL) || !strings.Contains(err.Error(), " 401") || strings.Contains(err.Error(), "not-the-key") {
			t.Errorf("%s: %v", door, err)
		}
	}
}

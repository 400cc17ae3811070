package servicemobility_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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
// a copy of one database and of its secret key.
func TestContractOfTheProgram(t *testing.T) { testkit.ContractOfTheProgram(t, prepare) }

// The people of the scripts beside those of the sample directory.
const (
	adminPassword = "usher-demo-password"
	fieldPassword = "field-password"
	tempPassword  = "temp-password"
	deskPassword  = "desk-password"
	otherPassword = "correct horse battery staple other"
)

// demo is the number of the sample tenant.
func demo(t testing.TB, service *directory.Service) directory.TenantNo {
	t.Helper()
	tenant, err := service.TenantByName(context.Background(), directory.System(0, "test"), "demo")
	must(t, err)
	return tenant.No
}

// vars are the published credentials of the sample directory, people of several
// ranks with a token each, a second tenant, and tokens that must not be good.
func vars(t testing.TB, service *directory.Service) map[string]string {
	t.Helper()
	ctx, no := context.Background(), demo(t, service)
	system := func() *directory.Call { return directory.System(no, "test") }
	people(t, service, no)
	customer, code, err := service.CreateCustomer(ctx, system(), directory.NewCredential{Name: "customer", ClientID: "demo-customer", Rank: directory.RankAdministrator})
	must(t, err)
	_, reader, err := service.CreateKey(ctx, system(), directory.NewCredential{Name: "reader", Rank: directory.RankReader})
	must(t, err)

	// Two tenants with the door: the host tells them apart.
	tenant, err := service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	tenant.Hosts = []string{"127.0.0.1"}
	tenant, err = service.UpdateTenant(ctx, system(), tenant)
	must(t, err)
	other, err := service.CreateTenant(ctx, directory.System(0, "test"),
		directory.Tenant{Name: "other", Doors: directory.AllDoors, Hosts: []string{"other.example.test"}}, directory.Company{})
	must(t, err)
	_, err = service.CreateUser(ctx, directory.System(other.No, "test"), directory.NewUser{Password: otherPassword,
		Fields: directory.UserPatch{UserName: directory.Some("other.user"), Administrator: directory.Some(true)}})
	must(t, err)

	admin := token(t, service, "127.0.0.1", "admin", adminPassword)
	variables := map[string]string{
		"key": "usher-demo-key", "reader_key": reader, "customer": customer.ClientID, "code": code,
		"entity": tenant.ID, "other_entity": other.ID,
		"admin": admin, "field": token(t, service, "127.0.0.1", "field.user", fieldPassword),
		"temp": token(t, service, "127.0.0.1", "temp.user", tempPassword), "desk": token(t, service, "127.0.0.1", "desk.user", deskPassword),
		"other": token(t, service, "other.example.test", "other.user", otherPassword),
	}
	forge(t, variables, admin)
	return variables
}

// people makes the users with passwords.
func people(t testing.TB, service *directory.Service, no directory.TenantNo) {
	t.Helper()
	ctx := context.Background()
	system := func() *directory.Call { return directory.System(no, "test") }
	_, err := service.CreateRole(ctx, system(), directory.Role{Key: "helpdesk", Name: "helpdesk", Rank: directory.RankHelpdesk})
	must(t, err)
	for _, u := range []directory.NewUser{
		{Password: fieldPassword, Fields: directory.UserPatch{UserName: directory.Some("field.user"), Email: directory.Some("field.user@example.test"),
			GivenName: directory.Some("Fay"), FamilyName: directory.Some("Field"), Phones: directory.Some([]directory.Phone{{Number: "6135550170", Extension: "17"}})}},
		{Password: tempPassword, Temporary: true, Fields: directory.UserPatch{UserName: directory.Some("temp.user")}},
		{Password: deskPassword, Fields: directory.UserPatch{UserName: directory.Some("desk.user"), Roles: directory.Some([]string{"helpdesk"})}},
		{State: directory.StateStaged, Fields: directory.UserPatch{UserName: directory.Some("staged.user")}},
		{Fields: directory.UserPatch{UserName: directory.Some("second.admin"), Administrator: directory.Some(true)}},
	} {
		_, err := service.CreateUser(ctx, system(), u)
		must(t, err)
	}
}

// token signs somebody in.
func token(t testing.TB, service *directory.Service, host, name, password string) string {
	t.Helper()
	text, err := service.SignIn(context.Background(), &directory.Call{Door: directory.DoorServiceMobility, Host: host}, name, directory.Secret(password))
	must(t, err)
	return text
}

// forge makes what attackers of signed tokens send (RFC 8725 section 2).
func forge(t testing.TB, variables map[string]string, good string) {
	t.Helper()
	parts := strings.Split(good, ".")
	decode := func(part string) map[string]any {
		text, err := base64.RawURLEncoding.DecodeString(part)
		must(t, err)
		var m map[string]any
		must(t, json.Unmarshal(text, &m))
		return m
	}
	encode := func(m map[string]any) string {
		text, err := json.Marshal(m)
		must(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	header := decode(parts[0])
	with := func(alg string) string {
		h := decode(parts[0])
		h["alg"] = alg
		return encode(h)
	}
	signed := func(h, payload string, key []byte) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(h + "." + payload))
		return h + "." + payload + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	claims := decode(parts[1])
	claims["uid"] = 3006
	variables["alg_none"] = with("none") + "." + parts[1] + "."
	variables["alg_none_signed"] = with("none") + "." + parts[1] + "." + parts[2]
	variables["alg_other"] = with("HS512") + "." + parts[1] + "." + parts[2]
	variables["other_key"] = signed(parts[0], parts[1], []byte("not the key of this tenant, truly"))
	variables["empty_key"] = signed(parts[0], parts[1], nil)
	variables["kid_as_key"] = signed(parts[0], parts[1], []byte(header["kid"].(string)))
	variables["tampered"] = parts[0] + "." + encode(claims) + "." + parts[2]
	variables["no_signature"] = parts[0] + "." + parts[1] + "."
	variables["truncated"] = good[:len(good)-8]
	variables["two_parts"] = parts[0] + "." + parts[1]
	delete(header, "kid")
	variables["no_kid"] = encode(header) + "." + parts[1] + "." + parts[2]
	header["kid"] = "' OR 1=1 --"
	variables["odd_kid"] = encode(header) + "." + parts[1] + "." + parts[2]
	variables["long"] = parts[0] + "." + strings.Repeat("A", 20_000) + "." + parts[2]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send makes one request with a token.
func send(t testing.TB, url, method, path, token string, body []byte) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, url+"/", bytes.NewReader(body))
	must(t, err)
	// As written: hostile paths are no legal URLs.
	r.URL.Opaque = path
	if token != "" {
		r.Header.Set("x-access-token", token)
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

// TestDecisionsHaveCases: every decision of docs/dialects/servicemobility.md 5
// is cited by a case of a script or by a test.
func TestDecisionsHaveCases(t *testing.T) { testkit.DecisionsHaveCases(t, "servicemobility", 21) }

// TestScriptsCiteSources: every case of every script says where it comes from.
func TestScriptsCiteSources(t *testing.T) { testkit.ScriptsCiteSources(t) }

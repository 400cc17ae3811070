package scim_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// decisions is how many decisions docs/dialects/scim.md has at least.
const decisions = 32

func TestMain(m *testing.M) { pgtest.Main(m) }

// prepare adds what the scripts need to the sample directory.
func prepare(t testing.TB, s *testkit.Server) map[string]string { return vars(t, s.Service) }

// TestContract runs the scripts of testdata/contract on both engines, each on
// a sample directory of its own.
func TestContract(t *testing.T) { testkit.Contract(t, prepare) }

// TestContractOfTheProgram runs the scripts against the built program, each on
// a copy of one database.
func TestContractOfTheProgram(t *testing.T) { testkit.ContractOfTheProgram(t, prepare) }

// TestDecisionsHaveCases: every decision of docs/dialects/scim.md 5 is cited by
// a case of a script or by a test.
func TestDecisionsHaveCases(t *testing.T) { testkit.DecisionsHaveCases(t, "scim", decisions) }

// TestScriptsCiteSources: every case of every script says where it comes from.
func TestScriptsCiteSources(t *testing.T) { testkit.ScriptsCiteSources(t) }

// demo is the number of the sample tenant.
func demo(t testing.TB, service *directory.Service) directory.TenantNo {
	t.Helper()
	tenant, err := service.TenantByName(context.Background(), directory.System(0, "test"), "demo")
	must(t, err)
	return tenant.No
}

// vars are the published credentials of the sample directory, and beside them
// keys of other rights, people who sign in, and a second tenant.
func vars(t testing.TB, service *directory.Service) map[string]string {
	t.Helper()
	ctx, no := context.Background(), demo(t, service)
	system := func(tenant directory.TenantNo) *directory.Call { return directory.System(tenant, "test") }
	key := func(in directory.NewCredential) string {
		t.Helper()
		_, secret, err := service.CreateKey(ctx, system(no), in)
		must(t, err)
		return secret
	}
	// Signed in while the sample tenant is the only one with these doors.
	signIn := func(name string, password directory.Secret) string {
		t.Helper()
		in, err := service.OpenUserSession(ctx, &directory.Call{Door: directory.DoorCanonical, Addr: "192.0.2.7"}, name, password, "")
		must(t, err)
		return in.Token
	}
	admin := signIn("admin", "usher-demo-password")
	_, err := service.CreateUser(ctx, system(no), directory.NewUser{Password: "sparrow-lantern-quarry-41", State: directory.StateActive,
		Fields: directory.UserPatch{UserName: directory.Some("ana"), GivenName: directory.Some("Ana"), FamilyName: directory.Some("Lima")}})
	must(t, err)
	person := signIn("ana", "sparrow-lantern-quarry-41")
	staged, err := service.CreateUser(ctx, system(no), directory.NewUser{State: directory.StateStaged, Fields: directory.UserPatch{UserName: directory.Some("staged")}})
	must(t, err)
	boss, err := service.UserDetail(ctx, system(no), directory.ByUserName("admin"), 0)
	must(t, err)
	john, err := service.UserDetail(ctx, system(no), directory.ByNumber(2576), 0)
	must(t, err)
	for _, role := range []directory.Role{{Name: "tech", Key: "tech"}, {Name: "desk", Key: "desk", Rank: directory.RankHelpdesk}} {
		_, err := service.CreateRole(ctx, system(no), role)
		must(t, err)
	}
	company, err := service.CreateCompany(ctx, system(no), directory.Company{Name: "Bound"})
	must(t, err)
	other, err := service.CreateTenant(ctx, system(0), directory.Tenant{Name: "other", Doors: directory.AllDoors}, directory.Company{})
	must(t, err)
	_, otherKey, err := service.CreateKey(ctx, system(other.No), directory.NewCredential{Name: "other", Rank: directory.RankAdministrator})
	must(t, err)
	return map[string]string{
		"admin": admin, "person": person, "staged": staged.ID, "boss": boss.User.ID, "john": john.User.ID,
		"key": "usher-demo-key", "second": key(directory.NewCredential{Name: "second", Rank: directory.RankAdministrator}),
		"reader": key(directory.NewCredential{Name: "reader", Rank: directory.RankReader}),
		"bound":  key(directory.NewCredential{Name: "bound", Rank: directory.RankAdministrator, Root: company.Number}),
		"encore": key(directory.NewCredential{Name: "encore", Rank: directory.RankAdministrator, Doors: directory.DoorSet(directory.DoorEncore)}),
		"other":  otherKey, "wrong": "no-key-of-anybody",
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send makes one request with the sample key, or another.
func send(t testing.TB, url, method, path, key string, body []byte) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, url+"/", bytes.NewReader(body))
	must(t, err)
	// As written: hostile paths are no legal URLs.
	r.URL.Opaque = path
	if key == "" {
		key = "usher-demo-key"
	}
	r.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

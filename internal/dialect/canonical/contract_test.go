package canonical_test

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

func TestMain(m *testing.M) { pgtest.Main(m) }

// prepare adds what the scripts need to the sample directory.
func prepare(t testing.TB, s *testkit.Server) map[string]string { return vars(t, s.Service) }

// TestContract runs the scripts of testdata/contract on both engines, each on
// a sample directory of its own.
func TestContract(t *testing.T) { testkit.Contract(t, prepare) }

// TestContractOfTheProgram runs the scripts against the built program, each on
// a copy of one database.
func TestContractOfTheProgram(t *testing.T) { testkit.ContractOfTheProgram(t, prepare) }

// vars are the published key of the sample directory, and beside it a key that
// may only read, a group, and the token of a signed-in administrator.
func vars(t testing.TB, service *directory.Service) map[string]string {
	t.Helper()
	ctx := context.Background()
	tenant, err := service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	_, reader, err := service.CreateKey(ctx, directory.System(tenant.No, "test"), directory.NewCredential{Name: "reader", Rank: directory.RankReader})
	must(t, err)
	groups, err := service.CreateGroups(ctx, directory.System(tenant.No, "test"), []directory.Group{{Kind: directory.GroupPlain, Name: "Pilots"}}, nil)
	must(t, err)
	boss, err := service.OpenUserSession(ctx, &directory.Call{Door: directory.DoorCanonical}, "admin", "usher-demo-password", "")
	must(t, err)
	return map[string]string{"key": "usher-demo-key", "reader": reader, "group": groups[0].ID, "boss": boss.Token, "bossID": boss.User.ID}
}

// TestDecisionsHaveCases: every decision of docs/dialects/canonical.md 5 is
// cited by a case of a script or by a test.
func TestDecisionsHaveCases(t *testing.T) { testkit.DecisionsHaveCases(t, "canonical", 9) }

// TestScriptsCiteSources: every case of every script says where it comes from.
func TestScriptsCiteSources(t *testing.T) { testkit.ScriptsCiteSources(t) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send makes one request with the sample key.
func send(t testing.TB, url, method, path string, body []byte) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, url+path, bytes.NewReader(body))
	must(t, err)
	r.Header.Set("Authorization", "Bearer usher-demo-key")
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

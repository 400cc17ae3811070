package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

// subject is a server to be judged and a tenant of its own.
type subject struct {
	*testkit.Server
	tenant app.ThrowAwayTenant
}

// start makes a throw-away tenant in a fresh database, as the command does, and
// serves it.
func start(t *testing.T) subject {
	t.Helper()
	var s subject
	s.Server = testkit.Start(t, testkit.Options{Tune: func(cfg *config.Config) {
		// A head that is larger is answered by the HTTP server before any door
		// sees it (RFC 6585 section 5), and made-up queries get long.
		cfg.MaxHeader = 1 << 20
		// With every request that succeeds one is sent with a wrong credential.
		cfg.WrongCredentials = 1_000_000
		admin, err := app.OpenAdmin(t.Context(), cfg, slog.New(slog.DiscardHandler), "tenant create")
		if err != nil {
			t.Fatal(err)
		}
		var made error
		s.tenant, made = admin.CreateThrowAwayTenant(t.Context(), "all", nil)
		if err := errors.Join(made, admin.Close()); err != nil {
			t.Fatal(err)
		}
	}})
	return s
}

// send calls the server and returns the answer, which must have the status 200.
func (s subject) send(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		request.Header[name] = []string{value} // in the letter case that the vendor writes
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %v %d %s", method, path, err, response.StatusCode, text)
	}
	return response, string(text)
}

// eduBriteSession opens a session of the API user and returns its cookies.
func (s subject) eduBriteSession(t *testing.T) string {
	t.Helper()
	sign := url.Values{"username": {s.tenant.APIUser.ID}, "password": {s.tenant.APIUser.Secret}}
	response, _ := s.send(t, http.MethodPost, "/oltpublish/site/connect.do", sign.Encode(),
		"Content-Type: application/x-www-form-urlencoded")
	var cookies []string
	for _, cookie := range response.Cookies() {
		cookies = append(cookies, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(cookies, "; ")
}

// mobilityToken signs the owner in at the servicemobility door.
func (s subject) mobilityToken(t *testing.T) string {
	t.Helper()
	_, body := s.send(t, http.MethodPost, "/createjwt", fmt.Sprintf(`{"username":%q,"password":%q}`, s.tenant.Owner.UserName, s.tenant.Owner.Password),
		"Content-Type: application/json")
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Token == "" {
		t.Fatalf("no token: %s", body)
	}
	return answer.Token
}

// repository is the folder that go.mod is in.
const repository = "../.."

// tool is the path of an installed program. There is no judgement without it,
// and so no way to pass.
func tool(t *testing.T, name string) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join(repository, ".venv-tools"))
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := os.ReadFile(filepath.Join(repository, "tools/python/requirements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	installed, err := os.ReadFile(filepath.Join(folder, "requirements.txt"))
	if err != nil || string(installed) != string(wanted) {
		t.Fatalf("the tools of tools/python/requirements.txt are not installed in these versions; run: make setup (%v)", err)
	}
	return filepath.Join(folder, "bin", name)
}

// judge runs a tool in an empty folder. It must end with 0; what it printed is
// its report.
func judge(t *testing.T, environ []string, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = t.TempDir()
	// The server is on this machine, whatever proxy leads elsewhere.
	command.Env = append(append(os.Environ(), "NO_PROXY=*", "no_proxy=*", "PYTHONUTF8=1"), environ...)
	report, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(program), err, report)
	}
	return string(report)
}

package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// running is a server that runs until stop, with a tenant.
type running struct {
	*app.App
	url    string
	tenant directory.Tenant
	logs   *bytes.Buffer // to be read after stop
	stop   func()
}

func run(t *testing.T, cfg config.Config) *running {
	t.Helper()
	r := &running{logs: &bytes.Buffer{}}
	a, err := app.New(t.Context(), cfg, r.logs)
	if err != nil {
		t.Fatal(err)
	}
	r.App = a
	if r.tenant, err = a.Service().TenantByName(t.Context(), directory.System(0, "test"), "acme"); err != nil {
		r.tenant, err = a.Service().CreateTenant(t.Context(), directory.System(0, "test"), directory.Tenant{Name: "acme"}, directory.Company{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.url = a.URL()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stopped := false
	r.stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// change makes an event.
func (r *running) change(t *testing.T, name string) {
	t.Helper()
	_, err := r.Service().CreateCompany(t.Context(), directory.System(r.tenant.No, "test"), directory.Company{Name: name})
	if err != nil {
		t.Fatal(err)
	}
}

// verify is what `usher audit verify` does, beside whoever serves.
func verify(t *testing.T, cfg config.Config, publicKeys string) (app.Audit, error) {
	t.Helper()
	return verifyTenant(t, cfg, "", publicKeys)
}

func verifyTenant(t *testing.T, cfg config.Config, tenant, publicKeys string) (app.Audit, error) {
	t.Helper()
	a, err := app.OpenAuditor(t.Context(), &cfg, slog.New(slog.DiscardHandler), "usher audit verify")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	return a.VerifyEvents(t.Context(), &cfg, tenant, publicKeys)
}

// report is the only report of a verification that finds nothing.
func report(t *testing.T, cfg config.Config) directory.AuditReport {
	t.Helper()
	audit, err := verify(t, cfg, "")
	if err != nil || audit.Broken() || len(audit.Reports) != 1 {
		t.Fatalf("%+v, %v", audit, err)
	}
	return audit.Reports[0]
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// A server signs what has grown when it stops, goes on from what the file knows
// when it starts, ends a line that a crash has torn, and is verified meanwhile.
func TestCheckpointsOfAServer(t *testing.T) {
	cfg, _ := newDirectory(t)
	key, file := cfg.Database[len("sqlite:"):]+".audit-key", cfg.Database[len("sqlite:"):]+".checkpoints"
	first := run(t, cfg)
	first.change(t, "North")
	if got := report(t, cfg); got.Events != 2 {
		t.Errorf("beside the server: %+v", got)
	}
	first.stop()
	for _, path := range []string{key, file} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 && os.PathSeparator == '/' {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	signed := len(lines(t, file))
	if got := report(t, cfg); got.Covered != 2 || got.Checkpoints != signed {
		t.Errorf("after %d checkpoints: %+v", signed, got)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(f, `{"tenant":1,"tenant_id":"tor`)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	second := run(t, cfg)
	second.stop()
	if got := lines(t, file); len(got) != signed+1 {
		t.Errorf("nothing has grown, and yet: %q", got)
	}
	third := run(t, cfg)
	third.change(t, "South")
	third.stop()
	audit, err := verify(t, cfg, "")
	if err != nil || audit.Broken() || audit.Reports[0].Covered != 3 || len(audit.Warnings) != 1 || !strings.Contains(audit.Warnings[0], "1 lines are no checkpoints") {
		t.Errorf("with a torn line: %+v, %v", audit, err)
	}
	if strings.Contains(first.logs.String()+second.logs.String()+third.logs.String(), "PRIVATE") {
		t.Error("the log has the key")
	}
}

// A database that lost events, or a tenant, does not verify.
func TestVerifyFindsWhatIsLost(t *testing.T) {
	cfg, _ := newDirectory(t)
	cfg.LogLevel = "warn"
	path := cfg.Database[len("sqlite:"):]
	r := run(t, cfg)
	r.stop()
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r = run(t, cfg)
	r.change(t, "North")
	r.change(t, "South")
	r.stop()
	if err := os.WriteFile(path, backup, 0o600); err != nil { // the server closed it: there is no log beside it
		t.Fatal(err)
	}
	audit, err := verify(t, cfg, "")
	if err != nil || !audit.Broken() || audit.Reports[0].Broken != 2 || !strings.Contains(audit.Reports[0].Problem, "audit restart") {
		t.Errorf("after a restore: %+v, %v", audit, err)
	}
	again := run(t, cfg) // it serves all the same, and says so
	again.stop()
	if !strings.Contains(again.logs.String(), "end before its last checkpoint") {
		t.Errorf("the log: %s", again.logs)
	}
	admin, err := app.OpenAdmin(t.Context(), &cfg, slog.New(slog.DiscardHandler), "usher audit restart")
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := admin.Tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	c, signed, err := tenant.RestartEvents(t.Context(), &cfg, "restored")
	if err != nil || !signed || c.Position != 2 {
		t.Errorf("%+v, signed: %t, %v", c, signed, err)
	}
	if err := admin.Close(); err != nil {
		t.Fatal(err)
	}
	if got := report(t, cfg); got.Covered != 2 {
		t.Errorf("after the restart: %+v", got)
	}
	other, _ := newDirectory(t)
	other.AuditKeyFile, other.CheckpointFile = path+".audit-key", path+".checkpoints"
	run(t, other).stop()
	if audit, err := verify(t, other, ""); err != nil || len(audit.Problems) != 1 || !strings.Contains(audit.Problems[0], "that is not in the database") || !audit.Broken() {
		t.Errorf("another database: %+v, %v", audit, err)
	}
	// One tenant alone does not escape its checkpoints by another id.
	if audit, err := verifyTenant(t, other, "acme", ""); err != nil || len(audit.Problems) != 1 || !audit.Broken() {
		t.Errorf("a tenant of another id: %+v, %v", audit, err)
	}
}

// A file of checkpoints that somebody has emptied proves nothing, and that is said.
func TestCheckpointsThatWereEmptied(t *testing.T) {
	cfg, _ := newDirectory(t)
	run(t, cfg).stop()
	for _, text := range []string{"", "torn"} {
		if err := os.WriteFile(cfg.CheckpointPath(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		audit, err := verify(t, cfg, "")
		if err != nil || len(audit.Warnings) == 0 || !strings.Contains(audit.Warnings[len(audit.Warnings)-1], "there are no checkpoints") {
			t.Errorf("%q: %+v, %v", text, audit, err)
		}
	}
}

// A file that cannot be written stops nothing: the log says so, and what was not
// written is written as soon as it can be.
func TestCheckpointsThatCannotBeWritten(t *testing.T) {
	cfg, _ := newDirectory(t)
	cfg.CheckpointFile, cfg.LogLevel = filepath.Join(t.TempDir(), "missing", "checkpoints"), "warn"
	r := run(t, cfg)
	r.stop()
	if !strings.Contains(r.logs.String(), "cannot be written") {
		t.Errorf("the log: %s", r.logs)
	}
	if err := os.Mkdir(filepath.Dir(cfg.CheckpointFile), 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, cfg).stop()
	if got := report(t, cfg); got.Covered != 1 {
		t.Errorf("%+v", got)
	}
}

// The key is Ed25519 in PEM, or the server does not start; one that was replaced
// still verifies what it signed, from a file with both.
func TestAuditKeys(t *testing.T) {
	cfg, _ := newDirectory(t)
	run(t, cfg).stop()
	old, _, err := app.AuditPublicKey(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	next, rsa, text := filepath.Join(folder, "next.pem"), filepath.Join(folder, "rsa.pem"), filepath.Join(folder, "text")
	for _, args := range [][]string{{"genpkey", "-algorithm", "ed25519", "-out", next}, {"genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024", "-out", rsa}} {
		if out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl: %v\n%s", err, out)
		}
	}
	if err := os.WriteFile(text, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{rsa, text, folder, filepath.Join(folder, "missing")} {
		bad := cfg
		bad.AuditKeyFile = file
		if err := open(t, bad); err == nil || !strings.HasPrefix(err.Error(), "audit_key_file: ") {
			t.Errorf("%s: %v", file, err)
		}
	}
	cfg.CheckpointFile, cfg.AuditKeyFile = cfg.CheckpointPath(), next
	r := run(t, cfg)
	r.change(t, "North")
	r.stop()
	if _, err := verify(t, cfg, ""); err == nil || !strings.Contains(err.Error(), "not to be trusted") {
		t.Errorf("with the new key alone: %v", err)
	}
	public, _, err := app.AuditPublicKey(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(folder, "both.pem")
	if err := os.WriteFile(both, append(old, public...), 0o600); err != nil {
		t.Fatal(err)
	}
	if audit, err := verify(t, cfg, both); err != nil || audit.Broken() || audit.Reports[0].Covered != 2 {
		t.Errorf("with both: %+v, %v", audit, err)
	}
}

// The metric counts what was written.
func TestCheckpointsAreCounted(t *testing.T) {
	cfg, _ := newDirectory(t)
	cfg.CheckpointInterval = time.Millisecond
	r := run(t, cfg)
	r.change(t, "North")
	for written := ""; written == "" || written == "0"; {
		resp, err := http.Get(r.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		_, after, found := strings.Cut(string(text), "\nusher_checkpoints_total ")
		if !found {
			t.Fatalf("the metric is missing:\n%s", text)
		}
		if _, err := fmt.Sscan(after, &written); err != nil {
			t.Fatal(err)
		}
	}
	r.stop()
	if got := report(t, cfg); got.Covered != 2 {
		t.Errorf("%+v", got)
	}
}

package app_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// newDirectory is the settings of an empty directory in a folder of its own.
func newDirectory(t *testing.T) (cfg config.Config, key string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "usher.db")
	cfg = config.Default()
	cfg.Addr, cfg.Database, cfg.LogLevel = "127.0.0.1:0", "sqlite:"+path, "error"
	return cfg, path + ".key"
}

// open starts the program and stops it again.
func open(t *testing.T, cfg config.Config) error {
	t.Helper()
	a, err := app.New(t.Context(), cfg, io.Discard)
	if err != nil {
		return err
	}
	return a.Close()
}

// The first start on SQLite makes a key that others cannot read, and the next
// one takes it.
func TestSecretKeyIsMadeOnce(t *testing.T) {
	cfg, file := newDirectory(t)
	var texts []string
	for range 2 {
		if err := open(t, cfg); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if keys, err := config.ParseSecretKeys([]byte(texts[0])); err != nil || len(keys) != 1 || texts[0] != texts[1] {
		t.Errorf("%d keys, %v, the same after the second start: %t", len(keys), err, texts[0] == texts[1])
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 && os.PathSeparator == '/' {
		t.Errorf("the file has mode %o", mode)
	}
	if drafts, err := filepath.Glob(file + ".*"); err != nil || len(drafts) > 0 {
		t.Errorf("left behind: %v, %v", drafts, err)
	}
}

// A key that cannot be used stops the start with the name of the setting, and
// is left as it is.
func TestSecretKeyMistakes(t *testing.T) {
	cfg, file := newDirectory(t)
	if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := cfg
	missing.SecretKeyFile = filepath.Join(t.TempDir(), "none")
	for name, cfg := range map[string]config.Config{"no key in the file": cfg, "a named file that is missing": missing} {
		if err := open(t, cfg); err == nil || !strings.HasPrefix(err.Error(), "secret_key_file: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "hunter2" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if _, err := os.Stat(missing.SecretKeyFile); err == nil {
		t.Error("a named file was made")
	}
}

// A server on PostgreSQL, where each process must have the same key, says how
// to make one.
func TestSecretKeyIsNeededOnPostgreSQL(t *testing.T) {
	cfg := config.Default()
	cfg.Addr, cfg.Database = "127.0.0.1:0", pgtest.Database(t)
	if err := app.Migrate(t.Context(), &cfg, nil); err != nil {
		t.Fatal(err)
	}
	if err := open(t, cfg); err == nil || !strings.HasPrefix(err.Error(), "secret_key: ") || !strings.Contains(err.Error(), config.MakeSecretKey) {
		t.Errorf("without a key: %v", err)
	}
	cfg.SecretKey = testkit.SecretKey
	if err := open(t, cfg); err != nil {
		t.Error(err)
	}
	cfg.SecretKey = ""
	admin, err := app.OpenAdmin(t.Context(), &cfg, nil, "test")
	if err != nil {
		t.Fatalf("a command that needs no key: %v", err)
	}
	if err := admin.Close(); err != nil {
		t.Error(err)
	}
}

// What one process signs another with the same key accepts.
func TestSecretKeyIsSharedByProcesses(t *testing.T) {
	first := testkit.Start(t, testkit.Options{Engine: "postgres"})
	tenant, _ := first.Tenant(t, "acme", directory.RankAdministrator)
	const password = "sparrow-lantern-quarry-41"
	in := directory.NewUser{Password: password, Fields: directory.UserPatch{UserName: directory.Some("alice")}}
	u, err := first.Service.CreateUser(t.Context(), directory.System(tenant.No, "test"), in)
	if err != nil {
		t.Fatal(err)
	}
	call := func(secret string) *directory.Call {
		return &directory.Call{Door: directory.DoorServiceMobility, Secret: directory.Secret(secret)}
	}
	token, err := first.Service.SignIn(t.Context(), call(""), "alice", password)
	if err != nil {
		t.Fatal(err)
	}
	second := testkit.Start(t, testkit.Options{Tune: func(c *config.Config) {
		c.Database, c.SecretKey = first.Config.Database, testkit.SecretKey
	}})
	if _, err := second.Service.User(t.Context(), call(token), directory.ByNumber(u.Number)); err != nil {
		t.Errorf("the other process: %v", err)
	}
}

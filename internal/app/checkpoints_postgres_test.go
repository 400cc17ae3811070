package app_test

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// On PostgreSQL a database is verified beside servers that write, purge and sign,
// without a false alarm, and without changing anything.
func TestVerifyBesideServersOnPostgreSQL(t *testing.T) {
	cfg := config.Default()
	cfg.Addr, cfg.Database, cfg.SecretKey, cfg.LogLevel = "127.0.0.1:0", pgtest.Database(t), testkit.SecretKey, "error"
	if err := app.Migrate(t.Context(), &cfg, nil); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cfg.AuditKeyFile, cfg.CheckpointFile = filepath.Join(folder, "key.pem"), filepath.Join(folder, "checkpoints")
	if out, err := exec.CommandContext(t.Context(), "openssl", "genpkey", "-algorithm", "ed25519", "-out", cfg.AuditKeyFile).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	run(t, cfg).stop() // the first signs what there is
	r := run(t, cfg)
	var writers sync.WaitGroup
	for i := range 3 {
		writers.Go(func() {
			for n := range 20 {
				call := func() *directory.Call { return directory.System(r.tenant.No, "test") }
				name := fmt.Sprintf("writer-%d-%d", i, n)
				u, err := r.Service().CreateUser(t.Context(), call(), directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some(name)}})
				if err == nil {
					_, err = r.Service().DeleteUser(t.Context(), call(), directory.ByNumber(u.Number))
				}
				if err == nil {
					err = r.Service().PurgeUser(t.Context(), call(), directory.ByNumber(u.Number))
				}
				if err != nil {
					t.Errorf("a writer: %v", err)
				}
			}
		})
	}
	for range 20 {
		report(t, cfg)
	}
	writers.Wait()
	r.stop()
	if got := report(t, cfg); got.Erased != 180 || got.Events != 181 || got.Waiting != 0 || got.Covered == 0 {
		t.Errorf("afterwards: %+v", got)
	}
	db, err := store.Open(t.Context(), cfg.Database, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(directory.Tx) error { return nil }); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Update: %v, want ErrReadOnly", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

package app_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// A server never migrates PostgreSQL, which others may be serving from: it
// says what to run, without the password.
func TestServerRefusesAnOldSchemaOnPostgreSQL(t *testing.T) {
	cfg := config.Default()
	cfg.Database, cfg.SecretKey = pgtest.Database(t), testkit.SecretKey
	_, err := app.New(t.Context(), cfg, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "usher migrate --database 'postgres") {
		t.Fatalf("New() = %v, want an error that says what to run", err)
	}
	admin, err := app.OpenAdmin(t.Context(), &cfg, nil, "test")
	if err == nil {
		t.Fatalf("a command opened it: %v", admin.Close())
	}
	for range 2 {
		if err := app.Migrate(t.Context(), &cfg, nil); err != nil {
			t.Fatal(err)
		}
	}
	a, err := app.New(t.Context(), cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// pg_exec_mode reaches the driver: a pooler in transaction mode needs it.
func TestExecModes(t *testing.T) {
	for _, mode := range []string{"exec", "simple_protocol", "cache_describe"} {
		t.Run(mode, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Engine: "postgres", Demo: true, Tune: func(c *config.Config) { c.PGExecMode = mode }})
			if status, _, body := fetch(t, s.URL+"/v1/Users(2576)", "usher-demo-key"); status != http.StatusOK || body != johnBates {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// Several processes that start at once with the same bootstrap key make one
// tenant and one key.
func TestBootstrapByManyProcesses(t *testing.T) {
	cfg := config.Default()
	cfg.Database, cfg.SecretKey = pgtest.Database(t), testkit.SecretKey
	cfg.BootstrapKey = "a-bootstrap-key-for-all"
	if err := app.Migrate(t.Context(), &cfg, nil); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			a, err := app.New(context.Background(), cfg, io.Discard)
			if err != nil {
				t.Error(err)
				return
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	admin, err := app.OpenAdmin(t.Context(), &cfg, nil, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	tenant, err := admin.Tenant(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := tenant.Credentials(t.Context())
	if err != nil || tenant.Tenant.Name != "default" || len(keys) != 1 || keys[0].Rank != directory.RankAdministrator {
		t.Errorf("tenant %s has keys %+v, %v; want one", tenant.Tenant.Name, keys, err)
	}
}

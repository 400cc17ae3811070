package app_test

import (
	"io"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// Revoking the key of a sample directory leaves its published password and
// client, and a start that was cut short has made them before the key: neither
// leaves loopback.
func TestPublishedDemoWithoutItsKeyStaysOnLoopback(t *testing.T) {
	cfg := config.Default()
	cfg.Database = "sqlite:" + t.TempDir() + "/usher.db"
	cfg.Demo = true
	a, err := app.New(t.Context(), cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := a.Service().TenantByName(t.Context(), directory.System(0, "test"), a.Demo.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := a.Service().Credentials(t.Context(), directory.System(tenant.No, "test"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if key.Kind != directory.CredentialKey {
			continue
		}
		if err := a.Service().RevokeCredential(t.Context(), directory.System(tenant.No, "test"), key.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Demo, cfg.Addr = false, ":0"
	a, err = app.New(t.Context(), cfg, io.Discard)
	if err == nil {
		err = a.Close()
		t.Fatalf("a sample directory with a published password is served on %s (%v)", cfg.Addr, err)
	}
	if !strings.HasPrefix(err.Error(), "addr: ") {
		t.Errorf("error = %v, want one about addr", err)
	}
}

package app_test

import (
	"io"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// A bootstrap key that was revoked, because somebody else has seen it, stays
// revoked when the server starts again with it in its environment.
func TestRevokedBootstrapKeyStaysRevoked(t *testing.T) {
	cfg := config.Default()
	cfg.Database = "sqlite:" + t.TempDir() + "/usher.db"
	cfg.BootstrapKey = "a-bootstrap-key-that-leaked"
	for start := range 2 {
		a, err := app.New(t.Context(), cfg, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		tenant, err := a.Service().TenantByName(t.Context(), directory.System(0, "test"), "default")
		if err != nil {
			t.Fatal(err)
		}
		keys, err := a.Service().Credentials(t.Context(), directory.System(tenant.No, "test"))
		if err != nil || len(keys) != 1-start {
			t.Fatalf("start %d: %d keys (%v), want %d", start+1, len(keys), err, 1-start)
		}
		for _, key := range keys {
			if err := a.Service().RevokeCredential(t.Context(), directory.System(tenant.No, "test"), key.ID); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

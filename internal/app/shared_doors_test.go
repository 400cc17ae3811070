package app_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// Tenants that a sign-in by name cannot tell apart are named in the log, until
// each has a host or only one has the door.
func TestSharedDoorsAreWarnedOf(t *testing.T) {
	cfg := config.Default()
	cfg.Database = "sqlite:" + t.TempDir() + "/usher.db"
	start := func() string {
		var log bytes.Buffer
		a, err := app.New(t.Context(), cfg, &log)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		return log.String()
	}
	change := func(fn func(ctx context.Context, s *directory.Service)) {
		a, err := app.New(t.Context(), cfg, &bytes.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		fn(t.Context(), a.Service())
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	create := func(tenant directory.Tenant) {
		change(func(ctx context.Context, s *directory.Service) {
			if _, err := s.CreateTenant(ctx, directory.System(0, "test"), tenant, directory.Company{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	const warning = "tenants share the servicemobility door"
	create(directory.Tenant{Name: "one"})
	create(directory.Tenant{Name: "closed", Doors: directory.DoorSet(directory.DoorEncore)})
	if log := start(); strings.Contains(log, warning) {
		t.Errorf("one tenant has the door on:\n%s", log)
	}
	create(directory.Tenant{Name: "two", Hosts: []string{"two.example.test"}})
	if log := start(); !strings.Contains(log, warning) || !strings.Contains(log, `"without_host":"one"`) {
		t.Errorf("two tenants share the door:\n%s", log)
	}
	change(func(ctx context.Context, s *directory.Service) {
		tenant, err := s.TenantByName(ctx, directory.System(0, "test"), "one")
		if err != nil {
			t.Fatal(err)
		}
		tenant.Hosts = []string{"one.example.test"}
		if _, err := s.UpdateTenant(ctx, directory.System(tenant.No, "test"), tenant); err != nil {
			t.Fatal(err)
		}
	})
	if log := start(); strings.Contains(log, warning) {
		t.Errorf("each has a host:\n%s", log)
	}
}

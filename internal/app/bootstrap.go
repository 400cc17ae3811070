package app

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// bootstrapTenant is the tenant that a bootstrap key makes.
const bootstrapTenant = "default"

// bootstrap gives an empty directory its first tenant and administrator key,
// whose secret the operator chose, so that an installation can be automated.
// A start that died in between is taken up again: a directory whose only
// tenant has no credential yet counts as empty.
func (a *App) bootstrap(ctx context.Context) error {
	if a.cfg.BootstrapKey == "" {
		return nil
	}
	tenants, err := a.service.Tenants(ctx, directory.System(0, "bootstrap"))
	if err != nil {
		return err
	}
	var tenant directory.Tenant
	switch {
	case len(tenants) == 0:
		tenant, err = a.service.CreateTenant(ctx, directory.System(0, "bootstrap"), directory.Tenant{Name: bootstrapTenant})
	case len(tenants) == 1 && tenants[0].Name == bootstrapTenant:
		tenant = tenants[0]
	default:
		return a.ignoreBootstrap()
	}
	if err != nil {
		return err
	}
	existing, err := a.service.Credentials(ctx, directory.System(tenant.No, "bootstrap"))
	if err != nil {
		return err
	}
	if len(existing) > 0 {
		return a.ignoreBootstrap()
	}
	key, _, err := a.service.CreateKey(ctx, directory.System(tenant.No, "bootstrap"), directory.NewCredential{
		Name: "bootstrap", Secret: directory.Secret(a.cfg.BootstrapKey), Rank: directory.RankAdministrator,
	})
	if err != nil {
		return err
	}
	a.log.Info("made the first tenant and administrator key", "tenant", tenant.Name, "key_id", key.ID)
	return nil
}

func (a *App) ignoreBootstrap() error {
	a.log.Info("bootstrap_key is ignored: the directory is not empty")
	return nil
}

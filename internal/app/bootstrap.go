package app

import (
	"context"
	"fmt"

	"github.com/usher-id/usher/internal/directory"
)

// firstTenant is the tenant that a bootstrap key makes.
const firstTenant = "default"

// bootstrap gives an empty directory its first tenant and administrator key,
// whose secret the operator chose, so that an installation can be automated.
// A start that died in between is taken up again: a directory whose only
// tenant has no credential yet counts as empty. Of several processes that
// start at once, one is first and the others find its work.
func (a *App) bootstrap(ctx context.Context) error {
	if a.cfg.BootstrapKey == "" {
		return nil
	}
	tenant, empty, err := a.bootstrapTenant(ctx)
	if err != nil {
		return fmt.Errorf("bootstrap_key: %w", err)
	}
	if !empty {
		a.log.Info("bootstrap_key is ignored: the directory is not empty")
		return nil
	}
	key, _, err := a.service.CreateKey(ctx, directory.System(tenant.No, "bootstrap"), directory.NewCredential{
		Name: "bootstrap", Secret: directory.Secret(a.cfg.BootstrapKey), Rank: directory.RankAdministrator,
	})
	if directory.IsReason(err, directory.ReasonCredentialTaken) {
		return nil // another process has just made it
	}
	if err != nil {
		return fmt.Errorf("bootstrap_key: %w", err)
	}
	a.log.Info("made the first tenant and administrator key", "tenant", tenant.Name, "key_id", key.ID)
	return nil
}

// bootstrapTenant makes or finds the tenant that is to get the first key;
// empty is false when the directory has one already.
func (a *App) bootstrapTenant(ctx context.Context) (tenant directory.Tenant, empty bool, err error) {
	tenants, err := a.service.Tenants(ctx, directory.System(0, "bootstrap"))
	if err == nil && len(tenants) == 0 {
		tenant, err = a.service.CreateTenant(ctx, directory.System(0, "bootstrap"), directory.Tenant{Name: firstTenant}, directory.Company{})
		if !directory.IsReason(err, directory.ReasonTenantTaken) {
			return tenant, true, err
		}
		tenants, err = a.service.Tenants(ctx, directory.System(0, "bootstrap"))
	}
	if err != nil || len(tenants) != 1 || tenants[0].Name != firstTenant {
		return directory.Tenant{}, false, err
	}
	keys, err := a.service.Credentials(ctx, directory.System(tenants[0].No, "bootstrap"))
	return tenants[0], len(keys) == 0, err
}

package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/usher-id/usher/internal/directory"
)

// firstTenant is the tenant that a bootstrap key makes.
const firstTenant = "default"

// bootstrap gives an empty directory its first tenant and administrator key,
// whose secret the operator chose, so that an installation can be automated.
// A start that died in between is taken up again: a directory whose only
// tenant never had a credential counts as empty. Of several processes that
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
	had, err := a.hadCredential(ctx, tenants[0].No)
	return tenants[0], !had, err
}

// hadCredential reports whether a tenant has a credential or ever had one: a
// bootstrap key that was revoked must not come back with the next start. Until
// the first credential is made nobody can do much, so that its event is among
// the first ones.
func (a *App) hadCredential(ctx context.Context, tenant directory.TenantNo) (bool, error) {
	list, err := a.service.Credentials(ctx, directory.System(tenant, "bootstrap"))
	if err != nil || len(list) > 0 {
		return true, err
	}
	events, err := a.service.Events(ctx, directory.System(tenant, "bootstrap"), 0, directory.MaxLimit)
	return slices.ContainsFunc(events, func(e directory.Event) bool { return e.Type == directory.EventCredentialCreated }), err
}

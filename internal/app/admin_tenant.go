package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// TenantView is a tenant as `usher tenant show` prints it. Of the settings a
// member that has its default is left out.
type TenantView struct {
	Name           string             `json:"name"`
	ID             string             `json:"id"`
	Doors          []string           `json:"doors"`
	Hosts          []string           `json:"hosts"`
	DefaultCompany int64              `json:"default_company"`
	Owner          int64              `json:"owner,omitzero"` // number of the account owner
	Disabled       bool               `json:"disabled"`
	Settings       directory.Settings `json:"settings"`
	Version        int64              `json:"version"`
	CreatedAt      time.Time          `json:"created_at"`
}

// View is the tenant for printing.
func (a *TenantAdmin) View() TenantView {
	t := &a.Tenant
	return TenantView{Name: t.Name, ID: t.ID, Doors: append([]string{}, splitList(t.Doors.String())...),
		Hosts: append([]string{}, t.Hosts...), DefaultCompany: t.DefaultCompany, Owner: t.Owner, Disabled: t.Disabled,
		Settings: t.Settings, Version: t.Version, CreatedAt: t.CreatedAt}
}

// tenant is the tenant that a view shows, as far as pairs are about it.
func (v *TenantView) tenant() (directory.Tenant, error) {
	t := directory.Tenant{Name: v.Name, Hosts: v.Hosts, DefaultCompany: v.DefaultCompany, Disabled: v.Disabled, Settings: v.Settings}
	var err error
	t.Doors, err = directory.ParseDoors(strings.Join(v.Doors, ","))
	return t, err
}

// Pairs are all that With can set, as KEY=VALUE.
func (v *TenantView) Pairs() ([]string, error) {
	t, err := v.tenant()
	return (&TenantAdmin{Tenant: t}).Pairs(), err
}

// With is the view after pairs of KEY=VALUE (docs/tenants.md). Errors name the
// key.
func (v *TenantView) With(pairs []string) (TenantView, error) {
	t, err := v.tenant()
	if err == nil {
		err = setTenantPairs(&t, pairs)
	}
	return (&TenantAdmin{Tenant: t}).View(), err
}

// TenantNamed finds the tenant that an argument names.
func (a *Admin) TenantNamed(ctx context.Context, name string) (*TenantAdmin, error) {
	t, err := a.service.TenantByName(ctx, a.call(0), name)
	if directory.CodeOf(err) == directory.CodeNotFound {
		return nil, notFound("there is no tenant %q; see: usher tenant list", name)
	}
	return &TenantAdmin{Admin: a, Tenant: t}, forPeople(err)
}

// Pairs are all that Set can set, as KEY=VALUE.
func (a *TenantAdmin) Pairs() []string {
	t := &a.Tenant
	pairs := []string{"doors=" + DoorsText(t.Doors), "hosts=" + strings.Join(t.Hosts, ","),
		"default_company=" + strconv.FormatInt(t.DefaultCompany, 10), "disabled=" + strconv.FormatBool(t.Disabled)}
	return append(pairs, settingPairs(t.Settings)...)
}

// Set changes the tenant by pairs of KEY=VALUE (docs/tenants.md), all of them
// or none. An empty value is the default. Errors name the key.
func (a *TenantAdmin) Set(ctx context.Context, pairs []string) error {
	next := a.Tenant
	if err := setTenantPairs(&next, pairs); err != nil {
		return err
	}
	made, err := a.service.UpdateTenant(ctx, a.call(a.Tenant.No), next)
	switch {
	case directory.IsReason(err, directory.ReasonCompanyNotFound):
		return fmt.Errorf("default_company: the tenant has no company %d", next.DefaultCompany)
	case directory.IsReason(err, directory.ReasonHostTaken):
		return flagError("hosts", err)
	case directory.IsReason(err, directory.ReasonVersionMismatch):
		return errors.New("somebody else changed the tenant at the same moment; run the command again")
	case err != nil:
		return byField(err)
	}
	a.Tenant = made
	return nil
}

// byField is forPeople with a line for each field at fault that names it.
func byField(err error) error {
	if directory.CodeOf(err) == directory.CodeInternal || len(directory.AsError(err).Fields) == 0 {
		return forPeople(err)
	}
	var lines []error
	for _, f := range directory.AsError(err).Fields {
		message := f.Message
		if !strings.HasPrefix(message, f.Field) {
			message = f.Field + ": " + message
		}
		lines = append(lines, errors.New(message))
	}
	return errors.Join(lines...)
}

// unlimited is what the command line calls the total of a pool without limit.
const unlimited = "unlimited"

// PoolTotal is a pool's total as the command line writes it.
func PoolTotal(total int64) string {
	if total >= directory.Unlimited {
		return unlimited
	}
	return strconv.FormatInt(total, 10)
}

// Pools lists the tenant's licence pools by type.
func (a *TenantAdmin) Pools(ctx context.Context) ([]directory.Pool, error) {
	list, err := a.service.Pools(ctx, a.call(a.Tenant.No))
	return list, forPeople(err)
}

// SetPools makes or resizes licence pools by pairs of TYPE=TOTAL, in which the
// total can be "unlimited". What is set before a pair that the directory
// refuses stays set; a pair that cannot be read stops all.
func (a *TenantAdmin) SetPools(ctx context.Context, pairs []string) error {
	totals, err := ParsePools(pairs)
	if err != nil {
		return err
	}
	for _, pool := range totals {
		if _, err := a.service.SetPool(ctx, a.call(a.Tenant.No), pool.Type, pool.Total); err != nil {
			return flagError(pool.Type, err)
		}
	}
	return nil
}

// ParsePools reads pairs of TYPE=TOTAL. Errors name the type.
func ParsePools(pairs []string) ([]directory.Pool, error) {
	totals := make([]directory.Pool, len(pairs))
	var bad []error
	for i, pair := range pairs {
		at := strings.LastIndexByte(pair, '=')
		if at <= 0 {
			bad = append(bad, fmt.Errorf("%s: write TYPE=TOTAL", pair))
			continue
		}
		pool := directory.Pool{Type: pair[:at], Total: directory.Unlimited}
		if text := pair[at+1:]; text != unlimited {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 0 {
				bad = append(bad, fmt.Errorf("%s: the total must be a whole number from 0 on, or unlimited", pool.Type))
			}
			pool.Total = n
		}
		totals[i] = pool
	}
	return totals, errors.Join(bad...)
}

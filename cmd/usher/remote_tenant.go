package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

// view is the tenant as it is printed.
func (r *remote) view() (app.TenantView, error) {
	t := r.tenant
	v := app.TenantView{Name: t.Name, ID: t.ID, Doors: append([]string{}, t.Doors...), Hosts: append([]string{}, t.Hosts...),
		DefaultCompany: t.DefaultCompany, Owner: t.Owner, Disabled: t.Disabled, Version: t.Version, CreatedAt: t.CreatedAt}
	if t.Settings == nil {
		return v, nil // the key may not see them
	}
	text, err := json.Marshal(t.Settings)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(text, &v.Settings)
}

// setTenant is `usher tenant set` on a server: it sends what the pairs change, if
// nobody has changed the tenant meanwhile.
func (p *program) setTenant(ctx context.Context, r *remote, pairs []string) error {
	if r.tenant.Settings == nil {
		return errors.New("the key may not see or change the tenant's settings")
	}
	now, err := r.view()
	if err != nil {
		return err
	}
	if len(pairs) == 0 {
		list, err := now.Pairs()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, strings.Join(list, "\n"))
		return err
	}
	next, err := now.With(pairs)
	if err != nil {
		return err
	}
	patch, err := tenantPatch(&now, &next)
	if err != nil {
		return err
	}
	changed, err := r.Tenant.Update(ctx, patch, client.IfMatch(r.tenant.ETag), r.because)
	if client.IsStale(err) {
		return errors.New("somebody else changed the tenant at the same moment; run the command again")
	}
	if err != nil {
		return err
	}
	return p.changedTenant(changed.Name, changed.Version)
}

// tenantPatch is the difference of two views.
func tenantPatch(now, next *app.TenantView) (client.TenantPatch, error) {
	var patch client.TenantPatch
	if !slices.Equal(now.Doors, next.Doors) {
		patch.Doors = client.Set(next.Doors)
	}
	if !slices.Equal(now.Hosts, next.Hosts) {
		patch.Hosts = client.Set(next.Hosts)
	}
	if now.DefaultCompany != next.DefaultCompany {
		patch.DefaultCompany = client.Set(next.DefaultCompany)
	}
	if now.Disabled != next.Disabled {
		patch.Disabled = client.Set(next.Disabled)
	}
	before, err := settingsOf(now)
	if err != nil {
		return patch, err
	}
	after, err := settingsOf(next)
	if err != nil {
		return patch, err
	}
	difference := mergePatch(before, after)
	if len(difference) == 0 {
		return patch, nil
	}
	text, err := json.Marshal(difference)
	if err != nil {
		return patch, err
	}
	// A setting that the client does not know must not be lost on the way.
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var settings client.SettingsPatch
	if err := decoder.Decode(&settings); err != nil {
		return patch, err
	}
	patch.Settings = client.Set(settings)
	return patch, nil
}

// settingsOf are the settings of a view; what has its default is not there.
func settingsOf(v *app.TenantView) (map[string]any, error) {
	text, err := json.Marshal(v.Settings)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	return members, json.Unmarshal(text, &members)
}

// mergePatch is the merge patch (RFC 7396) from one object to another.
func mergePatch(from, to map[string]any) map[string]any {
	patch := map[string]any{}
	for name, old := range from {
		value, stays := to[name]
		was, object := old.(map[string]any)
		is, still := value.(map[string]any)
		switch {
		case !stays:
			patch[name] = nil
		case object && still:
			if inner := mergePatch(was, is); len(inner) > 0 {
				patch[name] = inner
			}
		case !reflect.DeepEqual(old, value):
			patch[name] = value
		}
	}
	for name, value := range to {
		if _, was := from[name]; !was {
			patch[name] = value
		}
	}
	return patch
}

// setPools is `usher tenant pool` on a server.
func (p *program) setPools(ctx context.Context, r *remote, pairs []string, l listing) error {
	asked, err := app.ParsePools(pairs)
	if err != nil {
		return err
	}
	for i := range asked {
		total := &asked[i].Total
		if app.PoolTotal(*total) == "unlimited" {
			total = nil
		}
		if _, err := r.LicencePools.Set(ctx, asked[i].Type, total, r.because); err != nil {
			if refused, ok := errors.AsType[*client.Error](err); ok {
				return fmt.Errorf("%s: %s", asked[i].Type, refused.Explanation())
			}
			return err
		}
	}
	pools, err := r.LicencePools.List(ctx)
	if err != nil {
		return err
	}
	table := p.poolTable(l)
	for _, pool := range pools {
		total := "unlimited"
		if pool.Total != nil {
			total = fmt.Sprint(*pool.Total)
		}
		table.row(pool.Type, total, pool.Used)
	}
	return table.Flush()
}

package directory

import (
	"bytes"
	"context"
	"strconv"
	"strings"
)

// TenantPatch names what to change of a tenant.
type TenantPatch struct {
	Doors          Opt[DoorSet]
	Hosts          Opt[[]string]
	DefaultCompany Opt[int64]
	Disabled       Opt[bool]
	// Settings, if set, makes the settings from those that the tenant has, inside
	// of the transaction. Demo stays as it is.
	Settings func(now Settings) (Settings, error)
}

// apply edits a tenant.
func (p *TenantPatch) apply(t *Tenant) (err error) {
	t.Doors, t.Hosts = p.Doors.or(t.Doors), p.Hosts.or(t.Hosts)
	t.DefaultCompany, t.Disabled = p.DefaultCompany.or(t.DefaultCompany), p.Disabled.or(t.Disabled)
	if p.Settings == nil {
		return nil
	}
	demo := t.Settings.Demo // says what the tenant was made from
	t.Settings, err = p.Settings(t.Settings)
	t.Settings.Demo = demo
	return err
}

// UpdateTenant replaces doors, hosts, default company, settings (but Demo) and
// Disabled of the call's tenant; what is given as t.Version must be current. A
// caller that is bound to a company cannot. Errors: version.mismatch,
// company.not_found, tenant.host_taken; field.value and field.format with the
// name of the field or of the settings' member (Settings).
func (s *Service) UpdateTenant(ctx context.Context, call *Call, t Tenant) (Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Tenant{}, err
	}
	return s.changeTenant(ctx, call, func(before *Tenant) (Tenant, error) {
		if before.Version != t.Version {
			return Tenant{}, Wrong(CodeStale, ReasonVersionMismatch, "The tenant was changed by somebody else.")
		}
		after := *before
		after.Doors, after.Hosts, after.DefaultCompany = t.Doors, t.Hosts, t.DefaultCompany
		after.Settings, after.Disabled = t.Settings, t.Disabled
		after.Settings.Demo = before.Settings.Demo // says what the tenant was made from
		return after, nil
	})
}

// EditTenant changes what the patch names of the call's tenant. A caller that is
// bound to a company cannot, and nobody closes the door that it came through: it
// could not open it again. Nothing to change writes nothing. Errors as for
// UpdateTenant; user.locks_itself.
func (s *Service) EditTenant(ctx context.Context, call *Call, p TenantPatch) (Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Tenant{}, err
	}
	return s.changeTenant(ctx, call, func(before *Tenant) (Tenant, error) {
		after := *before
		err := p.apply(&after)
		if err == nil && !call.trusted && (after.Disabled || !after.Doors.Has(call.Door)) {
			err = Wrong(CodeConflict, ReasonSelfLock, "The caller would lock itself out: who runs the server can close this door or disable the tenant.")
		}
		return after, err
	})
}

// changeTenant writes what edit makes of the call's tenant, with its event.
func (s *Service) changeTenant(ctx context.Context, call *Call, edit func(before *Tenant) (Tenant, error)) (Tenant, error) {
	if call.Actor.Root != 0 {
		return Tenant{}, errWholeTenant()
	}
	var made Tenant
	err := s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		before, err := tx.Tenant(ctx, call.Actor.Tenant)
		if err != nil {
			return false, notFound(err, ReasonTenantNotFound, "Tenant not found.")
		}
		if err := call.If.check(before.Version); err != nil {
			return false, err
		}
		after, err := edit(&before)
		if err != nil {
			return false, err
		}
		if after.Hosts, err = checkTenant(&after); err != nil {
			return false, err
		}
		made = after
		diff := tenantChanges(&before, &after)
		if len(diff.json) == 0 {
			return false, nil
		}
		if _, err := tx.Company(ctx, before.No, after.DefaultCompany); err != nil {
			return false, notFound(err, ReasonCompanyNotFound, "The default company does not exist.")
		}
		if err := hostsFree(ctx, tx, after.Hosts, before.No); err != nil {
			return false, err
		}
		after.Version++
		made = after
		if err := s.record(ctx, tx, call, EventTenantUpdated, topic{}, "tenant:"+before.ID, &diff); err != nil {
			return false, err
		}
		return true, tx.UpdateTenant(ctx, after)
	})
	return made, err
}

// tenantChanges are the fields of a tenant that differ.
func tenantChanges(before, after *Tenant) changes {
	var diff changes
	diff.named("doors", before.Doors.String(), after.Doors.String())
	diff.named("hosts", strings.Join(before.Hosts, " "), strings.Join(after.Hosts, " "))
	diff.named("default_company", strconv.FormatInt(before.DefaultCompany, 10), strconv.FormatInt(after.DefaultCompany, 10))
	diff.named("disabled", strconv.FormatBool(before.Disabled), strconv.FormatBool(after.Disabled))
	if was, is := asJSON(before.Settings), asJSON(after.Settings); !bytes.Equal(was, is) {
		diff.raw("settings", was, is)
	}
	return diff
}

package directory

import (
	"context"
	"errors"
	"regexp"
)

// tenantName is what a tenant may be called: it stands in host names, paths
// and settings.
var tenantName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CreateTenant makes a tenant with its default company: number 1 and the
// tenant's name, where first says nothing else. Only the server's operator can.
// Errors: tenant.name_taken.
func (s *Service) CreateTenant(ctx context.Context, call *Call, t Tenant, first Company) (Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Tenant{}, err
	}
	if !call.trusted {
		return Tenant{}, errOperator()
	}
	if !tenantName.MatchString(t.Name) {
		return Tenant{}, Invalid("name", ReasonFieldFormat, "The name of a tenant has 1 to 63 of a-z, 0-9 and -, and neither begins nor ends with -.")
	}
	if t.Doors == 0 {
		t.Doors = AllDoors
	}
	t.ID, t.Version, t.CreatedAt = s.opts.NewID(), 1, s.now()
	if first.Name == "" {
		first.Name = t.Name
	}
	if err := checkCompany(&first); err != nil {
		return Tenant{}, err
	}
	first.Number = max(first.Number, 1)
	first.ID = orNew(first.ID, s.opts.NewID)
	first.Parent, first.Path, first.Version, first.CreatedAt = 0, []int64{first.Number}, 1, t.CreatedAt
	t.DefaultCompany = first.Number
	var made Tenant
	err := s.store.Update(ctx, func(tx Tx) error {
		next := t
		if _, err := tx.TenantByName(ctx, t.Name); !errors.Is(err, ErrNotFound) {
			return takenOr(err, FieldNone, ReasonTenantTaken, "The tenant name is taken.")
		}
		no, err := tx.InsertTenant(ctx, next)
		if err != nil {
			return err
		}
		next.No = no
		made = next
		inside := *call
		inside.Actor.Tenant = no
		c := first
		c.Tenant = no
		if err := tx.RaiseNumber(ctx, no, NumberCompany, c.Number); err != nil {
			return err
		}
		if err := tx.InsertCompany(ctx, c); err != nil {
			return err
		}
		var diff changes
		diff.named("name", "", next.Name)
		return s.record(ctx, tx, &inside, EventTenantCreated, 0, "tenant:"+next.ID, &diff)
	})
	return made, err
}

// UpdateTenant replaces doors, hosts, default company, settings and Disabled of
// the call's tenant; what is given as t.Version must be current. A caller that
// is bound to a company cannot.
func (s *Service) UpdateTenant(ctx context.Context, call *Call, t Tenant) (Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Tenant{}, err
	}
	if call.Actor.Root != 0 {
		return Tenant{}, errWholeTenant()
	}
	var made Tenant
	err := s.store.Update(ctx, func(tx Tx) error {
		before, err := tx.LockTenant(ctx, call.Actor.Tenant)
		if err != nil {
			return notFound(err, ReasonTenantNotFound, "Tenant not found.")
		}
		if before.Version != t.Version {
			return Wrong(CodeStale, ReasonVersionMismatch, "The tenant was changed by somebody else.")
		}
		if _, err := tx.Company(ctx, before.No, t.DefaultCompany); err != nil {
			return notFound(err, ReasonCompanyNotFound, "The default company does not exist.")
		}
		after := before
		after.Doors, after.Hosts, after.DefaultCompany = t.Doors, t.Hosts, t.DefaultCompany
		after.Settings, after.Disabled = t.Settings, t.Disabled
		after.Version++
		made = after
		var diff changes
		diff.named("doors", before.Doors.String(), after.Doors.String())
		diff.named("settings", string(asJSON(before.Settings)), string(asJSON(after.Settings)))
		if err := s.record(ctx, tx, call, EventTenantUpdated, 0, "tenant:"+before.ID, &diff); err != nil {
			return err
		}
		return tx.UpdateTenant(ctx, after)
	})
	return made, err
}

// TenantByName finds a tenant. Only the server's operator can.
func (s *Service) TenantByName(ctx context.Context, call *Call, name string) (Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Tenant{}, err
	}
	if !call.trusted {
		return Tenant{}, errOperator()
	}
	var t Tenant
	err := s.store.Read(ctx, func(r Reader) (err error) {
		t, err = r.TenantByName(ctx, name)
		return err
	})
	return t, notFound(err, ReasonTenantNotFound, "Tenant not found.")
}

// Tenants lists all tenants. Only the server's operator can.
func (s *Service) Tenants(ctx context.Context, call *Call) ([]Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return nil, err
	}
	if !call.trusted {
		return nil, errOperator()
	}
	var list []Tenant
	err := s.store.Read(ctx, func(r Reader) (err error) {
		list, err = r.Tenants(ctx)
		return err
	})
	return list, err
}

// SetPool creates or resizes a licence pool of the call's tenant. A total
// below what is used takes no seat away; nobody gets one until enough are free.
// A caller that is bound to a company cannot.
func (s *Service) SetPool(ctx context.Context, call *Call, licenceType string, total int64) (Pool, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Pool{}, err
	}
	if call.Actor.Root != 0 {
		return Pool{}, errWholeTenant()
	}
	if err := checkName(FieldLicenceType.String(), licenceType); err != nil {
		return Pool{}, err
	}
	if total < 0 || total > Unlimited {
		return Pool{}, Invalid("total", ReasonFieldValue, "total must be from 0 to %d.", Unlimited)
	}
	var pool Pool
	err := s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockTenant(ctx, call.Actor.Tenant); err != nil {
			return err
		}
		if err := tx.SetPool(ctx, call.Actor.Tenant, licenceType, total); err != nil {
			return err
		}
		var err error
		if pool, err = tx.Pool(ctx, call.Actor.Tenant, licenceType); err != nil {
			return err
		}
		var diff changes
		diff.named("total", "", string(asJSON(total)))
		return s.record(ctx, tx, call, EventPoolSet, 0, "licence_pool:"+licenceType, &diff)
	})
	return pool, err
}

// Pools lists the licence pools of the call's tenant.
func (s *Service) Pools(ctx context.Context, call *Call) ([]Pool, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return nil, err
	}
	var pools []Pool
	err := s.store.Read(ctx, func(r Reader) (err error) {
		pools, err = r.Pools(ctx, call.Actor.Tenant)
		return err
	})
	return pools, err
}

// Events lists a tenant's events after a sequence number, oldest first. A
// caller that is bound to a company sees none: events are not kept by company.
func (s *Service) Events(ctx context.Context, call *Call, after int64, limit int) ([]Event, error) {
	if err := s.enter(ctx, call, ActReadEvents); err != nil {
		return nil, err
	}
	if call.Actor.Root != 0 {
		return nil, errWholeTenant()
	}
	if limit <= 0 || limit > MaxLimit {
		return nil, Invalid("limit", ReasonFieldValue, "limit must be from 1 to %d.", MaxLimit)
	}
	var list []Event
	err := s.store.Read(ctx, func(r Reader) (err error) {
		list, err = r.Events(ctx, call.Actor.Tenant, after, limit)
		return err
	})
	return list, err
}

// errWholeTenant refuses a caller that is bound to a company what concerns the
// whole tenant.
func errWholeTenant() error {
	return Wrong(CodeForbidden, ReasonScopeMissing, "A credential of one company cannot do this: it concerns the whole tenant.")
}

package directory

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tenantName is what a tenant may be called: it stands in host names, paths
// and settings.
var tenantName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CreateTenant makes a tenant with its default company: number 1 and the
// tenant's name, where first says nothing else. Only the server's operator can.
// Errors: tenant.name_taken, tenant.host_taken.
func (s *Service) CreateTenant(ctx context.Context, call *Call, t Tenant, first Company) (Tenant, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return Tenant{}, err
	}
	if err := s.prepareTenant(&t, &first); err != nil {
		return Tenant{}, err
	}
	var made Tenant
	err := s.store.Update(ctx, func(tx Tx) error {
		next := t
		if _, err := tx.TenantByName(ctx, t.Name); !errors.Is(err, ErrNotFound) {
			return takenOr(err, FieldNone, ReasonTenantTaken, "The tenant name is taken.")
		}
		if err := hostsFree(ctx, tx, t.Hosts, 0); err != nil {
			return err
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
		for _, job := range s.permanentJobs(&next) {
			if err := tx.InsertJob(ctx, job); err != nil {
				return err
			}
		}
		var diff changes
		diff.named("name", "", next.Name)
		return s.record(ctx, tx, &inside, EventTenantCreated, topic{}, "tenant:"+next.ID, &diff)
	})
	return made, err
}

// prepareTenant validates a new tenant with its first company and fills in
// what was left out.
func (s *Service) prepareTenant(t *Tenant, first *Company) error {
	if !tenantName.MatchString(t.Name) {
		return Invalid("name", ReasonFieldFormat, "The name of a tenant has 1 to 63 of a-z, 0-9 and -, and neither begins nor ends with -.")
	}
	hosts, err := checkTenant(t)
	if err != nil {
		return err
	}
	if t.Doors == 0 {
		t.Doors = AllDoors
	}
	if first.Name == "" {
		first.Name = t.Name
	}
	if err := checkCompany(first); err != nil {
		return err
	}
	t.ID, t.Hosts, t.Version, t.CreatedAt = s.opts.NewID(), hosts, 1, s.now()
	first.Number = max(first.Number, 1)
	first.ID = orNew(first.ID, s.opts.NewID)
	first.Parent, first.Path, first.Version, first.CreatedAt = 0, []int64{first.Number}, 1, t.CreatedAt
	t.DefaultCompany = first.Number
	return nil
}

// checkTenant validates what can be said of a tenant without reading another
// row, and returns its hosts as they are kept.
func checkTenant(t *Tenant) ([]string, error) {
	var bad violations
	hosts, err := cleanHosts(t.Hosts)
	collect(&bad, err)
	if t.Doors&^AllDoors != 0 {
		bad.member("doors", "doors holds a door that a tenant cannot have.")
	}
	collect(&bad, t.Settings.check())
	return hosts, bad.err()
}

// hostName is a host name in lower case, without a port (RFC 1123 section 2.1).
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// cleanHosts is a list of host names as they are compared: in lower case, each
// once.
func cleanHosts(hosts []string) ([]string, error) {
	var clean []string
	for _, host := range hosts {
		host = strings.ToLower(host)
		if len(host) > 253 || !hostName.MatchString(host) {
			return nil, Invalid("hosts", ReasonFieldFormat, "A host is a name of letters, digits, - and dots, without a port.")
		}
		if !slices.Contains(clean, host) {
			clean = append(clean, host)
		}
	}
	return clean, nil
}

// hostsFree refuses host names that lead to another tenant.
func hostsFree(ctx context.Context, tx Tx, hosts []string, own TenantNo) error {
	for _, host := range hosts {
		held, err := tx.TenantByHost(ctx, host)
		if errors.Is(err, ErrNotFound) || err == nil && held.No == own {
			continue
		}
		return takenOr(err, FieldNone, ReasonHostTaken, "The host leads to another tenant.")
	}
	return nil
}

// TenantByName finds a tenant. Only the server's operator can.
func (s *Service) TenantByName(ctx context.Context, call *Call, name string) (Tenant, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return Tenant{}, err
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
	if err := s.enterServer(ctx, call); err != nil {
		return nil, err
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
// A caller that is bound to a company cannot. Errors: version.mismatch.
func (s *Service) SetPool(ctx context.Context, call *Call, licenceType string, total int64) (Pool, error) {
	if err := s.enterWhole(ctx, call, ActWriteCompany); err != nil {
		return Pool{}, err
	}
	if err := checkName(FieldLicenceType.String(), licenceType); err != nil {
		return Pool{}, err
	}
	if total < 0 || total > Unlimited {
		return Pool{}, Invalid("total", ReasonFieldValue, "total must be from 0 to %d.", Unlimited)
	}
	var pool Pool
	err := s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		before, err := tx.Pool(ctx, call.Actor.Tenant, licenceType)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return false, err
		}
		old, met := "", call.If.checkAbsent()
		if err == nil {
			old, met = strconv.FormatInt(before.Total, 10), call.If.check(before.Version)
		}
		if met != nil {
			return false, met
		}
		if pool = before; err == nil && before.Total == total {
			return false, nil
		}
		if err := tx.SetPool(ctx, call.Actor.Tenant, licenceType, total); err != nil {
			return false, err
		}
		if pool, err = tx.Pool(ctx, call.Actor.Tenant, licenceType); err != nil {
			return false, err
		}
		var diff changes
		diff.named("total", old, strconv.FormatInt(total, 10))
		return true, s.record(ctx, tx, call, EventPoolSet, topic{}, "licence_pool:"+licenceType, &diff)
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

// Events lists a tenant's events after a position, oldest first. A
// caller that is bound to a company sees none: events are not kept by company.
func (s *Service) Events(ctx context.Context, call *Call, after int64, limit int) ([]Event, error) {
	if err := s.enterWhole(ctx, call, ActReadEvents); err != nil {
		return nil, err
	}
	if err := checkLimit(limit); err != nil {
		return nil, err
	}
	if err := s.store.Seal(ctx, call.Actor.Tenant); err != nil {
		return nil, err
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

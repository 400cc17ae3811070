package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

const tenantColumns = "t.no, t.id, t.name, t.version, t.doors, t.disabled, t.default_company, t.owner, t.hosts, t.settings, t.entity, t.created_at"

func scanTenant(r *row) directory.Tenant {
	t := directory.Tenant{No: directory.TenantNo(r.int()), ID: r.text(), Name: r.text(), Version: r.int(),
		Doors: directory.DoorSet(r.int()), Disabled: r.flag(), DefaultCompany: r.int(), Owner: r.int()}
	t.Hosts = strings.Fields(r.text())
	if len(t.Hosts) == 0 {
		t.Hosts = nil
	}
	decode(r, r.text(), &t.Settings)
	t.Entity = r.text()
	t.CreatedAt = r.time()
	return t
}

func (r *reader) tenant(ctx context.Context, where string, args ...any) (directory.Tenant, error) {
	var t directory.Tenant
	err := r.one(ctx, "SELECT "+tenantColumns+" FROM tenants t "+where, args, func(row *row) { t = scanTenant(row) })
	return t, err
}

// Tenant implements directory.TenantReader.
func (r *reader) Tenant(ctx context.Context, no directory.TenantNo) (directory.Tenant, error) {
	return r.tenant(ctx, "WHERE t.no = $1", int64(no))
}

// TenantByName implements directory.TenantReader.
func (r *reader) TenantByName(ctx context.Context, name string) (directory.Tenant, error) {
	return r.tenant(ctx, "WHERE t.name = $1", name)
}

// TenantByHost implements directory.TenantReader.
func (r *reader) TenantByHost(ctx context.Context, host string) (directory.Tenant, error) {
	return r.tenant(ctx, "JOIN tenant_hosts h ON h.tenant = t.no WHERE h.host = $1", host)
}

// Tenants implements directory.TenantReader.
func (r *reader) Tenants(ctx context.Context) ([]directory.Tenant, error) {
	var list []directory.Tenant
	err := r.q.query(ctx, "SELECT "+tenantColumns+" FROM tenants t ORDER BY t.no", nil,
		func(row *row) { list = append(list, scanTenant(row)) })
	return list, err
}

// TenantsOfDoor implements directory.TenantReader.
func (r *reader) TenantsOfDoor(ctx context.Context, door directory.Door, limit int) ([]directory.Tenant, error) {
	var list []directory.Tenant
	err := r.q.query(ctx, "SELECT "+tenantColumns+" FROM tenants t WHERE t.disabled = 0 AND (t.doors & $1) <> 0 ORDER BY t.no LIMIT $2",
		[]any{int64(door), int64(max(limit, 0))}, func(row *row) { list = append(list, scanTenant(row)) })
	return list, err
}

// LockTenant implements directory.TenantWriter.
func (t *tx) LockTenant(ctx context.Context, no directory.TenantNo) (directory.Tenant, error) {
	return t.tenant(ctx, "WHERE t.no = $1"+t.e.lock, int64(no))
}

// InsertTenant implements directory.TenantWriter. A taken name, id or host is
// ErrDuplicate.
func (t *tx) InsertTenant(ctx context.Context, tenant directory.Tenant) (directory.TenantNo, error) {
	settings, err := encode(tenant.Settings)
	if err != nil {
		return 0, err
	}
	// Not from a block: tenants are few, and their numbers are part of keys.
	no, err := drawNumbers(ctx, t.q, 0, "tenant", 1)
	if err != nil {
		return 0, err
	}
	if no >= maxTenant {
		return 0, fmt.Errorf("store: all %d tenant numbers are used up", maxTenant-1)
	}
	err = t.insert(ctx, `INSERT INTO tenants (no, id, name, version, doors, disabled, default_company, owner, hosts, settings, entity, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		no, tenant.ID, tenant.Name, tenant.Version, int64(tenant.Doors), bit(tenant.Disabled), tenant.DefaultCompany,
		tenant.Owner, strings.Join(tenant.Hosts, " "), settings, tenant.Entity, micros(tenant.CreatedAt))
	if err != nil {
		return 0, err
	}
	return directory.TenantNo(no), t.insertHosts(ctx, no, tenant.Hosts)
}

func (t *tx) insertHosts(ctx context.Context, no int64, hosts []string) error {
	for _, host := range hosts {
		if err := t.insert(ctx, "INSERT INTO tenant_hosts (host, tenant) VALUES ($1, $2) ON CONFLICT DO NOTHING", host, no); err != nil {
			return err
		}
	}
	return nil
}

// UpdateTenant implements directory.TenantWriter. A host of another tenant is
// ErrDuplicate.
func (t *tx) UpdateTenant(ctx context.Context, tenant directory.Tenant) error {
	settings, err := encode(tenant.Settings)
	if err != nil {
		return err
	}
	err = t.change(ctx, `UPDATE tenants SET id = $2, name = $3, version = $4, doors = $5, disabled = $6, default_company = $7,
		owner = $8, hosts = $9, settings = $10, entity = $11, created_at = $12 WHERE no = $1`,
		int64(tenant.No), tenant.ID, tenant.Name, tenant.Version, int64(tenant.Doors), bit(tenant.Disabled),
		tenant.DefaultCompany, tenant.Owner, strings.Join(tenant.Hosts, " "), settings, tenant.Entity, micros(tenant.CreatedAt))
	if err != nil {
		return err
	}
	if _, err := t.q.exec(ctx, "DELETE FROM tenant_hosts WHERE tenant = $1", int64(tenant.No)); err != nil {
		return err
	}
	return t.insertHosts(ctx, int64(tenant.No), tenant.Hosts)
}

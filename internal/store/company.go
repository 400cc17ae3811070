package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

const selectCompany = "SELECT tenant, number, path, id, parent, name, website, metadata, version, created_at FROM companies WHERE tenant = $1"

func scanCompany(r *row) directory.Company {
	return directory.Company{Tenant: directory.TenantNo(r.int()), Number: r.int(), Path: parsePath(r), ID: r.text(),
		Parent: r.int(), Name: r.text(), Website: r.text(), Metadata: r.text(), Version: r.int(), CreatedAt: r.time()}
}

// Company implements directory.CompanyReader.
func (r *reader) Company(ctx context.Context, t directory.TenantNo, number int64) (directory.Company, error) {
	var c directory.Company
	err := r.one(ctx, selectCompany+" AND number = $2", []any{int64(t), number}, func(row *row) { c = scanCompany(row) })
	return c, err
}

// CompanyByID implements directory.CompanyReader.
func (r *reader) CompanyByID(ctx context.Context, t directory.TenantNo, id string) (directory.Company, error) {
	var c directory.Company
	err := r.one(ctx, selectCompany+" AND id = $2", []any{int64(t), id}, func(row *row) { c = scanCompany(row) })
	return c, err
}

// CompanyByName implements directory.CompanyReader. nameKey is
// directory.NameKey of the name; the empty key finds nothing.
func (r *reader) CompanyByName(ctx context.Context, t directory.TenantNo, nameKey string) (directory.Company, error) {
	var c directory.Company
	err := r.one(ctx, selectCompany+" AND name_key = $2 AND name_key <> ''", []any{int64(t), nameKey},
		func(row *row) { c = scanCompany(row) })
	return c, err
}

// Companies implements directory.CompanyReader.
func (r *reader) Companies(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.Company, error) {
	var list []directory.Company
	err := r.q.query(ctx, selectCompany+" AND number > $2 ORDER BY number LIMIT $3", []any{int64(t), after, int64(max(limit, 0))},
		func(row *row) { list = append(list, scanCompany(row)) })
	return list, err
}

// InsertCompany implements directory.CompanyWriter. Two companies of a tenant
// with one name key, unless it is empty, are ErrDuplicate.
func (t *tx) InsertCompany(ctx context.Context, c directory.Company) error {
	if err := t.stays(ctx, "companies", c.Tenant, c.Parent); err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO companies (tenant, number, path, id, parent, name, name_key, website, metadata, version, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		int64(c.Tenant), c.Number, formatPath(c.Path), c.ID, c.Parent, c.Name, directory.NameKey(c.Name), c.Website,
		c.Metadata, c.Version, micros(c.CreatedAt))
}

// UpdateCompany implements directory.CompanyWriter. A name that another company
// has is ErrDuplicate.
func (t *tx) UpdateCompany(ctx context.Context, c directory.Company) error {
	return t.change(ctx, `UPDATE companies SET id = $3, name = $4, name_key = $5, website = $6, metadata = $7, version = $8, created_at = $9
		WHERE tenant = $1 AND number = $2`,
		int64(c.Tenant), c.Number, c.ID, c.Name, directory.NameKey(c.Name), c.Website, c.Metadata, c.Version, micros(c.CreatedAt))
}

// companyInUseSQL looks for the first row of any kind. Deleted users are in the list
// index too.
const companyInUseSQL = `SELECT x.number FROM user_company x WHERE x.tenant = $1 AND x.state IN (0, 1, 2, 3) AND x.ancestor = $2
	UNION ALL SELECT x.number FROM companies x WHERE x.tenant = $1 AND x.parent = $2
	UNION ALL SELECT x.number FROM locations x WHERE x.tenant = $1 AND x.company = $2
	UNION ALL SELECT x.number FROM roles x WHERE x.tenant = $1 AND x.company = $2
	UNION ALL SELECT x.number FROM lock_reasons x WHERE x.tenant = $1 AND x.company = $2
	UNION ALL SELECT x.root FROM credentials x WHERE x.tenant = $1 AND x.root = $2 LIMIT 1`

// CompanyInUse implements directory.CompanyReader. Company 0 is none.
func (r *reader) CompanyInUse(ctx context.Context, t directory.TenantNo, number int64) (bool, error) {
	used := false
	if number == 0 {
		return false, nil
	}
	err := r.q.query(ctx, companyInUseSQL, []any{int64(t), number}, func(*row) { used = true })
	return used, err
}

// DeleteCompany implements directory.CompanyWriter. One to which something
// belongs stays, and is ErrNotFound. Who is making a user of the company has its
// row shared: that is waited for, before it is seen what belongs to it.
func (t *tx) DeleteCompany(ctx context.Context, tenant directory.TenantNo, number int64) error {
	err := t.one(ctx, selectCompany+" AND number = $2"+t.e.lock, []any{int64(tenant), number}, func(row *row) { scanCompany(row) })
	if err != nil {
		return err
	}
	used, err := t.CompanyInUse(ctx, tenant, number)
	if err != nil {
		return err
	}
	if used {
		return directory.ErrNotFound
	}
	// Its counters stay: all are 0.
	return t.change(ctx, "DELETE FROM companies WHERE tenant = $1 AND number = $2", int64(tenant), number)
}

const selectLockReason = "SELECT tenant, number, company, name, description, version FROM lock_reasons WHERE tenant = $1"

func scanLockReason(r *row) directory.LockReason {
	return directory.LockReason{Tenant: directory.TenantNo(r.int()), Number: r.int(), Company: r.int(), Name: r.text(),
		Description: r.text(), Version: r.int()}
}

// LockReason implements directory.CompanyReader.
func (r *reader) LockReason(ctx context.Context, t directory.TenantNo, number int64) (directory.LockReason, error) {
	var reason directory.LockReason
	err := r.one(ctx, selectLockReason+" AND number = $2", []any{int64(t), number}, func(row *row) { reason = scanLockReason(row) })
	return reason, err
}

// LockReasonByName implements directory.CompanyReader; nameKey as in
// CompanyByName.
func (r *reader) LockReasonByName(ctx context.Context, t directory.TenantNo, company int64, nameKey string) (directory.LockReason, error) {
	var reason directory.LockReason
	err := r.one(ctx, selectLockReason+" AND company = $2 AND name_key = $3 AND name_key <> ''", []any{int64(t), company, nameKey},
		func(row *row) { reason = scanLockReason(row) })
	return reason, err
}

// LockReasons implements directory.CompanyReader, in order of number.
func (r *reader) LockReasons(ctx context.Context, t directory.TenantNo, company int64) ([]directory.LockReason, error) {
	var list []directory.LockReason
	err := r.q.query(ctx, selectLockReason+" AND company = $2 ORDER BY number", []any{int64(t), company},
		func(row *row) { list = append(list, scanLockReason(row)) })
	return list, err
}

// AllLockReasons implements directory.CompanyReader.
func (r *reader) AllLockReasons(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.LockReason, error) {
	var list []directory.LockReason
	err := r.q.query(ctx, selectLockReason+" AND number > $2 ORDER BY number LIMIT $3", []any{int64(t), after, int64(max(limit, 0))},
		func(row *row) { list = append(list, scanLockReason(row)) })
	return list, err
}

// InsertLockReason implements directory.CompanyWriter. Two reasons of a
// company with one name key, unless it is empty, are ErrDuplicate. Version 0
// becomes 1.
func (t *tx) InsertLockReason(ctx context.Context, reason directory.LockReason) error {
	if err := t.stays(ctx, "companies", reason.Tenant, reason.Company); err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO lock_reasons (tenant, number, company, name, name_key, description, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		int64(reason.Tenant), reason.Number, reason.Company, reason.Name, directory.NameKey(reason.Name), reason.Description,
		max(reason.Version, 1))
}

// UpdateLockReason implements directory.CompanyWriter. Version 0 raises the one
// that is stored.
func (t *tx) UpdateLockReason(ctx context.Context, reason directory.LockReason) error {
	a := args{list: []any{int64(reason.Tenant), reason.Number, reason.Company, reason.Name, directory.NameKey(reason.Name), reason.Description}}
	return t.change(ctx, "UPDATE lock_reasons SET company = $3, name = $4, name_key = $5, description = $6, version = "+
		versionOf(&a, reason.Version)+" WHERE tenant = $1 AND number = $2", a.list...)
}

// DeleteLockReason implements directory.CompanyWriter.
func (t *tx) DeleteLockReason(ctx context.Context, tenant directory.TenantNo, number int64) error {
	return t.change(ctx, "DELETE FROM lock_reasons WHERE tenant = $1 AND number = $2", int64(tenant), number)
}

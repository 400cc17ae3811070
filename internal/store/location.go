package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

const selectLocation = `SELECT tenant, number, id, company, name, headquarters, address, phone, fax, version, created_at
	FROM locations WHERE tenant = $1`

func scanLocation(r *row) directory.Location {
	l := directory.Location{Tenant: directory.TenantNo(r.int()), Number: r.int(), ID: r.text(), Company: r.int(),
		Name: r.text(), Headquarters: r.flag()}
	decodeAddress(r, &l.Address)
	l.Phone = r.text()
	l.Fax = r.text()
	l.Version = r.int()
	l.CreatedAt = r.time()
	return l
}

// Location implements directory.LocationReader.
func (r *reader) Location(ctx context.Context, t directory.TenantNo, number int64) (directory.Location, error) {
	var l directory.Location
	err := r.one(ctx, selectLocation+" AND number = $2", []any{int64(t), number}, func(row *row) { l = scanLocation(row) })
	return l, err
}

// LocationByName implements directory.LocationReader; nameKey as in
// CompanyByName.
func (r *reader) LocationByName(ctx context.Context, t directory.TenantNo, company int64, nameKey string) (directory.Location, error) {
	var l directory.Location
	err := r.one(ctx, selectLocation+" AND company = $2 AND name_key = $3 AND name_key <> ''", []any{int64(t), company, nameKey},
		func(row *row) { l = scanLocation(row) })
	return l, err
}

// LocationByID implements directory.LocationReader.
func (r *reader) LocationByID(ctx context.Context, t directory.TenantNo, id string) (directory.Location, error) {
	var l directory.Location
	err := r.one(ctx, selectLocation+" AND id = $2", []any{int64(t), id}, func(row *row) { l = scanLocation(row) })
	return l, err
}

// Locations implements directory.LocationReader.
func (r *reader) Locations(ctx context.Context, t directory.TenantNo, company int64) ([]directory.Location, error) {
	var list []directory.Location
	err := r.q.query(ctx, selectLocation+" AND company = $2 ORDER BY number", []any{int64(t), company},
		func(row *row) { list = append(list, scanLocation(row)) })
	return list, err
}

// AllLocations implements directory.LocationReader.
func (r *reader) AllLocations(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.Location, error) {
	var list []directory.Location
	err := r.q.query(ctx, selectLocation+" AND number > $2 ORDER BY number LIMIT $3", []any{int64(t), after, int64(max(limit, 0))},
		func(row *row) { list = append(list, scanLocation(row)) })
	return list, err
}

// LocationInUse implements directory.LocationReader.
func (r *reader) LocationInUse(ctx context.Context, t directory.TenantNo, number int64) (bool, error) {
	used := false
	first := int64(t) << numberBits
	err := r.q.query(ctx, "SELECT rid FROM user_locations WHERE location = $1 AND rid > $2 AND rid <= $3 LIMIT 1",
		[]any{number, first, first + directory.MaxNumber}, func(*row) { used = true })
	return used, err
}

// DeleteLocation implements directory.CompanyWriter. One that somebody has
// stays, and is ErrNotFound; who is being given it is waited for.
func (t *tx) DeleteLocation(ctx context.Context, tenant directory.TenantNo, number int64) error {
	err := t.one(ctx, selectLocation+" AND number = $2"+t.e.lock, []any{int64(tenant), number}, func(row *row) { scanLocation(row) })
	if err != nil {
		return err
	}
	used, err := t.LocationInUse(ctx, tenant, number)
	if err != nil {
		return err
	}
	if used {
		return directory.ErrNotFound
	}
	return t.change(ctx, "DELETE FROM locations WHERE tenant = $1 AND number = $2", int64(tenant), number)
}

func locationAddress(l *directory.Location) (string, error) {
	if l.Address == (directory.Address{}) {
		return "", nil
	}
	return encode(l.Address)
}

// InsertLocation implements directory.CompanyWriter. Two locations of a
// company with one name key, unless it is empty, are ErrDuplicate.
func (t *tx) InsertLocation(ctx context.Context, l directory.Location) error {
	if err := t.stays(ctx, "companies", l.Tenant, l.Company); err != nil {
		return err
	}
	address, err := locationAddress(&l)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO locations (tenant, number, id, company, name, name_key, headquarters, address, phone, fax,
		version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		int64(l.Tenant), l.Number, l.ID, l.Company, l.Name, directory.NameKey(l.Name), bit(l.Headquarters), address,
		l.Phone, l.Fax, l.Version, micros(l.CreatedAt))
}

// UpdateLocation implements directory.CompanyWriter. A name that another
// location of the company has is ErrDuplicate.
func (t *tx) UpdateLocation(ctx context.Context, l directory.Location) error {
	address, err := locationAddress(&l)
	if err != nil {
		return err
	}
	return t.change(ctx, `UPDATE locations SET id = $3, company = $4, name = $5, name_key = $6, headquarters = $7, address = $8,
		phone = $9, fax = $10, version = $11, created_at = $12 WHERE tenant = $1 AND number = $2`,
		int64(l.Tenant), l.Number, l.ID, l.Company, l.Name, directory.NameKey(l.Name), bit(l.Headquarters), address,
		l.Phone, l.Fax, l.Version, micros(l.CreatedAt))
}

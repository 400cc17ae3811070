package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// Holds implements directory.MembershipReader.
func (r *reader) Holds(ctx context.Context, t directory.TenantNo, number int64) ([]directory.Hold, error) {
	var list []directory.Hold
	err := r.q.query(ctx, `SELECT kind, source, ref, created_at FROM holds WHERE tenant = $1 AND number = $2
		ORDER BY created_at, kind, source, ref`, []any{int64(t), number}, func(row *row) {
		list = append(list, directory.Hold{User: number, Kind: directory.HoldKind(row.text()), Source: row.text(), Ref: row.text(),
			CreatedAt: row.time()})
	})
	return list, err
}

// InsertHold implements directory.MembershipWriter. One that is there keeps the
// moment at which it was placed.
func (t *tx) InsertHold(ctx context.Context, tenant directory.TenantNo, h directory.Hold) (bool, error) {
	n, err := t.q.exec(ctx, "INSERT INTO holds (tenant, number, kind, source, ref, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
		int64(tenant), h.User, string(h.Kind), h.Source, h.Ref, micros(h.CreatedAt))
	return n > 0, err
}

// DeleteHold implements directory.MembershipWriter. CreatedAt does not matter.
func (t *tx) DeleteHold(ctx context.Context, tenant directory.TenantNo, h directory.Hold) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM holds WHERE tenant = $1 AND number = $2 AND kind = $3 AND source = $4 AND ref = $5",
		int64(tenant), h.User, string(h.Kind), h.Source, h.Ref)
	return n > 0, err
}

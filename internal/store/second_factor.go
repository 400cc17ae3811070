package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// SecondFactor implements directory.SecondFactorReader.
func (r *reader) SecondFactor(ctx context.Context, t directory.TenantNo, number int64) (directory.SecondFactor, error) {
	f := directory.SecondFactor{User: number}
	err := r.one(ctx, "SELECT secret, created_at, last_step, failures, failed_at, rank FROM second_factors WHERE tenant = $1 AND number = $2",
		[]any{int64(t), number}, func(row *row) {
			f.Sealed, f.CreatedAt, f.LastStep = row.blob(), row.time(), row.int()
			f.Failures, f.FailedAt, f.Rank = int(row.int()), row.time(), directory.Rank(row.int())
		})
	return f, err
}

// RecoveryCodes implements directory.SecondFactorReader.
func (r *reader) RecoveryCodes(ctx context.Context, t directory.TenantNo, number int64) (int64, error) {
	var n int64
	err := r.one(ctx, "SELECT count(*) FROM recovery_codes WHERE tenant = $1 AND number = $2", []any{int64(t), number}, func(row *row) { n = row.int() })
	return n, err
}

// SetSecondFactor implements directory.SecondFactorWriter.
func (t *tx) SetSecondFactor(ctx context.Context, tenant directory.TenantNo, f directory.SecondFactor) error {
	_, err := t.q.exec(ctx, `INSERT INTO second_factors (tenant, number, secret, created_at, last_step, failures, failed_at, rank)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, number) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at,
		last_step = excluded.last_step, failures = excluded.failures, failed_at = excluded.failed_at, rank = excluded.rank`,
		int64(tenant), f.User, bytesOf(f.Sealed), micros(f.CreatedAt), f.LastStep, int64(f.Failures), micros(f.FailedAt), int64(f.Rank))
	return err
}

// DeleteSecondFactor implements directory.SecondFactorWriter.
func (t *tx) DeleteSecondFactor(ctx context.Context, tenant directory.TenantNo, number int64) (bool, error) {
	if _, err := t.q.exec(ctx, "DELETE FROM recovery_codes WHERE tenant = $1 AND number = $2", int64(tenant), number); err != nil {
		return false, err
	}
	n, err := t.q.exec(ctx, "DELETE FROM second_factors WHERE tenant = $1 AND number = $2", int64(tenant), number)
	return n > 0, err
}

// SetRecoveryCodes implements directory.SecondFactorWriter.
func (t *tx) SetRecoveryCodes(ctx context.Context, tenant directory.TenantNo, number int64, hashes [][]byte) error {
	if _, err := t.q.exec(ctx, "DELETE FROM recovery_codes WHERE tenant = $1 AND number = $2", int64(tenant), number); err != nil {
		return err
	}
	for _, hash := range hashes {
		if err := t.insert(ctx, "INSERT INTO recovery_codes (tenant, number, hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", int64(tenant), number, hash); err != nil {
			return err
		}
	}
	return nil
}

// SpendRecoveryCode implements directory.SecondFactorWriter.
func (t *tx) SpendRecoveryCode(ctx context.Context, tenant directory.TenantNo, number int64, hash []byte) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM recovery_codes WHERE tenant = $1 AND number = $2 AND hash = $3", int64(tenant), number, hash)
	return n > 0, err
}

// DeleteImpersonation implements directory.SecondFactorWriter.
func (t *tx) DeleteImpersonation(ctx context.Context, tenant directory.TenantNo, id string) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM impersonations WHERE id = $1 AND tenant = $2", id, int64(tenant))
	return n > 0, err
}

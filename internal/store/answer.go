package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Answer implements directory.AnswerReader.
func (r *reader) Answer(ctx context.Context, t directory.TenantNo, caller string, key []byte) (directory.Answer, error) {
	a := directory.Answer{Tenant: t, Caller: caller, Key: key}
	err := r.one(ctx, "SELECT request, sealed, created_at FROM idempotency_answers WHERE tenant = $1 AND caller = $2 AND key = $3",
		[]any{int64(t), caller, bytesOf(key)}, func(row *row) {
			a.Request = row.blob()
			a.Sealed = row.blob()
			a.CreatedAt = row.time()
		})
	return a, err
}

// InsertAnswer implements directory.AnswerWriter.
func (t *tx) InsertAnswer(ctx context.Context, a directory.Answer) error {
	return t.insert(ctx, `INSERT INTO idempotency_answers (tenant, caller, key, request, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant, caller, key) DO UPDATE SET request = excluded.request, sealed = excluded.sealed, created_at = excluded.created_at
		WHERE idempotency_answers.created_at <= $7`,
		int64(a.Tenant), a.Caller, bytesOf(a.Key), bytesOf(a.Request), bytesOf(a.Sealed), micros(a.CreatedAt),
		micros(a.CreatedAt.Add(-directory.AnswersKept)))
}

const oldAnswersSQL = `SELECT a.tenant AS old_tenant, a.caller AS old_caller, a.key AS old_key FROM idempotency_answers a
	WHERE a.created_at < $1 ORDER BY a.created_at LIMIT $2`

// SweepAnswers implements directory.Sweeper.
func (t *tx) SweepAnswers(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.sweep(ctx, "DELETE FROM idempotency_answers WHERE (tenant, caller, key) IN (SELECT old_tenant, old_caller, old_key FROM ended)",
		oldAnswersSQL, before, limit)
}

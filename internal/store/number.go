package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// NextNumber implements directory.NumberWriter. Past directory.MaxNumber it
// counts on: the core says that the numbers are used up.
func (t *tx) NextNumber(ctx context.Context, tenant directory.TenantNo, kind directory.NumberKind) (int64, error) {
	return t.e.numbers.next(ctx, t.q, int64(tenant), string(kind))
}

// NextNumbers implements directory.NumberWriter.
func (t *tx) NextNumbers(ctx context.Context, tenant directory.TenantNo, kind directory.NumberKind, count int64) (int64, error) {
	return t.e.numbers.row(ctx, t.q, int64(tenant), string(kind), count)
}

// RaiseNumber implements directory.NumberWriter. On PostgreSQL the counter
// stays raised when the transaction is rolled back; that wastes numbers and
// harms nothing.
func (t *tx) RaiseNumber(ctx context.Context, tenant directory.TenantNo, kind directory.NumberKind, number int64) error {
	return t.e.numbers.raise(ctx, t.q, int64(tenant), string(kind), number)
}

// drawNumbers draws n numbers and returns the first.
func drawNumbers(ctx context.Context, q querier, tenant int64, kind string, n int64) (int64, error) {
	var first int64
	err := q.query(ctx, `INSERT INTO numbers (tenant, kind, next) VALUES ($1, $2, 1 + $3)
		ON CONFLICT (tenant, kind) DO UPDATE SET next = numbers.next + $3 RETURNING next - $3`,
		[]any{tenant, kind, n}, func(r *row) { first = r.int() })
	return first, err
}

// raiseNumber makes later draws begin after number.
func raiseNumber(ctx context.Context, q querier, tenant int64, kind string, number int64) error {
	_, err := q.exec(ctx, `INSERT INTO numbers (tenant, kind, next) VALUES ($1, $2, $3)
		ON CONFLICT (tenant, kind) DO UPDATE SET next = excluded.next WHERE numbers.next < excluded.next`,
		tenant, kind, number+1)
	return err
}

// rowNumbers draws from the counter's row inside of the transaction: right
// where there is one writer.
type rowNumbers struct{}

func (rowNumbers) next(ctx context.Context, q querier, tenant int64, kind string) (int64, error) {
	return drawNumbers(ctx, q, tenant, kind, 1)
}

func (rowNumbers) row(ctx context.Context, q querier, tenant int64, kind string, count int64) (int64, error) {
	return drawNumbers(ctx, q, tenant, kind, count)
}

func (rowNumbers) raise(ctx context.Context, q querier, tenant int64, kind string, number int64) error {
	return raiseNumber(ctx, q, tenant, kind, number)
}

package store

import (
	"context"
	"errors"
)

func openPostgres(ctx context.Context, database string, o Options) (*DB, error) {
	return nil, errors.New("x")
}
func migratePostgres(ctx context.Context, database string, o Options) error { return nil }

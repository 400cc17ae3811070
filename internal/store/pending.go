package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

func (db *sqliteDB) Seal(context.Context, directory.TenantNo) error { return nil }
func (db *sqliteDB) Follow(ctx context.Context, grown func(directory.TenantNo, int64)) error {
	panic("Follow")
}
func (db *postgresDB) Seal(context.Context, directory.TenantNo) error { panic("Seal") }
func (db *postgresDB) Follow(ctx context.Context, grown func(directory.TenantNo, int64)) error {
	panic("Follow")
}

func (r *reader) ChainHead(ctx context.Context, t directory.TenantNo) (directory.ChainHead, error) {
	panic("ChainHead")
}
func (r *reader) ChainHeads(ctx context.Context, after directory.TenantNo, limit int) ([]directory.ChainHead, error) {
	panic("ChainHeads")
}
func (r *reader) FindEvents(ctx context.Context, t directory.TenantNo, q directory.EventSelection) (directory.EventsFound, error) {
	panic("FindEvents")
}
func (r *reader) EventPeriod(ctx context.Context, t directory.TenantNo, from, to time.Time) (first, last int64, err error) {
	panic("EventPeriod")
}
func (t *tx) EraseEvents(ctx context.Context, no directory.TenantNo, number int64) error {
	panic("EraseEvents")
}
func (t *tx) TrimEvents(ctx context.Context, no directory.TenantNo, through int64, limit int) (int, error) {
	panic("TrimEvents")
}
func (t *tx) SetChainEpoch(ctx context.Context, no directory.TenantNo, epoch int64) error {
	panic("SetChainEpoch")
}

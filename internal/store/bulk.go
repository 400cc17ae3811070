package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// BulkRun implements directory.BulkReader.
func (r *reader) BulkRun(ctx context.Context, tenant directory.TenantNo, id string) (directory.BulkRun, error) {
	panic("BulkRun")
}

// BulkRuns implements directory.BulkReader.
func (r *reader) BulkRuns(ctx context.Context, tenant directory.TenantNo, kind directory.BulkKind, beforeTime time.Time, beforeID string, limit int) ([]directory.BulkRun, error) {
	panic("BulkRuns")
}

// BulkPart implements directory.BulkReader.
func (r *reader) BulkPart(ctx context.Context, tenant directory.TenantNo, id string, part int64) ([]byte, error) {
	panic("BulkPart")
}

// BulkVerdicts implements directory.BulkReader.
func (r *reader) BulkVerdicts(ctx context.Context, tenant directory.TenantNo, id string, after int64, limit int) ([]directory.VerdictBlock, error) {
	panic("BulkVerdicts")
}

// HandleHolders implements directory.BulkReader.
func (r *reader) HandleHolders(ctx context.Context, tenant directory.TenantNo, keys []directory.HandleKeyOf) ([]directory.Handle, error) {
	panic("HandleHolders")
}

// UsersByNumbers implements directory.BulkReader.
func (r *reader) UsersByNumbers(ctx context.Context, tenant directory.TenantNo, numbers []int64) ([]directory.User, error) {
	panic("UsersByNumbers")
}

// UsersByIDs implements directory.BulkReader.
func (r *reader) UsersByIDs(ctx context.Context, tenant directory.TenantNo, ids []string) ([]directory.User, error) {
	panic("UsersByIDs")
}

// UsersByClientIDs implements directory.BulkReader.
func (r *reader) UsersByClientIDs(ctx context.Context, tenant directory.TenantNo, ids []string) ([]directory.User, error) {
	panic("UsersByClientIDs")
}

// SeenRows implements directory.BulkReader.
func (r *reader) SeenRows(ctx context.Context, tenant directory.TenantNo, id string, users []int64) ([]int64, error) {
	panic("SeenRows")
}

// InsertBulkRun implements directory.BulkWriter.
func (t *tx) InsertBulkRun(ctx context.Context, run directory.BulkRun) error {
	panic("InsertBulkRun")
}

// LockBulkRun implements directory.BulkWriter.
func (t *tx) LockBulkRun(ctx context.Context, tenant directory.TenantNo, id string) (directory.BulkRun, error) {
	panic("LockBulkRun")
}

// UpdateBulkRun implements directory.BulkWriter.
func (t *tx) UpdateBulkRun(ctx context.Context, run directory.BulkRun) error {
	panic("UpdateBulkRun")
}

// InsertBulkPart implements directory.BulkWriter.
func (t *tx) InsertBulkPart(ctx context.Context, tenant directory.TenantNo, id string, part int64, data []byte) error {
	panic("InsertBulkPart")
}

// InsertVerdicts implements directory.BulkWriter.
func (t *tx) InsertVerdicts(ctx context.Context, tenant directory.TenantNo, id string, block directory.VerdictBlock) error {
	panic("InsertVerdicts")
}

// NoteSeen implements directory.BulkWriter.
func (t *tx) NoteSeen(ctx context.Context, tenant directory.TenantNo, id string, users []int64) error {
	panic("NoteSeen")
}

// DeleteBulkData implements directory.BulkWriter.
func (t *tx) DeleteBulkData(ctx context.Context, tenant directory.TenantNo, id string, limit int) (int, error) {
	panic("DeleteBulkData")
}

// SweepBulkRuns implements directory.BulkWriter.
func (t *tx) SweepBulkRuns(ctx context.Context, before time.Time, limit int) (int, error) {
	panic("SweepBulkRuns")
}

// LoadUsers implements directory.BulkWriter.
func (t *tx) LoadUsers(ctx context.Context, tenant directory.TenantNo, load []directory.UserLoad) error {
	panic("LoadUsers")
}

// TakeSeats implements directory.BulkWriter.
func (t *tx) TakeSeats(ctx context.Context, tenant directory.TenantNo, licenceType string, count int) ([]int, error) {
	panic("TakeSeats")
}

// NextNumbers implements directory.NumberWriter.
func (t *tx) NextNumbers(ctx context.Context, tenant directory.TenantNo, kind directory.NumberKind, count int64) (int64, error) {
	panic("NextNumbers")
}

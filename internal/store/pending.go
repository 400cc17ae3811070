package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

func (r *reader) GroupMemberRefs(ctx context.Context, t directory.TenantNo, group, company, after int64, limit int) ([]directory.MemberRef, error) {
	panic("GroupMemberRefs")
}
func (r *reader) CompanyInUse(ctx context.Context, t directory.TenantNo, number int64) (bool, error) {
	panic("CompanyInUse")
}
func (r *reader) AllLockReasons(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.LockReason, error) {
	panic("AllLockReasons")
}
func (r *reader) AllLocations(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.Location, error) {
	panic("AllLocations")
}
func (r *reader) LocationInUse(ctx context.Context, t directory.TenantNo, number int64) (bool, error) {
	panic("LocationInUse")
}
func (r *reader) AllRoles(ctx context.Context, t directory.TenantNo, after int64, limit int) ([]directory.Role, error) {
	panic("AllRoles")
}
func (r *reader) KeyAndUserByID(ctx context.Context, hash []byte, id string) (directory.Authentication, directory.User, error) {
	return directory.Authentication{}, directory.User{}, directory.ErrNotFound
}
func (r *reader) UserEvents(ctx context.Context, t directory.TenantNo, number, after int64, limit int) ([]directory.Event, error) {
	panic("UserEvents")
}
func (r *reader) UserTokens(ctx context.Context, t directory.TenantNo, number int64, now time.Time) ([]directory.Token, error) {
	panic("UserTokens")
}
func (r *reader) Answer(ctx context.Context, t directory.TenantNo, caller string, key []byte) (directory.Answer, error) {
	return directory.Answer{}, directory.ErrNotFound
}
func (x *tx) InsertAnswer(ctx context.Context, a directory.Answer) error { panic("InsertAnswer") }
func (x *tx) UpdateCompany(ctx context.Context, c directory.Company) error {
	panic("UpdateCompany")
}
func (x *tx) DeleteCompany(ctx context.Context, t directory.TenantNo, number int64) error {
	panic("DeleteCompany")
}
func (x *tx) DeleteLocation(ctx context.Context, t directory.TenantNo, number int64) error {
	panic("DeleteLocation")
}
func (x *tx) IndexEvents(ctx context.Context, limit int) (int, error) { return 0, nil }
func (x *tx) SweepAnswers(ctx context.Context, before time.Time, limit int) (int, error) {
	return 0, nil
}
func (x *tx) Try(ctx context.Context, fn func() error) error { panic("Try") }

package store

import (
	"context"
	"errors"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var errPending = errors.New("store: not written yet")

func (*reader) RoleMembers(_ context.Context, _ directory.TenantNo, _, _ int64, _ int) (out []int64, err error) {
	return out, errPending
}

func (*reader) Holds(_ context.Context, _ directory.TenantNo, _ int64) (out []directory.Hold, err error) {
	return out, errPending
}

func (*reader) Group(_ context.Context, _ directory.TenantNo, _ int64) (out directory.Group, err error) {
	return out, errPending
}

func (*reader) GroupByID(_ context.Context, _ directory.TenantNo, _ string) (out directory.Group, err error) {
	return out, errPending
}

func (*reader) Groups(_ context.Context, _ directory.TenantNo, _ directory.GroupSelection) (out []directory.Group, err error) {
	return out, errPending
}

func (*reader) CountGroups(_ context.Context, _ directory.TenantNo, _ directory.GroupSelection) (out int64, err error) {
	return out, errPending
}

func (*reader) GroupMembers(_ context.Context, _ directory.TenantNo, _, _ int64, _ int) (out []int64, err error) {
	return out, errPending
}

func (*reader) GroupSize(_ context.Context, _ directory.TenantNo, _ int64) (out int64, err error) {
	return out, errPending
}

func (*reader) CompanyByID(_ context.Context, _ directory.TenantNo, _ string) (out directory.Company, err error) {
	return out, errPending
}

func (*reader) LocationByID(_ context.Context, _ directory.TenantNo, _ string) (out directory.Location, err error) {
	return out, errPending
}

func (*reader) Locations(_ context.Context, _ directory.TenantNo, _ int64) (out []directory.Location, err error) {
	return out, errPending
}

func (*reader) AuthenticateSession(_ context.Context, _ []byte) (out directory.Authentication, err error) {
	return out, errPending
}

func (*reader) AuthenticateSigned(_ context.Context, _ string, _ int64) (out directory.Authentication, err error) {
	return out, errPending
}

func (*reader) TenantsOfDoor(_ context.Context, _ directory.Door, _ int) (out []directory.Tenant, err error) {
	return out, errPending
}

func (*reader) SigningKey(_ context.Context, _ directory.TenantNo) (out directory.SigningKey, err error) {
	return out, errPending
}

func (*reader) Impersonation(_ context.Context, _ string) (out directory.Impersonation, err error) {
	return out, errPending
}

func (*tx) DeleteRole(_ context.Context, _ directory.TenantNo, _ int64) (err error) {
	return errPending
}

func (*tx) InsertHold(_ context.Context, _ directory.TenantNo, _ directory.Hold) (out bool, err error) {
	return out, errPending
}

func (*tx) DeleteHold(_ context.Context, _ directory.TenantNo, _ directory.Hold) (out bool, err error) {
	return out, errPending
}

func (*tx) UpdateGroup(_ context.Context, _ directory.Group) (err error) { return errPending }

func (*tx) DeleteGroup(_ context.Context, _ directory.TenantNo, _ int64) (err error) {
	return errPending
}

func (*tx) UpdateLocation(_ context.Context, _ directory.Location) (err error) { return errPending }

func (*tx) ExtendToken(_ context.Context, _ []byte, _ time.Time) (err error) { return errPending }

func (*tx) InsertSigningKey(_ context.Context, _ directory.SigningKey) (err error) { return errPending }

func (*tx) InsertImpersonation(_ context.Context, _ directory.Impersonation) (err error) {
	return errPending
}

func (*tx) InsertJob(_ context.Context, _ directory.Job) (err error) { return errPending }

func (*tx) ClaimJobs(_ context.Context, _ directory.JobKind, _ string, _, _ time.Time, _ int) (out []directory.Job, err error) {
	return out, errPending
}

func (*tx) CloseJob(_ context.Context, _ directory.Job, _ string) (out bool, err error) {
	return out, errPending
}

func (*tx) RetryJob(_ context.Context, _ directory.Job, _ time.Time, _ string) (out bool, err error) {
	return out, errPending
}

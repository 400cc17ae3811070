package directory

import (
	"context"
	"time"
)

// SecondFactorReader reads what people prove besides their passwords.
type SecondFactorReader interface {
	// SecondFactor reads a user's; ErrNotFound when there is none.
	SecondFactor(ctx context.Context, t TenantNo, number int64) (SecondFactor, error)
	// RecoveryCodes counts a user's recovery codes that are left.
	RecoveryCodes(ctx context.Context, t TenantNo, number int64) (int64, error)
}

// SecondFactorWriter changes what people prove besides their passwords. The caller
// has locked the user.
type SecondFactorWriter interface {
	// SetSecondFactor writes or replaces a user's second factor.
	SetSecondFactor(ctx context.Context, t TenantNo, f SecondFactor) error
	// DeleteSecondFactor erases a user's second factor with its recovery codes, and
	// reports whether there was one.
	DeleteSecondFactor(ctx context.Context, t TenantNo, number int64) (bool, error)
	// SetRecoveryCodes replaces a user's recovery codes by those with these hashes.
	SetRecoveryCodes(ctx context.Context, t TenantNo, number int64, hashes [][]byte) error
	// SpendRecoveryCode removes a user's recovery code and reports whether it was
	// there: of two that spend one code, one gets true.
	SpendRecoveryCode(ctx context.Context, t TenantNo, number int64, hash []byte) (bool, error)
	// DeleteImpersonation ends a leave to act as another and reports whether it was
	// there.
	DeleteImpersonation(ctx context.Context, t TenantNo, id string) (bool, error)
}

// OverviewReader reads the figures of a tenant that no other look-up has.
type OverviewReader interface {
	// PoolDays lists the seats of a tenant's pools by type and day, from a day on
	// (days since 1970).
	PoolDays(ctx context.Context, t TenantNo, from int64) ([]PoolDay, error)
	// EventDays counts a tenant's events by day, from a day on, by the hours that
	// IndexEvents has noted: what is not indexed is not counted.
	EventDays(ctx context.Context, t TenantNo, from int64) ([]EventDay, error)
	// CountLocked counts the locked users of a company's subtree (0: the tenant) that
	// are not deleted, and stops at limit.
	CountLocked(ctx context.Context, t TenantNo, company, limit int64) (int64, error)
	// CountFailedJobs counts a tenant's jobs that were given up, and stops at limit.
	CountFailedJobs(ctx context.Context, t TenantNo, limit int64) (int64, error)
}

// OverviewWriter keeps the figures that must be noted while they are true.
type OverviewWriter interface {
	// SamplePools notes the seats of every pool of every tenant as those of a day, in
	// the place of what was noted of that day before.
	SamplePools(ctx context.Context, day int64) error
	// SweepPoolDays removes what was noted of days before that of a time, at most limit
	// rows; it returns how many.
	SweepPoolDays(ctx context.Context, before time.Time, limit int) (int, error)
}

// PeopleReader reads what lists of users show to people besides the users.
type PeopleReader interface {
	// LastSignIns are the times at which users last signed in with their passwords;
	// those who never did are left out.
	LastSignIns(ctx context.Context, t TenantNo, numbers []int64) (map[int64]time.Time, error)
	// LookEnd is the user at which a list ends that looks at so many users one by one
	// after q.After: its number, and its SortValue in a sorted list; 0 where fewer
	// follow. walks is false where an index has the matches of q, so that nobody else
	// is looked at.
	LookEnd(ctx context.Context, t TenantNo, q UserQuery, look int) (number int64, value string, walks bool, err error)
	// CanSort reports whether q can be listed in its order without reading more than
	// so many users that are not on the page.
	CanSort(ctx context.Context, t TenantNo, q UserQuery, limit int64) (bool, error)
}

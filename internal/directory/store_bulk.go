package directory

import (
	"context"
	"time"
)

// BulkReader reads bulk runs.
type BulkReader interface {
	BulkRun(ctx context.Context, t TenantNo, id string) (BulkRun, error)
	// BulkRuns lists a tenant's runs of a kind ("" for all), the newest first
	// (CreatedAt, then ID, both falling), after the one of that time and id.
	BulkRuns(ctx context.Context, t TenantNo, kind BulkKind, beforeTime time.Time, beforeID string, limit int) ([]BulkRun, error)
	// BulkPart reads one part of a run's file, from 0.
	BulkPart(ctx context.Context, t TenantNo, id string, part int64) ([]byte, error)
	// BulkVerdicts lists the blocks of verdicts of a run that hold rows greater than
	// after, in order of rows.
	BulkVerdicts(ctx context.Context, t TenantNo, id string, after int64, limit int) ([]VerdictBlock, error)
	// HandleHolders finds the holders of many folded keys at once; keys that nobody
	// holds are left out.
	HandleHolders(ctx context.Context, t TenantNo, keys []HandleKeyOf) ([]Handle, error)
	// UsersByNumbers and UsersByIDs read many users at once, in no order; those that
	// are not there are left out.
	UsersByNumbers(ctx context.Context, t TenantNo, numbers []int64) ([]User, error)
	UsersByIDs(ctx context.Context, t TenantNo, ids []string) ([]User, error)
	// UsersByClientIDs finds the users of many client user ids, which several may
	// have.
	UsersByClientIDs(ctx context.Context, t TenantNo, ids []string) ([]User, error)
	// PurgedAmong finds the erased users to whom any of the numbers or ids belonged.
	PurgedAmong(ctx context.Context, t TenantNo, numbers []int64, ids []string) ([]PurgedUser, error)
	// SeenRows reports which of the users were the matter of a row of a run (NoteSeen).
	SeenRows(ctx context.Context, t TenantNo, id string, users []int64) ([]int64, error)
}

// HandleKeyOf names a handle.
type HandleKeyOf struct {
	Space Space
	Key   string // folded
}

// PurgedUser is what is remembered of a user who was erased.
type PurgedUser struct {
	Number int64
	ID     string
}

// VerdictBlock is a run of verdicts that were made together.
type VerdictBlock struct {
	FirstRow int64
	LastRow  int64
	Data     []byte // as the core packs them
}

// BulkKeeper looks after runs that nobody works on.
type BulkKeeper interface {
	// OpenBulkRuns counts the runs of a tenant that have not ended.
	OpenBulkRuns(ctx context.Context, t TenantNo) (int64, error)
	// IdleBulkRuns lists, for change, at most limit runs of any tenant that are
	// BulkOpen or BulkStopped and have not changed since a time, but none that another
	// transaction is using.
	IdleBulkRuns(ctx context.Context, before time.Time, limit int) ([]BulkRun, error)
	// SweepBulkData removes what DeleteBulkData does, of runs that ended before a time,
	// at most limit rows; it returns how many.
	SweepBulkData(ctx context.Context, before time.Time, limit int) (int, error)
}

// BulkWriter changes bulk runs and loads many users at once.
type BulkWriter interface {
	InsertBulkRun(ctx context.Context, r BulkRun) error
	// LockBulkRun reads a run for change.
	LockBulkRun(ctx context.Context, t TenantNo, id string) (BulkRun, error)
	UpdateBulkRun(ctx context.Context, r BulkRun) error
	// InsertBulkPart keeps a part of a run's file; one that is there is ErrDuplicate.
	InsertBulkPart(ctx context.Context, t TenantNo, id string, part int64, data []byte) error
	InsertVerdicts(ctx context.Context, t TenantNo, id string, block VerdictBlock) error
	// NoteSeen notes that rows of a run were about users.
	NoteSeen(ctx context.Context, t TenantNo, id string, users []int64) error
	// DeleteBulkData removes at most limit parts of a run's file and notes of NoteSeen,
	// and returns how many it removed.
	DeleteBulkData(ctx context.Context, t TenantNo, id string, limit int) (int, error)
	// SweepBulkRuns removes runs that ended before a time, with what belongs to them,
	// at most limit rows in a call; it returns how many.
	SweepBulkRuns(ctx context.Context, before time.Time, limit int) (int, error)
	// LoadUsers inserts many new users of one tenant with their handles, passwords,
	// index rows, totals, search text and events, as InsertUser, InsertHandle,
	// SetPassword and InsertEvent would one by one, by the fastest way that the engine
	// has. At most MaxLoad at a time. A key that is taken is ErrDuplicate for all.
	LoadUsers(ctx context.Context, t TenantNo, load []UserLoad) error
	// TakeSeats takes seats of a type by conditional updates and returns the seat of
	// each (as TakeSeat); fewer than count when the pool has no more.
	TakeSeats(ctx context.Context, t TenantNo, licenceType string, count int) ([]int, error)
}

// UserLoad is one user of LoadUsers with everything that comes with it. Its Number
// has been drawn.
type UserLoad struct {
	User     User
	Handles  []Handle
	Password Password // no hash: none
	Event    Event
}

// MaxLoad is how many users LoadUsers takes at a time.
const MaxLoad = 1000

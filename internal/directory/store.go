package directory

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound is what a store's look-up answers when there is no such row. The
// core turns it into an Error that names the thing.
var ErrNotFound = errors.New("directory: no such row")

// ErrDuplicate is what an insert answers when a unique key is taken. Update
// handles it: the closure runs once more, finds the row by look-up and names
// the reason; only a second duplicate reaches the caller as write.conflict.
var ErrDuplicate = errors.New("directory: duplicate key")

// Store keeps the directory. There is one implementation with two engines,
// SQLite and PostgreSQL, and one suite that both pass (store/storetest).
type Store interface {
	// Read runs fn outside of any transaction. fn may call one method of the
	// Reader once; each Reader method is one statement.
	Read(ctx context.Context, fn func(Reader) error) error
	// View runs fn over one snapshot.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn in a transaction and answers only when its outcome is
	// durable. fn may run twice: it must have no effect but through the Tx,
	// must assign results and never append to them, and must not hash, sleep,
	// use the network or call the store again. An error of fn rolls back.
	// A ctx that is done before fn starts is answered without running it; a
	// started fn is not cancelled on SQLite.
	Update(ctx context.Context, fn func(Tx) error) error
	// Seal gives positions to the events of a tenant that are committed and have
	// none, so that whoever changed something reads it in the feed at once. An
	// engine whose writer does it has nothing to do.
	Seal(ctx context.Context, t TenantNo) error
	// Follow seals what any process commits, until ctx is done, and calls grown
	// when a tenant's chain has grown to a position, by this process or another.
	// grown may run on the writer's own goroutine: it must not wait and must not
	// use the store. Any number of processes may follow at once; one process
	// follows once.
	Follow(ctx context.Context, grown func(t TenantNo, position int64)) error
	// Ping reports whether the store can answer now, on the primary.
	Ping(ctx context.Context) error
	// Close waits for what is running and closes the database.
	Close() error
}

// Reader is every look-up.
type Reader interface {
	UserReader
	MembershipReader
	GroupReader
	CompanyReader
	LocationReader
	CredentialReader
	TenantReader
	LicenceReader
	EventReader
	SessionReader
	AnswerReader
	JobReader
	WebhookReader
	BulkReader
	AmongReader
	SecondFactorReader
	OverviewReader
	PeopleReader
}

// Tx is every look-up and every change, in one transaction.
type Tx interface {
	Reader
	UserWriter
	MembershipWriter
	GroupWriter
	CompanyWriter
	CredentialWriter
	TenantWriter
	LicenceWriter
	NumberWriter
	EventWriter
	AnswerWriter
	JobWriter
	WebhookWriter
	BulkWriter
	BulkKeeper
	SecondFactorWriter
	OverviewWriter
	Sweeper
	// Try runs a part of the transaction: what it wrote is undone if it fails,
	// and the rest of the transaction goes on.
	Try(ctx context.Context, fn func() error) error
}

// UserReader looks users up. Look-ups answer ErrNotFound; they return deleted
// users too, and the core decides who may see them.
type UserReader interface {
	UserByNumber(ctx context.Context, t TenantNo, number int64) (User, error)
	UserByID(ctx context.Context, t TenantNo, id string) (User, error)
	// UserByHandle finds the holder of a folded key.
	UserByHandle(ctx context.Context, t TenantNo, space Space, key string) (User, HandleKind, error)
	// HandleByKey is the identifiers row alone.
	HandleByKey(ctx context.Context, t TenantNo, space Space, key string) (Handle, error)
	// Users lists in order of q.Sort and number, both falling if q.Descending.
	// Terms are folded already and q.GroupNumbers resolved. At most q.Limit rows;
	// WantTotal, Cursor and WantCursor change no row.
	Users(ctx context.Context, t TenantNo, q UserQuery) ([]User, error)
	// CountUsers counts the matches of q (After, Skip and Limit aside) and
	// stops at limit.
	CountUsers(ctx context.Context, t TenantNo, q UserQuery, limit int64) (int64, error)
	// UserTotal is the exact number of users in the states of a company's
	// subtree (0: the tenant), from counters.
	UserTotal(ctx context.Context, t TenantNo, company int64, states StateSet) (int64, error)
	// Purged is the number of the erased user to whom a number or an id belonged;
	// 0 when neither belonged to one.
	Purged(ctx context.Context, t TenantNo, number int64, id string) (int64, error)
	// DeletedUsers lists the users in the recycle bin that were deleted before a
	// time, the longest deleted first (DeletedAt, then Number), after the one of
	// that time and number.
	DeletedUsers(ctx context.Context, t TenantNo, before, afterTime time.Time, after int64, limit int) ([]User, error)
	// InSubtree reports whether a user belongs to a company's subtree.
	InSubtree(ctx context.Context, t TenantNo, company, number int64) (bool, error)
}

// MembershipReader reads what users belong to, in order of number.
type MembershipReader interface {
	UserLocations(ctx context.Context, t TenantNo, number int64) ([]int64, error)
	UserRoles(ctx context.Context, t TenantNo, number int64) ([]RoleAssignment, error)
	Role(ctx context.Context, t TenantNo, number int64) (Role, error)
	RoleByKey(ctx context.Context, t TenantNo, company int64, key string) (Role, error)
	// Roles lists the roles of a company; 0 lists those of the tenant itself.
	Roles(ctx context.Context, t TenantNo, company int64) ([]Role, error)
	// AllRoles lists those of the tenant and of every company, by number, greater
	// than after.
	AllRoles(ctx context.Context, t TenantNo, after int64, limit int) ([]Role, error)
	// RoleMembers lists the numbers of the users that hold a role, deleted ones
	// too, each once, greater than after.
	RoleMembers(ctx context.Context, t TenantNo, role, after int64, limit int) ([]int64, error)
	// RoleMemberRefs lists the living users of a company's subtree (0: the tenant)
	// that hold a role, each once, greater than after.
	RoleMemberRefs(ctx context.Context, t TenantNo, role, company, after int64, limit int) ([]MemberRef, error)
	// Holds lists the holds on a user, oldest first.
	Holds(ctx context.Context, t TenantNo, number int64) ([]Hold, error)
}

// GroupReader reads groups and who is in them.
type GroupReader interface {
	Group(ctx context.Context, t TenantNo, number int64) (Group, error)
	GroupByID(ctx context.Context, t TenantNo, id string) (Group, error)
	GroupByKey(ctx context.Context, t TenantNo, kind GroupKind, key string) (Group, error)
	// Groups lists one page of a selection in order of number.
	Groups(ctx context.Context, t TenantNo, q GroupSelection) ([]Group, error)
	// CountGroups counts all that Groups would list without Skip and Limit.
	CountGroups(ctx context.Context, t TenantNo, q GroupSelection) (int64, error)
	// UserGroups lists a user's memberships by kind, position and number.
	UserGroups(ctx context.Context, t TenantNo, number int64) ([]Membership, error)
	// GroupMembers lists the living members' numbers in order, greater than
	// after.
	GroupMembers(ctx context.Context, t TenantNo, group, after int64, limit int) ([]int64, error)
	// GroupSize counts the living members.
	GroupSize(ctx context.Context, t TenantNo, group int64) (int64, error)
	// GroupMemberRefs is GroupMembers with what lists of members show, of users in
	// a company's subtree (0: the tenant).
	GroupMemberRefs(ctx context.Context, t TenantNo, group, company, after int64, limit int) ([]MemberRef, error)
}

// GroupSelection is a GroupQuery whose names have been resolved.
type GroupSelection struct {
	Kind    GroupKind
	Parent  Opt[int64] // 0: groups without one
	NameKey string     // part of NameKey of the name; "": all
	Member  int64      // only groups of this user; 0: all
	After   int64      // only groups with a greater number
	Skip    int
	Limit   int
}

// CompanyReader reads the company tree and lock reasons.
type CompanyReader interface {
	Company(ctx context.Context, t TenantNo, number int64) (Company, error)
	CompanyByID(ctx context.Context, t TenantNo, id string) (Company, error)
	CompanyByName(ctx context.Context, t TenantNo, nameKey string) (Company, error)
	Companies(ctx context.Context, t TenantNo, after int64, limit int) ([]Company, error)
	// CompanyInUse reports whether anything belongs to a company: users, deleted
	// ones too, companies below it, locations, roles, lock reasons, credentials
	// bound to it.
	CompanyInUse(ctx context.Context, t TenantNo, number int64) (bool, error)
	LockReason(ctx context.Context, t TenantNo, number int64) (LockReason, error)
	LockReasonByName(ctx context.Context, t TenantNo, company int64, nameKey string) (LockReason, error)
	// LockReasons lists a company's own reasons.
	LockReasons(ctx context.Context, t TenantNo, company int64) ([]LockReason, error)
	// AllLockReasons lists those of every company, by number, greater than after.
	AllLockReasons(ctx context.Context, t TenantNo, after int64, limit int) ([]LockReason, error)
}

// LocationReader reads locations.
type LocationReader interface {
	Location(ctx context.Context, t TenantNo, number int64) (Location, error)
	LocationByID(ctx context.Context, t TenantNo, id string) (Location, error)
	LocationByName(ctx context.Context, t TenantNo, company int64, nameKey string) (Location, error)
	// Locations lists a company's own locations, by number.
	Locations(ctx context.Context, t TenantNo, company int64) ([]Location, error)
	// AllLocations lists those of every company, by number, greater than after.
	AllLocations(ctx context.Context, t TenantNo, after int64, limit int) ([]Location, error)
	// LocationInUse reports whether any user, deleted ones too, has a location.
	LocationInUse(ctx context.Context, t TenantNo, number int64) (bool, error)
}

// CredentialReader looks up what callers present.
type CredentialReader interface {
	// AuthenticateKey finds an API key by the SHA-256 of its secret, of any
	// tenant, with the tenant's switches.
	AuthenticateKey(ctx context.Context, hash []byte) (Authentication, error)
	// KeyAndUser is AuthenticateKey together with the user of a number of the
	// key's tenant, in one statement. ErrNotFound when either is missing.
	KeyAndUser(ctx context.Context, hash []byte, number int64) (Authentication, User, error)
	// KeyAndUserByID is KeyAndUser with the user of an id, in lower case.
	KeyAndUserByID(ctx context.Context, hash []byte, id string) (Authentication, User, error)
	// AuthenticateToken finds a token by the SHA-256 of it, with its user's
	// state, lock, dates, epoch and rank and the tenant's switches. A token
	// whose client is gone is not found.
	AuthenticateToken(ctx context.Context, hash []byte, kind TokenKind) (Authentication, error)
	// AuthenticateClient finds a credential of any kind but keys by client id.
	AuthenticateClient(ctx context.Context, clientID string) (Authentication, error)
	// AuthenticateSession finds a cookie session by the SHA-256 of it: of a
	// credential (Credential is set, Token.User is 0) or of a user (as
	// AuthenticateToken). A session whose credential is gone is not found.
	AuthenticateSession(ctx context.Context, hash []byte) (Authentication, error)
	// AuthenticateSigned finds a signing key by its id together with a user of
	// its tenant, with what AuthenticateToken reads of them. ErrNotFound when
	// either is missing.
	AuthenticateSigned(ctx context.Context, keyID string, number int64) (Authentication, error)
	Credential(ctx context.Context, t TenantNo, id string) (Credential, error)
	// Credentials lists without their hashes, oldest first.
	Credentials(ctx context.Context, t TenantNo) ([]Credential, error)
	Password(ctx context.Context, t TenantNo, number int64) (Password, error)
}

// TenantReader looks tenants up.
type TenantReader interface {
	Tenant(ctx context.Context, no TenantNo) (Tenant, error)
	TenantByName(ctx context.Context, name string) (Tenant, error)
	TenantByHost(ctx context.Context, host string) (Tenant, error)
	// Tenants lists all, in order of number.
	Tenants(ctx context.Context) ([]Tenant, error)
	// TenantsOfDoor lists the first tenants, at most limit, that have a door on
	// and are not disabled.
	TenantsOfDoor(ctx context.Context, door Door, limit int) ([]Tenant, error)
	// SigningKeys lists the tenant's, the newest first.
	SigningKeys(ctx context.Context, t TenantNo, limit int) ([]SigningKey, error)
	Impersonation(ctx context.Context, id string) (Impersonation, error)
}

// JobReader looks for work.
type JobReader interface {
	// Job reads one job, with its payload. now tells JobRunning from JobWaiting.
	Job(ctx context.Context, t TenantNo, id string, now time.Time) (Job, error)
	// Jobs lists the jobs of a tenant that q selects, the newest first (CreatedAt,
	// then ID, both falling), without their payloads.
	Jobs(ctx context.Context, t TenantNo, q JobSelection) ([]Job, error)
	// JobsDue reports whether ClaimJobs would find a job now.
	JobsDue(ctx context.Context, kind JobKind, now time.Time) (bool, error)
}

// LicenceReader reads pools.
type LicenceReader interface {
	Pool(ctx context.Context, t TenantNo, licenceType string) (Pool, error)
	Pools(ctx context.Context, t TenantNo) ([]Pool, error)
}

// SessionReader lists sign-ins.
type SessionReader interface {
	// UserTokens lists a user's tokens of the kinds access, refresh and session that
	// expire after now, the newest first, without their hashes.
	UserTokens(ctx context.Context, t TenantNo, number int64, now time.Time) ([]Token, error)
}

// AnswerReader finds the answers of idempotency keys.
type AnswerReader interface {
	Answer(ctx context.Context, t TenantNo, caller string, key []byte) (Answer, error)
}

// AnswerWriter keeps the answers of idempotency keys.
type AnswerWriter interface {
	// InsertAnswer keeps an answer, in the place of one that is AnswersKept old or
	// older. Another that is there is ErrDuplicate.
	InsertAnswer(ctx context.Context, a Answer) error
}

// UserWriter changes users and the index rows that follow from them (list
// index, totals, search text): those are the store's own business.
type UserWriter interface {
	// LockUser reads a user for change: until the transaction ends nobody else
	// changes it or what belongs to it.
	LockUser(ctx context.Context, t TenantNo, number int64) (User, error)
	InsertUser(ctx context.Context, u User) error
	// UpdateUser replaces the row; before is what LockUser returned.
	UpdateUser(ctx context.Context, before, after User) error
	// DeleteUser erases a user and everything that belongs to it but its events,
	// whose contents EraseEvents erases. Its number and id are remembered as Purged.
	DeleteUser(ctx context.Context, u User) error
	InsertHandle(ctx context.Context, t TenantNo, h Handle) error
	// SetHandleKinds changes as what the holder has the key.
	SetHandleKinds(ctx context.Context, t TenantNo, h Handle) error
	DeleteHandle(ctx context.Context, t TenantNo, space Space, key string, number int64) error
	// SetPassword writes or replaces a user's password.
	SetPassword(ctx context.Context, t TenantNo, p Password) error
	DeletePassword(ctx context.Context, t TenantNo, number int64) error
}

// MembershipWriter changes memberships. Adding what is there and removing what
// is not answer false and change nothing.
type MembershipWriter interface {
	AddUserLocation(ctx context.Context, t TenantNo, number, location int64) (bool, error)
	RemoveUserLocation(ctx context.Context, t TenantNo, number, location int64) (bool, error)
	// AddUserRole gives a role. One that is gone since fn looked it up is
	// ErrDuplicate, so that fn looks again; so is an assignment that is there.
	AddUserRole(ctx context.Context, t TenantNo, a RoleAssignment) error
	RemoveUserRole(ctx context.Context, t TenantNo, assignment int64) (bool, error)
	InsertRole(ctx context.Context, r Role) error
	UpdateRole(ctx context.Context, r Role) error
	// DeleteRole erases a role that nobody holds. One that is held stays, and is
	// ErrNotFound.
	DeleteRole(ctx context.Context, t TenantNo, number int64) error
	// InsertHold reports false, and changes nothing, when it is there.
	InsertHold(ctx context.Context, t TenantNo, h Hold) (bool, error)
	DeleteHold(ctx context.Context, t TenantNo, h Hold) (bool, error)
}

// GroupWriter changes groups and memberships.
type GroupWriter interface {
	InsertGroup(ctx context.Context, g Group) error
	// UpdateGroup replaces the row of g.Number.
	UpdateGroup(ctx context.Context, g Group) error
	// EmptyGroup removes at most limit memberships of a group and returns how
	// many it removed.
	EmptyGroup(ctx context.Context, t TenantNo, number int64, limit int) (int, error)
	// DeleteGroup erases a group with its memberships; the groups below it
	// lose their parent.
	DeleteGroup(ctx context.Context, t TenantNo, number int64) error
	// SetGroupMember adds a user or changes its role and position; it reports
	// whether anything changed. A group that is gone since fn looked it up is
	// ErrDuplicate, so that fn looks again.
	SetGroupMember(ctx context.Context, t TenantNo, group, number int64, role string, position int) (bool, error)
	RemoveGroupMember(ctx context.Context, t TenantNo, group, number int64) (bool, error)
}

// CompanyWriter changes the company tree, locations and lock reasons.
type CompanyWriter interface {
	InsertCompany(ctx context.Context, c Company) error
	InsertLocation(ctx context.Context, l Location) error
	// UpdateLocation replaces the row of l.Number.
	UpdateLocation(ctx context.Context, l Location) error
	// UpdateCompany replaces the row of c.Number; its place in the tree stays.
	UpdateCompany(ctx context.Context, c Company) error
	// DeleteCompany erases a company to which nothing belongs.
	DeleteCompany(ctx context.Context, t TenantNo, number int64) error
	DeleteLocation(ctx context.Context, t TenantNo, number int64) error
	InsertLockReason(ctx context.Context, r LockReason) error
	UpdateLockReason(ctx context.Context, r LockReason) error
	// DeleteLockReason erases it; locks that name it stay (docs/dialects/iqmetrix.md
	// 5.19), so readers must expect a number without a row.
	DeleteLockReason(ctx context.Context, t TenantNo, number int64) error
}

// CredentialWriter changes credentials and tokens.
type CredentialWriter interface {
	InsertCredential(ctx context.Context, c Credential) error
	DeleteCredential(ctx context.Context, t TenantNo, id string) error
	InsertToken(ctx context.Context, tok Token) error
	// ExtendToken moves a token's end. ErrNotFound when it is gone.
	ExtendToken(ctx context.Context, hash []byte, expiresAt time.Time) error
	// DeleteToken reports whether it was there: of two that spend one refresh
	// token, one gets true.
	DeleteToken(ctx context.Context, hash []byte) (bool, error)
	// DeleteSession removes every token of a sign-in.
	DeleteSession(ctx context.Context, t TenantNo, session string) error
	// DeleteTokens removes a user's tokens of a kind.
	DeleteTokens(ctx context.Context, t TenantNo, number int64, kind TokenKind) error
	// DeleteExpiredTokens removes a user's tokens that expired before now.
	// Number 0 is the sessions of the tenant's credentials.
	DeleteExpiredTokens(ctx context.Context, t TenantNo, number int64, nowMicros int64) error
}

// TenantWriter changes tenants.
type TenantWriter interface {
	// LockTenant reads a tenant for change: rules about who is left and tree
	// changes take this lock first.
	LockTenant(ctx context.Context, no TenantNo) (Tenant, error)
	// InsertTenant draws and returns the tenant's number.
	InsertTenant(ctx context.Context, t Tenant) (TenantNo, error)
	UpdateTenant(ctx context.Context, t Tenant) error
	InsertSigningKey(ctx context.Context, k SigningKey) error
	InsertImpersonation(ctx context.Context, i Impersonation) error
}

// LicenceWriter takes and frees seats.
type LicenceWriter interface {
	// SetPool creates or resizes a pool. A total below what is used is
	// allowed: nobody loses a seat, and nobody gets one until enough are free.
	SetPool(ctx context.Context, t TenantNo, licenceType string, total int64) error
	// AddPool creates a pool; one that is there stays as it is.
	AddPool(ctx context.Context, t TenantNo, licenceType string, total int64) error
	// TakeSeat takes a seat by a conditional update and returns its shard + 1.
	// 0 means that every shard refused, or that there is no pool: the core
	// tells which by Pool.
	TakeSeat(ctx context.Context, t TenantNo, licenceType string) (int, error)
	// FreeSeat gives back the seat that TakeSeat named.
	FreeSeat(ctx context.Context, t TenantNo, licenceType string, seat int) error
}

// NumberKind is a counter of numbers.
type NumberKind string

// The counters of a tenant.
const (
	NumberUser       NumberKind = "user"
	NumberCompany    NumberKind = "company"
	NumberLocation   NumberKind = "location"
	NumberLockReason NumberKind = "lock_reason"
	NumberRole       NumberKind = "role"
	NumberAssignment NumberKind = "assignment"
	NumberGroup      NumberKind = "group"
)

// NumberWriter draws numbers. A drawn number may turn out to be taken by a
// preset one; the core then draws again.
type NumberWriter interface {
	NextNumber(ctx context.Context, t TenantNo, kind NumberKind) (int64, error)
	// NextNumbers draws count numbers that follow each other and returns the first.
	NextNumbers(ctx context.Context, t TenantNo, kind NumberKind, count int64) (int64, error)
	// RaiseNumber makes later draws start after number. Another process may
	// first use up the numbers that it has drawn ahead.
	RaiseNumber(ctx context.Context, t TenantNo, kind NumberKind, number int64) error
}

// JobWriter keeps jobs. A job that is done keeps its row without a payload, so
// that a repeat of the insert is refused; one that failed or was cancelled keeps
// its payload too, so that it can be done all the same, until a sweep.
type JobWriter interface {
	InsertJob(ctx context.Context, j Job) error
	// ClaimJobs leases the jobs of a kind that are due and not leased, oldest
	// first, to an owner until then; each job's Attempts is raised. Two that
	// claim at once never get the same job. A lease that ends later than MaxLease
	// from now is none, and a job that was tried and is put back for longer than
	// MaxJobPause is due: a clock was wrong.
	ClaimJobs(ctx context.Context, kind JobKind, owner string, now, until time.Time, limit int) ([]Job, error)
	// CloseJob ends a job in a state (erasing its payload when done) and RetryJob
	// puts it back until then; each notes what went wrong and reports whether the
	// owner still had the lease.
	CloseJob(ctx context.Context, j Job, state JobState, cause string, now time.Time) (bool, error)
	// Without a cause RetryJob counts the attempts from 0.
	RetryJob(ctx context.Context, j Job, then time.Time, cause string) (bool, error)
	// ReopenJob makes a job due at a time whose state is one of those given, with its
	// attempts counted from 0, and EndJob closes one that waits and is not leased
	// now; each reports whether there was such a job.
	ReopenJob(ctx context.Context, t TenantNo, id string, then time.Time, states ...JobState) (bool, error)
	EndJob(ctx context.Context, t TenantNo, id string, state JobState, now time.Time) (bool, error)
}

// Sweeper removes rows of all tenants that nothing needs any more: at most
// limit of them in a call, and none that another transaction is using. Each
// method returns how many it removed.
type Sweeper interface {
	// SweepTokens removes tokens of every kind that expired before a time.
	SweepTokens(ctx context.Context, before time.Time, limit int) (int, error)
	// SweepImpersonations removes those that expired before a time.
	SweepImpersonations(ctx context.Context, before time.Time, limit int) (int, error)
	// SweepJobs removes jobs that were closed before a time, and SweepPayloads
	// erases the payloads of those that were.
	SweepJobs(ctx context.Context, before time.Time, limit int) (int, error)
	SweepPayloads(ctx context.Context, before time.Time, limit int) (int, error)
	// SweepSigningKeys removes keys to which the tenant had a newer one before a
	// time.
	SweepSigningKeys(ctx context.Context, before time.Time, limit int) (int, error)
	// SweepAnswers removes answers of idempotency keys made before a time.
	SweepAnswers(ctx context.Context, before time.Time, limit int) (int, error)
}

package directory

import (
	"context"
	"time"
)

// STUBS: signatures of the use cases, replaced by the service_*.go files.

func (s *Service) User(ctx context.Context, call *Call, ref UserRef) (User, error) { panic("stub") }

// Users lists. An unknown company is not_found company.not_found.
func (s *Service) Users(ctx context.Context, call *Call, q UserQuery) (UserPage, error) {
	panic("stub")
}

func (s *Service) CreateUser(ctx context.Context, call *Call, in NewUser) (User, error) {
	panic("stub")
}

func (s *Service) UpdateUser(ctx context.Context, call *Call, ref UserRef, p UserPatch, o UpdateOptions) (User, error) {
	panic("stub")
}
func (s *Service) Activate(ctx context.Context, call *Call, ref UserRef) (User, error) { panic("stub") }
func (s *Service) Deactivate(ctx context.Context, call *Call, ref UserRef) (User, error) {
	panic("stub")
}
func (s *Service) DeleteUser(ctx context.Context, call *Call, ref UserRef) (User, error) {
	panic("stub")
}
func (s *Service) RestoreUser(ctx context.Context, call *Call, ref UserRef) (User, error) {
	panic("stub")
}
func (s *Service) PurgeUser(ctx context.Context, call *Call, ref UserRef) error { panic("stub") }

// Lock locks with an optional reason (0: none); an unknown or foreign one is
// not_found lock_reason.not_found. Locked again: the reason is replaced.
func (s *Service) Lock(ctx context.Context, call *Call, ref UserRef, reason int64) (User, error) {
	panic("stub")
}
func (s *Service) Unlock(ctx context.Context, call *Call, ref UserRef) (User, error) { panic("stub") }

// LockStatus is whether a user is locked and why.
type LockStatus struct {
	Locked bool
	Reason LockReason // Number 0 when there is none, or it was deleted
}

func (s *Service) LockStatus(ctx context.Context, call *Call, ref UserRef) (LockStatus, error) {
	panic("stub")
}

// NewPassword is the input of SetPassword.
type NewPassword struct {
	Password  string
	Temporary bool // its owner must replace it
	MinLength int  // the door's own least length
}

func (s *Service) SetPassword(ctx context.Context, call *Call, ref UserRef, p NewPassword) error {
	panic("stub")
}

func (s *Service) AssignLocation(ctx context.Context, call *Call, ref UserRef, location int64) error {
	panic("stub")
}
func (s *Service) UnassignLocation(ctx context.Context, call *Call, ref UserRef, location int64) error {
	panic("stub")
}

// UserLocations returns the user's number and its locations' numbers.
func (s *Service) UserLocations(ctx context.Context, call *Call, ref UserRef) (int64, []int64, error) {
	panic("stub")
}

func (s *Service) LockReasons(ctx context.Context, call *Call, company int64) ([]LockReason, error) {
	panic("stub")
}
func (s *Service) LockReason(ctx context.Context, call *Call, company, number int64) (LockReason, error) {
	panic("stub")
}

// CreateLockReason ignores r.Number unless the call is a system call.
func (s *Service) CreateLockReason(ctx context.Context, call *Call, r LockReason) (LockReason, error) {
	panic("stub")
}
func (s *Service) UpdateLockReason(ctx context.Context, call *Call, r LockReason) (LockReason, error) {
	panic("stub")
}
func (s *Service) DeleteLockReason(ctx context.Context, call *Call, company, number int64) error {
	panic("stub")
}

// Roles lists a company's own roles and those of the tenant.
func (s *Service) Roles(ctx context.Context, call *Call, company int64) ([]Role, error) {
	panic("stub")
}
func (s *Service) Role(ctx context.Context, call *Call, company, number int64) (Role, error) {
	panic("stub")
}
func (s *Service) CreateRole(ctx context.Context, call *Call, r Role) (Role, error) { panic("stub") }
func (s *Service) UserRoles(ctx context.Context, call *Call, ref UserRef) ([]RoleAssignment, error) {
	panic("stub")
}

// AssignRole reports whether it was newly assigned.
func (s *Service) AssignRole(ctx context.Context, call *Call, ref UserRef, role, company int64) (RoleAssignment, bool, error) {
	panic("stub")
}

// UnassignRole removes the role for every company; removing what is not there
// is not_found role.not_found.
func (s *Service) UnassignRole(ctx context.Context, call *Call, ref UserRef, role int64) error {
	panic("stub")
}

// Grant is an OAuth token request.
type Grant struct {
	ClientID     string
	ClientSecret Secret
	UserName     string // user name or e-mail
	Password     Secret
	RefreshToken Secret
}

// TokenPair is an access and a refresh token.
type TokenPair struct {
	Access    string
	Refresh   string
	ExpiresIn time.Duration
}

// PasswordGrant signs a user in. Errors: client.invalid; login.failed (wrong
// name or password, no password), login.locked (Message is the lock reason's
// description), login.inactive, login.outside_dates, login.temporary_password,
// limit.logins.
func (s *Service) PasswordGrant(ctx context.Context, call *Call, g Grant) (TokenPair, error) {
	panic("stub")
}

// RefreshGrant exchanges a refresh token; it and its access token end. Errors:
// client.invalid, grant.invalid.
func (s *Service) RefreshGrant(ctx context.Context, call *Call, g Grant) (TokenPair, error) {
	panic("stub")
}

func (s *Service) SignOutEverywhere(ctx context.Context, call *Call, ref UserRef) error {
	panic("stub")
}

func (s *Service) CreateTenant(ctx context.Context, call *Call, t Tenant) (Tenant, error) {
	panic("stub")
}
func (s *Service) UpdateTenant(ctx context.Context, call *Call, t Tenant) (Tenant, error) {
	panic("stub")
}
func (s *Service) TenantByName(ctx context.Context, call *Call, name string) (Tenant, error) {
	panic("stub")
}
func (s *Service) Tenants(ctx context.Context, call *Call) ([]Tenant, error) { panic("stub") }

// CreateCompany keeps c.Number and c.ID when set and free, and draws them when
// zero. CreateLocation, CreateRole and CreateGroup do the same.
func (s *Service) CreateCompany(ctx context.Context, call *Call, c Company) (Company, error) {
	panic("stub")
}
func (s *Service) Company(ctx context.Context, call *Call, number int64) (Company, error) {
	panic("stub")
}
func (s *Service) CreateLocation(ctx context.Context, call *Call, l Location) (Location, error) {
	panic("stub")
}
func (s *Service) CreateGroup(ctx context.Context, call *Call, g Group) (Group, error) { panic("stub") }
func (s *Service) AddToGroup(ctx context.Context, call *Call, ref UserRef, kind GroupKind, key string) error {
	panic("stub")
}

// SetOwner makes a user the account owner of its tenant.
func (s *Service) SetOwner(ctx context.Context, call *Call, ref UserRef) error { panic("stub") }

func (s *Service) SetPool(ctx context.Context, call *Call, licenceType string, total int64) (Pool, error) {
	panic("stub")
}
func (s *Service) Pools(ctx context.Context, call *Call) ([]Pool, error) { panic("stub") }

// NewCredential is the input of CreateKey and CreateClient. An empty Secret is
// drawn (256 random bits).
type NewCredential struct {
	Name      string
	ClientID  string // clients only; "" is drawn
	Secret    Secret
	Rank      Rank
	Scopes    ScopeSet // 0: AllScopes
	Doors     DoorSet  // 0: AllDoors
	Root      int64
	ExpiresAt time.Time
}

// CreateKey makes an API key and returns its secret, which is shown only here.
func (s *Service) CreateKey(ctx context.Context, call *Call, in NewCredential) (Credential, string, error) {
	panic("stub")
}

// CreateClient makes an OAuth client and returns its secret.
func (s *Service) CreateClient(ctx context.Context, call *Call, in NewCredential) (Credential, string, error) {
	panic("stub")
}
func (s *Service) Credentials(ctx context.Context, call *Call) ([]Credential, error) { panic("stub") }
func (s *Service) RevokeCredential(ctx context.Context, call *Call, id string) error { panic("stub") }

// Events lists a tenant's events after a sequence number.
func (s *Service) Events(ctx context.Context, call *Call, after int64, limit int) ([]Event, error) {
	panic("stub")
}

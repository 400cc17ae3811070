package directory

import "context"

// ListQuery selects a page of companies, locations, roles or lock reasons, by
// number.
type ListQuery struct {
	Limit  int    // 1 to MaxLimit
	Cursor string // Next of the page before
	Name   string // part of the name, folded; "" for all
	// Company keeps what belongs to a company: of companies its children, 0 for
	// roots; of the others what is its own, 0 for the tenant's. Unset takes all.
	Company   Opt[int64]
	WantTotal bool
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Total int64  // with WantTotal
	Next  string // cursor of the next page, "" at the end
}

// CompanyPatch names what to change of a company. The parent is chosen when it is
// made.
type CompanyPatch struct {
	Name     Opt[string]
	Website  Opt[string]
	Metadata Opt[string] // JSON
}

// RolePatch names what to change of a role; its key and company stay.
type RolePatch struct {
	Name        Opt[string]
	Description Opt[string]
	Rank        Opt[Rank]
	Permissions Opt[[]string]
}

// ListCompanies lists companies that the caller can see.
func (s *Service) ListCompanies(ctx context.Context, call *Call, q ListQuery) (Page[Company], error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Page[Company]{}, err
	}
	panic("ListCompanies")
}

// CompanyOf reads the company that a reference names. Errors: company.not_found.
func (s *Service) CompanyOf(ctx context.Context, call *Call, ref CompanyRef) (Company, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Company{}, err
	}
	panic("CompanyOf")
}

// UpdateCompany changes what the patch names. Errors: company.not_found,
// company.name_taken, version.mismatch.
func (s *Service) UpdateCompany(ctx context.Context, call *Call, ref CompanyRef, p CompanyPatch) (Company, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Company{}, err
	}
	panic("UpdateCompany")
}

// DeleteCompany erases a company that has no users (deleted ones count), no
// companies below it, no locations, roles or lock reasons, and is not the
// tenant's default: otherwise company.in_use.
func (s *Service) DeleteCompany(ctx context.Context, call *Call, ref CompanyRef) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	panic("DeleteCompany")
}

// LocationRef names a location by number or id.
type LocationRef struct {
	Number int64
	ID     string
}

// ListLocations lists locations of companies that the caller can see.
func (s *Service) ListLocations(ctx context.Context, call *Call, q ListQuery) (Page[Location], error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Page[Location]{}, err
	}
	panic("ListLocations")
}

// LocationOf reads a location. Errors: location.not_found.
func (s *Service) LocationOf(ctx context.Context, call *Call, ref LocationRef) (Location, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Location{}, err
	}
	panic("LocationOf")
}

// EditLocation changes what the patch names. Errors: location.not_found,
// location.name_taken, version.mismatch.
func (s *Service) EditLocation(ctx context.Context, call *Call, ref LocationRef, p LocationPatch) (Location, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Location{}, err
	}
	panic("EditLocation")
}

// DeleteLocation erases a location to which nobody is assigned: otherwise
// location.in_use.
func (s *Service) DeleteLocation(ctx context.Context, call *Call, ref LocationRef) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	panic("DeleteLocation")
}

// ListRoles lists roles of the tenant and of companies that the caller can see.
func (s *Service) ListRoles(ctx context.Context, call *Call, q ListQuery) (Page[Role], error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Page[Role]{}, err
	}
	panic("ListRoles")
}

// RoleByNumber reads a role. Errors: role.not_found.
func (s *Service) RoleByNumber(ctx context.Context, call *Call, number int64) (Role, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Role{}, err
	}
	panic("RoleByNumber")
}

// EditRole changes what the patch names. The rank of a role that somebody holds
// cannot change: role.held. Nobody gives a role a rank above its own. Errors:
// role.not_found, version.mismatch.
func (s *Service) EditRole(ctx context.Context, call *Call, number int64, p RolePatch) (Role, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Role{}, err
	}
	panic("EditRole")
}

// EraseRole erases a role that nobody holds: otherwise role.held.
func (s *Service) EraseRole(ctx context.Context, call *Call, number int64) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	panic("EraseRole")
}

// ListRoleMembers lists the living holders of a role that the caller can see,
// by number.
func (s *Service) ListRoleMembers(ctx context.Context, call *Call, number int64, limit int, cursor string) (MemberPage, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return MemberPage{}, err
	}
	panic("ListRoleMembers")
}

// ListLockReasons lists lock reasons of companies that the caller can see.
func (s *Service) ListLockReasons(ctx context.Context, call *Call, q ListQuery) (Page[LockReason], error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Page[LockReason]{}, err
	}
	panic("ListLockReasons")
}

// LockReasonByNumber reads a lock reason. Errors: lock_reason.not_found.
func (s *Service) LockReasonByNumber(ctx context.Context, call *Call, number int64) (LockReason, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return LockReason{}, err
	}
	panic("LockReasonByNumber")
}

// Pool reads a licence pool. Errors: licence_pool.not_found.
func (s *Service) Pool(ctx context.Context, call *Call, licenceType string) (Pool, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Pool{}, err
	}
	panic("Pool")
}

// Credential reads a credential without its hash. Errors: credential.not_found.
func (s *Service) Credential(ctx context.Context, call *Call, id string) (Credential, error) {
	if err := s.enter(ctx, call, ActCredentials); err != nil {
		return Credential{}, err
	}
	panic("Credential")
}

// OwnTenant reads the caller's tenant. Hosts and settings are shown to
// administrators only: others get them empty.
func (s *Service) OwnTenant(ctx context.Context, call *Call) (Tenant, error) {
	if err := s.enter(ctx, call, ActAdmit); err != nil {
		return Tenant{}, err
	}
	panic("OwnTenant")
}

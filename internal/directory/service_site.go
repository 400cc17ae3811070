package directory

import "context"

// CompanyRef names a company by exactly one of number, id and name.
type CompanyRef struct {
	Number int64
	ID     string
	Name   string
}

// CompanyDetail is a company with its own locations, by number, and the
// account owner.
type CompanyDetail struct {
	Company   Company
	Locations []Location
	Owner     UserSummary // zero while there is none
}

// CompanyDetail reads a company with its locations. Errors: company.not_found.
func (s *Service) CompanyDetail(ctx context.Context, call *Call, ref CompanyRef) (CompanyDetail, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return CompanyDetail{}, err
	}
	panic("CompanyDetail")
}

// CreateSite makes a company below the tenant's default company together with
// its locations; without any, one named "headquarters" is made that is the
// headquarters (docs/dialects/smartapp.md 6). Errors as for CreateCompany and
// CreateLocation.
func (s *Service) CreateSite(ctx context.Context, call *Call, c Company, locations []Location) (CompanyDetail, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return CompanyDetail{}, err
	}
	panic("CreateSite")
}

// LocationDetail is a location with its company and the account owner.
type LocationDetail struct {
	Location Location
	Company  Company
	Owner    UserSummary // zero while there is none
}

// LocationByID reads a location. Errors: location.not_found.
func (s *Service) LocationByID(ctx context.Context, call *Call, id string) (LocationDetail, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return LocationDetail{}, err
	}
	panic("LocationByID")
}

// AddLocation makes a location of the company that ref names. One that is the
// headquarters takes that from every other location of the company. Errors:
// company.not_found on the company field, location.name_taken.
func (s *Service) AddLocation(ctx context.Context, call *Call, ref CompanyRef, in Location) (LocationDetail, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return LocationDetail{}, err
	}
	panic("AddLocation")
}

// LocationPatch names what to change of a location.
type LocationPatch struct {
	Name         Opt[string]
	Headquarters Opt[bool]
	Address      func(*Address) // edits the address; nil leaves it
	Phone        Opt[string]
	Fax          Opt[string]
}

// UpdateLocation changes what the patch names of the location with an id.
// Errors: location.not_found, location.name_taken.
func (s *Service) UpdateLocation(ctx context.Context, call *Call, id string, p LocationPatch) (LocationDetail, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return LocationDetail{}, err
	}
	panic("UpdateLocation")
}

// UserEntity reads the tenant of a user whom the caller can see. Errors as for
// User.
func (s *Service) UserEntity(ctx context.Context, call *Call, ref UserRef) (Tenant, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return Tenant{}, err
	}
	panic("UserEntity")
}

// Entity reads the caller's tenant.
func (s *Service) Entity(ctx context.Context, call *Call) (Tenant, error) {
	if err := s.enter(ctx, call, ActReadEntity); err != nil {
		return Tenant{}, err
	}
	panic("Entity")
}

// SetEntity replaces what the doors keep of the tenant itself, a JSON object of
// at most 64 KiB. Through a user, who must exist, if ref is set.
func (s *Service) SetEntity(ctx context.Context, call *Call, ref Opt[UserRef], entity string) (Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Tenant{}, err
	}
	panic("SetEntity")
}

package directory

import "context"

// RoleByKey reads a role of the tenant itself. Errors: role.not_found.
func (s *Service) RoleByKey(ctx context.Context, call *Call, key string) (Role, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Role{}, err
	}
	panic("RoleByKey")
}

// PutRole makes the tenant's role of a key, of the rank self, or replaces
// name, description, permissions and extras of the one that has it; made says
// which.
func (s *Service) PutRole(ctx context.Context, call *Call, in Role) (role Role, made bool, err error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Role{}, false, err
	}
	panic("PutRole")
}

// DeleteRole erases a role of the tenant itself and takes it from its holders.
// Errors: role.not_found; role.held when more than 500 users hold it;
// rank.too_low.
func (s *Service) DeleteRole(ctx context.Context, call *Call, key string) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	panic("DeleteRole")
}

// SetUserRoles makes the roles of these keys the only ones of the tenant itself
// that a user has. Errors: user.not_found; role.not_found on the roles field;
// rank.too_low.
func (s *Service) SetUserRoles(ctx context.Context, call *Call, ref UserRef, keys []string) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	panic("SetUserRoles")
}

// GiveRole gives a user the tenant's role of a key, and TakeRole takes it.
// Neither minds a repeat. Errors: user.not_found, role.not_found, rank.too_low.
func (s *Service) GiveRole(ctx context.Context, call *Call, ref UserRef, key string) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	panic("GiveRole")
}

// TakeRole takes the tenant's role of a key from a user.
func (s *Service) TakeRole(ctx context.Context, call *Call, ref UserRef, key string) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	panic("TakeRole")
}

// RoleMembers lists the users that hold the tenant's role of a key, by number,
// at most MaxLimit.
func (s *Service) RoleMembers(ctx context.Context, call *Call, key string) ([]User, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return nil, err
	}
	panic("RoleMembers")
}

// SetRoleMembers makes exactly these users the holders of the tenant's role of
// a key, at most 500 changes at a time. Errors: role.not_found; user.not_found,
// which names the first unknown user; rank.too_low.
func (s *Service) SetRoleMembers(ctx context.Context, call *Call, key string, members []UserRef) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	panic("SetRoleMembers")
}

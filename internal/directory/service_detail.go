package directory

import "context"

// UserDetail reads a user with what belongs to it, in one snapshot. Errors as
// for User.
func (s *Service) UserDetail(ctx context.Context, call *Call, ref UserRef, with Include) (UserDetail, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return UserDetail{}, err
	}
	panic("UserDetail")
}

// UserDetails lists one page of users with what belongs to them, in one
// snapshot. Errors as for Users.
func (s *Service) UserDetails(ctx context.Context, call *Call, q UserQuery, with Include) (DetailPage, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return DetailPage{}, err
	}
	panic("UserDetails")
}

package directory

import "context"

// PutUser makes the user of an exact user name, or replaces the fields that
// in.Fields sets of the one who has it; made says which. Of an existing user
// the patch's password is used, of a new one in.Password. A user name that
// differs only in case is user.user_name_taken. Errors as for CreateUser and
// UpdateUser.
func (s *Service) PutUser(ctx context.Context, call *Call, name string, in NewUser, o UpdateOptions) (u User, made bool, err error) {
	if err := s.enter(ctx, call, ActCreateUser); err != nil {
		return User{}, false, err
	}
	panic("PutUser")
}

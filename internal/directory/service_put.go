package directory

import "context"

// PutUser makes the user of an exact user name, or replaces the fields that
// in.Fields sets of the one who has it; made says which. Of an existing user
// the patch's password is used, of a new one in.Password. A user name that
// differs only in case is user.user_name_taken. Errors as for CreateUser and
// UpdateUser. An ordinary user replaces what it may of its own record.
func (s *Service) PutUser(ctx context.Context, call *Call, name string, in NewUser, o UpdateOptions) (u User, made bool, err error) {
	if err := s.enter(ctx, call, ActUpdateUser); err != nil {
		return User{}, false, err
	}
	in.Fields.UserName = Some(name)
	fresh := in
	fresh.Fields.Password = Opt[string]{}
	// Somebody may make, delete or rename the user meanwhile: then the other way
	// is right, once.
	for again := true; ; again = false {
		u, err = s.updateUser(ctx, call, ByExactUserName(name), in.Fields, o)
		if !IsReason(err, ReasonUserNotFound) && !IsReason(err, ReasonSelfOnly) {
			return u, false, err
		}
		known, unfit := s.holdsName(ctx, call, name)
		if unfit != nil {
			return User{}, false, unfit
		}
		if !known {
			if err = call.permit(ActCreateUser); err == nil {
				u, err = s.createUser(ctx, call, fresh)
			}
			if !IsReason(err, ReasonUserNameTaken) {
				return u, err == nil, err
			}
		}
		if !again {
			return User{}, false, err
		}
	}
}

// holdsName reports whether somebody has exactly this user name. One that
// differs in case is taken.
func (s *Service) holdsName(ctx context.Context, call *Call, name string) (bool, error) {
	var u User
	err := s.look(ctx, call, func(r Reader) (err error) {
		u, err = s.find(ctx, r, call, ByUserName(name))
		return err
	})
	switch {
	case CodeOf(err) == CodeNotFound:
		return false, nil
	case err != nil:
		return false, err
	case u.UserName != name:
		return false, takenReason(SpaceLogin, HandleUserName)
	}
	return true, nil
}

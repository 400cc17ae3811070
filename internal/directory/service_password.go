package directory

import "context"

// NewPassword is the input of SetPassword.
type NewPassword struct {
	Password  string
	Temporary bool // its owner must replace it
	MinLength int  // the door's own least length, on top of the policy
}

// SetPassword sets another user's password, which ends the user's sessions.
// Errors: user.not_found before any of the password reasons (docs/dialects/iqmetrix.md
// 5.24), forbidden.
func (s *Service) SetPassword(ctx context.Context, call *Call, ref UserRef, p NewPassword) error {
	if err := s.enter(ctx, call, ActSetPassword); err != nil {
		return err
	}
	var target User
	err := s.store.View(ctx, func(r Reader) (err error) {
		target, err = s.find(ctx, r, call, ref)
		return err
	})
	if err == nil {
		err = call.Actor.mayTouch(ActSetPassword, &target)
	}
	if err == nil {
		err = CheckPassword(call.Settings.Password, &target, p.Password, p.MinLength)
	}
	if err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, p.Password, call.Actor.Rank >= RankAdministrator)
	if err != nil {
		return err
	}
	return s.keepPassword(ctx, call, ActSetPassword, ByNumber(target.Number), hash, p.Temporary)
}

// keepPassword writes a hash and ends what was signed in with the old one.
func (s *Service) keepPassword(ctx context.Context, call *Call, action Action, ref UserRef, hash string, temporary bool) error {
	_, err := s.change(ctx, call, action, ref, func(_ Tx, u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		e.event = EventPasswordSet
		s.exchangePassword(ctx, u, e, hash, temporary)
		return nil
	})
	return err
}

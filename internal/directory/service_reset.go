package directory

import "context"

// GeneratePassword sets a temporary password that nobody knows but the person
// to whom it is mailed. Errors: user.not_found; user.no_email.
func (s *Service) GeneratePassword(ctx context.Context, call *Call, ref UserRef) error {
	if err := s.enter(ctx, call, ActReset); err != nil {
		return err
	}
	target, _, err := s.passwordTarget(ctx, call, ref)
	if err != nil {
		return err
	}
	if _, err := mailTo(call, MailPassword, &target); err != nil {
		return err
	}
	if s.opts.Sealer == nil {
		return errNoSecretKey()
	}
	password, err := generatePassword(call.Settings.Password, &target)
	if err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, password, call.Actor.Rank >= RankAdministrator)
	if err != nil {
		return err
	}
	job := s.opts.NewID()
	_, err = s.change(ctx, call, ActReset, ByNumber(target.Number), func(tx Tx, u *User, e *edit) error {
		if err := resettable(call, u); err != nil {
			return err
		}
		m, err := mailTo(call, MailPassword, u)
		if err != nil {
			return err
		}
		m.Password = password
		e.event = EventPasswordSet
		s.exchangePassword(ctx, u, e, hash, true)
		keep := e.after
		e.after = func(tx Tx) error {
			if err := keep(tx); err != nil {
				return err
			}
			return s.enqueueMail(ctx, tx, m, u, job)
		}
		return nil
	})
	return err
}

// passwordTarget finds a user whose password the caller may set, and says as
// what: another's, or its own.
func (s *Service) passwordTarget(ctx context.Context, call *Call, ref UserRef) (User, Action, error) {
	var target User
	err := s.store.View(ctx, func(r Reader) (err error) {
		target, err = s.find(ctx, r, call, ref)
		return err
	})
	action := ActSetPassword
	if target.Number == call.Actor.User {
		action = ActReplaceOwnPassword
	}
	if err == nil {
		err = call.Actor.mayTouch(action, &target)
	}
	return target, action, err
}

// resettable decides for the locked row what passwordTarget decided before.
func resettable(call *Call, u *User) error {
	if err := living(u); err != nil {
		return err
	}
	return call.Actor.mayTouch(ActSetPassword, u)
}

// generatePassword draws a password that the tenant's policy takes for a user:
// the name of a person may turn up in random letters.
func generatePassword(policy PasswordPolicy, u *User) (string, error) {
	for try := 1; ; try++ {
		password := newPassword(policy)
		err := CheckPassword(policy, u, password, 0)
		if err == nil || try == 16 {
			return password, err
		}
	}
}

// MailReset mails a link to set a new password; the old one stays good until
// then. Errors as for GeneratePassword.
func (s *Service) MailReset(ctx context.Context, call *Call, ref UserRef) error {
	if err := s.enter(ctx, call, ActReset); err != nil {
		return err
	}
	job := s.opts.NewID()
	err := s.store.Update(ctx, func(tx Tx) error {
		u, err := s.lockTarget(ctx, tx, call, ActReset, ref)
		if err != nil {
			return err
		}
		if err := living(&u); err != nil {
			return err
		}
		m, err := mailTo(call, MailReset, &u)
		if err != nil {
			return err
		}
		reset, err := s.newReset(ctx, tx, call, &u, "")
		if err != nil {
			return err
		}
		m.Link, m.Expires = s.resetLink(reset.Token), reset.ExpiresAt
		return s.enqueueMail(ctx, tx, m, &u, job)
	})
	call.Changed = err == nil
	s.jobsAdded(call, err)
	return err
}

// ResetOf tells whose password a reset token sets, for the page that asks for
// it. Errors: reset.invalid, limit.logins.
func (s *Service) ResetOf(ctx context.Context, call *Call, token Secret) (User, error) {
	user, err := s.enterReset(ctx, call, token)
	if err != nil {
		return User{}, err
	}
	return user, nil
}

// SpendReset sets a new password by a reset token, which ends with every
// session of the user. Errors: reset.invalid, limit.logins, the password
// reasons, which leave the token as it is.
func (s *Service) SpendReset(ctx context.Context, call *Call, token, password Secret) error {
	user, err := s.enterReset(ctx, call, token)
	if err != nil {
		return err
	}
	if err := CheckPassword(call.Settings.Password, &user, string(password), 0); err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, string(password), user.Rank >= RankAdministrator)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, call, ActReplaceOwnPassword, ByNumber(user.Number), func(tx Tx, u *User, e *edit) error {
		if u.AuthEpoch != user.AuthEpoch || !u.Usable(s.now()) {
			return errReset()
		}
		spent, err := tx.DeleteToken(ctx, hashOf(string(token)))
		if err != nil || !spent {
			return orError(err, errReset())
		}
		e.event = EventPasswordSet
		s.exchangePassword(ctx, u, e, hash, false)
		return nil
	})
	return err
}

// ChangePassword sets the caller's own password, or another user's where the
// caller may set passwords; it ends the user's sessions. An impersonator may
// not. Errors as for SetPassword.
func (s *Service) ChangePassword(ctx context.Context, call *Call, ref UserRef, p NewPassword) error {
	if err := s.enter(ctx, call, ActReplaceOwnPassword); err != nil {
		return err
	}
	// Who may set nobody else's password sees no one else either.
	others := *call
	refusal := others.permit(ActSetPassword)
	call.Actor.selfOnly = refusal != nil
	if refusal != nil && call.Actor.User == 0 {
		return refusal
	}
	target, action, err := s.passwordTarget(ctx, call, ref)
	if err != nil {
		return err
	}
	p.Temporary = p.Temporary && action == ActSetPassword
	if err := CheckPassword(call.Settings.Password, &target, p.Password, p.MinLength); err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, p.Password, call.Actor.Rank >= RankAdministrator)
	if err != nil {
		return err
	}
	return s.keepPassword(ctx, call, action, ByNumber(target.Number), hash, p.Temporary)
}

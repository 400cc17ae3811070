package directory

import (
	"context"
	"errors"
	"time"
)

// OpenConsoleSession begins a sign-in at the console with a name and a password. The
// tenant is found as for SignIn. Where more is to be proved, the result has the next
// step and a challenge for it, and no session until all is: who has a second factor is
// asked for a code of it, who has a temporary password for a new one, who must have a
// second factor and has none sets it up. Errors as for PasswordGrant without the
// client's; secret_key.missing where a second factor is to be set up.
func (s *Service) OpenConsoleSession(ctx context.Context, call *Call, name string, password Secret) (ConsoleSignIn, error) {
	if err := s.enterByHost(ctx, call); err != nil {
		return ConsoleSignIn{}, err
	}
	user, stored, err := s.verifyLogin(ctx, call, name, string(password))
	if err != nil {
		return ConsoleSignIn{}, err
	}
	if err := s.keepRehash(ctx, &user, stored.Hash); err != nil {
		return ConsoleSignIn{}, err
	}
	return s.signInFurther(ctx, call, &user, false)
}

// keepRehash writes the hash of a password that was right, if it is a new one. What
// else a sign-in notes is noted once all is proved: wrong codes count on until then.
func (s *Service) keepRehash(ctx context.Context, user *User, hash string) error {
	return s.store.Update(ctx, func(tx Tx) error {
		u, err := tx.LockUser(ctx, user.Tenant, user.Number)
		if err != nil || u.AuthEpoch != user.AuthEpoch {
			return orError(err, errLogin())
		}
		p, err := tx.Password(ctx, u.Tenant, u.Number)
		if err != nil || p.Hash == hash {
			return orError(err, nil)
		}
		p.Hash = hash
		return tx.SetPassword(ctx, u.Tenant, p)
	})
}

// AnswerSecondFactor goes on with a sign-in by a code of the authenticator app, which
// is good once, or by a recovery code. Errors: sign_in.expired;
// second_factor.wrong_code; limit.logins; login.locked and the others of a person who
// may not sign in.
func (s *Service) AnswerSecondFactor(ctx context.Context, call *Call, challenge, code Secret) (ConsoleSignIn, error) {
	user, _, err := s.enterChallenge(ctx, call, challenge, StepCode)
	if err != nil {
		return ConsoleSignIn{}, err
	}
	if err := s.spendCode(ctx, call, &user, string(code)); err != nil {
		return ConsoleSignIn{}, err
	}
	return s.signInFurther(ctx, call, &user, true)
}

// ReplaceTemporaryPassword goes on with a sign-in by a new password in the place of a
// temporary one. Errors: sign_in.expired; the password reasons.
func (s *Service) ReplaceTemporaryPassword(ctx context.Context, call *Call, challenge, password Secret) (ConsoleSignIn, error) {
	user, proved, err := s.enterChallenge(ctx, call, challenge, StepPassword)
	if err != nil {
		return ConsoleSignIn{}, err
	}
	if err := CheckPassword(call.Settings.Password, &user, string(password), 0); err != nil {
		return ConsoleSignIn{}, err
	}
	hash, err := s.hasher.Hash(ctx, string(password), user.Rank >= RankAdministrator)
	if err != nil {
		return ConsoleSignIn{}, err
	}
	call.Actor = Actor{Tenant: user.Tenant, User: user.Number, Name: personOf(&user).Name, Scopes: ScopePasswords}
	changed, err := s.change(ctx, call, ActReplaceOwnPassword, ByNumber(user.Number), func(_ Tx, u *User, e *edit) error {
		if u.AuthEpoch != user.AuthEpoch || !u.MustChangePassword || !u.Usable(s.now()) {
			return errChallenge()
		}
		e.event = EventPasswordSet
		s.exchangePassword(ctx, u, e, hash, false)
		return nil
	})
	if err != nil {
		return ConsoleSignIn{}, err
	}
	return s.signInFurther(ctx, call, &changed, proved.Factor)
}

// FinishEnrolment goes on with a sign-in by a first code of the app that has the seed
// of ConsoleSignIn.Enrolment, which sealed is of. The result has the recovery codes. When the code is not right, again is the
// enrolment as it was. Errors: sign_in.expired; second_factor.wrong_code;
// second_factor.enrolment; limit.logins.
func (s *Service) FinishEnrolment(ctx context.Context, call *Call, challenge, sealed, code Secret) (in ConsoleSignIn, again Enrolment, err error) {
	user, _, err := s.enterChallenge(ctx, call, challenge, StepEnrol)
	if err != nil {
		return ConsoleSignIn{}, Enrolment{}, err
	}
	stranger := call.Actor
	call.Actor = personOf(&user)
	codes, again, err := s.confirmFactor(ctx, call, &user, sealed, string(code))
	if err != nil {
		call.Actor = stranger
		return ConsoleSignIn{}, again, err
	}
	in, err = s.signInFurther(ctx, call, &user, true)
	in.RecoveryCodes = codes
	return in, Enrolment{}, err
}

// enterChallenge is enter for the next step of a sign-in: it verifies the challenge
// and that the person may still sign in, and that this is the step.
func (s *Service) enterChallenge(ctx context.Context, call *Call, text Secret, step SignInStep) (User, challenge, error) {
	c, err := s.openChallenge(text)
	if err != nil {
		s.countStranger(call)
		return User{}, challenge{}, err
	}
	var tenant Tenant
	var user User
	var lock LockStatus
	err = s.store.View(ctx, func(r Reader) (err error) {
		if tenant, err = r.Tenant(ctx, c.Tenant); err != nil {
			return err
		}
		if user, err = r.UserByNumber(ctx, c.Tenant, c.User); err != nil {
			return err
		}
		lock, err = lockStatus(ctx, r, &user)
		return err
	})
	if err != nil {
		return User{}, challenge{}, orError(err, errChallenge())
	}
	if tenant.Disabled || !tenant.Doors.Has(call.Door) || user.AuthEpoch != c.Epoch {
		return User{}, challenge{}, errChallenge()
	}
	call.Actor = Actor{Tenant: tenant.No}
	if err := s.count(ctx, call, tenant.Version); err != nil {
		return User{}, challenge{}, err
	}
	if err := mayLogIn(&user, lock, s.now()); err != nil {
		return User{}, challenge{}, err
	}
	next, err := s.stepOf(ctx, call.Settings, &user, c.Factor)
	if err == nil && next != step {
		err = errChallenge()
	}
	return user, c, err
}

// stepOf is what a sign-in still needs, once the password was right.
func (s *Service) stepOf(ctx context.Context, settings *Settings, u *User, proved bool) (SignInStep, error) {
	has := proved
	if !proved {
		err := s.store.Read(ctx, func(r Reader) error {
			_, err := r.SecondFactor(ctx, u.Tenant, u.Number)
			return err
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return "", err
		}
		has = err == nil
	}
	switch {
	case has && !proved:
		return StepCode, nil
	case u.MustChangePassword:
		return StepPassword, nil
	case !has && settings.factorRequired(u.Rank):
		return StepEnrol, nil
	}
	return StepDone, nil
}

// signInFurther answers a step that succeeded: with the next one, or with a session.
func (s *Service) signInFurther(ctx context.Context, call *Call, u *User, proved bool) (ConsoleSignIn, error) {
	step, err := s.stepOf(ctx, call.Settings, u, proved)
	if err != nil {
		return ConsoleSignIn{}, err
	}
	if step == StepDone {
		return s.signInDone(ctx, call, u)
	}
	until := s.now().Add(ChallengeLifetime)
	if step == StepEnrol {
		until = s.now().Add(EnrolmentLifetime)
	}
	text, err := s.sealChallenge(challenge{Tenant: u.Tenant, User: u.Number, Epoch: u.AuthEpoch, Expires: until.UnixMicro(), Factor: proved})
	if err != nil {
		return ConsoleSignIn{}, err
	}
	in := ConsoleSignIn{Step: step, Challenge: text, ExpiresAt: until, User: *u}
	if step == StepEnrol {
		in.Enrolment, err = s.newEnrolment(call, u)
	}
	return in, err
}

// signInDone opens the session of a person who has proved everything.
func (s *Service) signInDone(ctx context.Context, call *Call, u *User) (ConsoleSignIn, error) {
	text, token, err := s.newConsoleToken(u, call.Settings)
	if err != nil {
		return ConsoleSignIn{}, err
	}
	call.Actor = personOf(u)
	err = s.store.Update(ctx, func(tx Tx) error {
		current, err := tx.LockUser(ctx, u.Tenant, u.Number)
		if err != nil || current.AuthEpoch != u.AuthEpoch || current.MustChangePassword || !current.Usable(s.now()) {
			return orError(err, errLogin())
		}
		if err := tx.DeleteExpiredTokens(ctx, u.Tenant, u.Number, s.now().UnixMicro()); err != nil {
			return err
		}
		if err := tx.InsertToken(ctx, token); err != nil {
			return err
		}
		if err := s.noteSignIn(ctx, tx, u); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventSignedIn, onUser(u), "session:"+token.Session, &changes{})
	})
	if err != nil {
		return ConsoleSignIn{}, err
	}
	call.Changed = true
	return ConsoleSignIn{Step: StepDone, Token: text, ExpiresAt: token.ExpiresAt, User: *u}, nil
}

// noteSignIn notes a sign-in beside the password, and that wrong ones start anew.
func (s *Service) noteSignIn(ctx context.Context, tx Tx, u *User) error {
	p, err := tx.Password(ctx, u.Tenant, u.Number)
	if err != nil {
		return orError(err, errLogin())
	}
	p.Failures, p.LastLogin = 0, s.now()
	return tx.SetPassword(ctx, u.Tenant, p)
}

// ChangeOwnPassword exchanges the caller's own password, after the old one was asked
// for again, and opens a new console session in the place of all that were open.
// Errors: password.wrong on old_password; the password reasons; forbidden to callers
// who are no person.
func (s *Service) ChangeOwnPassword(ctx context.Context, call *Call, old, password Secret) (ConsoleSignIn, error) {
	user, err := s.enterPerson(ctx, call, ActReplaceOwnPassword)
	if err != nil {
		return ConsoleSignIn{}, err
	}
	if err := s.provePassword(ctx, call, &user, old, "old_password"); err != nil {
		return ConsoleSignIn{}, err
	}
	if err := CheckPassword(call.Settings.Password, &user, string(password), 0); err != nil {
		return ConsoleSignIn{}, err
	}
	hash, err := s.hasher.Hash(ctx, string(password), user.Rank >= RankAdministrator)
	if err != nil {
		return ConsoleSignIn{}, err
	}
	text, token, err := s.newConsoleToken(&user, call.Settings)
	if err != nil {
		return ConsoleSignIn{}, err
	}
	if call.console != nil { // the new session is the old one under another name
		token.CreatedAt = call.console.CreatedAt
		token.ExpiresAt = call.Settings.consoleEnd(token.CreatedAt, s.now())
	}
	changed, err := s.change(ctx, call, ActReplaceOwnPassword, ByNumber(user.Number), func(_ Tx, u *User, e *edit) error {
		if u.AuthEpoch != user.AuthEpoch || !u.Usable(s.now()) {
			return errCredential()
		}
		e.event = EventPasswordSet
		s.exchangePassword(ctx, u, e, hash, false)
		keep := e.after
		e.after = func(tx Tx) error {
			if err := keep(tx); err != nil {
				return err
			}
			next := token
			next.Epoch = u.AuthEpoch
			return tx.InsertToken(ctx, next)
		}
		return nil
	})
	if err != nil {
		return ConsoleSignIn{}, err
	}
	return ConsoleSignIn{Step: StepDone, Token: text, ExpiresAt: token.ExpiresAt, User: changed}, nil
}

// enterPerson is enter for what only a person who has signed in may do to itself.
func (s *Service) enterPerson(ctx context.Context, call *Call, action Action) (User, error) {
	if err := s.enter(ctx, call, action); err != nil {
		return User{}, err
	}
	if call.Actor.User == 0 || call.Actor.through != "" {
		return User{}, errNoPerson()
	}
	var u User
	err := s.store.Read(ctx, func(r Reader) (err error) {
		u, err = r.UserByNumber(ctx, call.Actor.Tenant, call.Actor.User)
		return err
	})
	if err != nil {
		return User{}, orError(err, errCredential())
	}
	return u, nil
}

// provePassword asks a person who has signed in for the password again. A wrong one
// counts as in signing in. Errors: password.wrong on the field; limit.logins.
func (s *Service) provePassword(ctx context.Context, call *Call, u *User, password Secret, field string) error {
	key, err := FoldKey(SpaceLogin, u.UserName)
	if err != nil {
		key = "user:" + u.ID
	}
	if retry, ok := s.logins.Allow(u.Tenant, key, call.Addr); !ok {
		return TooManyLogins(retry)
	}
	var p Password
	err = s.store.Read(ctx, func(r Reader) (err error) {
		p, err = r.Password(ctx, u.Tenant, u.Number)
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	wrong := Invalid(field, ReasonPasswordWrong, "This is not your password.")
	if err != nil || p.Hash == "" {
		return wrong
	}
	ok, _, err := s.hasher.Verify(ctx, string(password), p.Hash, u.Rank >= RankAdministrator)
	if err != nil || ok {
		return err
	}
	if err := s.countFailure(ctx, call, u); err != nil {
		return err
	}
	return wrong
}

// EndImpersonation ends acting as another before its hour is over. Errors:
// session.not_found to callers who act as themselves.
func (s *Service) EndImpersonation(ctx context.Context, call *Call) error {
	if err := s.enter(ctx, call, ActAdmit); err != nil {
		return err
	}
	if !call.Actor.acted {
		return errNoSession()
	}
	err := s.store.Update(ctx, func(tx Tx) error {
		there, err := tx.DeleteImpersonation(ctx, call.Actor.Tenant, call.Actor.leave)
		if err != nil || !there {
			return orError(err, errCredential())
		}
		u, err := tx.UserByNumber(ctx, call.Actor.Tenant, call.Actor.User)
		if err != nil {
			return orError(err, errCredential())
		}
		return s.record(ctx, tx, call, EventImpersonationEnded, onUser(&u), "token:"+call.Actor.leave, &changes{})
	})
	call.Changed = err == nil
	return err
}

// Account is what a person may know of the own account.
type Account struct {
	User          User
	Sessions      []UserSession // those that are valid now, the newest first
	SecondFactor  SecondFactorStatus
	HasPassword   bool
	PasswordSetAt time.Time
	LastLogin     time.Time // zero: never
}

// OwnAccount reads the account of the person who calls. Errors: forbidden to callers
// who are no person.
func (s *Service) OwnAccount(ctx context.Context, call *Call) (Account, error) {
	if err := s.enter(ctx, call, ActAdmit); err != nil {
		return Account{}, err
	}
	if call.Actor.User == 0 || call.Actor.through != "" {
		return Account{}, errNoPerson()
	}
	var a Account
	err := s.store.View(ctx, func(r Reader) (err error) {
		if a.User, err = r.UserByNumber(ctx, call.Actor.Tenant, call.Actor.User); err != nil {
			return orError(err, errCredential())
		}
		if a.SecondFactor, err = factorStatus(ctx, r, call.Settings, &a.User); err != nil {
			return err
		}
		tokens, err := r.UserTokens(ctx, a.User.Tenant, a.User.Number, s.now())
		if err != nil {
			return err
		}
		a.Sessions = call.sessionsOf(&a.User, tokens)
		p, err := r.Password(ctx, a.User.Tenant, a.User.Number)
		if err != nil {
			return orError(err, nil)
		}
		a.HasPassword, a.PasswordSetAt, a.LastLogin = p.Hash != "", p.SetAt, p.LastLogin
		return nil
	})
	return a, err
}

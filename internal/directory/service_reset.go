package directory

import "context"

// GeneratePassword sets a temporary password that nobody knows but the person
// to whom it is mailed. Errors: user.not_found; user.no_email.
func (s *Service) GeneratePassword(ctx context.Context, call *Call, ref UserRef) error {
	if err := s.enter(ctx, call, ActReset); err != nil {
		return err
	}
	panic("GeneratePassword")
}

// MailReset mails a link to set a new password; the old one stays good until
// then. Errors as for GeneratePassword.
func (s *Service) MailReset(ctx context.Context, call *Call, ref UserRef) error {
	if err := s.enter(ctx, call, ActReset); err != nil {
		return err
	}
	panic("MailReset")
}

// ResetOf tells whose password a reset token sets, for the page that asks for
// it. Errors: reset.invalid.
func (s *Service) ResetOf(ctx context.Context, call *Call, token Secret) (User, error) {
	return s.enterReset(ctx, call, token)
}

// SpendReset sets a new password by a reset token, which ends with every
// session of the user. Errors: reset.invalid, the password reasons.
func (s *Service) SpendReset(ctx context.Context, call *Call, token, password Secret) error {
	if _, err := s.enterReset(ctx, call, token); err != nil {
		return err
	}
	panic("SpendReset")
}

// ChangePassword sets the caller's own password, or another user's where the
// caller may set passwords; it ends the user's sessions. An impersonator may
// not. Errors as for SetPassword.
func (s *Service) ChangePassword(ctx context.Context, call *Call, ref UserRef, p NewPassword) error {
	if err := s.enter(ctx, call, ActReplaceOwnPassword); err != nil {
		return err
	}
	panic("ChangePassword")
}

func (s *Service) enterReset(ctx context.Context, call *Call, token Secret) (User, error) {
	panic("enterReset")
}

func (s *Service) enterByHost(ctx context.Context, call *Call) error { panic("enterByHost") }

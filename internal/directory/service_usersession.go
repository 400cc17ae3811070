package directory

import (
	"context"
	"time"
)

// UserSession is one sign-in of a user that has not ended: its tokens share the
// session's id.
type UserSession struct {
	ID        string // UUID
	Door      Door
	Client    string // id of the credential through which it was opened; "" for none
	CreatedAt time.Time
	ExpiresAt time.Time // of the token that lives longest
}

// Identity is who asks.
type Identity struct {
	Actor      Actor
	Tenant     Tenant
	Person     Opt[User]
	Credential Opt[Credential] // of a key, without its hash
}

// WhoAmI tells a caller who it is: the person, or the credential. Everybody may.
func (s *Service) WhoAmI(ctx context.Context, call *Call) (Identity, error) {
	if err := s.enter(ctx, call, ActAdmit); err != nil {
		return Identity{}, err
	}
	panic("WhoAmI")
}

// Sessions lists a user's sign-ins that are valid now, the newest first. Errors:
// user.not_found.
func (s *Service) Sessions(ctx context.Context, call *Call, ref UserRef) ([]UserSession, error) {
	if err := s.enter(ctx, call, ActSignOut); err != nil {
		return nil, err
	}
	panic("Sessions")
}

// EndSession ends one sign-in of a user. One that is gone is
// session.not_found.
func (s *Service) EndSession(ctx context.Context, call *Call, ref UserRef, id string) error {
	if err := s.enter(ctx, call, ActSignOut); err != nil {
		return err
	}
	panic("EndSession")
}

// EndOwnSession ends the sign-in whose token the call presents; a caller that
// came with a key or a signed token has none: session.not_found.
func (s *Service) EndOwnSession(ctx context.Context, call *Call) error {
	if err := s.enter(ctx, call, ActSession); err != nil {
		return err
	}
	panic("EndOwnSession")
}

// SignedIn is a person who has signed in at the canonical door.
type SignedIn struct {
	Token     string // shown only here
	ExpiresAt time.Time
	User      User
}

// OpenUserSession signs a person in with name and password and returns a token for
// the canonical and scim doors. The tenant is found as for SignIn. Errors as for
// PasswordGrant without the client's, and login.temporary_password.
func (s *Service) OpenUserSession(ctx context.Context, call *Call, name string, password Secret) (SignedIn, error) {
	if err := s.enterByHost(ctx, call); err != nil {
		return SignedIn{}, err
	}
	panic("OpenUserSession")
}

// ActAsUser returns a token that acts as the target in the name of the person who
// calls, an administrator, for ImpersonationLifetime; call.Reason is required.
// Errors: user.not_found; rank.too_low; field.required on reason; forbidden to
// callers who are no person.
func (s *Service) ActAsUser(ctx context.Context, call *Call, target UserRef) (token string, until time.Time, err error) {
	if err := s.enter(ctx, call, ActImpersonate); err != nil {
		return "", time.Time{}, err
	}
	panic("ActAsUser")
}

// MakeReset makes a reset token for a user, shown only here; those made before
// stay good. Errors: user.not_found, rank.too_low.
func (s *Service) MakeReset(ctx context.Context, call *Call, ref UserRef) (ResetToken, error) {
	if err := s.enter(ctx, call, ActReset); err != nil {
		return ResetToken{}, err
	}
	panic("MakeReset")
}

package directory

import "context"

// Connect opens an API session for an API user (docs/dialects/edubrite.md 2.2):
// call.ClientID is its name, call.Secret its password, which the session's id
// is bound to; "" draws one. Errors: client.invalid, limit.logins.
func (s *Service) Connect(ctx context.Context, call *Call, sessionID string) (SessionPair, error) {
	client, err := s.enterClient(ctx, call, Grant{ClientID: call.ClientID, ClientSecret: call.Secret})
	if err != nil {
		return SessionPair{}, err
	}
	_ = client
	panic("Connect")
}

// NewSessionID draws the first half of a session, which means nothing alone.
func (s *Service) NewSessionID() string { panic("NewSessionID") }

// OpenSession opens a session for the person for whom the call acts. Errors:
// credential.invalid when that person may not sign in.
func (s *Service) OpenSession(ctx context.Context, call *Call) (SessionPair, error) {
	if err := s.enter(ctx, call, ActSession); err != nil {
		return SessionPair{}, err
	}
	panic("OpenSession")
}

// SignIn verifies a name and a password and returns a signed token
// (docs/dialects/servicemobility.md 2.1). The tenant is found by the call's
// host, else it is the only one with the door on. A user whose password is
// temporary gets a token that can do nothing but change it. Errors as for
// PasswordGrant without the client's.
func (s *Service) SignIn(ctx context.Context, call *Call, name string, password Secret) (string, error) {
	if err := s.enterByHost(ctx, call); err != nil {
		return "", err
	}
	panic("SignIn")
}

// Impersonate verifies an administrator's name and password and returns a token
// that acts as the target in the administrator's name: for an hour, not for
// changing passwords, and only while neither account changes. The target must
// not be above the administrator. Errors: as for SignIn; user.not_found only
// once the administrator is known; rank.too_low.
func (s *Service) Impersonate(ctx context.Context, call *Call, target UserRef, admin string, password Secret) (string, error) {
	if err := s.enterByHost(ctx, call); err != nil {
		return "", err
	}
	panic("Impersonate")
}

// Delegate returns a signed token of the caller itself, who must hold the
// tenant's role of a key or be an administrator; entity must be the tenant's id.
// Errors: tenant.not_found, role.not_found, forbidden.
func (s *Service) Delegate(ctx context.Context, call *Call, entity, role string) (string, error) {
	if err := s.enter(ctx, call, ActSession); err != nil {
		return "", err
	}
	panic("Delegate")
}

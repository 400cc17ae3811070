package directory

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
)

// Connect opens an API session for an API user (docs/dialects/edubrite.md 2.2):
// call.ClientID is its name, call.Secret its password, which the session's id
// is bound to; "" and what is no such id draw one. Errors: client.invalid,
// limit.logins.
func (s *Service) Connect(ctx context.Context, call *Call, sessionID string) (SessionPair, error) {
	client, err := s.enterClient(ctx, call, Grant{ClientID: call.ClientID, ClientSecret: call.Secret}, CredentialAPIUser)
	if err != nil {
		return SessionPair{}, err
	}
	if !isSessionID(sessionID) {
		sessionID = s.NewSessionID()
	}
	pair := SessionPair{ID: sessionID, Info: s.NewSessionID()}
	err = s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Credential(ctx, client.Tenant, client.ID); err != nil { // revoked meanwhile?
			return orError(err, errCredential())
		}
		if err := tx.DeleteExpiredTokens(ctx, client.Tenant, 0, s.now().UnixMicro()); err != nil {
			return err
		}
		if err := s.insertSession(ctx, tx, call, pair, &User{Tenant: client.Tenant}); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventSignedIn, topic{}, "credential:"+client.ID, &changes{})
	})
	if err != nil {
		return SessionPair{}, err
	}
	return pair, nil
}

// sessionBytes is the length of each half of a session before it is encoded:
// 320 random bits, 56 characters, within the 54 to 71 of the vendor's values.
const sessionBytes = 40

// sessionEncoding is the vendor's: URL-safe base64 with * as padding
// (docs/dialects/edubrite.md 2.2), so that clients may put it into URLs.
var sessionEncoding = base64.URLEncoding.WithPadding('*')

// NewSessionID draws the first half of a session, which means nothing alone.
func (s *Service) NewSessionID() string {
	bits := make([]byte, sessionBytes)
	rand.Read(bits) // never fails (crypto/rand)
	return sessionEncoding.EncodeToString(bits)
}

// maxSessionID is the most characters of a session id that a client may bring.
const maxSessionID = 128

// isSessionID reports whether a text could be a session's id: ours, or one that
// a client brought from elsewhere. The other half is the secret.
func isSessionID(text string) bool {
	return text != "" && len(text) <= maxSessionID && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '*'
	})
}

// insertSession keeps a session of a user, or of the caller's credential where
// the user's number is 0.
func (s *Service) insertSession(ctx context.Context, tx Tx, call *Call, pair SessionPair, u *User) error {
	s.strangers.Recognise("", pair.Secret())
	return tx.InsertToken(ctx, Token{Tenant: u.Tenant, Hash: hashOf(string(pair.Secret())), Session: s.opts.NewID(), Kind: TokenSession,
		User: u.Number, Client: call.Actor.through, Door: call.Door, Epoch: u.AuthEpoch, CreatedAt: s.now(), ExpiresAt: s.now().Add(SessionLifetime)})
}

// OpenSession opens a session for the person for whom the call acts, which
// ends with the API user through whom it was opened. Errors:
// credential.invalid when that person may not sign in; forbidden to callers who
// are no person.
func (s *Service) OpenSession(ctx context.Context, call *Call) (SessionPair, error) {
	if err := s.enter(ctx, call, ActSession); err != nil {
		return SessionPair{}, err
	}
	if call.Actor.User == 0 || call.means() != bySession {
		return SessionPair{}, errNoPerson()
	}
	pair := SessionPair{ID: s.NewSessionID(), Info: s.NewSessionID()}
	err := s.store.Update(ctx, func(tx Tx) error {
		u, err := tx.LockUser(ctx, call.Actor.Tenant, call.Actor.User)
		if err != nil || u.AuthEpoch != call.Actor.epoch || u.MustChangePassword || !u.Usable(s.now()) {
			return orError(err, errCredential())
		}
		if err := tx.DeleteExpiredTokens(ctx, u.Tenant, u.Number, s.now().UnixMicro()); err != nil {
			return err
		}
		if err := s.insertSession(ctx, tx, call, pair, &u); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventSignedIn, onUser(&u), "credential:"+call.Actor.through, &changes{})
	})
	if err != nil {
		return SessionPair{}, err
	}
	return pair, nil
}

func errNoPerson() error {
	return Wrong(CodeForbidden, ReasonRankTooLow, "Only a person who has signed in may do this.")
}

// SignIn verifies a name and a password and returns a signed token
// (docs/dialects/servicemobility.md 2.1). The tenant is found by the call's
// host, else it is the only one with the door on. A user whose password is
// temporary gets a token that can do nothing but change it. Errors as for
// PasswordGrant without the client's and login.temporary_password;
// secret_key.missing.
func (s *Service) SignIn(ctx context.Context, call *Call, name string, password Secret) (string, error) {
	if err := s.enterByHost(ctx, call); err != nil {
		return "", err
	}
	user, stored, err := s.verifyLogin(ctx, call, name, string(password))
	if err != nil {
		return "", err
	}
	kid, key, err := s.signingKey(ctx, user.Tenant)
	if err != nil {
		return "", err
	}
	call.Actor = personOf(&user)
	claims := claimsFor(&user, call.tenant, s.opts.NewID(), s.now(), SignedTokenLifetime)
	token, err := s.give(kid, key, &claims)
	if err != nil {
		return "", err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		current, err := tx.LockUser(ctx, user.Tenant, user.Number)
		if err != nil || current.AuthEpoch != user.AuthEpoch || !current.Usable(s.now()) {
			return orError(err, errLogin())
		}
		if err := tx.SetPassword(ctx, user.Tenant, stored); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventSignedIn, onUser(&user), "token:"+claims.ID, &changes{})
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// Impersonate verifies an administrator's name and password and returns a token
// that acts as the target in the administrator's name: for an hour, not for
// changing passwords, and only while neither account changes. The target must
// not be above the administrator. Errors: as for SignIn, also of a target that
// may not sign in, and login.temporary_password; user.not_found only once the
// administrator is known; rank.too_low.
func (s *Service) Impersonate(ctx context.Context, call *Call, target UserRef, admin string, password Secret) (string, error) {
	if err := s.enterByHost(ctx, call); err != nil {
		return "", err
	}
	user, stored, err := s.verifyLogin(ctx, call, admin, string(password))
	if err == nil {
		err = refuseTemporary(&user)
	}
	if err != nil {
		return "", err
	}
	call.Actor = personOf(&user)
	if err := call.permit(ActImpersonate); err != nil {
		return "", err
	}
	other, err := s.impersonated(ctx, call, target)
	if err != nil {
		return "", err
	}
	kid, key, err := s.signingKey(ctx, user.Tenant)
	if err != nil {
		return "", err
	}
	now := s.now()
	leave := Impersonation{Tenant: user.Tenant, ID: s.opts.NewID(), Admin: user.Number, Target: other.Number, CreatedAt: now, ExpiresAt: now.Add(ImpersonationLifetime)}
	claims := claimsFor(&other, call.tenant, leave.ID, now, ImpersonationLifetime)
	claims.Impersonation, claims.Actor = leave.ID, &signedActor{Subject: user.UserName, User: user.Number, Epoch: user.AuthEpoch}
	token, err := s.give(kid, key, &claims)
	if err != nil {
		return "", err
	}
	if err := s.keepImpersonation(ctx, call, &leave, &user, &other, stored); err != nil {
		return "", err
	}
	return token, nil
}

// impersonated finds the user as whom somebody wants to act, if that user may
// sign in.
func (s *Service) impersonated(ctx context.Context, call *Call, ref UserRef) (User, error) {
	var u User
	var lock LockStatus
	err := s.store.View(ctx, func(r Reader) (err error) {
		if u, err = s.find(ctx, r, call, ref); err == nil {
			lock, err = lockStatus(ctx, r, &u)
		}
		return err
	})
	if err != nil {
		return User{}, err
	}
	if err := call.Actor.mayTouch(ActImpersonate, &u); err != nil {
		return User{}, err
	}
	return u, mayLogIn(&u, lock, s.now())
}

// keepImpersonation writes an impersonation with its event, unless one of the
// two has changed meanwhile.
func (s *Service) keepImpersonation(ctx context.Context, call *Call, leave *Impersonation, admin, target *User, stored Password) error {
	return s.store.Update(ctx, func(tx Tx) error {
		if _, err := s.keepLeave(ctx, tx, call, leave, admin, target); err != nil {
			return err
		}
		return tx.SetPassword(ctx, admin.Tenant, stored)
	})
}

// keepLeave writes the leave to act as a user with its event, and returns the
// administrator as of now.
func (s *Service) keepLeave(ctx context.Context, tx Tx, call *Call, leave *Impersonation, admin, target *User) (User, error) {
	// Users are locked in order of number.
	pair := []*User{admin, target}
	slices.SortFunc(pair, func(a, b *User) int { return cmp.Compare(a.Number, b.Number) })
	now := map[int64]User{}
	for _, u := range pair {
		current, err := tx.LockUser(ctx, u.Tenant, u.Number)
		if err != nil || current.AuthEpoch != u.AuthEpoch || !current.Usable(s.now()) {
			return User{}, orError(err, errLogin())
		}
		now[u.Number] = current
	}
	first, second := now[admin.Number], now[target.Number]
	if err := mayImpersonate(&first, &second, s.now()); err != nil {
		return User{}, err
	}
	if err := call.If.check(second.Version); err != nil {
		return User{}, err
	}
	if err := tx.InsertImpersonation(ctx, *leave); err != nil {
		return User{}, err
	}
	return first, s.record(ctx, tx, call, EventImpersonated, onUser(target), "token:"+leave.ID, &changes{})
}

// Delegate returns a signed token of the caller itself, who must hold the
// tenant's role of a key or be an administrator; entity must be the tenant's id.
// Errors: tenant.not_found, role.not_found, forbidden.
func (s *Service) Delegate(ctx context.Context, call *Call, entity, role string) (string, error) {
	if err := s.enter(ctx, call, ActSession); err != nil {
		return "", err
	}
	if !call.Actor.signed {
		return "", errNoPerson()
	}
	if !strings.EqualFold(entity, call.tenant.ID) {
		return "", Wrong(CodeNotFound, ReasonTenantNotFound, "Tenant not found.")
	}
	var user User
	err := s.store.View(ctx, func(r Reader) (err error) {
		user, err = r.UserByNumber(ctx, call.Actor.Tenant, call.Actor.User)
		if err != nil || user.AuthEpoch != call.Actor.epoch || !user.Usable(s.now()) {
			return orError(err, errCredential())
		}
		return holdsRole(ctx, r, &user, role)
	})
	if err != nil {
		return "", err
	}
	kid, key, err := s.signingKey(ctx, user.Tenant)
	if err != nil {
		return "", err
	}
	// A token that renewed itself would be as good for ever as a stolen one.
	claims := claimsFor(&user, call.tenant, s.opts.NewID(), s.now(), call.Actor.ends.Sub(s.now()))
	token, err := s.give(kid, key, &claims)
	if err != nil {
		return "", err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		return s.record(ctx, tx, call, EventSignedIn, onUser(&user), "token:"+claims.ID, &changes{})
	})
	return token, err
}

// holdsRole refuses who neither holds a role of the tenant itself nor is an
// administrator. Who is not learns nothing of roles that it does not hold.
func holdsRole(ctx context.Context, r Reader, u *User, key string) error {
	role, err := r.RoleByKey(ctx, u.Tenant, 0, key)
	if u.Rank >= RankAdministrator {
		return notFound(err, ReasonRoleNotFound, "Role not found.")
	}
	refusal := Wrong(CodeForbidden, ReasonRankTooLow, "The caller does not hold this role.")
	if err != nil {
		return orError(err, refusal)
	}
	held, err := r.UserRoles(ctx, u.Tenant, u.Number)
	if err != nil || slices.ContainsFunc(held, func(a RoleAssignment) bool { return a.Role == role.Number }) {
		return err
	}
	return refusal
}

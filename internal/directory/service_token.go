package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Lifetimes of tokens (docs/dialects/iqmetrix.md 2.2: 43199 s and 7 days).
const (
	AccessLifetime  = 43199 * time.Second
	RefreshLifetime = 7 * 24 * time.Hour
)

// Grant is an OAuth token request.
type Grant struct {
	ClientID     string
	ClientSecret Secret
	UserName     string // user name or e-mail
	Password     Secret
	RefreshToken Secret
}

// TokenPair is an access and a refresh token. They are shown only here.
type TokenPair struct {
	Access    string
	Refresh   string
	ExpiresIn time.Duration
}

// PasswordGrant signs a user in. Errors: client.invalid; limit.logins;
// login.failed (wrong name or password, or no password); and after the
// password was verified login.locked (Message is the lock reason's
// description), login.inactive, login.outside_dates, login.temporary_password.
func (s *Service) PasswordGrant(ctx context.Context, call *Call, g Grant) (TokenPair, error) {
	client, err := s.enterClient(ctx, call, g, CredentialClient)
	if err != nil {
		return TokenPair{}, err
	}
	user, password, err := s.verifyLogin(ctx, call, g.UserName, string(g.Password))
	if err == nil {
		err = refuseTemporary(&user)
	}
	if err != nil {
		return TokenPair{}, err
	}
	pair, tokens, err := s.newTokens(s.now(), &user, client.ID, call.Door, s.opts.NewID())
	if err != nil {
		return TokenPair{}, err
	}
	call.Actor.User, call.Actor.Name = user.Number, fmt.Sprintf("user:%d", user.Number)
	err = s.store.Update(ctx, func(tx Tx) error {
		current, err := tx.LockUser(ctx, user.Tenant, user.Number)
		if err != nil || current.AuthEpoch != user.AuthEpoch || !current.Usable(s.now()) {
			return orError(err, errLogin())
		}
		if err := tx.DeleteExpiredTokens(ctx, user.Tenant, user.Number, s.now().UnixMicro()); err != nil {
			return err
		}
		if err := insertTokens(ctx, tx, tokens); err != nil {
			return err
		}
		if err := tx.SetPassword(ctx, user.Tenant, password); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventSignedIn, onUser(&user), "client:"+client.ID, &changes{})
	})
	return pair, err
}

// orError is err if there is one, else the fallback.
func orError(err, fallback error) error {
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return fallback
}

func errLogin() error {
	return Wrong(CodeUnauthenticated, ReasonLoginFailed, "The user name or password is incorrect.")
}

// verifyLogin checks a name and a password. Whether the name exists shows
// neither in the answer nor in the work done. The returned password row has
// the sign-in noted, and a new hash if the stored one was weaker. What a
// temporary password is good for is the caller's decision.
func (s *Service) verifyLogin(ctx context.Context, call *Call, name, secret string) (User, Password, error) {
	key, foldErr := FoldKey(SpaceLogin, name)
	if retry, ok := s.logins.Allow(call.Actor.Tenant, key, call.Addr); !ok {
		return User{}, Password{}, TooManyLogins(retry)
	}
	var user User
	var password Password
	var lock LockStatus
	err := ErrNotFound
	if foldErr == nil {
		err = s.store.View(ctx, func(r Reader) (err error) {
			if user, _, err = r.UserByHandle(ctx, call.Actor.Tenant, SpaceLogin, key); err != nil {
				return err
			}
			if lock, err = lockStatus(ctx, r, &user); err != nil {
				return err
			}
			password, err = r.Password(ctx, user.Tenant, user.Number)
			return err
		})
	}
	if errors.Is(err, ErrNotFound) || err == nil && password.Hash == "" {
		if err := s.hasher.VerifyNothing(ctx, secret); err != nil {
			return User{}, Password{}, err
		}
		return User{}, Password{}, errLogin()
	}
	if err != nil {
		return User{}, Password{}, err
	}
	ok, rehash, err := s.hasher.Verify(ctx, secret, password.Hash, user.Rank >= RankAdministrator)
	if err != nil {
		return User{}, Password{}, err
	}
	if !ok {
		return User{}, Password{}, s.failedLogin(ctx, call, &user)
	}
	if err := mayLogIn(&user, lock, s.now()); err != nil {
		return User{}, Password{}, err
	}
	password.Failures, password.LastLogin = 0, s.now()
	if rehash {
		// Not now is no reason to refuse: the next sign-in tries again.
		if stronger, err := s.hasher.Hash(ctx, secret, user.Rank >= RankAdministrator); err == nil {
			password.Hash = stronger
		}
	}
	return user, password, nil
}

// mayLogIn says why a user with the right password may still not sign in.
func mayLogIn(u *User, lock LockStatus, now time.Time) error {
	switch {
	case u.State != StateActive:
		return Wrong(CodeUnauthenticated, ReasonLoginInactive, "The account is disabled.")
	case u.Locked && lock.Reason.Description != "":
		return Wrong(CodeUnauthenticated, ReasonLoginLocked, "%s", lock.Reason.Description)
	case u.Locked:
		return Wrong(CodeUnauthenticated, ReasonLoginLocked, "The account is locked.")
	case !u.Usable(now):
		return Wrong(CodeUnauthenticated, ReasonLoginDates, "The account is not valid at this time.")
	}
	return nil
}

// refuseTemporary refuses a sign-in with a password that is good for nothing
// but being replaced.
func refuseTemporary(u *User) error {
	if u.MustChangePassword {
		return Wrong(CodeUnauthenticated, ReasonLoginTemporary, "The password is temporary and must be changed first.")
	}
	return nil
}

// failedLogin is the answer to a wrong password, which it counts.
func (s *Service) failedLogin(ctx context.Context, call *Call, user *User) error {
	if err := s.countFailure(ctx, call, user); err != nil {
		return err
	}
	return errLogin()
}

// countFailure counts a wrong password, or a wrong code of a second factor, where the
// tenant locks after so many in a row (Settings.MaxFailedLogins).
func (s *Service) countFailure(ctx context.Context, call *Call, user *User) error {
	limit := call.Settings.MaxFailedLogins
	if limit <= 0 {
		return nil
	}
	lock := System(user.Tenant, "failed-logins")
	lock.RequestID, lock.Door, lock.Reason = call.RequestID, call.Door, fmt.Sprintf("%d wrong passwords in a row", limit)
	_, err := s.change(ctx, lock, ActLock, ByNumber(user.Number), func(tx Tx, u *User, e *edit) error {
		p, err := tx.Password(ctx, u.Tenant, u.Number)
		if err != nil || u.Locked { // an unlocked user starts with what it had
			return err
		}
		p.Failures++
		if p.Failures >= limit {
			u.Locked, u.LockReason, p.Failures = true, 0, 0
			e.event, e.endSession = EventUserLocked, true
		}
		return tx.SetPassword(ctx, u.Tenant, p)
	})
	return orError(err, nil)
}

// RefreshGrant exchanges a refresh token for a new pair; it and the access
// token that came with it end (docs/dialects/iqmetrix.md 2.2). Errors: client.invalid,
// grant.invalid.
func (s *Service) RefreshGrant(ctx context.Context, call *Call, g Grant) (TokenPair, error) {
	client, err := s.enterClient(ctx, call, g, CredentialClient)
	if err != nil {
		return TokenPair{}, err
	}
	sum := sha256.Sum256([]byte(g.RefreshToken))
	var auth Authentication
	err = s.store.Read(ctx, func(r Reader) (err error) {
		auth, err = r.AuthenticateToken(ctx, sum[:], TokenRefresh)
		return err
	})
	if err != nil {
		return TokenPair{}, orError(err, errGrant())
	}
	old := auth.Token
	if old.Tenant != call.Actor.Tenant || old.Door != call.Door || old.Client != client.ID || old.Epoch != auth.User.AuthEpoch ||
		auth.User.MustChangePassword || !auth.User.Usable(s.now()) || !s.now().Before(old.ExpiresAt) {
		return TokenPair{}, errGrant()
	}
	pair, tokens, err := s.newTokens(s.now(), &auth.User, client.ID, call.Door, old.Session)
	if err != nil {
		return TokenPair{}, err
	}
	call.Actor.User, call.Actor.Name = old.User, fmt.Sprintf("user:%d", old.User)
	err = s.store.Update(ctx, func(tx Tx) error {
		current, err := tx.LockUser(ctx, old.Tenant, old.User)
		if err != nil || current.AuthEpoch != old.Epoch || !current.Usable(s.now()) {
			return orError(err, errGrant())
		}
		spent, err := tx.DeleteToken(ctx, old.Hash)
		if err != nil || !spent {
			return orError(err, errGrant())
		}
		if err := tx.DeleteSession(ctx, old.Tenant, old.Session); err != nil {
			return err
		}
		return insertTokens(ctx, tx, tokens)
	})
	return pair, err
}

func errGrant() error {
	return Wrong(CodeUnauthenticated, ReasonGrantInvalid, "The refresh token is not valid.")
}

// newTokens draws a pair of 128 random bits each, in the vendor's form: 32
// hexadecimal digits.
func (s *Service) newTokens(now time.Time, u *User, client string, door Door, session string) (TokenPair, []Token, error) {
	pair := TokenPair{ExpiresIn: AccessLifetime}
	var tokens []Token
	for _, part := range []struct {
		kind TokenKind
		text *string
		life time.Duration
	}{{TokenAccess, &pair.Access, AccessLifetime}, {TokenRefresh, &pair.Refresh, RefreshLifetime}} {
		bits := make([]byte, 16)
		if _, err := rand.Read(bits); err != nil {
			return TokenPair{}, nil, fmt.Errorf("directory: random token: %w", err)
		}
		*part.text = hex.EncodeToString(bits)
		sum := sha256.Sum256([]byte(*part.text))
		tokens = append(tokens, Token{Tenant: u.Tenant, Hash: sum[:], Session: session, Kind: part.kind, User: u.Number,
			Client: client, Door: door, Epoch: u.AuthEpoch, CreatedAt: now, ExpiresAt: now.Add(part.life)})
	}
	s.strangers.Recognise("", Secret(pair.Access))
	return pair, tokens, nil
}

func insertTokens(ctx context.Context, tx Tx, tokens []Token) error {
	for _, token := range tokens {
		if err := tx.InsertToken(ctx, token); err != nil {
			return err
		}
	}
	return nil
}

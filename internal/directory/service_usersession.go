package directory

import (
	"cmp"
	"context"
	"slices"
	"strings"
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
	Current   bool      // the console session that the call presents
}

// Identity is who asks.
type Identity struct {
	Actor      Actor
	Tenant     Tenant
	Person     Opt[User]
	Behind     Opt[User]       // who acts as the person
	Credential Opt[Credential] // of a key, without its hash
}

// WhoAmI tells a caller who it is: the person, or the credential. Everybody may.
func (s *Service) WhoAmI(ctx context.Context, call *Call) (Identity, error) {
	if err := s.enter(ctx, call, ActAdmit); err != nil {
		return Identity{}, err
	}
	who := Identity{Actor: call.Actor, Tenant: tenantFor(call)}
	err := s.store.View(ctx, func(r Reader) error {
		if call.Actor.User != 0 {
			u, err := r.UserByNumber(ctx, call.Actor.Tenant, call.Actor.User)
			if err != nil {
				return orError(err, errCredential())
			}
			who.Person = Some(u)
			if !call.Actor.acted {
				return nil
			}
			leave, err := r.Impersonation(ctx, call.Actor.leave)
			if err != nil {
				return orError(err, errCredential())
			}
			admin, err := r.UserByNumber(ctx, call.Actor.Tenant, leave.Admin)
			who.Behind = Some(admin)
			return err
		}
		if call.Actor.Credential == "" {
			return nil
		}
		c, err := r.Credential(ctx, call.Actor.Tenant, call.Actor.Credential)
		if err != nil {
			return orError(err, errCredential())
		}
		c.Hash = nil
		who.Credential = Some(c)
		return nil
	})
	return who, err
}

// tenantFor is the caller's tenant as far as the caller may see it: hosts,
// settings and what doors keep are for those who may change them.
func tenantFor(call *Call) Tenant {
	t := *call.tenant
	rule := actionRules[ActTenant]
	if call.Actor.Rank < rule.rank || call.Actor.Scopes&rule.scope != rule.scope || call.Actor.Root != 0 || call.Actor.selfOnly {
		return Tenant{No: t.No, ID: t.ID, Name: t.Name, Doors: t.Doors, DefaultCompany: t.DefaultCompany, Version: t.Version, CreatedAt: t.CreatedAt}
	}
	return t
}

// Sessions lists a user's sign-ins that are valid now, the newest first. Errors:
// user.not_found.
func (s *Service) Sessions(ctx context.Context, call *Call, ref UserRef) ([]UserSession, error) {
	if err := s.enter(ctx, call, ActSignOut); err != nil {
		return nil, err
	}
	var list []UserSession
	err := s.store.View(ctx, func(r Reader) error {
		u, err := s.find(ctx, r, call, ref)
		if err != nil {
			return err
		}
		if err := call.Actor.mayTouch(ActSignOut, &u); err != nil {
			return err
		}
		tokens, err := r.UserTokens(ctx, u.Tenant, u.Number, s.now())
		list = call.sessionsOf(&u, tokens)
		return err
	})
	return list, err
}

// sessionsOf is the function of that name; the sign-in of the call itself is marked.
func (c *Call) sessionsOf(u *User, tokens []Token) []UserSession {
	list := sessionsOf(u, tokens)
	for i := range list {
		list[i].Current = c.console != nil && list[i].ID == c.console.Session
	}
	return list
}

// sessionsOf puts a user's tokens together to sign-ins. Tokens of an older epoch
// ended with it.
func sessionsOf(u *User, tokens []Token) []UserSession {
	var list []UserSession
	for i := range tokens {
		t := &tokens[i]
		if t.Epoch != u.AuthEpoch {
			continue
		}
		at := slices.IndexFunc(list, func(have UserSession) bool { return have.ID == t.Session })
		if at < 0 {
			list = append(list, UserSession{ID: t.Session, Door: t.Door, Client: t.Client, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt})
			continue
		}
		if t.ExpiresAt.After(list[at].ExpiresAt) {
			list[at].ExpiresAt = t.ExpiresAt
		}
	}
	slices.SortStableFunc(list, func(a, b UserSession) int { return cmp.Compare(b.CreatedAt.UnixMicro(), a.CreatedAt.UnixMicro()) })
	return list
}

func errNoSession() error {
	return Wrong(CodeNotFound, ReasonSessionNotFound, "There is no such session, or it has ended.")
}

// EndSession ends one sign-in of a user. One that is gone is
// session.not_found.
func (s *Service) EndSession(ctx context.Context, call *Call, ref UserRef, id string) error {
	if err := s.enter(ctx, call, ActSignOut); err != nil {
		return err
	}
	err := s.store.Update(ctx, func(tx Tx) error {
		u, err := s.lockTarget(ctx, tx, call, ActSignOut, ref)
		if err != nil {
			return err
		}
		if err := living(&u); err != nil {
			return err
		}
		return s.endSession(ctx, tx, call, &u, id)
	})
	call.Changed = err == nil
	return err
}

// endSession removes the tokens of one sign-in of a locked user, with an event.
func (s *Service) endSession(ctx context.Context, tx Tx, call *Call, u *User, id string) error {
	if err := call.If.check(u.Version); err != nil {
		return err
	}
	tokens, err := tx.UserTokens(ctx, u.Tenant, u.Number, s.now())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(sessionsOf(u, tokens), func(have UserSession) bool { return have.ID == id }) {
		return errNoSession()
	}
	if err := tx.DeleteSession(ctx, u.Tenant, id); err != nil {
		return err
	}
	return s.record(ctx, tx, call, EventSessionEnded, onUser(u), "session:"+id, &changes{})
}

// EndOwnSession ends the sign-in whose token the call presents; a caller that
// came with a key or a signed token has none: session.not_found.
func (s *Service) EndOwnSession(ctx context.Context, call *Call) error {
	if err := s.enter(ctx, call, ActSession); err != nil {
		return err
	}
	if call.Actor.User == 0 || call.means() != byToken {
		return errNoSession()
	}
	auth, err := s.lookUpToken(ctx, string(call.Secret))
	if err != nil {
		return notFound(err, ReasonSessionNotFound, "There is no such session, or it has ended.")
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		u, err := tx.LockUser(ctx, call.Actor.Tenant, call.Actor.User)
		if err != nil {
			return orError(err, errCredential())
		}
		return s.endSession(ctx, tx, call, &u, auth.Token.Session)
	})
	call.Changed = err == nil
	return err
}

// SignedIn is a person who has signed in at the canonical door.
type SignedIn struct {
	Token     string // shown only here
	ExpiresAt time.Time
	User      User
}

// OpenUserSession signs a person in with name and password and returns a token for
// the canonical and scim doors; code is one of the second factor, of who has one. The
// tenant is found as for SignIn. Errors as for PasswordGrant without the client's,
// login.temporary_password, second_factor.required, second_factor.missing,
// second_factor.wrong_code.
func (s *Service) OpenUserSession(ctx context.Context, call *Call, name string, password, code Secret) (SignedIn, error) {
	if err := s.enterByHost(ctx, call); err != nil {
		return SignedIn{}, err
	}
	user, stored, err := s.verifyLogin(ctx, call, name, string(password))
	if err == nil {
		err = refuseTemporary(&user)
	}
	if err == nil {
		err = s.askFactor(ctx, call, &user, code)
	}
	if err != nil {
		return SignedIn{}, err
	}
	// Of the pair only the token that is sent with calls: whoever wants to stay
	// longer signs in again.
	pair, tokens, err := s.newTokens(s.now(), &user, "", call.Door, s.opts.NewID())
	if err != nil {
		return SignedIn{}, err
	}
	tokens = slices.DeleteFunc(tokens, func(t Token) bool { return t.Kind != TokenAccess })
	call.Actor = personOf(&user)
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
		if err := tx.SetPassword(ctx, user.Tenant, stored); err != nil {
			return err
		}
		return s.record(ctx, tx, call, EventSignedIn, onUser(&user), "session:"+tokens[0].Session, &changes{})
	})
	if err != nil {
		return SignedIn{}, err
	}
	call.Changed = true
	return SignedIn{Token: pair.Access, ExpiresAt: tokens[0].ExpiresAt, User: user}, nil
}

// ActAsUser returns a token that acts as the target in the name of the person who
// calls, an administrator, for ImpersonationLifetime; call.Reason is required.
// Errors: user.not_found; rank.too_low; field.required on reason; forbidden to
// callers who are no person.
func (s *Service) ActAsUser(ctx context.Context, call *Call, target UserRef) (token string, until time.Time, err error) {
	if err := s.enter(ctx, call, ActImpersonate); err != nil {
		return "", time.Time{}, err
	}
	if call.Actor.User == 0 || call.Actor.through != "" {
		return "", time.Time{}, errNoPerson()
	}
	if strings.TrimSpace(call.Reason) == "" {
		return "", time.Time{}, Invalid("reason", ReasonFieldRequired, "reason is required to act as somebody else.")
	}
	other, err := s.impersonated(ctx, call, target)
	if err != nil {
		return "", time.Time{}, asTarget(err)
	}
	kid, key, err := s.signingKey(ctx, other.Tenant)
	if err != nil {
		return "", time.Time{}, err
	}
	now := s.now()
	leave := Impersonation{Tenant: other.Tenant, ID: s.opts.NewID(), Admin: call.Actor.User, Target: other.Number, CreatedAt: now, ExpiresAt: now.Add(ImpersonationLifetime)}
	admin := User{Tenant: other.Tenant, Number: call.Actor.User, AuthEpoch: call.Actor.epoch}
	err = s.store.Update(ctx, func(tx Tx) error {
		first, err := s.keepLeave(ctx, tx, call, &leave, &admin, &other)
		if err != nil {
			return err
		}
		claims := claimsFor(&other, call.tenant, leave.ID, now, ImpersonationLifetime)
		claims.Impersonation, claims.Actor = leave.ID, &signedActor{Subject: first.UserName, User: first.Number, Epoch: first.AuthEpoch}
		claims.Factor = call.console != nil || call.means() == byToken
		token, err = s.give(kid, key, &claims)
		return err
	})
	if err != nil {
		return "", time.Time{}, asTarget(err)
	}
	call.Changed = true
	return token, leave.ExpiresAt, nil
}

// asTarget turns the refusal of a sign-in into that of a target: the caller is
// known, and it is the other person who cannot sign in.
func asTarget(err error) error {
	if CodeOf(err) != CodeUnauthenticated {
		return err
	}
	e := AsError(err)
	return Wrong(CodeConflict, e.Reason, "Nobody can act as this user now: %s", e.Message)
}

// MakeReset makes a reset token for a user, shown only here; those made before
// stay good. Errors: user.not_found, rank.too_low.
func (s *Service) MakeReset(ctx context.Context, call *Call, ref UserRef) (ResetToken, error) {
	if err := s.enter(ctx, call, ActReset); err != nil {
		return ResetToken{}, err
	}
	var made ResetToken
	err := s.store.Update(ctx, func(tx Tx) error {
		u, err := s.lockTarget(ctx, tx, call, ActReset, ref)
		if err != nil {
			return err
		}
		made, err = s.makeReset(ctx, tx, call, &u)
		return err
	})
	if err != nil {
		return ResetToken{}, err
	}
	call.Changed = true
	return made, nil
}

package directory

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strconv"
)

// enter is the first statement of every use case: it verifies the call's
// credential, counts the call against the tenant's request limit and decides
// whether the actor may do the action at all. What depends on the target
// (rank, subtree, own record) is decided where the target is read.
func (s *Service) enter(ctx context.Context, call *Call, action Action) error {
	if err := s.authenticate(ctx, call); err != nil {
		return err
	}
	return call.permit(action)
}

// permit is the part of the policy that does not depend on a target.
func (c *Call) permit(action Action) error {
	rule, known := actionRules[action]
	if !known {
		return Wrong(CodeForbidden, ReasonRankTooLow, "The caller may not do this.")
	}
	if c.Actor.Scopes&rule.scope != rule.scope {
		return Wrong(CodeForbidden, ReasonScopeMissing, "The credential was not made for this.")
	}
	c.Actor.selfOnly = false
	if c.Actor.Rank >= rule.rank {
		return nil
	}
	if rule.self && c.Actor.User != 0 {
		c.Actor.selfOnly = true
		return nil
	}
	return Wrong(CodeForbidden, ReasonRankTooLow, "The caller's rank does not allow this.")
}

// authenticate verifies what the call presents: in one statement on the
// primary, with no cache, so that what was revoked a moment ago in any process
// is refused (docs/architecture.md, Revocation).
func (s *Service) authenticate(ctx context.Context, call *Call) error {
	if call.trusted {
		return s.settle(ctx, call)
	}
	if call.Secret == "" {
		s.countStranger(call)
		return Wrong(CodeUnauthenticated, ReasonCredentialMissing, "A credential is required.")
	}
	auth, err := s.lookUpSecret(ctx, string(call.Secret))
	if errors.Is(err, ErrNotFound) {
		s.countStranger(call)
		return Wrong(CodeUnauthenticated, ReasonCredentialInvalid, "The credential is not valid.")
	}
	if err != nil {
		return err
	}
	return s.welcome(ctx, call, &auth)
}

// welcome makes what a look-up found the actor, and counts the call.
func (s *Service) welcome(ctx context.Context, call *Call, auth *Authentication) error {
	if err := s.admit(call, auth); err != nil {
		s.countStranger(call)
		return err
	}
	return s.count(ctx, call, auth.TenantVersion)
}

// enterUser is enter for a use case about one user. For a key and a user by
// number, the commonest call there is, it reads both in one statement and
// returns the user, whom the caller still has to find visible; otherwise nil.
func (s *Service) enterUser(ctx context.Context, call *Call, action Action, ref UserRef) (*User, error) {
	if call.trusted || ref.Number <= 0 || ref.Number > MaxNumber || call.Secret == "" || isTokenText(string(call.Secret)) {
		return nil, s.enter(ctx, call, action)
	}
	sum := sha256.Sum256([]byte(call.Secret))
	var auth Authentication
	var u User
	err := s.store.Read(ctx, func(r Reader) (err error) {
		auth, u, err = r.KeyAndUser(ctx, sum[:], ref.Number)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, s.enter(ctx, call, action) // which of the two is missing?
	}
	if err == nil {
		err = s.welcome(ctx, call, &auth)
	}
	if err == nil {
		err = call.permit(action)
	}
	return &u, err
}

// lookUpSecret finds the API key or access token that a secret is. Tokens are
// 32 hexadecimal digits; a key that was given that form is found second.
func (s *Service) lookUpSecret(ctx context.Context, secret string) (Authentication, error) {
	sum := sha256.Sum256([]byte(secret))
	hash := sum[:]
	var auth Authentication
	err := ErrNotFound
	if isTokenText(secret) {
		err = s.store.Read(ctx, func(r Reader) (err error) {
			auth, err = r.AuthenticateToken(ctx, hash, TokenAccess)
			return err
		})
	}
	if errors.Is(err, ErrNotFound) {
		err = s.store.Read(ctx, func(r Reader) (err error) {
			auth, err = r.AuthenticateKey(ctx, hash)
			return err
		})
	}
	return auth, err
}

// admit decides whether what was found is valid now and makes it the actor.
func (s *Service) admit(call *Call, auth *Authentication) error {
	if auth.TenantDisabled || !auth.TenantDoors.Has(call.Door) {
		return Wrong(CodeUnauthenticated, ReasonDoorClosed, "This door is closed for the credential.")
	}
	if len(auth.Token.Hash) > 0 {
		return s.admitToken(call, auth)
	}
	key := &auth.Credential
	if !key.Doors.Has(call.Door) {
		return Wrong(CodeUnauthenticated, ReasonDoorClosed, "This door is closed for the credential.")
	}
	if !key.ExpiresAt.IsZero() && !s.now().Before(key.ExpiresAt) {
		return Wrong(CodeUnauthenticated, ReasonCredentialExpired, "The credential has expired.")
	}
	call.Actor = Actor{Tenant: auth.Tenant, Credential: key.ID, Name: "key:" + key.Name, Rank: key.Rank, Scopes: key.Scopes, Root: key.Root, doors: key.Doors, until: key.ExpiresAt}
	return nil
}

// admitToken makes the token's user the actor, if the user may still act.
func (s *Service) admitToken(call *Call, auth *Authentication) error {
	token, user, now := &auth.Token, &auth.User, s.now()
	switch {
	case token.Door != call.Door, token.Epoch != user.AuthEpoch, user.MustChangePassword, !user.Usable(now):
		return Wrong(CodeUnauthenticated, ReasonCredentialInvalid, "The token is not valid.")
	case !now.Before(token.ExpiresAt):
		return Wrong(CodeUnauthenticated, ReasonCredentialExpired, "The token has expired.")
	}
	call.Actor = Actor{Tenant: auth.Tenant, User: user.Number, Name: "user:" + strconv.FormatInt(user.Number, 10), Rank: user.Rank, Scopes: AllScopes}
	return nil
}

// enterClient is enter for the OAuth grants, whose caller has no credential
// yet but its client's: it finds the tenant by the client id and verifies the
// client's secret. An unknown client costs the same work as a wrong secret.
func (s *Service) enterClient(ctx context.Context, call *Call, g Grant) (Credential, error) {
	var auth Authentication
	err := ErrNotFound
	if CleanText("client_id", g.ClientID, maxTextRunes) == nil {
		err = s.store.Read(ctx, func(r Reader) (err error) {
			auth, err = r.AuthenticateClient(ctx, g.ClientID)
			return err
		})
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Credential{}, err
	}
	client := auth.Credential
	sum := sha256.Sum256([]byte(g.ClientSecret))
	same := subtle.ConstantTimeCompare(sum[:], client.Hash) == 1
	expired := !client.ExpiresAt.IsZero() && !s.now().Before(client.ExpiresAt)
	if err != nil || !same || expired || auth.TenantDisabled || !auth.TenantDoors.Has(call.Door) || !client.Doors.Has(call.Door) {
		s.countStranger(call)
		return Credential{}, Wrong(CodeUnauthenticated, ReasonClientInvalid, "The client is not known or its secret is wrong.")
	}
	call.Actor = Actor{Tenant: auth.Tenant, Credential: client.ID, Name: "client:" + client.Name}
	return client, s.count(ctx, call, auth.TenantVersion)
}

// settle gives a system call its tenant's settings.
func (s *Service) settle(ctx context.Context, call *Call) error {
	if call.Actor.Tenant == 0 {
		call.Settings = &Settings{}
		return nil
	}
	return s.useTenant(ctx, call, -1)
}

// useTenant puts the tenant on the call. The parsed tenant is kept per process
// for exactly the version that the credential's look-up has just read.
func (s *Service) useTenant(ctx context.Context, call *Call, version int64) error {
	if kept, ok := s.tenants.Load(call.Actor.Tenant); ok && kept.(*Tenant).Version == version {
		call.tenant = kept.(*Tenant)
		call.Settings = &call.tenant.Settings
		return nil
	}
	var t Tenant
	err := s.store.Read(ctx, func(r Reader) (err error) {
		t, err = r.Tenant(ctx, call.Actor.Tenant)
		return err
	})
	if err != nil {
		return notFound(err, ReasonTenantNotFound, "Tenant not found.")
	}
	s.tenants.Store(t.No, &t)
	call.tenant, call.Settings = &t, &t.Settings
	return nil
}

// count puts the tenant on the call and counts it against the tenant's limit
// for the door.
func (s *Service) count(ctx context.Context, call *Call, version int64) error {
	if err := s.useTenant(ctx, call, version); err != nil {
		return err
	}
	limit, now := 0, s.now()
	if limits := call.Settings.RequestsPerMinute; limits != nil {
		limit = limits[call.Door.String()]
	}
	quota, exceeded := s.requests.Count(call.Actor.Tenant, call.Door, limit, now)
	call.Quota = quota
	if exceeded {
		return TooManyRequests(quota, now)
	}
	return nil
}

// CountAddress counts a request that asks for nothing of a tenant against the
// client's address, for doors that tell the quota on every answer.
func (s *Service) CountAddress(addr string) Quota {
	quota, _ := s.requests.CountAddress(addr, DefaultRequestsPerMinute, s.now())
	return quota
}

// countStranger counts a call without a valid credential against its address,
// so that the quota it is told is true.
func (s *Service) countStranger(call *Call) {
	call.Quota = s.CountAddress(call.Addr)
}

// isTokenText reports whether a secret has the form of a token: 32 lower-case
// hexadecimal digits, as the vendor's sample shows (docs/dialects/iqmetrix.md 2.2).
func isTokenText(secret string) bool {
	if len(secret) != 32 {
		return false
	}
	for i := range len(secret) {
		c := secret[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// notFound turns the store's ErrNotFound into an Error that names the thing;
// other errors pass.
func notFound(err error, reason Reason, message string) error {
	if errors.Is(err, ErrNotFound) {
		return Wrong(CodeNotFound, reason, "%s", message)
	}
	return err
}

package directory

import (
	"context"
	"crypto/sha256"
	"errors"
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

// enterWhole is enter for what concerns a whole tenant: a caller that is bound to
// a company may not do it.
func (s *Service) enterWhole(ctx context.Context, call *Call, action Action) error {
	if err := s.enter(ctx, call, action); err != nil {
		return err
	}
	if call.Actor.Root != 0 {
		return errWholeTenant()
	}
	return nil
}

// enterServer is enter for what only the server itself and its operator do.
func (s *Service) enterServer(ctx context.Context, call *Call) error {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return err
	}
	if !call.trusted {
		return errOperator()
	}
	return nil
}

// permit is the part of the policy that does not depend on a target.
func (c *Call) permit(action Action) error {
	rule, known := actionRules[action]
	if !known {
		return Wrong(CodeForbidden, ReasonRankTooLow, "The caller may not do this.")
	}
	if err := c.Actor.bar(action); err != nil {
		return err
	}
	if c.Actor.Scopes&rule.scope != rule.scope {
		return Wrong(CodeForbidden, ReasonScopeMissing, "The credential was not made for this.")
	}
	c.Actor.selfOnly = c.Actor.renewal
	if c.Actor.Rank >= rule.rank {
		return nil
	}
	if rule.self && c.Actor.User != 0 {
		c.Actor.selfOnly = true
		return nil
	}
	return Wrong(CodeForbidden, ReasonRankTooLow, "The caller's rank does not allow this.")
}

// means are the ways to prove who asks.
type means uint8

const (
	byKey      means = 1 << iota // an API key
	byToken                      // an OAuth access token
	bySession                    // a cookie session, of an API user or of a person
	bySigned                     // a signed token
	byCustomer                   // a customer's id and code
)

// doorMeans says which means a door accepts; the others do not exist for it.
// What a door's vendor does not know would be a way in that nobody watches;
// servicemobility takes API keys in the place of its tokens all the same, so
// that an integration needs one key for all doors.
var doorMeans = map[Door]means{
	DoorCanonical:       byKey | byToken | bySigned,
	DoorSCIM:            byKey | byToken,
	DoorConsole:         byToken,
	DoorIQmetrix:        byKey | byToken,
	DoorEncore:          byKey,
	DoorSmartapp:        byKey,
	DoorEduBrite:        bySession,
	DoorServiceMobility: byKey | bySigned | byCustomer,
}

// means tells by its form what a call presents, among what its door accepts;
// 0 is nothing that the door accepts. Tokens have forms that keys have only if
// somebody chose them so.
func (c *Call) means() means {
	accepted := doorMeans[c.Door]
	switch {
	case accepted&byCustomer != 0 && c.ClientID != "":
		return byCustomer
	case accepted&bySigned != 0 && isSignedText(string(c.Secret)):
		return bySigned
	case accepted&byToken != 0 && isTokenText(string(c.Secret)):
		return byToken
	}
	return accepted & (byKey | bySession)
}

// authenticate verifies what the call presents: on the primary, with no cache,
// so that what was revoked a moment ago in any process is refused
// (docs/architecture.md, Revocation). A key or token is one statement.
func (s *Service) authenticate(ctx context.Context, call *Call) error {
	if call.asked {
		return nil // askersCall has just verified it
	}
	if call.trusted {
		return s.settle(ctx, call)
	}
	if call.Secret == "" && call.ClientID == "" {
		s.countStranger(call)
		return Wrong(CodeUnauthenticated, ReasonCredentialMissing, "A credential is required.")
	}
	version, err := s.proveInTurn(ctx, call)
	if err != nil {
		return err
	}
	call.Actor.provisions = call.Door == DoorSCIM
	if err := s.count(ctx, call, version); err != nil || call.console == nil {
		return err
	}
	return s.keepAwake(ctx, call)
}

// proveInTurn is prove with the limit of strangers before it.
func (s *Service) proveInTurn(ctx context.Context, call *Call) (version int64, err error) {
	turn, err := s.strangers.Enter(ctx, call.Addr, call.ClientID, call.Secret)
	if err != nil {
		return 0, s.refused(call, err)
	}
	found := unlooked // a failure of the database, or a panic, says nothing of the credential
	defer func() {
		if tooMany := s.strangers.Leave(turn, call.Addr, call.ClientID, call.Secret, found); tooMany != nil {
			err = tooMany
		}
		err = s.refused(call, err)
	}()
	version, err = s.prove(ctx, call)
	if errors.Is(err, ErrNotFound) {
		err = errCredential()
	}
	switch {
	case call.found:
		found = somebodys
	case CodeOf(err) == CodeUnauthenticated:
		found = nobodys
	}
	return version, err
}

// refused counts a call against its address if its credential was refused, and
// returns the error as it is.
func (s *Service) refused(call *Call, err error) error {
	switch {
	case CodeOf(err) == CodeUnauthenticated:
		s.countStranger(call)
	case IsReason(err, ReasonTooManyStrangers):
		s.countStranger(call)
		call.Quota.Remaining, call.Quota.Reset = 0, s.now().Add(AsError(err).Retry)
	}
	return err
}

func errCredential() error {
	return Wrong(CodeUnauthenticated, ReasonCredentialInvalid, "The credential is not valid.")
}

// prove finds what the call presents, decides whether it is valid now and
// makes whose it is the actor. It returns the tenant's version. ErrNotFound and
// credential.invalid mean the same.
func (s *Service) prove(ctx context.Context, call *Call) (version int64, err error) {
	switch call.means() {
	case bySession:
		return s.proveSession(ctx, call)
	case bySigned:
		return s.proveSigned(ctx, call)
	case byCustomer:
		return s.proveCustomer(ctx, call)
	case byToken:
		auth, err := s.lookUpToken(ctx, string(call.Secret))
		if err == nil {
			call.found = true
			if err = s.admitToken(call, &auth); err == nil && call.Door == DoorConsole {
				err = s.admitConsole(ctx, call, &auth)
			}
			return auth.TenantVersion, err
		}
		if !errors.Is(err, ErrNotFound) || doorMeans[call.Door]&byKey == 0 {
			return 0, err
		}
		fallthrough // a key that was given the form of a token
	case byKey:
		auth, err := s.lookUpKey(ctx, string(call.Secret))
		if err != nil {
			return 0, err
		}
		call.found = true
		return auth.TenantVersion, s.admitKey(call, &auth)
	}
	return 0, ErrNotFound
}

// enterUser is enter for a use case about one user. For a key and a user by
// number or id, the commonest call there is, it reads both in one statement and
// returns the user, whom the caller still has to find visible; otherwise nil.
func (s *Service) enterUser(ctx context.Context, call *Call, action Action, ref UserRef) (*User, error) {
	id := ""
	if ref.Number == 0 && ref.ID != "" {
		id, _ = presetID(ref.ID) // "" for what is none
	}
	if call.trusted || id == "" && (ref.Number <= 0 || ref.Number > MaxNumber) || call.Secret == "" || call.means() != byKey ||
		!s.strangers.Recognises(call.ClientID, call.Secret) {
		return nil, s.enter(ctx, call, action)
	}
	var auth Authentication
	var u User
	err := s.store.Read(ctx, func(r Reader) (err error) {
		if id != "" {
			auth, u, err = r.KeyAndUserByID(ctx, hashOf(string(call.Secret)), id)
			return err
		}
		auth, u, err = r.KeyAndUser(ctx, hashOf(string(call.Secret)), ref.Number)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, s.enter(ctx, call, action) // which of the two is missing?
	}
	if err != nil {
		return &u, err
	}
	if err := s.admitKey(call, &auth); err != nil {
		return &u, s.refused(call, err)
	}
	call.Actor.provisions = call.Door == DoorSCIM
	if err := s.count(ctx, call, auth.TenantVersion); err != nil {
		return &u, err
	}
	return &u, call.permit(action)
}

// hashOf is how secrets are stored and found: SHA-256, since they are random.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func (s *Service) lookUpKey(ctx context.Context, secret string) (auth Authentication, err error) {
	err = s.store.Read(ctx, func(r Reader) (err error) {
		auth, err = r.AuthenticateKey(ctx, hashOf(secret))
		return err
	})
	return auth, err
}

func (s *Service) lookUpToken(ctx context.Context, secret string) (auth Authentication, err error) {
	err = s.store.Read(ctx, func(r Reader) (err error) {
		auth, err = r.AuthenticateToken(ctx, hashOf(secret), TokenAccess)
		return err
	})
	return auth, err
}

// openDoor refuses a tenant that is disabled or has the door switched off.
func openDoor(call *Call, auth *Authentication) error {
	if auth.TenantDisabled || !auth.TenantDoors.Has(call.Door) {
		return errDoorClosed()
	}
	return nil
}

func errDoorClosed() error {
	return Wrong(CodeUnauthenticated, ReasonDoorClosed, "This door is closed for the credential.")
}

// validNow refuses a credential that has expired or is not for the door.
func (s *Service) validNow(call *Call, c *Credential) error {
	if !c.Doors.Has(call.Door) {
		return errDoorClosed()
	}
	if !c.ExpiresAt.IsZero() && !s.now().Before(c.ExpiresAt) {
		return Wrong(CodeUnauthenticated, ReasonCredentialExpired, "The credential has expired.")
	}
	return nil
}

// admitKey makes a key the actor, or a customer, if it is valid now.
func (s *Service) admitKey(call *Call, auth *Authentication) error {
	if err := openDoor(call, auth); err != nil {
		return err
	}
	if err := s.validNow(call, &auth.Credential); err != nil {
		return err
	}
	call.Actor = keyAsActor(&auth.Credential)
	call.Actor.Tenant = auth.Tenant
	return nil
}

// admitToken makes the token's user the actor, if the user may still act.
func (s *Service) admitToken(call *Call, auth *Authentication) error {
	if err := openDoor(call, auth); err != nil {
		return err
	}
	token, user, now := &auth.Token, &auth.User, s.now()
	switch {
	case !token.opens(call.Door), token.Epoch != user.AuthEpoch, user.MustChangePassword, !user.Usable(now):
		return Wrong(CodeUnauthenticated, ReasonCredentialInvalid, "The token is not valid.")
	case !now.Before(token.ExpiresAt):
		return Wrong(CodeUnauthenticated, ReasonCredentialExpired, "The token has expired.")
	}
	call.Actor = personOf(user)
	return nil
}

// opens reports whether a token is good for a door: the one where it was given,
// and scim too for those of the canonical door (RFC 7644 section 3.11 lets
// people see themselves there).
func (t *Token) opens(door Door) bool {
	return t.Door == door || t.Door == DoorCanonical && door == DoorSCIM
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
	if call.part {
		return nil
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
	call.admitted = true
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

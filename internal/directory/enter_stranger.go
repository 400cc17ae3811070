package directory

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"strings"
	"time"
)

// enterClient is enter for callers who have no credential yet but a client's
// name and secret, of the kind that the use case is for: it finds the tenant by
// the name and verifies the secret. An unknown client costs the same work as a
// wrong secret. API users, whose names people may know, are limited as
// sign-ins are, but only those who fail: scripts connect with every run. Who has
// been right before in this process is let through to the look-up, so that
// somebody who tries secrets keeps no program out.
func (s *Service) enterClient(ctx context.Context, call *Call, g Grant, kind CredentialKind) (Credential, error) {
	succeeded := func() {}
	if kind == CredentialAPIUser && !s.strangers.Recognises(g.ClientID, g.ClientSecret) {
		var retry time.Duration
		var ok bool
		if succeeded, retry, ok = s.logins.Attempt(0, "api_user:"+g.ClientID, call.Addr); !ok {
			s.countStranger(call)
			return Credential{}, TooManyLogins(retry)
		}
	}
	auth, err := s.clientInTurn(ctx, call, g, kind)
	if err == nil && (openDoor(call, &auth) != nil || s.validNow(call, &auth.Credential) != nil) {
		err = errClient()
	}
	if err != nil {
		return Credential{}, s.refused(call, err)
	}
	client := auth.Credential
	succeeded()
	call.Actor = Actor{Tenant: auth.Tenant, Credential: client.ID, Name: "client:" + client.Name, through: client.ID}
	return client, s.count(ctx, call, auth.TenantVersion)
}

func errClient() error {
	return Wrong(CodeUnauthenticated, ReasonClientInvalid, "The client is not known or its secret is wrong.")
}

// clientInTurn is lookUpClient with the limit of strangers before it. Errors:
// client.invalid, limit.credentials.
func (s *Service) clientInTurn(ctx context.Context, call *Call, g Grant, kind CredentialKind) (auth Authentication, err error) {
	turn, err := s.strangers.Enter(ctx, call.Addr, g.ClientID, g.ClientSecret)
	if err != nil {
		return auth, err
	}
	found := unlooked
	defer func() {
		if tooMany := s.strangers.Leave(turn, call.Addr, g.ClientID, g.ClientSecret, found); tooMany != nil {
			err = tooMany
		}
	}()
	auth, same, err := s.lookUpClient(ctx, g, kind)
	switch {
	case err != nil:
		return auth, err
	case !same:
		found = nobodys
		return auth, errClient()
	}
	found = somebodys
	return auth, nil
}

// lookUpClient finds a credential of a kind by name and compares its secret.
// The comparison is made for an unknown name too.
func (s *Service) lookUpClient(ctx context.Context, g Grant, kind CredentialKind) (auth Authentication, same bool, err error) {
	err = ErrNotFound
	if CleanText("client_id", g.ClientID, maxTextRunes) == nil {
		err = s.store.Read(ctx, func(r Reader) (err error) {
			auth, err = r.AuthenticateClient(ctx, g.ClientID)
			return err
		})
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return auth, false, err
	}
	same = subtle.ConstantTimeCompare(hashOf(string(g.ClientSecret)), auth.Credential.Hash) == 1
	return auth, same && err == nil && auth.Credential.Kind == kind, nil
}

// enterByHost is enter for sign-ins that come without any credential: the
// tenant is the one of the request's host name, else the only one that has the
// door on. Never a search across tenants: without one, the answer is that of a
// wrong password, after the same work.
func (s *Service) enterByHost(ctx context.Context, call *Call) error {
	host := hostOf(call.Host)
	var tenant Tenant
	err := ErrNotFound
	if host != "" {
		err = s.store.Read(ctx, func(r Reader) (err error) {
			tenant, err = r.TenantByHost(ctx, host)
			return err
		})
	}
	if errors.Is(err, ErrNotFound) {
		err = s.store.Read(ctx, func(r Reader) error {
			list, err := r.TenantsOfDoor(ctx, call.Door, 2)
			if err == nil && len(list) != 1 {
				return ErrNotFound
			}
			if err == nil {
				tenant = list[0]
			}
			return err
		})
	}
	if err == nil && (tenant.Disabled || !tenant.Doors.Has(call.Door)) {
		err = ErrNotFound
	}
	if errors.Is(err, ErrNotFound) {
		return s.refuseStranger(ctx, call, host)
	}
	if err != nil {
		return err
	}
	call.Actor = Actor{Tenant: tenant.No}
	return s.count(ctx, call, tenant.Version)
}

// refuseStranger answers a sign-in that has no tenant as one with a wrong
// password, limits and work included.
func (s *Service) refuseStranger(ctx context.Context, call *Call, host string) error {
	s.countStranger(call)
	if retry, ok := s.logins.Allow(0, "host:"+host, call.Addr); !ok {
		return TooManyLogins(retry)
	}
	if err := s.hasher.VerifyNothing(ctx, host); err != nil {
		return err
	}
	return errLogin()
}

// hostOf is the host of a request as tenants keep theirs: without port, in
// lower case.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// enterReset is enter for who comes with nothing but a reset token: it finds
// the user whose token it is, who becomes the actor, if that user may sign in.
func (s *Service) enterReset(ctx context.Context, call *Call, token Secret) (User, error) {
	if retry, ok := s.logins.Allow(0, "reset:"+string(token), call.Addr); !ok {
		s.countStranger(call)
		return User{}, TooManyLogins(retry)
	}
	var user User
	var auth Authentication
	err := s.store.View(ctx, func(r Reader) (err error) {
		if auth, err = r.AuthenticateToken(ctx, hashOf(string(token)), TokenReset); err != nil {
			return err
		}
		user, err = r.UserByNumber(ctx, auth.Tenant, auth.Token.User)
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return User{}, err
	}
	// The page that asks belongs to the door that made the token.
	if err != nil || auth.TenantDisabled || !auth.TenantDoors.Has(auth.Token.Door) || auth.Token.Epoch != user.AuthEpoch || !user.Usable(s.now()) || !s.now().Before(auth.Token.ExpiresAt) {
		s.countStranger(call)
		return User{}, errReset()
	}
	call.Actor = Actor{Tenant: user.Tenant, User: user.Number, Name: personOf(&user).Name, Scopes: ScopePasswords}
	return user, s.count(ctx, call, auth.TenantVersion)
}

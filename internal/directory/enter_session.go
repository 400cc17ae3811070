package directory

import (
	"context"
	"strconv"
	"time"
)

// extendAfter is how much of a session's time may be gone before its end is
// moved: a session in use costs one write an hour.
const extendAfter = time.Hour

// proveSession verifies a cookie session: of a person, or of an API user, who
// says for whom it acts (docs/dialects/edubrite.md 2.3).
func (s *Service) proveSession(ctx context.Context, call *Call) (version int64, err error) {
	var auth Authentication
	err = s.store.Read(ctx, func(r Reader) (err error) {
		auth, err = r.AuthenticateSession(ctx, hashOf(string(call.Secret)))
		return err
	})
	if err != nil {
		return 0, err
	}
	call.found = true
	if err := openDoor(call, &auth); err != nil {
		return 0, err
	}
	token, now := &auth.Token, s.now()
	if token.Door != call.Door {
		return 0, errCredential()
	}
	if !now.Before(token.ExpiresAt) {
		return 0, Wrong(CodeUnauthenticated, ReasonCredentialExpired, "The session has expired.")
	}
	if token.User == 0 {
		err = s.actFor(ctx, call, &auth)
	} else {
		err = s.actAlone(ctx, call, &auth)
	}
	if err != nil {
		return 0, err
	}
	if until := now.Add(SessionLifetime); until.Sub(token.ExpiresAt) >= extendAfter {
		// The session is good until its present end, whether this succeeds or not.
		_ = s.store.Update(ctx, func(tx Tx) error { return tx.ExtendToken(ctx, token.Hash, until) })
	}
	return auth.TenantVersion, nil
}

// actFor makes the person that the call names the actor, as far as the API user
// may go. The person need not have a password: the API user vouches for it.
func (s *Service) actFor(ctx context.Context, call *Call, auth *Authentication) error {
	if auth.Credential.Kind != CredentialAPIUser {
		return errCredential()
	}
	if err := s.validNow(call, &auth.Credential); err != nil {
		return err
	}
	user, err := s.personNamed(ctx, auth.Tenant, call.ActAs)
	if err != nil {
		return err
	}
	if !user.Usable(s.now()) {
		return errCredential()
	}
	call.Actor = within(personOf(&user), &auth.Credential)
	return nil
}

// actAlone makes the session's own user the actor. A session that was opened
// through an API user goes no further than that.
func (s *Service) actAlone(ctx context.Context, call *Call, auth *Authentication) error {
	token, user := &auth.Token, &auth.User
	if token.Epoch != user.AuthEpoch || user.MustChangePassword || !user.Usable(s.now()) {
		return errCredential()
	}
	call.Actor = personOf(user)
	if token.Client != "" {
		if err := s.validNow(call, &auth.Credential); err != nil {
			return err
		}
		call.Actor = within(call.Actor, &auth.Credential)
	}
	if call.ActAs == "" {
		return nil
	}
	named, err := s.personNamed(ctx, auth.Tenant, call.ActAs)
	if err == nil && named.Number != user.Number {
		err = errCredential()
	}
	return err
}

// keyAsActor is a key, or a customer, as an actor.
func keyAsActor(key *Credential) Actor {
	return Actor{Tenant: key.Tenant, Credential: key.ID, Name: string(key.Kind) + ":" + key.Name, Rank: key.Rank,
		Scopes: key.Scopes, Root: key.Root, doors: key.Doors, until: key.ExpiresAt, through: key.ID}
}

// personOf is a person as an actor, in its own right.
func personOf(u *User) Actor {
	return Actor{Tenant: u.Tenant, User: u.Number, Name: "user:" + strconv.FormatInt(u.Number, 10), Rank: u.Rank, Scopes: AllScopes, epoch: u.AuthEpoch}
}

// within is an actor who cannot go further than a credential.
func within(a Actor, c *Credential) Actor {
	a.Rank = min(a.Rank, c.Rank)
	a.Scopes &= c.Scopes
	a.Root, a.doors, a.until, a.through = c.Root, c.Doors, c.ExpiresAt, c.ID
	a.OnBehalfOf = "credential:" + c.Name
	return a
}

// personNamed finds a person by user name and nothing else. ErrNotFound when
// there is none.
func (s *Service) personNamed(ctx context.Context, t TenantNo, name string) (User, error) {
	key, err := FoldKey(SpaceLogin, name)
	if err != nil {
		return User{}, ErrNotFound
	}
	var user User
	var kinds HandleKind
	err = s.store.Read(ctx, func(r Reader) (err error) {
		user, kinds, err = r.UserByHandle(ctx, t, SpaceLogin, key)
		return err
	})
	if err == nil && kinds&HandleUserName == 0 {
		err = ErrNotFound
	}
	return user, err
}

// proveCustomer verifies a customer's id and code.
func (s *Service) proveCustomer(ctx context.Context, call *Call) (version int64, err error) {
	auth, same, err := s.lookUpClient(ctx, Grant{ClientID: call.ClientID, ClientSecret: call.Secret}, CredentialCustomer)
	if err != nil {
		return 0, err
	}
	if !same {
		return 0, errCredential()
	}
	call.found = true
	return auth.TenantVersion, s.admitKey(call, &auth)
}

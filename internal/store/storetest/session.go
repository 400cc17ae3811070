package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var sessionChecks = []check{
	{"AuthenticateSession finds a cookie session of a credential", sessionOfCredential},
	{"AuthenticateSession finds a cookie session of a user", sessionOfUser},
	{"AuthenticateSession shows user, credential and tenant as they are now", sessionNow},
	{"A session whose credential is gone is not found", sessionGone},
	{"A session of nobody is not found", sessionOfNobody},
	{"ExtendToken moves a token's end", sessionExtend},
	{"A reset token is found as one of its kind", sessionReset},
	{"DeleteExpiredTokens of number 0 removes the credentials' sessions", sessionExpired},
	{"AuthenticateSigned finds a signing key by its id together with a user of its tenant", signedFinds},
	{"SigningKeys lists the tenant's, the newest first", signingNewest},
	{"An impersonation's fields round trip", impersonationRoundTrip},
}

// bearer is what a look-up reads of a user who is signed in.
func bearer(u directory.User) directory.User {
	return directory.User{Tenant: u.Tenant, Number: u.Number, ID: u.ID, State: u.State, Locked: u.Locked,
		MustChangePassword: u.MustChangePassword, ValidFrom: u.ValidFrom, ExpiresAt: u.ExpiresAt, Company: u.Company,
		Rank: u.Rank, AuthEpoch: u.AuthEpoch, UserName: u.UserName, Email: u.Email, GivenName: u.GivenName,
		FamilyName: u.FamilyName, DisplayName: u.DisplayName}
}

func (s *sample) trySession(hash []byte) (directory.Authentication, error) {
	return tryLook(s, func(ctx context.Context, r directory.Reader) (directory.Authentication, error) {
		return r.AuthenticateSession(ctx, hash)
	})
}

// wantSession compares all that the look-up of a session answers.
func (s *sample) wantSession(token directory.Token, c directory.Credential, u directory.User) {
	s.t.Helper()
	got, err := s.trySession(token.Hash)
	if err != nil {
		s.t.Fatalf("AuthenticateSession: %v", err)
	}
	tenant := look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.Tenant, error) {
		return r.Tenant(ctx, s.tenant)
	})
	c.Hash = nil
	wantSame(s.t, "the session", got, directory.Authentication{Tenant: s.tenant, TenantVersion: tenant.Version,
		TenantDoors: tenant.Doors, TenantDisabled: tenant.Disabled, Token: token, Credential: deciding(c), User: u})
}

// apiUser stores a credential that opens sessions.
func (s *sample) apiUser(name string) directory.Credential {
	c := s.fullCredential(name)
	c.Kind, c.ClientID = directory.CredentialAPIUser, name+c.ID
	return s.addCredential(c)
}

func sessionOfCredential(_ *testing.T, s *sample) {
	c := s.apiUser("api")
	s.addUser(1)
	token := s.token("cookie", directory.TokenSession, 0)
	token.Client = c.ID
	s.addTokens(token)
	s.wantSession(token, c, directory.User{})
}

func sessionOfUser(t *testing.T, s *sample) {
	u := s.fullUser(1)
	s.addUsers(u)
	wantNoZero(t, directory.Token{Tenant: 1, Hash: []byte{1}, Session: "s", Kind: directory.TokenSession, User: 1, Client: "c",
		Door: 1, Epoch: 1, CreatedAt: noon, ExpiresAt: noon})
	token := s.token("cookie", directory.TokenSession, 1)
	s.addTokens(token)
	s.wantSession(token, directory.Credential{}, bearer(u))
	_, err := s.trySession(sum("another" + s.session()))
	wantNotFound(t, "another cookie", err)
	through := s.token("through", directory.TokenSession, 1)
	c := s.apiUser("api")
	through.Client = c.ID
	access := s.token("access", directory.TokenAccess, 1)
	s.addTokens(through, access)
	s.wantSession(through, c, bearer(u))
	_, err = s.trySession(access.Hash)
	wantNotFound(t, "an access token as a session", err)
	_, err = s.authenticate(directory.Token{Hash: token.Hash, Kind: directory.TokenAccess})
	wantNotFound(t, "a session as an access token", err)
}

func sessionNow(_ *testing.T, s *sample) {
	s.addUser(1)
	c := s.apiUser("api")
	token, api := s.token("cookie", directory.TokenSession, 1), s.token("api", directory.TokenSession, 0)
	api.Client = c.ID
	s.addTokens(token, api)
	for _, change := range []func(u *directory.User){
		func(u *directory.User) { u.AuthEpoch++ },
		func(u *directory.User) { u.Locked, u.Rank = true, directory.RankOwner },
		func(u *directory.User) { u.State, u.ValidFrom, u.ExpiresAt = directory.StateDeleted, noon, noon },
		func(u *directory.User) {
			u.MustChangePassword, u.UserName, u.Email = true, "renamed", "renamed@example.com"
		},
	} {
		s.change(1, change)
		s.wantSession(token, directory.Credential{}, bearer(s.stored(1)))
	}
	s.update(func(tx directory.Tx) error {
		tenant, err := tx.LockTenant(s.ctx, s.tenant)
		tenant.Doors, tenant.Disabled, tenant.Version = 0, true, 5
		return errors.Join(err, tx.UpdateTenant(s.ctx, tenant))
	})
	s.wantSession(token, directory.Credential{}, bearer(s.stored(1)))
	s.wantSession(api, c, directory.User{})
}

func sessionGone(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	c := s.apiUser("api")
	api, through, own := s.token("api", directory.TokenSession, 0), s.token("through", directory.TokenSession, 1), s.token("own", directory.TokenSession, 2)
	api.Client, through.Client = c.ID, c.ID
	s.addTokens(api, through, own)
	s.wantSession(api, c, directory.User{})
	s.update(func(tx directory.Tx) error { return tx.DeleteCredential(s.ctx, s.tenant, c.ID) })
	for _, token := range []directory.Token{api, through} {
		_, err := s.trySession(token.Hash)
		wantNotFound(t, "a session whose credential is gone", err)
	}
	s.wantSession(own, directory.Credential{}, bearer(s.stored(2)))
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 2)) })
	_, err := s.trySession(own.Hash)
	wantNotFound(t, "a session of an erased user", err)
}

// sessionOfNobody: a session without a credential and without a user would
// open a tenant to whoever holds it.
func sessionOfNobody(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	c := other.apiUser("api")
	nobodys, absent, foreign := s.token("a", directory.TokenSession, 0), s.token("b", directory.TokenSession, 7), s.token("c", directory.TokenSession, 0)
	absent.Client, foreign.Client = s.apiUser("own").ID, c.ID
	s.addTokens(nobodys, absent, foreign)
	for _, token := range []directory.Token{nobodys, absent, foreign} {
		_, err := s.trySession(token.Hash)
		wantNotFound(t, "a session of nobody", err)
	}
}

func sessionExtend(t *testing.T, s *sample) {
	s.addUser(1)
	token, other := s.token("cookie", directory.TokenSession, 1), s.token("other", directory.TokenSession, 1)
	s.addTokens(token, other)
	token.ExpiresAt = noon.Add(12 * time.Hour)
	s.update(func(tx directory.Tx) error { return tx.ExtendToken(s.ctx, token.Hash, token.ExpiresAt) })
	s.wantSession(token, directory.Credential{}, bearer(s.stored(1)))
	s.wantSession(other, directory.Credential{}, bearer(s.stored(1)))
	err := s.try(func(tx directory.Tx) error { return tx.ExtendToken(s.ctx, sum("absent"), noon) })
	wantNotFound(t, "the extension of no token", err)
}

func sessionReset(t *testing.T, s *sample) {
	s.addUser(1)
	token := s.token("reset", directory.TokenReset, 1)
	s.addTokens(token)
	s.wantBearer(token, s.stored(1))
	token.Kind = directory.TokenAccess
	_, err := s.authenticate(token)
	wantNotFound(t, "a reset token as an access token", err)
}

func sessionExpired(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	s.addUser(1)
	c, theirs := s.apiUser("api"), other.apiUser("api")
	gone, kept, users, foreign := s.token("gone", directory.TokenSession, 0), s.token("kept", directory.TokenSession, 0),
		s.token("user's", directory.TokenSession, 1), other.token("gone", directory.TokenSession, 0)
	gone.Client, kept.Client, foreign.Client = c.ID, c.ID, theirs.ID
	users.ExpiresAt, foreign.ExpiresAt = noon.Add(-time.Hour), noon.Add(-time.Hour)
	gone.ExpiresAt = noon.Add(-time.Microsecond)
	s.addTokens(gone, kept, users)
	other.addTokens(foreign)
	s.update(func(tx directory.Tx) error { return tx.DeleteExpiredTokens(s.ctx, s.tenant, 0, noon.UnixMicro()) })
	_, err := s.trySession(gone.Hash)
	wantNotFound(t, "the expired session", err)
	s.wantSession(kept, c, directory.User{})
	s.wantSession(users, directory.Credential{}, bearer(s.stored(1)))
	other.wantSession(foreign, theirs, directory.User{})
}

// signingKey is a key of the sample, not stored yet.
func (s *sample) signingKey(name string) directory.SigningKey {
	return directory.SigningKey{Tenant: s.tenant, ID: name + s.session(), Sealed: []byte("sealed " + name), CreatedAt: noon}
}

func (s *sample) addSigningKey(k directory.SigningKey) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.InsertSigningKey(s.ctx, k) })
}

func signedFinds(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	old, key, theirs := s.signingKey("old"), s.signingKey("new"), other.signingKey("key")
	wantNoZero(t, key)
	s.addSigningKey(old)
	s.addSigningKey(key)
	other.addSigningKey(theirs)
	other.addUser(9)
	s.addUsers(s.fullUser(7))
	signed := func(id string, number int64) (directory.Authentication, error) {
		return tryLook(s, func(ctx context.Context, r directory.Reader) (directory.Authentication, error) {
			return r.AuthenticateSigned(ctx, id, number)
		})
	}
	for _, k := range []directory.SigningKey{old, key} {
		for _, change := range []func(u *directory.User){func(*directory.User) {}, func(u *directory.User) { u.AuthEpoch++ },
			func(u *directory.User) { u.State, u.Locked = directory.StateDeleted, !u.Locked }} {
			s.change(7, change)
			got, err := signed(k.ID, 7)
			if err != nil {
				t.Fatal(err)
			}
			wantSame(t, "the signed token", got, directory.Authentication{Tenant: s.tenant, TenantVersion: 1,
				TenantDoors: directory.AllDoors, Key: k, User: bearer(s.stored(7))})
		}
	}
	for _, missing := range []struct {
		id     string
		number int64
	}{{key.ID, 8}, {key.ID, 9}, {theirs.ID, 7}, {"absent", 7}, {"", 7}, {key.ID, 0}, {key.ID, -1}, {key.ID, 1<<40 | 7}} {
		_, err := signed(missing.id, missing.number)
		wantNotFound(t, "AuthenticateSigned "+missing.id, err)
	}
}

func signingNewest(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	wantKeys := func(limit int, want ...directory.SigningKey) {
		t.Helper()
		wantSame(t, "SigningKeys", look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.SigningKey, error) {
			return r.SigningKeys(ctx, s.tenant, limit)
		}), want)
	}
	wantKeys(5)
	a, b, c := s.signingKey("a"), s.signingKey("b"), s.signingKey("c")
	b.CreatedAt = noon.Add(time.Microsecond)
	theirs := other.signingKey("theirs")
	theirs.CreatedAt = noon.Add(time.Hour)
	other.addSigningKey(theirs)
	for _, k := range []directory.SigningKey{a, b, c} {
		s.addSigningKey(k)
	}
	wantKeys(5, b, c, a)
	wantKeys(2, b, c)
	wantKeys(0)
	wantKeys(-1)
	err := other.try(func(tx directory.Tx) error {
		k := other.signingKey("x")
		k.ID = a.ID
		return tx.InsertSigningKey(s.ctx, k)
	})
	wantConflict(t, "a second key of the id", err)
}

func impersonationRoundTrip(t *testing.T, s *sample) {
	i := directory.Impersonation{Tenant: s.tenant, ID: "act" + s.session(), Admin: 1, Target: 2, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	wantNoZero(t, i)
	s.addPlain(3)
	others := i
	others.ID, others.Admin = "other"+s.session(), 3
	for _, one := range []directory.Impersonation{i, others} {
		s.update(func(tx directory.Tx) error { return tx.InsertImpersonation(s.ctx, one) })
	}
	find := func(id string) (directory.Impersonation, error) {
		return tryLook(s, func(ctx context.Context, r directory.Reader) (directory.Impersonation, error) {
			return r.Impersonation(ctx, id)
		})
	}
	got, err := find(i.ID)
	wantSame(t, "Impersonation", got, i)
	if err != nil {
		t.Error(err)
	}
	err = s.try(func(tx directory.Tx) error { return tx.InsertImpersonation(s.ctx, i) })
	wantConflict(t, "a second impersonation of the id", err)
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 3)) })
	_, err = find(others.ID)
	wantNotFound(t, "the impersonation by an erased user", err)
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 2)) })
	_, err = find(i.ID)
	wantNotFound(t, "the impersonation of an erased user", err)
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var credentialChecks = []check{
	{"A credential's fields round trip", credentialRoundTrip},
	{"AuthenticateKey finds an API key by the SHA-256 of its secret, of any tenant, with the tenant's switches", credentialKey},
	{"AuthenticateClient finds a credential of any kind but keys by client id", credentialClient},
	{"A key is no client and a client is no key", credentialKinds},
	{"Credentials lists without their hashes, oldest first", credentialList},
	{"DeleteCredential ends it at once", credentialDelete},
	{"KeyAndUser is AuthenticateKey together with the user of a number of the key's tenant", credentialKeyAndUser},
	{"KeyAndUserByID is KeyAndUser with the user of an id", credentialKeyAndUserByID},
	{"A change of the tenant shows at once in AuthenticateKey", credentialTenantChange},
}

// credential is an API key whose secret is the text, not stored yet.
func (s *sample) credential(secret string) directory.Credential {
	return directory.Credential{Tenant: s.tenant, ID: uuid.NewString(), Kind: directory.CredentialKey, Name: "Key " + secret,
		Hash: sum(secret + s.session()), Hint: "…" + "abcd", Rank: directory.RankReader, Scopes: directory.AllScopes,
		Doors: directory.AllDoors, CreatedAt: noon}
}

func (s *sample) fullCredential(secret string) directory.Credential {
	c := s.credential(secret)
	c.Rank, c.Scopes, c.Doors = directory.RankAdministrator, directory.ScopeUsersRead|directory.ScopeEvents, directory.DoorSet(directory.DoorSCIM)
	c.Root, c.ExpiresAt = 1, noon.Add(time.Hour)
	return c
}

func (s *sample) addCredential(c directory.Credential) directory.Credential {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.InsertCredential(s.ctx, c) })
	return c
}

// wantAuthentication compares the tenant's part of an authentication.
func (s *sample) wantAuthentication(got directory.Authentication, tenant directory.Tenant) {
	s.t.Helper()
	got.Credential, got.Token, got.User = directory.Credential{}, directory.Token{}, directory.User{}
	wantSame(s.t, "the tenant's switches", got, directory.Authentication{Tenant: tenant.No, TenantVersion: tenant.Version,
		TenantDoors: tenant.Doors, TenantDisabled: tenant.Disabled})
}

// withoutHash is what may be compared of a credential that was found by its
// hash.
func withoutHash(c directory.Credential) directory.Credential {
	c.Hash = nil
	return c
}

// deciding leaves the fields of a credential that decide about a request; the
// look-up on the hot path may leave out the others.
func deciding(c directory.Credential) directory.Credential {
	c.Hint, c.CreatedAt = "", time.Time{}
	return c
}

func credentialRoundTrip(t *testing.T, s *sample) {
	full := s.fullCredential("full")
	full.Kind, full.ClientID = directory.CredentialClient, "client-"+full.ID
	wantNoZero(t, full)
	for _, c := range []directory.Credential{full, s.credential("bare")} {
		s.addCredential(c)
		got := look(t, s, func(ctx context.Context, r directory.Reader) (directory.Credential, error) {
			return r.Credential(ctx, s.tenant, c.ID)
		})
		wantSame(t, "Credential", withoutHash(got), withoutHash(c))
	}
}

func credentialKey(t *testing.T, s *sample) {
	tenant := fullTenant()
	tenant = s.insertTenant(tenant)
	other := &sample{t: t, store: s.store, ctx: s.ctx, tenant: tenant.No, companies: map[int64]directory.Company{}}
	other.addCompany(1, 0, "Root")
	c := other.addCredential(other.fullCredential("key"))
	s.addCredential(s.credential("another"))
	got := look(t, s, func(ctx context.Context, r directory.Reader) (directory.Authentication, error) {
		return r.AuthenticateKey(ctx, c.Hash)
	})
	wantSame(t, "credential", withoutHash(deciding(got.Credential)), withoutHash(deciding(c)))
	s.wantAuthentication(got, tenant)
	if len(got.Token.Hash) != 0 {
		t.Error("the authentication of a key has a token")
	}
	s.view(func(r directory.Reader) error {
		for _, hash := range [][]byte{nil, {}, c.Hash[:31], append(append([]byte(nil), c.Hash...), 0), sum("absent")} {
			_, err := r.AuthenticateKey(s.ctx, hash)
			wantNotFound(t, fmt.Sprintf("AuthenticateKey %x", hash), err)
		}
		return nil
	})
}

func credentialKeyAndUser(t *testing.T, s *sample) {
	other := &sample{t: t, store: s.store, ctx: s.ctx, tenant: s.insertTenant(fullTenant()).No}
	c := s.addCredential(s.fullCredential("key"))
	u := s.fullUser(7)
	s.addUsers(u)
	s.view(func(r directory.Reader) error {
		auth, got, err := r.KeyAndUser(s.ctx, c.Hash, 7)
		if err != nil {
			return err
		}
		alone, err := r.AuthenticateKey(s.ctx, c.Hash)
		wantSame(t, "authentication", auth, alone)
		wantSame(t, "user", got, u)
		return err
	})
	theirs := other.addCredential(other.credential("theirs"))
	s.view(func(r directory.Reader) error {
		for _, missing := range []struct {
			hash   []byte
			number int64
		}{{c.Hash, 8}, {c.Hash, 0}, {c.Hash, -1}, {c.Hash, 1 << 40}, {sum("absent"), 7}, {theirs.Hash, 7}} {
			_, _, err := r.KeyAndUser(s.ctx, missing.hash, missing.number)
			wantNotFound(t, fmt.Sprintf("KeyAndUser of user %d", missing.number), err)
		}
		return nil
	})
}

func credentialKeyAndUserByID(t *testing.T, s *sample) {
	other := &sample{t: t, store: s.store, ctx: s.ctx, tenant: s.insertTenant(fullTenant()).No}
	c := s.addCredential(s.fullCredential("key"))
	theirs := other.addCredential(other.credential("theirs"))
	u := s.fullUser(7)
	s.addUsers(u)
	s.view(func(r directory.Reader) error {
		auth, got, err := r.KeyAndUserByID(s.ctx, c.Hash, u.ID)
		alone, same, err2 := r.KeyAndUser(s.ctx, c.Hash, 7)
		wantSame(t, "authentication", auth, alone)
		wantSame(t, "user", got, same)
		for _, missing := range []struct {
			hash []byte
			id   string
		}{{c.Hash, strings.ToUpper(u.ID)}, {c.Hash, sharedID}, {c.Hash, ""}, {sum("absent"), u.ID}, {theirs.Hash, u.ID}} {
			_, _, err := r.KeyAndUserByID(s.ctx, missing.hash, missing.id)
			wantNotFound(t, fmt.Sprintf("KeyAndUserByID of user %q", missing.id), err)
		}
		return errors.Join(err, err2)
	})
}

func credentialClient(t *testing.T, s *sample) {
	for _, kind := range []directory.CredentialKind{directory.CredentialClient, directory.CredentialAPIUser, directory.CredentialCustomer} {
		c := s.fullCredential("client")
		c.Kind, c.ClientID = kind, "client-"+c.ID
		s.addCredential(c)
		got := look(t, s, func(ctx context.Context, r directory.Reader) (directory.Authentication, error) {
			return r.AuthenticateClient(ctx, c.ClientID)
		})
		wantSame(t, "credential with the hash that the core compares", deciding(got.Credential), deciding(c))
		if got.Tenant != s.tenant || got.TenantDoors != directory.AllDoors {
			t.Errorf("tenant %d with doors %d", got.Tenant, got.TenantDoors)
		}
		again := s.credential("again")
		again.Kind, again.ClientID = directory.CredentialClient, c.ClientID
		err := s.try(func(tx directory.Tx) error { return tx.InsertCredential(s.ctx, again) })
		wantConflict(t, "a second client of the id", err)
	}
}

func credentialKinds(t *testing.T, s *sample) {
	key := s.addCredential(s.credential("key"))
	client := s.credential("client")
	client.Kind, client.ClientID = directory.CredentialClient, "client-"+client.ID
	s.addCredential(client)
	s.view(func(r directory.Reader) error {
		_, err := r.AuthenticateKey(s.ctx, client.Hash)
		wantNotFound(t, "a client's secret as a key", err)
		_, err = r.AuthenticateClient(s.ctx, key.ClientID)
		wantNotFound(t, "the empty client id", err)
		_, err = r.AuthenticateToken(s.ctx, key.Hash, directory.TokenAccess)
		wantNotFound(t, "a key as a token", err)
		return nil
	})
}

func credentialList(t *testing.T, s *sample) {
	var want []directory.Credential
	for i := range 5 {
		c := s.credential(fmt.Sprint("listed ", i))
		c.CreatedAt = noon.Add(time.Duration(i) * time.Microsecond)
		want = append(want, c)
	}
	for _, i := range []int{3, 0, 4, 1, 2} {
		s.addCredential(want[i])
		want[i].Hash = nil
	}
	got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Credential, error) {
		return r.Credentials(ctx, s.tenant)
	})
	wantSame(t, "Credentials", got, want)
}

func credentialDelete(t *testing.T, s *sample) {
	gone, kept := s.addCredential(s.credential("gone")), s.addCredential(s.credential("kept"))
	s.update(func(tx directory.Tx) error { return tx.DeleteCredential(s.ctx, s.tenant, gone.ID) })
	s.view(func(r directory.Reader) error {
		_, err := r.AuthenticateKey(s.ctx, gone.Hash)
		wantNotFound(t, "the deleted key", err)
		_, err = r.Credential(s.ctx, s.tenant, gone.ID)
		wantNotFound(t, "the deleted credential", err)
		_, err = r.AuthenticateKey(s.ctx, kept.Hash)
		return err
	})
}

func credentialTenantChange(t *testing.T, s *sample) {
	c := s.addCredential(s.credential("switch"))
	s.update(func(tx directory.Tx) error {
		tenant, err := tx.LockTenant(s.ctx, s.tenant)
		tenant.Doors, tenant.Disabled, tenant.Version = directory.DoorSet(directory.DoorEncore), true, 77
		return errors.Join(err, tx.UpdateTenant(s.ctx, tenant))
	})
	got := look(t, s, func(ctx context.Context, r directory.Reader) (directory.Authentication, error) {
		return r.AuthenticateKey(ctx, c.Hash)
	})
	if got.TenantDoors != directory.DoorSet(directory.DoorEncore) || !got.TenantDisabled || got.TenantVersion != 77 {
		t.Errorf("doors %d, disabled %t, version %d", got.TenantDoors, got.TenantDisabled, got.TenantVersion)
	}
}

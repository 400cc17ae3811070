package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var tokenChecks = []check{
	{"AuthenticateToken finds a token by the SHA-256 of it with its user and the tenant's switches", tokenFinds},
	{"AuthenticateToken finds a token of its kind only", tokenKinds},
	{"AuthenticateToken shows the user as it is now", tokenUserNow},
	{"DeleteToken reports whether it was there", tokenDelete},
	{"A token whose client is gone is not found", tokenOfClient},
	{"DeleteSession removes every token of a sign-in", tokenSession},
	{"DeleteTokens removes a user's tokens of a kind", tokenKindGone},
	{"UserTokens lists a user's tokens that live on, the newest first", tokenList},
	{"DeleteExpiredTokens removes a user's tokens that expired before now", tokenExpired},
}

// session is a text of the sample's own: secrets are unique in an installation.
func (s *sample) session() string { return fmt.Sprintf("session-of-tenant-%d", s.tenant) }

// token is a token of a user whose secret is the text, not stored yet and
// given through no client.
func (s *sample) token(secret string, kind directory.TokenKind, user int64) directory.Token {
	return directory.Token{Tenant: s.tenant, Hash: sum(secret + s.session()), Session: s.session(), Kind: kind, User: user,
		Door: directory.DoorIQmetrix, Epoch: 4, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
}

// addClient stores an OAuth client and returns its id.
func (s *sample) addClient() string {
	s.t.Helper()
	id := fmt.Sprintf("client-of-tenant-%d", s.tenant)
	s.update(func(tx directory.Tx) error {
		return tx.InsertCredential(s.ctx, directory.Credential{Tenant: s.tenant, ID: id, Kind: directory.CredentialClient,
			Name: "client", ClientID: id, Hash: sum(id), CreatedAt: noon})
	})
	return id
}

// tokenOfClient proves that a token ends with the client that it came through.
func tokenOfClient(t *testing.T, s *sample) {
	s.addUser(1)
	through, other := s.token("a", directory.TokenAccess, 1), s.token("b", directory.TokenAccess, 1)
	through.Client = s.addClient()
	s.addTokens(through, other)
	if _, err := s.authenticate(through); err != nil {
		t.Fatal(err)
	}
	s.update(func(tx directory.Tx) error { return tx.DeleteCredential(s.ctx, s.tenant, through.Client) })
	_, err := s.authenticate(through)
	wantNotFound(t, "a token whose client is gone", err)
	if _, err := s.authenticate(other); err != nil {
		t.Errorf("a token of no client: %v", err)
	}
}

func (s *sample) addTokens(tokens ...directory.Token) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, token := range tokens {
			if err := tx.InsertToken(s.ctx, token); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sample) authenticate(token directory.Token) (directory.Authentication, error) {
	return tryLook(s, func(ctx context.Context, r directory.Reader) (directory.Authentication, error) {
		return r.AuthenticateToken(ctx, token.Hash, token.Kind)
	})
}

// wantBearer compares the fields of a user that decide about a token.
func (s *sample) wantBearer(token directory.Token, u directory.User) {
	s.t.Helper()
	got, err := s.authenticate(token)
	if err != nil {
		s.t.Fatalf("AuthenticateToken: %v", err)
	}
	want := token
	want.Hash, got.Token.Hash = nil, nil
	wantSame(s.t, "token", got.Token, want)
	bearer := func(u directory.User) directory.User {
		return directory.User{Number: u.Number, State: u.State, Locked: u.Locked, ValidFrom: u.ValidFrom,
			ExpiresAt: u.ExpiresAt, AuthEpoch: u.AuthEpoch, Rank: u.Rank}
	}
	wantSame(s.t, "its user", bearer(got.User), bearer(u))
	for _, now := range []time.Time{noon, noon.Add(-2 * time.Hour), noon.Add(2 * time.Hour)} {
		if got.User.Usable(now) != u.Usable(now) {
			s.t.Errorf("usable at %v: %t, want %t", now, got.User.Usable(now), u.Usable(now))
		}
	}
}

func tokenFinds(t *testing.T, s *sample) {
	u := s.fullUser(1)
	s.addUsers(u)
	token := s.token("one", directory.TokenAccess, 1)
	token.Client = s.addClient()
	wantNoZero(t, token)
	s.addTokens(token)
	s.wantBearer(token, u)
	got, err := s.authenticate(token)
	if err != nil {
		t.Fatal(err)
	}
	tenant := look(t, s, func(ctx context.Context, r directory.Reader) (directory.Tenant, error) {
		return r.Tenant(ctx, s.tenant)
	})
	s.wantAuthentication(got, tenant)
	if len(got.Token.Hash) == 0 {
		t.Error("the token's hash is empty, as for a key")
	}
}

func tokenKinds(t *testing.T, s *sample) {
	s.addUser(1)
	access, refresh := s.token("a", directory.TokenAccess, 1), s.token("r", directory.TokenRefresh, 1)
	s.addTokens(access, refresh)
	access.Kind, refresh.Kind = refresh.Kind, access.Kind
	for _, token := range []directory.Token{access, refresh} {
		_, err := s.authenticate(token)
		wantNotFound(t, "a token as one of another kind", err)
	}
}

func tokenUserNow(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	token := s.token("now", directory.TokenAccess, 1)
	s.addTokens(token)
	for _, change := range []func(u *directory.User){
		func(u *directory.User) { u.AuthEpoch++ },
		func(u *directory.User) { u.Locked = true },
		func(u *directory.User) { u.Locked, u.State = false, directory.StateInactive },
		func(u *directory.User) { u.State = directory.StateDeleted },
		func(u *directory.User) { u.State, u.ValidFrom = directory.StateActive, noon.Add(time.Hour) },
		func(u *directory.User) { u.ValidFrom, u.ExpiresAt = time.Time{}, noon.Add(-time.Hour) },
		func(u *directory.User) { u.ExpiresAt, u.Rank = time.Time{}, directory.RankOwner },
	} {
		s.change(1, change)
		s.wantBearer(token, s.stored(1))
	}
	s.update(func(tx directory.Tx) error {
		tenant, err := tx.LockTenant(s.ctx, s.tenant)
		tenant.Doors, tenant.Disabled = 0, true
		return errors.Join(err, tx.UpdateTenant(s.ctx, tenant))
	})
	got, err := s.authenticate(token)
	if err != nil || got.TenantDoors != 0 || !got.TenantDisabled {
		t.Errorf("doors %d, disabled %t, error %v: want the switches of now", got.TenantDoors, got.TenantDisabled, err)
	}
}

func tokenDelete(t *testing.T, s *sample) {
	s.addUser(1)
	token, other := s.token("spent", directory.TokenRefresh, 1), s.token("other", directory.TokenRefresh, 1)
	s.addTokens(token, other)
	for _, want := range []bool{true, false} {
		s.wantChanged("DeleteToken", want, func(tx directory.Tx) (bool, error) { return tx.DeleteToken(s.ctx, token.Hash) })
	}
	_, err := s.authenticate(token)
	wantNotFound(t, "the spent token", err)
	s.wantBearer(other, s.stored(1))
	err = s.try(func(tx directory.Tx) error {
		if _, err := tx.DeleteToken(s.ctx, other.Hash); err != nil {
			return err
		}
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	s.wantBearer(other, s.stored(1))
}

func tokenSession(t *testing.T, s *sample) {
	s.addUser(1)
	access, refresh := s.token("a", directory.TokenAccess, 1), s.token("r", directory.TokenRefresh, 1)
	other := s.token("o", directory.TokenAccess, 1)
	other.Session = "another sign-in"
	s.addTokens(access, refresh, other)
	s.update(func(tx directory.Tx) error { return tx.DeleteSession(s.ctx, s.tenant, access.Session) })
	for _, token := range []directory.Token{access, refresh} {
		_, err := s.authenticate(token)
		wantNotFound(t, "a token of the ended session", err)
	}
	s.wantBearer(other, s.stored(1))
}

func tokenExpired(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	gone, kept, others := s.token("gone", directory.TokenAccess, 1), s.token("kept", directory.TokenAccess, 1), s.token("others", directory.TokenAccess, 2)
	gone.ExpiresAt = noon.Add(-time.Microsecond)
	kept.ExpiresAt = noon.Add(time.Microsecond)
	others.ExpiresAt = gone.ExpiresAt
	s.addTokens(gone, kept, others)
	s.update(func(tx directory.Tx) error {
		return tx.DeleteExpiredTokens(s.ctx, s.tenant, 1, noon.UnixMicro())
	})
	_, err := s.authenticate(gone)
	wantNotFound(t, "the expired token", err)
	s.wantBearer(kept, s.stored(1))
	s.wantBearer(others, s.stored(2))
}

func tokenList(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	s.addPlain(2)
	other.addPlain(1)
	var want []directory.Token
	for i, kind := range []directory.TokenKind{directory.TokenAccess, directory.TokenRefresh, directory.TokenSession, directory.TokenReset, directory.TokenAccess} {
		token := s.token(fmt.Sprint("listed", i), kind, 1)
		token.CreatedAt, token.ExpiresAt = noon.Add(time.Duration(i)*time.Microsecond), noon.Add(time.Duration(1+i)*time.Microsecond)
		token.Client = []string{"", "client"}[i%2]
		s.addTokens(token)
		if kind != directory.TokenReset {
			token.Hash = nil
			want = append([]directory.Token{token}, want...)
		}
	}
	s.addTokens(s.token("theirs", directory.TokenAccess, 2), s.token("nobody's", directory.TokenSession, 0))
	other.addTokens(other.token("other", directory.TokenAccess, 1))
	for ended, left := range []int{4, 3, 2, 1, 1, 0} {
		got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Token, error) {
			return r.UserTokens(ctx, s.tenant, 1, noon.Add(time.Duration(ended)*time.Microsecond))
		})
		wantSame(t, fmt.Sprintf("tokens after %d have ended", ended), got, want[:left])
	}
	nobody := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Token, error) {
		return r.UserTokens(ctx, s.tenant, 0, past)
	})
	wantSame(t, "tokens of number 0", nobody, nil)
}

func tokenKindGone(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	other := newSample(t, s.store)
	other.addUser(1)
	first, second := s.token("first", directory.TokenReset, 1), s.token("second", directory.TokenReset, 1)
	access, others, foreign := s.token("access", directory.TokenAccess, 1), s.token("others", directory.TokenReset, 2), other.token("x", directory.TokenReset, 1)
	s.addTokens(first, second, access, others)
	other.addTokens(foreign)
	for range 2 { // none is no error
		s.update(func(tx directory.Tx) error { return tx.DeleteTokens(s.ctx, s.tenant, 1, directory.TokenReset) })
	}
	for _, token := range []directory.Token{first, second} {
		_, err := s.authenticate(token)
		wantNotFound(t, "a reset token", err)
	}
	s.wantBearer(access, s.stored(1))
	s.wantBearer(others, s.stored(2))
	other.wantBearer(foreign, other.stored(1))
}

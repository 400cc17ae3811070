package directory_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// No key makes a key or client that may do more than itself: in rank, scopes,
// doors and companies. What is left out is the maker's.
func TestRulesCredentialWithinMaker(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	below := f.company("Below A", a)
	scopes := directory.ScopeCredentials | directory.ScopeUsersRead
	doors := directory.DoorSet(directory.DoorCanonical | directory.DoorEncore)
	maker := f.key(adminRank, func(in *directory.NewCredential) { in.Scopes, in.Doors, in.Root = scopes, doors, a })
	dump := f.dump()
	for what, in := range map[string]directory.NewCredential{
		"rank":           {Rank: ownerRank},
		"one scope more": {Scopes: scopes | directory.ScopePasswords},
		"other scopes":   {Scopes: directory.ScopeTenant},
		"one door more":  {Doors: doors | directory.DoorSet(directory.DoorSCIM)},
		"all doors":      {Doors: directory.AllDoors},
		"a wider root":   {Root: f.root},
		"another root":   {Root: 987_654},
	} {
		in.Name = "too much"
		_, secret, err := f.svc.CreateKey(f.ctx, f.as(maker), in)
		if code := directory.CodeOf(err); (code != directory.CodeForbidden && !directory.IsReason(err, noCompany)) || secret != "" {
			t.Errorf("%s: error %v, secret of %d characters", what, err, len(secret))
		}
		if what != "rank" { // a client has none
			if _, _, err := f.svc.CreateClient(f.ctx, f.as(maker), in); err == nil {
				t.Errorf("%s: a client was made", what)
			}
		}
	}
	f.wantUnchanged(dump, "a refused credential")
	made, secret, err := f.svc.CreateKey(f.ctx, f.as(maker), directory.NewCredential{Name: "same", Rank: adminRank})
	check(t, err)
	f.secret(secret)
	if made.Scopes != scopes || made.Doors != doors || made.Root != a || made.Rank != adminRank || made.Hash != nil {
		t.Errorf("left out is the maker's: %+v", made)
	}
	made, secret, err = f.svc.CreateKey(f.ctx, f.as(maker), directory.NewCredential{Name: "narrower", Rank: readerRank, Root: below})
	check(t, err)
	f.secret(secret)
	if made.Root != below || made.Rank != readerRank {
		t.Errorf("a narrower key: %+v", made)
	}
	_, _, err = f.svc.CreateKey(f.ctx, f.as(f.key(ownerRank)), directory.NewCredential{Name: "owner", Rank: ownerRank})
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
}

// A key that expires makes none that outlives it: whoever was trusted for an
// hour would be trusted for ever.
func TestRulesCredentialDiesWithItsMaker(t *testing.T) {
	f := newFixture(t)
	end := f.clock.now().Add(time.Hour)
	maker := f.key(adminRank, func(in *directory.NewCredential) { in.ExpiresAt = end })
	for _, wanted := range []time.Time{{}, end, end.Add(-time.Minute)} {
		made, secret, err := f.svc.CreateKey(f.ctx, f.as(maker), directory.NewCredential{Name: "heir", Rank: readerRank, ExpiresAt: wanted})
		check(t, err)
		f.secret(secret)
		if made.ExpiresAt.IsZero() || made.ExpiresAt.After(end) {
			t.Errorf("asked for %v: the key lasts until %v, its maker until %v", wanted, made.ExpiresAt, end)
		}
	}
	_, _, err := f.svc.CreateKey(f.ctx, f.as(maker), directory.NewCredential{Name: "longer", Rank: readerRank, ExpiresAt: end.Add(time.Microsecond)})
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
	_, _, err = f.svc.CreateClient(f.ctx, f.as(maker), directory.NewCredential{Name: "longer", ExpiresAt: end.AddDate(1, 0, 0)})
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
}

// A revoked key is refused on the next call; a key of a higher rank and one of
// another tenant are out of reach.
func TestRulesCredentialRevoked(t *testing.T) {
	f := newFixture(t)
	made, secret, err := f.svc.CreateKey(f.ctx, f.sys(), directory.NewCredential{Name: "short-lived", Rank: readerRank})
	check(t, err)
	f.secret(secret)
	_, err = f.listing(f.as(secret))
	check(t, err)
	mark := f.mark()
	admin := f.key(adminRank)
	check(t, f.svc.RevokeCredential(f.ctx, f.as(admin), made.ID))
	self := must(f.svc.WhoAmI(f.ctx, f.as(admin)))(t).Credential.Value.ID
	wantError(t, f.svc.RevokeCredential(f.ctx, f.as(admin), self), directory.CodeConflict, directory.ReasonSelfLock)
	_, err = f.listing(f.as(secret))
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	f.wantEvents(mark, directory.EventCredentialCreated, directory.EventCredentialRevoked)

	owners, _, err := f.svc.CreateKey(f.ctx, f.sys(), directory.NewCredential{Name: "owners", Rank: ownerRank})
	check(t, err)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	theirs, _, err := other.svc.CreateKey(f.ctx, other.sys(), directory.NewCredential{Name: "theirs"})
	check(t, err)
	bound := f.bound(f.company("A", f.root))
	dump := f.dump()
	wantError(t, f.svc.RevokeCredential(f.ctx, f.as(admin), owners.ID), directory.CodeForbidden, directory.ReasonRankTooLow)
	for _, id := range []string{theirs.ID, made.ID, "", "x"} {
		wantError(t, f.svc.RevokeCredential(f.ctx, f.as(admin), id), directory.CodeNotFound, directory.ReasonCredentialNotFound)
	}
	// What a company's key cannot read is not there for it.
	wantError(t, f.svc.RevokeCredential(f.ctx, f.as(bound), owners.ID), directory.CodeNotFound, directory.ReasonCredentialNotFound)
	f.wantUnchanged(dump, "a refused revocation")
}

// With an OAuth client end the tokens that were given through it, and no others.
func TestRulesCredentialRevokedClient(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	made, secret, err := f.svc.CreateClient(f.ctx, f.sys(), directory.NewCredential{Name: "app"})
	check(t, err)
	client := directory.Grant{ClientID: made.ClientID, ClientSecret: directory.Secret(secret)}
	pair := must(f.grant(client, u.UserName, password))(t)
	other := must(f.grant(f.client(), u.UserName, password))(t)
	if !f.alive(pair.Access, u.Number) {
		t.Fatal("the token is not valid")
	}
	check(t, f.svc.RevokeCredential(f.ctx, f.sys(), made.ID))
	if f.alive(pair.Access, u.Number) || !f.alive(other.Access, u.Number) {
		t.Error("the tokens of the revoked client live, or those of another have ended")
	}
}

// Secrets find their tenant, so they are unique in the installation; a chosen
// one has a least length, and a refusal does not say whose it is.
func TestRulesCredentialSecrets(t *testing.T) {
	f := newFixture(t)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	const chosen = "chosen-by-hand-1"
	f.key(readerRank, func(in *directory.NewCredential) { in.Secret = chosen })
	dump := f.dump()
	for _, view := range []*fixture{f, other} {
		_, _, err := view.svc.CreateKey(f.ctx, view.sys(), directory.NewCredential{Name: "again", Secret: chosen})
		wantError(t, err, directory.CodeConflict, directory.ReasonCredentialTaken)
	}
	_, _, err := f.svc.CreateKey(f.ctx, f.sys(), directory.NewCredential{Name: "short", Secret: "eleven-char"})
	if got := fieldReasons(err); len(got) != 1 || got[0] != "secret field.length" {
		t.Errorf("a short secret: error %v", err)
	}
	f.wantUnchanged(dump, "a refused secret")
	_, _, err = f.svc.CreateClient(f.ctx, f.sys(), directory.NewCredential{Name: "client", ClientID: "Shared"})
	check(t, err)
	_, _, err = other.svc.CreateClient(f.ctx, other.sys(), directory.NewCredential{Name: "client", ClientID: "Shared"})
	wantError(t, err, directory.CodeConflict, directory.ReasonCredentialTaken)

	seen := map[string]bool{}
	for range 20 {
		secret := f.key(selfRank)
		if len(secret) < 40 || seen[secret] {
			t.Errorf("a drawn secret has %d characters, seen before: %t", len(secret), seen[secret])
		}
		seen[secret] = true
	}
	for _, c := range must(f.svc.Credentials(f.ctx, f.sys()))(t) {
		if len(c.Hash) != 0 || c.Tenant != f.tenant.No || c.Name == "" || (c.Hint != "" && len(c.Hint) != 4) {
			t.Errorf("listed with %d bytes of hash and hint %q: %s", len(c.Hash), c.Hint, c.Name)
		}
	}
}

// A Secret never prints, however it is held.
func TestRulesSecretNeverPrints(t *testing.T) {
	const canary = "canary-4711"
	held := struct {
		Secret directory.Secret            `json:"secret"`
		List   []directory.Secret          `json:"list"`
		Map    map[string]directory.Secret `json:"map"`
		Any    any                         `json:"any"`
	}{canary, []directory.Secret{canary}, map[string]directory.Secret{"a": canary}, directory.Secret(canary)}
	call := &directory.Call{Secret: canary}
	grant := directory.Grant{ClientSecret: canary, Password: canary, RefreshToken: canary}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("m", "secret", held.Secret, "held", held, "call", call, "grant", grant, "group", slog.GroupValue(slog.Any("s", held.Secret)))
	}
	texts := map[string]string{"slog": log.String(), "json": string(must(json.Marshal(held))(t)), "json of a grant": string(must(json.Marshal(grant))(t)),
		"error": fmt.Errorf("refused %v: %w", held.Secret, directory.Wrong(directory.CodeInvalid, "x", "%v %s", held.Secret, grant)).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08v", "%T"} {
		for what, v := range map[string]any{"secret": held.Secret, "pointer": &held.Secret, "held": held, "call": *call, "grant": grant} {
			texts[what+" with "+verb] = fmt.Sprintf(verb, v)
		}
	}
	for what, text := range texts {
		hex := fmt.Sprintf("%x", canary)
		if strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), hex) {
			t.Errorf("%s shows the secret: %s", what, text)
		}
	}
}

// The canary scan that ends every test of this package finds what it looks
// for, and nothing in the events of a life with every kind of secret.
func TestRulesNoSecretInEvents(t *testing.T) {
	f := newFixture(t)
	f.secret("extras-secret-4711", "hash-of-a-password")
	u, client, key := f.someone(withPassword), f.client(), f.key(adminRank)
	pair := must(f.grant(client, u.UserName, password))(t)
	must(f.refresh(client, pair.Refresh))(t)
	f.setPassword(u, directory.NewPassword{Password: otherPass, Temporary: true})
	_, err := f.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	extras := directory.UserPatch{Extras: directory.Some(raw(`{"EPTTToken":"extras-secret-4711","Deep":{"Password":"extras-secret-4711"},"List":[{"api_secret":"extras-secret-4711"}]}`))}
	for _, patch := range []directory.UserPatch{extras, {Extras: directory.Some(raw(`{"EPTTToken":"extras-secret-4711-b"}`))}, {Extras: directory.Some(raw(``))}} {
		must(f.svc.UpdateUser(f.ctx, f.through(directory.DoorEncore, key), directory.ByNumber(u.Number), patch, directory.UpdateOptions{}))(t)
	}
	f.someone(func(in *directory.NewUser) { in.Fields.Extras = extras.Extras })
	f.clock.advance(time.Second)
	for _, e := range f.events(0) {
		if len(e.Payload) == 0 || !json.Valid(e.Payload) {
			t.Errorf("%s has the payload %q", e.Type, e.Payload)
		}
	}
	dump := f.dump("users", "events")
	if !strings.Contains(dump["events"], "[redacted]") {
		t.Error("no event says that something secret changed")
	}
}

// A key that was made for little cannot get the rest through the password of
// somebody who has a rank.
func TestRulesNarrowKeysTakeNobodyOver(t *testing.T) {
	f := newFixture(t)
	admin, plain := f.ranked(adminRank), f.someone()
	keys := map[string]func(*directory.NewCredential){
		"scopes": func(in *directory.NewCredential) { in.Scopes = directory.ScopePasswords | directory.ScopeUsersRead },
		"doors":  func(in *directory.NewCredential) { in.Doors = directory.DoorSet(directory.DoorIQmetrix) },
	}
	for what, narrow := range keys {
		call := func() *directory.Call { return f.through(directory.DoorIQmetrix, f.key(adminRank, narrow)) }
		err := f.svc.SetPassword(f.ctx, call(), directory.ByNumber(admin.Number), directory.NewPassword{Password: password})
		if !directory.IsReason(err, directory.ReasonScopeMissing) {
			t.Errorf("%s: the password of an administrator: %v", what, err)
		}
		check(t, f.svc.SetPassword(f.ctx, call(), directory.ByNumber(plain.Number), directory.NewPassword{Password: password}))
	}
	check(t, f.svc.SetPassword(f.ctx, f.as(f.key(adminRank)), directory.ByNumber(admin.Number), directory.NewPassword{Password: password}))
}

package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// A grant's pair is used, expires by the clock and is worth nothing else than
// what it was given for.
func TestRulesTokenLife(t *testing.T) {
	f := newFixture(t)
	u, client := f.someone(withPassword), f.client()
	mark := f.mark()
	pair := must(f.grant(client, u.UserName, password))(t)
	if pair.ExpiresIn != directory.AccessLifetime || len(pair.Access) != 32 || len(pair.Refresh) != 32 || pair.Access == pair.Refresh {
		t.Errorf("the pair is %d and %d characters long and lasts %v", len(pair.Access), len(pair.Refresh), pair.ExpiresIn)
	}
	list := f.events(mark)
	if len(list) != 1 || list[0].Type != directory.EventSignedIn || list[0].User != u.Number || list[0].Door != directory.DoorIQmetrix || list[0].RequestID != requestID {
		t.Errorf("events of a sign-in: %+v", list)
	}
	if f.alive(pair.Refresh, u.Number) {
		t.Error("a refresh token opens the record")
	}
	_, err := f.refresh(client, pair.Access)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)
	f.clock.advance(directory.AccessLifetime - time.Microsecond)
	if !f.alive(pair.Access, u.Number) {
		t.Error("the access token ended early")
	}
	f.clock.advance(time.Microsecond)
	_, err = f.svc.User(f.ctx, f.through(directory.DoorIQmetrix, pair.Access), directory.ByNumber(u.Number))
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
	second := must(f.refresh(client, pair.Refresh))(t)
	f.clock.advance(directory.RefreshLifetime)
	_, err = f.refresh(client, second.Refresh)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)
	f.clock.advance(time.Microsecond)
	must(f.grant(client, u.UserName, password))(t)
	if text := f.dump("tokens")["tokens"]; strings.Count(text, " session=") != 2 {
		t.Errorf("the next sign-in leaves expired tokens:\n%s", text)
	}
}

// A refresh ends the pair that it was made of and no other grant's.
func TestRulesTokenRefresh(t *testing.T) {
	f := newFixture(t)
	u, client := f.someone(withPassword), f.client()
	other := must(f.grant(client, u.UserName, password))(t)
	first := must(f.grant(client, u.UserName, password))(t)
	second := must(f.refresh(client, first.Refresh))(t)
	if f.alive(first.Access, u.Number) || !f.alive(second.Access, u.Number) || !f.alive(other.Access, u.Number) {
		t.Error("a refresh ends the old pair, and only that")
	}
	_, err := f.refresh(client, first.Refresh)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)
	must(f.refresh(client, second.Refresh))(t)
	must(f.refresh(client, other.Refresh))(t)
	for _, token := range []string{"", "x", strings.Repeat("0", 32)} {
		_, err := f.refresh(client, token)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)
	}
}

// Of many who spend one refresh token at once, one gets a pair.
func TestRulesTokenRefreshRace(t *testing.T) {
	f := newFixture(t)
	u, client := f.someone(withPassword), f.client()
	pair := must(f.grant(client, u.UserName, password))(t)
	ways := make([]func() error, 12)
	for i := range ways {
		ways[i] = func() error { _, err := f.refresh(client, pair.Refresh); return err }
	}
	won, refused := race(ways)
	for _, err := range refused {
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)
	}
	if won != 1 {
		t.Errorf("%d got a pair, want 1", won)
	}
	if text := f.dump("tokens")["tokens"]; strings.Count(text, " session=") != 2 {
		t.Errorf("more than one pair is stored:\n%s", text)
	}
}

// Whatever ends sessions ends every token of every grant on the next request,
// for good: undoing it revives none.
func TestRulesTokenRevocation(t *testing.T) {
	f := newFixture(t)
	client := f.client()
	past := directory.UserPatch{ExpiresAt: directory.Some(start)}
	ends := map[string]struct{ end, undo func(directory.UserRef) error }{
		"deactivate": {f.doing("deactivate"), f.doing("activate")},
		"lock":       {f.doing("lock"), f.doing("unlock")},
		"sign out":   {f.doing("sign out"), nil},
		"delete":     {f.doing("delete"), func(ref directory.UserRef) error { _ = f.doing("restore")(ref); return f.doing("activate")(ref) }},
		"password": {func(ref directory.UserRef) error {
			return f.svc.SetPassword(f.ctx, f.sys(), ref, directory.NewPassword{Password: password})
		}, nil},
		"expiry date": {f.patching(past), f.patching(directory.UserPatch{ExpiresAt: directory.Some(time.Time{})})},
	}
	for what, c := range ends {
		u := f.someone(withPassword)
		ref := directory.ByNumber(u.Number)
		pairs := []directory.TokenPair{must(f.grant(client, u.UserName, password))(t), must(f.grant(f.client(), u.Email, password))(t)}
		check(t, c.end(ref))
		for round := range 2 {
			for _, pair := range pairs {
				if f.alive(pair.Access, u.Number) {
					t.Errorf("%s, round %d: an access token lives", what, round)
				}
			}
			if _, err := f.refresh(client, pairs[0].Refresh); !directory.IsReason(err, directory.ReasonGrantInvalid) {
				t.Errorf("%s, round %d: the refresh token: %v", what, round, err)
			}
			if round == 0 && c.undo != nil {
				check(t, c.undo(ref))
			}
		}
		must(f.grant(client, u.UserName, password))(t)
	}
}

// doing is a use case of the operator on a user.
func (f *fixture) doing(name string) func(directory.UserRef) error {
	return func(ref directory.UserRef) error { return acts[name](f, f.sys(), ref) }
}

// patching is an update by the operator.
func (f *fixture) patching(p directory.UserPatch) func(directory.UserRef) error {
	return func(ref directory.UserRef) error {
		_, err := f.svc.UpdateUser(f.ctx, f.sys(), ref, p, directory.UpdateOptions{})
		return err
	}
}

// A session's rank is the user's rank of this moment.
func TestRulesTokenRankIsLive(t *testing.T) {
	f := newFixture(t)
	u, other, role := f.someone(withPassword), f.someone(), f.role(readerRank)
	me, ref := f.session(u), directory.ByNumber(u.Number)
	read := func() error { _, err := f.svc.User(f.ctx, me(), directory.ByNumber(other.Number)); return err }
	wantError(t, read(), directory.CodeForbidden, directory.ReasonSelfOnly)
	_, _, err := f.svc.AssignRole(f.ctx, f.sys(), ref, role.Number, f.root)
	check(t, err)
	check(t, read())
	check(t, f.svc.UnassignRole(f.ctx, f.sys(), ref, role.Number))
	wantError(t, read(), directory.CodeForbidden, directory.ReasonSelfOnly)
}

// A token opens the door that gave it and no other; so does a refresh token,
// and only for the client that it was given to.
func TestRulesTokenDoor(t *testing.T) {
	f := newFixture(t)
	u, client := f.someone(withPassword), f.client()
	pair := must(f.grant(client, u.UserName, password))(t)
	for _, door := range []directory.Door{directory.DoorCanonical, directory.DoorSCIM, directory.DoorEncore, directory.DoorSmartapp,
		directory.DoorEduBrite, directory.DoorServiceMobility, directory.DoorConsole} {
		_, err := f.svc.User(f.ctx, f.through(door, pair.Access), directory.ByNumber(u.Number))
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
		g := client
		g.RefreshToken = directory.Secret(pair.Refresh)
		_, err = f.svc.RefreshGrant(f.ctx, f.through(door, ""), g)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)
	}
	_, err := f.refresh(f.client(), pair.Refresh)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)
	must(f.refresh(client, pair.Refresh))(t)
}

// A client that may not be used answers as one that does not exist, whatever
// is wrong with it, before any password is looked at.
func TestRulesTokenClient(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	good := f.client()
	key := f.key(adminRank)
	expired := f.client(func(in *directory.NewCredential) { in.ExpiresAt = f.clock.now() })
	elsewhere := f.client(func(in *directory.NewCredential) { in.Doors = directory.DoorSet(directory.DoorEncore) })
	revoked := f.client()
	list := must(f.svc.Credentials(f.ctx, f.sys()))(t)
	check(t, f.svc.RevokeCredential(f.ctx, f.sys(), list[len(list)-1].ID))
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	disabled := other.client()
	other.settings(func(t *directory.Tenant) { t.Disabled = true })
	wrong, unknown := good, good
	wrong.ClientSecret, unknown.ClientID = "not-the-secret", "nobody"
	_, reference := f.grant(unknown, u.UserName, password)
	wantError(t, reference, directory.CodeUnauthenticated, directory.ReasonClientInvalid)
	dump := f.dump()
	for what, g := range map[string]directory.Grant{
		"wrong secret": wrong, "no secret": {ClientID: good.ClientID}, "nothing": {}, "expired": expired, "another door": elsewhere,
		"revoked": revoked, "disabled tenant": disabled, "a key": {ClientSecret: directory.Secret(key)},
		"another client's secret": {ClientID: good.ClientID, ClientSecret: elsewhere.ClientSecret},
	} {
		for _, pass := range []string{password, otherPass} {
			if _, err := f.grant(g, u.UserName, pass); publicError(err) != publicError(reference) {
				t.Errorf("%s: error %v, want %v", what, err, reference)
			}
		}
		if _, err := f.refresh(g, "x"); publicError(err) != publicError(reference) {
			t.Errorf("%s, refresh: error %v, want %v", what, err, reference)
		}
	}
	f.wantUnchanged(dump, "a refused client")
	must(f.grant(good, u.UserName, password))(t)
}

// A client signs in the users of its own tenant, whoever else has the name.
func TestRulesTokenTenant(t *testing.T) {
	f := newFixture(t)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	f.user("ada", withPassword)
	theirs := other.user("ada", func(in *directory.NewUser) { in.Password = otherPass })
	_, err := f.grant(f.client(), "ada", otherPass)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	pair := must(f.grant(other.client(), "ada", otherPass))(t)
	if !f.alive(pair.Access, theirs.Number) {
		t.Error("the token does not open the record of its own tenant")
	}
}

// A disabled tenant, and a door that the tenant closed, refuse every key and
// token on the next request.
func TestRulesTenantSwitches(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	key := f.key(ownerRank)
	pair := must(f.grant(f.client(), u.UserName, password))(t)
	try := func(door directory.Door, secret string) error {
		_, err := f.svc.User(f.ctx, f.through(door, secret), directory.ByNumber(u.Number))
		return err
	}
	check(t, try(directory.DoorCanonical, key))
	check(t, try(directory.DoorIQmetrix, pair.Access))
	f.settings(func(t *directory.Tenant) { t.Doors &^= directory.DoorSet(directory.DoorIQmetrix) })
	check(t, try(directory.DoorCanonical, key))
	wantError(t, try(directory.DoorIQmetrix, key), directory.CodeUnauthenticated, directory.ReasonDoorClosed)
	wantError(t, try(directory.DoorIQmetrix, pair.Access), directory.CodeUnauthenticated, directory.ReasonDoorClosed)
	_, err := f.grant(f.client(), u.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonClientInvalid)
	f.settings(func(t *directory.Tenant) { t.Doors, t.Disabled = directory.AllDoors, true })
	wantError(t, try(directory.DoorCanonical, key), directory.CodeUnauthenticated, directory.ReasonDoorClosed)
	wantError(t, try(directory.DoorIQmetrix, pair.Access), directory.CodeUnauthenticated, directory.ReasonDoorClosed)
	f.settings(func(t *directory.Tenant) { t.Disabled = false })
	check(t, try(directory.DoorIQmetrix, pair.Access))
}

// A key that was given the form of a token is still found.
func TestRulesTokenShapedKey(t *testing.T) {
	f := newFixture(t)
	secret := strings.Repeat("0a", 16)
	f.key(adminRank, func(in *directory.NewCredential) { in.Secret = directory.Secret(secret) })
	must(f.svc.Users(f.ctx, f.as(secret), directory.UserQuery{Limit: 1}))(t)
}

// Sign-ins that race with a deactivation leave no token that lives.
func TestRulesTokenGrantRace(t *testing.T) {
	f := newFixture(t)
	u, client := f.someone(withPassword), f.client()
	pairs := make([]directory.TokenPair, 8)
	ways := []func() error{func() error { return acts["deactivate"](f, f.sys(), directory.ByNumber(u.Number)) }}
	for i := range pairs {
		ways = append(ways, func() (err error) {
			pairs[i], err = f.grant(client, u.UserName, password)
			return err
		})
	}
	_, refused := race(ways)
	for _, err := range refused {
		if directory.CodeOf(err) != directory.CodeUnauthenticated {
			t.Errorf("a sign-in answered %v", err)
		}
	}
	for _, pair := range pairs {
		if pair.Access == "" {
			continue
		}
		if _, err := f.refresh(client, pair.Refresh); f.alive(pair.Access, u.Number) || !directory.IsReason(err, directory.ReasonGrantInvalid) {
			t.Errorf("a pair outlives the deactivation: refresh answers %v", err)
		}
	}
}

// A token of a user whose time ran out by itself does not live again when the
// date is moved.
func TestRulesTokenNotRevivedByALaterDate(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	ref := directory.ByNumber(u.Number)
	check(t, f.patching(directory.UserPatch{ExpiresAt: directory.Some(start.Add(time.Hour))})(ref))
	pair := must(f.grant(f.client(), u.UserName, password))(t)
	if !f.alive(pair.Access, u.Number) {
		t.Fatal("the token is not valid")
	}
	f.clock.advance(2 * time.Hour)
	if f.alive(pair.Access, u.Number) {
		t.Error("a token of an expired user is valid")
	}
	check(t, f.patching(directory.UserPatch{ExpiresAt: directory.Some(time.Time{})})(ref))
	if f.alive(pair.Access, u.Number) {
		t.Error("a later date has revived the token")
	}
}

package directory_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// claims are a signed token's, as JSON has them.
type claims = map[string]any

// parts are the header and the claims of a token.
func parts(t *testing.T, token string) (header, body claims) {
	t.Helper()
	for i, into := range []*claims{&header, &body} {
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		check(t, err)
		check(t, json.Unmarshal(text, into))
	}
	return header, body
}

// forge writes a token with a key and a hash function of the forger's choice.
func forge(t *testing.T, header, body claims, key []byte, with func() hash.Hash) string {
	t.Helper()
	head, text := must(json.Marshal(header))(t), must(json.Marshal(body))(t)
	signed := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(text)
	mac := hmac.New(with, key)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// changed is a copy with other values; nil removes one.
func changed(of claims, with claims) claims {
	out := maps.Clone(of)
	for name, v := range with {
		if out[name] = v; v == nil {
			delete(out, name)
		}
	}
	return out
}

// signingKey is the tenant's key as it signs.
func (f *fixture) signingKey() (kid string, key []byte) {
	f.t.Helper()
	var list []directory.SigningKey
	check(f.t, f.store.Read(f.ctx, func(r directory.Reader) (err error) {
		list, err = r.SigningKeys(f.ctx, f.tenant.No, 1)
		return err
	}))
	k := list[0]
	return k.ID, must(testSealer(f.t).Open("signing key "+k.ID, k.Sealed))(f.t)
}

// A token says what the vendor's readers want, and lives for a day.
func TestRulesSignedToken(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword, func(in *directory.NewUser) { in.Fields.DisplayName = directory.Some("Jane Doe") })
	mark := f.mark()
	token := must(f.signIn(u.Email, password))(t)
	f.wantEvents(mark, directory.EventSignedIn)
	header, body := parts(t, token)
	kid, key := f.signingKey()
	if diff := cmp.Diff(claims{"alg": "HS256", "typ": "JWT", "kid": kid}, header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	want := claims{"iat": float64(start.Unix()), "exp": float64(start.Add(directory.SignedTokenLifetime).Unix()), "sub": u.UserName,
		"name": "Jane Doe", "email": u.Email, "tid": f.tenant.ID, "uid": float64(u.Number), "epo": float64(u.AuthEpoch), "jti": body["jti"]}
	if diff := cmp.Diff(want, body); diff != "" || body["jti"] == "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if forge(t, header, body, key, sha256.New) == "" || len(key) != 32 {
		t.Errorf("the key has %d bytes", len(key))
	}
	check(t, f.reads(f.signed(token), u.Number))
	check(t, f.reads(f.signed(forge(t, header, body, key, sha256.New)), u.Number)) // the forger is as good as the real one
	f.clock.advance(directory.SignedTokenLifetime - time.Second)
	check(t, f.reads(f.signed(token), u.Number))
	f.clock.advance(time.Second)
	wantError(t, f.reads(f.signed(token), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
	if text := f.dump("signing_keys")["signing_keys"]; strings.Count(text, "id=") != 1 || strings.Contains(text, string(key)) {
		t.Error("there is not one key, or it is not sealed")
	}
}

// Nothing but a token that usher signed for this tenant is taken.
func TestRulesSignedForgeries(t *testing.T) {
	f := newFixture(t)
	u, admin := f.someone(withPassword), f.ranked(adminRank)
	token := must(f.signIn(u.UserName, password))(t)
	header, body := parts(t, token)
	kid, key := f.signingKey()
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	foreigner := other.someone(withPassword)
	other.settings(func(t *directory.Tenant) { t.Hosts = []string{"umbrella.example.com"} })
	call := f.through(directory.DoorServiceMobility, "")
	call.Host = "UMBRELLA.example.com:8443"
	theirs := must(other.svc.SignIn(f.ctx, call, foreigner.UserName, password))(t)
	f.secret(theirs)
	otherKid, otherKey := other.signingKey()
	segments := strings.Split(token, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT","kid":"` + kid + `"}`))
	now := float64(f.clock.now().Unix())
	for what, text := range map[string]string{
		"alg none":                     none + "." + segments[1] + ".",
		"alg none with the signature":  none + "." + segments[1] + "." + segments[2],
		"alg None":                     forge(t, changed(header, claims{"alg": "None"}), body, key, sha256.New),
		"HS512 with the right key":     forge(t, changed(header, claims{"alg": "HS512"}), body, key, sha512.New),
		"RS256 over the key":           forge(t, changed(header, claims{"alg": "RS256"}), body, key, sha256.New),
		"no alg":                       forge(t, changed(header, claims{"alg": nil}), body, key, sha256.New),
		"another key":                  forge(t, header, body, make([]byte, 32), sha256.New),
		"an empty key":                 forge(t, header, body, nil, sha256.New),
		"the kid as key":               forge(t, header, body, []byte(kid), sha256.New),
		"another tenant's key":         forge(t, header, body, otherKey, sha256.New),
		"another tenant's key and kid": forge(t, changed(header, claims{"kid": otherKid}), body, otherKey, sha256.New),
		"an unknown kid":               forge(t, changed(header, claims{"kid": "3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9e"}), body, key, sha256.New),
		"no kid":                       forge(t, changed(header, claims{"kid": nil}), body, key, sha256.New),
		"a kid of SQL":                 forge(t, changed(header, claims{"kid": "' OR 1=1 --"}), body, key, sha256.New),
		"an embedded key":              forge(t, changed(header, claims{"kid": nil, "jwk": claims{"kty": "oct", "k": "AAAA"}}), body, make([]byte, 3), sha256.New),
		"an unknown extension":         forge(t, changed(header, claims{"crit": []string{"b64"}, "b64": false}), body, key, sha256.New),
		"another user's number":        segments[0] + "." + claimsText(t, changed(body, claims{"uid": admin.Number})) + "." + segments[2],
		"no user":                      forge(t, header, changed(body, claims{"uid": nil}), key, sha256.New),
		"an unknown user":              forge(t, header, changed(body, claims{"uid": 987654}), key, sha256.New),
		"a negative user":              forge(t, header, changed(body, claims{"uid": -1}), key, sha256.New),
		"another epoch":                forge(t, header, changed(body, claims{"epo": 99}), key, sha256.New),
		"no epoch":                     forge(t, header, changed(body, claims{"epo": nil}), key, sha256.New),
		"issued in the future":         forge(t, header, changed(body, claims{"iat": now + 61}), key, sha256.New),
		"not valid yet":                forge(t, header, changed(body, claims{"nbf": now + 61}), key, sha256.New),
		"claims of a wrong type":       forge(t, header, changed(body, claims{"uid": "1"}), key, sha256.New),
		"impersonation without leave":  forge(t, header, changed(body, claims{"imp": "x"}), key, sha256.New),
		"an actor without leave":       forge(t, header, changed(body, claims{"act": claims{"sub": admin.UserName, "uid": admin.Number, "epo": admin.AuthEpoch}}), key, sha256.New),
		"cut":                          token[:len(token)-1],
		"without signature":            segments[0] + "." + segments[1] + ".",
		"without claims":               segments[0] + ".." + segments[2],
		"four parts":                   token + ".x",
		"two parts":                    segments[0] + "." + segments[1],
		"very long":                    segments[0] + "." + strings.Repeat("A", 1<<16) + "." + segments[2],
		"with a space":                 token + " ",
		"JSON serialisation":           `{"payload":"` + segments[1] + `","protected":"` + segments[0] + `","signature":"` + segments[2] + `"}`,
	} {
		wantRefused(t, what, f.reads(f.signed(text), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	for what, body := range map[string]claims{"expired": changed(body, claims{"exp": now}), "without end": changed(body, claims{"exp": nil})} {
		wantRefused(t, what, f.reads(f.signed(forge(t, header, body, key, sha256.New)), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
	}
	check(t, f.reads(f.signed(forge(t, header, changed(body, claims{"iat": now + 60, "nbf": now + 60}), key, sha256.New)), u.Number))
	wantError(t, f.reads(f.signed(theirs), u.Number), directory.CodeForbidden, directory.ReasonSelfOnly)
	check(t, other.reads(other.signed(theirs), foreigner.Number))
}

// claimsText is claims as a token's middle part.
func claimsText(t *testing.T, body claims) string {
	t.Helper()
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(body))(t))
}

// A signed token opens its own door and the canonical one, and no other.
func TestRulesSignedDoor(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	token := must(f.signIn(u.UserName, password))(t)
	for _, door := range []directory.Door{directory.DoorSCIM, directory.DoorIQmetrix, directory.DoorEncore,
		directory.DoorSmartapp, directory.DoorEduBrite, directory.DoorConsole} {
		wantRefused(t, door.String(), f.reads(f.through(door, token), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	check(t, f.reads(f.through(directory.DoorCanonical, token), u.Number))
	for _, door := range []directory.Door{directory.DoorServiceMobility, directory.DoorCanonical} {
		f.settings(func(t *directory.Tenant) { t.Doors &^= directory.DoorSet(door) })
		wantError(t, f.reads(f.through(door, token), u.Number), directory.CodeUnauthenticated, directory.ReasonDoorClosed)
	}
}

// The tenant of a sign-in is the one of the host, else the only one with the
// door on, else none: and then the answer is that of a wrong password.
func TestRulesSignInFindsItsTenant(t *testing.T) {
	f := newFixture(t)
	in := func(host, name, pass string) error {
		call := f.through(directory.DoorServiceMobility, "")
		call.Host, call.Addr = host, f.unique("address")
		token, err := f.svc.SignIn(f.ctx, call, name, directory.Secret(pass))
		if err == nil {
			f.secret(token)
		}
		return err
	}
	u := f.user("alice", withPassword)
	check(t, in("anything.example.com:8080", "alice", password))
	_, wrong := f.signIn(u.UserName, "not-the-password")
	wantError(t, wrong, directory.CodeUnauthenticated, directory.ReasonLoginFailed)

	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	other.user("bob", withPassword)
	f.settings(func(t *directory.Tenant) { t.Hosts = []string{"acme.example.com"} })
	other.settings(func(t *directory.Tenant) { t.Hosts = []string{"umbrella.example.com"} })
	check(t, in("ACME.example.com:443", "alice", password))
	check(t, in("umbrella.example.com", "bob", password))
	for host, name := range map[string]string{"": "alice", "other.example.com": "alice", "umbrella.example.com": "alice", "acme.example.com": "bob"} {
		if err := in(host, name, password); publicError(err) != publicError(wrong) {
			t.Errorf("%s at %q: error %v", name, host, err)
		}
	}
	// A tenant that has the door closed is not another one's customer.
	other.settings(func(t *directory.Tenant) { t.Doors &^= directory.DoorSet(directory.DoorServiceMobility) })
	check(t, in("other.example.com", "alice", password))
	if err := in("umbrella.example.com", "alice", password); publicError(err) != publicError(wrong) {
		t.Errorf("at a closed door: error %v", err)
	}
}

// Sign-ins are refused as the token service's are.
func TestRulesSignInRefusals(t *testing.T) {
	f := newFixture(t)
	for what, c := range map[string]struct {
		act    string
		reason directory.Reason
	}{"locked": {"lock", directory.ReasonLoginLocked}, "inactive": {"deactivate", directory.ReasonLoginInactive}, "deleted": {"delete", directory.ReasonLoginFailed}} {
		u := f.someone(withPassword)
		check(t, f.doing(c.act)(directory.ByNumber(u.Number)))
		_, err := f.signIn(u.UserName, password)
		wantRefused(t, what, err, directory.CodeUnauthenticated, c.reason)
	}
	call := f.through(directory.DoorServiceMobility, "")
	for range directory.DefaultLoginsPerAccount {
		_, err := f.svc.SignIn(f.ctx, call, "nobody", password)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	_, err := f.svc.SignIn(f.ctx, call, "nobody", password)
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyLogins)
}

// Of many first sign-ins at once all get tokens of one key.
func TestRulesSigningKeyRace(t *testing.T) {
	f := newFixture(t)
	ways, users := make([]func() error, 8), make([]directory.User, 8)
	for i := range ways {
		users[i] = f.someone(withPassword)
		ways[i] = func() error {
			token, err := f.signIn(users[i].UserName, password)
			if err != nil {
				return err
			}
			return f.reads(f.signed(token), users[i].Number)
		}
	}
	if won, refused := race(ways); won != len(ways) {
		t.Errorf("%d signed in: %v", won, refused)
	}
	if text := f.dump("signing_keys")["signing_keys"]; strings.Count(text, "id=") != 1 {
		t.Errorf("keys:\n%s", text)
	}
}

// A server without a secret key says so.
func TestRulesSignInWithoutSecretKey(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	token := must(f.signIn(u.UserName, password))(t)
	bare := directory.New(f.store, directory.Options{Now: f.clock.now, HashCost: directory.HashCost{MemoryKiB: 8, Iterations: 1, Parallelism: 1}})
	_, err := bare.SignIn(f.ctx, f.through(directory.DoorServiceMobility, ""), u.UserName, password)
	wantError(t, err, directory.CodeUnavailable, directory.ReasonSecretKey)
	_, err = bare.User(f.ctx, f.signed(token), directory.ByNumber(u.Number))
	wantError(t, err, directory.CodeUnavailable, directory.ReasonSecretKey)
	for _, err := range []error{bare.GeneratePassword(f.ctx, f.sys(), directory.ByNumber(u.Number)), bare.MailReset(f.ctx, f.sys(), directory.ByNumber(u.Number))} {
		wantError(t, err, directory.CodeUnavailable, directory.ReasonSecretKey)
	}
	check(t, f.reads(f.signed(token), u.Number))
}

// A delegated token is the caller's own, for who holds the role or is an
// administrator.
func TestRulesDelegate(t *testing.T) {
	f := newFixture(t)
	admin, holder, plain := f.ranked(adminRank), f.someone(withPassword), f.someone(withPassword)
	role := must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Key: "Dispatcher", Name: "Dispatcher"}))(t)
	_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(holder.Number), role.Number, f.root)
	check(t, err)
	delegate := func(u directory.User, entity, role string) (string, error) {
		f.clock.advance(time.Minute)
		token, err := f.svc.Delegate(f.ctx, f.signed(must(f.signIn(u.UserName, password))(t)), entity, role)
		if err == nil {
			f.secret(token)
		}
		return token, err
	}
	for _, u := range []directory.User{admin, holder} {
		call := f.signed(must(delegate(u, strings.ToUpper(f.tenant.ID), "Dispatcher"))(t))
		check(t, f.reads(call, u.Number))
		if call.Actor.User != u.Number || call.Actor.OnBehalfOf != "" {
			t.Errorf("the actor is %+v", call.Actor)
		}
	}
	for what, c := range map[string]struct {
		u            directory.User
		entity, role string
		code         directory.Code
		reason       directory.Reason
	}{
		"not held":            {plain, f.tenant.ID, "Dispatcher", directory.CodeForbidden, directory.ReasonRankTooLow},
		"unknown":             {plain, f.tenant.ID, "Nobody", directory.CodeForbidden, directory.ReasonRankTooLow},
		"unknown to admins":   {admin, f.tenant.ID, "Nobody", directory.CodeNotFound, directory.ReasonRoleNotFound},
		"an entity of others": {admin, "3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9e", "Dispatcher", directory.CodeNotFound, directory.ReasonTenantNotFound},
	} {
		_, err := delegate(c.u, c.entity, c.role)
		wantRefused(t, what, err, c.code, c.reason)
	}
	_, err = f.svc.Delegate(f.ctx, f.through(directory.DoorServiceMobility, f.key(ownerRank)), f.tenant.ID, "Dispatcher")
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
}

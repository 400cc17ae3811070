package directory_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// The halves of a session look as the vendor's do, and are never the same.
func TestRulesSessionForm(t *testing.T) {
	f := newFixture(t)
	a := f.apiUser(adminRank)
	form, seen := regexp.MustCompile(`^[A-Za-z0-9_-]+\*{0,2}$`), map[string]bool{}
	for range 8 {
		pair := f.connected(a)
		for _, half := range []string{pair.ID, pair.Info} {
			if !form.MatchString(half) || len(half) < 54 || len(half) > 71 || seen[half] {
				t.Errorf("%q has %d characters, seen before: %t", half, len(half), seen[half])
			}
			seen[half] = true
		}
	}
	for brought, kept := range map[string]bool{f.svc.NewSessionID(): true, "sess-123*": true, "": false, "a;b": false,
		"line\nbreak": false, strings.Repeat("a", 129): false} {
		call := f.through(directory.DoorEduBrite, a.secret)
		call.ClientID, call.Addr = a.ClientID, f.unique("address")
		f.clock.advance(time.Minute)
		pair := must(f.svc.Connect(f.ctx, call, brought))(t)
		if (pair.ID == brought) != kept {
			t.Errorf("brought %q, got %q", brought, pair.ID)
		}
		f.secret(pair.Info)
	}
}

// Only an API user opens an API session, and nothing says what was wrong with
// who is none.
func TestRulesSessionConnect(t *testing.T) {
	f := newFixture(t)
	a, other := f.apiUser(adminRank), f.in(f.newTenant("umbrella", directory.Settings{}))
	client, disabled := f.client(), other.apiUser(adminRank)
	other.settings(func(t *directory.Tenant) { t.Disabled = true })
	expired := f.apiUser(adminRank, func(in *directory.NewCredential) { in.ExpiresAt = f.clock.now() })
	elsewhere := f.apiUser(adminRank, func(in *directory.NewCredential) { in.Doors = directory.DoorSet(directory.DoorEncore) })
	customer, code, err := f.svc.CreateCustomer(f.ctx, f.sys(), directory.NewCredential{Name: "customer", Rank: adminRank})
	check(t, err)
	dump := f.dump()
	_, reference := f.connect("nobody", a.secret)
	wantError(t, reference, directory.CodeUnauthenticated, directory.ReasonClientInvalid)
	for what, try := range map[string][2]string{
		"wrong password": {a.ClientID, "not-the-secret"}, "no password": {a.ClientID, ""}, "nothing": {"", ""},
		"an OAuth client": {client.ClientID, string(client.ClientSecret)}, "a customer": {customer.ClientID, code},
		"a disabled tenant": {disabled.ClientID, disabled.secret}, "expired": {expired.ClientID, expired.secret},
		"another door": {elsewhere.ClientID, elsewhere.secret}, "another's password": {a.ClientID, elsewhere.secret},
	} {
		if _, err := f.connect(try[0], try[1]); publicError(err) != publicError(reference) {
			t.Errorf("%s: error %v, want %v", what, err, reference)
		}
	}
	// Nor does an API user get tokens.
	_, err = f.grant(directory.Grant{ClientID: a.ClientID, ClientSecret: directory.Secret(a.secret)}, f.someone(withPassword).UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonClientInvalid)
	if after := f.dump("tokens"); after["tokens"] != dump["tokens"] {
		t.Error("a refused connection left a session")
	}
}

// Guessing an API user's password is limited by its name, before any work.
func TestRulesSessionConnectLimit(t *testing.T) {
	made := newFixture(t)
	a := made.apiUser(adminRank)
	f := made.strict() // a process that has not given the secret itself
	for range directory.DefaultLoginsPerAccount {
		_, err := f.connect(a.ClientID, "not-the-secret")
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonClientInvalid)
	}
	_, err := f.connect(a.ClientID, a.secret)
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyLogins)
	made.connected(a)
	f.connected(f.apiUser(adminRank))
	f.clock.advance(time.Minute)
	f.connected(a)
}

// An API session acts for a person that it names by user name, who goes no
// further than the API user.
func TestRulesSessionActsFor(t *testing.T) {
	f := newFixture(t)
	admin, plain, other := f.ranked(adminRank), f.someone(), f.someone()
	pair := f.connected(f.apiUser(adminRank))
	call := f.acting(pair, strings.ToUpper(admin.UserName))
	check(t, f.reads(call, other.Number))
	if call.Actor.Name != "user:"+itoa(admin.Number) || !strings.HasPrefix(call.Actor.OnBehalfOf, "credential:api-") || call.Settings == nil {
		t.Errorf("the actor is %+v", call.Actor)
	}
	for _, name := range []string{"", "nobody", admin.Email, strings.Repeat("x", 3000), "a\u200bb"} {
		wantError(t, f.reads(f.acting(pair, name), other.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	check(t, f.reads(f.acting(pair, plain.UserName), plain.Number))
	wantError(t, f.reads(f.acting(pair, plain.UserName), other.Number), directory.CodeForbidden, directory.ReasonSelfOnly)

	// A rank, scopes or companies that the API user lacks the person lacks too.
	reader := f.connected(f.apiUser(readerRank))
	check(t, f.reads(f.acting(reader, admin.UserName), other.Number))
	_, err := f.svc.Deactivate(f.ctx, f.acting(reader, admin.UserName), directory.ByNumber(other.Number))
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
	narrow := f.connected(f.apiUser(adminRank, func(in *directory.NewCredential) { in.Scopes = directory.ScopeUsersRead }))
	_, err = f.svc.Deactivate(f.ctx, f.acting(narrow, admin.UserName), directory.ByNumber(other.Number))
	wantError(t, err, directory.CodeForbidden, directory.ReasonScopeMissing)
	inside := f.company("Inside", f.root)
	bound := f.connected(f.apiUser(adminRank, func(in *directory.NewCredential) { in.Root = inside }))
	wantError(t, f.reads(f.acting(bound, admin.UserName), other.Number), directory.CodeNotFound, noUser)

	// A person's session that was opened through it is no way around.
	for _, p := range []directory.SessionPair{reader, narrow, bound} {
		own := must(f.svc.OpenSession(f.ctx, f.acting(p, admin.UserName)))(t)
		f.secret(own.Info)
		if _, err := f.svc.Deactivate(f.ctx, f.acting(own, ""), directory.ByNumber(other.Number)); err == nil {
			t.Error("a session of the person may do what the API user may not")
		}
	}
	foreign := f.in(f.newTenant("umbrella", directory.Settings{})).ranked(ownerRank)
	wantError(t, f.reads(f.acting(pair, foreign.UserName), other.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

// Both halves of a session are needed, at the door that gave it; keys and
// tokens are nothing to that door.
func TestRulesSessionPair(t *testing.T) {
	f := newFixture(t)
	u := f.ranked(adminRank)
	a := f.apiUser(adminRank)
	first, other := f.connected(a), f.connected(a)
	for what, secret := range map[string]string{
		"the id": first.ID, "the info": first.Info, "the info twice": first.Info + "\n" + first.Info,
		"another id": string(directory.SessionPair{ID: other.ID, Info: first.Info}.Secret()),
		"a key":      f.key(adminRank), "an access token": must(f.grant(f.client(), u.UserName, password))(t).Access,
		"a signed token": must(f.signIn(u.UserName, password))(t), "the API user's password": a.secret,
	} {
		call := f.through(directory.DoorEduBrite, secret)
		call.ActAs = u.UserName
		wantRefused(t, what, f.reads(call, u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	for _, door := range []directory.Door{directory.DoorCanonical, directory.DoorSCIM, directory.DoorIQmetrix, directory.DoorEncore,
		directory.DoorSmartapp, directory.DoorServiceMobility, directory.DoorConsole} {
		call := f.acting(first, u.UserName)
		call.Door = door
		wantRefused(t, door.String(), f.reads(call, u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	check(t, f.reads(f.acting(first, u.UserName), u.Number))
}

// What a person does through an API user is the system's doing: whoever leaves
// out that origin hears what the same person does elsewhere.
func TestRulesSessionOrigin(t *testing.T) {
	f := newFixture(t)
	u, admin := f.someone(), f.ranked(adminRank)
	api := f.apiUser(adminRank)
	pair := f.connected(api)
	mark := f.mark()
	must(f.svc.Lock(f.ctx, f.acting(pair, admin.UserName), directory.ByNumber(u.Number), 0))(t)
	must(f.svc.Unlock(f.ctx, f.through(directory.DoorIQmetrix, must(f.grant(f.client(), admin.UserName, password))(t).Access), directory.ByNumber(u.Number)))(t)
	person, system := fmt.Sprintf("user:%d", admin.Number), "credential:"+api.ID
	for _, e := range f.events(mark) {
		if want := map[directory.EventType]string{directory.EventUserLocked: system, directory.EventUserUnlocked: person}[e.Type]; want != "" && (e.Origin != want || e.Actor != person) {
			t.Errorf("%s by %s has the origin %s, want %s", e.Type, e.Actor, e.Origin, want)
		}
	}
	f.wantEvents(mark, directory.EventUserLocked, directory.EventCredentialCreated, directory.EventSignedIn, directory.EventUserUnlocked)
}

// A session ends when it was not used for its lifetime; use moves the end, and
// writes at most once an hour.
func TestRulesSessionSlides(t *testing.T) {
	f := newFixture(t)
	u := f.ranked(adminRank)
	pair := f.connected(f.apiUser(adminRank))
	dump := f.dump("tokens")
	f.clock.advance(time.Hour - time.Microsecond)
	check(t, f.reads(f.acting(pair, u.UserName), u.Number))
	if after := f.dump("tokens"); after["tokens"] != dump["tokens"] {
		t.Error("use within the hour is written")
	}
	for range 5 {
		f.clock.advance(directory.SessionLifetime - time.Hour)
		check(t, f.reads(f.acting(pair, u.UserName), u.Number))
	}
	f.clock.advance(directory.SessionLifetime)
	wantError(t, f.reads(f.acting(pair, u.UserName), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
	f.clock.advance(time.Microsecond)
	f.connected(f.apiUser(adminRank))
	if text := f.dump("tokens")["tokens"]; strings.Count(text, " session=") != 1 {
		t.Errorf("the next connection leaves expired sessions:\n%s", text)
	}
}

// A person's own session acts for that person and nobody else.
func TestRulesSessionOfAPerson(t *testing.T) {
	f := newFixture(t)
	u, other := f.someone(), f.someone()
	pair := f.connected(f.apiUser(adminRank))
	mark := f.mark()
	own := must(f.svc.OpenSession(f.ctx, f.acting(pair, u.UserName)))(t)
	f.secret(own.Info)
	f.wantEvents(mark, directory.EventSignedIn)
	for _, name := range []string{"", u.UserName, strings.ToUpper(u.UserName)} {
		check(t, f.reads(f.acting(own, name), u.Number))
	}
	for _, name := range []string{other.UserName, "nobody", u.Email} {
		wantError(t, f.reads(f.acting(own, name), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	again := must(f.svc.OpenSession(f.ctx, f.acting(own, "")))(t)
	f.secret(again.Info)
	check(t, f.reads(f.acting(again, ""), u.Number))
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(other.Number), directory.NewPassword{Password: password, Temporary: true}))
	_, err := f.svc.OpenSession(f.ctx, f.acting(pair, other.UserName))
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	_, err = f.svc.OpenSession(f.ctx, f.as(f.key(ownerRank)))
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
}

// A customer's id and code go with every call and are one secret.
func TestRulesCustomer(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	made, code, err := f.svc.CreateCustomer(f.ctx, f.sys(), directory.NewCredential{Name: "field", ClientID: "acme-field", Rank: readerRank})
	check(t, err)
	f.secret(code)
	a := f.apiUser(adminRank)
	call := func(door directory.Door, id, secret string) *directory.Call {
		c := f.through(door, secret)
		c.ClientID = id
		return c
	}
	good := call(directory.DoorServiceMobility, "acme-field", code)
	check(t, f.reads(good, u.Number))
	if good.Actor.Name != "customer:field" || good.Actor.Credential != made.ID || good.Actor.Rank != readerRank {
		t.Errorf("the actor is %+v", good.Actor)
	}
	_, err = f.svc.Deactivate(f.ctx, call(directory.DoorServiceMobility, "acme-field", code), directory.ByNumber(u.Number))
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
	for what, c := range map[string]*directory.Call{
		"wrong code": call(directory.DoorServiceMobility, "acme-field", "not-the-code"), "no code": call(directory.DoorServiceMobility, "acme-field", ""),
		"unknown id": call(directory.DoorServiceMobility, "nobody", code), "an API user": call(directory.DoorServiceMobility, a.ClientID, a.secret),
		"the code alone": call(directory.DoorServiceMobility, "", code), "another door": call(directory.DoorCanonical, "acme-field", code),
	} {
		wantRefused(t, what, f.reads(c, u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	check(t, f.svc.RevokeCredential(f.ctx, f.sys(), made.ID))
	wantError(t, f.reads(call(directory.DoorServiceMobility, "acme-field", code), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

// Keys open the doors that have keys.
func TestRulesKeysByDoor(t *testing.T) {
	f := newFixture(t)
	u, key := f.someone(), f.key(readerRank)
	for door, opens := range map[directory.Door]bool{directory.DoorCanonical: true, directory.DoorSCIM: true, directory.DoorIQmetrix: true,
		directory.DoorEncore: true, directory.DoorSmartapp: true, directory.DoorConsole: false, directory.DoorServiceMobility: true, directory.DoorEduBrite: false} {
		if err := f.reads(f.through(door, key), u.Number); (err == nil) != opens {
			t.Errorf("%s: error %v", door, err)
		}
	}
}

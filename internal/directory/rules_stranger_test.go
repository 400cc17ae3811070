package directory_test

import (
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// strict is a service over the same store that takes three wrong credentials a minute
// from an address, and has recognised nobody yet.
func (f *fixture) strict() *fixture {
	sub := *f
	sub.svc = directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(f.t), Strangers: 3,
		HashCost: directory.HashCost{MemoryKiB: 8, Iterations: 1, Parallelism: 1}})
	return &sub
}

// After three keys that nobody has, the next one from the address is told to wait;
// valid credentials of every kind pass from the same address, though this process has
// not seen them before.
func TestRulesStrangersAreSlowedAndNobodyElse(t *testing.T) {
	f := newFixture(t)
	u, client, api := f.someone(withPassword), f.client(), f.apiUser(directory.RankAdministrator)
	pair := must(f.grant(client, u.UserName, password))(t)
	session := f.connected(api)
	customer, code, err := f.svc.CreateCustomer(f.ctx, f.sys(), directory.NewCredential{Name: "customer", Rank: directory.RankAdministrator})
	check(t, err)
	f.secret(code)
	signed := must(f.signIn(u.UserName, password))(t)
	key, seen := f.key(readerRank), f.key(readerRank)
	f = f.strict()
	if _, err := f.listing(f.as(seen)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		_, err := f.listing(f.as(fmt.Sprint("nobodys-key-", i)))
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	quota, err := f.listing(f.as("nobodys-key-4"))
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyStrangers)
	if quota.Remaining != 0 || !quota.Reset.After(f.clock.now()) {
		t.Errorf("the quota of a refused address: %+v", quota)
	}
	if _, err := f.listing(f.as("")); directory.CodeOf(err) != directory.CodeUnauthenticated {
		t.Errorf("who presents nothing guesses nothing: %v", err)
	}
	if _, err := f.svc.User(f.ctx, f.as("nobodys-key-5"), directory.ByNumber(u.Number)); !directory.IsReason(err, directory.ReasonTooManyStrangers) {
		t.Errorf("a read by number: %v", err)
	}
	grant := func(g directory.Grant) error {
		g.UserName, g.Password = u.UserName, password
		_, err := f.svc.PasswordGrant(f.ctx, f.through(directory.DoorIQmetrix, ""), g)
		return err
	}
	wrong := client
	wrong.ClientSecret = "nobodys-secret"
	wantError(t, grant(wrong), directory.CodeRateLimited, directory.ReasonTooManyStrangers)
	paired := f.through(directory.DoorServiceMobility, code)
	paired.ClientID = customer.ClientID
	calls := map[string]error{
		"a key":                    second(f.listing(f.as(key))),
		"a key, reading by number": f.reads(f.as(key), u.Number),
		"an access token":          f.reads(f.through(directory.DoorIQmetrix, pair.Access), u.Number),
		"a session":                f.reads(f.acting(session, u.UserName), u.Number),
		"a customer":               f.reads(paired, u.Number),
		"a signed token":           f.reads(f.signed(signed), u.Number),
		"a client":                 grant(client),
		"an API user":              second(f.connectHere(api)),
	}
	for what, err := range calls {
		if err != nil {
			t.Errorf("%s at an address of strangers: %v", what, err)
		}
	}
	// A session for somebody who does not exist is no guess: it stays recognised.
	if err := f.reads(f.acting(session, "nobody"), u.Number); !directory.IsReason(err, directory.ReasonCredentialInvalid) {
		t.Errorf("a session for nobody: %v", err)
	}
	check(t, f.reads(f.acting(session, u.UserName), u.Number))
}

// Who tries passwords of an API user keeps out nobody who has been right before.
func TestRulesGuessesKeepNoAPIUserOut(t *testing.T) {
	f := newFixture(t)
	api := f.apiUser(directory.RankAdministrator)
	check(t, second(f.connectHere(api)))
	wrong := api
	wrong.secret = "nobodys-password"
	for i := 0; ; i++ {
		err := second(f.connectHere(wrong))
		if directory.IsReason(err, directory.ReasonTooManyLogins) {
			break
		}
		if i == directory.DefaultLoginsPerAccount {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	check(t, second(f.connectHere(api)))
}

// connectHere opens an API session from the address of all calls.
func (f *fixture) connectHere(a apiUser) (directory.SessionPair, error) {
	call := f.through(directory.DoorEduBrite, a.secret)
	call.ClientID = a.ClientID
	pair, err := f.svc.Connect(f.ctx, call, "")
	if err == nil {
		f.secret(pair.Info)
	}
	return pair, err
}

// What locks an account, and what makes codes wait, is counted in the database: a second
// process goes on where the first was.
func TestRulesFailuresCountInEveryProcess(t *testing.T) {
	f := newFixture(t)
	other := f.strict() // another process on the same database
	u, client := f.someone(withPassword), f.client()
	f.settings(func(t *directory.Tenant) { t.Settings.MaxFailedLogins = 3 })
	for _, process := range []*fixture{f, other, f} {
		_, err := process.grant(client, u.UserName, otherPass)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	_, err := other.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginLocked)

	f.settings(func(t *directory.Tenant) { t.Settings.MaxFailedLogins = 0 })
	ada := f.user("ada", withPassword)
	app, _ := f.enrolled(ada)
	for i := range 5 {
		process := []*fixture{f, other}[i%2]
		in := must(process.console("ada", password))(t)
		wantWrongCode(t, "guessed", second(process.answer(in.Challenge, "000000")))
	}
	for _, process := range []*fixture{f, other} {
		in := must(process.console("ada", password))(t)
		wantError(t, second(process.answer(in.Challenge, app.code(0))), directory.CodeRateLimited, directory.ReasonTooManyLogins)
	}
}

// What a process has just given is known to it: the first use of a new session does
// not wait behind somebody who tries credentials from the same address.
func TestRulesNewSessionsPassAmongStrangers(t *testing.T) {
	f := newFixture(t).strict()
	u, client := f.someone(withPassword), f.client()
	api := f.apiUser(directory.RankAdministrator)
	tries := 0
	for ; tries <= 2*directory.DefaultStrangersPerAddress; tries++ {
		call := f.through(directory.DoorCanonical, "nobodys-key")
		call.Addr = "192.0.2.7"
		if _, err := f.svc.User(f.ctx, call, directory.ByNumber(u.Number)); directory.IsReason(err, directory.ReasonTooManyStrangers) {
			break
		}
	}
	if tries < 2 || tries > 2*directory.DefaultStrangersPerAddress {
		t.Fatalf("the address was slowed after %d attempts", tries)
	}
	pair := must(f.grant(client, u.UserName, password))(t)
	session := f.connected(api)
	for name, call := range map[string]*directory.Call{
		"access token": f.through(directory.DoorIQmetrix, pair.Access), "session": f.through(directory.DoorEduBrite, string(session.Secret())),
		"key": f.as(f.key(directory.RankAdministrator))} {
		if !f.svc.Recognises(call.ClientID, call.Secret) {
			t.Errorf("the first use of a new %s waits", name)
		}
	}
}

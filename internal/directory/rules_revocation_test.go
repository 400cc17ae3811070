package directory_test

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// bearer is one way in which somebody is signed in.
type bearer struct {
	name string
	use  func() error // nil while it is good
}

// bearers signs a user in, and an administrator who acts as the user, in every
// way that there is.
func (f *fixture) bearers(u, admin directory.User, api directory.SessionPair) []bearer {
	f.t.Helper()
	client := f.client()
	pair := must(f.grant(client, u.UserName, password))(f.t)
	refreshed := must(f.grant(client, u.UserName, password))(f.t).Refresh
	session := must(f.svc.OpenSession(f.ctx, f.acting(api, u.UserName)))(f.t)
	f.secret(session.Info)
	signed, acting := must(f.signIn(u.UserName, password))(f.t), must(f.impersonate(admin, u))(f.t)
	reset := f.resetToken(u)
	reads := func(call func() *directory.Call) func() error {
		return func() error { return f.reads(call(), u.Number) }
	}
	return []bearer{
		{"access token", reads(func() *directory.Call { return f.through(directory.DoorIQmetrix, pair.Access) })},
		{"refresh token", func() (err error) {
			next, err := f.refresh(client, refreshed)
			if err == nil {
				refreshed = next.Refresh
			}
			return err
		}},
		{"session", reads(func() *directory.Call { return f.acting(session, "") })},
		{"signed token", reads(func() *directory.Call { return f.signed(signed) })},
		{"impersonation", reads(func() *directory.Call { return f.signed(acting) })},
		{"reset token", func() error { _, err := f.resetOf(reset); return err }},
		{"API session", reads(func() *directory.Call { return f.acting(api, u.UserName) })},
	}
}

// Whatever ends what a person is signed in with ends all of it on the next
// request, for good. Only the API user, which has not been touched, may act
// again for who can sign in again.
func TestRulesRevocation(t *testing.T) {
	f := newFixture(t)
	admin := f.ranked(adminRank)
	past := directory.UserPatch{ExpiresAt: directory.Some(start)}
	ends := map[string]struct {
		end, undo func(directory.UserRef) error
		usable    bool // the user may still sign in
	}{
		"deactivate":  {f.doing("deactivate"), f.doing("activate"), false},
		"lock":        {f.doing("lock"), f.doing("unlock"), false},
		"sign out":    {f.doing("sign out"), nil, true},
		"password":    {f.doing("set password"), nil, true},
		"delete":      {f.doing("delete"), func(ref directory.UserRef) error { _ = f.doing("restore")(ref); return f.doing("activate")(ref) }, false},
		"purge":       {func(ref directory.UserRef) error { _ = f.doing("delete")(ref); return f.doing("purge")(ref) }, nil, false},
		"expiry date": {f.patching(past), f.patching(directory.UserPatch{ExpiresAt: directory.Some(time.Time{})}), false},
		"spent reset": {func(ref directory.UserRef) error { return f.spend(f.resetToken(f.stored(ref.Number)), otherPass) }, nil, true},
		"generated":   {func(ref directory.UserRef) error { return f.svc.GeneratePassword(f.ctx, f.sys(), ref) }, nil, true},
		"temporary": {func(ref directory.UserRef) error {
			return f.svc.SetPassword(f.ctx, f.sys(), ref, directory.NewPassword{Password: otherPass, Temporary: true})
		}, nil, true},
	}
	for what, c := range ends {
		f.clock.advance(time.Minute) // sign-ins are limited
		u, api := f.someone(withPassword), f.connected(f.apiUser(adminRank))
		list := f.bearers(u, admin, api)
		for _, b := range list {
			if err := b.use(); err != nil {
				t.Errorf("%s: the %s is not good before: %v", what, b.name, err)
			}
		}
		ref := directory.ByNumber(u.Number)
		check(t, c.end(ref))
		wantEnded(t, what, list, c.usable)
		if c.undo != nil {
			check(t, c.undo(ref))
			wantEnded(t, what+" undone", list, true)
		}
		f.mail()
	}
}

// wantEnded fails unless everything has ended but the API session, which has
// unless the user is usable.
func wantEnded(t *testing.T, what string, list []bearer, usable bool) {
	t.Helper()
	for _, b := range list {
		err := b.use()
		if b.name == "API session" && usable {
			if err != nil {
				t.Errorf("%s: the API user cannot act any more: %v", what, err)
			}
		} else if directory.CodeOf(err) != directory.CodeUnauthenticated {
			t.Errorf("%s: the %s: %v", what, b.name, err)
		}
	}
}

// With an API user end its sessions, those that people opened through it, and
// the reset tokens that it was handed; with its end in time too. Others stay.
func TestRulesRevocationOfAnAPIUser(t *testing.T) {
	f := newFixture(t)
	u, end := f.someone(), f.clock.now().Add(time.Hour)
	for what, c := range map[string]struct {
		until time.Time
		end   func(a apiUser)
	}{
		"revoked": {time.Time{}, func(a apiUser) { check(t, f.svc.RevokeCredential(f.ctx, f.sys(), a.ID)) }},
		"expired": {end, func(apiUser) { f.clock.advance(time.Hour) }},
	} {
		a := f.apiUser(adminRank, func(in *directory.NewCredential) { in.ExpiresAt = c.until })
		pair, other := f.connected(a), f.connected(f.apiUser(adminRank))
		own, theirs := must(f.svc.OpenSession(f.ctx, f.acting(pair, u.UserName)))(t), must(f.svc.OpenSession(f.ctx, f.acting(other, u.UserName)))(t)
		f.secret(own.Info, theirs.Info)
		for _, p := range []directory.SessionPair{pair, own, other, theirs} {
			check(t, f.reads(f.acting(p, u.UserName), u.Number))
		}
		c.end(a)
		for _, p := range []directory.SessionPair{pair, own} {
			if err := f.reads(f.acting(p, u.UserName), u.Number); directory.CodeOf(err) != directory.CodeUnauthenticated {
				t.Errorf("%s: a session answers %v", what, err)
			}
		}
		for _, p := range []directory.SessionPair{other, theirs} {
			check(t, f.reads(f.acting(p, u.UserName), u.Number))
		}
		_, err := f.connect(a.ClientID, a.secret)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonClientInvalid)
	}
}

// A tenant that is disabled, or closes the door, is closed to all at once.
func TestRulesRevocationOfATenant(t *testing.T) {
	f := newFixture(t)
	u, admin := f.someone(withPassword), f.ranked(adminRank)
	list := f.bearers(u, admin, f.connected(f.apiUser(adminRank)))
	f.settings(func(t *directory.Tenant) { t.Disabled = true })
	wantEnded(t, "disabled", list, false)
	f.settings(func(t *directory.Tenant) { t.Disabled = false })
	for _, b := range list {
		if err := b.use(); err != nil {
			t.Errorf("enabled again: the %s: %v", b.name, err)
		}
	}
}

// Sessions that are opened while their user is deactivated do not live.
func TestRulesRevocationRace(t *testing.T) {
	f := newFixture(t)
	u, api := f.someone(withPassword), f.connected(f.apiUser(adminRank))
	pairs, tokens := make([]directory.SessionPair, 4), make([]string, 4)
	ways := []func() error{func() error { return f.doing("deactivate")(directory.ByNumber(u.Number)) }}
	for i := range pairs {
		ways = append(ways, func() (err error) {
			pairs[i], err = f.svc.OpenSession(f.ctx, f.acting(api, u.UserName))
			return err
		}, func() (err error) {
			tokens[i], err = f.signIn(u.UserName, password)
			return err
		})
	}
	_, refused := race(ways)
	for _, err := range refused {
		if directory.CodeOf(err) != directory.CodeUnauthenticated {
			t.Errorf("refused with %v", err)
		}
	}
	check(t, f.doing("activate")(directory.ByNumber(u.Number)))
	for i := range pairs {
		if err := f.reads(f.acting(pairs[i], ""), u.Number); err == nil {
			t.Error("a session outlives the deactivation")
		}
		if err := f.reads(f.signed(tokens[i]), u.Number); err == nil {
			t.Error("a signed token outlives the deactivation")
		}
	}
}

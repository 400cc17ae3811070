package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// resetToken mails a link to a user and returns its token.
func (f *fixture) resetToken(u directory.User) string {
	f.t.Helper()
	check(f.t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	list := f.mail()
	_, token, found := strings.Cut(list[len(list)-1].Link, "?token=")
	if !found {
		f.t.Fatalf("the link is %q", list[len(list)-1].Link)
	}
	f.secret(token)
	return token
}

// spend sets a password by a token, as if from an address of its own.
func (f *fixture) spend(token, pass string) error {
	call := &directory.Call{Door: directory.DoorConsole, Addr: f.unique("address"), RequestID: requestID}
	return f.svc.SpendReset(f.ctx, call, directory.Secret(token), directory.Secret(pass))
}

// resetOf tells whose a token is.
func (f *fixture) resetOf(token string) (directory.User, error) {
	call := &directory.Call{Door: directory.DoorConsole, Addr: f.unique("address")}
	return f.svc.ResetOf(f.ctx, call, directory.Secret(token))
}

func (f *fixture) wantGone(what, token string) {
	f.t.Helper()
	_, err := f.resetOf(token)
	wantRefused(f.t, what, err, directory.CodeUnauthenticated, directory.ReasonResetInvalid)
	wantRefused(f.t, what, f.spend(token, otherPass), directory.CodeUnauthenticated, directory.ReasonResetInvalid)
}

// A link sets a password once, and leaves the old one alone until then.
func TestRulesReset(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	mark := f.mark()
	check(t, f.svc.MailReset(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	f.wantEvents(mark, directory.EventResetMade)
	m := f.mail()[0]
	if m.Kind != directory.MailReset || m.To != u.Email || m.UserName != u.UserName || m.Tenant != f.tenant.Name || m.Password != "" ||
		!strings.HasPrefix(m.Link, "https://users.example.com/reset?token=") || !m.Expires.Equal(start.Add(directory.ResetLifetime)) {
		t.Errorf("the message is %+v", m)
	}
	token, second := strings.TrimPrefix(m.Link, "https://users.example.com/reset?token="), f.resetToken(u)
	f.secret(token)
	if len(token) != 43 || token == second {
		t.Errorf("a token has %d characters", len(token))
	}
	got := must(f.resetOf(token))(t)
	if got.Number != u.Number || got.UserName != u.UserName {
		t.Errorf("the token is of %+v", got)
	}
	must(f.grant(f.client(), u.UserName, password))(t)
	for _, bad := range []string{"", "short", "password1234567", u.UserName + "-and-more-of-it"} {
		if err := f.spend(token, bad); directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("password %q: %v", bad, err)
		}
	}
	mark = f.mark()
	check(t, f.spend(token, otherPass))
	list := f.events(mark)
	if len(list) != 1 || list[0].Type != directory.EventPasswordSet || list[0].Actor != "user:"+itoa(u.Number) {
		t.Errorf("events: %+v", list)
	}
	f.wantGone("spent", token)
	f.wantGone("one made before the new password", second)
	_, err := f.grant(f.client(), u.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	must(f.grant(f.client(), u.UserName, otherPass))(t)
}

// A reset ends a temporary password, and gives one to who had none.
func TestRulesResetReplacesTemporary(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	check(t, f.spend(f.resetToken(u), password))
	must(f.grant(f.client(), u.UserName, password))(t)
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.NewPassword{Password: password, Temporary: true}))
	check(t, f.spend(f.resetToken(u), otherPass))
	if f.stored(u.Number).MustChangePassword {
		t.Error("the password is still temporary")
	}
	must(f.grant(f.client(), u.UserName, otherPass))(t)
}

// What is no token, not any more or not now is one and the same answer.
func TestRulesResetGone(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	pair := must(f.grant(f.client(), u.UserName, password))(t)
	for what, token := range map[string]string{"nothing": "", "garbage": "x", "an access token": pair.Access, "a refresh token": pair.Refresh,
		"a key": f.key(ownerRank), "very long": strings.Repeat("A", 1<<16)} {
		f.wantGone(what, token)
	}
	token := f.resetToken(u)
	for _, door := range []directory.Door{directory.DoorCanonical, directory.DoorIQmetrix, directory.DoorEduBrite, directory.DoorServiceMobility} {
		wantRefused(t, "a reset token as a credential", f.reads(f.through(door, token), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	f.clock.advance(directory.ResetLifetime - time.Microsecond)
	must(f.resetOf(token))(t)
	f.clock.advance(time.Microsecond)
	f.wantGone("expired", token)
	for _, act := range []string{"lock", "deactivate", "delete"} {
		u := f.someone(withPassword)
		token := f.resetToken(u)
		check(t, f.doing(act)(directory.ByNumber(u.Number)))
		f.wantGone(act, token)
	}
	// Made for somebody who may not sign in, it waits until that person may.
	staged := f.someone(withState(directory.StateInactive))
	token = f.resetToken(staged)
	f.wantGone("inactive", token)
	check(t, f.doing("activate")(directory.ByNumber(staged.Number)))
	check(t, f.spend(token, password))
	token = f.resetToken(u)
	f.settings(func(t *directory.Tenant) { t.Disabled = true })
	f.wantGone("a disabled tenant", token)
}

// Of many who spend one token at once, one sets the password.
func TestRulesResetRace(t *testing.T) {
	f := newFixture(t)
	token := f.resetToken(f.someone(withPassword))
	ways := make([]func() error, 8)
	for i := range ways {
		ways[i] = func() error { return f.spend(token, otherPass) }
	}
	won, refused := race(ways)
	for _, err := range refused {
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonResetInvalid)
	}
	if won != 1 {
		t.Errorf("%d have set the password", won)
	}
}

// Trying tokens is limited by address.
func TestRulesResetLimit(t *testing.T) {
	f := newFixture(t)
	call := func() *directory.Call { return &directory.Call{Door: directory.DoorConsole, Addr: "192.0.2.66"} }
	for range directory.DefaultLoginsPerAddress {
		_, err := f.svc.ResetOf(f.ctx, call(), directory.Secret(f.unique("guess")))
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonResetInvalid)
	}
	_, err := f.svc.ResetOf(f.ctx, call(), "guess")
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyLogins)
	must(f.resetOf(f.resetToken(f.someone())))(t)
}

// A generated password is mailed to its owner alone, good for nothing but being
// replaced, and taken by the strictest policy.
func TestRulesGeneratedPassword(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	session := f.session(u)
	f.settings(func(t *directory.Tenant) { t.Settings.Password.MinLength = 60 })
	mark := f.mark()
	check(t, f.svc.GeneratePassword(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	f.wantEvents(mark, directory.EventPasswordSet)
	m := f.mail()[0]
	if m.Kind != directory.MailPassword || m.To != u.Email || len(m.Password) < 60 || m.Link != "" {
		t.Errorf("a message to %s of kind %s with %d characters", m.To, m.Kind, len(m.Password))
	}
	check(t, directory.CheckPassword(directory.PasswordPolicy{MinLength: 60}, &u, m.Password, 0))
	wantError(t, f.reads(session(), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	_, err := f.grant(f.client(), u.UserName, m.Password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginTemporary)
	token := must(f.signIn(u.UserName, m.Password))(t)
	wantError(t, f.reads(f.signed(token), u.Number), directory.CodeForbidden, directory.ReasonLoginTemporary)
	replacement := strings.Repeat(otherPass+" ", 3)
	f.secret(replacement)
	check(t, f.svc.ChangePassword(f.ctx, f.signed(token), directory.ByNumber(u.Number), directory.NewPassword{Password: replacement}))
	must(f.grant(f.client(), u.UserName, replacement))(t)
}

// Without an address nothing is mailed and nothing changes; nor is anything for
// who may not set the password.
func TestRulesResetRefusals(t *testing.T) {
	f := newFixture(t)
	nowhere := f.someone(withPassword, func(in *directory.NewUser) { in.Fields.Email = directory.Some("") })
	admin, plain := f.ranked(adminRank), f.someone()
	narrow := f.key(adminRank, func(in *directory.NewCredential) { in.Scopes = directory.ScopePasswords | directory.ScopeUsersWrite })
	desk, reader := f.key(deskRank), f.key(readerRank)
	for what, run := range map[string]func(c *directory.Call, ref directory.UserRef) error{
		"a password": func(c *directory.Call, ref directory.UserRef) error { return f.svc.GeneratePassword(f.ctx, c, ref) },
		"a link":     func(c *directory.Call, ref directory.UserRef) error { return f.svc.MailReset(f.ctx, c, ref) },
	} {
		dump := f.dump()
		wantRefused(t, what+" to nowhere", run(f.sys(), directory.ByNumber(nowhere.Number)), directory.CodeConflict, directory.ReasonNoAddress)
		wantRefused(t, what+" for an administrator by the helpdesk", run(f.as(desk), directory.ByNumber(admin.Number)), directory.CodeForbidden, directory.ReasonRankTooLow)
		wantRefused(t, what+" by a reader", run(f.as(reader), directory.ByNumber(plain.Number)), directory.CodeForbidden, directory.ReasonRankTooLow)
		wantRefused(t, what+" for an administrator by a narrow key", run(f.as(narrow), directory.ByNumber(admin.Number)), directory.CodeForbidden, directory.ReasonScopeMissing)
		wantRefused(t, what+" for nobody", run(f.sys(), directory.ByUserName("nobody")), directory.CodeNotFound, noUser)
		f.wantUnchanged(dump, what)
		check(t, run(f.as(desk), directory.ByNumber(plain.Number)))
	}
}

// One changes one's own password without any rank, and another's with one.
func TestRulesChangePassword(t *testing.T) {
	f := newFixture(t)
	u, other, admin := f.someone(withPassword), f.someone(withPassword), f.ranked(adminRank)
	own := must(f.signIn(u.UserName, password))(t)
	change := func(c *directory.Call, n int64, pass string) error {
		return f.svc.ChangePassword(f.ctx, c, directory.ByNumber(n), directory.NewPassword{Password: pass})
	}
	wantError(t, change(f.signed(own), other.Number, otherPass), directory.CodeForbidden, directory.ReasonSelfOnly)
	wantError(t, change(f.signed(own), 987_654, otherPass), directory.CodeForbidden, directory.ReasonSelfOnly)
	wantError(t, change(f.signed(own), u.Number, "short"), directory.CodeInvalid, directory.ReasonPasswordTooShort)
	check(t, change(f.signed(own), u.Number, otherPass))
	wantError(t, f.reads(f.signed(own), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	must(f.grant(f.client(), u.UserName, otherPass))(t)
	theirs := func() *directory.Call { return f.signed(must(f.signIn(admin.UserName, password))(t)) }
	check(t, change(theirs(), other.Number, otherPass))
	wantError(t, change(theirs(), f.ranked(ownerRank).Number, otherPass), directory.CodeForbidden, directory.ReasonRankTooLow)
	check(t, change(theirs(), admin.Number, otherPass))
}

// A link went to an address: it ends with that, whoever changes it and however,
// and with nothing else.
func TestRulesResetEndsWithTheAddress(t *testing.T) {
	f := newFixture(t)
	other := f.someone()
	kept := f.resetToken(other)
	for what, patch := range map[string]directory.UserPatch{
		"another address": {Email: directory.Some(f.unique("new") + "@example.com")},
		"no address":      {Email: directory.Some("")},
	} {
		u := f.someone(withPassword)
		token := f.resetToken(u)
		access := must(f.grant(f.client(), u.UserName, password))(t).Access
		for same, harmless := range map[string]directory.UserPatch{"the same": {Email: directory.Some(u.Email)}, "a title": {Title: directory.Some("Clerk")}} {
			must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), harmless, directory.UpdateOptions{}))(t)
			if _, err := f.resetOf(token); err != nil {
				t.Errorf("%s ended the link: %v", same, err)
			}
		}
		before := f.stored(u.Number)
		must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), patch, directory.UpdateOptions{}))(t)
		f.wantGone(what, token)
		if after := f.stored(u.Number); after.AuthEpoch != before.AuthEpoch {
			t.Errorf("%s raised the epoch", what)
		}
		check(t, f.reads(f.through(directory.DoorIQmetrix, access), u.Number))
	}
	must(f.resetOf(kept))(t)
}

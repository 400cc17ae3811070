package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// addConsoleRules are the rows of the policy matrix about second factors and the
// overview.
func addConsoleRules(rules map[string]methodRule) {
	rules["RemoveSecondFactor"] = methodRule{adminRank, directory.ScopePasswords, true, false, noUser, func(w *world) func(c *directory.Call) error {
		ref := w.target()
		w.plantFactor(w.numbered(ref))
		return func(c *directory.Call) error { return w.svc.RemoveSecondFactor(w.ctx, c, ref, "") }
	}}
	rules["SecondFactorOf"] = methodRule{deskRank, directory.ScopeUsersWrite, true, false, noUser, func(w *world) func(c *directory.Call) error {
		ref := w.target()
		return func(c *directory.Call) error { return second(w.svc.SecondFactorOf(w.ctx, c, ref)) }
	}}
	rules["Overview"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, "", noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.Overview(w.ctx, c))
	})}
}

// numbered is the number of a user.
func (f *fixture) numbered(ref directory.UserRef) int64 {
	f.t.Helper()
	return must(f.svc.User(f.ctx, f.sys(), ref))(f.t).Number
}

// plantFactor writes a second factor that nobody set up.
func (f *fixture) plantFactor(number int64) {
	f.t.Helper()
	check(f.t, f.store.Update(f.ctx, func(tx directory.Tx) error {
		return tx.SetSecondFactor(f.ctx, f.tenant.No, directory.SecondFactor{User: number, Sealed: []byte{1}, CreatedAt: f.clock.now()})
	}))
}

// console begins a sign-in at the console, from an address of its own.
func (f *fixture) console(name, pass string) (directory.ConsoleSignIn, error) {
	call := f.through(directory.DoorConsole, "")
	call.Addr = f.unique("address")
	in, err := f.svc.OpenConsoleSession(f.ctx, call, name, directory.Secret(pass))
	f.noteSignIn(in)
	return in, err
}

func (f *fixture) noteSignIn(in directory.ConsoleSignIn) {
	for _, text := range append(in.RecoveryCodes, string(in.Token), string(in.Challenge)) {
		if text != "" {
			f.secret(text)
		}
	}
}

// atConsole is a call in a console session.
func (f *fixture) atConsole(token directory.Secret) *directory.Call {
	return f.through(directory.DoorConsole, string(token))
}

// consoleSession signs in a person who has nothing to prove but the password.
func (f *fixture) consoleSession(u directory.User) directory.Secret {
	f.t.Helper()
	in := must(f.console(u.UserName, password))(f.t)
	if in.Step != directory.StepDone || in.Token == "" || in.Challenge != "" {
		f.t.Fatalf("signed in: %+v", in)
	}
	return in.Token
}

func TestRulesConsoleSession(t *testing.T) {
	f := newFixture(t)
	u, other := f.someone(withPassword), f.someone()
	mark := f.mark()
	in := must(f.console(u.Email, password))(t)
	f.wantEvents(mark, directory.EventSignedIn)
	if in.User.Number != u.Number || in.ExpiresAt.Sub(f.clock.now()) != directory.DefaultConsoleIdleMinutes*time.Minute {
		t.Errorf("signed in: %+v", in)
	}
	who := must(f.svc.WhoAmI(f.ctx, f.atConsole(in.Token)))(t)
	if who.Person.Value.Number != u.Number || who.Behind.Set {
		t.Errorf("who am I: %+v", who)
	}
	check(t, f.reads(f.atConsole(in.Token), u.Number))
	wantError(t, f.reads(f.atConsole(in.Token), other.Number), directory.CodeForbidden, directory.ReasonSelfOnly)
	for _, door := range []directory.Door{directory.DoorCanonical, directory.DoorSCIM, directory.DoorIQmetrix, directory.DoorServiceMobility} {
		wantRefused(t, door.String(), f.reads(f.through(door, string(in.Token)), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	second := f.consoleSession(u)
	list := must(f.svc.Sessions(f.ctx, f.atConsole(second), directory.UserRef{Self: true}))(t)
	if len(list) != 2 || list[0].Current == list[1].Current || list[0].Door != directory.DoorConsole {
		t.Errorf("sessions: %+v", list)
	}
	mark = f.mark()
	check(t, f.svc.EndOwnSession(f.ctx, f.atConsole(in.Token)))
	f.wantEvents(mark, directory.EventSessionEnded)
	wantError(t, f.svc.Admit(f.ctx, f.atConsole(in.Token)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	check(t, f.svc.Admit(f.ctx, f.atConsole(second)))
	check(t, f.svc.SignOutEverywhere(f.ctx, f.atConsole(second), directory.UserRef{Self: true}))
	wantError(t, f.svc.Admit(f.ctx, f.atConsole(second)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

// A sign-in ends with everything that ends one, at the next request.
func TestRulesConsoleSessionEnds(t *testing.T) {
	f := newFixture(t)
	for _, act := range []string{"deactivate", "delete", "lock", "set password", "sign out"} {
		u := f.someone(withPassword)
		token := f.consoleSession(u)
		check(t, f.svc.Admit(f.ctx, f.atConsole(token)))
		check(t, f.doing(act)(directory.ByNumber(u.Number)))
		wantRefused(t, act, f.svc.Admit(f.ctx, f.atConsole(token)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	u := f.someone(withPassword)
	token := f.consoleSession(u)
	f.settings(func(t *directory.Tenant) { t.Doors &^= directory.DoorSet(directory.DoorConsole) })
	wantError(t, f.svc.Admit(f.ctx, f.atConsole(token)), directory.CodeUnauthenticated, directory.ReasonDoorClosed)
	wantError(t, second(f.console(u.UserName, password)), directory.CodeUnauthenticated, directory.ReasonLoginFailed)
}

// Who is not known, has no password or gives a wrong one is told the same.
func TestRulesConsoleRefusals(t *testing.T) {
	f := newFixture(t)
	u, bare := f.someone(withPassword), f.someone()
	for what, try := range map[string][2]string{"a wrong password": {u.UserName, otherPass}, "nobody": {"nobody-at-all", password},
		"no password": {bare.UserName, password}, "no name": {"", password}} {
		in, err := f.console(try[0], try[1])
		wantRefused(t, what, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
		if in.Token != "" || in.Challenge != "" {
			t.Errorf("%s: %+v", what, in)
		}
	}
	check(t, f.doing("lock")(directory.ByNumber(u.Number)))
	wantError(t, second(f.console(u.UserName, password)), directory.CodeUnauthenticated, directory.ReasonLoginLocked)
	var limited error
	for range directory.DefaultLoginsPerAccount + 1 {
		limited = second(f.console("nobody-at-all", password))
	}
	wantError(t, limited, directory.CodeRateLimited, directory.ReasonTooManyLogins)
	if directory.AsError(limited).Retry <= 0 {
		t.Errorf("no time to wait: %v", limited)
	}
}

// A session in use goes on, an idle one ends, and both end at the absolute limit.
func TestRulesConsoleLimits(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.ConsoleIdleMinutes, t.Settings.ConsoleSessionHours = 10, 2 })
	u := f.someone(withPassword)
	admit := func(token directory.Secret) error { return f.svc.Admit(f.ctx, f.atConsole(token)) }
	idle := f.consoleSession(u)
	f.clock.advance(10*time.Minute - time.Microsecond)
	check(t, admit(idle))
	f.clock.advance(10 * time.Minute)
	wantError(t, admit(idle), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)

	polling := f.consoleSession(u)
	f.clock.advance(9 * time.Minute)
	call := f.atConsole(polling)
	call.Unattended = true
	check(t, f.svc.Admit(f.ctx, call))
	f.clock.advance(time.Minute)
	wantError(t, admit(polling), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)

	used, begun := f.consoleSession(u), f.clock.now()
	for f.clock.now().Before(begun.Add(2*time.Hour - 9*time.Minute)) {
		f.clock.advance(9 * time.Minute)
		check(t, admit(used))
	}
	f.clock.advance(begun.Add(2 * time.Hour).Sub(f.clock.now()))
	wantError(t, admit(used), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)

	shortened := f.consoleSession(u)
	f.clock.advance(5 * time.Minute)
	f.settings(func(t *directory.Tenant) { t.Settings.ConsoleSessionHours = 1 })
	for range 11 {
		check(t, admit(shortened))
		f.clock.advance(5 * time.Minute)
	}
	wantError(t, admit(shortened), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
}

// A session in use is written once a minute and not with each request.
func TestRulesConsoleWritesRarely(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	token := f.consoleSession(u)
	end := func() time.Time {
		return must(f.svc.Sessions(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)[0].ExpiresAt
	}
	before := end()
	f.clock.advance(59 * time.Second)
	check(t, f.svc.Admit(f.ctx, f.atConsole(token)))
	if !end().Equal(before) {
		t.Error("written within a minute")
	}
	f.clock.advance(time.Second)
	check(t, f.svc.Admit(f.ctx, f.atConsole(token)))
	if got := end().Sub(before); got != time.Minute {
		t.Errorf("moved by %v", got)
	}
}

// Whoever has a temporary password replaces it on the way, and nothing else is
// possible before.
func TestRulesConsoleTemporaryPassword(t *testing.T) {
	f := newFixture(t)
	u := f.ranked(adminRank)
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.NewPassword{Password: password, Temporary: true}))
	in := must(f.console(u.UserName, password))(t)
	if in.Step != directory.StepPassword || in.Token != "" || in.ExpiresAt.Sub(f.clock.now()) != directory.ChallengeLifetime {
		t.Fatalf("signed in: %+v", in)
	}
	wantError(t, f.svc.Admit(f.ctx, f.atConsole(in.Challenge)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	open := func() *directory.Call { return f.through(directory.DoorConsole, "") }
	wantError(t, second(f.svc.AnswerSecondFactor(f.ctx, open(), in.Challenge, "123456")), directory.CodeUnauthenticated, directory.ReasonSignInExpired)
	wantError(t, second(f.svc.ReplaceTemporaryPassword(f.ctx, open(), in.Challenge, "short")), directory.CodeInvalid, directory.ReasonPasswordTooShort)
	mark := f.mark()
	done := must(f.svc.ReplaceTemporaryPassword(f.ctx, open(), in.Challenge, otherPass))(t)
	f.noteSignIn(done)
	f.wantEvents(mark, directory.EventPasswordSet, directory.EventSignedIn)
	check(t, f.svc.Admit(f.ctx, f.atConsole(done.Token)))
	if f.stored(u.Number).MustChangePassword {
		t.Error("the new password is temporary")
	}
	wantError(t, second(f.svc.ReplaceTemporaryPassword(f.ctx, open(), in.Challenge, password)), directory.CodeUnauthenticated, directory.ReasonSignInExpired)
	if got := must(f.console(u.UserName, otherPass))(t); got.Step != directory.StepDone {
		t.Errorf("the next sign-in: %+v", got)
	}
}

// A challenge is good for five minutes, for this directory and until anything about
// the person changes.
func TestRulesConsoleChallengeEnds(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.NewPassword{Password: password, Temporary: true}))
	try := func(challenge directory.Secret) error {
		return second(f.svc.ReplaceTemporaryPassword(f.ctx, f.through(directory.DoorConsole, ""), challenge, otherPass))
	}
	late := must(f.console(u.UserName, password))(t)
	f.clock.advance(directory.ChallengeLifetime)
	early := must(f.console(u.UserName, password))(t)
	for what, text := range map[string]directory.Secret{"late": late.Challenge, "none": "", "another text": "abc", "cut": early.Challenge[1:],
		"longer": early.Challenge + "A", "very long": directory.Secret(strings.Repeat("A", 1<<20))} {
		wantRefused(t, what, try(text), directory.CodeUnauthenticated, directory.ReasonSignInExpired)
	}
	check(t, f.doing("lock")(directory.ByNumber(u.Number)))
	wantError(t, try(early.Challenge), directory.CodeUnauthenticated, directory.ReasonSignInExpired)
	check(t, f.doing("unlock")(directory.ByNumber(u.Number)))
	wantError(t, try(early.Challenge), directory.CodeUnauthenticated, directory.ReasonSignInExpired)
}

// Changing one's own password takes the old one, ends what was signed in with it and
// goes on in a session that ends no later than the old one would have.
func TestRulesConsoleChangeOwnPassword(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.MaxFailedLogins = 3 })
	u := f.someone(withPassword)
	token, elsewhere := f.consoleSession(u), f.consoleSession(u)
	wantError(t, second(f.svc.ChangeOwnPassword(f.ctx, f.atConsole(token), otherPass, otherPass)), directory.CodeInvalid, directory.ReasonPasswordWrong)
	wantError(t, second(f.svc.ChangeOwnPassword(f.ctx, f.atConsole(token), password, "short")), directory.CodeInvalid, directory.ReasonPasswordTooShort)
	wantError(t, second(f.svc.ChangeOwnPassword(f.ctx, f.as(f.key(adminRank)), password, otherPass)), directory.CodeForbidden, directory.ReasonRankTooLow)
	f.clock.advance(time.Minute)
	in := must(f.svc.ChangeOwnPassword(f.ctx, f.atConsole(token), password, otherPass))(t)
	f.noteSignIn(in)
	for _, old := range []directory.Secret{token, elsewhere} {
		wantError(t, f.svc.Admit(f.ctx, f.atConsole(old)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	check(t, f.svc.Admit(f.ctx, f.atConsole(in.Token)))
	list := must(f.svc.Sessions(f.ctx, f.atConsole(in.Token), directory.UserRef{Self: true}))(t)
	if len(list) != 1 || !list[0].Current || f.clock.now().Sub(list[0].CreatedAt) != time.Minute {
		t.Errorf("sessions: %+v", list)
	}
	for range 3 { // wrong passwords count as in signing in
		wantError(t, second(f.svc.ChangeOwnPassword(f.ctx, f.atConsole(in.Token), "not "+otherPass, password)), directory.CodeInvalid, directory.ReasonPasswordWrong)
	}
	wantError(t, f.svc.Admit(f.ctx, f.atConsole(in.Token)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	if !f.stored(u.Number).Locked {
		t.Error("not locked")
	}
}

// At the console one person acts as another only beside the own session.
func TestRulesConsoleImpersonation(t *testing.T) {
	f := newFixture(t)
	admin, target := f.ranked(adminRank), f.someone()
	rival := f.ranked(adminRank)
	token := f.consoleSession(admin)
	asking := f.atConsole(token)
	asking.Reason = "ticket 7"
	text, _, err := f.svc.ActAsUser(f.ctx, asking, directory.ByNumber(target.Number))
	check(t, err)
	f.secret(text)
	acting := func(session directory.Secret, leave string) *directory.Call {
		call := f.atConsole(session)
		call.Acting = directory.Secret(leave)
		return call
	}
	who := must(f.svc.WhoAmI(f.ctx, acting(token, text)))(t)
	if who.Person.Value.Number != target.Number || who.Behind.Value.Number != admin.Number || who.Actor.OnBehalfOf != "user:"+itoa(admin.Number) {
		t.Errorf("who am I: %+v", who)
	}
	wantRefused(t, "alone", f.svc.Admit(f.ctx, f.through(directory.DoorConsole, text)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	wantRefused(t, "beside another's session", f.svc.Admit(f.ctx, acting(f.consoleSession(rival), text)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	wantRefused(t, "a token of the target", f.svc.Admit(f.ctx, acting(token, must(f.signIn(rival.UserName, password))(t))), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	wantError(t, second(f.svc.BeginSecondFactor(f.ctx, acting(token, text), password)), directory.CodeForbidden, directory.ReasonImpersonating)
	wantError(t, f.svc.EndOwnSession(f.ctx, acting(token, text)), directory.CodeForbidden, directory.ReasonImpersonating)
	wantError(t, f.svc.EndImpersonation(f.ctx, f.atConsole(token)), directory.CodeNotFound, directory.ReasonSessionNotFound)
	mark := f.mark()
	check(t, f.svc.EndImpersonation(f.ctx, acting(token, text)))
	f.wantEvents(mark, directory.EventImpersonationEnded)
	wantError(t, f.svc.Admit(f.ctx, acting(token, text)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	check(t, f.svc.Admit(f.ctx, f.atConsole(token)))

	text, _, err = f.svc.ActAsUser(f.ctx, func() *directory.Call { c := f.atConsole(token); c.Reason = "ticket 8"; return c }(), directory.ByNumber(target.Number))
	check(t, err)
	f.secret(text)
	check(t, f.svc.EndOwnSession(f.ctx, f.atConsole(token)))
	wantError(t, f.svc.Admit(f.ctx, acting(token, text)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

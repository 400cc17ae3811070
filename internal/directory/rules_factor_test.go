package directory_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/usher-id/usher/internal/directory"
)

// app is somebody's authenticator app.
type app struct {
	f    *fixture
	seed string
}

// code is what the app shows, steps from now.
func (a app) code(steps int) directory.Secret {
	a.f.t.Helper()
	code := must(totp.GenerateCodeCustom(a.seed, a.f.clock.now().Add(time.Duration(steps)*30*time.Second),
		totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}))(a.f.t)
	return directory.Secret(code)
}

// enrolled sets up a second factor in a console session, and waits until its codes are
// others.
func (f *fixture) enrolled(u directory.User) (app, []string) {
	f.t.Helper()
	token := f.consoleSession(u)
	e := must(f.svc.BeginSecondFactor(f.ctx, f.atConsole(token), password))(f.t)
	f.secret(string(e.Seed), string(e.URL), string(e.Sealed))
	a := app{f, string(e.Seed)}
	codes, _, err := f.svc.ConfirmSecondFactor(f.ctx, f.atConsole(token), e.Sealed, a.code(0))
	check(f.t, err)
	f.secret(codes...)
	f.clock.advance(time.Minute)
	return a, codes
}

// answer gives a code to a sign-in, from an address of its own.
func (f *fixture) answer(challenge, code directory.Secret) (directory.ConsoleSignIn, error) {
	call := f.through(directory.DoorConsole, "")
	call.Addr = f.unique("address")
	in, err := f.svc.AnswerSecondFactor(f.ctx, call, challenge, code)
	f.noteSignIn(in)
	return in, err
}

func wantWrongCode(t *testing.T, what string, err error) {
	t.Helper()
	wantRefused(t, what, err, directory.CodeUnauthenticated, directory.ReasonFactorWrong)
}

// A second factor is set up with the password and a first code, and asked for from
// then on; each of its codes is good once.
func TestRulesSecondFactor(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	token := f.consoleSession(u)
	wantError(t, second(f.svc.BeginSecondFactor(f.ctx, f.atConsole(token), otherPass)), directory.CodeInvalid, directory.ReasonPasswordWrong)
	e := must(f.svc.BeginSecondFactor(f.ctx, f.atConsole(token), password))(t)
	f.secret(string(e.Seed), string(e.URL), string(e.Sealed))
	link := must(url.Parse(string(e.URL)))(t)
	if link.Scheme != "otpauth" || link.Host != "totp" || link.Query().Get("secret") != string(e.Seed) || link.Path != "/usher "+f.tenant.Name+":"+u.UserName || len(e.Seed) != 32 {
		t.Errorf("URL: %s", link)
	}
	a := app{f, string(e.Seed)}
	_, again, err := f.svc.ConfirmSecondFactor(f.ctx, f.atConsole(token), e.Sealed, a.code(5))
	wantError(t, err, directory.CodeInvalid, directory.ReasonFactorWrong)
	if again != e {
		t.Errorf("shown again: %v, want %v", again, e)
	}
	if must(f.svc.SecondFactorOf(f.ctx, f.atConsole(token), directory.UserRef{Self: true}))(t).Present {
		t.Error("there before a code was right")
	}
	if in := must(f.console(u.UserName, password))(t); in.Step != directory.StepDone {
		t.Errorf("asked for before a code was right: %+v", in)
	}
	mark := f.mark()
	codes, _, err := f.svc.ConfirmSecondFactor(f.ctx, f.atConsole(token), e.Sealed, a.code(0))
	check(t, err)
	f.secret(codes...)
	f.wantEvents(mark, directory.EventFactorEnabled)
	if len(codes) != directory.RecoveryCodes || len(codes[0]) != 19 {
		t.Errorf("recovery codes: %d", len(codes))
	}
	status := must(f.svc.SecondFactorOf(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	if !status.Present || status.Recovery != directory.RecoveryCodes || !status.CreatedAt.Equal(f.clock.now()) || status.Required {
		t.Errorf("status: %+v", status)
	}
	_, _, err = f.svc.ConfirmSecondFactor(f.ctx, f.atConsole(token), e.Sealed, a.code(0))
	wantError(t, err, directory.CodeConflict, directory.ReasonFactorThere)
	wantError(t, second(f.svc.BeginSecondFactor(f.ctx, f.atConsole(token), password)), directory.CodeConflict, directory.ReasonFactorThere)

	in := must(f.console(u.UserName, password))(t)
	if in.Step != directory.StepCode || in.Token != "" {
		t.Fatalf("signed in: %+v", in)
	}
	wantWrongCode(t, "the code that confirmed", second(f.answer(in.Challenge, a.code(0))))
	f.clock.advance(30 * time.Second)
	mark = f.mark()
	done := must(f.answer(in.Challenge, a.code(0)))(t)
	f.wantEvents(mark, directory.EventSignedIn)
	check(t, f.svc.Admit(f.ctx, f.atConsole(done.Token)))
	wantWrongCode(t, "a code for the second time", second(f.answer(in.Challenge, a.code(0))))
}

// A clock may be a step away, and no more; a step that was passed is gone.
func TestRulesSecondFactorSteps(t *testing.T) {
	f := newFixture(t)
	a, _ := f.enrolled(f.user("ada", withPassword))
	in := must(f.console("ada", password))(t)
	wantWrongCode(t, "two steps late", second(f.answer(in.Challenge, a.code(-2))))
	wantWrongCode(t, "two steps early", second(f.answer(in.Challenge, a.code(2))))
	must(f.answer(in.Challenge, a.code(-1)))(t)
	must(f.answer(in.Challenge, a.code(1)))(t)
	wantWrongCode(t, "a step before one that was used", second(f.answer(in.Challenge, a.code(0))))
	spaced := string(a.code(2))
	f.clock.advance(time.Minute)
	must(f.answer(in.Challenge, directory.Secret(" "+spaced[:3]+" "+spaced[3:]+" ")))(t)
}

// A recovery code is good once, in whatever way it is written.
func TestRulesRecoveryCodes(t *testing.T) {
	f := newFixture(t)
	u := f.user("ada", withPassword)
	_, codes := f.enrolled(u)
	in := must(f.console("ada", password))(t)
	mark := f.mark()
	done := must(f.answer(in.Challenge, directory.Secret(strings.ToUpper(strings.ReplaceAll(codes[0], "-", " ")))))(t)
	f.wantEvents(mark, directory.EventRecoveryUsed, directory.EventSignedIn)
	wantWrongCode(t, "a recovery code for the second time", second(f.answer(in.Challenge, directory.Secret(codes[0]))))
	wantWrongCode(t, "a made up one", second(f.answer(in.Challenge, "aaaa-bbbb-cccc-dddd")))
	status := func() directory.SecondFactorStatus {
		return must(f.svc.SecondFactorOf(f.ctx, f.atConsole(done.Token), directory.UserRef{Self: true}))(t)
	}
	if got := status().Recovery; got != directory.RecoveryCodes-1 {
		t.Errorf("%d recovery codes left", got)
	}
	wantError(t, second(f.svc.NewRecoveryCodes(f.ctx, f.atConsole(done.Token), otherPass)), directory.CodeInvalid, directory.ReasonPasswordWrong)
	fresh := must(f.svc.NewRecoveryCodes(f.ctx, f.atConsole(done.Token), password))(t)
	f.secret(fresh...)
	if got := status().Recovery; got != directory.RecoveryCodes {
		t.Errorf("%d recovery codes left", got)
	}
	wantWrongCode(t, "one of before", second(f.answer(in.Challenge, directory.Secret(codes[1]))))
	must(f.answer(in.Challenge, directory.Secret(fresh[0])))(t)
}

// Wrong codes make everybody wait longer and longer, in every process, but not for a
// recovery code; and they count as wrong passwords do, whatever was right between.
func TestRulesSecondFactorGuessing(t *testing.T) {
	f := newFixture(t)
	u := f.user("ada", withPassword)
	a, codes := f.enrolled(u)
	wrong := func() error {
		in := must(f.console("ada", password))(t)
		return second(f.answer(in.Challenge, "000000"))
	}
	for range 5 {
		wantWrongCode(t, "guessed", wrong())
	}
	in := must(f.console("ada", password))(t)
	limited := second(f.answer(in.Challenge, a.code(0)))
	wantError(t, limited, directory.CodeRateLimited, directory.ReasonTooManyLogins)
	if got := directory.AsError(limited).Retry; got != time.Minute {
		t.Errorf("wait %v", got)
	}
	must(f.answer(in.Challenge, directory.Secret(codes[0])))(t)
	f.clock.advance(30 * time.Second)
	must(f.answer(in.Challenge, a.code(0)))(t)

	f.settings(func(t *directory.Tenant) { t.Settings.MaxFailedLogins = 3 })
	f.clock.advance(time.Minute)
	for range 3 {
		wantWrongCode(t, "guessed", wrong())
	}
	if !f.stored(u.Number).Locked {
		t.Error("not locked")
	}
	wantError(t, second(f.console("ada", password)), directory.CodeUnauthenticated, directory.ReasonLoginLocked)
}

// The sign-ins of an address and of an account are limited as passwords are.
func TestRulesSecondFactorLimiter(t *testing.T) {
	f := newFixture(t)
	_, codes := f.enrolled(f.user("ada", withPassword))
	in := must(f.console("ada", password))(t)
	for range directory.DefaultLoginsPerAccount {
		wantWrongCode(t, "guessed", second(f.answer(in.Challenge, "aaaa-aaaa-aaaa-aaaa")))
	}
	wantError(t, second(f.answer(in.Challenge, directory.Secret(codes[0]))), directory.CodeRateLimited, directory.ReasonTooManyLogins)
}

// Who has a second factor takes a code and then replaces a temporary password.
func TestRulesSecondFactorBeforePassword(t *testing.T) {
	f := newFixture(t)
	u := f.user("ada", withPassword)
	a, _ := f.enrolled(u)
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.NewPassword{Password: otherPass, Temporary: true}))
	in := must(f.console("ada", otherPass))(t)
	open := func() *directory.Call { return f.through(directory.DoorConsole, "") }
	wantError(t, second(f.svc.ReplaceTemporaryPassword(f.ctx, open(), in.Challenge, password)), directory.CodeUnauthenticated, directory.ReasonSignInExpired)
	next := must(f.answer(in.Challenge, a.code(0)))(t)
	if next.Step != directory.StepPassword || next.Token != "" {
		t.Fatalf("after the code: %+v", next)
	}
	done := must(f.svc.ReplaceTemporaryPassword(f.ctx, open(), next.Challenge, password))(t)
	f.noteSignIn(done)
	check(t, f.svc.Admit(f.ctx, f.atConsole(done.Token)))
}

// A tenant may ask a second factor of administrators, or of everybody: it is set up on
// the way, and there is no session before.
func TestRulesSecondFactorRequired(t *testing.T) {
	f := newFixture(t)
	admin, u := f.ranked(adminRank), f.someone(withPassword)
	f.settings(func(t *directory.Tenant) { t.Settings.SecondFactor = directory.SecondFactorAdministrators })
	f.consoleSession(u)
	in := must(f.console(admin.UserName, password))(t)
	if in.Step != directory.StepEnrol || in.Token != "" || in.ExpiresAt.Sub(f.clock.now()) != directory.EnrolmentLifetime {
		t.Fatalf("signed in: %+v", in)
	}
	open := func() *directory.Call { return f.through(directory.DoorConsole, "") }
	e := in.Enrolment
	f.secret(string(e.Seed), string(e.URL), string(e.Sealed))
	a := app{f, string(e.Seed)}
	_, again, err := f.svc.FinishEnrolment(f.ctx, open(), in.Challenge, e.Sealed, a.code(9))
	wantWrongCode(t, "another code", err)
	if again != e {
		t.Errorf("shown again: %v", again)
	}
	mark := f.mark()
	done, _, err := f.svc.FinishEnrolment(f.ctx, open(), in.Challenge, e.Sealed, a.code(0))
	check(t, err)
	f.noteSignIn(done)
	f.wantEvents(mark, directory.EventFactorEnabled, directory.EventSignedIn)
	if len(done.RecoveryCodes) != directory.RecoveryCodes {
		t.Errorf("signed in: %+v", done)
	}
	check(t, f.svc.Admit(f.ctx, f.atConsole(done.Token)))
	_, _, err = f.svc.FinishEnrolment(f.ctx, open(), in.Challenge, e.Sealed, a.code(1))
	wantRefused(t, "a second time", err, directory.CodeUnauthenticated, directory.ReasonSignInExpired)
	f.settings(func(t *directory.Tenant) { t.Settings.SecondFactor = directory.SecondFactorAll })
	if in := must(f.console(u.UserName, password))(t); in.Step != directory.StepEnrol {
		t.Errorf("of everybody: %+v", in)
	}
}

// What was begun for one person is nobody else's, and good for a quarter of an hour.
func TestRulesEnrolmentIsItsPersons(t *testing.T) {
	f := newFixture(t)
	u, other := f.someone(withPassword), f.someone(withPassword)
	mine, theirs := f.consoleSession(u), f.consoleSession(other)
	e := must(f.svc.BeginSecondFactor(f.ctx, f.atConsole(mine), password))(t)
	f.secret(string(e.Seed), string(e.URL), string(e.Sealed))
	a := app{f, string(e.Seed)}
	confirm := func(token, sealed directory.Secret) error {
		_, _, err := f.svc.ConfirmSecondFactor(f.ctx, f.atConsole(token), sealed, a.code(0))
		return err
	}
	wantError(t, confirm(theirs, e.Sealed), directory.CodeConflict, directory.ReasonFactorEnrolment)
	wantError(t, confirm(mine, "x"), directory.CodeConflict, directory.ReasonFactorEnrolment)
	f.clock.advance(directory.EnrolmentLifetime)
	wantError(t, confirm(mine, e.Sealed), directory.CodeConflict, directory.ReasonFactorEnrolment)
	wantError(t, second(f.svc.BeginSecondFactor(f.ctx, f.as(f.key(adminRank)), password)), directory.CodeForbidden, directory.ReasonRankTooLow)
}

// A second factor is removed by its person, with a proof, or by somebody above.
func TestRulesRemoveSecondFactor(t *testing.T) {
	f := newFixture(t)
	u, peer, admin, owner := f.ranked(adminRank), f.ranked(adminRank), f.ranked(adminRank), f.ranked(ownerRank)
	a, _ := f.enrolled(u)
	token := must(f.answer(must(f.console(u.UserName, password))(t).Challenge, a.code(0)))(t).Token
	remove := func(call *directory.Call, number int64, proof directory.Secret) error {
		return f.svc.RemoveSecondFactor(f.ctx, call, directory.ByNumber(number), proof)
	}
	wantError(t, remove(f.atConsole(token), u.Number, ""), directory.CodeInvalid, directory.ReasonPasswordWrong)
	wantError(t, remove(f.atConsole(token), u.Number, "000000"), directory.CodeInvalid, directory.ReasonFactorWrong)
	wantError(t, remove(f.atConsole(f.consoleSession(peer)), u.Number, password), directory.CodeForbidden, directory.ReasonRankTooLow)
	wantError(t, remove(f.atConsole(f.consoleSession(admin)), owner.Number, ""), directory.CodeForbidden, directory.ReasonRankTooLow)
	f.clock.advance(30 * time.Second)
	mark := f.mark()
	check(t, remove(f.atConsole(token), u.Number, a.code(0)))
	f.wantEvents(mark, directory.EventFactorRemoved)
	wantError(t, remove(f.atConsole(token), u.Number, password), directory.CodeNotFound, directory.ReasonFactorNotFound)
	f.consoleSession(u)
	f.enrolled(peer)
	// A rank that is taken away for the purpose protects all the same.
	for _, held := range must(f.svc.UserRoles(f.ctx, f.sys(), directory.ByNumber(peer.Number)))(t) {
		check(t, f.svc.UnassignRole(f.ctx, f.atConsole(token), directory.ByNumber(peer.Number), held.Role))
	}
	wantError(t, remove(f.atConsole(token), peer.Number, ""), directory.CodeForbidden, directory.ReasonRankTooLow)
	check(t, remove(f.atConsole(f.consoleSession(owner)), peer.Number, ""))
	f.enrolled(owner)
	wantError(t, remove(f.atConsole(token), owner.Number, ""), directory.CodeForbidden, directory.ReasonRankTooLow)
	check(t, remove(f.sys(), owner.Number, ""))
	plain := f.someone(withPassword)
	f.enrolled(plain)
	check(t, remove(f.atConsole(token), plain.Number, ""))
	f.enrolled(plain)
	check(t, f.doing("delete")(directory.ByNumber(plain.Number)))
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(plain.Number)))
}

// The canonical door asks for the same in one request.
func TestRulesSecondFactorCanonical(t *testing.T) {
	f := newFixture(t)
	u := f.ranked(adminRank)
	signed := must(f.signIn(u.UserName, password))(t)
	check(t, f.svc.Admit(f.ctx, f.atCanonical(signed)))
	a, codes := f.enrolled(u)
	in := func(code directory.Secret) (directory.SignedIn, error) {
		got, err := f.svc.OpenUserSession(f.ctx, f.atCanonical(""), u.UserName, password, code)
		if err == nil {
			f.secret(got.Token)
		}
		return got, err
	}
	wantError(t, second(in("")), directory.CodeUnauthenticated, directory.ReasonFactorRequired)
	wantWrongCode(t, "a wrong code", second(in("000000")))
	first := must(in(a.code(0)))(t)
	check(t, f.svc.Admit(f.ctx, f.atCanonical(first.Token)))
	wantWrongCode(t, "a code for the second time", second(in(a.code(0))))
	must(in(directory.Secret(codes[0])))(t)
	// A token that another door gave for the password alone is no way around it.
	wantError(t, f.svc.Admit(f.ctx, f.atCanonical(signed)), directory.CodeUnauthenticated, directory.ReasonFactorRequired)
	check(t, f.svc.Admit(f.ctx, f.signed(signed)))
	// Nor is one of somebody who has none yet and must set one up.
	other := f.ranked(adminRank)
	unproved := must(f.signIn(other.UserName, password))(t)
	check(t, f.svc.Admit(f.ctx, f.atCanonical(unproved)))
	f.settings(func(t *directory.Tenant) { t.Settings.SecondFactor = directory.SecondFactorAdministrators })
	wantError(t, f.svc.Admit(f.ctx, f.atCanonical(unproved)), directory.CodeUnauthenticated, directory.ReasonFactorRequired)
	f.settings(func(t *directory.Tenant) { t.Settings.SecondFactor = "" })
	target := f.someone()
	wantError(t, f.svc.Admit(f.ctx, f.atCanonical(must(f.impersonate(u, target))(t))), directory.CodeUnauthenticated, directory.ReasonFactorRequired)
	asking := f.atCanonical(first.Token)
	asking.Reason = "ticket 9"
	token, _, err := f.svc.ActAsUser(f.ctx, asking, directory.ByNumber(target.Number))
	check(t, err)
	f.secret(token)
	check(t, f.svc.Admit(f.ctx, f.atCanonical(token)))

	f.settings(func(t *directory.Tenant) { t.Settings.SecondFactor = directory.SecondFactorAll })
	wantError(t, second(f.svc.OpenUserSession(f.ctx, f.atCanonical(""), f.someone(withPassword).UserName, password, "123456")), directory.CodeUnauthenticated, directory.ReasonFactorMissing)
}

// Without the server's secret key no second factor is set up, and one that is there
// lets its person in by a recovery code only.
func TestRulesSecondFactorWithoutKey(t *testing.T) {
	f := newFixture(t)
	u, bare := f.user("ada", withPassword), f.someone(withPassword)
	a, codes := f.enrolled(u)
	f.svc = directory.New(f.store, directory.Options{Now: f.clock.now, HashCost: directory.HashCost{MemoryKiB: 8, Iterations: 1, Parallelism: 1}})
	wantError(t, second(f.svc.BeginSecondFactor(f.ctx, f.atConsole(f.consoleSession(bare)), password)), directory.CodeUnavailable, directory.ReasonSecretKey)
	in := must(f.console("ada", password))(t)
	wantError(t, second(f.answer(in.Challenge, a.code(0))), directory.CodeUnavailable, directory.ReasonSecretKey)
	must(f.answer(in.Challenge, directory.Secret(codes[0])))(t)
}

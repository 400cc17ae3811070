package directory_test

import (
	"crypto/sha1"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/usher-id/usher/internal/directory"
)

// setPassword replaces a user's password.
func (f *fixture) setPassword(u directory.User, p directory.NewPassword) {
	f.t.Helper()
	check(f.t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(u.Number), p))
}

// passwordOf reads a user's password row.
func (f *fixture) passwordOf(u directory.User) directory.Password {
	f.t.Helper()
	var p directory.Password
	check(f.t, f.store.Read(f.ctx, func(r directory.Reader) (err error) {
		p, err = r.Password(f.ctx, u.Tenant, u.Number)
		return err
	}))
	return p
}

// The user is looked for first, then the caller's rank, then the password is
// looked at (docs/dialects/iqmetrix.md 5.24); a refused one changes nothing.
func TestRulesPasswordOrder(t *testing.T) {
	f := newFixture(t)
	u, admin := f.someone(withPassword), f.ranked(adminRank)
	gone := f.inState(deleted)
	desk := f.key(deskRank)
	dump := f.dump()
	for _, c := range []struct {
		what   string
		ref    directory.UserRef
		p      directory.NewPassword
		code   directory.Code
		reason directory.Reason
	}{
		{"nobody", directory.ByNumber(987_654), directory.NewPassword{Password: "x"}, directory.CodeNotFound, noUser},
		{"a deleted user", directory.ByNumber(gone.Number), directory.NewPassword{Password: "x"}, directory.CodeNotFound, directory.ReasonUserDeleted},
		{"a higher rank", directory.ByNumber(admin.Number), directory.NewPassword{Password: "x"}, directory.CodeForbidden, directory.ReasonRankTooLow},
		{"empty", directory.ByNumber(u.Number), directory.NewPassword{}, directory.CodeInvalid, directory.ReasonPasswordTooShort},
		{"short", directory.ByNumber(u.Number), directory.NewPassword{Password: "violin-harbour"}, directory.CodeInvalid, directory.ReasonPasswordTooShort},
		{"short for the door", directory.ByNumber(u.Number), directory.NewPassword{Password: otherPass, MinLength: 26}, directory.CodeInvalid, directory.ReasonPasswordTooShort},
		{"long", directory.ByNumber(u.Number), directory.NewPassword{Password: strings.Repeat("violin-harbour ", 80)}, directory.CodeInvalid, directory.ReasonPasswordTooLong},
		{"blocked", directory.ByNumber(u.Number), directory.NewPassword{Password: strings.Repeat("a", 20)}, directory.CodeInvalid, directory.ReasonPasswordBlocked},
		{"with the name", directory.ByNumber(u.Number), directory.NewPassword{Password: "violin-" + u.UserName + "-harbour"}, directory.CodeInvalid, directory.ReasonPasswordContext},
	} {
		err := f.svc.SetPassword(f.ctx, f.as(desk), c.ref, c.p)
		if directory.CodeOf(err) != c.code || directory.AsError(err).Reason != c.reason {
			t.Errorf("%s: error %v, want %s", c.what, err, c.reason)
		}
	}
	f.wantUnchanged(dump, "a refused password")
	if _, err := f.grant(f.client(), u.UserName, password); err != nil {
		t.Errorf("the old password: %v", err)
	}
}

// A new user's password obeys the same policy, before anything is written.
func TestRulesPasswordOfNewUser(t *testing.T) {
	f := newFixture(t)
	dump := f.dump()
	for what, change := range map[string]func(*directory.NewUser){
		"short":          func(in *directory.NewUser) { in.Password = "violin" },
		"with the name":  func(in *directory.NewUser) { in.Password = "harbour-lamplighter-9" },
		"door's minimum": func(in *directory.NewUser) { in.Password, in.MinPassword = password, 40 },
		"unknown hash":   func(in *directory.NewUser) { in.PasswordHash = "md5:0123" },
		"costly hash":    func(in *directory.NewUser) { in.PasswordHash = "$2b$15$" + strings.Repeat("a", 53) },
	} {
		in := newUser("lamplighter")
		change(&in)
		_, err := f.svc.CreateUser(f.ctx, f.sys(), in)
		if directory.CodeOf(err) != directory.CodeInvalid || directory.AsError(err).Fields[0].Field != "password" {
			t.Errorf("%s: error %v, want a wrong password", what, err)
		}
	}
	f.wantUnchanged(dump, "a refused password")
}

// The owner of a temporary password can do nothing before it is replaced.
func TestRulesPasswordTemporary(t *testing.T) {
	f := newFixture(t)
	client := f.client()
	u := f.someone(withPassword)
	pair := must(f.grant(client, u.UserName, password))(t)
	f.setPassword(u, directory.NewPassword{Password: otherPass, Temporary: true})
	if f.alive(pair.Access, u.Number) || !f.stored(u.Number).MustChangePassword {
		t.Error("a temporary password did not end the session")
	}
	born := f.someone(withPassword, func(in *directory.NewUser) { in.Temporary = true })
	for name, pass := range map[string]string{u.UserName: otherPass, born.UserName: password} {
		_, err := f.grant(client, name, pass)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginTemporary)
		_, err = f.grant(client, name, pass+"x")
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	_, err := f.refresh(client, pair.Refresh)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)
	f.setPassword(u, directory.NewPassword{Password: password})
	must(f.grant(client, u.UserName, password))(t)
}

// Imported hashes sign in as they are and are replaced by the server's own at
// the first sign-in, which raises no version.
func TestRulesPasswordImported(t *testing.T) {
	f := newFixture(t)
	client := f.client()
	crypted := must(bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost))(t)
	salted := sha1.Sum([]byte(password + "salt"))
	for what, hash := range map[string]string{
		"bcrypt": string(crypted),
		"SSHA":   "{SSHA}" + base64.StdEncoding.EncodeToString(append(salted[:], "salt"...)),
	} {
		u := f.someone(func(in *directory.NewUser) { in.PasswordHash = hash })
		if got := f.passwordOf(u).Hash; got != hash {
			t.Fatalf("%s: the hash is kept as another", what)
		}
		if _, err := f.grant(client, u.UserName, otherPass); !directory.IsReason(err, directory.ReasonLoginFailed) || f.passwordOf(u).Hash != hash {
			t.Errorf("%s: a wrong password: %v", what, err)
		}
		mark := f.mark()
		must(f.grant(client, u.UserName, password))(t)
		if got := f.passwordOf(u).Hash; !strings.HasPrefix(got, "$argon2id$") {
			t.Errorf("%s: not replaced after a sign-in", what)
		}
		f.wantEvents(mark, directory.EventSignedIn)
		if got := f.stored(u.Number); got.Version != u.Version || got.DoorVersion != u.DoorVersion || got.AuthEpoch != u.AuthEpoch || !got.UpdatedAt.Equal(u.UpdatedAt) {
			t.Errorf("%s: a sign-in changed the user: %+v", what, got)
		}
		must(f.grant(client, u.UserName, password))(t)
		f.secret(hash, f.passwordOf(u).Hash)
	}
}

// Whoever may not sign in learns why only with the right password; without it
// every name answers the same, whether it exists or not.
func TestRulesLoginAnswers(t *testing.T) {
	f := newFixture(t)
	client := f.client()
	shared := f.someone(withPassword)
	users := map[string]struct {
		name   string
		reason directory.Reason
	}{
		"staged":       {f.inState(staged).UserName, directory.ReasonLoginInactive},
		"inactive":     {f.inState(inactive).UserName, directory.ReasonLoginInactive},
		"deleted":      {f.inState(deleted).UserName, directory.ReasonLoginFailed},
		"no password":  {f.someone().UserName, directory.ReasonLoginFailed},
		"unknown":      {"nobody", directory.ReasonLoginFailed},
		"not a name":   {"\u202e", directory.ReasonLoginFailed},
		"no name":      {"", directory.ReasonLoginFailed},
		"not yet":      {f.dated(start.Add(time.Hour), time.Time{}).UserName, directory.ReasonLoginDates},
		"no longer":    {f.dated(time.Time{}, start).UserName, directory.ReasonLoginDates},
		"openId":       {shared.OpenID, directory.ReasonLoginFailed},
		"employee":     {shared.EmployeeNumber, directory.ReasonLoginFailed},
		"other tenant": {f.in(f.newTenant("umbrella", directory.Settings{})).someone(withPassword).UserName, directory.ReasonLoginFailed},
	}
	_, wrong := f.grant(client, shared.UserName, otherPass)
	wantError(t, wrong, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	dump := f.dump()
	for what, u := range users {
		if _, err := f.grant(client, u.name, password); !directory.IsReason(err, u.reason) {
			t.Errorf("%s: error %v, want %s", what, err, u.reason)
		}
		for _, pass := range []string{otherPass, "", strings.Repeat("x", 100_000)} {
			if _, err := f.grant(client, u.name, pass); publicError(err) != publicError(wrong) {
				t.Errorf("%s: error %v, want the one of a wrong password", what, err)
			}
		}
	}
	f.wantUnchanged(dump, "a refused sign-in")
}

// dated makes a user with validity dates.
func (f *fixture) dated(from, to time.Time) directory.User {
	return f.someone(withPassword, func(in *directory.NewUser) {
		in.Fields.ValidFrom, in.Fields.ExpiresAt = directory.Some(from), directory.Some(to)
	})
}

// Validity dates are looked at when the moment comes, for sign-in and tokens.
func TestRulesLoginDates(t *testing.T) {
	f := newFixture(t)
	u, client := f.dated(start, start.Add(time.Hour)), f.client()
	pair := must(f.grant(client, u.UserName, password))(t)
	f.clock.advance(time.Hour - time.Microsecond)
	if !f.alive(pair.Access, u.Number) {
		t.Error("the token ended before the user's date")
	}
	f.clock.advance(time.Microsecond)
	if f.alive(pair.Access, u.Number) {
		t.Error("the token lives after the user's date")
	}
	_, err := f.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginDates)
	_, err = f.refresh(client, pair.Refresh)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonGrantInvalid)

	later := f.dated(f.clock.now().Add(time.Minute), time.Time{})
	_, err = f.grant(client, later.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginDates)
	f.clock.advance(time.Minute)
	must(f.grant(client, later.UserName, password))(t)
}

// A name and an address both sign in, in whatever case, and a password that
// was typed in another form of Unicode is the same.
func TestRulesLoginForms(t *testing.T) {
	f := newFixture(t)
	client := f.client()
	const composed, decomposed = "sparrow-lantern-caf\u00e9-41", "sparrow-lantern-cafe\u0301-41"
	f.secret(composed, decomposed)
	u := f.someone(func(in *directory.NewUser) { in.Password = composed })
	for _, name := range []string{u.UserName, strings.ToUpper(u.UserName), u.Email, strings.ToUpper(u.Email)} {
		must(f.grant(client, name, decomposed))(t)
	}
	_, err := f.grant(client, u.UserName, strings.ToUpper(composed))
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
}

// Sign-in times live beside the user: they raise no version, and a reset does
// not forget them.
func TestRulesLoginTime(t *testing.T) {
	f := newFixture(t)
	u, client := f.someone(withPassword), f.client()
	if !f.passwordOf(u).LastLogin.IsZero() {
		t.Error("a new user has signed in already")
	}
	f.clock.advance(time.Hour)
	must(f.grant(client, u.UserName, password))(t)
	if got := f.stored(u.Number); got.Version != u.Version || got.DoorVersion != u.DoorVersion {
		t.Errorf("a sign-in raised the version to %d", got.Version)
	}
	at := f.clock.now()
	f.clock.advance(time.Hour)
	f.setPassword(u, directory.NewPassword{Password: otherPass})
	if got := f.passwordOf(u); !got.LastLogin.Equal(at) || !got.SetAt.Equal(f.clock.now()) {
		t.Errorf("last sign-in %v, password set %v", got.LastLogin, got.SetAt)
	}
}

// So many attempts a minute and account are too many even with the right
// password, whatever the case of the name; others are not held up.
func TestRulesLoginLimit(t *testing.T) {
	f := newFixture(t)
	u, other, client := f.someone(withPassword), f.someone(withPassword), f.client()
	for range directory.DefaultLoginsPerAccount {
		_, err := f.grant(client, strings.ToUpper(u.UserName), otherPass)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	_, err := f.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyLogins)
	retry := directory.AsError(err).Retry
	if retry <= 0 || retry > time.Minute {
		t.Fatalf("try again in %v", retry)
	}
	must(f.grant(client, other.UserName, password))(t)
	f.clock.advance(retry)
	must(f.grant(client, u.UserName, password))(t)
	_, err = f.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyLogins)
	_, unknown := f.grant(client, "nobody", password)
	wantError(t, unknown, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
}

package directory_test

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// kindsOfPeople are, by what they are, the names that a sign-in could tell apart.
func (f *fixture) kindsOfPeople() map[string]string {
	some := func(change func(u directory.User)) string {
		u := f.someone(withPassword)
		if change != nil {
			change(u)
		}
		return u.UserName
	}
	number := func(u directory.User) directory.UserRef { return directory.ByNumber(u.Number) }
	return map[string]string{
		"somebody":    some(nil),
		"no name":     "no\u200bname",
		"a long name": string(make([]byte, 4000)),
		"no password": f.someone().UserName,
		"an administrator": some(func(u directory.User) {
			must(f.svc.UpdateUser(f.ctx, f.sys(), number(u), directory.UserPatch{Administrator: directory.Some(true)}, directory.UpdateOptions{}))(f.t)
		}),
		"inactive": some(func(u directory.User) { must(f.svc.Deactivate(f.ctx, f.sys(), number(u)))(f.t) }),
		"deleted":  some(func(u directory.User) { must(f.svc.DeleteUser(f.ctx, f.sys(), number(u)))(f.t) }),
		"locked":   some(func(u directory.User) { must(f.svc.Lock(f.ctx, f.sys(), number(u), 0))(f.t) }),
		"temporary": some(func(u directory.User) {
			check(f.t, f.svc.SetPassword(f.ctx, f.sys(), number(u), directory.NewPassword{Password: otherPass, Temporary: true}))
		}),
		"outside of its dates": some(func(u directory.User) {
			must(f.svc.UpdateUser(f.ctx, f.sys(), number(u), directory.UserPatch{ExpiresAt: directory.Some(start.Add(-time.Hour))}, directory.UpdateOptions{}))(f.t)
		}),
	}
}

// Wherever people sign in, a wrong password costs as many hashes whoever is asked
// about, and ends with the same error; as many for a password of any form, since that
// is the guesser's to choose.
func TestRulesSignInsDoTheSameWork(t *testing.T) {
	f := newFixture(t)
	people, client, target := f.kindsOfPeople(), f.client(), f.someone()
	address := func(call *directory.Call) *directory.Call {
		call.Addr = f.unique("address")
		return call
	}
	ways := map[string]func(name, pass string) error{
		"PasswordGrant": func(name, pass string) error {
			g := client
			g.UserName, g.Password = name, directory.Secret(pass)
			return second(f.svc.PasswordGrant(f.ctx, address(f.through(directory.DoorIQmetrix, "")), g))
		},
		"SignIn": func(name, pass string) error {
			return second(f.svc.SignIn(f.ctx, address(f.through(directory.DoorServiceMobility, "")), name, directory.Secret(pass)))
		},
		"Impersonate": func(name, pass string) error {
			call := address(f.through(directory.DoorServiceMobility, ""))
			return second(f.svc.Impersonate(f.ctx, call, directory.ByNumber(target.Number), name, directory.Secret(pass)))
		},
		"OpenUserSession": func(name, pass string) error {
			return second(f.svc.OpenUserSession(f.ctx, address(f.as("")), name, directory.Secret(pass), ""))
		},
		"OpenConsoleSession": func(name, pass string) error {
			return second(f.svc.OpenConsoleSession(f.ctx, address(f.through(directory.DoorConsole, "")), name, directory.Secret(pass)))
		},
	}
	for what, wrong := range map[string]struct {
		password string
		hashes   int64
	}{
		"wrong":          {"not-the-password", 1},
		"empty":          {"", 1},
		"in two forms":   {"wro\u006e\u0303g", 2},
		"beyond length":  {string(make([]byte, directory.MaxPasswordBytes+1)), 1},
		"no text at all": {"\xff\xfe", 1},
	} {
		for way, signIn := range ways {
			for kind, name := range people {
				before := f.svc.HashWork()
				wantError(t, signIn(name, wrong.password), directory.CodeUnauthenticated, directory.ReasonLoginFailed)
				if got := f.svc.HashWork() - before; got != wrong.hashes {
					t.Errorf("%s of %s, password %s: %d hashes, want %d", way, kind, what, got, wrong.hashes)
				}
			}
			f.clock.advance(time.Minute) // each account has its attempts again
		}
	}
}

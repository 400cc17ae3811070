package directory_test

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// addSignInRules are the rows of the policy matrix about sign-ins, history and
// batches.
func addSignInRules(rules map[string]methodRule) {
	onTarget := func(call func(w *world, c *directory.Call, ref directory.UserRef) error) func(w *world) func(c *directory.Call) error {
		return func(w *world) func(c *directory.Call) error {
			ref := w.target()
			return func(c *directory.Call) error { return call(w, c, ref) }
		}
	}
	rules["Sessions"] = methodRule{deskRank, directory.ScopeUsersWrite, true, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		return second(w.svc.Sessions(w.ctx, c, ref))
	})}
	rules["EndSession"] = methodRule{deskRank, directory.ScopeUsersWrite, true, false, noUser, func(w *world) func(c *directory.Call) error {
		u := w.stored(w.target(withPassword).Number)
		call := w.atCanonical("")
		call.Host = worldHost // there are other tenants
		w.secret(must(w.svc.OpenUserSession(w.ctx, call, u.UserName, password, ""))(w.t).Token)
		id := must(w.svc.Sessions(w.ctx, w.sys(), directory.ByNumber(u.Number)))(w.t)[0].ID
		return func(c *directory.Call) error { return w.svc.EndSession(w.ctx, c, directory.ByNumber(u.Number), id) }
	}}
	rules["MakeReset"] = methodRule{deskRank, directory.ScopePasswords, false, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		return second(w.svc.MakeReset(w.ctx, c, ref))
	})}
	rules["UserEvents"] = methodRule{readerRank, directory.ScopeEvents, false, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		return second(w.svc.UserEvents(w.ctx, c, ref, "", 10))
	})}
	rules["CreateEach"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noCompany, func(w *world) func(c *directory.Call) error {
		in := newUser(w.unique("made"))
		withCompany(w.outside)(&in)
		return func(c *directory.Call) error {
			made, err := w.svc.CreateEach(w.ctx, c, []directory.NewUser{in}, 0)
			if err == nil {
				err = made[0].Err
			}
			return err
		}
	}}
}

// atCanonical is a call through the canonical door.
func (f *fixture) atCanonical(secret string) *directory.Call {
	return f.through(directory.DoorCanonical, secret)
}

// opens signs a person in at the canonical door.
func (f *fixture) opens(u directory.User) directory.SignedIn {
	f.t.Helper()
	in := must(f.svc.OpenUserSession(f.ctx, f.atCanonical(""), u.UserName, password, ""))(f.t)
	f.secret(in.Token)
	return in
}

func TestRulesUserSession(t *testing.T) {
	f := newFixture(t)
	u, other := f.someone(withPassword), f.someone(withPassword)
	mark := f.mark()
	in := f.opens(u)
	f.wantEvents(mark, directory.EventSignedIn)
	if in.User.Number != u.Number || in.ExpiresAt.Sub(f.clock.now()) != directory.AccessLifetime {
		t.Errorf("signed in: %+v", in)
	}
	who := must(f.svc.WhoAmI(f.ctx, f.atCanonical(in.Token)))(t)
	if who.Person.Value.Number != u.Number || who.Credential.Set || who.Tenant.Name != f.tenant.Name || len(who.Tenant.Hosts) != 0 {
		t.Errorf("who am I: %+v", who)
	}
	read := func(call *directory.Call, number int64) error {
		return second(f.svc.User(f.ctx, call, directory.ByNumber(number)))
	}
	check(t, read(f.atCanonical(in.Token), u.Number))
	check(t, read(f.through(directory.DoorSCIM, in.Token), u.Number))
	wantError(t, read(f.atCanonical(in.Token), other.Number), directory.CodeForbidden, directory.ReasonSelfOnly)
	wantError(t, read(f.through(directory.DoorIQmetrix, in.Token), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)

	f.clock.advance(time.Second)
	second := f.opens(u)
	list := must(f.svc.Sessions(f.ctx, f.atCanonical(in.Token), directory.ByNumber(u.Number)))(t)
	if len(list) != 2 || !list[0].CreatedAt.After(list[1].CreatedAt) || list[0].Door != directory.DoorCanonical {
		t.Fatalf("sessions: %+v", list)
	}
	mark = f.mark()
	check(t, f.svc.EndSession(f.ctx, f.sys(), directory.ByNumber(u.Number), list[1].ID))
	f.wantEvents(mark, directory.EventSessionEnded)
	wantError(t, read(f.atCanonical(in.Token), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	check(t, read(f.atCanonical(second.Token), u.Number))
	wantError(t, f.svc.EndSession(f.ctx, f.sys(), directory.ByNumber(u.Number), list[1].ID), directory.CodeNotFound, directory.ReasonSessionNotFound)
	wantError(t, f.svc.EndSession(f.ctx, f.sys(), directory.ByNumber(other.Number), list[0].ID), directory.CodeNotFound, directory.ReasonSessionNotFound)
	check(t, f.svc.EndOwnSession(f.ctx, f.atCanonical(second.Token)))
	wantError(t, f.svc.EndOwnSession(f.ctx, f.atCanonical(second.Token)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	wantError(t, f.svc.EndOwnSession(f.ctx, f.atCanonical(f.key(adminRank))), directory.CodeNotFound, directory.ReasonSessionNotFound)
	f.findCanaries()
}

// A sign-in ends with everything that ends one, and is refused where any is.
func TestRulesUserSessionEnds(t *testing.T) {
	f := newFixture(t)
	for _, act := range []string{"deactivate", "delete", "lock", "set password", "sign out"} {
		u := f.someone(withPassword)
		in := f.opens(u)
		check(t, f.doing(act)(directory.ByNumber(u.Number)))
		wantRefused(t, act, f.svc.Admit(f.ctx, f.atCanonical(in.Token)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	u := f.someone(withPassword)
	in := f.opens(u)
	f.clock.advance(directory.AccessLifetime)
	wantError(t, f.svc.Admit(f.ctx, f.atCanonical(in.Token)), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
	if list := must(f.svc.Sessions(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t); len(list) != 0 {
		t.Errorf("sessions that ended: %+v", list)
	}
	wantError(t, second(f.svc.OpenUserSession(f.ctx, f.atCanonical(""), u.UserName, "not "+password, "")), directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.NewPassword{Password: otherPass, Temporary: true}))
	wantError(t, second(f.svc.OpenUserSession(f.ctx, f.atCanonical(""), u.UserName, otherPass, "")), directory.CodeUnauthenticated, directory.ReasonLoginTemporary)
}

// Who acts as another from a session of its own says why, and both are named.
func TestRulesActAsUser(t *testing.T) {
	f := newFixture(t)
	admin, target, owner := f.ranked(adminRank), f.someone(), f.ranked(ownerRank)
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(admin.Number), directory.NewPassword{Password: password}))
	in := f.opens(admin)
	acting := func(secret, reason string, target int64) (string, error) {
		call := f.atCanonical(secret)
		call.Reason = reason
		token, until, err := f.svc.ActAsUser(f.ctx, call, directory.ByNumber(target))
		if err == nil && until.Sub(f.clock.now()) != directory.ImpersonationLifetime {
			t.Errorf("until %v", until)
		}
		return token, err
	}
	wantError(t, second(acting(in.Token, " ", target.Number)), directory.CodeInvalid, directory.ReasonFieldRequired)
	wantError(t, second(acting(f.key(adminRank), "ticket 7", target.Number)), directory.CodeForbidden, directory.ReasonRankTooLow)
	wantError(t, second(acting(in.Token, "ticket 7", owner.Number)), directory.CodeForbidden, directory.ReasonRankTooLow)
	wantError(t, second(acting(in.Token, "ticket 7", 1<<30)), directory.CodeNotFound, directory.ReasonUserNotFound)
	locked := f.someone()
	check(t, f.doing("lock")(directory.ByNumber(locked.Number)))
	wantError(t, second(acting(in.Token, "ticket 7", locked.Number)), directory.CodeConflict, directory.ReasonLoginLocked)
	mark := f.mark()
	token := must(acting(in.Token, "ticket 7", target.Number))(t)
	f.secret(token)
	if list := f.events(mark); len(list) != 1 || list[0].Type != directory.EventImpersonated || list[0].Reason != "ticket 7" || list[0].Actor != "user:"+itoa(admin.Number) {
		t.Errorf("events: %+v", list)
	}
	call := f.atCanonical(token)
	check(t, second(f.svc.User(f.ctx, call, directory.ByNumber(target.Number))))
	if call.Actor.OnBehalfOf != "user:"+itoa(admin.Number) {
		t.Errorf("the actor is %+v", call.Actor)
	}
	wantError(t, second(acting(token, "again", target.Number)), directory.CodeForbidden, directory.ReasonImpersonating)
	check(t, f.doing("deactivate")(directory.ByNumber(admin.Number)))
	wantError(t, f.svc.Admit(f.ctx, f.atCanonical(token)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	f.findCanaries()
}

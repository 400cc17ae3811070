package directory_test

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// A delegated token ends with the one that it was asked with, however often it
// is asked for again.
func TestRulesDelegateDoesNotProlong(t *testing.T) {
	f := newFixture(t)
	admin := f.ranked(adminRank)
	must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Key: "Dispatcher", Name: "Dispatcher"}))(t)
	token := must(f.signIn(admin.UserName, password))(t)
	for range 3 {
		f.clock.advance(directory.SignedTokenLifetime / 4)
		token = must(f.svc.Delegate(f.ctx, f.signed(token), f.tenant.ID, "Dispatcher"))(t)
		f.secret(token)
		check(t, f.reads(f.signed(token), admin.Number))
	}
	f.clock.advance(directory.SignedTokenLifetime/4 + time.Second)
	wantError(t, f.reads(f.signed(token), admin.Number), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
}

// A link that was made for a person without rank is good for no more.
func TestRulesResetEndsWithAPromotion(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	token := f.resetToken(u)
	must(f.update(u, directory.UserPatch{Administrator: directory.Some(true)}))(t)
	f.wantGone("after a promotion", token)
	u = f.someone(withPassword)
	token = f.resetToken(u)
	check(t, f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	f.wantGone("of the account owner", token)
}

// An impersonator makes no account that it could sign in with afterwards.
func TestRulesImpersonatorMakesNoAccount(t *testing.T) {
	f := newFixture(t)
	admin, target := f.ranked(adminRank), f.ranked(adminRank)
	token := must(f.impersonate(admin, target))(t)
	in := newUser("sleeper")
	in.Password = otherPass
	_, err := f.svc.CreateUser(f.ctx, f.signed(token), in)
	wantError(t, err, directory.CodeForbidden, directory.ReasonImpersonating)
	in = newUser("harmless")
	must(f.svc.CreateUser(f.ctx, f.signed(token), in))(t)
}

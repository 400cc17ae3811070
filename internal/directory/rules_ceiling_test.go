package directory_test

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Nobody gets through an API user, by way of the acting person's own record,
// what the API user was not made for: with that person's password or a reset
// token for it, its whole rank would be open at every door.
func TestRulesOwnRecordThroughAPIUser(t *testing.T) {
	f := newFixture(t)
	owner, admin, desk, plain := f.ranked(ownerRank), f.ranked(adminRank), f.ranked(deskRank), f.ranked(selfRank)
	inside := f.company("Inside", f.root)
	local := f.someone(withPassword, withCompany(inside))
	_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(local.Number), f.role(adminRank).Number, f.root)
	check(t, err)
	whole := func(*directory.NewCredential) {}
	doors := func(in *directory.NewCredential) { in.Doors = directory.DoorSet(directory.DoorEduBrite) }
	scopes := func(in *directory.NewCredential) { in.Scopes = directory.AllScopes &^ directory.ScopeTenant }
	bound := func(in *directory.NewCredential) { in.Root = inside }
	for _, test := range []struct {
		what             string
		rank             directory.Rank
		limit            func(*directory.NewCredential)
		who              directory.User
		mayEdit, mayTake bool // the record, the password
	}{
		{"helpdesk for the owner", deskRank, whole, owner, false, false},
		{"administrator for the owner", adminRank, whole, owner, false, false},
		{"self for the owner", selfRank, whole, owner, false, false},
		{"helpdesk for an administrator", deskRank, whole, admin, false, false},
		{"one door for an administrator", adminRank, doors, admin, true, false},
		{"one door for the owner", ownerRank, doors, owner, true, false},
		{"one door for the helpdesk", adminRank, doors, desk, true, false},
		{"few scopes for an administrator", adminRank, scopes, admin, true, false},
		{"one company for an administrator", adminRank, bound, local, true, false},
		{"helpdesk for the helpdesk", deskRank, whole, desk, true, false},
		{"administrator for an administrator", adminRank, whole, admin, true, true},
		{"owner for the owner", ownerRank, whole, owner, true, true},
		{"one door for an ordinary user", selfRank, doors, plain, true, true},
	} {
		pair := f.connected(f.apiUser(test.rank, test.limit))
		me := directory.ByNumber(test.who.Number)
		call := func() *directory.Call { return f.acting(pair, test.who.UserName) }
		patch := directory.UserPatch{Email: directory.Some(f.unique("mine") + "@example.com")}
		if _, err := f.svc.UpdateUser(f.ctx, call(), me, patch, directory.UpdateOptions{}); test.mayEdit != (err == nil) {
			t.Errorf("%s: own e-mail address: %v", test.what, err)
		}
		detail, err := f.svc.UserDetail(f.ctx, call(), me, directory.IncludeReset)
		if detail.Reset.Token != "" && !test.mayTake {
			t.Errorf("%s: has a reset token: %v", test.what, err)
		}
		err = f.svc.ChangePassword(f.ctx, call(), me, directory.NewPassword{Password: otherPass})
		if test.mayTake != (err == nil) {
			t.Errorf("%s: own password: %v", test.what, err)
		}
	}
}

// A password in a patch is no way around what one may change of one's own
// record.
func TestRulesPasswordInOwnPatch(t *testing.T) {
	f := newFixture(t)
	desk := f.ranked(deskRank)
	token := must(f.signIn(desk.UserName, password))(t)
	patch := directory.UserPatch{Password: directory.Some(otherPass), LicenceType: directory.Some(licence)}
	dump := f.dump()
	_, err := f.svc.UpdateUser(f.ctx, f.signed(token), directory.ByNumber(desk.Number), patch, directory.UpdateOptions{})
	wantError(t, err, directory.CodeForbidden, directory.ReasonFieldRights)
	_, _, err = f.svc.PutUser(f.ctx, f.signed(token), desk.UserName, directory.NewUser{Fields: patch}, directory.UpdateOptions{})
	wantError(t, err, directory.CodeForbidden, directory.ReasonFieldRights)
	f.wantUnchanged(dump, "a patch of the own record")
}

// A key that was made for little cannot make somebody who has the rest.
func TestRulesNarrowKeysGiveNoRank(t *testing.T) {
	f := newFixture(t)
	ranked, flat := f.role(adminRank), f.role(selfRank)
	for what, limit := range map[string]func(*directory.NewCredential){
		"scopes": func(in *directory.NewCredential) {
			in.Scopes = directory.ScopeUsersRead | directory.ScopeUsersWrite | directory.ScopeCompanies
		},
		"doors": func(in *directory.NewCredential) { in.Doors = directory.DoorSet(directory.DoorCanonical) },
	} {
		key := f.key(adminRank, limit)
		u := directory.ByNumber(f.someone().Number)
		_, _, err := f.svc.AssignRole(f.ctx, f.as(key), u, ranked.Number, f.root)
		wantRefused(t, what+": a role", err, directory.CodeForbidden, directory.ReasonScopeMissing)
		err = f.svc.GiveRole(f.ctx, f.as(key), u, ranked.Key)
		wantRefused(t, what+": a role by key", err, directory.CodeForbidden, directory.ReasonScopeMissing)
		_, err = f.svc.UpdateUser(f.ctx, f.as(key), u, directory.UserPatch{Administrator: directory.Some(true)}, directory.UpdateOptions{})
		wantRefused(t, what+": the rank", err, directory.CodeForbidden, directory.ReasonScopeMissing)
		in := newUser(f.unique("made"))
		in.Password, in.Fields.Administrator = password, directory.Some(true)
		_, err = f.svc.CreateUser(f.ctx, f.as(key), in)
		wantRefused(t, what+": a new administrator", err, directory.CodeForbidden, directory.ReasonScopeMissing)
		check(t, f.svc.GiveRole(f.ctx, f.as(key), u, flat.Key))
		// Who has the rank already stays as it is, and it can be taken.
		admin := directory.ByNumber(f.ranked(adminRank).Number)
		must(f.svc.UpdateUser(f.ctx, f.as(key), admin, directory.UserPatch{Administrator: directory.Some(true)}, directory.UpdateOptions{}))(t)
		must(f.svc.UpdateUser(f.ctx, f.as(key), admin, directory.UserPatch{Administrator: directory.Some(false)}, directory.UpdateOptions{}))(t)
	}
}

// A reset token ends no later than the key that was handed it.
func TestRulesResetEndsWithItsKey(t *testing.T) {
	f := newFixture(t)
	u := f.ranked(selfRank)
	key := f.key(deskRank, func(in *directory.NewCredential) { in.ExpiresAt = start.Add(time.Hour) })
	detail := must(f.svc.UserDetail(f.ctx, f.as(key), directory.ByNumber(u.Number), directory.IncludeReset))(t)
	f.secret(detail.Reset.Token)
	if want := start.Add(time.Hour); !detail.Reset.ExpiresAt.Equal(want) {
		t.Errorf("the token ends at %v, want %v", detail.Reset.ExpiresAt, want)
	}
	page := func() *directory.Call { return f.through(directory.DoorConsole, "") }
	must(f.svc.ResetOf(f.ctx, page(), directory.Secret(detail.Reset.Token)))(t)
	f.clock.advance(time.Hour)
	_, err := f.svc.ResetOf(f.ctx, page(), directory.Secret(detail.Reset.Token))
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonResetInvalid)
}

// The name of a company that a caller cannot see is to it as if there were no
// such company.
func TestRulesNameOfHiddenCompany(t *testing.T) {
	f := newFixture(t)
	inside := f.company("Inside", f.root)
	f.company("Outside", f.root)
	u := f.someone(withCompany(inside))
	key := f.bound(inside)
	says := map[string]string{}
	for _, name := range []string{"Outside", "Nowhere"} {
		patch := directory.UserPatch{CompanyName: directory.Some(name)}
		_, err := f.svc.UpdateUser(f.ctx, f.as(key), directory.ByNumber(u.Number), patch, directory.UpdateOptions{})
		wantError(t, err, directory.CodeInvalid, directory.ReasonCompanyNotFound)
		says[name] = directory.AsError(err).Message
	}
	if says["Outside"] != `There is no company "Outside".` || says["Nowhere"] != `There is no company "Nowhere".` {
		t.Errorf("the two answers are %q", says)
	}
}

package directory_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Who impersonates acts as the target, for an hour, and every event says both.
func TestRulesImpersonate(t *testing.T) {
	f := newFixture(t)
	admin, target, other := f.ranked(adminRank), f.someone(), f.someone()
	mark := f.mark()
	token := must(f.impersonate(admin, target))(t)
	list := f.events(mark)
	if len(list) != 1 || list[0].Type != directory.EventImpersonated || list[0].User != target.Number || list[0].Actor != "user:"+itoa(admin.Number) {
		t.Errorf("events: %+v", list)
	}
	call := f.signed(token)
	check(t, f.reads(call, target.Number))
	if call.Actor.User != target.Number || call.Actor.Rank != selfRank || call.Actor.OnBehalfOf != "user:"+itoa(admin.Number) {
		t.Errorf("the actor is %+v", call.Actor)
	}
	wantError(t, f.reads(f.signed(token), other.Number), directory.CodeForbidden, directory.ReasonSelfOnly)
	mark = f.mark()
	patch := directory.UserPatch{GivenName: directory.Some("Ann")}
	must(f.svc.UpdateUser(f.ctx, f.signed(token), directory.ByNumber(target.Number), patch, directory.UpdateOptions{}))(t)
	if list := f.events(mark); len(list) != 1 || list[0].Actor != "user:"+itoa(target.Number) || list[0].OnBehalfOf != "user:"+itoa(admin.Number) {
		t.Errorf("events of what was done: %+v", list)
	}
	_, body := parts(t, token)
	if act, ok := body["act"].(claims); !ok || act["sub"] != admin.UserName || body["imp"] == "" || body["sub"] != target.UserName {
		t.Errorf("claims: %v", body)
	}
	f.clock.advance(directory.ImpersonationLifetime - time.Second)
	check(t, f.reads(f.signed(token), target.Number))
	f.clock.advance(time.Second)
	wantError(t, f.reads(f.signed(token), target.Number), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
}

// Only administrators impersonate, nobody above themselves, and only who could
// sign in; a stranger learns nothing of the target.
func TestRulesImpersonateWho(t *testing.T) {
	f := newFixture(t)
	admin, desk, owner, plain := f.ranked(adminRank), f.ranked(deskRank), f.ranked(ownerRank), f.someone(withPassword)
	locked, inactive, deleted := f.someone(), f.someone(), f.someone()
	for u, act := range map[int64]string{locked.Number: "lock", inactive.Number: "deactivate", deleted.Number: "delete"} {
		check(t, f.doing(act)(directory.ByNumber(u)))
	}
	temporary := f.ranked(adminRank)
	check(t, f.svc.SetPassword(f.ctx, f.sys(), directory.ByNumber(temporary.Number), directory.NewPassword{Password: password, Temporary: true}))
	dump := f.dump("impersonations", "events")
	nobody := directory.User{UserName: "nobody"}
	for what, c := range map[string]struct {
		admin, target directory.User
		code          directory.Code
		reason        directory.Reason
	}{
		"an ordinary user":        {plain, plain, directory.CodeForbidden, directory.ReasonRankTooLow},
		"an ordinary user, none":  {plain, nobody, directory.CodeForbidden, directory.ReasonRankTooLow},
		"the helpdesk":            {desk, plain, directory.CodeForbidden, directory.ReasonRankTooLow},
		"an unknown admin":        {nobody, plain, directory.CodeUnauthenticated, directory.ReasonLoginFailed},
		"an unknown admin, none":  {nobody, nobody, directory.CodeUnauthenticated, directory.ReasonLoginFailed},
		"a temporary password":    {temporary, plain, directory.CodeUnauthenticated, directory.ReasonLoginTemporary},
		"the owner by an admin":   {admin, owner, directory.CodeForbidden, directory.ReasonRankTooLow},
		"nobody":                  {admin, nobody, directory.CodeNotFound, directory.ReasonUserNotFound},
		"a deleted user":          {admin, deleted, directory.CodeNotFound, directory.ReasonUserNotFound},
		"a locked user":           {admin, locked, directory.CodeUnauthenticated, directory.ReasonLoginLocked},
		"an inactive user":        {admin, inactive, directory.CodeUnauthenticated, directory.ReasonLoginInactive},
		"an admin by its address": {directory.User{UserName: admin.Email}, directory.User{UserName: plain.Email}, directory.CodeNotFound, directory.ReasonUserNotFound},
	} {
		_, err := f.impersonate(c.admin, c.target)
		wantRefused(t, what, err, c.code, c.reason)
		f.clock.advance(time.Minute)
	}
	if after := f.dump("impersonations", "events"); after["impersonations"] != dump["impersonations"] || after["events"] != dump["events"] {
		t.Error("a refused impersonation left something behind")
	}
	check(t, f.reads(f.signed(must(f.impersonate(owner, admin))(t)), plain.Number))
	check(t, f.reads(f.signed(must(f.impersonate(admin, temporary))(t)), plain.Number))
	must(f.impersonate(admin, admin))(t)
}

// An administrator's wrong passwords count as at any sign-in.
func TestRulesImpersonateLocks(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.MaxFailedLogins = 3 })
	admin, target := f.ranked(adminRank), f.someone()
	for range 3 {
		call := f.through(directory.DoorServiceMobility, "")
		_, err := f.svc.Impersonate(f.ctx, call, directory.ByNumber(target.Number), admin.UserName, otherPass)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	_, err := f.impersonate(admin, target)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginLocked)
}

// An impersonation lives only while both people are what they were.
func TestRulesImpersonateEnds(t *testing.T) {
	f := newFixture(t)
	role := f.role(adminRank)
	ends := map[string]func(directory.UserRef) error{}
	for _, name := range []string{"deactivate", "lock", "sign out", "delete", "set password"} {
		ends[name] = f.doing(name)
	}
	ends["expiry date"] = f.patching(directory.UserPatch{ExpiresAt: directory.Some(start)})
	for what, end := range ends {
		for who := range 2 {
			people := [2]directory.User{f.ranked(adminRank), f.someone()}
			token := must(f.impersonate(people[0], people[1]))(t)
			check(t, f.reads(f.signed(token), people[1].Number))
			check(t, end(directory.ByNumber(people[who].Number)))
			wantRefused(t, what+" of "+[]string{"the administrator", "the target"}[who], f.reads(f.signed(token), people[1].Number),
				directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
		}
	}
	// Ranks count as they are now.
	admin, target := f.someone(withPassword), f.someone()
	_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(admin.Number), role.Number, f.root)
	check(t, err)
	token := must(f.impersonate(admin, target))(t)
	check(t, f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(target.Number)))
	wantRefused(t, "a target that rose", f.reads(f.signed(token), target.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	second := f.someone()
	token = must(f.impersonate(admin, second))(t)
	check(t, f.svc.UnassignRole(f.ctx, f.sys(), directory.ByNumber(admin.Number), role.Number))
	wantRefused(t, "an administrator no more", f.reads(f.signed(token), second.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

// The leave is for these two people: a signature over other names is not enough
// without it.
func TestRulesImpersonateLeave(t *testing.T) {
	f := newFixture(t)
	admin, other, target, third := f.ranked(adminRank), f.ranked(adminRank), f.someone(), f.someone()
	token := must(f.impersonate(admin, target))(t)
	header, body := parts(t, token)
	_, key := f.signingKey()
	act := body["act"].(claims)
	for what, c := range map[string]claims{
		"another target":  {"uid": third.Number, "epo": third.AuthEpoch},
		"another admin":   {"act": claims{"sub": other.UserName, "uid": other.Number, "epo": other.AuthEpoch}},
		"another epoch":   {"act": changed(act, claims{"epo": 99})},
		"no such admin":   {"act": changed(act, claims{"uid": 987654})},
		"another leave":   {"imp": "3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9e"},
		"no leave":        {"imp": nil},
		"no actor":        {"act": nil},
		"a longer life":   {"exp": start.Add(24 * time.Hour).Unix(), "imp": nil},
		"an empty leave":  {"imp": ""},
		"an empty person": {"act": claims{}},
	} {
		text := forge(t, header, changed(body, c), key, sha256.New)
		wantRefused(t, what, f.reads(f.signed(text), target.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	long := forge(t, header, changed(body, claims{"exp": start.Add(24 * time.Hour).Unix()}), key, sha256.New)
	check(t, f.reads(f.signed(long), target.Number))
	f.clock.advance(directory.ImpersonationLifetime)
	wantRefused(t, "after the leave's end", f.reads(f.signed(long), target.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

// Who acts as an administrator makes no role stronger: that would outlast the hour.
func TestRulesImpersonateRoles(t *testing.T) {
	f := newFixture(t)
	token := must(f.impersonate(f.ranked(adminRank), f.ranked(adminRank)))(t)
	role := f.role(selfRank)
	_, err := f.svc.EditRole(f.ctx, f.signed(token), role.Number, directory.RolePatch{Rank: directory.Some(readerRank)})
	wantError(t, err, directory.CodeForbidden, directory.ReasonImpersonating)
	_, err = f.svc.CreateRole(f.ctx, f.signed(token), directory.Role{Name: "stronger", Rank: readerRank})
	wantError(t, err, directory.CodeForbidden, directory.ReasonImpersonating)
	must(f.svc.EditRole(f.ctx, f.signed(token), role.Number, directory.RolePatch{Name: directory.Some("Renamed")}))(t)
}

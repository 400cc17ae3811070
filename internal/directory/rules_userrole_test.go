package directory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// keyed makes a role of the tenant of a key and a rank.
func (f *fixture) keyed(key string, rank directory.Rank) directory.Role {
	f.t.Helper()
	return must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: key, Key: key, Rank: rank}))(f.t)
}

// rolesOf are the keys of a user's roles, by number of the assignment.
func (f *fixture) rolesOf(number int64) []string {
	f.t.Helper()
	keys := []string{}
	for _, h := range must(f.svc.UserDetail(f.ctx, f.sys(), directory.ByNumber(number), directory.IncludeRoles))(f.t).Roles {
		keys = append(keys, h.Role.Key)
	}
	return keys
}

// setRoles makes a user's roles these.
func (f *fixture) setRoles(call *directory.Call, u directory.User, keys ...string) error {
	return f.svc.SetUserRoles(f.ctx, call, directory.ByNumber(u.Number), keys)
}

// admin makes a user an administrator or an ordinary user by a patch.
func (f *fixture) admin(call *directory.Call, u directory.User, yes bool) error {
	_, err := f.svc.UpdateUser(f.ctx, call, directory.ByNumber(u.Number), directory.UserPatch{Administrator: directory.Some(yes)}, directory.UpdateOptions{})
	return err
}

// The roles of the tenant become these; those of a company stay, and the rank
// follows.
func TestRulesSetUserRoles(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	f.keyed("Tech", selfRank)
	f.keyed("viewer", readerRank)
	f.keyed("desk", deskRank)
	own := must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: "own", Company: f.root, Rank: readerRank}))(t)
	check(t, f.assign(f.sys(), u, own.Number))
	for _, c := range []struct {
		keys, want string
		rank       directory.Rank
		changed    bool
	}{
		{"Tech desk", "own Tech desk", deskRank, true}, {"desk Tech desk", "own Tech desk", deskRank, false},
		{"Tech VIEWER", "own Tech viewer", readerRank, true}, {"", "own", readerRank, true}, {"", "own", readerRank, false},
	} {
		mark, call, version := f.mark(), f.sys(), f.stored(u.Number).Version
		check(t, f.setRoles(call, u, strings.Fields(c.keys)...))
		after := f.stored(u.Number)
		if got := strings.Join(f.rolesOf(u.Number), " "); got != c.want || after.Rank != c.rank || call.Changed != c.changed {
			t.Errorf("%q: %q with rank %s, changed %t; want %q with rank %s", c.keys, got, after.Rank, call.Changed, c.want, c.rank)
		}
		if c.changed {
			f.wantEvents(mark, directory.EventRolesChanged)
		} else {
			f.wantEvents(mark)
		}
		if risen := after.Version - version; risen != map[bool]int64{true: 1}[c.changed] {
			t.Errorf("%q raised the version by %d", c.keys, risen)
		}
	}
	dump := f.dump()
	err := f.setRoles(f.sys(), u, "no", "Tech", "own", "a\x00", "")
	if got := fieldReasons(err); len(got) != 4 || got[0] != "roles role.not_found" || directory.CodeOf(err) != directory.CodeInvalid {
		t.Errorf("unknown roles: %v", err)
	}
	f.wantUnchanged(dump, "unknown roles")
	for _, a := range must(f.svc.UserRoles(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t) {
		if a.Company != f.root {
			t.Errorf("assignment %+v, want the default company's", a)
		}
	}
}

// Nobody gives or takes a rank above its own by any way to roles, and a key of
// one company none at all.
func TestRulesRolesAreBoundByRank(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	f.keyed("boss", adminRank)
	f.keyed("desk", deskRank)
	f.keyed("tech", selfRank)
	u, high := f.someone(withCompany(a)), f.someone(withCompany(a))
	check(t, f.setRoles(f.sys(), high, "boss", "tech"))
	bound, weak := f.bound(a), f.key(deskRank)
	ways := map[string]func(call *directory.Call, u directory.User) error{
		"SetUserRoles": func(c *directory.Call, u directory.User) error { return f.setRoles(c, u, "boss") },
		"GiveRole": func(c *directory.Call, u directory.User) error {
			return f.svc.GiveRole(f.ctx, c, directory.ByNumber(u.Number), "desk")
		},
		"SetRoleMembers": func(c *directory.Call, u directory.User) error {
			return f.svc.SetRoleMembers(f.ctx, c, "desk", refs(u))
		},
		"a patch's roles": func(c *directory.Call, u directory.User) error {
			_, err := f.svc.UpdateUser(f.ctx, c, directory.ByNumber(u.Number), directory.UserPatch{Roles: directory.Some([]string{"boss"})}, directory.UpdateOptions{})
			return err
		},
		"a patch's administrator": func(c *directory.Call, u directory.User) error { return f.admin(c, u, true) },
		"a new user's roles": func(c *directory.Call, _ directory.User) error {
			in := newUser(f.unique("made"))
			in.Fields.Company, in.Fields.Roles = directory.Some(a), directory.Some([]string{"boss"})
			_, err := f.svc.CreateUser(f.ctx, c, in)
			return err
		},
	}
	dump := f.dump()
	for name, way := range ways {
		for _, key := range []string{bound, weak} {
			if err := way(f.as(key), u); directory.AsError(err).Reason != directory.ReasonRankTooLow {
				t.Errorf("%s: error %v, want %s", name, err, directory.ReasonRankTooLow)
			}
		}
	}
	for name, err := range map[string]error{
		"SetUserRoles":            f.setRoles(f.as(bound), high),
		"TakeRole":                f.svc.TakeRole(f.ctx, f.as(bound), directory.ByNumber(high.Number), "boss"),
		"SetRoleMembers":          f.svc.SetRoleMembers(f.ctx, f.as(bound), "boss", nil),
		"a patch's administrator": f.admin(f.as(bound), high, false),
	} {
		wantRefused(t, name+" takes a rank", err, directory.CodeForbidden, directory.ReasonRankTooLow)
	}
	f.wantUnchanged(dump, "a refused grant")
	check(t, f.setRoles(f.as(bound), u, "tech"))
	if got := must(f.svc.UserRoles(f.ctx, f.as(bound), directory.ByNumber(u.Number)))(t); len(got) != 1 || got[0].Company != a {
		t.Errorf("a role given by a key of company %d: %+v", a, got)
	}
}

// An ordinary user gives itself neither roles nor groups.
func TestRulesSelfHasNoGrants(t *testing.T) {
	f := newFixture(t)
	f.keyed("tech", selfRank)
	f.group(plain, "a")
	u := f.someone(withPassword)
	me, dump := f.session(u), f.dump()
	for name, p := range map[string]directory.UserPatch{
		"roles":         {Roles: directory.Some([]string{"tech"})},
		"administrator": {Administrator: directory.Some(true)},
		"groups":        {Groups: []directory.GroupChange{named(plain, directory.GroupsAdd, "a")}},
	} {
		_, err := f.svc.UpdateUser(f.ctx, me(), directory.ByNumber(u.Number), p, directory.UpdateOptions{})
		if directory.CodeOf(err) != directory.CodeForbidden {
			t.Errorf("%s of oneself: %v", name, err)
		}
	}
	f.wantUnchanged(dump, "a refused patch of oneself")
}

// A patch makes and unmakes administrators; the role is made when it is
// missing, and the owner stays the owner.
func TestRulesAdministratorPatch(t *testing.T) {
	f := newFixture(t)
	u, mark := f.someone(), f.mark()
	check(t, f.admin(f.sys(), u, true))
	f.wantEvents(mark, directory.EventRoleCreated, directory.EventRolesChanged)
	check(t, f.admin(f.sys(), u, true))
	if got := f.rolesOf(u.Number); !slices.Equal(got, []string{"administrator"}) || f.stored(u.Number).Rank != adminRank {
		t.Errorf("roles %v, rank %s", got, f.stored(u.Number).Rank)
	}
	f.keyed("boss", adminRank)
	f.keyed("desk", deskRank)
	check(t, f.setRoles(f.sys(), u, "administrator", "boss", "desk"))
	check(t, f.admin(f.sys(), u, false))
	if got := f.rolesOf(u.Number); !slices.Equal(got, []string{"desk"}) || f.stored(u.Number).Rank != deskRank {
		t.Errorf("roles %v, rank %s", got, f.stored(u.Number).Rank)
	}
	check(t, f.setRoles(f.sys(), u, "boss"))
	check(t, f.admin(f.sys(), u, true))
	if got := f.rolesOf(u.Number); !slices.Equal(got, []string{"boss"}) {
		t.Errorf("who is an administrator already has the roles %v", got)
	}
	owner := f.ranked(ownerRank)
	check(t, f.admin(f.sys(), owner, true))
	check(t, f.admin(f.sys(), owner, false))
	if got := f.stored(owner.Number).Rank; got != ownerRank {
		t.Errorf("the owner has rank %s", got)
	}
}

// A role of the key "administrator" that grants no such rank is passed over.
func TestRulesAdministratorRoleOfAnotherRank(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	_, made, err := f.svc.PutRole(f.ctx, f.sys(), directory.Role{Key: "administrator"})
	if err != nil || !made {
		t.Fatalf("made %t, error %v", made, err)
	}
	check(t, f.admin(f.sys(), u, true))
	check(t, f.admin(f.sys(), f.someone(), true))
	if got := f.rolesOf(u.Number); !slices.Equal(got, []string{"administrator-2"}) || f.stored(u.Number).Rank != adminRank {
		t.Errorf("roles %v, rank %s", got, f.stored(u.Number).Rank)
	}
}

// A put makes a role of no rank, or replaces what a door sees of one and never
// its rank.
func TestRulesPutRole(t *testing.T) {
	f := newFixture(t)
	in := directory.Role{Key: "Tech", Name: "Technician", Description: "d", Permissions: []string{"order:read"}, Extras: `{"Name":{"en":"Technician"}}`, Rank: ownerRank, Company: f.root}
	mark := f.mark()
	role, made, err := f.svc.PutRole(f.ctx, f.sys(), in)
	if err != nil || !made || role.Rank != selfRank || role.Company != 0 || role.Number == 0 {
		t.Errorf("made %t: %+v, error %v", made, role, err)
	}
	f.wantEvents(mark, directory.EventRoleCreated)
	if got := must(f.svc.RoleByKey(f.ctx, f.sys(), "Tech"))(t); got.Name != "Technician" || got.Extras != in.Extras || !slices.Equal(got.Permissions, in.Permissions) {
		t.Errorf("read back: %+v", got)
	}
	for _, key := range []string{"tech", "", "a\x00", strings.Repeat("x", 300)} {
		_, err := f.svc.RoleByKey(f.ctx, f.sys(), key)
		wantError(t, err, directory.CodeNotFound, directory.ReasonRoleNotFound)
	}
	dump, mark := f.dump(), f.mark()
	again := f.sys()
	if _, made, err := f.svc.PutRole(f.ctx, again, in); made || err != nil || again.Changed {
		t.Errorf("the same again: made %t, changed %t, error %v", made, again.Changed, err)
	}
	f.wantUnchanged(dump, "the same again")
	role, made, err = f.svc.PutRole(f.ctx, f.sys(), directory.Role{Key: "Tech"})
	if err != nil || made || role.Name != "Tech" || role.Description != "" || len(role.Permissions) != 0 || role.Extras != "" {
		t.Errorf("replaced: made %t, %+v, error %v", made, role, err)
	}
	f.wantEvents(mark, directory.EventRoleUpdated)
	f.keyed("boss", adminRank)
	if boss, _, err := f.svc.PutRole(f.ctx, f.as(f.key(adminRank)), directory.Role{Key: "boss", Name: "Boss"}); err != nil || boss.Rank != adminRank {
		t.Errorf("a role with a rank: %+v, error %v", boss, err)
	}
	dump = f.dump()
	for want, in := range map[string]directory.Role{
		"key field.required, name field.required": {}, "key field.format": {Key: "a\nb", Name: "x"}, "name field.length": {Key: "x", Name: strings.Repeat("x", 257)},
		"extras field.format": {Key: "x", Extras: "{"}, "permissions field.length": {Key: "x", Permissions: slices.Repeat([]string{"p"}, 1001)}, "permissions field.format": {Key: "x", Permissions: []string{"\x00", "\x00"}},
	} {
		_, _, err := f.svc.PutRole(f.ctx, f.sys(), in)
		if got := strings.Join(fieldReasons(err), ", "); got != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	f.wantUnchanged(dump, "a refused put")
}

// Deleting a role takes it from everybody, deleted users too, with the rank
// that it gave.
func TestRulesDeleteRole(t *testing.T) {
	f := newFixture(t)
	f.keyed("desk", deskRank)
	f.keyed("viewer", readerRank)
	u, gone := f.someone(), f.someone()
	check(t, f.setRoles(f.sys(), u, "desk", "viewer"))
	check(t, f.setRoles(f.sys(), gone, "desk"))
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	mark := f.mark()
	check(t, f.svc.DeleteRole(f.ctx, f.sys(), "desk"))
	f.wantEvents(mark, directory.EventRolesChanged, directory.EventRolesChanged, directory.EventRoleDeleted)
	if got := f.rolesOf(u.Number); !slices.Equal(got, []string{"viewer"}) || f.stored(u.Number).Rank != readerRank || f.stored(gone.Number).Rank != selfRank {
		t.Errorf("roles %v, ranks %s and %s", got, f.stored(u.Number).Rank, f.stored(gone.Number).Rank)
	}
	must(f.svc.RestoreUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	wantError(t, f.svc.DeleteRole(f.ctx, f.sys(), "desk"), directory.CodeNotFound, directory.ReasonRoleNotFound)
	check(t, f.setRoles(f.sys(), f.ranked(ownerRank), "viewer"))
	admin := f.key(adminRank)
	dump := f.dump()
	wantRefused(t, "a role that the owner holds", f.svc.DeleteRole(f.ctx, f.as(admin), "viewer"), directory.CodeForbidden, directory.ReasonRankTooLow)
	f.wantUnchanged(dump, "a refused deletion")
}

// A role that more than 500 hold is not deleted.
func TestRulesDeleteRoleIsBounded(t *testing.T) {
	f := newFixture(t)
	f.keyed("tech", selfRank)
	for range 501 {
		f.someone(func(in *directory.NewUser) { in.Fields.Roles = directory.Some([]string{"tech"}) })
	}
	dump := f.dump()
	wantError(t, f.svc.DeleteRole(f.ctx, f.sys(), "tech"), directory.CodeConflict, directory.ReasonRoleHeld)
	f.wantUnchanged(dump, "a refused deletion")
}

// The holders of a role become these; deleted users are no holders.
func TestRulesRoleMembers(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	f.keyed("tech", selfRank)
	x, y, z := f.someone(), f.someone(withCompany(a)), f.someone()
	members := func(call *directory.Call) []int64 { return numbers(must(f.svc.RoleMembers(f.ctx, call, "tech"))(t)) }
	check(t, f.svc.SetRoleMembers(f.ctx, f.sys(), "tech", refs(x, y)))
	mark := f.mark()
	check(t, f.svc.SetRoleMembers(f.ctx, f.sys(), "tech", refs(z, y)))
	f.wantEvents(mark, directory.EventRolesChanged, directory.EventRolesChanged)
	if got := members(f.sys()); !slices.Equal(got, []int64{y.Number, z.Number}) {
		t.Errorf("members %v", got)
	}
	if got := members(f.as(f.bound(a))); !slices.Equal(got, []int64{y.Number}) {
		t.Errorf("members as seen from the company: %v", got)
	}
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(z.Number)))(t)
	if got := members(f.sys()); !slices.Equal(got, []int64{y.Number}) {
		t.Errorf("members after a deletion: %v", got)
	}
	dump := f.dump()
	check(t, f.svc.GiveRole(f.ctx, f.sys(), directory.ByNumber(y.Number), "tech"))
	check(t, f.svc.TakeRole(f.ctx, f.sys(), directory.ByNumber(x.Number), "tech"))
	for _, err := range []error{
		f.svc.GiveRole(f.ctx, f.sys(), directory.ByNumber(x.Number), "no"), f.svc.TakeRole(f.ctx, f.sys(), directory.ByNumber(x.Number), "no"),
		f.svc.SetRoleMembers(f.ctx, f.sys(), "no", refs(x)),
	} {
		wantError(t, err, directory.CodeNotFound, directory.ReasonRoleNotFound)
	}
	wantError(t, f.svc.SetRoleMembers(f.ctx, f.sys(), "tech", refs(z)), directory.CodeNotFound, noUser)
	wantError(t, f.setRoles(f.sys(), z, "tech"), directory.CodeNotFound, directory.ReasonUserDeleted)
	f.wantUnchanged(dump, "a repeat or a refusal")
}

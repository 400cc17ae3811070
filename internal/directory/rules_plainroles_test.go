package directory_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// provisioned is a call through the scim door.
func (f *fixture) provisioned(secret string) *directory.Call {
	return f.through(directory.DoorSCIM, secret)
}

// Who provisions gives and takes the roles without rank: those with one stay,
// and cannot be given; what is no role is kept in the door's extras.
func TestRulesPlainRoles(t *testing.T) {
	f := newFixture(t)
	for _, key := range []string{"tech", "driver"} {
		f.keyed(key, selfRank)
	}
	reader, desk := f.keyed("reader", readerRank), f.keyed("desk", deskRank)
	u := f.someone()
	ref, key := directory.ByNumber(u.Number), f.key(adminRank)
	check(t, f.svc.GiveRole(f.ctx, f.sys(), ref, reader.Key))
	give := func(keys ...string) error {
		patch := directory.UserPatch{PlainRoles: directory.Some(directory.PlainRoles{Keys: keys, Unknown: "labels"})}
		_, err := f.svc.UpdateUser(f.ctx, f.provisioned(key), ref, patch, directory.UpdateOptions{})
		return err
	}
	wants := func(labels string, roles ...string) {
		t.Helper()
		after := f.stored(u.Number)
		if got := f.rolesOf(u.Number); !slices.Equal(got, roles) || string(after.Profile.Extras["scim"]) != labels || after.Rank != readerRank {
			t.Errorf("roles %v, extras %s, rank %v; want %v, %s", got, after.Profile.Extras["scim"], after.Rank, roles, labels)
		}
	}
	check(t, give("tech", "Driver", "tech", "Pilot", "nobody"))
	wants(`{"labels":["Pilot","nobody"]}`, "reader", "tech", "driver")
	check(t, give("reader", "driver", ""))
	wants(`{"labels":[""]}`, "reader", "driver")
	wantError(t, give(desk.Key), directory.CodeForbidden, directory.ReasonProvisioning)
	wants(`{"labels":[""]}`, "reader", "driver")
	check(t, give())
	wants("", "reader")
	wantError(t, give(slices.Repeat([]string{"x"}, 2001)...), directory.CodeInvalid, directory.ReasonFieldLength)
}

// A detail tells the manager whom the door's own fields name, if it is a user
// whom the caller can see.
func TestRulesManager(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	boss, u := f.someone(), f.someone(withCompany(a))
	key, ref := f.key(adminRank), directory.ByNumber(u.Number)
	manager := func(secret, id string) int64 {
		t.Helper()
		patch := directory.UserPatch{ExtraFields: map[string]json.RawMessage{"manager": json.RawMessage(`"` + id + `"`)}}
		detail := must(f.svc.UpdateUserDetail(f.ctx, f.provisioned(secret), ref, patch, directory.UpdateOptions{}, directory.IncludeManager))(t)
		return detail.Manager.Number
	}
	for id, want := range map[string]int64{boss.ID: boss.Number, "nobody": 0, "": 0, "019f9c5e-2f2e-7a8e-8dd5-2bb1d8e6f3a1": 0} {
		if got := manager(key, id); got != want {
			t.Errorf("manager %q: user %d, want %d", id, got, want)
		}
	}
	if got := manager(f.bound(a), boss.ID); got != 0 {
		t.Errorf("a key of another company sees manager %d", got)
	}
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(boss.Number)))(t)
	if got := manager(key, boss.ID); got != 0 {
		t.Errorf("a deleted manager is shown: %d", got)
	}
}

// A user made by a caller that is bound to a company belongs to that company
// unless another is named; a detail tells the holds.
func TestRulesBoundMakes(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	u := must(f.svc.CreateUser(f.ctx, f.provisioned(f.bound(a)), newUser("bound")))(t)
	hold := directory.Hold{Kind: directory.HoldLegal, Source: "court", Ref: "7"}
	check(t, f.svc.PlaceHold(f.ctx, f.sys(), directory.ByNumber(u.Number), hold))
	detail := must(f.svc.UserDetail(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.IncludeHolds))(t)
	if u.Company != a || len(detail.Holds) != 1 || detail.Holds[0].Source != "court" {
		t.Errorf("company %d, holds %+v", u.Company, detail.Holds)
	}
}

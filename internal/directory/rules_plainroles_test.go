package directory_test

import (
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

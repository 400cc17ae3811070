package directory_test

import (
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// assign gives a user a role for the default company.
func (f *fixture) assign(call *directory.Call, u directory.User, role int64) error {
	_, _, err := f.svc.AssignRole(f.ctx, call, directory.ByNumber(u.Number), role, f.root)
	return err
}

// A user's rank is the highest of its roles, whichever come and go.
func TestRulesRankFollowsRoles(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	roles := map[directory.Rank]int64{}
	for _, rank := range []directory.Rank{selfRank, readerRank, deskRank, adminRank} {
		roles[rank] = f.role(rank).Number
	}
	for i, step := range []struct {
		assign bool
		rank   directory.Rank
		want   directory.Rank
	}{
		{true, selfRank, selfRank}, {true, adminRank, adminRank}, {true, readerRank, adminRank}, {true, deskRank, adminRank},
		{false, selfRank, adminRank}, {false, adminRank, deskRank}, {false, readerRank, deskRank}, {false, deskRank, selfRank},
	} {
		before, mark := f.stored(u.Number), f.mark()
		event := directory.EventRoleAssigned
		if step.assign {
			check(t, f.assign(f.sys(), u, roles[step.rank]))
		} else {
			event = directory.EventRoleRemoved
			check(t, f.svc.UnassignRole(f.ctx, f.sys(), directory.ByNumber(u.Number), roles[step.rank]))
		}
		after := f.stored(u.Number)
		if after.Rank != step.want || after.Version != before.Version+1 || after.DoorVersion != before.DoorVersion {
			t.Errorf("step %d: rank %s, want %s; version %d after %d", i, after.Rank, step.want, after.Version, before.Version)
		}
		f.wantEvents(mark, event)
	}
}

// A role that is held for two companies goes with one removal; one that is
// held already is not given again.
func TestRulesRoleAssignments(t *testing.T) {
	f := newFixture(t)
	u, a := f.someone(), f.company("A", f.root)
	ref, shared := directory.ByNumber(u.Number), f.role(deskRank).Number
	own := must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: "Own", Company: a, Rank: readerRank}))(t)
	first, fresh, err := f.svc.AssignRole(f.ctx, f.sys(), ref, shared, f.root)
	if err != nil || !fresh {
		t.Fatalf("a new assignment: fresh %t, error %v", fresh, err)
	}
	dump := f.dump()
	again, fresh, err := f.svc.AssignRole(f.ctx, f.sys(), ref, shared, f.root)
	if err != nil || fresh || again != first {
		t.Errorf("the same again: %+v after %+v, fresh %t, error %v", again, first, fresh, err)
	}
	f.wantUnchanged(dump, "an assignment that is held")
	second, fresh, err := f.svc.AssignRole(f.ctx, f.sys(), ref, shared, a)
	if err != nil || !fresh || second.Number <= first.Number {
		t.Errorf("for another company: %+v, fresh %t, error %v", second, fresh, err)
	}
	dump = f.dump()
	for _, c := range []struct{ role, company int64 }{{own.Number, f.root}, {987_654, a}, {-1, a}, {0, a}} {
		_, _, err := f.svc.AssignRole(f.ctx, f.sys(), ref, c.role, c.company)
		wantError(t, err, directory.CodeNotFound, directory.ReasonRoleNotFound)
	}
	_, _, err = f.svc.AssignRole(f.ctx, f.sys(), ref, shared, 987_654)
	wantError(t, err, directory.CodeNotFound, noCompany)
	wantError(t, f.svc.UnassignRole(f.ctx, f.sys(), ref, own.Number), directory.CodeNotFound, directory.ReasonRoleNotFound)
	f.wantUnchanged(dump, "a refused role")
	check(t, f.svc.UnassignRole(f.ctx, f.sys(), ref, shared))
	if got := must(f.svc.UserRoles(f.ctx, f.sys(), ref))(t); len(got) != 0 || f.stored(u.Number).Rank != selfRank {
		t.Errorf("left after the removal: %+v", got)
	}
}

// Nobody grants or makes a rank above its own, and nobody an owner's by role.
func TestRulesRolesAboveOwnRank(t *testing.T) {
	f := newFixture(t)
	u, admin := f.someone(), f.key(adminRank)
	person := f.session(f.ranked(adminRank))
	for _, call := range []func() *directory.Call{func() *directory.Call { return f.as(admin) }, person} {
		_, err := f.svc.CreateRole(f.ctx, call(), directory.Role{Name: "Owner", Rank: ownerRank})
		wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
		check(t, f.assign(call(), u, f.role(adminRank).Number))
	}
	_, err := f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: "Owner", Rank: ownerRank})
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
	for _, rank := range []directory.Rank{selfRank, readerRank, deskRank} {
		weak := f.key(rank)
		wantError(t, f.assign(f.as(weak), f.someone(), f.role(selfRank).Number), directory.CodeForbidden, directory.ReasonRankTooLow)
	}
	owner := f.ranked(ownerRank)
	wantError(t, f.assign(f.as(admin), owner, f.role(selfRank).Number), directory.CodeForbidden, directory.ReasonRankTooLow)
}

// There is one account owner: who was it before keeps an administrator's rank,
// and roles that come and go do not touch the owner's.
func TestRulesSetOwner(t *testing.T) {
	f := newFixture(t)
	first, second := f.someone(), f.someone()
	role := f.role(readerRank).Number
	check(t, f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(first.Number)))
	check(t, f.assign(f.sys(), first, role))
	if got := f.stored(first.Number).Rank; got != ownerRank {
		t.Errorf("the owner with a reader's role has rank %s", got)
	}
	check(t, f.svc.UnassignRole(f.ctx, f.sys(), directory.ByNumber(first.Number), role))
	if got := f.stored(first.Number).Rank; got != ownerRank {
		t.Errorf("the owner without the role has rank %s", got)
	}
	mark := f.mark()
	check(t, f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(second.Number)))
	f.wantEvents(mark, directory.EventUserUpdated, directory.EventUserUpdated)
	tenant := must(f.svc.TenantByName(f.ctx, f.sys(), f.tenant.Name))(t)
	if tenant.Owner != second.Number || f.stored(second.Number).Rank != ownerRank || f.stored(first.Number).Rank != adminRank {
		t.Errorf("the owner is %d, ranks %s and %s", tenant.Owner, f.stored(first.Number).Rank, f.stored(second.Number).Rank)
	}
	for _, state := range []directory.State{staged, inactive, deleted} {
		u := f.inState(state)
		dump := f.dump()
		err := f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(u.Number))
		wantError(t, err, directory.CodeConflict, directory.ReasonStateNotAllowed)
		f.wantUnchanged(dump, "an owner who is "+string(state))
	}
	wantError(t, f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(987_654)), directory.CodeNotFound, noUser)
}

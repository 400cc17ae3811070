package directory_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// Who may change which role to which rank, and that the rank of a role that
// somebody holds stays.
func TestRulesEditRole(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	admin, bound := f.key(adminRank), f.bound(a)
	narrow := f.key(adminRank, func(in *directory.NewCredential) { in.Scopes = directory.ScopeCompanies })
	own := must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: "own", Company: a}))(t)
	free, high, held := f.role(selfRank), must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: "high", Rank: adminRank}))(t), f.role(selfRank)
	u := f.someone()
	check(t, f.svc.GiveRole(f.ctx, f.sys(), directory.ByNumber(u.Number), held.Key))
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	rank := func(r directory.Rank) directory.RolePatch { return directory.RolePatch{Rank: directory.Some(r)} }
	name := directory.RolePatch{Name: directory.Some("Renamed")}
	dump := f.dump()
	for _, c := range []struct {
		what, secret string
		role         directory.Role
		patch        directory.RolePatch
		code         directory.Code
		reason       directory.Reason
	}{
		{"a held role's rank", admin, held, rank(readerRank), directory.CodeConflict, directory.ReasonRoleHeld},
		{"the owner's rank", admin, free, rank(ownerRank), directory.CodeForbidden, directory.ReasonRankTooLow},
		{"a rank through a company's key", bound, own, rank(readerRank), directory.CodeForbidden, directory.ReasonRankTooLow},
		{"a rank that the caller cannot give", narrow, free, rank(adminRank), directory.CodeForbidden, directory.ReasonScopeMissing},
		{"the tenant's role through a company's key", bound, free, name, directory.CodeForbidden, wholeTenant},
		{"an unknown role", admin, directory.Role{Number: 987_654}, name, directory.CodeNotFound, directory.ReasonRoleNotFound},
		{"a role of number 0", admin, directory.Role{}, name, directory.CodeNotFound, directory.ReasonRoleNotFound},
		{"no name", admin, free, directory.RolePatch{Name: directory.Some("")}, directory.CodeInvalid, directory.ReasonFieldRequired},
		{"permissions", admin, free, directory.RolePatch{Permissions: directory.Some(make([]string, 1001))}, directory.CodeInvalid, directory.ReasonFieldLength},
	} {
		_, err := f.svc.EditRole(f.ctx, f.as(c.secret), c.role.Number, c.patch)
		wantRefused(t, c.what, err, c.code, c.reason)
	}
	f.wantUnchanged(dump, "refused edits")
	mark := f.mark()
	got := must(f.svc.EditRole(f.ctx, f.as(admin), free.Number, directory.RolePatch{Description: directory.Some("d"), Rank: directory.Some(deskRank), Permissions: directory.Some([]string{"p"})}))(t)
	want := free
	want.Description, want.Rank, want.Permissions, want.Version = "d", deskRank, []string{"p"}, 2
	if diff := cmp.Diff(want, got) + cmp.Diff(got, must(f.svc.RoleByNumber(f.ctx, f.as(admin), free.Number))(t)); diff != "" {
		t.Errorf("edited (-want +got):\n%s", diff)
	}
	must(f.svc.EditRole(f.ctx, f.as(bound), own.Number, name))(t)
	must(f.svc.EditRole(f.ctx, f.as(admin), held.Number, name))(t)
	f.wantEvents(mark, directory.EventRoleUpdated, directory.EventRoleUpdated, directory.EventRoleUpdated)
	wantError(t, f.svc.EraseRole(f.ctx, f.as(admin), held.Number), directory.CodeConflict, directory.ReasonRoleHeld)
	wantError(t, f.svc.EraseRole(f.ctx, f.as(bound), free.Number), directory.CodeForbidden, wholeTenant)
	check(t, f.svc.EraseRole(f.ctx, f.as(bound), own.Number))
	check(t, f.svc.EraseRole(f.ctx, f.as(admin), high.Number))
	wantError(t, f.svc.EraseRole(f.ctx, f.as(admin), high.Number), directory.CodeNotFound, directory.ReasonRoleNotFound)
}

// What is wrong with a new role is said before anything is written.
func TestRulesCreateRoleChecks(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	bound := f.bound(a)
	dump := f.dump()
	wantError(t, second(f.svc.CreateRole(f.ctx, f.as(bound), directory.Role{Name: "x", Company: a, Rank: readerRank})), directory.CodeForbidden, directory.ReasonRankTooLow)
	for reason, in := range map[directory.Reason]directory.Role{
		directory.ReasonFieldRequired: {Name: " "},
		directory.ReasonFieldFormat:   {Name: "x", Description: "a\x00"},
		directory.ReasonFieldLength:   {Name: "x", Permissions: make([]string, 1001)},
	} {
		if _, err := f.svc.CreateRole(f.ctx, f.sys(), in); !directory.IsReason(err, reason) {
			t.Errorf("%s: error %v", reason, err)
		}
	}
	f.wantUnchanged(dump, "refused roles")
	if made := must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: "Night Shift"}))(t); made.Version != 1 || made.Key != "night shift" {
		t.Errorf("made %+v", made)
	}
}

// Holders are listed page by page: the living ones that the caller can see.
func TestRulesListRoleMembers(t *testing.T) {
	f := newFixture(t)
	a, role := f.company("A", f.root), f.role(selfRank)
	var all, inside []int64
	for i := range 7 {
		u := f.someone()
		if i%2 == 0 {
			u = f.someone(withCompany(a))
			inside = append(inside, u.Number)
		}
		all = append(all, u.Number)
		check(t, f.svc.GiveRole(f.ctx, f.sys(), directory.ByNumber(u.Number), role.Key))
	}
	gone := f.someone()
	check(t, f.svc.GiveRole(f.ctx, f.sys(), directory.ByNumber(gone.Number), role.Key))
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	for secret, want := range map[string][]int64{f.key(readerRank): all, f.bound(a): inside} {
		for limit := 1; limit <= 8; limit++ {
			got, cursor := []int64{}, ""
			for {
				page := must(f.svc.ListRoleMembers(f.ctx, f.as(secret), role.Number, limit, cursor))(t)
				if page.Total != int64(len(want)) {
					t.Errorf("total %d, want %d", page.Total, len(want))
				}
				for _, m := range page.Members {
					got = append(got, m.Number)
					if u := f.stored(m.Number); m.ID != u.ID || m.UserName != u.UserName || m.DisplayName != u.DisplayName {
						t.Errorf("member %+v", m)
					}
				}
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %d: %v, want %v", limit, got, want)
			}
		}
	}
	wantError(t, second(f.svc.ListRoleMembers(f.ctx, f.sys(), 987_654, 1, "")), directory.CodeNotFound, directory.ReasonRoleNotFound)
	wantError(t, second(f.svc.ListRoleMembers(f.ctx, f.sys(), role.Number, 0, "")), directory.CodeInvalid, directory.ReasonFieldValue)
	wantError(t, second(f.svc.ListRoleMembers(f.ctx, f.sys(), role.Number, 1, "x")), directory.CodeInvalid, directory.ReasonCursorInvalid)
}

// What single look-ups show, and to whom.
func TestRulesSingleLookUps(t *testing.T) {
	f := newFixture(t)
	a, b := f.company("A", f.root), f.company("B", f.root)
	bound := f.bound(a)
	mine, theirs := f.lockReason(a), f.lockReason(b)
	if got := must(f.svc.LockReasonByNumber(f.ctx, f.as(bound), mine.Number))(t); got != mine {
		t.Errorf("lock reason %+v, want %+v", got, mine)
	}
	for _, number := range []int64{theirs.Number, 987_654, 0, -1} {
		wantError(t, second(f.svc.LockReasonByNumber(f.ctx, f.as(bound), number)), directory.CodeNotFound, directory.ReasonLockReasonNotFound)
	}
	f.setPool(3)
	if pool := must(f.svc.Pool(f.ctx, f.sys(), licence))(t); pool.Total != 3 || pool.Version != 1 {
		t.Errorf("pool %+v", pool)
	}
	for _, name := range []string{"none", "", "a\x00"} {
		wantError(t, second(f.svc.Pool(f.ctx, f.sys(), name)), directory.CodeNotFound, directory.ReasonPoolNotFound)
	}
	made, secret, err := f.svc.CreateKey(f.ctx, f.sys(), directory.NewCredential{Name: "one", Rank: readerRank})
	check(t, err)
	f.secret(secret)
	if c := must(f.svc.Credential(f.ctx, f.sys(), made.ID))(t); cmp.Diff(made, c) != "" || c.Hash != nil {
		t.Errorf("credential %+v, want %+v", c, made)
	}
	for _, call := range []*directory.Call{f.as(bound), f.in(f.newTenant("umbrella", directory.Settings{})).sys()} {
		wantError(t, second(f.svc.Credential(f.ctx, call, made.ID)), directory.CodeNotFound, directory.ReasonCredentialNotFound)
	}
	wantError(t, second(f.svc.Credential(f.ctx, f.sys(), "no-uuid")), directory.CodeNotFound, directory.ReasonCredentialNotFound)
}

// Hosts and settings are for those who may change them.
func TestRulesOwnTenant(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) {
		t.Hosts, t.Settings.MaxFailedLogins = []string{"acme.example.com"}, 7
	})
	check(t, f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(f.someone().Number)))
	f.tenant = must(f.svc.OwnTenant(f.ctx, f.sys()))(t)
	narrow := f.key(adminRank, func(in *directory.NewCredential) { in.Scopes = directory.ScopeUsersRead })
	nobody, bound := f.key(selfRank), f.bound(f.root)
	for secret, shown := range map[string]bool{f.key(adminRank): true, f.key(ownerRank): true, f.key(readerRank): false, nobody: false,
		bound: false, narrow: false} {
		got := must(f.svc.OwnTenant(f.ctx, f.as(secret)))(t)
		want := f.tenant
		if !shown {
			want.Hosts, want.Settings = nil, directory.Settings{}
		}
		if secret == nobody || secret == bound {
			want.Owner = 0 // whom it cannot see
		}
		if diff := cmp.Diff(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got)); diff != "" {
			t.Errorf("shown %t (-want +got):\n%s", shown, diff)
		}
	}
	wantError(t, second(f.svc.OwnTenant(f.ctx, f.as("unknown-unknown"))), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

// More holders than are looked at at once are listed and counted all the same.
func TestRulesListManyRoleMembers(t *testing.T) {
	f := newFixture(t)
	role, users := f.role(selfRank), f.someones(405)
	check(t, f.svc.SetRoleMembers(f.ctx, f.sys(), role.Key, refs(users...)))
	first := must(f.svc.ListRoleMembers(f.ctx, f.sys(), role.Number, 300, ""))(t)
	rest := must(f.svc.ListRoleMembers(f.ctx, f.sys(), role.Number, 300, first.Next))(t)
	if len(first.Members) != 300 || len(rest.Members) != 105 || first.Total != 405 || rest.Members[104].Number != users[404].Number || rest.Next != "" {
		t.Errorf("pages of %d and %d of %d", len(first.Members), len(rest.Members), first.Total)
	}
}

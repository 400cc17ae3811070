package directory_test

import (
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// A credential of one company cannot reach the whole tenant through somebody
// of its subtree who has a rank: it changes nothing of such a user, above all
// not the password.
func TestRulesBoundKeyTakesOverNobodyWithARank(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	key, role := f.bound(a), f.role(selfRank)
	for _, rank := range []directory.Rank{readerRank, deskRank, adminRank} {
		u := f.someone(withPassword, withCompany(a))
		ranked := f.role(rank)
		check(t, f.assign(f.sys(), u, ranked.Number))
		ref, dump := directory.ByNumber(u.Number), f.dump()
		for what, try := range map[string]func() error{
			"password": func() error {
				return f.svc.SetPassword(f.ctx, f.as(key), ref, directory.NewPassword{Password: otherPass})
			},
			"e-mail": func() error {
				_, err := f.svc.UpdateUser(f.ctx, f.as(key), ref, directory.UserPatch{Email: directory.Some("mine@example.com")}, directory.UpdateOptions{})
				return err
			},
			"role":       func() error { return f.assign(f.as(key), u, role.Number) },
			"demotion":   func() error { return f.svc.UnassignRole(f.ctx, f.as(key), ref, ranked.Number) },
			"deactivate": func() error { return acts["deactivate"](f, f.as(key), ref) },
			"unlock":     func() error { return acts["unlock"](f, f.as(key), ref) },
		} {
			if err := try(); directory.AsError(err).Reason != directory.ReasonRankTooLow {
				t.Errorf("%s of a user with rank %s: error %v, want %s", what, rank, err, directory.ReasonRankTooLow)
			}
		}
		f.wantUnchanged(dump, "a refused change")
	}
	plain := f.someone(withPassword, withCompany(a))
	check(t, f.svc.SetPassword(f.ctx, f.as(key), directory.ByNumber(plain.Number), directory.NewPassword{Password: otherPass}))
}

// A credential of one company does not see who else has credentials.
func TestRulesBoundKeySeesItsCompanysCredentials(t *testing.T) {
	f := newFixture(t)
	a, b := f.company("A", f.root), f.company("B", f.root)
	key := f.bound(a)
	f.bound(b)
	f.key(adminRank)
	f.client()
	list := must(f.svc.Credentials(f.ctx, f.as(key)))(t)
	if len(list) != 1 || list[0].Root != a {
		t.Errorf("a key of company %d sees %+v", a, list)
	}
	if all := must(f.svc.Credentials(f.ctx, f.as(f.key(adminRank))))(t); len(all) != 5 {
		t.Errorf("a key of the tenant sees %d of 5 credentials", len(all))
	}
}

// A credential of one company neither sees nor takes the roles that a user
// holds for another.
func TestRulesBoundKeyLeavesOtherCompaniesRoles(t *testing.T) {
	f := newFixture(t)
	a, b := f.company("A", f.root), f.company("B", f.root)
	u, key, role := f.someone(withCompany(a)), f.bound(a), f.role(selfRank).Number
	ref := directory.ByNumber(u.Number)
	for _, company := range []int64{a, b} {
		_, _, err := f.svc.AssignRole(f.ctx, f.sys(), ref, role, company)
		check(t, err)
	}
	if seen := must(f.svc.UserRoles(f.ctx, f.as(key), ref))(t); len(seen) != 1 || seen[0].Company != a {
		t.Errorf("a key of company %d sees %+v", a, seen)
	}
	check(t, f.svc.UnassignRole(f.ctx, f.as(key), ref, role))
	if left := must(f.svc.UserRoles(f.ctx, f.sys(), ref))(t); len(left) != 1 || left[0].Company != b {
		t.Errorf("left: %+v, want the role for company %d", left, b)
	}
	wantError(t, f.svc.UnassignRole(f.ctx, f.as(key), ref, role), directory.CodeNotFound, directory.ReasonRoleNotFound)
}

package directory_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// addTenantRules are the rows of the policy matrix about the tenant itself.
func addTenantRules(rules map[string]methodRule) {
	credential := func(call func(w *world, c *directory.Call) error) methodRule {
		return methodRule{adminRank, directory.ScopeCredentials, false, false, "", noPreparation(call)}
	}
	rules["CreateKey"] = credential(func(w *world, c *directory.Call) error {
		_, _, err := w.svc.CreateKey(w.ctx, c, directory.NewCredential{Name: w.unique("key")})
		return err
	})
	rules["CreateClient"] = credential(func(w *world, c *directory.Call) error {
		_, _, err := w.svc.CreateClient(w.ctx, c, directory.NewCredential{Name: w.unique("client")})
		return err
	})
	rules["Credentials"] = credential(func(w *world, c *directory.Call) error { _, err := w.svc.Credentials(w.ctx, c); return err })
	rules["RevokeCredential"] = methodRule{adminRank, directory.ScopeCredentials, false, false, directory.ReasonCredentialNotFound, func(w *world) func(c *directory.Call) error {
		made, _, err := w.svc.CreateKey(w.ctx, w.sys(), directory.NewCredential{Name: w.unique("key"), Root: w.outside})
		check(w.t, err)
		return func(c *directory.Call) error { return w.svc.RevokeCredential(w.ctx, c, made.ID) }
	}}
	rules["CreateGroup"] = methodRule{adminRank, directory.ScopeCompanies, false, false, directory.ReasonScopeMissing, noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.CreateGroup(w.ctx, c, directory.Group{Kind: directory.GroupPlain, Name: w.unique("group")})
		return err
	})}
	rules["SetPool"] = methodRule{adminRank, directory.ScopeCompanies, false, false, directory.ReasonScopeMissing, noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.SetPool(w.ctx, c, w.unique("licence"), 5)
		return err
	})}
	rules["Pools"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, "", noPreparation(func(w *world, c *directory.Call) error { _, err := w.svc.Pools(w.ctx, c); return err })}
	rules["Events"] = methodRule{readerRank, directory.ScopeEvents, false, false, directory.ReasonScopeMissing, noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.Events(w.ctx, c, 0, 10)
		return err
	})}
	rules["UpdateTenant"] = methodRule{adminRank, directory.ScopeTenant, false, false, directory.ReasonScopeMissing, func(w *world) func(c *directory.Call) error {
		tenant := must(w.svc.TenantByName(w.ctx, w.sys(), w.tenant.Name))(w.t)
		return func(c *directory.Call) error { _, err := w.svc.UpdateTenant(w.ctx, c, tenant); return err }
	}}
	addOperatorRules(rules)
}

func addOperatorRules(rules map[string]methodRule) {
	operator := func(run func(w *world) func(c *directory.Call) error) methodRule {
		return methodRule{adminRank, directory.ScopeTenant, false, true, directory.ReasonRankTooLow, run}
	}
	rules["SetOwner"] = operator(func(w *world) func(c *directory.Call) error {
		ref := w.target()
		return func(c *directory.Call) error { return w.svc.SetOwner(w.ctx, c, ref) }
	})
	rules["CreateTenant"] = operator(noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.CreateTenant(w.ctx, c, directory.Tenant{Name: w.unique("tenant")}, directory.Company{})
		return err
	}))
	rules["TenantByName"] = operator(noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.TenantByName(w.ctx, c, w.tenant.Name)
		return err
	}))
	rules["Tenants"] = operator(noPreparation(func(w *world, c *directory.Call) error { _, err := w.svc.Tenants(w.ctx, c); return err }))
}

// Nobody changes a user above its own rank, and the helpdesk only users below
// it: every use case that changes a user × every rank × every target.
func TestRulesRankOfTheTarget(t *testing.T) {
	f := newFixture(t)
	ranks := []directory.Rank{selfRank, readerRank, deskRank, adminRank, ownerRank}
	keys := map[directory.Rank]string{}
	for _, rank := range ranks {
		keys[rank] = f.key(rank)
	}
	for name, run := range acts {
		refs := map[directory.Rank]directory.UserRef{}
		for _, target := range ranks {
			refs[target] = f.targetOfRank(name, target)
		}
		dump := f.dump()
		for target, ref := range refs {
			for _, actor := range ranks {
				if want := rankRefusal(name, actor, target); want != "" {
					wantRefused(t, name+" by "+actor.String()+" of "+target.String(), run(f, f.as(keys[actor]), ref), directory.CodeForbidden, want)
				}
			}
		}
		f.wantUnchanged(dump, name)
		for _, target := range ranks {
			for _, actor := range ranks {
				if rankRefusal(name, actor, target) == "" {
					f.wantTouched(name, keys[actor], target)
				}
			}
		}
	}
}

// wantTouched fails unless a key may change a fresh user of a rank.
func (f *fixture) wantTouched(name, key string, target directory.Rank) {
	f.t.Helper()
	err := acts[name](f, f.as(key), f.targetOfRank(name, target))
	if name == "restore" && target == ownerRank {
		wantRefused(f.t, name, err, directory.CodeConflict, directory.ReasonStateNotAllowed)
	} else if err != nil {
		f.t.Errorf("%s of %s: %v", name, target, err)
	}
}

// rankRefusal is why a key of a rank may not change a user of a rank; "" where
// it may.
func rankRefusal(name string, actor, target directory.Rank) directory.Reason {
	least := adminRank
	if slices.Contains([]string{"unlock", "set password", "sign out"}, name) {
		least = deskRank
	}
	switch {
	case actor < least:
		return directory.ReasonRankTooLow
	case target == ownerRank && slices.Contains([]string{"deactivate", "delete", "purge"}, name):
		return directory.ReasonOwnerProtected
	case target > actor || actor == deskRank && target >= deskRank:
		return directory.ReasonRankTooLow
	}
	return ""
}

// targetOfRank makes a user of a rank in the state that a use case starts from.
func (f *fixture) targetOfRank(name string, rank directory.Rank) directory.UserRef {
	ref := directory.ByNumber(f.ranked(rank).Number)
	if rank != ownerRank && (name == "restore" || name == "purge") {
		must(f.svc.DeleteUser(f.ctx, f.sys(), ref))(f.t)
	}
	return ref
}

// An ordinary user reads its own record and changes only what does not say who
// it is and what it may do.
func TestRulesSelf(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	me, own := f.session(u), directory.ByNumber(u.Number)
	check(t, errors.Join(
		second(f.svc.User(f.ctx, me(), own)), second(f.svc.User(f.ctx, me(), directory.ByID(u.ID))),
		second(f.svc.LockStatus(f.ctx, me(), own)), second(f.svc.UserRoles(f.ctx, me(), own))))
	if number, _, err := f.svc.UserLocations(f.ctx, me(), own); err != nil || number != u.Number {
		t.Errorf("own locations: user %d, error %v", number, err)
	}
	allowed := []string{"email", "given_name", "family_name", "display_name", "phones", "address", "picture", "language", "time_zone"}
	for name, patch := range onePatches(f) {
		dump := f.dump()
		_, err := f.svc.UpdateUser(f.ctx, me(), own, patch, directory.UpdateOptions{})
		if slices.Contains(allowed, name) {
			if err != nil {
				t.Errorf("own %s: %v", name, err)
			}
			continue
		}
		code := directory.CodeForbidden
		if name == "external_id" { // which no person has, whatever its rank
			code = directory.CodeInvalid
		}
		wantRefused(t, "own "+name, err, code, directory.ReasonFieldRights)
		f.wantUnchanged(dump, name)
	}
	check(t, f.svc.SignOutEverywhere(f.ctx, me(), own))
	_, err := f.svc.User(f.ctx, me(), own)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
}

// second is the error of a call with one result.
func second[T any](_ T, err error) error { return err }

// A forbidden field refuses a whole update of oneself: nothing of it is kept.
func TestRulesSelfAllOrNothing(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	me := f.session(u)
	dump := f.dump()
	_, err := f.svc.UpdateUser(f.ctx, me(), directory.ByNumber(u.Number),
		directory.UserPatch{GivenName: directory.Some("Ada"), Title: directory.Some("Boss")}, directory.UpdateOptions{})
	wantError(t, err, directory.CodeForbidden, directory.ReasonFieldRights)
	f.wantUnchanged(dump, "the update")
}

// A key of one company sees its subtree and nothing else: in single look-ups,
// lists, totals, searches, filters, locations and lock reasons.
func TestRulesBoundKeySeesItsSubtree(t *testing.T) {
	f := newFixture(t)
	a, b := f.company("A", f.root), f.company("B", f.root)
	below := f.company("Below A", a)
	mine := []int64{f.someone(withCompany(a)).Number, f.someone(withCompany(below)).Number}
	theirs := f.someone(withCompany(b))
	f.someone()
	key := f.bound(a)
	queries := map[string]directory.UserQuery{
		"plain":     {},
		"company":   {Company: a},
		"search":    {Terms: []string{"user"}},
		"short":     {Terms: []string{"us"}},
		"filter":    {Filter: directory.Present{Field: directory.FieldUserName}},
		"negation":  {Filter: directory.Not{Filter: directory.Text{Field: directory.FieldUserName, Value: "nobody"}}},
		"empty and": {Filter: directory.And{}},
		"states":    {States: directory.StatesOf(staged, active, inactive, deleted)},
	}
	for name, q := range queries {
		q.Limit, q.WantTotal = 10, true
		page := must(f.svc.Users(f.ctx, f.as(key), q))(t)
		if diff := cmp.Diff(mine, numbersOf(page.Users)); diff != "" || page.Total != 2 || page.More {
			t.Errorf("%s: total %d (-want +got):\n%s", name, page.Total, diff)
		}
	}
	hidden := directory.UserQuery{Limit: 10, Filter: directory.Compare{Field: directory.FieldNumber, Order: directory.Equal, Value: theirs.Number}, WantTotal: true}
	if page := must(f.svc.Users(f.ctx, f.as(key), hidden))(t); len(page.Users) != 0 || page.Total != 0 {
		t.Errorf("a filter for a hidden user found %v, total %d", numbersOf(page.Users), page.Total)
	}
	for _, company := range []int64{b, f.root, 987_654} {
		_, err := f.svc.Users(f.ctx, f.as(key), directory.UserQuery{Company: company, Limit: 10})
		wantError(t, err, directory.CodeNotFound, noCompany)
	}
}

func TestRulesBoundKeyWrites(t *testing.T) {
	f := newFixture(t)
	a, b := f.company("A", f.root), f.company("B", f.root)
	u, key := f.someone(withCompany(a)), f.bound(a)
	ref, place, reason := directory.ByNumber(u.Number), f.location(b), f.lockReason(b)
	dump := f.dump()
	_, err := f.svc.UpdateUser(f.ctx, f.as(key), ref, directory.UserPatch{Company: directory.Some(b)}, directory.UpdateOptions{})
	wantError(t, err, directory.CodeInvalid, noCompany)
	wantError(t, f.svc.AssignLocation(f.ctx, f.as(key), ref, place), directory.CodeNotFound, directory.ReasonLocationNotFound)
	_, err = f.svc.Lock(f.ctx, f.as(key), ref, reason.Number)
	wantError(t, err, directory.CodeNotFound, directory.ReasonLockReasonNotFound)
	_, _, err = f.svc.AssignRole(f.ctx, f.as(key), ref, f.role(selfRank).Number, b)
	wantError(t, err, directory.CodeNotFound, noCompany)
	_, err = f.svc.CreateCompany(f.ctx, f.as(key), directory.Company{Name: "New root"})
	wantError(t, err, directory.CodeInvalid, noCompany)
	_, err = f.svc.CreateRole(f.ctx, f.as(key), directory.Role{Name: "Everywhere"})
	wantError(t, err, directory.CodeNotFound, noCompany)
	_, _, err = f.svc.CreateKey(f.ctx, f.as(key), directory.NewCredential{Name: "wider", Root: f.root})
	wantError(t, err, directory.CodeInvalid, noCompany)
	delete(dump, "roles")
	for table, text := range dump {
		if got := f.dump(table)[table]; got != text && table != "numbers" && table != "events" && table != "chain_heads" {
			t.Errorf("%s changed:\n%s", table, cmp.Diff(text, got))
		}
	}
}

// A key of one company cannot give a rank: ranks hold for the whole tenant,
// which the key cannot see.
func TestRulesBoundKeyGrantsNoRank(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	u, key := f.someone(withCompany(a)), f.bound(a)
	for _, rank := range []directory.Rank{readerRank, deskRank, adminRank} {
		_, _, err := f.svc.AssignRole(f.ctx, f.as(key), directory.ByNumber(u.Number), f.role(rank).Number, a)
		wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
	}
	_, _, err := f.svc.AssignRole(f.ctx, f.as(key), directory.ByNumber(u.Number), f.role(selfRank).Number, a)
	check(t, err)
}

// numbersOf are the numbers of users.
func numbersOf(users []directory.User) []int64 {
	var out []int64
	for _, u := range users {
		out = append(out, u.Number)
	}
	return out
}

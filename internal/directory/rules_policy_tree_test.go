package directory_test

import (
	"github.com/usher-id/usher/internal/directory"
)

// addTreeRules are the rows of the policy matrix about companies, locations,
// roles, lock reasons and pools, as the canonical API has them.
func addTreeRules(rules map[string]methodRule) {
	const noLocation, noReason, noRole = directory.ReasonLocationNotFound, directory.ReasonLockReasonNotFound, directory.ReasonRoleNotFound
	read := func(bound directory.Reason, run func(w *world) func(c *directory.Call) error) methodRule {
		return methodRule{readerRank, directory.ScopeUsersRead, false, false, bound, run}
	}
	write := func(bound directory.Reason, run func(w *world) func(c *directory.Call) error) methodRule {
		return methodRule{adminRank, directory.ScopeCompanies, false, false, bound, run}
	}
	outside := func(w *world) directory.ListQuery {
		return directory.ListQuery{Limit: 10, Company: directory.Some(w.outside)}
	}
	rules["ListCompanies"] = read(noCompany, noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.ListCompanies(w.ctx, c, outside(w)))
	}))
	rules["ListLocations"] = read(noCompany, noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.ListLocations(w.ctx, c, outside(w)))
	}))
	rules["ListRoles"] = read(noCompany, noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.ListRoles(w.ctx, c, outside(w)))
	}))
	rules["ListLockReasons"] = read(noCompany, noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.ListLockReasons(w.ctx, c, outside(w)))
	}))
	rules["CompanyOf"] = read(noCompany, noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.CompanyOf(w.ctx, c, directory.CompanyRef{Number: w.outside}))
	}))
	company := func(call func(w *world, c *directory.Call, ref directory.CompanyRef) error) methodRule {
		return write(noCompany, func(w *world) func(c *directory.Call) error {
			ref := directory.CompanyRef{Number: w.company(w.unique("company"), w.outside)}
			return func(c *directory.Call) error { return call(w, c, ref) }
		})
	}
	rules["UpdateCompany"] = company(func(w *world, c *directory.Call, ref directory.CompanyRef) error {
		return second(w.svc.UpdateCompany(w.ctx, c, ref, directory.CompanyPatch{Name: directory.Some(w.unique("company"))}))
	})
	rules["DeleteCompany"] = company(func(w *world, c *directory.Call, ref directory.CompanyRef) error {
		return w.svc.DeleteCompany(w.ctx, c, ref)
	})
	place := func(call func(w *world, c *directory.Call, ref directory.LocationRef) error) func(w *world) func(c *directory.Call) error {
		return func(w *world) func(c *directory.Call) error {
			ref := directory.LocationRef{Number: w.location(w.outside)}
			return func(c *directory.Call) error { return call(w, c, ref) }
		}
	}
	rules["LocationOf"] = read(noLocation, place(func(w *world, c *directory.Call, ref directory.LocationRef) error {
		return second(w.svc.LocationOf(w.ctx, c, ref))
	}))
	rules["EditLocation"] = write(noLocation, place(func(w *world, c *directory.Call, ref directory.LocationRef) error {
		return second(w.svc.EditLocation(w.ctx, c, ref, directory.LocationPatch{Name: directory.Some(w.unique("location"))}))
	}))
	rules["DeleteLocation"] = write(noLocation, place(func(w *world, c *directory.Call, ref directory.LocationRef) error {
		return w.svc.DeleteLocation(w.ctx, c, ref)
	}))
	rules["LockReasonByNumber"] = read(noReason, func(w *world) func(c *directory.Call) error {
		number := w.lockReason(w.outside).Number
		return func(c *directory.Call) error { return second(w.svc.LockReasonByNumber(w.ctx, c, number)) }
	})
	role := func(call func(w *world, c *directory.Call, number int64) error) func(w *world) func(c *directory.Call) error {
		return func(w *world) func(c *directory.Call) error {
			number := must(w.svc.CreateRole(w.ctx, w.sys(), directory.Role{Name: w.unique("role"), Company: w.outside}))(w.t).Number
			return func(c *directory.Call) error { return call(w, c, number) }
		}
	}
	rules["RoleByNumber"] = read(noRole, role(func(w *world, c *directory.Call, number int64) error {
		return second(w.svc.RoleByNumber(w.ctx, c, number))
	}))
	rules["ListRoleMembers"] = read(noRole, role(func(w *world, c *directory.Call, number int64) error {
		return second(w.svc.ListRoleMembers(w.ctx, c, number, 10, ""))
	}))
	rules["EditRole"] = write(noRole, role(func(w *world, c *directory.Call, number int64) error {
		return second(w.svc.EditRole(w.ctx, c, number, directory.RolePatch{Name: directory.Some(w.unique("role"))}))
	}))
	rules["EraseRole"] = write(noRole, role(func(w *world, c *directory.Call, number int64) error {
		return w.svc.EraseRole(w.ctx, c, number)
	}))
	addSingleRules(rules)
	addEditRules(rules)
}

// addSingleRules are the rows about pools, credentials and groups with their
// members.
func addSingleRules(rules map[string]methodRule) {
	rules["Pool"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, "", func(w *world) func(c *directory.Call) error {
		name := w.unique("licence")
		must(w.svc.SetPool(w.ctx, w.sys(), name, 5))(w.t)
		return func(c *directory.Call) error { return second(w.svc.Pool(w.ctx, c, name)) }
	}}
	rules["Credential"] = methodRule{adminRank, directory.ScopeCredentials, false, false, directory.ReasonCredentialNotFound, func(w *world) func(c *directory.Call) error {
		made, _, err := w.svc.CreateKey(w.ctx, w.sys(), directory.NewCredential{Name: w.unique("key"), Root: w.outside})
		check(w.t, err)
		return func(c *directory.Call) error { return second(w.svc.Credential(w.ctx, c, made.ID)) }
	}}
	read := func(call func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error) methodRule {
		return methodRule{readerRank, directory.ScopeUsersRead, false, false, "", onGroup(call)}
	}
	rules["GroupDetail"] = read(func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		return second(w.svc.GroupDetail(w.ctx, c, directory.GroupRef{ID: g.ID}, true))
	})
	rules["SearchGroups"] = read(func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		return second(w.svc.SearchGroups(w.ctx, c, directory.GroupSearch{Kind: g.Kind, Limit: 10, WithMembers: true}))
	})
	rules["ListMembers"] = read(func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		return second(w.svc.ListMembers(w.ctx, c, directory.GroupRef{ID: g.ID}, 10, ""))
	})
	const both = directory.ScopeCompanies | directory.ScopeUsersWrite
	rules["MakeGroup"] = methodRule{adminRank, both, false, false, wholeTenant, onGroup(func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error {
		return second(w.svc.MakeGroup(w.ctx, c, directory.NewGroup{Group: directory.Group{Kind: g.Kind, Name: w.unique("group")}, Members: []directory.UserRef{ref}}))
	})}
	rules["EditGroup"] = methodRule{adminRank, both, false, false, noUser, onGroup(func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error {
		return second(w.svc.EditGroup(w.ctx, c, directory.GroupRef{ID: g.ID}, directory.GroupEdit{Add: []directory.UserRef{ref}}))
	})}
}

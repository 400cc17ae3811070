package directory_test

import (
	"fmt"

	"github.com/usher-id/usher/internal/directory"
)

// wholeTenant is what a key of a company is told of what concerns the tenant.
const wholeTenant = directory.ReasonScopeMissing

// onTarget makes a rule's run of a use case on a user outside of the bound
// key's company.
func onTarget(call func(w *world, c *directory.Call, ref directory.UserRef) error) func(w *world) func(c *directory.Call) error {
	return func(w *world) func(c *directory.Call) error {
		ref := w.target()
		return func(c *directory.Call) error { return call(w, c, ref) }
	}
}

// onGroup makes a rule's run of a use case on a group and a user outside of
// the bound key's company.
func onGroup(call func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error) func(w *world) func(c *directory.Call) error {
	return func(w *world) func(c *directory.Call) error {
		g, ref := w.group(directory.GroupPlain), w.target()
		return func(c *directory.Call) error { return call(w, c, g, ref) }
	}
}

// addGroupRules are the rows of the policy matrix about details, groups and holds.
func addGroupRules(rules map[string]methodRule) {
	read := func(bound directory.Reason, call func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error) methodRule {
		return methodRule{readerRank, directory.ScopeUsersRead, false, false, bound, onGroup(call)}
	}
	write := func(call func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error) methodRule {
		return methodRule{adminRank, directory.ScopeCompanies, false, false, wholeTenant, onGroup(call)}
	}
	rules["Group"] = read("", func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		_, _, err := w.svc.Group(w.ctx, c, directory.GroupRef{ID: g.ID})
		return err
	})
	rules["Groups"] = read(noUser, func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error {
		_, err := w.svc.Groups(w.ctx, c, directory.GroupQuery{Kind: g.Kind, Member: directory.Some(ref), Limit: 10})
		return err
	})
	rules["GroupMembers"] = read("", func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		_, err := w.svc.GroupMembers(w.ctx, c, directory.GroupRef{ID: g.ID})
		return err
	})
	rules["CreateGroups"] = write(func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		_, err := w.svc.CreateGroups(w.ctx, c, []directory.Group{{Kind: g.Kind, Name: w.unique("group")}}, nil)
		return err
	})
	rules["PutGroup"] = write(func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		_, _, err := w.svc.PutGroup(w.ctx, c, g.Kind, w.unique("group"), directory.GroupPatch{})
		return err
	})
	rules["UpdateGroup"] = write(func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		_, err := w.svc.UpdateGroup(w.ctx, c, directory.GroupRef{ID: g.ID}, directory.GroupPatch{Name: directory.Some(w.unique("group"))})
		return err
	})
	rules["DeleteGroups"] = write(func(w *world, c *directory.Call, g directory.Group, _ directory.UserRef) error {
		return w.svc.DeleteGroups(w.ctx, c, []directory.GroupRef{{ID: g.ID}})
	})
	sync := write(func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error {
		return w.svc.SyncGroups(w.ctx, c, g.Kind, []directory.GroupSync{{Name: g.Name, Members: []directory.UserRef{ref}}})
	})
	sync.scope |= directory.ScopeUsersWrite
	rules["SyncGroups"] = sync
	change := methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, nil}
	change.run = onGroup(func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error {
		_, err := w.svc.ChangeGroups(w.ctx, c, ref, 0, join(directory.GroupsAdd, g))
		return err
	})
	rules["ChangeGroups"] = change
	change.run = onGroup(func(w *world, c *directory.Call, g directory.Group, ref directory.UserRef) error {
		return w.svc.SetGroupMembers(w.ctx, c, directory.GroupRef{ID: g.ID}, []directory.UserRef{ref})
	})
	rules["SetGroupMembers"] = change
	addDetailRules(rules)
}

func addDetailRules(rules map[string]methodRule) {
	rules["UserDetail"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.UserDetail(w.ctx, c, ref, everything)
		return err
	})}
	rules["CreateUserDetail"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noCompany, func(w *world) func(c *directory.Call) error {
		in := newUser(w.unique("made"))
		withCompany(w.outside)(&in)
		return func(c *directory.Call) error {
			_, err := w.svc.CreateUserDetail(w.ctx, c, in, everything)
			return err
		}
	}}
	rules["UpdateUserDetail"] = methodRule{adminRank, directory.ScopeUsersWrite, true, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.UpdateUserDetail(w.ctx, c, ref, directory.UserPatch{GivenName: directory.Some("Ana")}, directory.UpdateOptions{}, everything)
		return err
	})}
	rules["UserDetails"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, noCompany, noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.UserDetails(w.ctx, c, directory.UserQuery{Company: w.outside, Limit: 10}, everything)
		return err
	})}
	rules["Holds"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.Holds(w.ctx, c, ref)
		return err
	})}
	order := directory.Hold{Kind: directory.HoldOpenOrders, Source: "orders", Ref: "4711"}
	rules["PlaceHold"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		return w.svc.PlaceHold(w.ctx, c, ref, order)
	})}
	rules["ReleaseHold"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, func(w *world) func(c *directory.Call) error {
		ref := w.target()
		check(w.t, w.svc.PlaceHold(w.ctx, w.sys(), ref, order))
		return func(c *directory.Call) error { return w.svc.ReleaseHold(w.ctx, c, ref, order) }
	}}
}

// addUserRoleRules are the rows about the tenant's own roles.
func addUserRoleRules(rules map[string]methodRule) {
	row := func(rank directory.Rank, scope directory.ScopeSet, bound directory.Reason, call func(w *world, c *directory.Call, key string, ref directory.UserRef) error) methodRule {
		return methodRule{rank, scope, false, false, bound, func(w *world) func(c *directory.Call) error {
			key, ref := w.role(selfRank).Key, w.target()
			return func(c *directory.Call) error { return call(w, c, key, ref) }
		}}
	}
	rules["RoleByKey"] = row(readerRank, directory.ScopeUsersRead, "", func(w *world, c *directory.Call, key string, _ directory.UserRef) error {
		_, err := w.svc.RoleByKey(w.ctx, c, key)
		return err
	})
	rules["RoleMembers"] = row(readerRank, directory.ScopeUsersRead, "", func(w *world, c *directory.Call, key string, _ directory.UserRef) error {
		_, err := w.svc.RoleMembers(w.ctx, c, key)
		return err
	})
	rules["PutRole"] = row(adminRank, directory.ScopeCompanies, wholeTenant, func(w *world, c *directory.Call, key string, _ directory.UserRef) error {
		_, _, err := w.svc.PutRole(w.ctx, c, directory.Role{Key: key, Name: w.unique("role")})
		return err
	})
	rules["DeleteRole"] = row(adminRank, directory.ScopeCompanies, wholeTenant, func(w *world, c *directory.Call, key string, _ directory.UserRef) error {
		return w.svc.DeleteRole(w.ctx, c, key)
	})
	rules["SetUserRoles"] = row(adminRank, directory.ScopeUsersWrite, noUser, func(w *world, c *directory.Call, key string, ref directory.UserRef) error {
		return w.svc.SetUserRoles(w.ctx, c, ref, []string{key})
	})
	rules["GiveRole"] = row(adminRank, directory.ScopeUsersWrite, noUser, func(w *world, c *directory.Call, key string, ref directory.UserRef) error {
		return w.svc.GiveRole(w.ctx, c, ref, key)
	})
	rules["SetRoleMembers"] = row(adminRank, directory.ScopeUsersWrite, noUser, func(w *world, c *directory.Call, key string, ref directory.UserRef) error {
		return w.svc.SetRoleMembers(w.ctx, c, key, []directory.UserRef{ref})
	})
	rules["TakeRole"] = methodRule{adminRank, directory.ScopeUsersWrite, false, false, noUser, func(w *world) func(c *directory.Call) error {
		key, ref := w.role(selfRank).Key, w.target()
		check(w.t, w.svc.GiveRole(w.ctx, w.sys(), ref, key))
		return func(c *directory.Call) error { return w.svc.TakeRole(w.ctx, c, ref, key) }
	}}
}

// addSiteRules are the rows about companies, locations and the tenant's entity.
func addSiteRules(rules map[string]methodRule) {
	const noLocation = directory.ReasonLocationNotFound
	rules["CompanyDetail"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, noCompany, noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.CompanyDetail(w.ctx, c, directory.CompanyRef{Number: w.outside})
		return err
	})}
	rules["CreateSite"] = methodRule{adminRank, directory.ScopeCompanies, false, false, "", noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.CreateSite(w.ctx, c, directory.Company{Name: w.unique("company")}, nil)
		return err
	})}
	rules["AddLocation"] = methodRule{adminRank, directory.ScopeCompanies, false, false, noCompany, noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.AddLocation(w.ctx, c, directory.CompanyRef{Number: w.outside}, directory.Location{Name: w.unique("location")})
		return err
	})}
	place := func(w *world) string {
		l, err := w.svc.CreateLocation(w.ctx, w.sys(), directory.Location{Name: w.unique("location"), Company: w.outside})
		check(w.t, err)
		return l.ID
	}
	rules["LocationByID"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, noLocation, func(w *world) func(c *directory.Call) error {
		id := place(w)
		return func(c *directory.Call) error { _, err := w.svc.LocationByID(w.ctx, c, id); return err }
	}}
	rules["UpdateLocation"] = methodRule{adminRank, directory.ScopeCompanies, false, false, noLocation, func(w *world) func(c *directory.Call) error {
		id := place(w)
		return func(c *directory.Call) error {
			_, err := w.svc.UpdateLocation(w.ctx, c, id, directory.LocationPatch{Name: directory.Some(w.unique("location"))})
			return err
		}
	}}
	rules["UserEntity"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.UserEntity(w.ctx, c, ref)
		return err
	})}
	rules["Entity"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, "", noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.Entity(w.ctx, c)
		return err
	})}
	rules["SetEntityOf"] = methodRule{adminRank, directory.ScopeTenant, false, false, wholeTenant, noPreparation(func(w *world, c *directory.Call) error {
		tenant, err := w.svc.Entity(w.ctx, w.sys())
		if err != nil {
			return err
		}
		_, err = w.svc.SetEntityOf(w.ctx, c, tenant.ID, fmt.Sprintf(`{"Name":%q}`, w.unique("entity")))
		return err
	})}
	rules["SetEntity"] = methodRule{adminRank, directory.ScopeTenant, false, false, wholeTenant, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.SetEntity(w.ctx, c, directory.Some(ref), fmt.Sprintf(`{"Name":%q}`, w.unique("entity")))
		return err
	})}
}

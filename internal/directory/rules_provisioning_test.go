package directory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// leaders is all that the directory knows of the administrators and the owner,
// in the recycle bin too, and who has any rank at all.
func (f *fixture) leaders() map[string]string {
	f.t.Helper()
	out := map[string]string{}
	check(f.t, f.store.View(f.ctx, func(r directory.Reader) error {
		users, err := r.Users(f.ctx, f.tenant.No, directory.UserQuery{Limit: directory.MaxLimit,
			States: directory.LivingStates | directory.StatesOf(directory.StateDeleted),
			Filter: directory.Compare{Field: directory.FieldRank, Order: directory.Greater, Value: int64(selfRank)}})
		for i := range users {
			u := &users[i]
			about := u.Rank.String()
			roles, rolesErr := r.UserRoles(f.ctx, u.Tenant, u.Number)
			for _, a := range roles {
				role, roleErr := r.Role(f.ctx, u.Tenant, a.Role)
				if err = errors.Join(err, roleErr); role.Rank > selfRank {
					about += fmt.Sprintf(" role %d", a.Number)
				}
			}
			err = errors.Join(err, rolesErr)
			if u.Rank >= adminRank {
				groups, groupsErr := r.UserGroups(f.ctx, u.Tenant, u.Number)
				locations, locationsErr := r.UserLocations(f.ctx, u.Tenant, u.Number)
				holds, holdsErr := r.Holds(f.ctx, u.Tenant, u.Number)
				pass, passErr := r.Password(f.ctx, u.Tenant, u.Number)
				if errors.Is(passErr, directory.ErrNotFound) {
					passErr = nil
				}
				err = errors.Join(err, groupsErr, locationsErr, holdsErr, passErr)
				about = fmt.Sprintf("%+v %+v %+v %v %+v %+v", *u, roles, groups, locations, holds, pass)
			}
			out[fmt.Sprint(u.Number)] = about
		}
		return err
	}))
	return out
}

// targeted gives the user on whom the matrix tries a use case the world's rank.
func (w *world) targeted(ref directory.UserRef) directory.UserRef {
	w.t.Helper()
	switch w.rank {
	case selfRank:
	case ownerRank:
		check(w.t, w.svc.SetOwner(w.ctx, w.sys(), ref))
	default:
		check(w.t, w.svc.GiveRole(w.ctx, w.sys(), ref, w.role(w.rank).Key))
	}
	return ref
}

// indirect are changes that would reach an administrator by way of what it
// belongs to: a group and a role without rank.
var indirect = map[string]func(w *world, c *directory.Call, g directory.Group, role directory.Role, ref directory.UserRef) error{
	"DeleteGroups": func(w *world, c *directory.Call, g directory.Group, _ directory.Role, _ directory.UserRef) error {
		return w.svc.DeleteGroups(w.ctx, c, []directory.GroupRef{{ID: w.group(plain).ID}, {ID: g.ID}})
	},
	"SetGroupMembers": func(w *world, c *directory.Call, g directory.Group, _ directory.Role, _ directory.UserRef) error {
		return w.svc.SetGroupMembers(w.ctx, c, directory.GroupRef{ID: g.ID}, nil)
	},
	"SyncGroups": func(w *world, c *directory.Call, g directory.Group, _ directory.Role, _ directory.UserRef) error {
		return w.svc.SyncGroups(w.ctx, c, plain, []directory.GroupSync{{Name: g.Name, Exact: true}})
	},
	"EditGroup members": func(w *world, c *directory.Call, g directory.Group, _ directory.Role, _ directory.UserRef) error {
		_, err := w.edit(c, g, directory.GroupEdit{Members: directory.Some([]directory.UserRef{})})
		return err
	},
	"EditGroup remove": func(w *world, c *directory.Call, g directory.Group, _ directory.Role, ref directory.UserRef) error {
		_, err := w.edit(c, g, directory.GroupEdit{Remove: []directory.UserRef{ref}})
		return err
	},
	"ChangeGroups": func(w *world, c *directory.Call, g directory.Group, _ directory.Role, ref directory.UserRef) error {
		_, err := w.svc.ChangeGroups(w.ctx, c, ref, 0, join(directory.GroupsRemove, g))
		return err
	},
	"DeleteRole": func(w *world, c *directory.Call, _ directory.Group, role directory.Role, _ directory.UserRef) error {
		return w.svc.DeleteRole(w.ctx, c, role.Key)
	},
	"SetRoleMembers": func(w *world, c *directory.Call, _ directory.Group, role directory.Role, _ directory.UserRef) error {
		return w.svc.SetRoleMembers(w.ctx, c, role.Key, nil)
	},
	"SetUserRoles": func(w *world, c *directory.Call, _ directory.Group, _ directory.Role, ref directory.UserRef) error {
		return w.svc.SetUserRoles(w.ctx, c, ref, nil)
	},
}

// giving are the ways to give somebody a role that has a rank.
var giving = map[string]func(w *world, c *directory.Call, role directory.Role, u directory.User) error{
	"GiveRole": func(w *world, c *directory.Call, role directory.Role, u directory.User) error {
		return w.svc.GiveRole(w.ctx, c, directory.ByNumber(u.Number), role.Key)
	},
	"AssignRole": func(w *world, c *directory.Call, role directory.Role, u directory.User) error {
		_, _, err := w.svc.AssignRole(w.ctx, c, directory.ByNumber(u.Number), role.Number, w.root)
		return err
	},
	"SetUserRoles": func(w *world, c *directory.Call, role directory.Role, u directory.User) error {
		return w.svc.SetUserRoles(w.ctx, c, directory.ByNumber(u.Number), []string{role.Key})
	},
	"SetRoleMembers": func(w *world, c *directory.Call, role directory.Role, u directory.User) error {
		return w.svc.SetRoleMembers(w.ctx, c, role.Key, refs(u))
	},
	"UpdateUser": func(w *world, c *directory.Call, role directory.Role, u directory.User) error {
		patch := directory.UserPatch{Roles: directory.Some([]string{role.Key})}
		return second(w.svc.UpdateUser(w.ctx, c, directory.ByNumber(u.Number), patch, directory.UpdateOptions{}))
	},
	"UpdateUser administrator": func(w *world, c *directory.Call, _ directory.Role, u directory.User) error {
		patch := directory.UserPatch{Administrator: directory.Some(true)}
		return second(w.svc.UpdateUser(w.ctx, c, directory.ByNumber(u.Number), patch, directory.UpdateOptions{}))
	},
	"PutUser": func(w *world, c *directory.Call, role directory.Role, u directory.User) error {
		in := directory.NewUser{Fields: directory.UserPatch{Roles: directory.Some([]string{role.Key})}}
		_, _, err := w.svc.PutUser(w.ctx, c, u.UserName, in, directory.UpdateOptions{})
		return err
	},
	"CreateUser": func(w *world, c *directory.Call, role directory.Role, _ directory.User) error {
		in := newUser(w.unique("made"))
		in.Fields.Roles = directory.Some([]string{role.Key})
		return second(w.svc.CreateUser(w.ctx, c, in))
	},
	"CreateUsers": func(w *world, c *directory.Call, _ directory.Role, _ directory.User) error {
		in := newUser(w.unique("made"))
		in.Fields.Administrator = directory.Some(true)
		return second(w.svc.CreateUsers(w.ctx, c, []directory.NewUser{in}))
	},
	"CreateEach": func(w *world, c *directory.Call, role directory.Role, _ directory.User) error {
		in := newUser(w.unique("made"))
		in.Fields.Roles = directory.Some([]string{role.Key})
		made, err := w.svc.CreateEach(w.ctx, c, []directory.NewUser{in}, 0)
		if err == nil {
			err = made[0].Err
		}
		return err
	},
}

// Whatever the rank of its credential, the scim door changes no administrator and
// not the owner, and gives nobody a role that has a rank: every use case × every
// rank of who it is about.
func TestPromiseProvisioningNeverTouchesAdministrators(t *testing.T) {
	w := newWorld(t)
	key := w.key(ownerRank)
	for _, rank := range []directory.Rank{selfRank, readerRank, deskRank, adminRank, ownerRank} {
		w.rank = rank
		for name, rule := range methodRules() {
			w.provision(name, rank, rule.run(w), key)
		}
		for name, run := range indirect {
			g, role := w.group(plain), must(w.svc.CreateRole(w.ctx, w.sys(), directory.Role{Name: w.unique("role")}))(t)
			ref := w.target()
			check(t, errors.Join(w.svc.GiveRole(w.ctx, w.sys(), ref, role.Key), w.join(ref, plain, g.Name)))
			w.provision(name, rank, func(c *directory.Call) error { return run(w, c, g, role, ref) }, key)
			if rank >= adminRank {
				wantRefused(t, name+" of "+rank.String(), run(w, w.provisioned(key), g, role, ref), directory.CodeForbidden, directory.ReasonProvisioning)
			}
		}
	}
	for name, run := range giving {
		for _, rank := range []directory.Rank{readerRank, deskRank, adminRank} {
			role := w.role(rank)
			for _, before := range []directory.Rank{selfRank, rank} {
				if before == adminRank && strings.HasPrefix(name, "UpdateUser ") {
					continue // is one already, and is refused as such above
				}
				u := w.ranked(before)
				leaders := w.leaders()
				wantRefused(t, fmt.Sprintf("%s of a role of %s to %s", name, rank, before), run(w, w.provisioned(key), role, u), directory.CodeForbidden, directory.ReasonProvisioning)
				if diff := cmp.Diff(leaders, w.leaders()); diff != "" {
					t.Errorf("%s gave a role (-before +after):\n%s", name, diff)
				}
			}
		}
	}
}

// provision runs a use case through the scim door and fails the test if anything
// about an administrator is another afterwards, or if somebody below that cannot
// be changed.
func (w *world) provision(name string, rank directory.Rank, run func(c *directory.Call) error, key string) {
	w.t.Helper()
	before, tokens := w.leaders(), w.dump("tokens")
	err := run(w.provisioned(key))
	after := w.leaders()
	if rank >= adminRank {
		if diff := cmp.Diff(before, after) + cmp.Diff(tokens, w.dump("tokens")); diff != "" {
			w.t.Errorf("%s of %s (-before +after):\n%s", name, rank, diff)
		}
		if directory.CodeOf(err) == directory.CodeInternal {
			w.t.Errorf("%s of %s: %v", name, rank, err)
		}
		return
	}
	if directory.IsReason(err, directory.ReasonProvisioning) {
		w.t.Errorf("%s of %s: %v", name, rank, err)
	}
	for number, about := range after {
		if old, had := before[number]; about != old && (!had || len(about) > len(old)) {
			w.t.Errorf("%s of %s made %s %s of %s", name, rank, number, about, old)
		}
	}
}

// A group that an administrator is in is erased by nobody who provisions, not
// even in part, however many others are in.
func TestRulesProvisioningLargeGroup(t *testing.T) {
	f := newFixture(t)
	g, key := f.group(plain), f.key(ownerRank)
	admin := f.ranked(adminRank)
	must(f.edit(f.sys(), g, directory.GroupEdit{Add: append(refs(f.someones(501)...), directory.ByNumber(admin.Number))}))(t)
	dump := f.dump()
	wantError(t, f.svc.DeleteGroups(f.ctx, f.provisioned(key), []directory.GroupRef{{ID: g.ID}}), directory.CodeForbidden, directory.ReasonProvisioning)
	f.wantUnchanged(dump, "a refused deletion")
	// Naming an administrator in vain is no change of one.
	must(f.edit(f.provisioned(key), g, directory.GroupEdit{Add: refs(admin)}))(t)
	must(f.edit(f.provisioned(key), f.group(plain), directory.GroupEdit{Remove: refs(admin)}))(t)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(admin.Number)))(t)
	wantError(t, f.svc.DeleteGroups(f.ctx, f.provisioned(key), []directory.GroupRef{{ID: g.ID}}), directory.CodeForbidden, directory.ReasonProvisioning)
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(admin.Number)))
	check(t, f.svc.DeleteGroups(f.ctx, f.provisioned(key), []directory.GroupRef{{ID: g.ID}}))
}

package directory_test

import (
	"github.com/usher-id/usher/internal/directory"
)

// everything but reset tokens, which take a right of their own.
const everything = directory.IncludeCompany | directory.IncludeLocations | directory.IncludeGroups | directory.IncludeRoles

// group makes a group of a kind whose name is its key.
func (f *fixture) group(kind directory.GroupKind, name ...string) directory.Group {
	f.t.Helper()
	g := directory.Group{Kind: kind, Name: f.unique("group")}
	if len(name) > 0 {
		g.Name = name[0]
	}
	g.Key = g.Name
	return must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{g}, nil))(f.t)[0]
}

// groups makes plain groups of these names.
func (f *fixture) groups(names ...string) []directory.Group {
	f.t.Helper()
	var list []directory.Group
	for _, name := range names {
		list = append(list, f.group(directory.GroupPlain, name))
	}
	return list
}

// join is a change that names groups of one kind by id.
func join(mode directory.GroupMode, groups ...directory.Group) directory.GroupChange {
	change := directory.GroupChange{Kind: groups[0].Kind, Mode: mode}
	for _, g := range groups {
		change.Groups = append(change.Groups, directory.GroupRef{ID: g.ID})
	}
	return change
}

// named is a change that names groups of a kind by name.
func named(kind directory.GroupKind, mode directory.GroupMode, names ...string) directory.GroupChange {
	change := directory.GroupChange{Kind: kind, Mode: mode}
	for _, name := range names {
		change.Groups = append(change.Groups, directory.GroupRef{Name: name})
	}
	return change
}

// regroup changes a user's groups and returns the names of all it has.
func (f *fixture) regroup(u directory.User, changes ...directory.GroupChange) []string {
	f.t.Helper()
	detail := must(f.svc.ChangeGroups(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.IncludeGroups, changes...))(f.t)
	return groupNames(detail)
}

// groupsOf are the names of a user's groups, in order; with a role, name=role.
func (f *fixture) groupsOf(number int64) []string {
	f.t.Helper()
	return groupNames(must(f.svc.UserDetail(f.ctx, f.sys(), directory.ByNumber(number), directory.IncludeGroups))(f.t))
}

func groupNames(d directory.UserDetail) []string {
	names := []string{}
	for _, m := range d.Groups {
		name := m.Group.Name
		if m.Role != "" {
			name += "=" + m.Role
		}
		names = append(names, name)
	}
	return names
}

// numbers are the numbers of users.
func numbers(users []directory.User) []int64 {
	list := []int64{}
	for _, u := range users {
		list = append(list, u.Number)
	}
	return list
}

// refs are references to users by number.
func refs(users ...directory.User) []directory.UserRef {
	list := []directory.UserRef{}
	for _, u := range users {
		list = append(list, directory.ByNumber(u.Number))
	}
	return list
}

// join puts a user into the group of a name.
func (f *fixture) join(ref directory.UserRef, kind directory.GroupKind, name string) error {
	_, err := f.svc.ChangeGroups(f.ctx, f.sys(), ref, 0, directory.GroupChange{Kind: kind, Mode: directory.GroupsAdd,
		Groups: []directory.GroupRef{{Kind: kind, Name: name}}})
	return err
}

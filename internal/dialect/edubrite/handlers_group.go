package edubrite

import (
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

func addToGroups(d *door, x *exchange) (web.Response, error) {
	return changeGroups(d, x, directory.GroupsAdd, codeAdded, textUserInGroups)
}

func removeFromGroups(d *door, x *exchange) (web.Response, error) {
	return changeGroups(d, x, directory.GroupsRemove, codeMemberRemoved, textMemberRemoved)
}

// groupMembership is both, and joins unless join says FALSE (dossier 3.4).
func groupMembership(d *door, x *exchange) (web.Response, error) {
	var f faults
	join, set := x.params.flag(&f, "join")
	if err := f.err(); err != nil {
		return x.refuse(d, err)
	}
	if set && !join {
		return removeFromGroups(d, x)
	}
	return changeGroups(d, x, directory.GroupsAdd, codeMemberAdded, textMemberAdded)
}

// changeGroups changes a user's memberships and answers with a message.
func changeGroups(d *door, x *exchange, mode directory.GroupMode, code, text string) (web.Response, error) {
	change, err := x.params.groupChange(mode)
	if err != nil {
		return x.refuse(d, err)
	}
	if _, err := d.svc.ChangeGroups(x.req.Context(), &x.call, x.params.user(), 0, change); err != nil {
		return web.Response{}, err
	}
	return success(code, text, nil)
}

// groupQuery converts the parameters of the lists of groups (dossier 3.4).
func (p params) groupQuery() (directory.GroupQuery, page, error) {
	var f faults
	at := p.page(&f, maxPageSize)
	q := directory.GroupQuery{Kind: directory.GroupPlain, Name: strings.Trim(strings.TrimSpace(p.get("groupName")), "*%"), Skip: at.skip(), Limit: at.size}
	if parent := p.get("parentId"); parent != "" {
		q.Parent = directory.Some(parent)
	}
	return q, at, f.err()
}

func listGroups(d *door, x *exchange) (web.Response, error) {
	return answerGroups(d, x, false)
}

// listMyGroups lists the groups that the acting user is a member of.
func listMyGroups(d *door, x *exchange) (web.Response, error) {
	return answerGroups(d, x, true)
}

// answerGroups is what both lists have in common.
func answerGroups(d *door, x *exchange, mine bool) (web.Response, error) {
	q, at, err := x.params.groupQuery()
	if err != nil {
		return x.refuse(d, err)
	}
	q.Mine = mine
	list, err := d.svc.Groups(x.req.Context(), &x.call, q)
	if err != nil {
		return web.Response{}, err
	}
	return success(codeSuccess, textSuccess, appendGroups(nil, &list, at))
}

// group is the group that the parameter id names.
func (p params) group() directory.GroupRef {
	return directory.GroupRef{ID: p.get("id"), Kind: directory.GroupPlain}
}

func getGroup(d *door, x *exchange) (web.Response, error) {
	g, size, err := d.svc.Group(x.req.Context(), &x.call, x.params.group())
	if err != nil {
		return web.Response{}, err
	}
	return success(codeSuccess, textSuccess, appendGroup(nil, &g, size))
}

// createGroup makes a group. The vendor's templates are not kept.
func createGroup(d *door, x *exchange) (web.Response, error) {
	g := directory.Group{Kind: directory.GroupPlain, Name: x.params.get("groupName"), Description: x.params.get("description")}
	made, err := d.svc.CreateGroups(x.req.Context(), &x.call, []directory.Group{g}, []string{x.params.get("parentId")})
	if err != nil {
		return web.Response{}, taken(err, map[directory.Reason]string{directory.ReasonGroupTaken: g.Name})
	}
	return success(codeSuccess, textSuccess, appendGroup(nil, &made[0], 0))
}

// createGroups makes the groups that are missing and puts users into them: the
// parameters are groupName0=group,user,user and so on. With the operation
// "remove" other members leave (dossier 3.4).
func createGroups(d *door, x *exchange) (web.Response, error) {
	sync, err := x.params.groupSync()
	if err != nil {
		return x.refuse(d, err)
	}
	if err := d.svc.SyncGroups(x.req.Context(), &x.call, directory.GroupPlain, sync); err != nil {
		return web.Response{}, err
	}
	return success(codeSuccess, textSuccess, nil)
}

// groupSync converts the parameters of createGroups. Of user|email|name only
// the first counts, as in REAL_UNAME: nobody is created by the way (dossier
// 2.3).
func (p params) groupSync() ([]directory.GroupSync, error) {
	var f faults
	role, operation := p.get("role"), p.get("addMemberOperation")
	if role != "" && !isRole(role) {
		f.add("role", directory.ReasonFieldValue, "role must be STUDENT, INSTRUCTOR or ADMIN.")
	}
	if operation != "" && operation != "add" && operation != "remove" {
		f.add("addMemberOperation", directory.ReasonFieldValue, "addMemberOperation must be add or remove.")
	}
	var list []directory.GroupSync
	for _, group := range p.indexed("groupName") {
		parts := strings.Split(group.value, ",")
		sync := directory.GroupSync{Name: strings.TrimSpace(parts[0]), Role: role, Exact: operation == "remove"}
		for _, part := range parts[1:] {
			name, _, _ := strings.Cut(part, "|")
			if name = strings.TrimSpace(name); name != "" {
				sync.Members = append(sync.Members, directory.ByUserName(name))
			}
		}
		list = append(list, sync)
	}
	if len(list) == 0 {
		f.required("groupName0", "")
	}
	return list, f.err()
}

// updateGroup changes name and description; an empty value leaves them (dossier
// 5.3). domain and custom properties of groups are not kept.
func updateGroup(d *door, x *exchange) (web.Response, error) {
	name := x.params.get("groupName")
	patch := directory.GroupPatch{Name: given(name), Description: given(x.params.get("description"))}
	if _, err := d.svc.UpdateGroup(x.req.Context(), &x.call, x.params.group(), patch); err != nil {
		return web.Response{}, taken(err, map[directory.Reason]string{directory.ReasonGroupTaken: name})
	}
	return success(codeSuccess, textSuccess, nil)
}

// changeParentGroup moves a group below another; without parentId it stands
// alone. removeNonExclusive is not known to groups here.
func changeParentGroup(d *door, x *exchange) (web.Response, error) {
	patch := directory.GroupPatch{Parent: directory.Some(x.params.get("parentId"))}
	if _, err := d.svc.UpdateGroup(x.req.Context(), &x.call, x.params.group(), patch); err != nil {
		return web.Response{}, err
	}
	return success(codeSuccess, textSuccess, nil)
}

func deleteGroupsByIDs(d *door, x *exchange) (web.Response, error) {
	var ids []string
	for _, id := range x.params.indexed("groupId") {
		ids = append(ids, strings.TrimSpace(id.value))
	}
	return deleteGroups(d, x, groups(ids), "groupId0")
}

// deleteGroupsByNames deletes the groups of these names, of the parent's if
// that is given.
func deleteGroupsByNames(d *door, x *exchange) (web.Response, error) {
	var refs []directory.GroupRef
	for _, name := range x.params.indexed("groupName") {
		refs = append(refs, directory.GroupRef{Kind: directory.GroupPlain, Name: name.value, Parent: x.params.get("parentId")})
	}
	return deleteGroups(d, x, refs, "groupName0")
}

// deleteGroups deletes all or none; first is the parameter that must be there.
func deleteGroups(d *door, x *exchange, refs []directory.GroupRef, first string) (web.Response, error) {
	if len(refs) == 0 {
		var f faults
		f.required(first, "")
		return x.refuse(d, f.err())
	}
	if err := d.svc.DeleteGroups(x.req.Context(), &x.call, refs); err != nil {
		return web.Response{}, err
	}
	return success(codeSuccess, textSuccess, nil)
}

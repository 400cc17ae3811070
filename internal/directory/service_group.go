package directory

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
)

// ChangeGroups changes a user's memberships: all of it or nothing. Errors:
// user.not_found, group.not_found on the groups field.
func (s *Service) ChangeGroups(ctx context.Context, call *Call, ref UserRef, with Include, changes ...GroupChange) (UserDetail, error) {
	if err := s.enter(ctx, call, ActAssign); err != nil {
		return UserDetail{}, err
	}
	if err := call.permitInclude(with); err != nil {
		return UserDetail{}, err
	}
	u, err := s.change(ctx, call, ActAssign, ref, func(tx Tx, u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		e.event = EventGroupsChanged
		return changeGroups(ctx, tx, call, u, e, changes)
	})
	if err != nil {
		return UserDetail{}, err
	}
	details, err := s.describe(ctx, call, []User{u}, with)
	if err != nil {
		return UserDetail{}, err
	}
	return details[0], nil
}

// Group reads a group and its size: the living members that the caller can
// see. Errors: group.not_found.
func (s *Service) Group(ctx context.Context, call *Call, ref GroupRef) (Group, int64, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Group{}, 0, err
	}
	var g Group
	var size int64
	err := s.store.View(ctx, func(r Reader) (err error) {
		if g, err = groupOf(ctx, r, call.Actor.Tenant, ref); err != nil {
			return err
		}
		size, err = groupSize(ctx, r, call.Actor, g.Number)
		return err
	})
	return g, size, err
}

// groupSize counts the living members of a group that the actor can see.
func groupSize(ctx context.Context, r Reader, actor Actor, group int64) (int64, error) {
	if actor.Root == 0 {
		return r.GroupSize(ctx, actor.Tenant, group)
	}
	return r.CountUsers(ctx, actor.Tenant, membersQuery(actor, group), CountLimit)
}

// membersQuery selects the living members of a group that the actor can see.
func membersQuery(actor Actor, group int64) UserQuery {
	return UserQuery{Company: actor.Root, States: LivingStates, GroupNumbers: []int64{group}, Limit: MaxLimit}
}

// Groups lists one page of groups. An unknown parent has no groups. Errors:
// user.not_found on an unknown member.
func (s *Service) Groups(ctx context.Context, call *Call, q GroupQuery) (GroupPage, error) {
	if err := s.enter(ctx, call, q.action()); err != nil {
		return GroupPage{}, err
	}
	if err := checkGroupQuery(&q); err != nil {
		return GroupPage{}, err
	}
	var page GroupPage
	err := s.search(ctx, func(ctx context.Context, r Reader) (err error) {
		page, err = s.groupPage(ctx, r, call, q)
		return err
	})
	return page, err
}

// action is what the policy says about a list: one's own groups are part of
// one's own record.
func (q *GroupQuery) action() Action {
	if q.Mine {
		return ActReadUser
	}
	return ActReadCompany
}

func checkGroupQuery(q *GroupQuery) error {
	if !q.Kind.known() {
		return errGroupKind()
	}
	if q.Limit <= 0 || q.Limit > MaxLimit || q.Skip < 0 {
		return Invalid("limit", ReasonFieldValue, "limit must be from 1 to %d and skip not negative.", MaxLimit)
	}
	return CleanText("name", q.Name, maxTextRunes)
}

func errGroupKind() error {
	return Invalid("kind", ReasonFieldValue, "There is no such kind of group.")
}

// groupPage reads a page of groups with their sizes.
func (s *Service) groupPage(ctx context.Context, r Reader, call *Call, q GroupQuery) (GroupPage, error) {
	t := call.Actor.Tenant
	sel := GroupSelection{Kind: q.Kind, NameKey: NameKey(q.Name), Skip: q.Skip, Limit: q.Limit}
	if q.Mine {
		if sel.Member = call.Actor.User; sel.Member == 0 {
			return GroupPage{}, nil // no person, no groups
		}
	} else if q.Member.Set {
		u, err := s.find(ctx, r, call, q.Member.Value)
		if err != nil {
			return GroupPage{}, err
		}
		sel.Member = u.Number
	}
	if q.Parent.Set {
		sel.Parent = Some(int64(0))
		if q.Parent.Value != "" {
			parent, err := groupOf(ctx, r, t, GroupRef{ID: q.Parent.Value, Kind: q.Kind})
			if IsReason(err, ReasonGroupNotFound) {
				return GroupPage{}, nil
			}
			if err != nil {
				return GroupPage{}, err
			}
			sel.Parent = Some(parent.Number)
		}
	}
	groups, err := r.Groups(ctx, t, sel)
	if err != nil {
		return GroupPage{}, err
	}
	page := GroupPage{Groups: groups, Sizes: make([]int64, len(groups))}
	for i, g := range groups {
		if page.Sizes[i], err = groupSize(ctx, r, call.Actor, g.Number); err != nil {
			return GroupPage{}, err
		}
	}
	page.Total, err = r.CountGroups(ctx, t, sel)
	return page, err
}

// CreateGroups makes groups, all or none, at most 500, each below the group
// whose id is parents[i] ("" or a missing entry: below none). A preset id is
// kept. A service team without a key gets its id as key. Errors:
// group.name_taken, group.not_found on the parent, group.parent_below when the
// tree would be too deep.
func (s *Service) CreateGroups(ctx context.Context, call *Call, groups []Group, parents []string) ([]Group, error) {
	if err := s.enterWhole(ctx, call, ActGroup); err != nil {
		return nil, err
	}
	if err := s.replayed(ctx, call); err != nil {
		return nil, err
	}
	templates, err := s.newGroups(call, groups)
	if err != nil {
		return nil, err
	}
	var made []Group
	err = s.once(ctx, call, func(tx Tx) (any, error) {
		list := make([]Group, len(templates))
		if _, err := tx.LockTenant(ctx, call.Actor.Tenant); err != nil {
			return nil, err
		}
		for i, g := range templates {
			parent := ""
			if i < len(parents) {
				parent = parents[i]
			}
			if err := placeGroup(ctx, tx, &g, parent); err != nil {
				return nil, err
			}
			if err := s.insertGroup(ctx, tx, call, &g); err != nil {
				return nil, err
			}
			list[i] = g
		}
		made = list
		return made, nil
	})
	call.Changed = err == nil && len(made) > 0
	return made, err
}

// newGroups checks what CreateGroups is given and fills in what needs no
// transaction.
func (s *Service) newGroups(call *Call, groups []Group) ([]Group, error) {
	if len(groups) > maxChanged {
		return nil, Invalid(FieldGroups.String(), ReasonFieldLength, "At most %d groups can be made at a time.", maxChanged)
	}
	var bad violations
	out := make([]Group, len(groups))
	for i, g := range groups {
		g.Tenant, g.Version, g.CreatedAt, g.UpdatedAt = call.Actor.Tenant, 1, s.now(), s.now()
		if g.ID != "" {
			id, err := presetID(g.ID)
			collect(&bad, err)
			g.ID = id
		}
		g.ID = orNew(g.ID, s.opts.NewID)
		checkGroup(&bad, &g)
		out[i] = g
	}
	return out, bad.err()
}

// checkGroup validates a group and gives it its key.
func checkGroup(bad *violations, g *Group) {
	if !g.Kind.known() {
		collect(bad, errGroupKind())
	}
	collect(bad, checkName("name", g.Name))
	collect(bad, CleanText("description", g.Description, maxTextRunes))
	collect(bad, checkNumber(FieldNumber.String(), g.Number))
	if g.Kind != GroupServiceTeam {
		g.Key = NameKey(g.Name)
	} else {
		g.Key = orNew(g.Key, func() string { return g.ID })
		collect(bad, CleanText("key", g.Key, maxTextRunes))
	}
	if g.Key == "" && len(*bad) == 0 {
		collect(bad, Invalid("name", ReasonFieldRequired, "name must show something."))
	}
}

// insertGroup writes a new group with its event.
func (s *Service) insertGroup(ctx context.Context, tx Tx, call *Call, g *Group) error {
	if err := groupKeyFree(ctx, tx, g); err != nil {
		return err
	}
	err := numberFor(ctx, tx, g.Tenant, NumberGroup, &g.Number, func(n int64) error {
		_, err := tx.Group(ctx, g.Tenant, n)
		return err
	})
	if err != nil {
		return err
	}
	if err := tx.InsertGroup(ctx, *g); err != nil {
		return err
	}
	var diff changes
	diff.named("kind", "", string(g.Kind))
	diff.named("name", "", g.Name)
	diff.named("key", "", g.Key)
	diff.groupExternalIDs(&Group{}, g)
	return s.record(ctx, tx, call, EventGroupCreated, topic{}, groupSubject(g), &diff)
}

func groupSubject(g *Group) string { return fmt.Sprintf("group:%d", g.Number) }

// PutGroup makes the group of a key, or changes what the patch names of the one
// that has it; made says which. A new group without a name is named by its key.
// Errors as for UpdateGroup; field.mismatch when the name of a new group that
// is keyed by name is another one.
func (s *Service) PutGroup(ctx context.Context, call *Call, kind GroupKind, key string, p GroupPatch) (g Group, made bool, err error) {
	if err := s.enterWhole(ctx, call, ActGroup); err != nil {
		return Group{}, false, err
	}
	fresh, err := s.newGroups(call, []Group{{Kind: kind, Key: key, Name: orNew(p.Name.Value, func() string { return key }), Description: p.Description.Value}})
	if err != nil {
		return Group{}, false, err
	}
	var wrote bool
	err = s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockTenant(ctx, call.Actor.Tenant); err != nil {
			return err
		}
		held, err := groupOf(ctx, tx, call.Actor.Tenant, GroupRef{Kind: kind, Name: key})
		if !IsReason(err, ReasonGroupNotFound) {
			if err != nil {
				return err
			}
			made = false
			g, wrote, err = s.patchGroup(ctx, tx, call, held, p)
			return err
		}
		if err := call.If.checkAbsent(); err != nil {
			return err
		}
		next := fresh[0]
		if next.Key != groupKey(kind, key) {
			return Invalid("name", ReasonFieldMismatch, "The name of the new group is not %q.", key)
		}
		if err := setGroupExternalID(ctx, tx, call, &next, p.ExternalID); err != nil {
			return err
		}
		if err := placeGroup(ctx, tx, &next, p.Parent.Value); err != nil {
			return err
		}
		err = s.insertGroup(ctx, tx, call, &next)
		g, made, wrote = next, true, true
		return err
	})
	call.Changed = err == nil && wrote
	return g, made, err
}

// UpdateGroup changes what the patch names. The versions of the members stay.
// Errors: group.not_found, group.name_taken, group.parent_below when the parent
// is below the group or the tree would be too deep.
func (s *Service) UpdateGroup(ctx context.Context, call *Call, ref GroupRef, p GroupPatch) (Group, error) {
	if err := s.enterWhole(ctx, call, ActGroup); err != nil {
		return Group{}, err
	}
	var g Group
	var wrote bool
	err := s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockTenant(ctx, call.Actor.Tenant); err != nil {
			return err
		}
		held, err := groupOf(ctx, tx, call.Actor.Tenant, ref)
		if err != nil {
			return err
		}
		g, wrote, err = s.patchGroup(ctx, tx, call, held, p)
		return err
	})
	call.Changed = err == nil && wrote
	return g, err
}

// patchGroup writes what a patch changes of a group and reports whether that
// was anything.
func (s *Service) patchGroup(ctx context.Context, tx Tx, call *Call, before Group, p GroupPatch) (Group, bool, error) {
	if err := call.If.check(before.Version); err != nil {
		return Group{}, false, err
	}
	after := before
	after.Name, after.Description = p.Name.or(before.Name), p.Description.or(before.Description)
	var bad violations
	checkGroup(&bad, &after)
	if err := bad.err(); err != nil {
		return Group{}, false, err
	}
	if after.Key != before.Key {
		if err := groupKeyFree(ctx, tx, &after); err != nil {
			return Group{}, false, err
		}
	}
	if p.Parent.Set {
		if err := placeGroup(ctx, tx, &after, p.Parent.Value); err != nil {
			return Group{}, false, err
		}
	}
	if err := setGroupExternalID(ctx, tx, call, &after, p.ExternalID); err != nil {
		return Group{}, false, err
	}
	if reflect.DeepEqual(after, before) {
		return before, false, nil
	}
	after.Version++
	after.UpdatedAt = s.now()
	if err := tx.UpdateGroup(ctx, after); err != nil {
		return Group{}, false, err
	}
	var diff changes
	diff.named("name", before.Name, after.Name)
	diff.named("description", before.Description, after.Description)
	diff.named("parent", numberText(before.Parent), numberText(after.Parent))
	diff.groupExternalIDs(&before, &after)
	return after, true, s.record(ctx, tx, call, EventGroupUpdated, topic{}, groupSubject(&after), &diff)
}

// DeleteGroups erases groups with their memberships, at most 500 groups. The
// groups below them lose their parent; the versions of the members stay. It is
// one transaction, all or none, as long as the groups have less than 500
// memberships together. Others are emptied before, in transactions of 500, so
// that nobody waits long: whoever is cut off finds groups with fewer members,
// and deletes them again. A call that asks
// for a version asks it of a single group. Errors: group.not_found;
// version.mismatch; rights.provisioning.
func (s *Service) DeleteGroups(ctx context.Context, call *Call, refs []GroupRef) error {
	if err := s.enterWhole(ctx, call, ActGroup); err != nil {
		return err
	}
	if len(refs) > maxChanged {
		return Invalid(FieldGroups.String(), ReasonFieldLength, "At most %d groups can be deleted at a time.", maxChanged)
	}
	for more := true; more; {
		err := s.store.Update(ctx, func(tx Tx) error {
			if _, err := tx.LockTenant(ctx, call.Actor.Tenant); err != nil {
				return err
			}
			groups, err := everyGroup(ctx, tx, call.Actor.Tenant, refs)
			if err == nil && len(groups) == 1 {
				err = call.If.check(groups[0].Version)
			}
			if err == nil {
				err = provisionable(ctx, tx, call, groups)
			}
			if err == nil {
				more, err = s.emptyGroups(ctx, tx, call, groups)
			}
			if err != nil || more {
				return err
			}
			return s.eraseGroups(ctx, tx, call, groups)
		})
		if err != nil {
			return err
		}
		call.Changed = len(refs) > 0
	}
	return nil
}

// emptyGroups removes as many memberships as one transaction may and reports
// whether there may be more. Only then each group that lost some has an event
// of that: otherwise the event that erases it says all.
func (s *Service) emptyGroups(ctx context.Context, tx Tx, call *Call, groups []Group) (more bool, err error) {
	left := maxChanged
	removed := make([]int, len(groups))
	for i := range groups {
		if removed[i], err = tx.EmptyGroup(ctx, groups[i].Tenant, groups[i].Number, left); err != nil {
			return false, err
		}
		left -= removed[i]
	}
	if left > 0 {
		return false, nil
	}
	for i := range groups {
		if removed[i] == 0 {
			continue
		}
		var diff changes
		diff.named("members_removed", "", strconv.Itoa(removed[i]))
		if err := s.record(ctx, tx, call, EventGroupUpdated, topic{}, groupSubject(&groups[i]), &diff); err != nil {
			return false, err
		}
	}
	return true, nil
}

// eraseGroups erases groups that are empty, with an event each.
func (s *Service) eraseGroups(ctx context.Context, tx Tx, call *Call, groups []Group) error {
	for i := range groups {
		if err := tx.DeleteGroup(ctx, groups[i].Tenant, groups[i].Number); err != nil {
			return err
		}
		var diff changes
		diff.named("name", groups[i].Name, "")
		if err := s.record(ctx, tx, call, EventGroupDeleted, topic{}, groupSubject(&groups[i]), &diff); err != nil {
			return err
		}
	}
	return nil
}

// everyGroup reads the groups that references name, each once; the first that
// is missing is named.
func everyGroup(ctx context.Context, r Reader, t TenantNo, refs []GroupRef) ([]Group, error) {
	var groups []Group
	for _, ref := range refs {
		g, err := groupOf(ctx, r, t, ref)
		if IsReason(err, ReasonGroupNotFound) {
			return nil, Wrong(CodeNotFound, ReasonGroupNotFound, "There is no group %q.", ref.text())
		}
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(groups, func(have Group) bool { return have.Number == g.Number }) {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

package directory

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// Limits of what one call names and of what one user has.
const (
	maxNamed       = MaxLimit // groups, roles or members that one call names
	maxMemberships = 500      // groups that one user is in
	maxChanged     = 500      // users that one call changes: what one transaction may hold up
)

// changeGroups makes a user's memberships what the changes say. The user's row
// is locked, or the user is new. Unknown groups are reported together, before
// anything is written; the difference is noted in the edit.
func changeGroups(ctx context.Context, tx Tx, _ *Call, u *User, e *edit, changes []GroupChange) error {
	if len(changes) == 0 {
		return nil
	}
	before, err := tx.UserGroups(ctx, u.Tenant, u.Number)
	if err != nil {
		return err
	}
	var bad violations
	after := slices.Clone(before)
	for i := range changes {
		change, err := withKind(ctx, tx, u.Tenant, changes[i])
		if err != nil {
			return err
		}
		groups, err := namedGroups(ctx, tx, u.Tenant, &change, &bad)
		if err != nil {
			return err
		}
		after = regroup(after, &change, groups)
	}
	if len(after) > maxMemberships && len(after) > len(before) {
		bad.add(FieldGroups, ReasonFieldLength, "A user can be in at most %d groups.", maxMemberships)
	}
	if err := bad.err(); err != nil {
		return err
	}
	return writeGroups(ctx, tx, u, e, before, after)
}

// withKind completes a change of one group by its id or number, which need not say the kind.
// Errors: group.not_found.
func withKind(ctx context.Context, r Reader, t TenantNo, c GroupChange) (GroupChange, error) {
	if c.Kind != "" || len(c.Groups) != 1 || c.Groups[0].ID == "" && c.Groups[0].Number == 0 {
		return c, nil
	}
	g, err := groupOf(ctx, r, t, c.Groups[0])
	c.Kind = g.Kind
	return c, err
}

// namedGroups reads the groups that a change names, each once. What is wrong
// with the change is added to bad.
func namedGroups(ctx context.Context, r Reader, t TenantNo, c *GroupChange, bad *violations) ([]Group, error) {
	if !c.Kind.known() || c.Mode < GroupsAdd || c.Mode > GroupsReplaceFirst {
		bad.add(FieldGroups, ReasonFieldValue, "There is no such kind of group, or no such change.")
		return nil, nil
	}
	if len(c.Groups) > maxNamed {
		bad.add(FieldGroups, ReasonFieldLength, "A change names at most %d groups.", maxNamed)
		return nil, nil
	}
	checkText(bad, FieldGroups, c.Role, 64)
	var groups []Group
	for _, ref := range c.Groups {
		if ref.Kind == "" {
			ref.Kind = c.Kind
		}
		g, err := groupOf(ctx, r, t, ref)
		if err == nil && g.Kind != c.Kind {
			err = errNoGroup()
		}
		if IsReason(err, ReasonGroupNotFound) {
			bad.add(FieldGroups, ReasonGroupNotFound, "There is no group %q.", ref.text())
			continue
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

// groupOf reads the group that a reference names.
func groupOf(ctx context.Context, r Reader, t TenantNo, ref GroupRef) (Group, error) {
	var g Group
	var err error
	if ref.Number != 0 {
		if g, err = r.Group(ctx, t, ref.Number); err == nil && ref.Kind != "" && g.Kind != ref.Kind {
			return Group{}, errNoGroup()
		}
	} else if ref.ID != "" {
		id, badID := presetID(ref.ID)
		if badID != nil {
			return Group{}, errNoGroup()
		}
		g, err = r.GroupByID(ctx, t, id)
		if err == nil && ref.Kind != "" && g.Kind != ref.Kind {
			return Group{}, errNoGroup()
		}
	} else {
		key := groupKey(ref.Kind, ref.Name)
		if key == "" || CleanText("groups", ref.Name, maxTextRunes) != nil {
			return Group{}, errNoGroup()
		}
		g, err = r.GroupByKey(ctx, t, ref.Kind, key)
	}
	if err == nil && ref.Parent != "" {
		err = standsBelow(ctx, r, &g, ref.Parent)
	}
	if errors.Is(err, ErrNotFound) {
		return Group{}, errNoGroup()
	}
	return g, err
}

// standsBelow is ErrNotFound unless a group stands directly below the one with
// an id.
func standsBelow(ctx context.Context, r Reader, g *Group, parentID string) error {
	id, err := presetID(parentID)
	if err != nil || g.Parent == 0 {
		return ErrNotFound
	}
	parent, err := r.Group(ctx, g.Tenant, g.Parent)
	if err == nil && parent.ID != id {
		err = ErrNotFound
	}
	return err
}

func errNoGroup() error { return Wrong(CodeNotFound, ReasonGroupNotFound, "Group not found.") }

// groupKey is the key of a group of a name: folded, but for service teams,
// whose ids are a vendor's (docs/dialects/servicemobility.md 3.3).
func groupKey(kind GroupKind, name string) string {
	if kind == GroupServiceTeam {
		return name
	}
	return NameKey(name)
}

// known reports whether there is such a kind.
func (k GroupKind) known() bool {
	return k == GroupPlain || k == GroupDashboard || k == GroupServiceTeam
}

// text is what the client wrote, for a message.
func (ref GroupRef) text() string {
	if ref.ID != "" {
		return ref.ID
	}
	return ref.Name
}

// regroup is the list of memberships after a change. Positions count from 0 in
// each kind.
func regroup(list []Membership, c *GroupChange, groups []Group) []Membership {
	var others, mine []Membership
	for _, m := range list {
		if m.Group.Kind == c.Kind {
			mine = append(mine, m)
		} else {
			others = append(others, m)
		}
	}
	named := make([]Membership, len(groups))
	for i, g := range groups {
		named[i] = Membership{Group: g, Role: c.Role}
		if at := memberOf(mine, g.Number); at >= 0 && c.Role == "" {
			named[i].Role = mine[at].Role
		}
	}
	mine = c.Mode.apply(c.Kind, mine, named)
	for i := range mine {
		mine[i].Position = i
	}
	all := append(others, mine...)
	slices.SortStableFunc(all, func(a, b Membership) int { return cmp.Compare(a.Group.Kind, b.Group.Kind) })
	return all
}

// apply puts the named memberships into a user's list of a kind.
func (mode GroupMode) apply(kind GroupKind, mine, named []Membership) []Membership {
	without := func(list []Membership) []Membership {
		return slices.DeleteFunc(slices.Clone(list), func(m Membership) bool { return memberOf(named, m.Group.Number) >= 0 })
	}
	switch {
	case mode == GroupsRemove:
		return without(mine)
	case mode == GroupsReplaceFirst:
		return append(slices.Clone(named), without(mine[min(1, len(mine)):])...)
	case mode == GroupsReplace, kind == GroupServiceTeam && len(named) > 0:
		return named
	}
	// Who is in already stays where it is.
	kept := slices.Clone(mine)
	for _, m := range named {
		if at := memberOf(kept, m.Group.Number); at >= 0 {
			kept[at].Role = m.Role
		} else {
			kept = append(kept, m)
		}
	}
	return kept
}

// memberOf is the place of a group in a list of memberships, or -1.
func memberOf(list []Membership, group int64) int {
	return slices.IndexFunc(list, func(m Membership) bool { return m.Group.Number == group })
}

// groupNote is how an event names a membership.
type groupNote struct {
	Kind GroupKind `json:"kind"`
	Key  string    `json:"key,omitempty"` // unless it is the folded name
	Name string    `json:"name"`
	Role string    `json:"role,omitempty"`
}

func groupNotes(list []Membership) []groupNote {
	notes := make([]groupNote, len(list))
	for i, m := range list {
		notes[i] = groupNote{Kind: m.Group.Kind, Name: m.Group.Name, Role: m.Role}
		if m.Group.Kind == GroupServiceTeam {
			notes[i].Key = m.Group.Key
		}
	}
	return notes
}

// writeGroups writes the difference of two lists of memberships and notes it.
// Two that show the same groups in the same order are the same.
func writeGroups(ctx context.Context, tx Tx, u *User, e *edit, before, after []Membership) error {
	same := slices.EqualFunc(before, after, func(a, b Membership) bool { return a.Group.Number == b.Group.Number && a.Role == b.Role })
	if same {
		return nil
	}
	for _, m := range before {
		if memberOf(after, m.Group.Number) < 0 {
			if _, err := tx.RemoveGroupMember(ctx, u.Tenant, m.Group.Number, u.Number); err != nil {
				return err
			}
		}
	}
	for _, m := range after {
		if at := memberOf(before, m.Group.Number); at >= 0 && before[at].Role == m.Role && before[at].Position == m.Position {
			continue
		}
		if _, err := tx.SetGroupMember(ctx, u.Tenant, m.Group.Number, u.Number, m.Role, m.Position); err != nil {
			return err
		}
	}
	e.changes.value(FieldGroups, false, groupNotes(before), groupNotes(after))
	return nil
}

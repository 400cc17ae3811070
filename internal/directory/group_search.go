package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxGroupsRead is how many groups a search by a predicate counts among, and how
// many it sorts.
const maxGroupsRead = 100_000

// groupList is the kind of the cursors of SearchGroups.
const groupList = "groups"

// maxPlaceBytes is how much of a sort key a cursor holds: enough to go on where
// the group itself is gone.
const maxPlaceBytes = 64

// SearchGroups lists one page of groups, by number unless q says otherwise. With
// a Match and in another order groups are read one by one; a list that
// is sorted has at most the first 100,000 groups of the kind. Errors: field.value
// on limit and kind; list.too_large; cursor.invalid, cursor.expired.
func (s *Service) SearchGroups(ctx context.Context, call *Call, q GroupSearch) (DetailedGroups, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return DetailedGroups{}, err
	}
	if err := q.check(); err != nil {
		return DetailedGroups{}, err
	}
	search := &groupSearch{s: s, call: call, q: &q, parents: map[int64]string{}}
	if q.Cursor != "" {
		at, err := s.openCursor(call, groupList, q.key(), q.Cursor)
		if err != nil {
			return DetailedGroups{}, err
		}
		search.from, q.Skip = at, 0
	}
	found, err := search.run(ctx)
	if err != nil {
		return DetailedGroups{}, err
	}
	return search.page(ctx, found)
}

// check refuses what no search can be.
func (q *GroupSearch) check() error {
	if !q.Kind.known() {
		return errGroupKind()
	}
	if q.Limit < 0 || q.Limit > MaxLimit || q.Skip < 0 {
		return Invalid("limit", ReasonFieldValue, "limit must be from 0 to %d and skip not negative.", MaxLimit)
	}
	return nil
}

// key is the part of a search that stays the same from page to page.
func (q *GroupSearch) key() string {
	return fmt.Sprintf("%q|%t|%q|%q|%t|%#v|%q|%t|%t|%t", q.Kind, q.Name.Set, NameKey(q.Name.Value), q.ID, q.Member.Set, q.Member.Value, q.MatchKey, q.ByName, q.ByID, q.Descending)
}

// groupSearch is one search under way.
type groupSearch struct {
	s       *Service
	call    *Call
	q       *GroupSearch
	from    place            // where the page before ended
	sel     GroupSelection   // what the store is asked for
	parents map[int64]string // ids of groups that others stand below, by number
}

// foundGroups is what a search found of its page: the groups, one more than fit
// if there are more, and the number of all matches.
type foundGroups struct {
	list  []GroupDetail
	total int64
}

// run finds the groups of the page.
func (g *groupSearch) run(ctx context.Context) (foundGroups, error) {
	g.sel = GroupSelection{Kind: g.q.Kind}
	if g.q.Member.Set {
		member, err := g.member(ctx)
		if member == 0 {
			return foundGroups{}, err
		}
		g.sel.Member = member
	}
	switch {
	case g.q.ID != "" || g.q.Name.Set && g.q.Kind != GroupServiceTeam:
		return g.one(ctx)
	case g.q.Name.Set: // the key of a service team is not its name
		g.sel.NameKey = NameKey(g.q.Name.Value)
		if g.sel.NameKey == "" || CleanText("name", g.q.Name.Value, maxTextRunes) != nil {
			return foundGroups{}, nil
		}
	}
	if g.q.ByName || g.q.ByID || g.q.Descending {
		return g.bounded(ctx, g.sorted)
	}
	if g.q.Match == nil && !g.q.Name.Set {
		return g.selected(ctx)
	}
	return g.bounded(ctx, g.matching)
}

// bounded runs a search that reads groups one by one.
func (g *groupSearch) bounded(ctx context.Context, search func(context.Context) (foundGroups, error)) (found foundGroups, err error) {
	err = g.s.within(ctx, func(ctx context.Context) (err error) {
		found, err = search(ctx)
		return err
	})
	return found, err
}

// member is the number of the user whose groups are asked for; 0 when there is
// nobody, whom no group has.
func (g *groupSearch) member(ctx context.Context) (int64, error) {
	var u User
	err := g.s.look(ctx, g.call, func(r Reader) (err error) {
		u, err = g.s.find(ctx, r, g.call, g.q.Member.Value)
		return err
	})
	if CodeOf(err) == CodeNotFound {
		return 0, nil
	}
	return u.Number, err
}

// one finds the group of an id or a name.
func (g *groupSearch) one(ctx context.Context) (foundGroups, error) {
	var list []GroupDetail
	err := g.s.store.View(ctx, func(r Reader) error {
		list = nil
		ref := GroupRef{ID: g.q.ID, Kind: g.q.Kind, Name: g.q.Name.Value}
		held, err := groupOf(ctx, r, g.call.Actor.Tenant, ref)
		if IsReason(err, ReasonGroupNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if g.sel.Member != 0 {
			if in, err := inGroup(ctx, r, &held, g.sel.Member); err != nil || !in {
				return err
			}
		}
		detail, err := detailOf(ctx, r, g.call, held)
		if err == nil && g.matches(&detail) {
			list = []GroupDetail{detail}
		}
		return err
	})
	total := int64(len(list))
	if g.q.Skip > 0 || g.q.Cursor != "" || g.q.Limit == 0 {
		list = nil
	}
	return foundGroups{list: list, total: total}, err
}

// matches decides about a group what the store was not asked for.
func (g *groupSearch) matches(d *GroupDetail) bool {
	if g.q.Name.Set && NameKey(d.Group.Name) != NameKey(g.q.Name.Value) {
		return false
	}
	return g.q.Match == nil || g.q.Match(d)
}

// selected lets the store do all.
func (g *groupSearch) selected(ctx context.Context) (foundGroups, error) {
	var found foundGroups
	err := g.s.search(ctx, func(ctx context.Context, r Reader) (err error) {
		if found.total, err = r.CountGroups(ctx, g.call.Actor.Tenant, g.sel); err != nil || g.q.Limit == 0 {
			return err
		}
		sel := g.sel
		sel.After, sel.Skip, sel.Limit = g.from.Number, g.q.Skip, g.q.Limit+1
		groups, err := r.Groups(ctx, g.call.Actor.Tenant, sel)
		if err != nil {
			return err
		}
		found.list, err = g.details(ctx, r, groups)
		return err
	})
	return found, err
}

// details are groups as the caller sees them.
func (g *groupSearch) details(ctx context.Context, r Reader, groups []Group) ([]GroupDetail, error) {
	list := make([]GroupDetail, len(groups))
	for i, group := range groups {
		list[i] = GroupDetail{Group: group, ExternalID: group.ExternalIDs[g.call.Actor.Credential], Size: SizeUnknown}
		if group.Parent == 0 {
			continue
		}
		id, known := g.parents[group.Parent]
		if !known {
			parent, err := r.Group(ctx, group.Tenant, group.Parent)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			id = parent.ID
			g.parents[group.Parent] = id
		}
		list[i].ParentID = id
	}
	return list, nil
}

// scan reads groups by number until each says that it is enough; d is nil for one
// that does not match, and read is how many there were. Every page of them is a
// snapshot of its own: none lasts long.
func (g *groupSearch) scan(ctx context.Context, each func(d *GroupDetail, read int) (enough bool)) error {
	sel := g.sel
	sel.Limit = MaxLimit
	for read := 0; ; {
		var list []GroupDetail
		err := g.s.store.View(ctx, func(r Reader) error {
			groups, err := r.Groups(ctx, g.call.Actor.Tenant, sel)
			if err != nil {
				return err
			}
			list, err = g.details(ctx, r, groups)
			return err
		})
		if err != nil {
			return err
		}
		for i := range list {
			read++
			d := &list[i]
			if !g.matches(d) {
				d = nil
			}
			if each(d, read) {
				return nil
			}
		}
		if len(list) < MaxLimit {
			return nil
		}
		sel.After = list[len(list)-1].Group.Number
	}
}

// matching finds the page among the groups that match, and counts these.
func (g *groupSearch) matching(ctx context.Context) (foundGroups, error) {
	var found foundGroups
	err := g.scan(ctx, func(d *GroupDetail, read int) bool {
		full := g.q.Limit == 0 || len(found.list) > g.q.Limit
		if d == nil {
			return full && read >= maxGroupsRead
		}
		if read <= maxGroupsRead || !full {
			found.total++
		}
		if !full && d.Group.Number > g.from.Number && (g.q.Cursor != "" || found.total > int64(g.q.Skip)) {
			found.list = append(found.list, *d)
		}
		return full && read >= maxGroupsRead
	})
	return found, err
}

// sorted finds the page among the groups that match, in another order.
func (g *groupSearch) sorted(ctx context.Context) (foundGroups, error) {
	type item struct {
		key    string
		detail GroupDetail
	}
	var items []item
	err := g.scan(ctx, func(d *GroupDetail, read int) bool {
		if d != nil {
			items = append(items, item{key: g.sortKey(d), detail: *d})
		}
		return read >= maxGroupsRead
	})
	if err != nil {
		return foundGroups{}, err
	}
	order := func(a, b item) int {
		by := cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.detail.Group.Number, b.detail.Group.Number))
		if g.q.Descending {
			return -by
		}
		return by
	}
	slices.SortFunc(items, order)
	first := g.q.Skip
	if g.q.Cursor != "" {
		last := item{key: g.from.Value, detail: GroupDetail{Group: Group{Number: g.from.Number}}}
		if at := slices.IndexFunc(items, func(i item) bool { return i.detail.Group.Number == g.from.Number }); at >= 0 && strings.HasPrefix(items[at].key, g.from.Value) {
			last = items[at]
		}
		first, _ = slices.BinarySearchFunc(items, last, order)
		if first < len(items) && items[first].detail.Group.Number == g.from.Number {
			first++
		}
	}
	found := foundGroups{total: int64(len(items))}
	if g.q.Limit > 0 && first < len(items) {
		for _, i := range items[first:min(first+g.q.Limit+1, len(items))] {
			found.list = append(found.list, i.detail)
		}
	}
	return found, nil
}

// sortKey is by what groups are sorted before their numbers.
func (g *groupSearch) sortKey(d *GroupDetail) string {
	switch {
	case g.q.ByName:
		return NameKey(d.Group.Name)
	case g.q.ByID:
		return d.Group.ID
	}
	return ""
}

// page completes what was found: sizes, members and the cursor of what follows.
func (g *groupSearch) page(ctx context.Context, found foundGroups) (DetailedGroups, error) {
	out := DetailedGroups{Groups: found.list, Total: found.total}
	if more := len(out.Groups) > g.q.Limit; more {
		out.Groups = out.Groups[:g.q.Limit]
		if g.q.WantCursor {
			var err error
			last := &out.Groups[g.q.Limit-1]
			key := g.sortKey(last)
			at := place{Number: last.Group.Number, Value: strings.ToValidUTF8(key[:min(len(key), maxPlaceBytes)], "")}
			if out.Next, err = g.s.sealCursor(g.call, groupList, g.q.key(), at); err != nil {
				return DetailedGroups{}, err
			}
		}
	}
	if !g.q.WithMembers {
		return out, g.sizes(ctx, out.Groups)
	}
	most := MaxMembersListed
	if len(out.Groups) == 1 {
		most = Unbounded
	}
	for i := range out.Groups {
		if err := g.s.fillMembers(ctx, g.call, &out.Groups[i], most); err != nil {
			return DetailedGroups{}, err
		}
		most -= len(out.Groups[i].Members)
	}
	return out, nil
}

// sizes counts the members of the groups of a page.
func (g *groupSearch) sizes(ctx context.Context, list []GroupDetail) error {
	if g.q.WithoutSizes {
		return nil
	}
	for i := range list {
		err := g.s.store.Read(ctx, func(r Reader) (err error) {
			list[i].Size, err = groupSize(ctx, r, g.call.Actor, list[i].Group.Number)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

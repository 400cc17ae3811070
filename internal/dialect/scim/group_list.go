package scim

import (
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

// listGroups lists groups (RFC 7644 section 3.4.2).
func listGroups(_ *door, x *exchange) (web.Response, error) {
	l, err := x.queryList()
	if err != nil {
		return x.refusedGroup(err)
	}
	return x.groups(l)
}

// searchGroups is listGroups with the parameters in a body (RFC 7644 section
// 3.4.3).
func searchGroups(_ *door, x *exchange) (web.Response, error) {
	l, err := x.searchList()
	if err != nil {
		return x.refusedGroup(err)
	}
	return x.groups(l)
}

// groups answers a list of groups.
func (x *exchange) groups(l listRequest) (web.Response, error) {
	show, err := groupResource.projected(l.attributes, l.excluded)
	if err != nil {
		return x.refusedGroup(err)
	}
	v := groupView{base: x.base(), show: show}
	search, err := groupSearch(&l)
	if err != nil {
		return x.refusedGroup(err)
	}
	search.WithMembers, search.WithoutSizes = v.members(), true
	page, err := x.d.svc.SearchGroups(x.req.Context(), &x.call, search)
	if err != nil {
		return web.Response{}, err
	}
	p := listPage{total: page.Total, shown: len(page.Groups), next: page.Next, request: &l}
	b := p.appendListHead(make([]byte, 0, 256+512*len(page.Groups)))
	for i := range page.Groups {
		b = append(v.appendGroup(b, &page.Groups[i]), ',')
	}
	return listResponseOf(appendListTail(b)), nil
}

// groupSearch makes a search of the core.
func groupSearch(l *listRequest) (directory.GroupSearch, error) {
	s := directory.GroupSearch{Kind: directory.GroupPlain, Limit: l.count, Cursor: l.cursor, WantCursor: l.byCursor, Descending: l.descending}
	if !l.byCursor {
		s.Skip = l.start - 1
	}
	if l.sortBy != "" {
		t, _ := groupResource.resolveName(l.sortBy)
		switch leaf := t.leaf(); {
		case leaf == nil:
			return s, unsortable(l.sortBy)
		case leaf.id == atGroupDisplayName:
			s.ByName = true
		case leaf.id == atID:
			s.ByID = true
		case leaf.id != atMetaCreated: // the order of numbers
			return s, unsortable(l.sortBy)
		}
	}
	if l.filter == nil {
		return s, nil
	}
	return s, filterGroups(&s, l.filter)
}

// filterGroups puts a filter into a search: conditions that an index answers as
// such, and the rest as a predicate.
func filterGroups(s *directory.GroupSearch, e filter.Expr) error {
	all := filter.And{e}
	if and, ok := e.(filter.And); ok {
		all = and
	}
	var rest filter.And
	for _, condition := range all {
		if indexed(s, condition) {
			continue
		}
		if err := checkGroupFilter(condition); err != nil {
			return err
		}
		rest = append(rest, condition)
	}
	if len(rest) > 0 {
		s.Match = func(d *directory.GroupDetail) bool { return filter.Match(rest, groupObject(d), exactInGroups) }
		s.MatchKey = rest.String()
	}
	return nil
}

// indexed puts a condition into a search if it is one that an index answers, the
// first of its kind: id, displayName and members.value eq a text.
func indexed(s *directory.GroupSearch, e filter.Expr) bool {
	if path, ok := e.(filter.ValuePath); ok {
		inner, isCompare := path.Expr.(filter.Compare)
		if !isCompare || inner.Path.Sub != "" || inner.Path.Schema != "" {
			return false
		}
		path.Path.Sub = inner.Path.Attribute // members[value eq "x"] is members.value eq "x"
		inner.Path = path.Path
		e = inner
	}
	c, ok := e.(filter.Compare)
	if !ok || c.Op != filter.OpEqual || c.Value.Kind != filter.String || c.Value.Text == "" {
		return false
	}
	t, ok := groupResource.resolve(c.Path)
	if !ok || t.leaf() == nil {
		return false
	}
	switch id := t.leaf().id; {
	case id == atID && s.ID == "" && !s.Name.Set:
		s.ID = c.Value.Text
	case id == atGroupDisplayName && s.ID == "" && !s.Name.Set:
		s.Name = directory.Some(c.Value.Text)
	case (id == atMembersValue || id == atMembers) && !s.Member.Set:
		s.Member = directory.Some(memberRef(c.Value.Text))
	default:
		return false
	}
	return true
}

// memberRef is the user of an id; of a text that cannot be one, nobody.
func memberRef(id string) directory.UserRef {
	return directory.ByID(strings.TrimSpace(id))
}

// checkGroupFilter refuses what groups cannot be filtered by. Members beside
// others with `and` are indexed before; inside of `or` and `not` nobody can
// answer them without reading every group's members.
func checkGroupFilter(e filter.Expr) error {
	switch e := e.(type) {
	case filter.And:
		return checkAll(e)
	case filter.Or:
		return checkAll(e)
	case filter.Not:
		return checkGroupFilter(e.Expr)
	case filter.Compare:
		return checkGroupPath(e.Path)
	case filter.Present:
		return checkGroupPath(e.Path)
	case filter.ValuePath:
		return checkGroupPath(e.Path)
	}
	return nil
}

func checkAll(list []filter.Expr) error {
	for _, e := range list {
		if err := checkGroupFilter(e); err != nil {
			return err
		}
	}
	return nil
}

func checkGroupPath(path filter.Path) error {
	t, ok := groupResource.resolve(path)
	switch {
	case !ok || t.attr == nil:
		return refuse(invalidFilter, "A group has no attribute %q.", cut(path.String()))
	case t.attr.id == atMembers:
		return refuse(invalidFilter, "Groups are filtered by members.value eq \"...\" once, alone or beside others with and.")
	case t.attr.id == atMeta && t.sub == nil:
		return refuse(invalidFilter, "meta has several parts; name one of them.")
	}
	return nil
}

// groupObject is a group as filters see it, without members.
func groupObject(d *directory.GroupDetail) map[string]any {
	g := &d.Group
	return map[string]any{"schemas": []any{urnGroup}, "id": g.ID, "externalId": d.ExternalID, "displayName": g.Name,
		"meta": map[string]any{"resourceType": groupResource.name, "created": g.CreatedAt.Format(time.RFC3339Nano),
			"lastModified": g.UpdatedAt.Format(time.RFC3339Nano), "version": `"` + strconv.FormatInt(g.Version, 10) + `"`}}
}

// exactInGroups reports whether the letter case of an attribute counts.
func exactInGroups(path string) bool {
	t, ok := groupResource.resolveName(path)
	return ok && t.leaf() != nil && t.leaf().caseExact
}

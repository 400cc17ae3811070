package scim

import (
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

// rootRoutes are the lists of resources of every type.
var rootRoutes = []route{
	{"POST", "/.search", "RFC 7644 section 3.4.3", searchAll},
	{"GET", "/", "RFC 7644 section 3.4.2.1", listAll},
}

// listAll lists users and groups by the parameters of a query.
func listAll(_ *door, x *exchange) (web.Response, error) {
	l, err := x.queryList()
	if err != nil {
		return x.refused(err)
	}
	return x.allList(&l)
}

// searchAll is listAll with the parameters in a body.
func searchAll(_ *door, x *exchange) (web.Response, error) {
	l, err := x.searchList()
	if err != nil {
		return x.refused(err)
	}
	return x.allList(&l)
}

// rootList is a list of users, and behind them groups.
type rootList struct {
	x      *exchange
	l      *listRequest
	users  directory.UserQuery
	groups directory.GroupSearch
	uv     userView
	gv     groupView

	body  []byte
	page  listPage
	shown int
}

// allList answers with one page of users and groups. A list of each is a use
// case of its own, so that there are two calls of the core.
func (x *exchange) allList(l *listRequest) (web.Response, error) {
	r, err := x.rootList(l)
	if err != nil {
		return x.refused(err)
	}
	inGroups := l.byCursor && strings.HasPrefix(l.cursor, groupsCursor)
	if l.byCursor && l.cursor != "" && !inGroups && !strings.HasPrefix(l.cursor, usersCursor) {
		return x.refused(refuse(invalidCursor, "The cursor is not one that was given for this list and caller."))
	}
	if err := r.listUsers(inGroups); err != nil {
		return web.Response{}, err
	}
	if err := r.listGroups(inGroups); err != nil {
		return web.Response{}, err
	}
	r.page.shown, r.page.request = r.shown, l
	b := append(r.page.appendListHead(make([]byte, 0, 256+len(r.body))), r.body...)
	return listResponseOf(appendListTail(b)), nil
}

// The beginnings of cursors tell in which part of the list a page begins. What
// follows is the core's own cursor, or nothing at the beginning of the part.
const (
	usersCursor  = "u."
	groupsCursor = "g."
)

// rootList makes the queries of both types.
func (x *exchange) rootList(l *listRequest) (*rootList, error) {
	r := &rootList{x: x, l: l}
	if l.sortBy != "" {
		return r, refuse(invalidValue, "sortBy: a list of several types of resources cannot be sorted.")
	}
	var err error
	if r.uv.show, err = userResource.projected(l.attributes, l.excluded); err != nil {
		return r, err
	}
	if r.gv.show, err = groupResource.projected(l.attributes, l.excluded); err != nil {
		return r, err
	}
	r.users = directory.UserQuery{WantTotal: true, WantCursor: l.byCursor}
	r.groups = directory.GroupSearch{Kind: directory.GroupPlain, WantCursor: l.byCursor, WithMembers: r.gv.members(), WithoutSizes: true}
	if l.filter == nil {
		return r, nil
	}
	if r.users.Filter, r.users.Groups, err = compileUsers(l.filter, rootFilters); err != nil {
		return r, err
	}
	return r, r.filterGroups()
}

// rootFilters are userFilters with the attributes that only groups have: a user
// has no value of them (RFC 7644 section 3.4.2.1).
var rootFilters = func() filter.Table {
	absent := map[string]filter.Attribute{}
	nothing := func(filter.Op, filter.Value) (directory.Filter, error) { return directory.Or{}, nil }
	for name := range groupSchema.byName {
		absent[strings.ToLower(urnGroup)+":"+name] = nothing
		if userSchema.byName[name] == nil {
			absent[name] = nothing
		}
	}
	table := filter.Table{Schema: urnUser, Attributes: merged(userFilters.Attributes, absent), Elements: map[string]filter.Elements{}}
	for name, elements := range userFilters.Elements {
		table.Elements[name] = elements
	}
	for _, name := range []string{"members", strings.ToLower(urnGroup) + ":members"} {
		table.Elements[name] = func(filter.Expr) (directory.Filter, error) { return directory.Or{}, nil }
	}
	return table
}()

// filterGroups puts the filter into the search for groups, which have no value of
// what only users have.
func (r *rootList) filterGroups() error {
	conditions, ok := r.l.filter.(filter.And)
	if !ok {
		conditions = filter.And{r.l.filter}
	}
	var rest filter.And
	for _, c := range conditions {
		if indexed(&r.groups, c) {
			continue
		}
		if err := checkGroupFilter(c); err != nil && !ofUsers(c) {
			return err
		}
		rest = append(rest, c)
	}
	if len(rest) > 0 {
		r.groups.MatchKey = rest.String()
		r.groups.Match = func(d *directory.GroupDetail) bool { return filter.Match(rest, groupObject(d), exactInGroups) }
	}
	return nil
}

// ofUsers reports whether an expression has an attribute that only users have:
// groupSearch refuses it where there are groups alone.
func ofUsers(e filter.Expr) bool {
	some := func(list []filter.Expr) bool {
		for _, m := range list {
			if ofUsers(m) {
				return true
			}
		}
		return false
	}
	var path filter.Path
	switch e := e.(type) {
	case filter.And:
		return some(e)
	case filter.Or:
		return some(e)
	case filter.Not:
		return ofUsers(e.Expr)
	case filter.Compare:
		path = e.Path
	case filter.Present:
		path = e.Path
	case filter.ValuePath:
		path = e.Path
	}
	_, inGroups := groupResource.resolve(path)
	_, inUsers := userResource.resolve(path)
	return inUsers && !inGroups
}

// listUsers writes the users of the page; past is whether the page begins behind
// all of them.
func (r *rootList) listUsers(past bool) error {
	show := r.l.count > 0 && !past
	r.users.Limit, r.users.Skip = max(r.l.count, 1), r.l.start-1
	if show {
		r.users.Cursor = strings.TrimPrefix(r.l.cursor, usersCursor)
	}
	if past {
		r.users.Limit, r.users.WantCursor = 1, false
	}
	with := r.uv.include()
	if !show {
		with = 0
	}
	page, err := r.x.d.svc.UserDetails(r.x.req.Context(), &r.x.call, r.users, with)
	if err != nil {
		return err
	}
	r.page.total = page.Total
	if !show {
		return nil
	}
	r.uv.base, r.uv.credential = r.x.base(), r.x.call.Actor.Credential
	for i := range page.Users {
		r.body = append(r.uv.appendUser(r.body, &page.Users[i]), ',')
	}
	if r.shown = len(page.Users); page.Next != "" {
		r.page.next = usersCursor + page.Next
	}
	return nil
}

// listGroups writes the groups of the page: what is left of it behind the last
// user, and by cursor a page of its own.
func (r *rootList) listGroups(inside bool) error {
	users := int(r.page.total)
	switch {
	case inside:
		r.groups.Limit, r.groups.Cursor = r.l.count, strings.TrimPrefix(r.l.cursor, groupsCursor)
	case !r.l.byCursor && r.l.start-1+r.l.count > users:
		r.groups.Skip, r.groups.Limit = max(0, r.l.start-1-users), r.l.count-r.shown
	default:
		r.groups.WantCursor = false
	}
	call := r.x.d.exchange(r.x.req).call
	page, err := r.x.d.svc.SearchGroups(r.x.req.Context(), &call, r.groups)
	if err != nil {
		return err
	}
	r.gv.base = r.x.base()
	if r.groups.Limit > 0 {
		for i := range page.Groups {
			r.body = append(r.gv.appendGroup(r.body, &page.Groups[i]), ',')
		}
		r.shown += len(page.Groups)
	}
	r.page.total += page.Total
	switch {
	case inside && page.Next != "":
		r.page.next = groupsCursor + page.Next
	case r.l.byCursor && !inside && r.page.next == "" && page.Total > 0 && r.l.count > 0:
		r.page.next = groupsCursor
	}
	return nil
}

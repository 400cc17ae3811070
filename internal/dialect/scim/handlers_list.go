package scim

import (
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

// listUsers lists users by the parameters of a query (RFC 7644 section 3.4.2).
func listUsers(d *door, x *exchange) (web.Response, error) {
	l, err := x.queryList()
	if err != nil {
		return x.refused(err)
	}
	return x.userList(&l)
}

// searchUsers lists users by a search message (RFC 7644 section 3.4.3).
func searchUsers(d *door, x *exchange) (web.Response, error) {
	l, err := x.searchList()
	if err != nil {
		return x.refused(err)
	}
	return x.userList(&l)
}

// userList answers with one page of users.
func (x *exchange) userList(l *listRequest) (web.Response, error) {
	show, err := userResource.projected(l.attributes, l.excluded)
	if err != nil {
		return x.refused(err)
	}
	q, err := userQuery(l)
	if err != nil {
		return x.refused(err)
	}
	v := userView{show: show}
	with := v.include()
	if l.count == 0 {
		with = 0
	}
	page, err := x.d.svc.UserDetails(x.req.Context(), &x.call, q, with)
	if err != nil {
		return web.Response{}, err
	}
	if l.count == 0 {
		page.Users, page.Next = nil, ""
	}
	v.base, v.credential = x.base(), x.call.Actor.Credential
	list := listPage{total: page.Total, shown: len(page.Users), next: page.Next, request: l}
	b := list.appendListHead(make([]byte, 0, 256+1024*len(page.Users)))
	for i := range page.Users {
		b = append(v.appendUser(b, &page.Users[i]), ',')
	}
	return listResponseOf(appendListTail(b)), nil
}

// userQuery makes the query of the core for a list.
func userQuery(l *listRequest) (directory.UserQuery, error) {
	q := directory.UserQuery{Limit: max(l.count, 1), Skip: l.start - 1, WantTotal: true, Descending: l.descending, Cursor: l.cursor, WantCursor: l.byCursor}
	var err error
	if l.filter != nil {
		if q.Filter, q.Groups, err = compileUsers(l.filter, userFilters); err != nil {
			return q, err
		}
	}
	if l.sortBy != "" {
		q.Sort, err = userSort(l.sortBy)
	}
	return q, err
}

// userSorts are the attributes that users can be sorted by.
var userSorts = map[attributeID]directory.Field{atUserName: directory.FieldUserName, atEmails: directory.FieldEmail,
	atEmailsValue: directory.FieldEmail, atNameGivenName: directory.FieldGivenName, atNameFamilyName: directory.FieldFamilyName,
	atDisplayName: directory.FieldDisplayName, atMetaCreated: directory.FieldCreatedAt, atMetaLastModified: directory.FieldUpdatedAt,
	atNumber: directory.FieldNumber}

// userSort is the field that an attribute is sorted by.
func userSort(name string) (directory.Field, error) {
	path, err := filter.ParsePath(name, filter.Limits{})
	if err != nil || path.Filter != nil {
		return 0, unsortable(name)
	}
	t, ok := userResource.resolve(path)
	if !ok || t.attr == nil {
		return 0, unsortable(name)
	}
	field, ok := userSorts[t.leaf().id]
	if !ok {
		return 0, unsortable(name)
	}
	return field, nil
}

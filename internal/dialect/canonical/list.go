package canonical

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// PageQuery are the parameters of every list.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
	Cursor string `query:"cursor" doc:"next_cursor of the page before, with the rest of the query unchanged."`
}

// page is the answer of a list.
type page[T any] struct {
	Items      []T              `json:"items"`
	NextCursor nullable[string] `json:"next_cursor" doc:"Continues the list; null at its end."`
	Total      *int64           `json:"total,omitempty" doc:"How many there are in all, with ?total=true."`
}

// pageOf makes the answer of a list; total is nil where it was not asked for.
func pageOf[T any](items []T, next string, total *int64) page[T] {
	p := page[T]{Items: items, Total: total}
	if items == nil {
		p.Items = []T{}
	}
	if next != "" {
		p.NextCursor = some(next)
	}
	return p
}

// UserQuery are the parameters of the list of users.
type UserQuery struct {
	PageQuery
	ViewQuery
	Total   bool     `query:"total" doc:"Adds total."`
	Filter  string   `query:"filter" maxLength:"8192" doc:"A filter in the grammar of SCIM (RFC 7644 section 3.4.2.2) over the members of a user." example:"family_name sw \"Sm\" and status eq \"active\""`
	Search  string   `query:"q" doc:"Words that must all occur in given name, family name, user name or address." example:"sam smith"`
	Sort    string   `query:"sort" enum:"number,-number,user_name,-user_name,email,-email,given_name,-given_name,family_name,-family_name,display_name,-display_name,created_at,-created_at,updated_at,-updated_at" default:"number" doc:"The order; - turns it."`
	Company int64    `query:"company" minimum:"1" maximum:"2147483647" doc:"Number of a company: its users and those of all companies below it."`
	Group   []string `query:"group,explode" doc:"Id of a group: its members. Given more than once: the members of any of them."`
	Status  string   `query:"status" doc:"Any of staged, active, inactive and deleted, separated by commas. All but deleted if left out." example:"active,inactive"`
}

// registerUserList adds the list of users.
func registerUserList(d *door) {
	plain[UserQuery, struct{ Body page[User] }](d, operation{id: "list_users", method: http.MethodGet, path: "/users", tag: "users", summary: "List users",
		description: "Users that the credential can see, by `number` unless `sort` says otherwise. Users in the recycle bin are listed with `status=deleted`.",
		examples: []example{{name: "active users of a company", path: "/users?company=14146&status=active&total=true"},
			{name: "a filter", path: "/users?filter=family_name%20sw%20%22sm%22%20and%20locked%20eq%20false&sort=-user_name&fields=user_name,status"},
			{name: "a search", path: "/users?q=sam%20smith&limit=1"}}}, listUsers)
}

// listUsers is a plain handler: it writes many users.
func listUsers(x *exchange) (web.Response, error) {
	q, err := x.userQuery()
	var only memberSet
	var with directory.Include
	if err == nil {
		only, with, err = x.view()
	}
	if err != nil {
		return web.Response{}, x.refuse(err)
	}
	list, users, err := x.listed(q, with)
	if err != nil {
		return web.Response{}, err
	}
	b := append(make([]byte, 0, 64+640*len(users)), `{"items":[`...)
	one := shown{expand: with, caller: x.call.Actor.Credential}
	for i := range users {
		if i > 0 {
			b = append(b, ',')
		}
		if one.u = users[i]; with != 0 {
			one.detail = &list.Users[i]
		}
		b = appendUser(b, &one, only)
	}
	b = append(b, `],"next_cursor":`...)
	if list.Next == "" {
		b = append(b, "null"...)
	} else {
		b = web.AppendString(b, list.Next)
	}
	if q.WantTotal {
		b = append(b, `,"total":`...)
		b = strconv.AppendInt(b, list.Total, 10)
	}
	return web.Response{Status: http.StatusOK, ContentType: contentJSON, Body: append(b, '}')}, nil
}

// listed reads a page, and what belongs to its users if it is wanted.
func (x *exchange) listed(q directory.UserQuery, with directory.Include) (list directory.DetailPage, users []*directory.User, err error) {
	if with != 0 {
		list, err = x.door.svc.UserDetails(x.req.Context(), &x.call, q, with)
		for i := range list.Users {
			users = append(users, &list.Users[i].User)
		}
		return list, users, err
	}
	page, err := x.door.svc.Users(x.req.Context(), &x.call, q)
	users = make([]*directory.User, len(page.Users))
	for i := range page.Users {
		users[i] = &page.Users[i]
	}
	return directory.DetailPage{Total: page.Total, Next: page.Next}, users, err
}

// userQuery reads the parameters of the list of users.
func (x *exchange) userQuery() (q directory.UserQuery, err error) {
	q = directory.UserQuery{Limit: defaultLimit, WantCursor: true}
	if x.query == nil {
		return q, nil
	}
	get := x.query.Get
	q.Cursor, q.Groups = get("cursor"), groupsNamed(x.query["group"])
	if text := get("q"); text != "" {
		q.Terms = []string{text}
	}
	if text := get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > maxLimit {
			return q, badQuery("limit", "limit must be from 1 to "+strconv.Itoa(maxLimit)+".")
		}
	}
	if q.WantTotal, err = parseFlag("total", get("total")); err != nil {
		return q, err
	}
	if text := get("company"); text != "" {
		if q.Company = parseNumber(text); q.Company == noNumber {
			return q, badQuery("company", "company must be the number of a company.")
		}
	}
	if q.States, err = parseStates(get("status")); err != nil {
		return q, err
	}
	if q.Sort, q.Descending, err = parseSort(get("sort")); err != nil {
		return q, err
	}
	q.Filter, err = parseFilter(get("filter"))
	return q, err
}

func groupsNamed(ids []string) []directory.GroupRef {
	var refs []directory.GroupRef
	for _, id := range ids {
		if id == "" {
			id = "none" // the id of no group: an empty reference would be one by name
		}
		refs = append(refs, directory.GroupRef{ID: id})
	}
	return refs
}

// parseFlag reads true or false; "" is false.
func parseFlag(name, text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	}
	return false, badQuery(name, name+" must be true or false.")
}

// parseStates reads words separated by commas; "" is the core's default.
func parseStates(text string) (set directory.StateSet, err error) {
	if text == "" {
		return 0, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		state := directory.State(word)
		if state.Index() >= len(directory.States) {
			return 0, badQuery("status", "status takes staged, active, inactive and deleted, separated by commas.")
		}
		set |= directory.StatesOf(state)
	}
	return set, nil
}

// sortFields are the fields of ?sort= by name.
var sortFields = func() map[string]directory.Field {
	fields := map[string]directory.Field{}
	for f := directory.FieldID; f.String() != ""; f++ {
		if directory.SortFields.Has(f) {
			fields[f.String()] = f
		}
	}
	return fields
}()

// parseSort reads the name of a field, with - before it for falling order.
func parseSort(text string) (directory.Field, bool, error) {
	if text == "" {
		return directory.FieldNone, false, nil
	}
	name, falling := strings.CutPrefix(text, "-")
	field, ok := sortFields[name]
	if !ok {
		return 0, false, badQuery("sort", "sort takes number, user_name, email, given_name, family_name, display_name, created_at or updated_at, with - before it for falling order.")
	}
	return field, falling, nil
}

// ParseFilter reads a filter of users in the grammar of SCIM, as ?filter= has it; "" is
// none. Errors: invalid with the reason filter.syntax.
func ParseFilter(text string) (directory.Filter, error) { return parseFilter(text) }

// parseFilter reads ?filter=.
func parseFilter(text string) (directory.Filter, error) {
	if text == "" {
		return nil, nil
	}
	expression, err := filter.Parse(text, filter.Limits{})
	if err != nil {
		return nil, err
	}
	return filter.Compile(expression, userFilter)
}

// userFilter says by which members users can be filtered.
var userFilter = func() filter.Table {
	table := filter.Table{Attributes: map[string]filter.Attribute{
		"status":        filter.States(stateWords()),
		"external_id":   externalID,
		"phones.number": phoneNumber,
		"phones":        phoneNumber,
		"rank":          rank,
	}}
	for make, fields := range map[*func(directory.Field) filter.Attribute][]directory.Field{
		ptr(filter.Text): {directory.FieldID, directory.FieldUserName, directory.FieldEmail, directory.FieldGivenName, directory.FieldFamilyName,
			directory.FieldDisplayName, directory.FieldTitle, directory.FieldEmployeeNumber, directory.FieldOpenID, directory.FieldWebMDN,
			directory.FieldClientUserID, directory.FieldLicenceType},
		ptr(filter.Integer): {directory.FieldNumber, directory.FieldCompany, directory.FieldLockReason, directory.FieldVersion},
		ptr(filter.Time):    {directory.FieldValidFrom, directory.FieldExpiresAt, directory.FieldCreatedAt, directory.FieldUpdatedAt},
		ptr(filter.Flag):    {directory.FieldLocked, directory.FieldMustChangePassword},
	} {
		for _, field := range fields {
			table.Attributes[field.String()] = (*make)(field)
		}
	}
	return table
}()

// stateWords are the states by their names.
func stateWords() map[string]directory.StateSet {
	words := map[string]directory.StateSet{}
	for _, state := range directory.States {
		words[string(state)] = directory.StatesOf(state)
	}
	return words
}

// textOperators are the comparisons of texts that are compared exactly.
var textOperators = map[filter.Op]directory.Operator{filter.OpEqual: directory.OpEqual, filter.OpContains: directory.OpContains,
	filter.OpStartsWith: directory.OpPrefix, filter.OpEndsWith: directory.OpSuffix}

// exactly makes an attribute of a comparison of texts; "contains nothing" is
// whether there is one.
func exactly(compare func(directory.Operator, string) directory.Filter) filter.Attribute {
	return func(op filter.Op, value filter.Value) (directory.Filter, error) {
		if op == filter.OpPresent {
			return compare(directory.OpContains, ""), nil
		}
		how, ok := textOperators[op]
		switch {
		case !ok:
			return nil, filter.BadOperator(op)
		case value.Kind != filter.String:
			return nil, filter.BadValue("must be compared with a text in double quotes.")
		}
		return compare(how, value.Text), nil
	}
}

var externalID = exactly(func(op directory.Operator, value string) directory.Filter {
	return directory.External{Op: op, Value: value}
})

var phoneNumber = exactly(func(op directory.Operator, value string) directory.Filter {
	return directory.AnyPhone{AnyType: true, Op: op, Value: value}
})

// rank compares by the order of the ranks, which are named.
func rank(op filter.Op, value filter.Value) (directory.Filter, error) {
	orders := map[filter.Op]directory.Order{filter.OpEqual: directory.Equal, filter.OpGreater: directory.Greater,
		filter.OpGreaterOrEqual: directory.GreaterOrEqual, filter.OpLess: directory.Less, filter.OpLessOrEqual: directory.LessOrEqual}
	order, ok := orders[op]
	switch {
	case op == filter.OpPresent:
		return directory.And{}, nil
	case !ok:
		return nil, filter.BadOperator(op)
	}
	r, err := directory.ParseRank(value.Text)
	if value.Kind != filter.String || err != nil {
		return nil, filter.BadValue("must be compared with \"self\", \"reader\", \"helpdesk\", \"administrator\" or \"owner\".")
	}
	return directory.Compare{Field: directory.FieldRank, Order: order, Value: int64(r)}, nil
}

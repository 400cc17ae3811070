package users

import (
	"context"
	"strings"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Lengths.
const (
	pageLength = 50
	// choicesShown is how many companies, groups and so on a form offers; others are
	// named by number.
	choicesShown = 100
)

// listView is what the list shows.
type listView struct {
	Query    *query
	Columns  []column // that are shown
	Heads    []head
	All      []choiceOfColumn
	Rows     []row
	Total    string
	Next     string
	First    string // address of the beginning, on later pages
	Looked   bool
	Unsorted bool
	Choices  *directory.Choices // nil where only the rows are asked for
	Verbs    []verb
	// The options of the filters.
	Statuses, Lockings, SignIns, Doors, Companies, Groups, Roles, Licences []choice
}

// head is the head of a column.
type head struct{ Title, Kind, Address, Direction string }

type choiceOfColumn struct {
	Key, Title string
	Shown      bool
}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	q, err := parse(r.URL.Query())
	if err != nil {
		return web.Response{}, err
	}
	core := q.core()
	core.Limit, core.WantTotal = pageLength, true
	found, err := r.Kit.Service.People(r.Context(), r.Call(), core)
	if err != nil {
		return web.Response{}, err
	}
	v := listView{Query: &q, Columns: chosen(r.Preference(columnsCookie)), Total: totalText(&found), Looked: found.Looked, Unsorted: found.Unsorted, Verbs: verbs}
	if found.Unsorted {
		v.Query.Sort, v.Query.Falling = "", false
	}
	for i := range found.Users {
		v.Rows = append(v.Rows, rowOf(&found.Users[i], v.Columns))
	}
	v.Heads = heads(*v.Query, v.Columns)
	if found.Next != "" {
		v.Next = v.Query.address("/users", "cursor", found.Next)
	}
	if q.Cursor != "" {
		v.First = v.Query.address("/users")
	}
	view := page.View{Title: "Users", Section: "users", Data: &v, Scripts: []string{"users.js"}}
	if r.Partial() {
		return r.Fragment(p.list, "people", view)
	}
	choices, err := r.Kit.Service.Choices(r.Context(), r.Call(), choicesShown)
	if err != nil {
		return web.Response{}, err
	}
	v.offer(&choices)
	for _, c := range columns {
		shown := false
		for i := range v.Columns {
			shown = shown || v.Columns[i].Key == c.Key
		}
		v.All = append(v.All, choiceOfColumn{c.Key, c.Title, shown})
	}
	return r.Page(p.list, view)
}

// offer fills in the options of the filters.
func (v *listView) offer(c *directory.Choices) {
	v.Choices, v.Statuses, v.Lockings, v.SignIns = c, statuses, lockings, signIns
	v.Companies, v.Groups, v.Roles = companies(c), groups(c), roles(c)
	v.Licences = types(c)
	v.Licences[0].Text = "Any"
	v.Doors = []choice{{"", "Any"}}
	for _, d := range doors {
		v.Doors = append(v.Doors, choice{d.String(), d.String()})
	}
	if l := v.Query.Licence; l != "" && !offered(v.Licences, l) {
		v.Licences = append(v.Licences, choice{l, l})
	}
	if s := v.Query.Status; !offered(v.Statuses, s) {
		v.Statuses = append(v.Statuses[:len(v.Statuses):len(v.Statuses)], choice{s, s})
	}
}

// heads are the heads of the name and of some columns.
func heads(q query, shown []column) []head {
	list := []head{{Title: "Name", Address: q.sortedBy("family_name"), Direction: direction(&q, "family_name")}}
	for _, c := range shown {
		h := head{Title: c.Title, Kind: c.Kind}
		if c.Sort != "" {
			h.Address, h.Direction = q.sortedBy(c.Sort), direction(&q, c.Sort)
		}
		list = append(list, h)
	}
	return list
}

// direction is in which a list is sorted by a field, as aria-sort says it; "" for not
// at all.
func direction(q *query, field string) string {
	switch {
	case q.Sort != field && (q.Sort != "" || field != "number"):
		return ""
	case q.Falling:
		return "descending"
	}
	return "ascending"
}

// totalText says how many users match.
func totalText(p *directory.PeoplePage) string {
	text := page.Number(p.Total)
	switch {
	case p.AtLeast:
		return text + "+ users"
	case p.Total == 1:
		return "1 user"
	}
	return text + " users"
}

// setColumns keeps which columns somebody wants to see; none are the usual ones.
func (p *pages) setColumns(r *page.Request) (web.Response, error) {
	form, err := r.Form()
	if err != nil {
		return web.Response{}, err
	}
	var keys []string
	for _, c := range columns {
		for _, key := range form["column"] {
			if key == c.Key {
				keys = append(keys, key)
			}
		}
	}
	next := strings.TrimPrefix(page.Next(form.Get("next")), page.Path)
	resp := r.Redirect(next)
	if form.Has("usual") {
		keys = nil
	}
	r.Prefer(&resp, columnsCookie, strings.Join(keys, "."))
	return resp, nil
}

// exported are the columns of a file of users: what people look for, and what an
// import finds them by.
var exported = []string{"number", "id", "user_name", "email", "given_name", "family_name", "display_name", "title", "status", "locked", "company", "company_name",
	"employee_number", "licence_type", "phones", "groups", "roles", "rank", "created_at", "updated_at"}

// export sends the selected users, or all that match, as a file, page by page.
func (p *pages) export(r *page.Request) (web.Response, error) {
	who, err := selected(r.URL.Query())
	if err != nil {
		return web.Response{}, err
	}
	core := who.query.core()
	core.Cursor, core.Sort, core.Descending = "", directory.FieldNone, false
	if core.Numbers = who.numbers; len(core.Numbers) > 0 {
		core = directory.UserQuery{Numbers: who.numbers, States: directory.StatesOf(directory.States[:]...)}
	}
	// What is wrong with the query is told before the file begins.
	probe := core
	probe.Limit = 1
	if _, err := r.Kit.Service.People(r.Context(), r.Call(), probe); err != nil {
		return web.Response{}, err
	}
	call := r.Call()
	resp := page.File("users.csv", "text/csv; charset=utf-8")
	resp.Stream = func(ctx context.Context, s *web.Stream) error {
		w, err := bulk.NewWriter(s, directory.BulkCSV, exported)
		if err != nil {
			return err
		}
		if err := r.Kit.Service.ExportUsers(ctx, call, core, bulk.Includes(exported), w.Write); err != nil {
			return err
		}
		return w.Close()
	}
	return resp, nil
}

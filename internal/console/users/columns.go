package users

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
)

// column is a column of the list beside the name, which is always there.
type column struct {
	Key, Title string
	Sort       string // name of the field by which it sorts; "" for none
	Kind       string // of its cells: "" text, "state", "mono", "number"
	text       func(*directory.Person) string
}

// columns are all columns, in the order of the list.
var columns = []column{
	{Key: "number", Title: "Number", Sort: "number", Kind: "number", text: func(p *directory.Person) string { return strconv.FormatInt(p.Number, 10) }},
	{Key: "user_name", Title: "User name", Sort: "user_name", text: func(p *directory.Person) string { return p.UserName }},
	{Key: "email", Title: "E-mail", Sort: "email", text: func(p *directory.Person) string { return p.Email }},
	{Key: "state", Title: "State", Kind: "state", text: func(p *directory.Person) string { return string(p.State) }},
	{Key: "company", Title: "Company", text: func(p *directory.Person) string { return p.CompanyName }},
	{Key: "title", Title: "Title", text: func(p *directory.Person) string { return p.Title }},
	{Key: "licence", Title: "Licence", text: func(p *directory.Person) string { return p.LicenceType }},
	{Key: "rank", Title: "Rank", text: func(p *directory.Person) string { return p.Rank.String() }},
	{Key: "phone", Title: "Phone", text: firstPhone},
	{Key: "employee", Title: "Employee number", text: func(p *directory.Person) string { return p.EmployeeNumber }},
	{Key: "signed_in", Title: "Last sign-in", text: func(p *directory.Person) string { return day(p.LastSignIn) }},
	{Key: "created", Title: "Made", Sort: "created_at", text: func(p *directory.Person) string { return day(p.CreatedAt) }},
	{Key: "updated", Title: "Changed", Sort: "updated_at", text: func(p *directory.Person) string { return day(p.UpdatedAt) }},
	{Key: "id", Title: "Id", Kind: "mono", text: func(p *directory.Person) string { return p.ID }},
}

// usual are the columns of who has not chosen.
var usual = []string{"user_name", "email", "state", "company", "licence", "signed_in"}

// columnsCookie is the name of the preference.
const columnsCookie = "columns"

// chosen are the columns that somebody chose, or the usual ones.
func chosen(preference string) []column {
	keys := strings.Split(preference, ".")
	list := slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return !slices.Contains(keys, c.Key) })
	if len(list) > 0 {
		return list
	}
	return chosen(strings.Join(usual, "."))
}

func firstPhone(p *directory.Person) string {
	if len(p.Phones) == 0 {
		return ""
	}
	return p.Phones[0].Number
}

// day writes a day, or a dash.
func day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format(time.DateOnly)
}

// row is a user of the list.
type row struct {
	Number   int64
	Name     string
	UserName string
	State    directory.State
	Locked   bool
	Cells    []cell
}

type cell struct{ Title, Kind, Text string }

// rowOf is a user in some columns.
func rowOf(p *directory.Person, shown []column) row {
	r := row{Number: p.Number, Name: page.FullName(&p.User), UserName: p.UserName, State: p.State, Locked: p.Locked, Cells: make([]cell, len(shown))}
	for i := range shown {
		r.Cells[i] = cell{shown[i].Title, shown[i].Kind, shown[i].text(p)}
	}
	return r
}

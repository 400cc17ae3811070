package users

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
)

// query is what a list is asked for, as it stands in its address.
type query struct {
	Search   string
	Status   string // words of states, separated by commas; "": all but deleted
	Company  int64
	Group    int64
	Role     int64
	Licence  string
	Locked   string // "yes", "no" or ""
	Door     string // whose own fields users carry
	SignedIn string // "never", "since", "before" or ""
	Day      string // of since and before, as 2006-01-02
	Sort     string // name of a field of directory.SortFields; "": by number
	Falling  bool
	Cursor   string
}

// choice is an option of a select.
type choice struct{ Value, Text string }

// The options of the filters.
var (
	statuses = []choice{{"", "All but deleted"}, {"active", "Active"}, {"staged", "Staged"}, {"inactive", "Inactive"},
		{"staged,inactive", "Staged or inactive"}, {"deleted", "In the recycle bin"}, {"staged,active,inactive,deleted", "Everybody"}}
	lockings = []choice{{"", "Locked or not"}, {"yes", "Locked"}, {"no", "Not locked"}}
	signIns  = []choice{{"", "Whenever"}, {"never", "Never signed in"}, {"since", "Signed in since"}, {"before", "Last signed in before"}}
)

// sortable are the fields by which the list can be sorted, by their names.
var sortable = func() map[string]directory.Field {
	fields := map[string]directory.Field{}
	for _, f := range []directory.Field{directory.FieldNumber, directory.FieldUserName, directory.FieldEmail, directory.FieldGivenName,
		directory.FieldFamilyName, directory.FieldDisplayName, directory.FieldCreatedAt, directory.FieldUpdatedAt} {
		fields[f.String()] = f
	}
	return fields
}()

// doors are the doors that have own fields of users.
var doors = []directory.Door{directory.DoorEncore, directory.DoorSmartapp, directory.DoorEduBrite, directory.DoorServiceMobility, directory.DoorSCIM}

// parse reads a query. What it cannot read is an error, and never left out: an action
// on everybody who matches would be one on others.
func parse(v url.Values) (query, error) {
	q := query{Search: strings.TrimSpace(v.Get("q")), Status: v.Get("status"), Licence: strings.TrimSpace(v.Get("licence")), Locked: v.Get("locked"),
		Door: v.Get("door"), SignedIn: v.Get("signed_in"), Day: strings.TrimSpace(v.Get("day")), Sort: v.Get("sort"), Falling: v.Get("falling") == "1", Cursor: v.Get("cursor")}
	for name, number := range map[string]*int64{"company": &q.Company, "group": &q.Group, "role": &q.Role} {
		text := strings.TrimSpace(v.Get(name))
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 || n > directory.MaxNumber {
			return q, wrong(name, "“"+text+"” is no number of a "+name+".")
		}
		*number = n
	}
	for _, word := range words(q.Status) {
		if directory.State(word).Index() >= len(directory.States) {
			return q, wrong("status", "There is no state “"+word+"”.")
		}
	}
	_, door := doorOf(q.Door)
	_, sort := sortable[q.Sort]
	switch {
	case q.Sort != "" && !sort:
		return q, wrong("sort", "Users cannot be sorted by “"+q.Sort+"”.")
	case q.Door != "" && !door:
		return q, wrong("door", "There is no door “"+q.Door+"” with own fields of users.")
	case !offered(lockings, q.Locked):
		return q, wrong("locked", "Choose locked or not locked.")
	case !offered(signIns, q.SignedIn):
		return q, wrong("signed_in", "Choose never, since or before.")
	}
	if q.SignedIn == "since" || q.SignedIn == "before" {
		if _, err := time.Parse(time.DateOnly, q.Day); err != nil {
			return q, wrong("day", "Give the day of the last sign-in as 2026-01-31.")
		}
	}
	return q, nil
}

func wrong(field, text string) error {
	return directory.Invalid(field, directory.ReasonFieldValue, "%s", text)
}

func offered(list []choice, value string) bool {
	return slices.ContainsFunc(list, func(c choice) bool { return c.Value == value })
}

// words are the words of a list with commas.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func doorOf(name string) (directory.Door, bool) {
	for _, d := range doors {
		if d.String() == name {
			return d, true
		}
	}
	return 0, false
}

// core is the query for the core.
func (q *query) core() directory.UserQuery {
	core := directory.UserQuery{Company: q.Company, Role: q.Role, Sort: sortable[q.Sort], Descending: q.Falling, Cursor: q.Cursor}
	if q.Search != "" {
		core.Terms = []string{q.Search}
	}
	for _, word := range words(q.Status) {
		core.States |= directory.StatesOf(directory.State(word))
	}
	if q.Group != 0 {
		core.Groups = []directory.GroupRef{{Number: q.Group}}
	}
	var all directory.And
	if q.Locked != "" {
		all = append(all, directory.Is{Field: directory.FieldLocked, Value: q.Locked == "yes"})
	}
	if q.Licence != "" {
		all = append(all, directory.Text{Field: directory.FieldLicenceType, Op: directory.OpEqual, Value: q.Licence})
	}
	if door, ok := doorOf(q.Door); ok {
		all = append(all, directory.HasExtras{Door: door})
	}
	if len(all) > 0 {
		core.Filter = all
	}
	day, _ := time.Parse(time.DateOnly, q.Day)
	switch q.SignedIn {
	case "never":
		core.SignedIn.Never = true
	case "since":
		core.SignedIn.From = day
	case "before":
		core.SignedIn.Before = day
	}
	return core
}

// numberText is a number as a field holds it, "" for 0.
func numberText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// CompanyText, GroupText and RoleText are what the filters hold.
func (q *query) CompanyText() string { return numberText(q.Company) }

// GroupText is the group's number.
func (q *query) GroupText() string { return numberText(q.Group) }

// RoleText is the role's number.
func (q *query) RoleText() string { return numberText(q.Role) }

// pairs are the query's parameters, without the cursor, as name and value. Empty ones
// are left out.
func (q *query) pairs() [][2]string {
	falling := ""
	if q.Falling {
		falling = "1"
	}
	day := q.Day
	if q.SignedIn != "since" && q.SignedIn != "before" {
		day = ""
	}
	all := [][2]string{{"q", q.Search}, {"status", q.Status}, {"company", numberText(q.Company)}, {"group", numberText(q.Group)}, {"role", numberText(q.Role)},
		{"licence", q.Licence}, {"locked", q.Locked}, {"door", q.Door}, {"signed_in", q.SignedIn}, {"day", day}, {"sort", q.Sort}, {"falling", falling}}
	return slices.DeleteFunc(all, func(p [2]string) bool { return p[1] == "" })
}

// Pairs is pairs for templates.
func (q *query) Pairs() [][2]string { return q.pairs() }

// Filtered reports whether anything but the search bounds the list.
func (q *query) Filtered() bool {
	return slices.ContainsFunc(q.pairs(), func(p [2]string) bool { return p[0] != "q" && p[0] != "sort" && p[0] != "falling" })
}

// address is that of the list with the query, and with other parameters.
func (q *query) address(path string, more ...any) string {
	var pairs []any
	for _, p := range q.pairs() {
		pairs = append(pairs, p[0], p[1])
	}
	return page.Link(path, append(pairs, more...)...)
}

// sortedBy is the address of the list sorted by a field: by one more click in the
// other direction.
func (q query) sortedBy(field string) string {
	q.Falling = q.Sort == field && !q.Falling
	q.Sort = field
	return q.address("/users")
}

package users

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// verb is something that can be done to many users.
type verb struct {
	Value directory.DeedVerb
	Text  string // on the button
	Does  string // what becomes of them, behind "12 users"
	Needs string // "company", "group", "licence_type", "lock_reason" or ""
	// Warning is what else it means.
	Warning string
}

// verbs are in the order of the list.
var verbs = []verb{
	{directory.DeedActivate, "Activate", "become active", "", "Each takes a seat of its licence type; who gets none stays as it is."},
	{directory.DeedDeactivate, "Deactivate", "become inactive", "", "They are signed out everywhere at once and their seats are free. Who is held stays active."},
	{directory.DeedLock, "Lock", "are locked out", "lock_reason", "They are signed out everywhere at once and keep their seats."},
	{directory.DeedUnlock, "Unlock", "are let in again", "", ""},
	{directory.DeedMove, "Move to a company", "move to the company", "company", ""},
	{directory.DeedAddGroup, "Add to a group", "join the group", "group", ""},
	{directory.DeedRemoveGroup, "Remove from a group", "leave the group", "group", ""},
	{directory.DeedLicence, "Set the licence", "get the licence type", "licence_type", "Active users take a seat of the new type; who gets none keeps the old one."},
	{directory.DeedSignOut, "Sign out everywhere", "are signed out everywhere", "", ""},
	{directory.DeedDelete, "Delete", "go into the recycle bin", "", "Their names and addresses are free at once. They can be restored until the recycle bin is emptied."},
	{directory.DeedRestore, "Restore", "come back out of the recycle bin, as inactive", "", ""},
}

func verbOf(value string) (verb, bool) {
	i := slices.IndexFunc(verbs, func(v verb) bool { return string(v.Value) == value })
	if i < 0 {
		return verb{}, false
	}
	return verbs[i], true
}

// selection is who was selected in a list: the users of some numbers, or all that
// match.
type selection struct {
	numbers []int64
	query   query
}

// selected reads a selection.
func selected(v url.Values) (selection, error) {
	q, err := parse(v)
	if err != nil {
		return selection{}, err
	}
	s := selection{query: q}
	if v.Get("all") == "1" {
		return s, nil
	}
	for _, text := range v["user"] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 || n > directory.MaxNumber {
			return s, wrong("user", "“"+text+"” is no number of a user.")
		}
		s.numbers = append(s.numbers, n)
	}
	if len(s.numbers) == 0 {
		return s, wrong("user", "Nobody is selected: mark users in the list, or all that match.")
	}
	return s, nil
}

// core is the query for those who are selected.
func (s *selection) core(verb directory.DeedVerb) directory.UserQuery {
	if len(s.numbers) > 0 {
		return directory.UserQuery{Numbers: s.numbers, States: directory.StatesOf(directory.States[:]...)}
	}
	q := s.query.core()
	q.Cursor, q.Sort, q.Descending = "", directory.FieldNone, false
	if verb == directory.DeedRestore && q.States == 0 {
		q.States = directory.StatesOf(directory.StateDeleted)
	}
	return q
}

// named is how many of the selected are shown by name before an action.
const named = 10

// askView is the page that asks before something is done to many.
type askView struct {
	Verb      verb
	Verbs     []verb
	Query     query
	Numbers   []int64
	Total     string
	One       bool
	Some      []directory.Person
	More      bool
	Choices   directory.Choices
	Company   string
	Group     string
	Licence   string
	Reason    string // number of the lock reason
	Why       string
	DryRun    bool
	Faults    page.Faults
	ListPath  string
	Companies []choice
	Groups    []choice
	Reasons   []choice
	Types     []choice
}

// ask shows what an action would do, and to whom.
func (p *pages) ask(r *page.Request) (web.Response, error) {
	return p.show(r, askView{}, r.URL.Query())
}

// show is the page that asks; form is where the selection stands.
func (p *pages) show(r *page.Request, v askView, form url.Values) (web.Response, error) {
	who, err := selected(form)
	if err != nil {
		return web.Response{}, err
	}
	var known bool
	if v.Verb, known = verbOf(form.Get("verb")); !known {
		v.Verb = verbs[0]
	}
	core := who.core(v.Verb.Value)
	core.Limit, core.WantTotal = named, true
	found, err := r.Kit.Service.People(r.Context(), r.Call(), core)
	if err != nil {
		return web.Response{}, err
	}
	if v.Choices, err = r.Kit.Service.Choices(r.Context(), r.Call(), choicesShown); err != nil {
		return web.Response{}, err
	}
	v.Verbs, v.Query, v.Numbers, v.Some, v.More = verbs, who.query, who.numbers, found.Users, found.More
	v.Total, v.One = totalText(&found), found.Total == 1 && !found.AtLeast
	v.ListPath = who.query.address("/users")
	v.Companies, v.Groups, v.Reasons, v.Types = companies(&v.Choices), groups(&v.Choices), reasons(&v.Choices), types(&v.Choices)
	view := page.View{Title: v.Verb.Text, Section: "users", Data: &v, Crumbs: []page.Crumb{{Text: "Users", Path: "/users"}}}
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.action, view)
}

// start begins an action, which the server does beside the requests.
func (p *pages) start(r *page.Request) (web.Response, error) {
	form, err := r.Form()
	if err != nil {
		return web.Response{}, err
	}
	who, err := selected(form)
	if err != nil {
		return web.Response{}, err
	}
	v := askView{Company: form.Get("to_company"), Group: form.Get("to_group"), Licence: form.Get("to_licence"), Reason: form.Get("lock_reason"),
		Why: form.Get("reason"), DryRun: form.Get("dry_run") == "1"}
	chosen, known := verbOf(form.Get("verb"))
	if !known {
		return web.Response{}, wrong("verb", "Choose what is to be done.")
	}
	deed, faults := v.deed(&chosen)
	if faults.Any() {
		v.Faults = faults
		return p.show(r, v, form)
	}
	if deed.Users = who.numbers; len(deed.Users) == 0 {
		core := who.core(chosen.Value)
		deed.Select = directory.SelectionOf(&core)
	}
	call := r.Call()
	call.Reason = v.Why
	run, err := r.Kit.Service.CreateBulk(r.Context(), call, directory.NewBulk{Kind: directory.BulkAction, DryRun: v.DryRun, Deed: deed})
	if err != nil {
		var ok bool
		if v.Faults, ok = page.FaultsOf(err, map[string]string{"company": "to_company", "group": "to_group", "licence_type": "to_licence"}); !ok {
			return web.Response{}, err
		}
		return p.show(r, v, form)
	}
	return r.Redirect("/actions/" + run.ID), nil
}

// deed is the action that a form asks for, without its users.
func (v *askView) deed(chosen *verb) (directory.BulkDeed, page.Faults) {
	d := directory.BulkDeed{Verb: chosen.Value}
	faults := page.Faults{}
	number := func(name, text, what string, to *int64) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 || n > directory.MaxNumber {
			faults[name] = "Choose " + what + "."
			return
		}
		*to = n
	}
	switch chosen.Needs {
	case "company":
		number("to_company", v.Company, "the company", &d.Company)
	case "group":
		number("to_group", v.Group, "the group", &d.Group)
	case "lock_reason":
		if v.Reason != "" {
			number("lock_reason", v.Reason, "the reason", &d.LockReason)
		}
	case "licence_type":
		d.LicenceType = v.Licence
	}
	return d, faults
}

// The options of selects.

func companies(c *directory.Choices) (list []choice) {
	for i := range c.Companies {
		list = append(list, choice{strconv.FormatInt(c.Companies[i].Number, 10), c.Companies[i].Name})
	}
	return list
}

func groups(c *directory.Choices) (list []choice) {
	for i := range c.Groups {
		text := c.Groups[i].Name
		switch c.Groups[i].Kind {
		case directory.GroupDashboard:
			text += " (dashboard)"
		case directory.GroupServiceTeam:
			text += " (service team)"
		}
		list = append(list, choice{strconv.FormatInt(c.Groups[i].Number, 10), text})
	}
	return list
}

func roles(c *directory.Choices) (list []choice) {
	for i := range c.Roles {
		list = append(list, choice{strconv.FormatInt(c.Roles[i].Number, 10), c.Roles[i].Name})
	}
	return list
}

func reasons(c *directory.Choices) (list []choice) {
	list = []choice{{"", "Without a reason"}}
	for i := range c.LockReasons {
		list = append(list, choice{strconv.FormatInt(c.LockReasons[i].Number, 10), c.LockReasons[i].Name})
	}
	return list
}

func types(c *directory.Choices) (list []choice) {
	list = []choice{{"", "None"}}
	for i := range c.Pools {
		list = append(list, choice{c.Pools[i].Type, c.Pools[i].Type})
	}
	return list
}

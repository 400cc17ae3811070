package users

import (
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// form is the form of a new user, as it was typed.
type form struct {
	UserName, Email, GivenName, FamilyName, DisplayName, Title, EmployeeNumber string
	Company, Licence, State, Password                                          string
	Groups, Roles                                                              []string
	Faults                                                                     page.Faults

	Choices   directory.Choices
	Companies []choice
	Types     []choice
	States    []choice
	Passwords []choice
	AllGroups []chosenOf
	AllRoles  []chosenOf
}

// chosenOf is an option of several that can be chosen together.
type chosenOf struct {
	choice
	Chosen bool
}

// The ways to a first password.
const (
	passwordNone  = "none"
	passwordLink  = "link"
	passwordShown = "shown"
	passwordMail  = "mail"
)

var passwords = []choice{{passwordLink, "Mail a link to set one"}, {passwordShown, "Temporary, shown to you once"}, {passwordMail, "Temporary, mailed"}, {passwordNone, "None for now"}}

func (p *pages) blank(r *page.Request) (web.Response, error) {
	return p.showForm(r, form{State: string(directory.StateActive), Password: passwordLink, Company: r.URL.Query().Get("company")})
}

func (p *pages) showForm(r *page.Request, f form) (web.Response, error) {
	choices, err := r.Kit.Service.Choices(r.Context(), r.Call(), choicesShown)
	if err != nil {
		return web.Response{}, err
	}
	f.Choices, f.Types, f.Passwords = choices, types(&choices), passwords
	f.Companies = append([]choice{{"", "The tenant's own"}}, companies(&choices)...)
	f.States = []choice{{"active", "Active"}, {"staged", "Staged: prepared, not yet let in"}, {"inactive", "Inactive"}}
	f.AllGroups, f.AllRoles = chosenAmong(groups(&choices), f.Groups), chosenAmong(keyedRoles(&choices), f.Roles)
	view := page.View{Title: "New user", Section: "users", Data: &f, Crumbs: []page.Crumb{{Text: "Users", Path: "/users"}}}
	if f.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.form, view)
}

// keyedRoles are the tenant's own roles, by key: those that are given with a user.
func keyedRoles(c *directory.Choices) (list []choice) {
	for i := range c.Roles {
		if role := &c.Roles[i]; role.Company == 0 && role.Key != "" {
			list = append(list, choice{role.Key, role.Name})
		}
	}
	return list
}

// chosenAmong marks the options that were chosen.
func chosenAmong(list []choice, values []string) []chosenOf {
	marked := make([]chosenOf, len(list))
	for i, c := range list {
		marked[i].choice = c
		for _, value := range values {
			marked[i].Chosen = marked[i].Chosen || value == c.Value
		}
	}
	return marked
}

// madeView is shown once a user has been made whose password is shown.
type madeView struct {
	User   directory.User
	Secret string
}

// create makes a user. What there is to say once is said on the page that answers, and
// nowhere else.
func (p *pages) create(r *page.Request) (web.Response, error) {
	typed, err := r.Form()
	if err != nil {
		return web.Response{}, err
	}
	f := form{UserName: r.Value("user_name"), Email: r.Value("email"), GivenName: r.Value("given_name"), FamilyName: r.Value("family_name"),
		DisplayName: r.Value("display_name"), Title: r.Value("title"), EmployeeNumber: r.Value("employee_number"), Company: r.Value("company"),
		Licence: r.Value("licence_type"), State: r.Value("state"), Password: r.Value("password"), Groups: typed["group"], Roles: typed["role"]}
	in, faults := f.user(r)
	if faults.Any() {
		f.Faults = faults
		return p.showForm(r, f)
	}
	u, err := r.Kit.Service.CreateUser(r.Context(), r.Call(), in)
	if err != nil {
		var ok bool
		if f.Faults, ok = page.FaultsOf(err, map[string]string{"status": "state", "groups": "group", "roles": "role"}); !ok {
			return web.Response{}, err
		}
		return p.showForm(r, f)
	}
	path := "/users/" + strconv.FormatInt(u.Number, 10)
	switch f.Password {
	case passwordShown:
		return r.Page(p.made, page.View{Title: page.FullName(&u), Section: "users", Data: madeView{u, in.Password}, Crumbs: []page.Crumb{{Text: "Users", Path: "/users"}}})
	case passwordLink:
		if err := r.Kit.Service.MailReset(r.Context(), r.Call(), directory.ByNumber(u.Number)); err != nil {
			return r.Done(path, page.FullName(&u)+" has been made, but the link could not be mailed: "+directory.AsError(err).Message), nil
		}
		return r.Done(path, page.FullName(&u)+" has been made, and a link to set a password is on its way."), nil
	case passwordMail:
		return r.Done(path, page.FullName(&u)+" has been made, and a temporary password is on its way."), nil
	}
	return r.Done(path, page.FullName(&u)+" has been made."), nil
}

// user is the user that a form asks for.
func (f *form) user(r *page.Request) (directory.NewUser, page.Faults) {
	faults := page.Faults{}
	number := func(name, text, what string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if text != "" && (err != nil || n < 1 || n > directory.MaxNumber) {
			faults[name] = "This is no number of a " + what + "."
		}
		return n
	}
	fields := directory.UserPatch{UserName: directory.Some(f.UserName), Email: directory.Some(f.Email), GivenName: directory.Some(f.GivenName),
		FamilyName: directory.Some(f.FamilyName), DisplayName: directory.Some(f.DisplayName), Title: directory.Some(f.Title),
		EmployeeNumber: directory.Some(f.EmployeeNumber), LicenceType: directory.Some(f.Licence)}
	if company := number("company", f.Company, "company"); f.Company != "" {
		fields.Company = directory.Some(company)
	}
	for _, text := range f.Groups {
		if n := number("group", text, "group"); n != 0 {
			fields.Groups = append(fields.Groups, directory.GroupChange{Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{Number: n}}})
		}
	}
	if len(f.Roles) > 0 {
		fields.Roles = directory.Some(f.Roles)
	}
	in := directory.NewUser{State: directory.State(f.State), ClaimEmail: true, Fields: fields}
	switch f.Password {
	case passwordMail:
		in.GeneratePassword, in.Notify = true, true
	case passwordShown:
		settings, err := r.Viewer()
		if err != nil {
			break // the use case will say so
		}
		drawn, err := directory.DrawPassword(settings.Settings.Password, &directory.User{UserName: f.UserName, Email: f.Email, GivenName: f.GivenName, FamilyName: f.FamilyName})
		if err != nil {
			faults["password"] = directory.AsError(err).Message
		}
		in.Password, in.Temporary = string(drawn), true
	}
	return in, faults
}

package user

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// choicesShown is how many companies and so on a form offers; others are named by
// number.
const choicesShown = 100

// choice is an option of a select.
type choice struct{ Value, Text string }

// input is a field of the form.
type input struct {
	Name, Label, Kind, Hint string
	Value                   string
	Was                     string // what it was when the form was opened
	Fault                   string
	Options                 []choice
	More                    bool // there are others, to be named by number
}

// part is a part of the form.
type part struct {
	Title  string
	Inputs []input
}

// editView is the form of a user.
type editView struct {
	*sheet
	Parts   []part
	Version int64
	Why     string
	Faults  page.Faults
	Seat    bool // what stands in the way is that no seat is free
	Licence string
}

func (p *pages) showEdit(r *page.Request) (web.Response, error) {
	s, err := read(r, "edit")
	if err != nil {
		return web.Response{}, err
	}
	if !s.MayEdit() {
		return web.Response{}, directory.Wrong(directory.CodeForbidden, directory.ReasonRankTooLow, "You cannot change this user.")
	}
	return p.form(r, editView{sheet: s, Version: s.User.Version}, values(&s.User), values(&s.User))
}

// values are a user's fields as the form has them.
func values(u *directory.User) map[string]string {
	list := map[string]string{}
	for i := range fields {
		if fields[i].set != nil {
			list[fields[i].Name] = fields[i].get(u)
		}
	}
	return list
}

// form shows the form with what was typed.
func (p *pages) form(r *page.Request, v editView, mine, was map[string]string) (web.Response, error) {
	choices, err := r.Kit.Service.Choices(r.Context(), r.Call(), choicesShown)
	if err != nil {
		return web.Response{}, err
	}
	for i := range fields {
		f := &fields[i]
		if f.set == nil {
			continue
		}
		if n := len(v.Parts); n == 0 || v.Parts[n-1].Title != f.Part {
			v.Parts = append(v.Parts, part{Title: f.Part})
		}
		in := input{Name: f.Name, Label: f.Label, Kind: f.Kind, Hint: f.Hint, Value: mine[f.Name], Was: was[f.Name], Fault: v.Faults[f.Name]}
		switch f.Kind {
		case "moment":
			if _, fraction, _ := strings.Cut(in.Value, "."); len(fraction) > 3 {
				in.Kind = "" // finer than the control of browsers, which would empty it
			}
		case "company":
			in.Options, in.More = companies(&choices), choices.MoreCompanies
		case "licence":
			in.Options = licences(&choices, mine[f.Name])
		}
		last := &v.Parts[len(v.Parts)-1]
		last.Inputs = append(last.Inputs, in)
	}
	view := v.view("Edit", &v)
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.edit, view)
}

func companies(c *directory.Choices) (list []choice) {
	for i := range c.Companies {
		list = append(list, choice{strconv.FormatInt(c.Companies[i].Number, 10), c.Companies[i].Name})
	}
	return list
}

// licences are the types that there are, with the one that the user has.
func licences(c *directory.Choices, have string) []choice {
	list := []choice{{"", "None"}}
	for i := range c.Pools {
		list = append(list, choice{c.Pools[i].Type, c.Pools[i].Type})
	}
	if !slices.ContainsFunc(list, func(c choice) bool { return c.Value == have }) {
		list = append(list, choice{have, have})
	}
	return list
}

// typed are the form's fields as they were sent, and as they were when it was opened.
// A field that was decided upon after a conflict is the one or the other.
func typed(form url.Values) (mine, was map[string]string) {
	plain := func(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }
	mine, was = map[string]string{}, map[string]string{}
	for i := range fields {
		name := fields[i].Name
		if fields[i].set == nil {
			continue
		}
		mine[name], was[name] = plain(form.Get(name)), plain(form.Get("was_"+name))
		if fields[i].Kind != "lines" && fields[i].Kind != "json" {
			mine[name] = strings.TrimSpace(mine[name])
		}
		if at := (directory.UserPatch{}); fields[i].Kind == "moment" && mine[name] != "" && fields[i].set(&at, mine[name]) == nil {
			mine[name] = moment(cmp.Or(at.ValidFrom.Value, at.ExpiresAt.Value)) // browsers leave seconds out
		}
		if form.Get("pick_"+name) == "theirs" {
			mine[name] = was[name]
		}
	}
	return mine, was
}

// patch is what a form changes. Parts of the address go together.
func patch(mine, was map[string]string) (p directory.UserPatch, changed []string, faults page.Faults) {
	faults = page.Faults{}
	wanted := func(name string) bool { return mine[name] != was[name] }
	for i := range fields {
		if fields[i].set != nil && wanted(fields[i].Name) {
			changed = append(changed, fields[i].Name)
		}
	}
	moved := slices.ContainsFunc(changed, func(name string) bool { return strings.HasPrefix(name, "address.") })
	for i := range fields {
		f := &fields[i]
		if f.set == nil || !wanted(f.Name) && !(moved && strings.HasPrefix(f.Name, "address.")) {
			continue
		}
		if err := f.set(&p, mine[f.Name]); err != nil {
			faults[f.Name] = directory.AsError(err).Message
		}
	}
	return p, changed, faults
}

// save changes what the form changed, unless somebody else changed the user since.
func (p *pages) save(r *page.Request) (web.Response, error) {
	form, err := r.Form()
	if err != nil {
		return web.Response{}, err
	}
	mine, was := typed(form)
	version, _ := strconv.ParseInt(form.Get("version"), 10, 64)
	wants, changed, faults := patch(mine, was)
	number := r.Number("number")
	path := "/users/" + strconv.FormatInt(number, 10)
	if len(changed) == 0 {
		return r.Done(path, "Nothing was changed."), nil
	}
	if !faults.Any() {
		call := r.Call()
		call.Reason = form.Get("reason")
		_, err = r.Kit.Service.UpdateUser(r.Context(), call, directory.ByNumber(number), wants,
			directory.UpdateOptions{IfVersion: directory.Some(version), ClaimEmail: true})
		if err == nil {
			return r.Done(path, "Saved."), nil
		}
	}
	s, failed := read(r, "edit")
	if failed != nil {
		return web.Response{}, failed
	}
	if directory.CodeOf(err) == directory.CodeStale {
		return p.clash(r, s, mine, was, form.Get("reason"))
	}
	v := editView{sheet: s, Version: version, Why: form.Get("reason"), Faults: faults, Licence: mine["licence_type"]}
	if err != nil {
		var ok bool
		if v.Faults, ok = page.FaultsOf(err, map[string]string{"country": "address.country", "region": "address.region", "address": "address.line1"}); !ok {
			return web.Response{}, err
		}
		v.Seat = directory.CodeOf(err) == directory.CodeExhausted
	}
	return p.form(r, v, mine, was)
}

// clashRow is a field that both have changed, or one of them.
type clashRow struct {
	Name, Label       string
	Was, Theirs, Mine string
	Both              bool // both changed it, and not to the same
}

// clashView is shown when somebody else has changed the user since the form was opened.
type clashView struct {
	*sheet
	Rows   []clashRow // that the form changes and that are different now
	Others []clashRow // that only the others changed: they stay
	Rest   []clashRow // what else the form holds
	Why    string
}

// clash shows what both have changed, and lets the person choose field by field.
func (p *pages) clash(r *page.Request, s *sheet, mine, was map[string]string, why string) (web.Response, error) {
	v := clashView{sheet: s, Why: why}
	now := values(&s.User)
	for i := range fields {
		f := &fields[i]
		if f.set == nil {
			continue
		}
		row := clashRow{Name: f.Name, Label: f.Label, Was: was[f.Name], Theirs: now[f.Name], Mine: mine[f.Name]}
		row.Both = row.Theirs != row.Was
		switch {
		case row.Mine != row.Was && row.Mine != row.Theirs:
			v.Rows = append(v.Rows, row)
			continue
		case row.Theirs != row.Was:
			v.Others = append(v.Others, row)
		}
		v.Rest = append(v.Rest, row)
	}
	view := v.view("Changed by somebody else", &v)
	view.Status = http.StatusConflict
	return r.Page(p.conflict, view)
}

// Package setting is the console's page about the tenant's settings.
package setting

import (
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

//go:embed templates
var files embed.FS

type pages struct{ form *template.Template }

// Mount registers the page.
func Mount(k *page.Kit) {
	p := &pages{form: k.Templates(files, "templates/form.html")}
	k.Get("/settings", p.show)
	k.Post("/settings", p.save)
}

// entry is one setting of the form.
type entry struct {
	Name    string // as errors and the command line name it
	Label   string
	Hint    string
	Flag    bool     // else a number
	Choices []choice // else
	Number  func(*directory.Settings) *int
	Bool    func(*directory.Settings) *bool
	Text    func(*directory.Settings) *string
}

// choice is an option of a select.
type choice struct{ Value, Text string }

// group is a part of the form.
type group struct {
	Title   string
	Entries []entry
}

var groups = []group{
	{"Passwords and sign-in", []entry{
		{Name: "password.min_length", Label: "Least length of a password", Hint: "0: 15 characters.", Number: func(s *directory.Settings) *int { return &s.Password.MinLength }},
		{Name: "max_failed_logins", Label: "Lock after wrong passwords in a row", Hint: "0: never.", Number: func(s *directory.Settings) *int { return &s.MaxFailedLogins }},
		{Name: "second_factor", Label: "Second factor", Choices: []choice{{"", "whoever wants one"}, {directory.SecondFactorAdministrators, "administrators must have one"}, {directory.SecondFactorAll, "everybody must have one"}}, Text: func(s *directory.Settings) *string { return &s.SecondFactor }},
		{Name: "console_idle_minutes", Label: "Minutes until an unused console session ends", Hint: "0: 30.", Number: func(s *directory.Settings) *int { return &s.ConsoleIdleMinutes }},
		{Name: "console_session_hours", Label: "Hours until any console session ends", Hint: "0: 12.", Number: func(s *directory.Settings) *int { return &s.ConsoleSessionHours }},
		{Name: "password.allow_blocked", Label: "Allow passwords that everybody tries", Flag: true, Bool: func(s *directory.Settings) *bool { return &s.Password.AllowBlocked }},
		{Name: "password.allow_context", Label: "Allow a person's own names in the password", Flag: true, Bool: func(s *directory.Settings) *bool { return &s.Password.AllowContext }},
	}},
	{"Keeping and erasing", []entry{
		{Name: "recycle_bin_days", Label: "Days in the recycle bin until a user is purged", Hint: "0: until somebody purges them.", Number: func(s *directory.Settings) *int { return &s.RecycleBinDays }},
		{Name: "event_days", Label: "Days that events are kept", Hint: "0: for ever; else at least 30.", Number: func(s *directory.Settings) *int { return &s.EventDays }},
	}},
	{"People and products", []entry{
		{Name: "notify_on_create", Label: "Mail every new user a notice", Flag: true, Bool: func(s *directory.Settings) *bool { return &s.NotifyOnCreate }},
		{Name: "iqmetrix_picture_null", Label: "iQmetrix: show a missing picture as null", Flag: true, Bool: func(s *directory.Settings) *bool { return &s.IQmetrixPictureNull }},
		{Name: "smartapp_inactive_without_seat", Label: "Smartapp: make a new user inactive when no seat is free", Flag: true, Bool: func(s *directory.Settings) *bool { return &s.SmartappInactiveWithoutSeat }},
	}},
}

// shown is an entry with its value.
type shown struct {
	entry
	Value   string
	Checked bool
	Fault   string
}

type view struct {
	Tenant directory.Tenant
	Groups []struct {
		Title   string
		Entries []shown
	}
	DefaultCompany string
	Faults         page.Faults
}

// fill puts the settings, or what was typed, into the form.
func (v *view) fill(s *directory.Settings, typed func(name string) (string, bool)) {
	for _, g := range groups {
		part := struct {
			Title   string
			Entries []shown
		}{Title: g.Title}
		for _, e := range g.Entries {
			one := shown{entry: e, Fault: v.Faults[e.Name]}
			switch {
			case e.Flag:
				one.Checked = *e.Bool(s)
			case e.Text != nil:
				one.Value = *e.Text(s)
			default:
				one.Value = strconv.Itoa(*e.Number(s))
			}
			if text, ok := typed(e.Name); ok {
				one.Value, one.Checked = text, text != ""
			}
			part.Entries = append(part.Entries, one)
		}
		v.Groups = append(v.Groups, part)
	}
}

func (p *pages) show(r *page.Request) (web.Response, error) {
	return p.with(r, nil)
}

// with shows the form: as it was typed, if something was wrong with it.
func (p *pages) with(r *page.Request, faults page.Faults) (web.Response, error) {
	t, err := r.Kit.Service.OwnTenant(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	v := view{Tenant: t, DefaultCompany: strconv.FormatInt(t.DefaultCompany, 10), Faults: faults}
	form := page.View{Title: "Settings", Section: "settings"}
	typed := func(string) (string, bool) { return "", false }
	if faults.Any() {
		form.Status, v.DefaultCompany = http.StatusUnprocessableEntity, r.Value("default_company")
		typed = func(name string) (string, bool) { return r.Value(name), true }
	}
	v.fill(&t.Settings, typed)
	form.Data = v
	return r.Page(p.form, form)
}

func (p *pages) save(r *page.Request) (web.Response, error) {
	faults := page.Faults{}
	company, err := strconv.ParseInt(strings.TrimSpace(r.Value("default_company")), 10, 64)
	if err != nil {
		faults["default_company"] = "Give the number of a company."
	}
	var typed directory.Settings
	for _, g := range groups {
		for _, e := range g.Entries {
			e.read(r, &typed, faults)
		}
	}
	if faults.Any() {
		return p.with(r, faults)
	}
	call := r.Call()
	version, _ := strconv.ParseInt(r.Value("version"), 10, 64)
	call.If = page.IfVersion(version)
	_, err = r.Kit.Service.EditTenant(r.Context(), call, directory.TenantPatch{DefaultCompany: directory.Some(company),
		Settings: func(now directory.Settings) (directory.Settings, error) { return merge(now, &typed), nil }})
	if err == nil {
		return r.Done("/settings", "Saved. It holds from the next request on."), nil
	}
	faults, ok := page.FaultsOf(err, nil)
	if !ok {
		return web.Response{}, err
	}
	if directory.AsError(err).Reason == directory.ReasonCompanyNotFound {
		faults = page.Faults{"default_company": "There is no such company."}
	}
	return p.with(r, faults)
}

// read reads an entry of the form into the settings.
func (e *entry) read(r *page.Request, s *directory.Settings, faults page.Faults) {
	text := strings.TrimSpace(r.Value(e.Name))
	switch {
	case e.Flag:
		*e.Bool(s) = text != ""
	case e.Text != nil:
		*e.Text(s) = text
	default:
		n, err := strconv.Atoi(text)
		if err != nil {
			faults[e.Name] = "Give a whole number."
		}
		*e.Number(s) = n
	}
}

// merge takes the entries of the form from typed and keeps the rest.
func merge(now directory.Settings, typed *directory.Settings) directory.Settings {
	for _, g := range groups {
		for _, e := range g.Entries {
			switch {
			case e.Flag:
				*e.Bool(&now) = *e.Bool(typed)
			case e.Text != nil:
				*e.Text(&now) = *e.Text(typed)
			default:
				*e.Number(&now) = *e.Number(typed)
			}
		}
	}
	return now
}

// Package account is the console's page about one's own account: data, password, second
// factor, sessions.
package account

import (
	"embed"
	"html/template"
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

//go:embed templates
var files embed.FS

type pages struct{ account, enrol, codes *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{account: k.Templates(files, "templates/account.html"), enrol: k.Templates(files, "templates/enrol.html"),
		codes: k.Templates(files, "templates/codes.html")}
	k.Get("/account", p.show)
	k.Post("/account", p.save)
	k.Post("/account/password", p.password)
	k.Post("/account/second-factor", p.begin)
	k.Post("/account/second-factor/confirm", p.confirm)
	k.Post("/account/second-factor/codes", p.newCodes)
	k.Post("/account/second-factor/remove", p.remove)
	k.Post("/account/sessions/end-all", p.endAll)
	k.Post("/account/sessions/{id}/end", p.end)
}

// view is the account with what was typed into one of its forms.
type view struct {
	directory.Account
	Form   string // whose faults these are
	Typed  map[string]string
	Faults page.Faults
}

// Fault is what is wrong with a field of a form.
func (v view) Fault(form, field string) string {
	if v.Form != form {
		return ""
	}
	return v.Faults[field]
}

// Version is that of the data which the form shows.
func (v view) Version() string {
	if v.Form == "data" {
		return v.Typed["version"]
	}
	return strconv.FormatInt(v.User.Version, 10)
}

// Value is what a field of the data shows: what was typed, or what there is.
func (v view) Value(field string) string {
	if v.Form == "data" {
		return v.Typed[field]
	}
	return *fieldsOf(&v.User)[field]
}

// fieldsOf are the fields of the form by their names, which are the core's.
func fieldsOf(u *directory.User) map[string]*string {
	return map[string]*string{"given_name": &u.GivenName, "family_name": &u.FamilyName, "display_name": &u.DisplayName, "email": &u.Email}
}

func (p *pages) show(r *page.Request) (web.Response, error) { return p.with(r, view{}) }

// with shows the account with a form that was refused.
func (p *pages) with(r *page.Request, v view) (web.Response, error) {
	var err error
	if v.Account, err = r.Kit.Service.OwnAccount(r.Context(), r.Call()); err != nil {
		return web.Response{}, err
	}
	shown := page.View{Title: "Your account", Section: "account", Data: v}
	if v.Faults.Any() {
		shown.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.account, shown)
}

// refused shows a form again where the person can mend what is wrong.
func (p *pages) refused(r *page.Request, form string, typed map[string]string, err error) (web.Response, error) {
	faults, ok := page.FaultsOf(err, nil)
	if !ok {
		return web.Response{}, err
	}
	return p.with(r, view{Form: form, Typed: typed, Faults: faults})
}

func (p *pages) save(r *page.Request) (web.Response, error) {
	var patch directory.UserPatch
	typed := map[string]string{"version": r.Value("version")}
	for name, field := range map[string]*directory.Opt[string]{"given_name": &patch.GivenName, "family_name": &patch.FamilyName,
		"display_name": &patch.DisplayName, "email": &patch.Email} {
		typed[name] = r.Value(name)
		*field = directory.Some(typed[name])
	}
	call := r.Call()
	version, err := strconv.ParseInt(typed["version"], 10, 64)
	if err != nil {
		version = -1
	}
	call.If.Match = []int64{version}
	_, err = r.Kit.Service.UpdateUser(r.Context(), call, directory.UserRef{Self: true}, patch, directory.UpdateOptions{ClaimEmail: true})
	if directory.IsReason(err, directory.ReasonVersionMismatch) {
		return p.with(r, view{Form: "data", Typed: typed, Faults: page.Faults{"": "Somebody else changed your account meanwhile. Reload the page to see it as it is now."}})
	}
	if err != nil {
		return p.refused(r, "data", typed, err)
	}
	return r.Done("/account", "Your data have been saved."), nil
}

func (p *pages) password(r *page.Request) (web.Response, error) {
	if r.Value("password") != r.Value("again") {
		return p.with(r, view{Form: "password", Faults: page.Faults{"again": "The two passwords are not the same."}})
	}
	in, err := r.Kit.Service.ChangeOwnPassword(r.Context(), r.Call(), directory.Secret(r.Value("old_password")), directory.Secret(r.Value("password")))
	if err != nil {
		return p.refused(r, "password", nil, err)
	}
	resp := r.Done("/account", "Your password has been changed. Everybody who was signed in with the old one, elsewhere, is not any more.")
	r.Begin(&resp, in.Token)
	return resp, nil
}

// enrolView is a second factor that is being set up.
type enrolView struct {
	page.Enrolment
	Fault string
}

func (p *pages) enrolling(r *page.Request, e directory.Enrolment, fault string) (web.Response, error) {
	shown, err := page.ShowEnrolment(e)
	if err != nil {
		return web.Response{}, err
	}
	v := page.View{Title: "Set up a second factor", Section: "account", Crumbs: crumbs, Data: enrolView{shown, fault}}
	if fault != "" {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.enrol, v)
}

var crumbs = []page.Crumb{{Text: "Your account", Path: "/account"}}

func (p *pages) begin(r *page.Request) (web.Response, error) {
	e, err := r.Kit.Service.BeginSecondFactor(r.Context(), r.Call(), directory.Secret(r.Value("proof")))
	if err != nil {
		return p.refused(r, "factor", nil, err)
	}
	return p.enrolling(r, e, "")
}

func (p *pages) confirm(r *page.Request) (web.Response, error) {
	codes, again, err := r.Kit.Service.ConfirmSecondFactor(r.Context(), r.Call(), directory.Secret(r.Value("sealed")), directory.Secret(r.Value("code")))
	if directory.IsReason(err, directory.ReasonFactorWrong) {
		return p.enrolling(r, again, directory.AsError(err).Message)
	}
	if err != nil {
		return p.refused(r, "factor", nil, err)
	}
	return p.showCodes(r, codes)
}

func (p *pages) newCodes(r *page.Request) (web.Response, error) {
	codes, err := r.Kit.Service.NewRecoveryCodes(r.Context(), r.Call(), directory.Secret(r.Value("proof")))
	if err != nil {
		return p.refused(r, "codes", nil, err)
	}
	return p.showCodes(r, codes)
}

// showCodes shows recovery codes, once: nobody can read them again, only make others.
func (p *pages) showCodes(r *page.Request, codes []string) (web.Response, error) {
	return r.Page(p.codes, page.View{Title: "Recovery codes", Section: "account", Crumbs: crumbs, Data: codes})
}

func (p *pages) remove(r *page.Request) (web.Response, error) {
	err := r.Kit.Service.RemoveSecondFactor(r.Context(), r.Call(), directory.UserRef{Self: true}, directory.Secret(r.Value("proof")))
	if err != nil {
		return p.refused(r, "remove", nil, err)
	}
	return r.Done("/account", "The second factor has been removed."), nil
}

func (p *pages) end(r *page.Request) (web.Response, error) {
	err := r.Kit.Service.EndSession(r.Context(), r.Call(), directory.UserRef{Self: true}, r.PathValue("id"))
	if err != nil && !directory.IsReason(err, directory.ReasonSessionNotFound) {
		return web.Response{}, err
	}
	return r.Done("/account", "That session has ended."), nil
}

func (p *pages) endAll(r *page.Request) (web.Response, error) {
	if err := r.Kit.Service.SignOutEverywhere(r.Context(), r.Call(), directory.UserRef{Self: true}); err != nil {
		return web.Response{}, err
	}
	resp := r.Redirect("/sign-in")
	r.End(&resp)
	return resp, nil
}

// Package signin is the console's pages for signing in and out: name and password, a
// code of the second factor, a new password in the place of a temporary one, setting a
// second factor up where the tenant asks for one. Between two steps nothing is kept but
// a sealed challenge in the form: there is no session before all is proved.
package signin

import (
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

//go:embed templates
var files embed.FS

type pages struct{ form *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{form: k.Templates(files, "templates/*.html")}
	k.GetOpen("/sign-in", p.show)
	k.PostOpen("/sign-in", p.password)
	k.PostOpen("/sign-in/code", p.code)
	k.PostOpen("/sign-in/password", p.replace)
	k.PostOpen("/sign-in/second-factor", p.enrol)
	k.Post("/sign-out", p.signOut)
	k.Post("/acting/end", p.actAlone)
}

// view is one step of signing in.
type view struct {
	Step      directory.SignInStep // "" is name and password
	Name      string
	Next      string
	Challenge string
	Fault     string // of the step as a whole
	Faults    page.Faults
	Enrolment page.Enrolment
	Codes     []string // recovery codes, shown once
	status    int
}

var titles = map[directory.SignInStep]string{
	"": "Sign in", directory.StepCode: "Second factor", directory.StepPassword: "A new password", directory.StepEnrol: "Set up a second factor",
	directory.StepDone: "Recovery codes",
}

func (p *pages) render(r *page.Request, v view) (web.Response, error) {
	return r.Page(p.form, page.View{Title: titles[v.Step], Bare: true, Status: v.status, Data: v})
}

// show is the first step. Who is signed in goes on.
func (p *pages) show(r *page.Request) (web.Response, error) {
	next := page.Next(r.URL.Query().Get("next"))
	if r.HasSession() {
		if _, err := r.Viewer(); err == nil {
			return r.Onward(next), nil
		}
	}
	return p.render(r, view{Next: next})
}

// begun reads what every step's form has.
func begun(r *page.Request, step directory.SignInStep) (view, error) {
	form, err := r.Form()
	if err != nil {
		return view{}, err
	}
	return view{Step: step, Name: form.Get("name"), Next: page.Next(form.Get("next")), Challenge: form.Get("challenge")}, nil
}

func (p *pages) password(r *page.Request) (web.Response, error) {
	v, err := begun(r, "")
	if err != nil {
		return web.Response{}, err
	}
	in, err := r.Kit.Service.OpenConsoleSession(r.Context(), r.OpenCall(), v.Name, directory.Secret(r.Value("password")))
	if err != nil {
		return p.refuse(r, v, err)
	}
	return p.further(r, v, in)
}

func (p *pages) code(r *page.Request) (web.Response, error) {
	v, err := begun(r, directory.StepCode)
	if err != nil {
		return web.Response{}, err
	}
	in, err := r.Kit.Service.AnswerSecondFactor(r.Context(), r.OpenCall(), directory.Secret(v.Challenge), directory.Secret(r.Value("code")))
	if directory.IsReason(err, directory.ReasonFactorWrong) {
		v.Faults = page.Faults{"code": directory.AsError(err).Message}
		v.status = http.StatusUnprocessableEntity
		return p.render(r, v)
	}
	if err != nil {
		return p.refuse(r, v, err)
	}
	return p.further(r, v, in)
}

func (p *pages) replace(r *page.Request) (web.Response, error) {
	v, err := begun(r, directory.StepPassword)
	if err != nil {
		return web.Response{}, err
	}
	if r.Value("password") != r.Value("again") {
		v.Faults, v.status = page.Faults{"again": "The two passwords are not the same."}, http.StatusUnprocessableEntity
		return p.render(r, v)
	}
	in, err := r.Kit.Service.ReplaceTemporaryPassword(r.Context(), r.OpenCall(), directory.Secret(v.Challenge), directory.Secret(r.Value("password")))
	if directory.CodeOf(err) == directory.CodeInvalid {
		v.Faults, _ = page.FaultsOf(err, nil)
		v.status = http.StatusUnprocessableEntity
		return p.render(r, v)
	}
	if err != nil {
		return p.refuse(r, v, err)
	}
	return p.further(r, v, in)
}

func (p *pages) enrol(r *page.Request) (web.Response, error) {
	v, err := begun(r, directory.StepEnrol)
	if err != nil {
		return web.Response{}, err
	}
	in, again, err := r.Kit.Service.FinishEnrolment(r.Context(), r.OpenCall(), directory.Secret(v.Challenge), directory.Secret(r.Value("sealed")), directory.Secret(r.Value("code")))
	if directory.IsReason(err, directory.ReasonFactorWrong) {
		v.Faults, v.status = page.Faults{"code": directory.AsError(err).Message}, http.StatusUnprocessableEntity
		if v.Enrolment, err = page.ShowEnrolment(again); err != nil {
			return web.Response{}, err
		}
		return p.render(r, v)
	}
	if err != nil {
		return p.refuse(r, v, err)
	}
	return p.further(r, v, in)
}

// further answers a step that succeeded.
func (p *pages) further(r *page.Request, v view, in directory.ConsoleSignIn) (web.Response, error) {
	v.Step, v.Challenge, v.Faults = in.Step, string(in.Challenge), nil
	switch in.Step {
	case directory.StepEnrol:
		var err error
		if v.Enrolment, err = page.ShowEnrolment(in.Enrolment); err != nil {
			return web.Response{}, err
		}
	case directory.StepDone:
		if len(in.RecoveryCodes) == 0 {
			resp := r.Onward(v.Next)
			r.Begin(&resp, in.Token)
			return resp, nil
		}
		v.Codes = in.RecoveryCodes
		resp, err := p.render(r, v)
		r.Begin(&resp, in.Token)
		return resp, err
	}
	return p.render(r, v)
}

// refuse shows why a step failed: a sign-in that cannot go on begins anew.
func (p *pages) refuse(r *page.Request, v view, err error) (web.Response, error) {
	e := directory.AsError(err)
	r.Event.Code, r.Event.Reason = string(e.Code), string(e.Reason)
	v.Fault = e.Message
	switch e.Code {
	case directory.CodeInternal:
		return web.Response{}, err
	case directory.CodeRateLimited:
		v.status, v.Fault = http.StatusTooManyRequests, "Too many attempts. Try again in "+wait(e.Retry)+"."
	case directory.CodeUnavailable:
		v.status = http.StatusServiceUnavailable
	default:
		v.Step, v.Challenge, v.status = "", "", http.StatusUnprocessableEntity
	}
	if v.Step == directory.StepEnrol { // what was shown is gone
		v.Step, v.Challenge = "", ""
	}
	response, err := p.render(r, v)
	if e.Retry > 0 {
		response.Header = append(slices.Clip(response.Header), [2]string{"Retry-After", strconv.Itoa(int(e.Retry/time.Second) + 1)})
	}
	return response, err
}

// wait writes how long somebody has to wait.
func wait(d time.Duration) string {
	if d > time.Minute {
		minutes := int((d + time.Minute - 1) / time.Minute)
		return page.Plural(minutes, "minute", "minutes")
	}
	return page.Plural(max(1, int((d+time.Second-1)/time.Second)), "second", "seconds")
}

// signOut ends the session, also of who acts as another. A session that has ended is no
// error.
func (p *pages) signOut(r *page.Request) (web.Response, error) {
	err := r.Kit.Service.EndOwnSession(r.Context(), r.OwnCall())
	if err != nil && directory.CodeOf(err) != directory.CodeUnauthenticated {
		return web.Response{}, err
	}
	resp := r.Redirect("/sign-in")
	r.End(&resp)
	return resp, nil
}

// actAlone ends acting as another.
func (p *pages) actAlone(r *page.Request) (web.Response, error) {
	err := r.Kit.Service.EndImpersonation(r.Context(), r.Call())
	if err != nil && !over(err) {
		return web.Response{}, err
	}
	resp := r.Done("/", "You act as yourself again.")
	r.Act(&resp, "")
	return resp, nil
}

// over reports that there was nothing to end any more.
func over(err error) bool {
	return directory.CodeOf(err) == directory.CodeUnauthenticated || directory.IsReason(err, directory.ReasonSessionNotFound)
}

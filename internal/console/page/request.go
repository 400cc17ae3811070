package page

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// maxForm bounds a form's body; files go elsewhere.
const maxForm = 1 << 20

// Request is one request for a page.
type Request struct {
	*web.Request
	Kit *Kit

	form    url.Values
	formErr error
	first   *directory.Call
	viewer  *Viewer
}

// Viewer is who looks at a page.
type Viewer struct {
	Name     string // the person's, or the user name
	UserName string
	Number   int64
	Rank     directory.Rank
	Tenant   string
	Root     int64 // company to which the session is bound; 0: none
	// Acting says that somebody acts as this person; ActingBy who.
	Acting   bool
	ActingBy string
	Settings *directory.Settings
	Doors    directory.DoorSet // that the tenant has switched on
}

// May reports whether the viewer's rank is enough for what administrators do. It only
// decides what is offered: the core decides what is done.
func (v *Viewer) May(rank directory.Rank) bool { return v != nil && v.Rank >= rank }

// Administers and Helps are May for templates.
func (v *Viewer) Administers() bool { return v.May(directory.RankAdministrator) }

// Helps reports whether the viewer may reset passwords and unlock.
func (v *Viewer) Helps() bool { return v.May(directory.RankHelpdesk) }

// Reads reports whether the viewer may see other people.
func (v *Viewer) Reads() bool { return v.May(directory.RankReader) }

// Form is the request's form, of the body only.
func (r *Request) Form() (url.Values, error) {
	if r.form == nil && r.formErr == nil {
		var body []byte
		if body, r.formErr = r.Body(maxForm); r.formErr == nil {
			r.form, r.formErr = url.ParseQuery(string(body))
		}
		if r.formErr != nil {
			r.formErr = directory.Invalid("form", directory.ReasonFieldValue, "The form could not be read.")
		}
	}
	return r.form, r.formErr
}

// Value is a field of the form, "" when it is not there.
func (r *Request) Value(name string) string { return r.form.Get(name) }

// Number is a wildcard of the route that is a number; 0 when it is none.
func (r *Request) Number(name string) int64 {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// Partial reports whether htmx asks, and for a part of a page only.
func (r *Request) Partial() bool {
	return r.Header.Get("Hx-Request") == "true" && r.Header.Get("Hx-History-Restore-Request") != "true"
}

// Viewer is who looks: asked once a request.
func (r *Request) Viewer() (*Viewer, error) {
	if r.viewer != nil {
		return r.viewer, nil
	}
	call := r.Call()
	who, err := r.Kit.Service.WhoAmI(r.Context(), call)
	if err != nil {
		return nil, err
	}
	v := &Viewer{Rank: who.Actor.Rank, Tenant: who.Tenant.Name, Root: who.Actor.Root, Number: who.Actor.User, Settings: call.Settings, Doors: who.Tenant.Doors}
	if who.Person.Set {
		p := &who.Person.Value
		v.UserName, v.Name = p.UserName, FullName(p)
	}
	if who.Behind.Set {
		v.Acting, v.ActingBy = true, FullName(&who.Behind.Value)
	}
	r.viewer = v
	return v, nil
}

// FullName is what people call a user.
func FullName(u *directory.User) string {
	switch {
	case u.DisplayName != "":
		return u.DisplayName
	case u.GivenName != "" && u.FamilyName != "":
		return u.GivenName + " " + u.FamilyName
	case u.GivenName+u.FamilyName != "":
		return u.GivenName + u.FamilyName
	}
	return u.UserName
}

// note fills the request's event from its first call.
func (r *Request) note() {
	if r.first == nil {
		return
	}
	r.Event.Actor, r.Event.OnBehalfOf = r.first.Actor.Name, r.first.Actor.OnBehalfOf
	if r.first.Actor.Tenant != 0 {
		r.Event.Tenant = strconv.FormatInt(int64(r.first.Actor.Tenant), 10)
	}
}

// redirect leads the browser on with GET; htmx loads the whole page.
func (r *Request) redirect(target string) web.Response {
	if r.Header.Get("Hx-Request") == "true" {
		return web.Response{Status: http.StatusNoContent, Header: append(headers[:len(headers):len(headers)], [2]string{"HX-Redirect", target})}
	}
	return web.Response{Status: http.StatusSeeOther, Header: append(headers[:len(headers):len(headers)], [2]string{"Location", target})}
}

// Redirect leads to a path below Path, as in "/users/7".
func (r *Request) Redirect(path string) web.Response { return r.redirect(Path + path) }

// Done leads to a path below Path, where message is shown once: what was done.
func (r *Request) Done(path, message string) web.Response {
	resp := r.redirect(Path + path)
	r.setCookie(&resp, flashCookie, base64.RawURLEncoding.EncodeToString([]byte(message)), 60)
	return resp
}

// flash is the message of Done, and takes it away.
func (r *Request) flash(resp *web.Response) string {
	value := r.cookie(flashCookie)
	if value == "" {
		return ""
	}
	r.setCookie(resp, flashCookie, "", 0)
	text, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(text) > 500 {
		return ""
	}
	return string(text)
}

// View is what a page shows.
type View struct {
	Title string
	// Section is the entry of the navigation that is marked: "users", "companies" ...
	Section string
	Data    any
	// Status is the answer's; 0 means 200.
	Status int
	// Bare leaves the navigation out: signing in.
	Bare bool
	// Crumbs lead up: pairs of text and path below Path.
	Crumbs []Crumb
	// Scripts and Styles are further assets that the page needs.
	Scripts, Styles []string
}

// Crumb is a link to where a page belongs.
type Crumb struct{ Text, Path string }

// frame is what templates get as $.
type frame struct {
	View
	Viewer *Viewer
	Flash  string
	Theme  string
	Path   string // of the request, with its query
	CSRF   string
	Nav    []navGroup
	Kit    *Kit
}

// Page renders a whole page: the template "page" of the set inside of the frame, whose
// data is {{.Data}}; {{$.Viewer}} is who looks.
func (r *Request) Page(t *template.Template, v View) (web.Response, error) {
	return r.render(t, "frame", v)
}

// Fragment renders one template of the set alone, with the same data as a page.
func (r *Request) Fragment(t *template.Template, name string, v View) (web.Response, error) {
	return r.render(t, name, v)
}

// IfVersion asks of a call that the thing still has the version that a form was made
// of, so that nobody's change is lost.
func IfVersion(version int64) directory.Condition {
	return directory.Condition{Match: []int64{version}}
}

package page

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"

	"github.com/usher-id/usher/internal/web"
)

// render executes a template of a set with the frame around the data.
func (r *Request) render(t *template.Template, name string, v View) (web.Response, error) {
	resp := web.Response{Status: v.Status, ContentType: "text/html; charset=utf-8", Header: append(headers[:len(headers):len(headers)], [2]string{"Vary", "HX-Request, Cookie"})}
	f := frame{View: v, Theme: theme(r.cookie(themeCookie)), Path: r.URL.RequestURI(), Kit: r.Kit}
	if !v.Bare {
		viewer, err := r.Viewer()
		if err != nil {
			return web.Response{}, err
		}
		f.Viewer, f.CSRF = viewer, csrfToken(r.secret())
		f.Nav = navigation(viewer, v.Section)
	}
	if name == "frame" {
		f.Flash = r.flash(&resp)
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, name, &f); err != nil {
		return web.Response{}, fmt.Errorf("page: %s: %w", name, err)
	}
	resp.Body = out.Bytes()
	return resp, nil
}

// theme is a value of the theme's cookie that is known; "" is the system's.
func theme(value string) string {
	if value == "light" || value == "dark" {
		return value
	}
	return ""
}

// setTheme keeps which of the two looks somebody wants, or neither.
func (k *Kit) setTheme(r *Request) (web.Response, error) {
	form, err := r.Form()
	if err != nil {
		return web.Response{}, err
	}
	resp := r.redirect(Next(form.Get("next")))
	r.setCookie(&resp, themeCookie, theme(form.Get("theme")), 365*24*3600)
	return resp, nil
}

// MountTheme registers the form of the look.
func (k *Kit) MountTheme() { k.PostOpen("/theme", k.setTheme) }

// problem is what the page for an error shows.
type problem struct {
	Heading, Text, ErrorID string
	Retry                  int // seconds
}

var problemTitles = map[int]string{
	http.StatusNotFound: "Not found", http.StatusForbidden: "No rights", http.StatusTooManyRequests: "Too many requests",
	http.StatusServiceUnavailable: "The server is busy", http.StatusConflict: "Not possible now", http.StatusUnprocessableEntity: "Not possible",
	http.StatusBadRequest: "Not possible", http.StatusMethodNotAllowed: "Not possible",
}

// errorPage renders the page for an error, without the frame's navigation when nobody is
// known to be signed in.
func (r *Request) errorPage(status int, p problem) web.Response {
	if p.Heading == "" {
		p.Heading = problemTitles[status]
	}
	if p.Heading == "" {
		p.Heading = "Something went wrong"
	}
	v := View{Title: p.Heading, Status: status, Data: p}
	if _, err := r.Viewer(); err != nil || r.secret() == "" {
		v.Bare = true
	}
	name := "problem-frame"
	if r.Partial() {
		name = "problem-part"
	}
	resp, err := r.render(r.Kit.base, name, v)
	if err != nil {
		// The frame itself cannot be shown: plain words remain.
		return web.Response{Status: status, ContentType: "text/plain; charset=utf-8", Header: headers, Body: []byte(p.Heading + "\n\n" + p.Text + "\n")}
	}
	return resp
}

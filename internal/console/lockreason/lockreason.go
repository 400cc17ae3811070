// Package lockreason is the console's pages about lock reasons: what a person is told
// who is locked out.
package lockreason

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

type pages struct{ list, form *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{list: k.Templates(files, "templates/list.html"), form: k.Templates(files, "templates/form.html")}
	k.Get("/lock-reasons", p.showList)
	k.Get("/lock-reasons/new", p.blank)
	k.Post("/lock-reasons/new", p.create)
	k.Get("/lock-reasons/{number}", p.edit)
	k.Post("/lock-reasons/{number}", p.save)
	k.Post("/lock-reasons/{number}/delete", p.erase)
}

// form is the form of a lock reason.
type form struct {
	Number      int64 // 0: a new one
	Company     int64
	Name        string
	Description string
	Version     int64
	Faults      page.Faults
}

type listView struct {
	Reasons []directory.LockReason
	Query   string
	Next    string
}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	q := r.URL.Query()
	list, err := r.Kit.Service.ListLockReasons(r.Context(), r.Call(), directory.ListQuery{Name: q.Get("q"), Limit: 100, Cursor: q.Get("cursor")})
	if err != nil {
		return web.Response{}, err
	}
	v := listView{Reasons: list.Items, Query: q.Get("q")}
	if list.Next != "" {
		v.Next = page.Link("/lock-reasons", "q", v.Query, "cursor", list.Next)
	}
	return r.Page(p.list, page.View{Title: "Lock reasons", Section: "lock-reasons", Data: v})
}

func (p *pages) show(r *page.Request, f form) (web.Response, error) {
	v := page.View{Title: "New lock reason", Section: "lock-reasons", Data: f, Crumbs: []page.Crumb{{Text: "Lock reasons", Path: "/lock-reasons"}}}
	if f.Number != 0 {
		v.Title = f.Name
	}
	if f.Faults.Any() {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.form, v)
}

func (p *pages) blank(r *page.Request) (web.Response, error) {
	company, _ := strconv.ParseInt(r.URL.Query().Get("company"), 10, 64)
	return p.show(r, form{Company: company})
}

// read reads the form as it was sent.
func read(r *page.Request) form {
	f := form{Number: r.Number("number"), Name: r.Value("name"), Description: r.Value("description")}
	f.Company, _ = strconv.ParseInt(r.Value("company"), 10, 64)
	f.Version, _ = strconv.ParseInt(r.Value("version"), 10, 64)
	return f
}

func (p *pages) refused(r *page.Request, f form, err error) (web.Response, error) {
	faults, ok := page.FaultsOf(err, nil)
	if !ok {
		return web.Response{}, err
	}
	if directory.AsError(err).Reason == directory.ReasonCompanyNotFound {
		faults = page.Faults{"company": "There is no such company."}
	}
	f.Faults = faults
	return p.show(r, f)
}

func (p *pages) create(r *page.Request) (web.Response, error) {
	f := read(r)
	reason, err := r.Kit.Service.CreateLockReason(r.Context(), r.Call(), directory.LockReason{Company: f.Company, Name: f.Name, Description: f.Description})
	if err != nil {
		return p.refused(r, f, err)
	}
	return r.Done("/lock-reasons", "Lock reason "+reason.Name+" has been made."), nil
}

func (p *pages) edit(r *page.Request) (web.Response, error) {
	reason, err := r.Kit.Service.LockReasonByNumber(r.Context(), r.Call(), r.Number("number"))
	if err != nil {
		return web.Response{}, err
	}
	return p.show(r, form{Number: reason.Number, Company: reason.Company, Name: reason.Name, Description: reason.Description, Version: reason.Version})
}

func (p *pages) save(r *page.Request) (web.Response, error) {
	f := read(r)
	call := r.Call()
	call.If = page.IfVersion(f.Version)
	if _, err := r.Kit.Service.EditLockReason(r.Context(), call, f.Number, directory.LockReasonPatch{Name: directory.Some(f.Name), Description: directory.Some(f.Description)}); err != nil {
		return p.refused(r, f, err)
	}
	return r.Done("/lock-reasons", "Saved."), nil
}

func (p *pages) erase(r *page.Request) (web.Response, error) {
	if err := r.Kit.Service.EraseLockReason(r.Context(), r.Call(), r.Number("number")); err != nil {
		return web.Response{}, err
	}
	return r.Done("/lock-reasons", "The lock reason has been deleted. Locks that name it stay."), nil
}

// Package role is the console's pages about roles and who holds them.
package role

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

type pages struct{ list, form *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{list: k.Templates(files, "templates/list.html"), form: k.Templates(files, "templates/form.html")}
	k.Get("/roles", p.showList)
	k.Get("/roles/new", p.blank)
	k.Post("/roles/new", p.create)
	k.Get("/roles/{number}", p.edit)
	k.Post("/roles/{number}", p.save)
	k.Get("/roles/{number}/members", p.members)
	k.Post("/roles/{number}/delete", p.erase)
}

type listView struct {
	Roles []directory.Role
	Query string
	Next  string
}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	q := r.URL.Query()
	list, err := r.Kit.Service.ListRoles(r.Context(), r.Call(), directory.ListQuery{Name: q.Get("q"), Limit: 100, Cursor: q.Get("cursor")})
	if err != nil {
		return web.Response{}, err
	}
	v := listView{Roles: list.Items, Query: q.Get("q")}
	if list.Next != "" {
		v.Next = page.Link("/roles", "q", v.Query, "cursor", list.Next)
	}
	return r.Page(p.list, page.View{Title: "Roles", Section: "roles", Data: v})
}

// choice is an option of a select.
type choice struct{ Value, Text string }

// ranks are the ranks that a role can give; the owner's is nobody's to give.
var ranks = []choice{{"self", "none: the holder's own record only"}, {"reader", "reader: reads everything"}, {"helpdesk", "helpdesk: resets passwords and unlocks"}, {"administrator", "administrator: everything but the owner"}}

// form is the form of a role, and its members when that is what is asked for.
type form struct {
	Number      int64 // 0: a new one
	Key         string
	Name        string
	Description string
	Company     int64
	Rank        string
	Permissions string // a line each
	Version     int64
	Ranks       []choice
	Faults      page.Faults
	Members     *directory.MemberPage
	Next        string
}

func (p *pages) show(r *page.Request, f form) (web.Response, error) {
	f.Ranks = ranks
	v := page.View{Title: "New role", Section: "roles", Data: f, Crumbs: []page.Crumb{{Text: "Roles", Path: "/roles"}}}
	if f.Number != 0 {
		v.Title = f.Name
	}
	if f.Faults.Any() {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.form, v)
}

func (p *pages) blank(r *page.Request) (web.Response, error) {
	return p.show(r, form{Rank: directory.RankSelf.String()})
}

// read reads the form as it was sent.
func read(r *page.Request) (form, directory.Rank) {
	f := form{Number: r.Number("number"), Key: r.Value("key"), Name: r.Value("name"), Description: r.Value("description"), Rank: r.Value("rank"), Permissions: r.Value("permissions")}
	f.Version, _ = strconv.ParseInt(r.Value("version"), 10, 64)
	rank, err := directory.ParseRank(f.Rank)
	if err != nil {
		f.Faults = page.Faults{"rank": directory.AsError(err).Message}
	}
	if text := strings.TrimSpace(r.Value("company")); text != "" {
		if f.Company, err = strconv.ParseInt(text, 10, 64); err != nil {
			f.Faults = page.Faults{"company": "Give the number of a company, or nothing."}
		}
	}
	return f, rank
}

// permissions are the lines of the field.
func (f *form) permissions() []string {
	list := []string{}
	for line := range strings.Lines(f.Permissions) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
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
	f, rank := read(r)
	if f.Faults.Any() {
		return p.show(r, f)
	}
	role, err := r.Kit.Service.CreateRole(r.Context(), r.Call(), directory.Role{Key: f.Key, Name: f.Name, Description: f.Description, Company: f.Company, Rank: rank, Permissions: f.permissions()})
	if err != nil {
		return p.refused(r, f, err)
	}
	return r.Done("/roles", "Role "+role.Name+" has been made."), nil
}

// formOf is a role in the form.
func formOf(role *directory.Role) form {
	return form{Number: role.Number, Key: role.Key, Name: role.Name, Description: role.Description, Company: role.Company,
		Rank: role.Rank.String(), Permissions: strings.Join(role.Permissions, "\n"), Version: role.Version}
}

func (p *pages) edit(r *page.Request) (web.Response, error) {
	role, err := r.Kit.Service.RoleByNumber(r.Context(), r.Call(), r.Number("number"))
	if err != nil {
		return web.Response{}, err
	}
	return p.show(r, formOf(&role))
}

func (p *pages) members(r *page.Request) (web.Response, error) {
	number := r.Number("number")
	list, err := r.Kit.Service.ListRoleMembers(r.Context(), r.Call(), number, 100, r.URL.Query().Get("cursor"))
	if err != nil {
		return web.Response{}, err
	}
	f := form{Number: number, Name: "Who holds the role", Members: &list}
	if list.Next != "" {
		f.Next = page.Link("/roles/"+strconv.FormatInt(number, 10)+"/members", "cursor", list.Next)
	}
	return p.show(r, f)
}

func (p *pages) save(r *page.Request) (web.Response, error) {
	f, rank := read(r)
	if f.Faults.Any() {
		return p.show(r, f)
	}
	call := r.Call()
	call.If = page.IfVersion(f.Version)
	_, err := r.Kit.Service.EditRole(r.Context(), call, f.Number, directory.RolePatch{Name: directory.Some(f.Name), Description: directory.Some(f.Description), Rank: directory.Some(rank), Permissions: directory.Some(f.permissions())})
	if err != nil {
		return p.refused(r, f, err)
	}
	return r.Done("/roles", "Saved."), nil
}

func (p *pages) erase(r *page.Request) (web.Response, error) {
	if err := r.Kit.Service.EraseRole(r.Context(), r.Call(), r.Number("number")); err != nil {
		return web.Response{}, err
	}
	return r.Done("/roles", "The role has been deleted."), nil
}

// Package group is the console's pages about groups and who is in them.
package group

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

type pages struct{ list, form, one *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{list: k.Templates(files, "templates/list.html"), form: k.Templates(files, "templates/form.html"), one: k.Templates(files, "templates/one.html")}
	k.Get("/groups", p.showList)
	k.Get("/groups/new", p.blank)
	k.Post("/groups/new", p.create)
	k.Get("/groups/{id}", p.showOne)
	k.Get("/groups/{id}/edit", p.edit)
	k.Post("/groups/{id}/edit", p.save)
	k.Post("/groups/{id}/add", p.add)
	k.Post("/groups/{id}/remove", p.remove)
	k.Post("/groups/{id}/delete", p.erase)
}

// choice is an option of a select.
type choice struct{ Value, Text string }

// kinds are the kinds of groups in words.
var kinds = []choice{{string(directory.GroupPlain), "Groups"}, {string(directory.GroupDashboard), "Dashboard groups"}, {string(directory.GroupServiceTeam), "Service teams"}}

// kindOf is a kind that is known; others are plain groups.
func kindOf(text string) directory.GroupKind {
	for _, k := range kinds {
		if k.Value == text {
			return directory.GroupKind(text)
		}
	}
	return directory.GroupPlain
}

type listView struct {
	Kinds  []choice
	Kind   string
	Query  string
	Groups []directory.GroupDetail
	Total  int64
	Next   string
}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	q := r.URL.Query()
	v := listView{Kinds: kinds, Kind: string(kindOf(q.Get("kind"))), Query: strings.TrimSpace(q.Get("q"))}
	search := directory.GroupSearch{Kind: directory.GroupKind(v.Kind), Limit: 50, Cursor: q.Get("cursor"), WantCursor: true, ByName: true}
	if key := directory.NameKey(v.Query); key != "" {
		search.MatchKey = strconv.Quote(key)
		search.Match = func(d *directory.GroupDetail) bool { return strings.Contains(directory.NameKey(d.Group.Name), key) }
	}
	found, err := r.Kit.Service.SearchGroups(r.Context(), r.Call(), search)
	if err != nil {
		return web.Response{}, err
	}
	v.Groups, v.Total = found.Groups, found.Total
	if found.Next != "" {
		v.Next = page.Link("/groups", "kind", v.Kind, "q", v.Query, "cursor", found.Next)
	}
	return r.Page(p.list, page.View{Title: "Groups", Section: "groups", Data: v})
}

// form is the form of a group.
type form struct {
	ID          string // "": a new one
	Kinds       []choice
	Kind        string
	Key         string
	Name        string
	Description string
	Version     int64
	Faults      page.Faults
}

func (p *pages) show(r *page.Request, f form) (web.Response, error) {
	f.Kinds = kinds
	v := page.View{Title: "New group", Section: "groups", Data: f, Crumbs: []page.Crumb{{Text: "Groups", Path: "/groups"}}}
	if f.ID != "" {
		v.Title = "Edit " + f.Name
		v.Crumbs = append(v.Crumbs, page.Crumb{Text: f.Name, Path: "/groups/" + f.ID})
	}
	if f.Faults.Any() {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.form, v)
}

func (p *pages) blank(r *page.Request) (web.Response, error) {
	return p.show(r, form{Kind: string(kindOf(r.URL.Query().Get("kind")))})
}

// read reads the form as it was sent.
func read(r *page.Request) form {
	f := form{ID: r.PathValue("id"), Kind: string(kindOf(r.Value("kind"))), Key: r.Value("key"), Name: r.Value("name"), Description: r.Value("description")}
	f.Version, _ = strconv.ParseInt(r.Value("version"), 10, 64)
	return f
}

func (p *pages) refused(r *page.Request, f form, err error) (web.Response, error) {
	var ok bool
	if f.Faults, ok = page.FaultsOf(err, nil); !ok {
		return web.Response{}, err
	}
	return p.show(r, f)
}

func (p *pages) create(r *page.Request) (web.Response, error) {
	f := read(r)
	d, err := r.Kit.Service.MakeGroup(r.Context(), r.Call(), directory.NewGroup{Group: directory.Group{Kind: directory.GroupKind(f.Kind), Key: f.Key, Name: f.Name, Description: f.Description}})
	if err != nil {
		return p.refused(r, f, err)
	}
	return r.Done("/groups/"+d.Group.ID, "Group "+d.Group.Name+" has been made."), nil
}

func (p *pages) edit(r *page.Request) (web.Response, error) {
	d, err := r.Kit.Service.GroupDetail(r.Context(), r.Call(), directory.GroupRef{ID: r.PathValue("id")}, false)
	if err != nil {
		return web.Response{}, err
	}
	g := &d.Group
	return p.show(r, form{ID: g.ID, Kind: string(g.Kind), Key: g.Key, Name: g.Name, Description: g.Description, Version: g.Version})
}

func (p *pages) save(r *page.Request) (web.Response, error) {
	f := read(r)
	call := r.Call()
	call.If = page.IfVersion(f.Version)
	_, err := r.Kit.Service.EditGroup(r.Context(), call, directory.GroupRef{ID: f.ID}, directory.GroupEdit{GroupPatch: directory.GroupPatch{Name: directory.Some(f.Name), Description: directory.Some(f.Description)}})
	if err != nil {
		return p.refused(r, f, err)
	}
	return r.Done("/groups/"+f.ID, "Saved."), nil
}

func (p *pages) erase(r *page.Request) (web.Response, error) {
	if err := r.Kit.Service.DeleteGroups(r.Context(), r.Call(), []directory.GroupRef{{ID: r.PathValue("id")}}); err != nil {
		return web.Response{}, err
	}
	return r.Done("/groups", "The group has been deleted."), nil
}

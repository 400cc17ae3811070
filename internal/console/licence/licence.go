// Package licence is the console's pages about licence pools: how many seats there
// are, who holds them and who waits.
package licence

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

type pages struct{ list, one *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{list: k.Templates(files, "templates/list.html"), one: k.Templates(files, "templates/one.html")}
	k.Get("/licences", p.showList)
	k.Post("/licences", p.make)
	k.Get("/licences/{type}", p.showOne)
	k.Post("/licences/{type}", p.resize)
}

type listView struct {
	Pools  []directory.Pool
	Type   string
	Total  string
	Faults page.Faults
}

// fields gives what the core calls fields their names in the forms.
var fields = map[string]string{"licence_type": "type"}

// unlimited is what a person types for a pool without a limit.
const unlimited = "unlimited"

// total reads a number of seats.
func total(text string) (int64, page.Faults) {
	if text = strings.TrimSpace(text); strings.EqualFold(text, unlimited) {
		return directory.Unlimited, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, page.Faults{"total": "Give a number of seats, or “unlimited”."}
	}
	return n, nil
}

// written is a number of seats as a person types it.
func written(n int64) string {
	if n == directory.Unlimited {
		return unlimited
	}
	return strconv.FormatInt(n, 10)
}

func (p *pages) showList(r *page.Request) (web.Response, error) { return p.listWith(r, listView{}) }

func (p *pages) listWith(r *page.Request, v listView) (web.Response, error) {
	pools, err := r.Kit.Service.Pools(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	v.Pools = pools
	view := page.View{Title: "Licences", Section: "licences", Data: v}
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.list, view)
}

func (p *pages) make(r *page.Request) (web.Response, error) {
	v := listView{Type: strings.TrimSpace(r.Value("type")), Total: r.Value("total")}
	seats, faults := total(v.Total)
	if v.Type == "" {
		faults = page.Faults{"type": "Give the licence type."}
	}
	if v.Faults = faults; faults.Any() {
		return p.listWith(r, v)
	}
	call := r.Call()
	call.If.MustNotExist = true
	if _, err := r.Kit.Service.SetPool(r.Context(), call, v.Type, seats); err != nil {
		var ok bool
		if v.Faults, ok = page.FaultsOf(err, fields); !ok {
			return web.Response{}, err
		}
		if directory.CodeOf(err) == directory.CodeStale {
			v.Faults = page.Faults{"type": "There is a pool of this type already."}
		}
		return p.listWith(r, v)
	}
	return r.Done("/licences", "The pool "+v.Type+" has been made."), nil
}

// oneView is one pool with those who hold its seats or wait for one.
type oneView struct {
	directory.PoolHolders
	Typed  string
	Reason string
	Faults page.Faults
}

func (p *pages) showOne(r *page.Request) (web.Response, error) {
	return p.oneWith(r, func(v *oneView) {})
}

// oneWith shows a pool after edit has put what was typed into it.
func (p *pages) oneWith(r *page.Request, edit func(*oneView)) (web.Response, error) {
	holders, err := r.Kit.Service.PoolHolders(r.Context(), r.Call(), r.PathValue("type"))
	if err != nil {
		return web.Response{}, err
	}
	v := oneView{PoolHolders: holders, Typed: written(holders.Pool.Total)}
	edit(&v)
	view := page.View{Title: v.Pool.Type, Section: "licences", Data: v, Crumbs: []page.Crumb{{Text: "Licences", Path: "/licences"}}}
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.one, view)
}

func (p *pages) resize(r *page.Request) (web.Response, error) {
	name := r.PathValue("type")
	seats, faults := total(r.Value("total"))
	if !faults.Any() {
		call := r.Call()
		version, _ := strconv.ParseInt(r.Value("version"), 10, 64)
		call.If, call.Reason = page.IfVersion(version), r.Value("reason")
		_, err := r.Kit.Service.SetPool(r.Context(), call, name, seats)
		if err == nil {
			return r.Done("/licences", "The pool "+name+" has "+written(seats)+" seats now."), nil
		}
		var ok bool
		if faults, ok = page.FaultsOf(err, fields); !ok {
			return web.Response{}, err
		}
	}
	return p.oneWith(r, func(v *oneView) { v.Typed, v.Reason, v.Faults = r.Value("total"), r.Value("reason"), faults })
}

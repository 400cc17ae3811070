// Package overview is the console's first page: how many people there are, who uses the
// seats, what changed, what failed.
package overview

import (
	"embed"
	"html/template"
	"strconv"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

//go:embed templates
var files embed.FS

type pages struct{ overview *template.Template }

// Mount registers the page.
func Mount(k *page.Kit) {
	p := &pages{overview: k.Templates(files, "templates/*.html")}
	k.Get("/", p.show)
}

// view is an overview as the template shows it.
type view struct {
	directory.Overview
	States []stateCount
	Pools  []poolView
	Days   int // of the bars
	Bars   chart
	All    int64 // events in those days
	Slow   bool  // the database
}

// stateCount is how many people are in a state.
type stateCount struct {
	State directory.State
	Text  string
	Count int64
}

// poolView is a pool with its line.
type poolView struct {
	directory.Pool
	Line chart
}

// stateTexts are the states in the order of the page, as people call them.
var stateTexts = []struct {
	state directory.State
	text  string
}{{directory.StateActive, "Active"}, {directory.StateStaged, "Staged"}, {directory.StateInactive, "Inactive"}, {directory.StateDeleted, "In the recycle bin"}}

func (p *pages) show(r *page.Request) (web.Response, error) {
	viewer, err := r.Viewer()
	if err != nil {
		return web.Response{}, err
	}
	if !viewer.Reads() { // there is nothing here for who sees nobody else
		return r.Redirect("/account"), nil
	}
	o, err := r.Kit.Service.Overview(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	return r.Page(p.overview, page.View{Title: "Overview", Section: "overview", Data: shown(o, r.URL.Query().Get("days"))})
}

// shown prepares an overview; days is 30 or 90.
func shown(o directory.Overview, days string) view {
	v := view{Overview: o, Days: 30, Slow: o.Health.Value.Answered > slowAnswer}
	if n, err := strconv.Atoi(days); err == nil && n == directory.OverviewDays {
		v.Days = n
	}
	for _, s := range stateTexts {
		v.States = append(v.States, stateCount{s.state, s.text, o.People[s.state]})
	}
	for _, p := range o.Pools.Value {
		v.Pools = append(v.Pools, poolView{p.Pool, line(p.Days, o.Today)})
	}
	changes := o.Changes.Value
	changes = changes[max(0, len(changes)-v.Days):]
	v.Bars = bars(changes)
	for _, d := range changes {
		v.All += d.Events
	}
	return v
}

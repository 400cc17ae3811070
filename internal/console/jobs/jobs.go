// Package jobs is the console's page about what the server does beside requests.
package jobs

import (
	"embed"
	"html/template"
	"net/url"

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
	k.Get("/jobs", p.showList)
	k.Get("/jobs/{id}", p.showOne)
	k.Post("/jobs/{id}/retry", p.retry)
	k.Post("/jobs/{id}/cancel", p.cancel)
}

// choice is an option of a select.
type choice struct{ Value, Text string }

func choices[T ~string](first string, values []T) []choice {
	list := []choice{{"", first}}
	for _, v := range values {
		list = append(list, choice{string(v), string(v)})
	}
	return list
}

var states = []directory.JobState{directory.JobWaiting, directory.JobRunning, directory.JobDone, directory.JobFailed, directory.JobCancelled}

type listView struct {
	Kinds, States []choice
	Kind, State   string
	Jobs          []directory.Job
	Next          string
}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	q := r.URL.Query()
	v := listView{Kinds: choices("all kinds", directory.JobKinds()), States: choices("all states", states), Kind: q.Get("kind"), State: q.Get("state")}
	list, err := r.Kit.Service.Jobs(r.Context(), r.Call(), directory.JobQuery{Kind: directory.JobKind(v.Kind), State: directory.JobState(v.State), Cursor: q.Get("cursor"), Limit: 50})
	if err != nil {
		return web.Response{}, err
	}
	v.Jobs = list.Jobs
	if list.Next != "" {
		v.Next = page.Link("/jobs", "kind", v.Kind, "state", v.State, "cursor", list.Next)
	}
	return r.Page(p.list, page.View{Title: "Jobs", Section: "jobs", Data: v})
}

func (p *pages) showOne(r *page.Request) (web.Response, error) {
	j, err := r.Kit.Service.Job(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	return r.Page(p.one, page.View{Title: "Job", Section: "jobs", Data: j, Crumbs: []page.Crumb{{Text: "Jobs", Path: "/jobs"}}})
}

func (p *pages) retry(r *page.Request) (web.Response, error) {
	j, err := r.Kit.Service.RedoJob(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	return r.Done("/jobs/"+url.PathEscape(j.ID), "The job will be done again."), nil
}

func (p *pages) cancel(r *page.Request) (web.Response, error) {
	j, err := r.Kit.Service.CancelJob(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	return r.Done("/jobs/"+url.PathEscape(j.ID), "The job has been cancelled."), nil
}

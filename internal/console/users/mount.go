package users

import (
	"embed"
	"html/template"

	"github.com/usher-id/usher/internal/console/page"
)

var (
	//go:embed templates
	files embed.FS
	//go:embed assets/users.js
	script []byte
)

type pages struct{ list, form, made, action, run, runs *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	k.Asset("users.js", script)
	parse := func(name string) *template.Template {
		return k.Templates(files, "templates/"+name, "templates/parts.html")
	}
	p := &pages{list: parse("list.html"), form: parse("new.html"), made: parse("made.html"), action: parse("action.html"), run: parse("run.html"), runs: parse("runs.html")}
	k.Get("/users", p.showList)
	k.Post("/users/columns", p.setColumns)
	k.Get("/users/export", p.export)
	k.Get("/users/new", p.blank)
	k.Post("/users/new", p.create)
	k.Get("/actions", p.showRuns)
	k.Get("/actions/new", p.ask)
	k.Post("/actions/new", p.start)
	k.Get("/actions/{id}", p.showRun)
	k.Post("/actions/{id}/cancel", p.cancel)
}

// Package imports is the console's pages about imports of files: sending one, saying
// what its columns are, trying it, doing it, and what became of its rows.
package imports

import (
	"embed"
	"html/template"

	"github.com/usher-id/usher/internal/console/page"
)

//go:embed templates
var files embed.FS

type pages struct{ list, send, options, run *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{list: k.Templates(files, "templates/list.html"), send: k.Templates(files, "templates/send.html"),
		options: k.Templates(files, "templates/options.html"), run: k.Templates(files, "templates/run.html")}
	k.Get("/imports", p.showList)
	k.Get("/imports/new", p.showSend)
	k.PostFile("/imports/new", p.receive)
	k.Get("/imports/{id}", p.showRun)
	k.Get("/imports/{id}/options", p.showOptions)
	k.Post("/imports/{id}/run", p.start)
	k.Post("/imports/{id}/go-on", p.goOn)
	k.Post("/imports/{id}/cancel", p.cancel)
	k.Get("/imports/{id}/rejected", p.rejected)
	k.Get("/imports/{id}/undo", p.undo)
}

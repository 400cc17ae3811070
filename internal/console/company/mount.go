package company

import (
	"embed"
	"html/template"

	"github.com/usher-id/usher/internal/console/page"
)

//go:embed templates
var files embed.FS

// pages are the package's handlers with their templates.
type pages struct {
	tree, one, company, location *template.Template
}

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{
		tree:     k.Templates(files, "templates/tree.html"),
		one:      k.Templates(files, "templates/one.html"),
		company:  k.Templates(files, "templates/company_form.html"),
		location: k.Templates(files, "templates/location_form.html"),
	}
	k.Get("/companies", p.showTree)
	k.Get("/companies/new", p.newCompany)
	k.Post("/companies/new", p.createCompany)
	k.Get("/companies/{number}", p.showCompany)
	k.Get("/companies/{number}/edit", p.editCompany)
	k.Post("/companies/{number}/edit", p.saveCompany)
	k.Post("/companies/{number}/delete", p.deleteCompany)
	k.Get("/companies/{number}/locations/new", p.newLocation)
	k.Post("/companies/{number}/locations/new", p.createLocation)
	k.Get("/locations/{number}", p.editLocation)
	k.Post("/locations/{number}", p.saveLocation)
	k.Post("/locations/{number}/delete", p.deleteLocation)
}

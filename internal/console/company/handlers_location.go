package company

import (
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// locationForm is the form of a location.
type locationForm struct {
	Number       int64 // 0: a new one
	Company      int64
	Name         string
	Headquarters bool
	Phone, Fax   string
	Address      directory.Address
	Version      int64
	Faults       page.Faults
}

func (p *pages) newLocation(r *page.Request) (web.Response, error) {
	return p.showLocation(r, locationForm{Company: r.Number("number")})
}

func (p *pages) showLocation(r *page.Request, f locationForm) (web.Response, error) {
	v := page.View{Title: "New location", Section: "companies", Data: f,
		Crumbs: []page.Crumb{{Text: "Companies", Path: "/companies"}, {Text: "Company " + strconv.FormatInt(f.Company, 10), Path: path(f.Company)}}}
	if f.Number != 0 {
		v.Title = f.Name
	}
	if f.Faults.Any() {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.location, v)
}

// readLocation reads the form as it was sent.
func readLocation(r *page.Request) locationForm {
	f := locationForm{Name: r.Value("name"), Headquarters: r.Value("headquarters") != "", Phone: r.Value("phone"), Fax: r.Value("fax"),
		Address: directory.Address{Line1: r.Value("line1"), Line2: r.Value("line2"), City: r.Value("city"), Region: r.Value("region"), Country: r.Value("country"), Zip: r.Value("zip")}}
	f.Address.Set = f.Address != directory.Address{}
	f.Version, _ = strconv.ParseInt(r.Value("version"), 10, 64)
	f.Company, _ = strconv.ParseInt(r.Value("company"), 10, 64)
	return f
}

func (p *pages) createLocation(r *page.Request) (web.Response, error) {
	f := readLocation(r)
	f.Company = r.Number("number")
	l, err := r.Kit.Service.CreateLocation(r.Context(), r.Call(), directory.Location{Company: f.Company, Name: f.Name, Headquarters: f.Headquarters, Phone: f.Phone, Fax: f.Fax, Address: f.Address})
	if err != nil {
		return p.refusedLocation(r, f, err)
	}
	return r.Done(path(l.Company), "Location "+l.Name+" has been made."), nil
}

func (p *pages) refusedLocation(r *page.Request, f locationForm, err error) (web.Response, error) {
	faults, ok := page.FaultsOf(err, nil)
	if !ok {
		return web.Response{}, err
	}
	f.Faults = faults
	return p.showLocation(r, f)
}

func (p *pages) editLocation(r *page.Request) (web.Response, error) {
	l, err := r.Kit.Service.LocationOf(r.Context(), r.Call(), directory.LocationRef{Number: r.Number("number")})
	if err != nil {
		return web.Response{}, err
	}
	return p.showLocation(r, locationForm{Number: l.Number, Company: l.Company, Name: l.Name, Headquarters: l.Headquarters, Phone: l.Phone, Fax: l.Fax, Address: l.Address, Version: l.Version})
}

func (p *pages) saveLocation(r *page.Request) (web.Response, error) {
	f := readLocation(r)
	f.Number = r.Number("number")
	call := r.Call()
	call.If = page.IfVersion(f.Version)
	l, err := r.Kit.Service.EditLocation(r.Context(), call, directory.LocationRef{Number: f.Number}, directory.LocationPatch{
		Name: directory.Some(f.Name), Headquarters: directory.Some(f.Headquarters), Phone: directory.Some(f.Phone), Fax: directory.Some(f.Fax),
		Address: func(a *directory.Address) { *a = f.Address }})
	if err != nil {
		return p.refusedLocation(r, f, err)
	}
	return r.Done(path(l.Company), "Saved."), nil
}

func (p *pages) deleteLocation(r *page.Request) (web.Response, error) {
	company, _ := strconv.ParseInt(r.Value("company"), 10, 64)
	if err := r.Kit.Service.DeleteLocation(r.Context(), r.Call(), directory.LocationRef{Number: r.Number("number")}); err != nil {
		return web.Response{}, err
	}
	return r.Done(path(company), "The location has been deleted."), nil
}

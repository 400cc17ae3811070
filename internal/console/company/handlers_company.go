package company

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// companyForm is the form of a company.
type companyForm struct {
	Number  int64 // 0: a new one
	Name    string
	Website string
	Parent  int64
	Version int64
	Faults  page.Faults
}

// fields gives what the core calls fields their names in the forms.
var fields = map[string]string{"company": "parent", "attributes": ""}

func reference(r *page.Request) directory.CompanyRef {
	return directory.CompanyRef{Number: r.Number("number")}
}

// path is where a company is shown.
func path(number int64) string { return "/companies/" + strconv.FormatInt(number, 10) }

func (p *pages) showCompany(r *page.Request) (web.Response, error) {
	sum, err := r.Kit.Service.SummariseCompany(r.Context(), r.Call(), reference(r))
	if err != nil {
		return web.Response{}, err
	}
	crumbs := []page.Crumb{{Text: "Companies", Path: "/companies"}}
	for _, c := range sum.Above {
		crumbs = append(crumbs, page.Crumb{Text: c.Name, Path: path(c.Number)})
	}
	return r.Page(p.one, page.View{Title: sum.Company.Name, Section: "companies", Crumbs: crumbs, Data: sum})
}

func (p *pages) newCompany(r *page.Request) (web.Response, error) {
	parent, _ := strconv.ParseInt(r.URL.Query().Get("parent"), 10, 64)
	return p.showForm(r, companyForm{Parent: parent})
}

func (p *pages) showForm(r *page.Request, f companyForm) (web.Response, error) {
	v := page.View{Title: "New company", Section: "companies", Data: f, Crumbs: []page.Crumb{{Text: "Companies", Path: "/companies"}}}
	if f.Number != 0 {
		v.Title = "Edit " + f.Name
		v.Crumbs = append(v.Crumbs, page.Crumb{Text: f.Name, Path: path(f.Number)})
	}
	if f.Faults.Any() {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.company, v)
}

// readCompany reads the form as it was sent.
func readCompany(r *page.Request) companyForm {
	f := companyForm{Number: r.Number("number"), Name: r.Value("name"), Website: r.Value("website")}
	f.Version, _ = strconv.ParseInt(r.Value("version"), 10, 64)
	if text := r.Value("parent"); text != "" {
		parent, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			f.Faults = page.Faults{"parent": "Give the number of a company, or nothing for a root."}
		}
		f.Parent = parent
	}
	return f
}

func (p *pages) createCompany(r *page.Request) (web.Response, error) {
	f := readCompany(r)
	if f.Faults.Any() {
		return p.showForm(r, f)
	}
	c, err := r.Kit.Service.CreateCompany(r.Context(), r.Call(), directory.Company{Name: f.Name, Website: f.Website, Parent: f.Parent})
	if err != nil {
		return p.refused(r, f, err)
	}
	return r.Done(path(c.Number), fmt.Sprintf("Company %s has been made.", c.Name)), nil
}

// refused shows the form with what the core found wrong with it.
func (p *pages) refused(r *page.Request, f companyForm, err error) (web.Response, error) {
	faults, ok := page.FaultsOf(err, fields)
	if !ok {
		return web.Response{}, err
	}
	if directory.AsError(err).Reason == directory.ReasonCompanyNotFound && f.Number == 0 {
		faults = page.Faults{"parent": "There is no such company."}
	}
	f.Faults = faults
	return p.showForm(r, f)
}

func (p *pages) editCompany(r *page.Request) (web.Response, error) {
	c, err := r.Kit.Service.CompanyOf(r.Context(), r.Call(), reference(r))
	if err != nil {
		return web.Response{}, err
	}
	return p.showForm(r, companyForm{Number: c.Number, Name: c.Name, Website: c.Website, Version: c.Version})
}

func (p *pages) saveCompany(r *page.Request) (web.Response, error) {
	f := readCompany(r)
	call := r.Call()
	call.If = page.IfVersion(f.Version)
	c, err := r.Kit.Service.UpdateCompany(r.Context(), call, reference(r), directory.CompanyPatch{Name: directory.Some(f.Name), Website: directory.Some(f.Website)})
	if err != nil {
		return p.refused(r, f, err)
	}
	return r.Done(path(c.Number), "Saved."), nil
}

func (p *pages) deleteCompany(r *page.Request) (web.Response, error) {
	if err := r.Kit.Service.DeleteCompany(r.Context(), r.Call(), reference(r)); err != nil {
		return web.Response{}, err
	}
	return r.Done("/companies", "The company has been deleted."), nil
}

package smartapp

import (
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// createCompany makes a company with its locations, or with one that is its
// headquarters (dossier 3.10).
func createCompany(d *door, x *exchange) (web.Response, error) {
	body, err := x.body(d)
	if err != nil {
		return x.refuse(d, err)
	}
	in := &input{values: &values{body: body}}
	company, locations := in.company()
	if err := in.err(); err != nil {
		return x.refuse(d, err)
	}
	return companyResponse(d.svc.CreateSite(x.req.Context(), &x.call, company, locations))
}

func getCompany(d *door, x *exchange) (web.Response, error) {
	ref, err := x.company(d)
	if err != nil {
		return x.refuse(d, err)
	}
	return companyResponse(d.svc.CompanyDetail(x.req.Context(), &x.call, ref))
}

// company is the company that a request is about.
func (x *exchange) company(d *door) (directory.CompanyRef, error) {
	v, err := x.values(d)
	if err != nil {
		return directory.CompanyRef{}, err
	}
	id, err := v.id("companyUniqueID")
	return directory.CompanyRef{ID: id}, err
}

func getCompanyByName(d *door, x *exchange) (web.Response, error) {
	v, err := x.values(d)
	if err != nil {
		return x.refuse(d, err)
	}
	name, err := v.one(nameField, "name")
	if err != nil {
		return x.refuse(d, err)
	}
	return companyResponse(d.svc.CompanyDetail(x.req.Context(), &x.call, directory.CompanyRef{Name: name}))
}

func companyResponse(detail directory.CompanyDetail, err error) (web.Response, error) {
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(appendCompany(make([]byte, 0, 512+640*len(detail.Locations)), &detail))
}

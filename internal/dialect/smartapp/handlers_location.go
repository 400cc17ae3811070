package smartapp

import (
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// createLocation makes a location of a company; the vendor's page asks for the
// company's id (dossier 3.13).
func createLocation(d *door, x *exchange) (web.Response, error) {
	body, err := x.body(d)
	if err != nil {
		return x.refuse(d, err)
	}
	in := &input{values: &values{body: body}}
	company, err := in.values.one(directory.FieldCompany.String(), "companyUniqueID")
	if err != nil {
		return x.refuse(d, err)
	}
	location := in.location()
	if err := in.err(); err != nil {
		return x.refuse(d, err)
	}
	return locationResponse(d.svc.AddLocation(x.req.Context(), &x.call, directory.CompanyRef{ID: company}, location))
}

func getLocation(d *door, x *exchange) (web.Response, error) {
	v, err := x.values(d)
	if err != nil {
		return x.refuse(d, err)
	}
	id, err := v.id()
	if err != nil {
		return x.refuse(d, err)
	}
	return locationResponse(d.svc.LocationByID(x.req.Context(), &x.call, id))
}

// listLocations lists the locations of a company in order of creation (dossier
// 3.15).
func listLocations(d *door, x *exchange) (web.Response, error) {
	ref, err := x.company(d)
	if err != nil {
		return x.refuse(d, err)
	}
	detail, err := d.svc.CompanyDetail(x.req.Context(), &x.call, ref)
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(appendLocations(make([]byte, 0, 64+640*len(detail.Locations)), &detail))
}

// updateLocation changes the fields that the query or the body names (dossier
// 3.16).
func updateLocation(d *door, x *exchange) (web.Response, error) {
	v, err := x.values(d)
	if err != nil {
		return x.refuse(d, err)
	}
	id, err := v.id()
	if err != nil {
		return x.refuse(d, err)
	}
	in := &input{values: v}
	patch := in.locationPatch()
	if err := in.err(); err != nil {
		return x.refuse(d, err)
	}
	return locationResponse(d.svc.UpdateLocation(x.req.Context(), &x.call, id, patch))
}

func locationResponse(detail directory.LocationDetail, err error) (web.Response, error) {
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(appendLocation(make([]byte, 0, 640), &detail.Location, detail.Company.ID, &detail.Owner))
}

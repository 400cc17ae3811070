package servicemobility

import (
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// entityResponse answers with a User Entity object.
func entityResponse(t *directory.Tenant) (web.Response, error) {
	return jsonResponse(http.StatusOK, appendEntity(make([]byte, 0, 512), t))
}

// getUserEntity answers with the user's tenant, which is the same for all of its
// users (dossier 4.4).
func getUserEntity(d *door, x *exchange) (web.Response, error) {
	tenant, err := d.svc.UserEntity(x.req.Context(), &x.call, x.user(0))
	if err != nil {
		return web.Response{}, err
	}
	return entityResponse(&tenant)
}

func putUserEntity(d *door, x *exchange) (web.Response, error) {
	e, err := read(d, x, readUserEntity)
	if err != nil {
		return web.Response{}, err
	}
	_, err = d.svc.SetEntity(x.req.Context(), &x.call, directory.Some(x.user(0)), e.json())
	return d.done(err)
}

// listEntities lists what the caller can see: its own tenant.
func listEntities(d *door, x *exchange) (web.Response, error) {
	tenant, err := d.svc.Entity(x.req.Context(), &x.call)
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, append(appendEntity([]byte{'['}, &tenant), ']'))
}

// ownEntity reads the caller's tenant, if it is the one of the path: any other
// does not exist for the caller.
func (x *exchange) ownEntity(d *door) (directory.Tenant, error) {
	tenant, err := d.svc.Entity(x.req.Context(), &x.call)
	if err == nil && !strings.EqualFold(tenant.ID, x.ids[0]) {
		err = directory.Wrong(directory.CodeNotFound, directory.ReasonTenantNotFound, "Tenant not found.")
	}
	return tenant, err
}

func getEntity(d *door, x *exchange) (web.Response, error) {
	tenant, err := x.ownEntity(d)
	if err != nil {
		return web.Response{}, err
	}
	return entityResponse(&tenant)
}

func putEntity(d *door, x *exchange) (web.Response, error) {
	e, err := read(d, x, readEntity)
	if err != nil {
		return web.Response{}, err
	}
	_, err = d.svc.SetEntityOf(x.req.Context(), &x.call, x.ids[0], e.json())
	return d.done(err)
}

// textOperator is what a caller is told who would make or erase a tenant: that
// is the business of who runs the server, on its command line (dossier 3.3).
const textOperator = "Entities are made and taken away by the operator of this server, with its command line."

func createEntity(d *door, x *exchange) (web.Response, error) {
	return x.refuse(d, directory.Wrong(directory.CodeConflict, directory.ReasonOperatorOnly, textOperator))
}

func deleteEntity(d *door, x *exchange) (web.Response, error) {
	_, err := x.ownEntity(d)
	if err == nil {
		err = directory.Wrong(directory.CodeConflict, directory.ReasonOperatorOnly, textOperator)
	}
	return web.Response{}, err
}

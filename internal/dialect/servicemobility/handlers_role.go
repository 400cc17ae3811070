package servicemobility

import (
	"net/http"

	"github.com/usher-id/usher/internal/web"
)

func getRole(d *door, x *exchange) (web.Response, error) {
	role, err := d.svc.RoleByKey(x.req.Context(), &x.call, x.ids[0])
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendRole(nil, &role))
}

// putRole makes or replaces a role. What its permissions mean is the business
// of the vendor's other services; the rank of a role that exists stays.
func putRole(d *door, x *exchange) (web.Response, error) {
	role, err := read(d, x, readRole)
	if err != nil {
		return web.Response{}, err
	}
	_, _, err = d.svc.PutRole(x.req.Context(), &x.call, role)
	return d.done(err)
}

func deleteRole(d *door, x *exchange) (web.Response, error) {
	return d.done(d.svc.DeleteRole(x.req.Context(), &x.call, x.ids[0]))
}

func getRoleUsers(d *door, x *exchange) (web.Response, error) {
	users, err := d.svc.RoleMembers(x.req.Context(), &x.call, x.ids[0])
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendList(nil, `"Users":`, userIDs(users)))
}

func setRoleUsers(d *door, x *exchange) (web.Response, error) {
	ids, err := read(d, x, readUsers)
	if err != nil {
		return web.Response{}, err
	}
	return d.done(d.svc.SetRoleMembers(x.req.Context(), &x.call, x.ids[0], usersOf(ids)))
}

// giveRole has no body in the vendor's table; what a client sends is not read.
func giveRole(d *door, x *exchange) (web.Response, error) {
	return d.done(d.svc.GiveRole(x.req.Context(), &x.call, x.user(1), x.ids[0]))
}

func takeRole(d *door, x *exchange) (web.Response, error) {
	return d.done(d.svc.TakeRole(x.req.Context(), &x.call, x.user(1), x.ids[0]))
}

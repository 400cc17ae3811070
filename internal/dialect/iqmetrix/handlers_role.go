package iqmetrix

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

func listRoles(d *door, x *exchange) (web.Response, error) {
	roles, err := d.svc.Roles(x.req.Context(), &x.call, x.at.number(0))
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendArray(nil, roles, appendRole))
}

func getRole(d *door, x *exchange) (web.Response, error) {
	role, err := d.svc.Role(x.req.Context(), &x.call, x.at.number(0), x.at.number(1))
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendRole(nil, &role))
}

// createRole makes a role that grants nothing in the directory itself: what it
// grants elsewhere is the vendor's permissions, which this door does not hold.
func createRole(d *door, x *exchange) (web.Response, error) {
	role := directory.Role{Company: x.at.number(0)}
	object, err := x.object(d)
	if err == nil {
		var f faults
		role.Name = f.requiredText(object, "Name")
		err = f.err()
	}
	if err != nil {
		return x.refuseCompany(d, err)
	}
	made, err := d.svc.CreateRole(x.req.Context(), &x.call, role)
	if err != nil {
		return web.Response{}, nameTaken(err, "SecurityRole", role.Name, role.Company)
	}
	return jsonResponse(http.StatusCreated, appendRole(nil, &made))
}

func listAssignedRoles(d *door, x *exchange) (web.Response, error) {
	roles, err := d.svc.UserRoles(x.req.Context(), &x.call, x.user())
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendArray(nil, roles, appendAssignedRole))
}

// assignRole answers 201, or 200 when the user has the role already (security
// roles page).
func assignRole(d *door, x *exchange) (web.Response, error) {
	object, err := x.object(d)
	if err != nil {
		return x.refuse(d, err)
	}
	var f faults
	company := f.requiredNumber(object, "EntityId")
	role := f.requiredNumber(object, "SecurityRoleId")
	if err := f.err(); err != nil {
		return x.refuse(d, err)
	}
	assigned, isNew, err := d.svc.AssignRole(x.req.Context(), &x.call, x.user(), role, company)
	if directory.IsReason(err, directory.ReasonCompanyNotFound) {
		// A company in a body is input; only one in the path is 404.
		f.add("EntityId", directory.ReasonCompanyNotFound, "EntityId must be the identifier of a company")
		err = f.err()
	}
	if err != nil {
		return web.Response{}, err
	}
	status := http.StatusOK
	if isNew {
		status = http.StatusCreated
	}
	return jsonResponse(status, appendAssignedRole(nil, &assigned))
}

func unassignRole(d *door, x *exchange) (web.Response, error) {
	if err := d.svc.UnassignRole(x.req.Context(), &x.call, x.user(), x.at.number(1)); err != nil {
		return web.Response{}, err
	}
	return emptyResponse(http.StatusNoContent)
}

package iqmetrix

import (
	"net/http"

	"github.com/usher-id/usher/internal/web"
)

// assignLocation has no body in the seed; what a client sends is not read.
// Assigning again changes nothing (dossier 5.25).
func assignLocation(d *door, x *exchange) (web.Response, error) {
	if err := d.svc.AssignLocation(x.req.Context(), &x.call, x.user(), x.at.number(1)); err != nil {
		return web.Response{}, err
	}
	return emptyResponse(http.StatusNoContent)
}

func unassignLocation(d *door, x *exchange) (web.Response, error) {
	if err := d.svc.UnassignLocation(x.req.Context(), &x.call, x.user(), x.at.number(1)); err != nil {
		return web.Response{}, err
	}
	return emptyResponse(http.StatusNoContent)
}

func getLocations(d *door, x *exchange) (web.Response, error) {
	user, locations, err := d.svc.UserLocations(x.req.Context(), &x.call, x.user())
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendLocations(nil, user, locations))
}

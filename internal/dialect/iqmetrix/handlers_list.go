package iqmetrix

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// activeOnly is what the two envelope lists show (seed, the notes of both).
var activeOnly = directory.StatesOf(directory.StateActive)

// refuseCompany is refuse for a path that names a company.
func (x *exchange) refuseCompany(d *door, err error) (web.Response, error) {
	if _, refused := d.svc.Company(x.req.Context(), &x.call, x.at.number(0)); refused != nil {
		return web.Response{}, refused
	}
	return web.Response{}, err
}

// listUsers lists the active users of a company and of all below it; with
// $filter it finds users by ClientUserId, disabled ones too, and answers with
// a bare array (dossier 5.7, 5.8).
func listUsers(d *door, x *exchange) (web.Response, error) {
	query := x.req.Query()
	p, err := parsePage(query)
	if err != nil {
		return x.refuseCompany(d, err)
	}
	q := directory.UserQuery{Company: x.at.number(0), States: activeOnly, Skip: p.skip, Limit: p.top, WantTotal: true}
	filter, _ := query.Get("$filter")
	if filter != "" {
		if q.Filter, err = parseFilter(filter); err != nil {
			return x.refuseCompany(d, err)
		}
		q.States, q.WantTotal = directory.LivingStates, false
	}
	users, err := d.svc.Users(x.req.Context(), &x.call, q)
	if err != nil {
		return web.Response{}, err
	}
	if filter != "" {
		b := make([]byte, 0, 16+512*len(users.Users))
		return jsonResponse(http.StatusOK, appendUsers(b, users.Users, x.pictureNull()))
	}
	return x.pageResponse(linkBase(q.Company, nil), p, &users)
}

// searchUsers finds active users who have every term in their first or last
// name, user name or e-mail (dossier 5.21).
func searchUsers(d *door, x *exchange) (web.Response, error) {
	query := x.req.Query()
	terms, err := parseTerms(query)
	if err != nil {
		return x.refuseCompany(d, err)
	}
	p, err := parsePage(query)
	if err != nil {
		return x.refuseCompany(d, err)
	}
	q := directory.UserQuery{Company: x.at.number(0), States: activeOnly, Terms: terms, Skip: p.skip, Limit: p.top, WantTotal: true}
	users, err := d.svc.Users(x.req.Context(), &x.call, q)
	if err != nil {
		return web.Response{}, err
	}
	return x.pageResponse(linkBase(q.Company, terms), p, &users)
}

// pageResponse answers with the envelope.
func (x *exchange) pageResponse(base string, p page, users *directory.UserPage) (web.Response, error) {
	b := make([]byte, 0, 512+512*len(users.Users))
	return jsonResponse(http.StatusOK, appendPage(b, base, p, users, x.pictureNull()))
}

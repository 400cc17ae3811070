package iqmetrix

import (
	"net/http"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// refuse answers input that this door refuses by itself. It asks the core for
// the user that the path names instead of the operation, so that a caller
// without a valid credential learns that first, an unknown user is 404 before
// the input counts (dossier 5.24), and the request is counted.
func (x *exchange) refuse(d *door, err error) (web.Response, error) {
	if _, refused := d.svc.User(x.req.Context(), &x.call, x.user()); refused != nil {
		return web.Response{}, refused
	}
	return web.Response{}, err
}

// refuseAnywhere is refuse for a request whose path names nothing.
func (x *exchange) refuseAnywhere(d *door, err error) (web.Response, error) {
	if _, refused := d.svc.Users(x.req.Context(), &x.call, directory.UserQuery{Limit: 1}); refused != nil {
		return web.Response{}, refused
	}
	return web.Response{}, err
}

func importUser(d *door, x *exchange) (web.Response, error) {
	object, err := x.object(d)
	if err != nil {
		return x.refuseAnywhere(d, err)
	}
	in, err := newUser(object)
	if err != nil {
		return x.refuseAnywhere(d, err)
	}
	u, err := d.svc.CreateUser(x.req.Context(), &x.call, in)
	if err != nil {
		return web.Response{}, err
	}
	return x.userResponse(http.StatusCreated, &u)
}

func getUser(d *door, x *exchange) (web.Response, error) {
	u, err := d.svc.User(x.req.Context(), &x.call, x.user())
	if err != nil {
		return web.Response{}, err
	}
	return x.userResponse(http.StatusOK, &u)
}

func putUser(d *door, x *exchange) (web.Response, error) {
	object, err := x.object(d)
	if err != nil {
		return x.refuse(d, err)
	}
	patch, options, err := userUpdate(object, x.at.number(0))
	if err != nil {
		return x.refuse(d, err)
	}
	u, err := d.svc.UpdateUser(x.req.Context(), &x.call, x.user(), patch, options)
	if err != nil {
		return web.Response{}, err
	}
	return x.userResponse(http.StatusOK, &u)
}

func disableUser(d *door, x *exchange) (web.Response, error) {
	u, err := d.svc.Deactivate(x.req.Context(), &x.call, x.user())
	if err != nil {
		return web.Response{}, err
	}
	return x.userResponse(http.StatusOK, &u)
}

func enableUser(d *door, x *exchange) (web.Response, error) {
	u, err := d.svc.Activate(x.req.Context(), &x.call, x.user())
	if err != nil {
		return web.Response{}, err
	}
	return x.userResponse(http.StatusOK, &u)
}

// minTemporaryPassword is the least length of a temporary password (seed,
// ERRORS).
const minTemporaryPassword = 6

// setTemporaryPassword marks the password as one that its owner must replace.
// An absent one is as short as an empty one: "not an empty string" (seed,
// ERRORS, How to Resolve).
func setTemporaryPassword(d *door, x *exchange) (web.Response, error) {
	response, short, err := changePassword(d, x, directory.NewPassword{Temporary: true, MinLength: minTemporaryPassword})
	if short < minTemporaryPassword && directory.IsReason(err, directory.ReasonPasswordTooShort) {
		return web.Response{}, say(directory.ReasonPasswordTooShort, textTemporaryPassword)
	}
	return response, err
}

// setPassword sets a password for good (dossier 3.2: PUT of the page's history
// in 2016-01). It must not be empty, as on import.
func setPassword(d *door, x *exchange) (web.Response, error) {
	response, _, err := changePassword(d, x, directory.NewPassword{MinLength: 1})
	return response, err
}

// changePassword reads the body into p and sets it; length is the password's
// in characters.
func changePassword(d *door, x *exchange, p directory.NewPassword) (response web.Response, length int, err error) {
	object, err := x.object(d)
	if err == nil {
		var f faults
		p.Password = f.text(object, "", "Password")
		err = f.err()
	}
	if err != nil {
		response, err = x.refuse(d, err)
		return response, 0, err
	}
	length = utf8.RuneCountInString(p.Password)
	if err = d.svc.SetPassword(x.req.Context(), &x.call, x.user(), p); err != nil {
		return web.Response{}, length, err
	}
	response, err = emptyResponse(http.StatusNoContent)
	return response, length, err
}

package encore

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// refuse answers input that this door refuses by itself. It asks the core only
// whether the key is good, so that a caller without a good one learns nothing
// else and the request is counted (dossier 5.1).
func (x *exchange) refuse(d *door, err error) (web.Response, error) {
	if refused := d.svc.Admit(x.req.Context(), &x.call); refused != nil {
		return web.Response{}, refused
	}
	return web.Response{}, err
}

// activate never looks at the body: the vendor's own samples send one that is
// no JSON, under any content type (dossier 5.2).
func activate(d *door, x *exchange) (web.Response, error) {
	ref, err := x.user(d)
	if err != nil {
		return x.refuse(d, err)
	}
	u, err := d.svc.Activate(x.req.Context(), &x.call, ref)
	if err != nil {
		return web.Response{}, err
	}
	return idResponse(http.StatusOK, u.Number)
}

// deactivate says of a user who was not active that it is too late (dossier
// 5.6), while activating an active one is fine.
func deactivate(d *door, x *exchange) (web.Response, error) {
	ref, err := x.user(d)
	if err != nil {
		return x.refuse(d, err)
	}
	u, err := d.svc.Deactivate(x.req.Context(), &x.call, ref)
	if err != nil {
		return web.Response{}, err
	}
	if !x.call.Changed {
		return web.Response{}, refusal(codeAlreadyInactive)
	}
	return idResponse(http.StatusOK, u.Number)
}

// getUser reads one user. A deleted one is not found: no GET has an answer of
// 422 (dossier 5.6).
func getUser(d *door, x *exchange) (web.Response, error) {
	ref, err := x.user(d)
	if err != nil {
		return x.refuse(d, err)
	}
	detail, err := d.svc.UserDetail(x.req.Context(), &x.call, ref, directory.IncludeGroups)
	if directory.IsReason(err, directory.ReasonUserDeleted) {
		return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonUserNotFound, "User not found.").Because(err)
	}
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(appendReadUser(make([]byte, 0, 512), &detail))
}

func createUser(d *door, x *exchange) (web.Response, error) {
	in, err := x.replacement(d, true)
	if err != nil {
		return x.refuse(d, err)
	}
	u, err := d.svc.CreateUser(x.req.Context(), &x.call, in.newUser())
	if err != nil {
		return web.Response{}, err
	}
	return idResponse(http.StatusCreated, u.Number)
}

func putUser(d *door, x *exchange) (web.Response, error) {
	return updateUser(d, x, func() (*input, error) { return x.replacement(d, false) })
}

func patchUser(d *door, x *exchange) (web.Response, error) {
	return updateUser(d, x, func() (*input, error) { return x.changes(d) })
}

// updateUser reads the id before the body (dossier 5.1).
func updateUser(d *door, x *exchange, read func() (*input, error)) (web.Response, error) {
	ref, err := x.user(d)
	if err != nil {
		return x.refuse(d, err)
	}
	in, err := read()
	if err != nil {
		return x.refuse(d, err)
	}
	u, err := d.svc.UpdateUser(x.req.Context(), &x.call, ref, in.patch, in.options())
	if err != nil {
		return web.Response{}, err
	}
	return idResponse(http.StatusOK, u.Number)
}

package smartapp

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// createUser reads the body alone: no page has a creation with values in the
// query (dossier 3.1).
func createUser(d *door, x *exchange) (web.Response, error) {
	body, err := x.body(d)
	if err != nil {
		return x.refuse(d, err)
	}
	in := &input{values: &values{body: body}}
	u, err := d.svc.CreateUser(x.req.Context(), &x.call, in.newUser())
	if err != nil {
		return web.Response{}, err
	}
	return userRefResponse(&u)
}

// updateUser changes the fields that the query or the body names (dossier 3.6).
func updateUser(d *door, x *exchange) (web.Response, error) {
	in, ref, err := x.userInput(d)
	if err != nil {
		return x.refuse(d, err)
	}
	patch := in.userPatch()
	u, err := d.svc.UpdateUser(x.req.Context(), &x.call, ref, patch, directory.UpdateOptions{ClaimEmail: true, Rules: in.rules()})
	if err != nil {
		return web.Response{}, err
	}
	return userRefResponse(&u)
}

// userInput reads what a request carries and whom it is about.
func (x *exchange) userInput(d *door) (*input, directory.UserRef, error) {
	v, err := x.values(d)
	if err != nil {
		return nil, directory.UserRef{}, err
	}
	id, err := v.id("userID")
	return &input{values: v}, directory.ByID(id), err
}

func getUser(d *door, x *exchange) (web.Response, error) {
	_, ref, err := x.userInput(d)
	if err != nil {
		return x.refuse(d, err)
	}
	return x.showUser(d, ref)
}

// getUserByEmail finds only whoever holds the address as its sign-in address
// (dossier 3.9).
func getUserByEmail(d *door, x *exchange) (web.Response, error) {
	return x.showUserBy(d, directory.FieldEmail, "email", directory.HandleEmail)
}

func getUserByName(d *door, x *exchange) (web.Response, error) {
	return x.showUserBy(d, directory.FieldUserName, "userName", directory.HandleUserName)
}

func (x *exchange) showUserBy(d *door, field directory.Field, name string, kind directory.HandleKind) (web.Response, error) {
	v, err := x.values(d)
	if err != nil {
		return x.refuse(d, err)
	}
	key, err := v.one(field.String(), name)
	if err != nil {
		return x.refuse(d, err)
	}
	return x.showUser(d, directory.UserRef{Space: directory.SpaceLogin, Key: key, Kind: kind})
}

func (x *exchange) showUser(d *door, ref directory.UserRef) (web.Response, error) {
	detail, err := d.svc.UserDetail(x.req.Context(), &x.call, ref, included)
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(appendUser(make([]byte, 0, 768), &detail))
}

// listUsers lists all users but deleted ones, in order of creation (dossier
// 3.3).
func listUsers(d *door, x *exchange) (web.Response, error) {
	v := &values{query: x.req.Query()}
	skip, take, err := v.page()
	if err != nil {
		return x.refuse(d, err)
	}
	page, err := d.svc.UserDetails(x.req.Context(), &x.call, directory.UserQuery{Skip: skip, Limit: take, WantTotal: true}, included)
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(appendUsers(make([]byte, 0, 64+768*len(page.Users)), &page))
}

// activate of an active user is fine, and takes no second seat (dossier 3.4).
func activate(d *door, x *exchange) (web.Response, error) {
	_, ref, err := x.userInput(d)
	if err != nil {
		return x.refuse(d, err)
	}
	if _, err := d.svc.Activate(x.req.Context(), &x.call, ref); err != nil {
		return web.Response{}, err
	}
	return web.Response{Status: http.StatusOK}, nil
}

func deactivate(d *door, x *exchange) (web.Response, error) {
	_, ref, err := x.userInput(d)
	if err != nil {
		return x.refuse(d, err)
	}
	if _, err := d.svc.Deactivate(x.req.Context(), &x.call, ref); err != nil {
		return web.Response{}, err
	}
	return web.Response{Status: http.StatusOK}, nil
}

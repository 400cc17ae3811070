package servicemobility

import (
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// signInBody reads the body of a call that brings its own credential: there is
// no other to look at first.
func signInBody(d *door, x *exchange, convert func(*exchange, web.Object) signIn) (signIn, error) {
	x.forget()
	object, err := x.object(d)
	if err != nil {
		return signIn{}, err
	}
	in := convert(x, object)
	return in, x.faults.err()
}

// createToken signs a person in (dossier 2.1).
func createToken(d *door, x *exchange) (web.Response, error) {
	x.names = map[string]string{directory.FieldPassword.String(): "password"}
	in, err := signInBody(d, x, readCreateToken)
	if err != nil {
		return web.Response{}, err
	}
	token, err := d.svc.SignIn(x.req.Context(), &x.call, in.name, directory.Secret(in.password))
	if err != nil {
		return web.Response{}, err
	}
	return tokenResponse(`"token":`, token)
}

// impersonate lets an administrator, whose name and password are in the body,
// act as the user of the path (seed, Impersonate a specific User).
func impersonate(d *door, x *exchange) (web.Response, error) {
	in, err := signInBody(d, x, readImpersonate)
	if err != nil {
		return web.Response{}, err
	}
	token, err := d.svc.Impersonate(x.req.Context(), &x.call, x.user(0), in.name, directory.Secret(in.password))
	if err != nil {
		return web.Response{}, err
	}
	return tokenResponse(`"Token":`, token)
}

// delegate gives the caller a new token, if it holds the role (dossier 3.2).
// What a client sends in the body is not read: the vendor's page does not show
// it.
func delegate(d *door, x *exchange) (web.Response, error) {
	token, err := d.svc.Delegate(x.req.Context(), &x.call, x.ids[0], x.ids[1])
	if err != nil {
		return web.Response{}, err
	}
	return tokenResponse(`"Token":`, token)
}

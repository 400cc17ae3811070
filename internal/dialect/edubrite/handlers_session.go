package edubrite

import (
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// connect answers both steps of signing in (dossier 2.2). Without credentials
// it draws a session id; with them it opens the session, under the id that the
// client brought or a new one. Which page the client asks for does not matter.
func connect(d *door, x *exchange) (web.Response, error) {
	if err := x.read(d); err != nil {
		return web.Response{}, err
	}
	name, password := x.params.get("username"), x.params.get("password")
	answer, err := success(codeSuccess, textSuccess, nil)
	if err != nil || name == "" && password == "" {
		answer.Header = append(answer.Header, setCookie(cookieID, d.svc.NewSessionID()))
		return answer, err
	}
	id := sessionOf(x.req.Request, x.params).ID
	// The API user brings its own credential: a session is not one.
	x.call.Secret, x.call.ClientID, x.call.ActAs = directory.Secret(password), name, ""
	pair, err := d.svc.Connect(x.req.Context(), &x.call, id)
	if err != nil {
		return web.Response{}, err
	}
	if pair.ID != id {
		answer.Header = append(answer.Header, setCookie(cookieID, pair.ID))
	}
	answer.Header = append(answer.Header, setCookie(cookieInfo, pair.Info))
	return answer, nil
}

// createSession opens a session for the acting user itself, in the body and not
// in cookies: the caller hands it to that person's browser (dossier 3.4).
func createSession(d *door, x *exchange) (web.Response, error) {
	pair, err := d.svc.OpenSession(x.req.Context(), &x.call)
	if err != nil {
		return web.Response{}, err
	}
	return success(codeSuccess, textSuccess, appendSession(nil, pair))
}

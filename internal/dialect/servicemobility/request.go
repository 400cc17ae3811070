package servicemobility

import (
	"errors"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The names that a request carries beside its path and body (dossier 2.3).
const (
	tokenHeader   = "x-access-token"
	customerQuery = "customerid"
	codeQuery     = "customercode"
	notifyQuery   = "emailNotification"
)

// maxDepth is how deep a body may be nested; the vendor's own go to 5.
const maxDepth = 16

// exchange is one request on its way through a handler.
type exchange struct {
	req    *web.Request
	call   directory.Call
	ids    []string // of the path, in its order
	faults faults
	names  map[string]string // see failure
}

// exchange prepares the call of the use case: the credential is taken as it
// came, unverified.
func (d *door) exchange(r *web.Request, res *resource) *exchange {
	x := &exchange{req: r}
	var p path
	if p.parse(r.URL.EscapedPath()) {
		for i, part := range res.parts {
			if isID(part) {
				x.ids = append(x.ids, p.segments[i])
			}
		}
	}
	x.call.Door = directory.DoorServiceMobility
	x.call.ClientID, x.call.Secret = credential(r)
	x.call.Host = r.Host
	x.call.Addr = r.Event.Addr
	x.call.RequestID = r.Event.RequestID
	return x
}

// credential is the token of the header as it is, without a scheme before it;
// without one the customer's id and code of the query (dossier 2.3).
func credential(r *web.Request) (client string, secret directory.Secret) {
	if token := r.Header.Get(tokenHeader); token != "" {
		return "", directory.Secret(token)
	}
	query := r.Query()
	client, _ = query.Get(customerQuery)
	code, _ := query.Get(codeQuery)
	if client == "" {
		return "", ""
	}
	return client, directory.Secret(code)
}

// forget drops the credential of a call that brings its own in the body: the
// header is ignored there (dossier 2.4).
func (x *exchange) forget() { x.call.ClientID, x.call.Secret = "", "" }

// record fills the request's event with who turned out to have asked.
func (x *exchange) record() {
	x.req.Event.Actor, x.req.Event.OnBehalfOf = x.call.Actor.Name, x.call.Actor.OnBehalfOf
	if x.call.Actor.Tenant != 0 {
		x.req.Event.Tenant = strconv.FormatInt(int64(x.call.Actor.Tenant), 10)
	}
}

// user is the user that the path names in its place i: by user name with every
// letter's case (dossier 5.12).
func (x *exchange) user(i int) directory.UserRef { return directory.ByExactUserName(x.ids[i]) }

// object reads the request's body as one JSON object, whatever its content type
// says (dossier 2.3). Comments are no JSON (dossier 5.9).
func (x *exchange) object(d *door) (web.Object, error) {
	body, err := x.req.Body(d.opts.MaxBody)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return web.Object{}, directory.Wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge, "The body is larger than %d bytes.", d.opts.MaxBody)
	case err != nil:
		return web.Object{}, badBody("The body could not be read.", err)
	case len(body) == 0:
		return web.Object{}, badBody("The request needs a body.", nil)
	}
	object, err := web.DecodeObject(body, maxDepth)
	if err == nil {
		return object, nil
	}
	message := "The body is not valid JSON."
	switch {
	case errors.Is(err, web.ErrJSONNotObject):
		message = "The body must be a JSON object."
	case errors.Is(err, web.ErrJSONNotUTF8):
		message = "The body is not valid UTF-8."
	case errors.Is(err, web.ErrJSONTooDeep):
		message = "The body is nested too deeply."
	case errors.Is(err, web.ErrJSONTooMany):
		message = "The body has too many values."
	}
	return web.Object{}, badBody(message, err)
}

func badBody(message string, cause error) error {
	return directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "%s", message).Because(cause)
}

// refuse answers input that this door refuses by itself: the core is asked
// first, so that a caller without a valid credential, or over its limit, learns
// that and nothing else.
func (x *exchange) refuse(d *door, err error) (web.Response, error) {
	if refused := d.svc.Admit(x.req.Context(), &x.call); refused != nil {
		return web.Response{}, refused
	}
	return web.Response{}, err
}

// read reads the body into what the converter makes of it. The error has been
// through refuse.
func read[T any](d *door, x *exchange, convert func(*exchange, web.Object) T) (T, error) {
	object, err := x.object(d)
	var value T
	if err == nil {
		value = convert(x, object)
		err = x.faults.err()
	}
	if err != nil {
		_, err = x.refuse(d, err)
	}
	return value, err
}

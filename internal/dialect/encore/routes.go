package encore

import (
	"net/http"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// DefaultMaxBody is the largest request body in bytes unless Options say
// otherwise.
const DefaultMaxBody = 1 << 20

// Options are the door's settings. The zero value works.
type Options struct {
	MaxBody int64 // largest request body in bytes; 0: DefaultMaxBody
	// StrictExternalID demands use-external-id of every call that names a user
	// (dossier 5.3).
	StrictExternalID bool
	// AllowedOrigins are the origins whose pages may call from a browser, as
	// https://app.example.com; "*" and an empty list are any (dossier 5.14).
	AllowedOrigins []string
	Limits         Limits // of texts; DefaultLimits for what it leaves out
}

// handler answers one operation. Whatever it returns as an error goes through
// the error table.
type handler func(*door, *exchange) (web.Response, error)

// route is one operation: the method, the path with its key in braces, and
// where it is documented.
type route struct {
	method, pattern, source string
	handle                  handler
}

// The paths of the door.
const (
	listPattern   = "/users/v1/users"
	userPattern   = "/users/v1/users/{id}"
	activePattern = "/users/v1/users/{id}/active"
)

// routes are all operations of the door (dossier 3). There is no DELETE of a
// user: it answers as any unknown method does.
var routes = []route{
	{"PUT", activePattern, "seed, Activate user (dossier E1)", activate},
	{"DELETE", activePattern, "connector swagger, UsersController_Deactivate (dossier E2)", deactivate},
	{"GET", userPattern, "connector swagger, UsersController_Get (dossier E3)", getUser},
	{"GET", listPattern, "connector swagger, UsersController_GetUsers (dossier E4)", listUsers},
	{"POST", listPattern, "Encore portal, UsersController_Create (dossier E5)", createUser},
	{"PUT", userPattern, "connector swagger, UsersController_Update (dossier E6)", putUser},
	{"PATCH", userPattern, "connector swagger, UsersController_PartialUpdate (dossier E7)", patchUser},
}

// door is the http.Handler.
type door struct {
	svc       *directory.Service
	opts      Options
	resources map[string]*resource // by pattern
	unknown   http.Handler
}

// resource is what one pattern of path offers.
type resource struct {
	methods   []string // in the order of the table
	serve     []http.Handler
	preflight http.Handler
}

// New makes the door over a directory. It serves /users/...; any path or method
// that it does not know is answered as the vendor's gateway does.
func New(svc *directory.Service, o Options) http.Handler {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if len(o.AllowedOrigins) == 0 || slices.Contains(o.AllowedOrigins, anyOrigin) {
		o.AllowedOrigins = []string{anyOrigin}
	}
	o.Limits = o.Limits.orDefault()
	d := &door{svc: svc, opts: o, resources: map[string]*resource{}}
	d.unknown = d.adapt("unknown", unknownRoute)
	for _, rt := range routes {
		res := d.resources[rt.pattern]
		if res == nil {
			res = &resource{}
			res.preflight = d.adapt("OPTIONS "+rt.pattern, preflight(res))
			d.resources[rt.pattern] = res
		}
		res.methods = append(res.methods, rt.method)
		res.serve = append(res.serve, d.adapt(rt.method+" "+rt.pattern, rt.handle))
	}
	return d
}

// ServeHTTP finds the operation before anything else: a call that is none is
// 404 with or without a key (dossier 5.1).
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pattern, _ := parsePath(r.URL.EscapedPath())
	res := d.resources[pattern]
	if res == nil {
		d.unknown.ServeHTTP(w, r)
		return
	}
	for i, m := range res.methods {
		if m == r.Method {
			res.serve[i].ServeHTTP(w, r)
			return
		}
	}
	if r.Method == http.MethodOptions && isPreflight(r.Header) {
		res.preflight.ServeHTTP(w, r)
		return
	}
	d.unknown.ServeHTTP(w, r)
}

// adapt makes an http.Handler of an operation: it prepares the exchange, fills
// the event and tells browsers what they may read.
func (d *door) adapt(name string, handle handler) http.Handler {
	return web.Adapt(directory.DoorEncore.String(), name, func(r *web.Request) (web.Response, error) {
		x := d.exchange(r)
		response, err := handle(d, x)
		x.record()
		if err != nil {
			return web.Response{}, &failure{err: err, actor: x.call.Actor}
		}
		response.Header = d.allowOrigin(r, response.Header)
		return response, nil
	}, d.onError)
}

// unknownRoute answers a path or a method that is no operation.
func unknownRoute(*door, *exchange) (web.Response, error) {
	return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such operation.")
}

// parsePath finds the pattern of a path that is still escaped, "" for none, and
// the key in it, escaped too. Literal parts are matched without regard to case
// and one trailing slash is ignored (dossier 5.10).
func parsePath(escaped string) (pattern, id string) {
	if len(escaped) < len(listPattern) || !strings.EqualFold(escaped[:len(listPattern)], listPattern) {
		return "", ""
	}
	rest := strings.TrimSuffix(escaped[len(listPattern):], "/")
	if rest == "" {
		return listPattern, ""
	}
	if rest[0] != '/' {
		return "", ""
	}
	id, last, more := strings.Cut(rest[1:], "/")
	switch {
	case id == "":
		return "", ""
	case !more:
		return userPattern, id
	case strings.EqualFold(last, "active"):
		return activePattern, id
	}
	return "", ""
}

package servicemobility

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

// ErrorShape is one of the two bodies that the vendor publishes for errors
// (dossier 4.1).
type ErrorShape uint8

// The shapes of an error's body.
const (
	// ShapeDetail is {"code","detail":{"message","params","dataPath"}}, of the
	// page of response codes.
	ShapeDetail ErrorShape = iota
	// ShapeProblem is {"type","title","status","detail","invalidParams"}, of the
	// page "Standard Response Object".
	ShapeProblem
)

// Options are the door's settings. The zero value works.
type Options struct {
	MaxBody int64      // largest request body in bytes; 0: DefaultMaxBody
	Errors  ErrorShape // of errors, and of successes without a body of their own
	// MinPassword is the least length of a new password in characters, on top
	// of the tenant's policy; 0: 1 (dossier 5.20).
	MinPassword int
}

// handler answers one operation. Whatever it returns as an error goes through
// the error table.
type handler func(*door, *exchange) (web.Response, error)

// route is one operation: the method, the path with its ids in braces, and
// where it is documented.
type route struct {
	method, pattern, source string
	handle                  handler
}

// The paths of the door.
const (
	userPath   = "/seiapi/v3/trans/User/{UserID}"
	rolePath   = "/seiapi/v3/trans/role/{RoleID}"
	teamsPath  = "/seiapi/v3/ServiceTeam"
	teamPath   = "/seiapi/v3/ServiceTeam/{ServiceTeamID}"
	entityPath = "/saas/v3/Entity"
)

// routes are all operations of the door. Words of a path are matched without
// regard to case (dossier 5.12).
var routes = []route{
	{"GET", userPath, "seed, Retrieve the details of a specific User", getUser},
	{"PUT", userPath, "seed, Insert or Update the details of a specific User", putUser},
	{"DELETE", userPath, "seed, Delete a specific User", deleteUser},
	{"PUT", userPath + "/ResetPassword", "seed, Reset a User's Password", resetPassword},
	{"PUT", userPath + "/ChangePassword", "seed, Change a User's Password", changePassword},
	{"PUT", userPath + "/ServiceTeams", "seed, Assign Service Teams to a User", setTeams},
	{"GET", userPath + "/Entity", "seed, Retrieve the details of a specific User's Entity", getUserEntity},
	{"POST", userPath + "/impersonate", "seed, Impersonate a specific User", impersonate},

	{"PUT", userPath + "/SendResetPasswordEmail", "dossier 3.2", mailReset},
	{"PUT", userPath + "/ChangeStorageLocation", "dossier 3.2", changeStorage},
	{"GET", userPath + "/roles", "dossier 3.2", getUserRoles},
	{"POST", userPath + "/roles", "dossier 3.2", setUserRoles},
	{"PUT", userPath + "/Entity", "dossier 3.2", putUserEntity},
	{"POST", entityPath + "/{EntityID}/Roles/{RoleID}/delegate", "dossier 3.2", delegate},

	{"POST", "/createjwt", "Create JWT REST API (dossier 2.1)", createToken},
	{"POST", "/seiapi/v3/createjwt", "dossier 2.1", createToken},

	{"GET", rolePath, "Role REST API (dossier 3.3)", getRole},
	{"PUT", rolePath, "Role REST API (dossier 3.3)", putRole},
	{"DELETE", rolePath, "Role REST API (dossier 3.3)", deleteRole},
	{"GET", rolePath + "/users", "Role REST API (dossier 3.3)", getRoleUsers},
	{"PUT", rolePath + "/users", "Role REST API (dossier 3.3)", setRoleUsers},
	{"PUT", rolePath + "/user/{UserID}", "Role REST API (dossier 3.3)", giveRole},
	{"DELETE", rolePath + "/user/{UserID}", "Role REST API (dossier 3.3)", takeRole},

	{"POST", teamsPath, "Service Team REST API (dossier 3.3)", createTeam},
	{"GET", teamPath, "Service Team REST API (dossier 3.3)", getTeam},
	{"PUT", teamPath, "Service Team REST API (dossier 3.3)", putTeam},
	{"DELETE", teamPath, "Service Team REST API (dossier 3.3)", deleteTeam},
	{"GET", teamPath + "/Users", "Service Team Users REST API (dossier 3.3)", getTeamUsers},
	{"PUT", teamPath + "/Users", "Service Team Users REST API (dossier 3.3)", setTeamUsers},

	{"GET", entityPath, "Entity REST API (dossier 3.3)", listEntities},
	{"POST", entityPath, "Entity REST API (dossier 3.3)", createEntity},
	{"GET", entityPath + "/{EntityID}", "Entity REST API (dossier 3.3)", getEntity},
	{"PUT", entityPath + "/{EntityID}", "Entity REST API (dossier 3.3)", putEntity},
	{"DELETE", entityPath + "/{EntityID}", "Entity REST API (dossier 3.3)", deleteEntity},
}

// door is the http.Handler.
type door struct {
	svc       *directory.Service
	opts      Options
	resources []*resource
	unknown   http.Handler
}

// resource is what one pattern of path offers.
type resource struct {
	parts   []string // of the pattern
	methods []string // in the order of the table, for Allow
	serve   []http.Handler
	refuse  http.Handler // 405
}

// New makes the door over a directory. It serves /seiapi/..., /createjwt and
// /saas/...; any other path is answered with 404 in the door's own error shape.
func New(svc *directory.Service, o Options) http.Handler {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	o.MinPassword = max(o.MinPassword, 1)
	d := &door{svc: svc, opts: o}
	d.unknown = d.adapt("unknown", &resource{}, unknownPath)
	for _, rt := range routes {
		res := d.resource(rt.pattern)
		if res == nil {
			res = &resource{parts: strings.Split(rt.pattern[1:], "/")}
			res.refuse = d.adapt(rt.pattern, res, methodNotAllowed(res))
			d.resources = append(d.resources, res)
		}
		res.methods = append(res.methods, rt.method)
		res.serve = append(res.serve, d.adapt(rt.method+" "+rt.pattern, res, rt.handle))
	}
	return d
}

// resource is the one of a pattern, nil while there is none.
func (d *door) resource(pattern string) *resource {
	for _, res := range d.resources {
		if "/"+strings.Join(res.parts, "/") == pattern {
			return res
		}
	}
	return nil
}

// ServeHTTP finds the operation before anything else: a URL that is none is 404
// with or without a token (dossier 4.2).
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	res := d.find(r.URL.EscapedPath())
	if res == nil {
		d.unknown.ServeHTTP(w, r)
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i, m := range res.methods {
		if m == method {
			res.serve[i].ServeHTTP(w, r)
			return
		}
	}
	res.refuse.ServeHTTP(w, r)
}

// find is the resource of an escaped path, nil for none.
func (d *door) find(escaped string) *resource {
	var p path
	if !p.parse(escaped) {
		return nil
	}
	for _, res := range d.resources {
		if p.fits(res.parts) {
			return res
		}
	}
	return nil
}

// adapt makes an http.Handler of an operation: it prepares the exchange and
// fills the event.
func (d *door) adapt(name string, res *resource, handle handler) http.Handler {
	return web.Adapt(directory.DoorServiceMobility.String(), name, func(r *web.Request) (web.Response, error) {
		x := d.exchange(r, res)
		response, err := handle(d, x)
		x.record()
		if err != nil {
			return web.Response{}, &failure{err: err, values: x.faults.values, names: x.names}
		}
		return response, nil
	}, d.onError)
}

// unknownPath answers a path that is no operation.
func unknownPath(*door, *exchange) (web.Response, error) {
	return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such URL.")
}

// methodNotAllowed answers a method that a resource does not have with 405
// (dossier 5.17) and Allow (RFC 9110 section 15.5.6).
func methodNotAllowed(res *resource) handler {
	return func(d *door, _ *exchange) (web.Response, error) {
		methods := slices.Clone(res.methods)
		if slices.Contains(methods, http.MethodGet) {
			methods = append(methods, http.MethodHead)
		}
		response := d.errorResponse(http.StatusMethodNotAllowed, "The method is not supported here.", nil)
		response.Header = append(response.Header, [2]string{"Allow", strings.Join(methods, ", ")})
		return response, nil
	}
}

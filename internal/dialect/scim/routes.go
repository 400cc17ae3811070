package scim

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
	MaxBody   int64  // largest request body in bytes; 0: DefaultMaxBody
	PublicURL string // what URIs of resources begin with; "": scheme and host of the request
	HTTPS     bool   // whether the server speaks TLS, for URIs without PublicURL
}

// handler answers one operation. Whatever it returns as an error goes through
// the error table.
type handler func(*door, *exchange) (web.Response, error)

// route is one operation: the method, the path below /scim/v2 with {id} for a
// key, and where it is documented.
type route struct {
	method, pattern, source string
	handle                  handler
}

// userRoutes are the operations on users and on the server as a whole. Literal
// parts of a path are matched without regard to case (dossier 5.1).
var userRoutes = []route{
	{"GET", "/Users/{id}", "RFC 7644 section 3.4.1", getUser},
	{"PUT", "/Users/{id}", "RFC 7644 section 3.5.1", replaceUser},
	{"PATCH", "/Users/{id}", "RFC 7644 section 3.5.2", patchUser},
	{"DELETE", "/Users/{id}", "RFC 7644 section 3.6", deleteUser},
	{"GET", "/Users", "RFC 7644 section 3.4.2", listUsers},
	{"POST", "/Users", "RFC 7644 section 3.3", createUser},
	{"POST", "/Users/.search", "RFC 7644 section 3.4.3", searchUsers},

	{"GET", "/Me", "RFC 7644 section 3.11", getUser},
	{"PUT", "/Me", "RFC 7644 section 3.11", replaceUser},
	{"PATCH", "/Me", "RFC 7644 section 3.11", patchUser},
	{"DELETE", "/Me", "RFC 7644 section 3.11", deleteUser},

	{"GET", "/ServiceProviderConfig", "RFC 7644 section 4", discover},
	{"GET", "/ResourceTypes", "RFC 7644 section 4", discover},
	{"GET", "/ResourceTypes/{id}", "RFC 7644 section 4", discover},
	{"GET", "/Schemas", "RFC 7644 section 4", discover},
	{"GET", "/Schemas/{id}", "RFC 7644 section 4", discover},
}

// routes are all operations of the door.
var routes = slices.Concat(userRoutes, groupRoutes, rootRoutes)

// door is the http.Handler.
type door struct {
	svc       *directory.Service
	opts      Options
	endpoints []endpoint
	unknown   http.Handler
}

// endpoint is what one path offers.
type endpoint struct {
	first, second string // segments; second is "" for none, "{id}" for a key
	methods       []string
	serve         []http.Handler
	refuse        http.Handler // 405
}

// New makes the door over a directory. It serves /scim/v2/...; any other path
// is answered with 404 in the door's own error shape.
func New(svc *directory.Service, o Options) http.Handler {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	d := &door{svc: svc, opts: o}
	d.unknown = d.adapt(route{method: "ANY", pattern: "unknown", handle: unknownPath})
	for _, rt := range routes {
		first, second, _ := strings.Cut(strings.TrimPrefix(rt.pattern, "/"), "/")
		at := slices.IndexFunc(d.endpoints, func(e endpoint) bool { return e.first == first && e.second == second })
		if at < 0 {
			at = len(d.endpoints)
			d.endpoints = append(d.endpoints, endpoint{first: first, second: second})
		}
		e := &d.endpoints[at]
		e.methods = append(e.methods, rt.method)
		e.serve = append(e.serve, d.adapt(rt))
	}
	for i := range d.endpoints {
		e := &d.endpoints[i]
		methods := slices.Clone(e.methods)
		if slices.Contains(methods, http.MethodGet) {
			methods = append(methods, http.MethodHead)
		}
		allow := strings.Join(methods, ", ")
		e.refuse = d.adapt(route{method: "ANY", pattern: "/" + strings.TrimSuffix(e.first+"/"+e.second, "/"),
			handle: func(*door, *exchange) (web.Response, error) { return notAllowed(allow), nil }})
	}
	return d
}

// ServeHTTP finds the operation. It is on the path of every request: a few
// comparisons, no allocation.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, second, ok := segmentsOf(r.URL.Path)
	e := d.endpoint(first, second)
	if !ok || e == nil {
		d.unknown.ServeHTTP(w, r)
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if at := slices.Index(e.methods, method); at >= 0 {
		e.serve[at].ServeHTTP(w, r)
		return
	}
	e.refuse.ServeHTTP(w, r)
}

// endpoint finds what a path offers; a literal segment comes before a key.
func (d *door) endpoint(first, second string) *endpoint {
	var keyed *endpoint
	for i := range d.endpoints {
		e := &d.endpoints[i]
		switch {
		case !strings.EqualFold(e.first, first):
		case strings.EqualFold(e.second, second):
			return e
		case e.second == keySegment && second != "":
			keyed = e
		}
	}
	return keyed
}

// keySegment stands in a pattern for the key of a resource.
const keySegment = "{id}"

// segmentsOf splits a decoded path into the one or two segments below
// /scim/v2; ok is false for any other path. One trailing slash is ignored.
func segmentsOf(path string) (first, second string, ok bool) {
	const base = "/scim/v2"
	if len(path) < len(base) || !strings.EqualFold(path[:len(base)], base) {
		return "", "", false
	}
	rest := path[len(base):]
	if rest == "" || rest == "/" {
		return "", "", true
	}
	if rest[0] != '/' {
		return "", "", false
	}
	rest = strings.TrimSuffix(rest[1:], "/")
	first, second, _ = strings.Cut(rest, "/")
	return first, second, !strings.Contains(second, "/")
}

// adapt makes an http.Handler of an operation: it prepares the exchange and
// fills the event.
func (d *door) adapt(rt route) http.Handler {
	name := rt.method + " /scim/v2" + rt.pattern
	if rt.method == "ANY" {
		name = rt.pattern
	}
	return web.Adapt(directory.DoorSCIM.String(), name, func(r *web.Request) (web.Response, error) {
		x := d.exchange(r)
		response, err := rt.handle(d, x)
		x.record()
		return response, err
	}, onError)
}

// unknownPath answers a path that is no operation.
func unknownPath(*door, *exchange) (web.Response, error) {
	return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such resource.")
}

// discover answers a request for one of the discovery documents.
func discover(d *door, x *exchange) (web.Response, error) {
	first, second, _ := segmentsOf(x.req.URL.Path)
	for _, e := range d.endpoints {
		if strings.EqualFold(e.first, first) {
			first = e.first
		}
	}
	return discovery{base: x.base(), maxBody: d.opts.MaxBody}.answer(x.req, first, second)
}

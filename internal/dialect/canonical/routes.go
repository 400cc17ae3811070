package canonical

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// DefaultMaxBody is the largest request body in bytes unless Options say
// otherwise.
const DefaultMaxBody = 1 << 20

// Options are the door's settings. The zero value works.
type Options struct {
	MaxBody int64            // largest request body in bytes; 0: DefaultMaxBody
	Now     func() time.Time // for RateLimit; nil: time.Now
	// PublicURL is what the source of CloudEvents begins with, without a slash at the
	// end; "": they name the path alone.
	PublicURL string
	// SCIM makes what writes exports as SCIM resources, which another door knows; nil:
	// there is no such format.
	SCIM func(io.Writer) bulk.Writer
}

// prefix is where the door's paths begin.
const prefix = "/api/v1"

// door is the http.Handler.
type door struct {
	svc      *directory.Service
	opts     Options
	api      huma.API
	routes   []*route
	tree     node
	unknown  http.Handler
	document func() []byte // openapi.json, written when it is first read
}

// route is one operation as it is served.
type route struct {
	op       operation
	segments []string // of the path, parameters as "{name}"
	query    map[string]queryParam
	media    []string // of the request body; none: it has no body
	serve    func(*exchange) (web.Response, error)
	handler  http.Handler
}

// node is a place in the tree of paths.
type node struct {
	literal map[string]*node
	param   *node
	methods []string // in the order of registration, for Allow
	routes  []*route // of methods
	refuse  http.Handler
}

// New makes the door over a directory. It serves /api/v1/...; any other path is
// answered with 404.
func New(svc *directory.Service, o Options) http.Handler { return newDoor(svc, o) }

func newDoor(svc *directory.Service, o Options) *door {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &door{svc: svc, opts: o}
	d.api = newAPI(d)
	d.unknown = d.adapt("unknown", unknownPath)
	for _, table := range tables {
		table(d)
	}
	for _, r := range d.routes {
		d.mount(r)
	}
	d.tree.seal(d)
	d.document = sync.OnceValue(func() []byte { return describe(d.api.OpenAPI()) })
	return d
}

// tables register the operations, in the order of the documentation.
var tables = []func(*door){
	registerUserList,
	registerExport,
	registerUsers,
	registerActions,
	registerPasswords,
	registerMemberships,
	registerHolds,
	registerUserSessions,
	registerHistory,
	registerMe,
	registerGroups,
	registerCompanies,
	registerLocations,
	registerRoles,
	registerCredentials,
	registerTenant,
	registerLockReasons,
	registerPools,
	registerSessions,
	registerEvents,
	registerWebhooks,
	registerWebhookActions,
	registerJobs,
	registerImports,
	registerBulkActions,
	registerDescription,
}

// mount puts a route into the tree.
func (d *door) mount(r *route) {
	at := &d.tree
	for _, segment := range r.segments {
		next := at.literal[segment]
		switch {
		case segment[0] == '{':
			if at.param == nil {
				at.param = &node{}
			}
			next = at.param
		case next == nil:
			if at.literal == nil {
				at.literal = map[string]*node{}
			}
			next = &node{}
			at.literal[segment] = next
		}
		at = next
	}
	if slices.Contains(at.methods, r.op.method) {
		panic("canonical: " + r.op.method + " " + r.op.path + " is registered twice")
	}
	r.handler = d.adapt(r.op.method+" "+prefix+r.op.path, func(x *exchange) (web.Response, error) {
		x.route = r
		return d.run(x)
	})
	at.methods, at.routes = append(at.methods, r.op.method), append(at.routes, r)
}

// seal makes the answers to methods that a place does not have.
func (n *node) seal(d *door) {
	if len(n.routes) > 0 {
		n.refuse = d.adapt(prefix+n.routes[0].op.path, methodNotAllowed(n.methods))
	}
	for _, next := range n.literal {
		next.seal(d)
	}
	if n.param != nil {
		n.param.seal(d)
	}
}

// ServeHTTP finds the operation. It is on the path of every request: no
// allocation.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := d.tree.find(pathOf(r.URL))
	if at == nil || len(at.routes) == 0 {
		d.unknown.ServeHTTP(w, r)
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i, m := range at.methods {
		if m == method {
			at.routes[i].handler.ServeHTTP(w, r)
			return
		}
	}
	at.refuse.ServeHTTP(w, r)
}

// pathOf is a request's path behind the prefix, escaped where it holds an escaped
// slash or the like; "" for one that is not the door's.
func pathOf(u *url.URL) string {
	path := u.Path
	if u.RawPath != "" {
		path = u.RawPath
	}
	rest, ok := strings.CutPrefix(path, prefix+"/")
	if !ok {
		return ""
	}
	return rest
}

// find goes down the tree; a literal segment wins over a parameter.
func (n *node) find(path string) *node {
	for path != "" {
		segment, rest, more := strings.Cut(path, "/")
		if segment == "" || more && rest == "" {
			return nil
		}
		next := n.literal[segment]
		if next == nil {
			next = n.param
		}
		if next == nil {
			return nil
		}
		n, path = next, rest
	}
	return n
}

// unknownPath answers a path that is no operation.
func unknownPath(*exchange) (web.Response, error) {
	return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such resource.")
}

// methodNotAllowed answers a method that a resource does not have with 405 and
// Allow (RFC 9110 section 15.5.6).
func methodNotAllowed(methods []string) func(*exchange) (web.Response, error) {
	allowed := slices.Clone(methods)
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	allow := strings.Join(allowed, ", ")
	return func(x *exchange) (web.Response, error) {
		x.req.Event.Code, x.req.Event.Reason = string(directory.CodeUnsupported), string(directory.ReasonMethod)
		p := problem{Type: problemType(directory.ReasonMethod), Title: http.StatusText(http.StatusMethodNotAllowed),
			Status: http.StatusMethodNotAllowed, Detail: "This resource has the methods " + allow + ".",
			Code: string(directory.CodeUnsupported), Reason: string(directory.ReasonMethod)}
		response := p.response()
		response.Header = append(response.Header, [2]string{"Allow", allow})
		return response, nil
	}
}

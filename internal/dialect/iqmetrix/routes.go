package iqmetrix

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// DefaultMaxBody is the largest request body in bytes unless Options say
// otherwise.
const DefaultMaxBody = 1 << 20

// Options are the door's settings. The zero value works.
type Options struct {
	MaxBody   int64            // largest request body in bytes; 0: DefaultMaxBody
	Version   string           // ApplicationVersion of ping; "": "0.0.0.0"
	DBVersion int64            // DbVersion of ping: the schema's number
	Now       func() time.Time // for X-RateLimit-ResetSeconds; nil: time.Now
}

// handler answers one operation. Whatever it returns as an error goes through
// the error table.
type handler func(*door, *exchange) (web.Response, error)

// route is one operation: the method, the path with its keys in braces, and
// where it is documented.
type route struct {
	method, pattern, source string
	handle                  handler
}

// routes are all operations of the door. Literal parts are matched without
// regard to case (dossier 5.9).
var routes = []route{
	{"POST", "/v1/Users/importExisting", "seed, Importing an Existing User", importUser},
	{"GET", "/v1/Users({UserId})", "seed, GET a User", getUser},
	{"PUT", "/v1/Users({UserId})", "seed, PUT a User", putUser},
	{"DELETE", "/v1/Users({UserId})", "seed, Disabling a User", disableUser},
	{"POST", "/v1/Users({UserId})/Enable", "seed, Enabling a User", enableUser},
	{"POST", "/v1/Users({UserId})/TemporaryPassword", "seed, Setting a Temporary Password", setTemporaryPassword},
	{"PUT", "/v1/Users({UserId})/Password", "dossier 3.2, page history of 2016-01", setPassword},

	{"GET", "/v1/Entities({CompanyId})/Users", "seed, GET All Users for a Company; GET Users by ClientUserId", listUsers},
	{"GET", "/v1/Entities({CompanyId})/Users/Search", "seed, Searching for Users", searchUsers},

	{"PUT", "/v1/Users({UserId})/Locations({LocationId})", "seed, Assigning a User to a Location", assignLocation},
	{"DELETE", "/v1/Users({UserId})/Locations({LocationId})", "seed, Unassigning a User from a Location", unassignLocation},
	{"GET", "/v1/Users({UserId})/Locations", "seed, GET Assigned Locations for a User", getLocations},

	{"POST", "/v1/Users({UserId})/Lock", "seed, Locking a User", lockUser},
	{"GET", "/v1/Users({UserId})/Unlock", "seed, GET the Lock Status of a User", getLockStatus},
	{"POST", "/v1/Users({UserId})/Unlock", "seed, Unlocking a User", unlockUser},
	{"GET", "/v1/Entities({CompanyId})/lockReasons", "seed, GET all Lock Reasons", listLockReasons},
	{"POST", "/v1/Entities({CompanyId})/lockReasons", "seed, POST a Lock Reason", createLockReason},
	{"GET", "/v1/Entities({CompanyId})/lockReasons({LockReasonId})", "seed, GET a Lock Reason", getLockReason},
	{"PUT", "/v1/Entities({CompanyId})/lockReasons({LockReasonId})", "seed, PUT a Lock Reason", putLockReason},
	{"DELETE", "/v1/Entities({CompanyId})/lockReasons({LockReasonId})", "seed, DELETE a Lock Reason", deleteLockReason},

	{"GET", "/v1/Entities({EntityId})/SecurityRoles", "security roles, Getting All Security Roles for an Entity", listRoles},
	{"POST", "/v1/Entities({EntityId})/SecurityRoles", "security roles, Creating a Security Role", createRole},
	{"GET", "/v1/Entities({EntityId})/SecurityRoles({SecurityRoleId})", "dossier 3.2, the same collection", getRole},
	{"GET", "/v1/Users({UserId})/AssignedRoles", "security roles, Getting Assigned Roles for a User", listAssignedRoles},
	{"POST", "/v1/Users({UserId})/AssignedRoles", "security roles, Assigning a Security Role to a User", assignRole},
	{"DELETE", "/v1/Users({UserId})/AssignedRoles({SecurityRoleId})", "security roles, Unassigning a Security Role from a User", unassignRole},

	{"POST", tokenPattern, "authentication, Obtaining and Refreshing an Access Token", token},
	{"GET", "/v1/ping", "API overview, ping (dossier 3.2)", ping},
	{"GET", "/ping", "API overview, ping (dossier 3.2)", ping},
}

// tokenPattern is the path of the token service, whose errors have another
// shape (dossier 2.2).
const tokenPattern = "/v1/oauth2/token"

// door is the http.Handler.
type door struct {
	svc       *directory.Service
	opts      Options
	resources map[string]*resource // by shape
	unknown   http.Handler
}

// resource is what one shape of path offers.
type resource struct {
	methods []string // in the order of the table, for Allow
	serve   []http.Handler
	refuse  http.Handler // 405
}

// New makes the door over a directory. It serves /v1/... and /ping; any other
// path is answered with 404 in the door's own error shape.
func New(svc *directory.Service, o Options) http.Handler {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Version == "" {
		o.Version = "0.0.0.0"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &door{svc: svc, opts: o, resources: map[string]*resource{}}
	d.unknown = d.adapt(route{method: "ANY", pattern: "unknown", handle: unknownPath})
	for _, rt := range routes {
		shape := shapeOf(rt.pattern)
		res := d.resources[shape]
		if res == nil {
			res = &resource{}
			res.refuse = d.adapt(route{method: "ANY", pattern: rt.pattern, handle: methodNotAllowed(res)})
			d.resources[shape] = res
		}
		res.methods = append(res.methods, rt.method)
		res.serve = append(res.serve, d.adapt(rt))
	}
	return d
}

// ServeHTTP finds the operation. It is on the path of every request: no
// regular expression, no allocation.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var at target
	if !at.parse(r.URL.Path) {
		d.unknown.ServeHTTP(w, r)
		return
	}
	res := d.resources[string(at.shape[:at.length])]
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

// adapt makes an http.Handler of an operation: it prepares the exchange, puts
// the limit headers on the answer and fills the event.
func (d *door) adapt(rt route) http.Handler {
	name := rt.method + " " + rt.pattern
	if rt.method == "ANY" {
		name = rt.pattern
	}
	onError := d.onError
	if rt.pattern == tokenPattern && rt.method != "ANY" {
		onError = d.onTokenError
	}
	return web.Adapt(directory.DoorIQmetrix.String(), name, func(r *web.Request) (web.Response, error) {
		x := d.exchange(r)
		response, err := rt.handle(d, x)
		if x.call.Quota.Limit == 0 {
			// Nothing was asked of the core; the headers go on every answer.
			x.call.Quota = d.svc.CountAddress(x.call.Addr)
		}
		x.record()
		if err != nil {
			return web.Response{}, &failure{err: err, quota: x.call.Quota}
		}
		response.Header = d.limitHeaders(response.Header, x.call.Quota)
		return response, nil
	}, onError)
}

// unknownPath answers a path that is no operation.
func unknownPath(*door, *exchange) (web.Response, error) {
	return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such resource.")
}

// methodNotAllowed answers a method that a resource does not have with 405 and
// Allow (RFC 9110 section 15.5.6).
func methodNotAllowed(res *resource) handler {
	return func(*door, *exchange) (web.Response, error) {
		methods := slices.Clone(res.methods)
		if slices.Contains(methods, http.MethodGet) {
			methods = append(methods, http.MethodHead)
		}
		response := errorResponse(http.StatusMethodNotAllowed, "Method Not Allowed", "Method Not Allowed")
		response.Header = append(response.Header, [2]string{"Allow", strings.Join(methods, ", ")})
		return response, nil
	}
}

// target is a parsed path: its shape in lower case with the keys taken out,
// "/v1/users()/locations()", and the keys.
type target struct {
	shape  [64]byte
	length int
	keys   [2]string
	count  int
}

// parse reads a decoded path and reports whether it can be one of ours. One
// trailing slash is ignored.
func (t *target) parse(path string) bool {
	if n := len(path); n > 1 && path[n-1] == '/' {
		path = path[:n-1]
	}
	for i := 0; i < len(path); i++ {
		if t.length >= len(t.shape)-1 {
			return false
		}
		c := path[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		t.shape[t.length] = c
		t.length++
		if c != '(' {
			continue
		}
		end := strings.IndexByte(path[i:], ')')
		if end < 0 || t.count == len(t.keys) {
			return false
		}
		key := path[i+1 : i+end]
		if strings.ContainsAny(key, "(/") {
			return false
		}
		t.keys[t.count] = key
		t.count++
		t.shape[t.length] = ')'
		t.length++
		i += end
	}
	return true
}

// shapeOf is the shape of a pattern.
func shapeOf(pattern string) string {
	var t target
	if !t.parse(pattern) {
		panic("iqmetrix: bad pattern " + pattern)
	}
	return string(t.shape[:t.length])
}

// noNumber is a number that nothing has. A key that is no number becomes it,
// so that the core answers "not found" after it has checked the credential
// (dossier 5.28).
const noNumber = -1

// number is the i-th key as a number, noNumber for anything else than 1 to
// directory.MaxNumber in decimal digits.
func (t *target) number(i int) int64 {
	key := t.keys[i]
	if key == "" || len(key) > 20 {
		return noNumber
	}
	var n int64
	for _, c := range []byte(key) {
		if c < '0' || c > '9' {
			return noNumber
		}
		if n = n*10 + int64(c-'0'); n > directory.MaxNumber {
			return noNumber
		}
	}
	if n == 0 {
		return noNumber
	}
	return n
}

package edubrite

import (
	"net/http"
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
	PublicURL string // what links for people begin with; "": scheme and host of the request
	HTTPS     bool   // what people open is served over TLS alone: links are https, however the request came
}

// handler answers one operation. Whatever it returns as an error goes through
// the error table.
type handler func(*door, *exchange) (web.Response, error)

// operation is one call: the action, its dispatch, and where it is documented.
type operation struct {
	action, dispatch, source string
	handle                   handler
}

// operations are all operations of the door. Letter case of action and dispatch
// does not count. Several names of one operation are the vendor's own (dossier
// 3.4 and 5.10).
var operations = []operation{
	{"userService", "activate", "seed, API Details", activate},
	{"userService", "deactivate", "dossier 3.2, Java client", deactivate},
	{"userService", "create", "dossier 3.2, page of the call", createUser},
	{"userService", "update", "dossier 3.2, page of the call", updateUser},
	{"userService", "get", "dossier 3.2, page of the call", getUser},
	{"userService", "list", "dossier 3.3, page of the call", listUsers},
	{"userService", "renameUser", "dossier 3.2, page of the call", renameUser},
	{"userService", "addToGroups", "dossier 3.2, page of the call", addToGroups},
	{"userService", "removeFromGroups", "dossier 3.2, page of the call", removeFromGroups},

	{"profile", "profile", "dossier 3.4, Java client", getUser},
	{"signin", "createSessionApi", "dossier 3.4, Java client", createSession},
	{"signinService", "createSessionApi", "dossier 3.4, page of the call", createSession},
	{"signupService", "signup", "dossier 3.4, page of the call", signup},

	{"groupService", "groupMembership", "dossier 3.4, page of the call", groupMembership},
	{"groupService", "list", "dossier 3.4, page of the call", listGroups},
	{"groupService", "listSiteGroups", "dossier 3.4, Java client of 2018", listGroups},
	{"groupService", "listMyGroups", "dossier 3.4, Java client", listMyGroups},
	{"groupService", "updateGroup", "dossier 3.4, Java client", updateGroup},
	{"groupService", "changeParentGroup", "dossier 3.4, Java client", changeParentGroup},
	{"group", "getGroupRef", "dossier 3.4, Java client", getGroup},
	{"group", "createGroupAPI", "dossier 3.4, Java client", createGroup},
	{"group", "createGroups", "dossier 3.4, Java client", createGroups},
	{"group", "deleteGroupsByIds", "dossier 3.4, Java client", deleteGroupsByIDs},
	{"group", "deleteGroups", "dossier 3.4, Java client", deleteGroupsByNames},

	{"user", "searchUser", "dossier 3.4, Java client of 2014", searchUser},
	{"user", "updateUser", "dossier 3.4, Java client of 2014", updateUser},
	{"user", "activateUser", "dossier 3.4, Java client of 2014", activate},
	{"user", "deactivateUser", "dossier 3.4, Java client of 2014", deactivate},
	{"groupUser", "addUserToGroups", "dossier 3.4, Java client of 2014", addToGroups},
	{"groupUser", "removeUserFromGroups", "dossier 3.4, Java client of 2014", removeFromGroups},
}

// connectActions are the pages where the vendor's clients sign in: any method,
// and "dispatch" does not count (dossier 2.2).
var connectActions = []string{"connect", "home", "index"}

// door is the http.Handler.
type door struct {
	svc     *directory.Service
	opts    Options
	actions map[string]http.Handler // by name in lower case, without ".do"
	unknown http.Handler
}

// New makes the door over a directory. It serves /oltpublish/site/*.do and
// /site/*.do; any other path is answered with 404 in the door's own envelope,
// and none with a redirect (dossier 4.1).
func New(svc *directory.Service, o Options) http.Handler {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	d := &door{svc: svc, opts: o, actions: map[string]http.Handler{}}
	d.unknown = d.adapt("unknown", unknownPath)
	for _, action := range connectActions {
		d.actions[action] = d.adapt(action+".do", connect)
	}
	dispatches := map[string]map[string]*operation{}
	for i := range operations {
		op := &operations[i]
		if dispatches[op.action] == nil {
			dispatches[op.action] = map[string]*operation{}
			d.actions[strings.ToLower(op.action)] = d.adapt(op.action+".do", dispatch(dispatches[op.action]))
		}
		dispatches[op.action][strings.ToLower(op.dispatch)] = op
	}
	return d
}

// ServeHTTP finds the action.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, ok := d.actions[actionOf(r.URL.Path)]; ok {
		h.ServeHTTP(w, r)
		return
	}
	d.unknown.ServeHTTP(w, r)
}

// prefixes are where actions live; the second is how the vendor's site
// abbreviates the first (dossier 2.1).
var prefixes = []string{"/oltpublish/site/", "/site/"}

// actionOf is the name of the action that a path leads to, in lower case, or
// "". It is bounded, since it is looked up.
func actionOf(path string) string {
	const suffix = ".do"
	for _, prefix := range prefixes {
		if len(path) > len(prefix)+len(suffix)+64 || len(path) <= len(prefix)+len(suffix) || !strings.EqualFold(path[:len(prefix)], prefix) {
			continue
		}
		name := strings.ToLower(path[len(prefix):])
		if name, ok := strings.CutSuffix(name, suffix); ok {
			return name
		}
	}
	return ""
}

// adapt makes an http.Handler of a handler: it prepares the exchange and fills
// the event.
func (d *door) adapt(route string, handle handler) http.Handler {
	return web.Adapt(directory.DoorEduBrite.String(), route, func(r *web.Request) (web.Response, error) {
		x := newExchange(r)
		response, err := handle(d, x)
		x.record()
		return response, err
	}, d.onError)
}

// dispatch answers an action by the parameter of that name. Clients use GET and
// POST alike for every action (dossier 2.4).
func dispatch(operations map[string]*operation) handler {
	return func(d *door, x *exchange) (web.Response, error) {
		switch x.req.Method {
		case http.MethodGet, http.MethodHead, http.MethodPost:
		default:
			response := failure(http.StatusMethodNotAllowed, codeOther, "This method is not allowed.")
			response.Header = append(response.Header, [2]string{"Allow", "GET, HEAD, POST"})
			return response, nil
		}
		if err := x.read(d); err != nil {
			return x.refuse(d, err)
		}
		op, ok := operations[strings.ToLower(x.params.get("dispatch"))]
		if !ok {
			return x.refuse(d, directory.Wrong(directory.CodeInvalid, directory.ReasonFieldValue, "dispatch is missing or not known to this action."))
		}
		x.req.Event.Route = op.action + ".do " + op.dispatch
		return op.handle(d, x)
	}
}

// unknownPath answers a path that is no action.
func unknownPath(*door, *exchange) (web.Response, error) {
	return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such action.")
}

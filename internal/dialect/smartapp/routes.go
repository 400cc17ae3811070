package smartapp

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
	// Credentials are the places where a key is looked for; empty: all of them
	// (dossier 2).
	Credentials []Credential
	// Paths are the paths of operations by name, in place of those that the
	// operation has without (dossier 3). CheckPaths says whether they will do.
	Paths map[string][]string
}

// handler answers one operation. Whatever it returns as an error goes through
// the error table.
type handler func(*door, *exchange) (web.Response, error)

// door is the http.Handler.
type door struct {
	svc     *directory.Service
	opts    Options
	paths   map[string]*served // by folded path
	unknown http.Handler
}

// served is an operation with its handlers.
type served struct {
	*operation
	handler http.Handler
	refused http.Handler // any other method
}

// New makes the door over a directory. It serves the paths below Segments; any
// other path is 404.
func New(svc *directory.Service, o Options) http.Handler {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if len(o.Credentials) == 0 {
		o.Credentials = Credentials()
	}
	d := &door{svc: svc, opts: o, paths: map[string]*served{}}
	nowhere := &operation{name: "unknown", handle: unknownPath}
	d.unknown = d.adapt(nowhere, unknownPath)
	for i := range operations {
		op := &operations[i]
		s := &served{operation: op, handler: d.adapt(op, op.handle), refused: d.adapt(op, wrongMethod(op))}
		for _, path := range pathsOf(op, o.Paths) {
			d.paths[foldPath(path)] = s
		}
	}
	return d
}

// ServeHTTP finds the operation before anything else: a call that is none is
// 404 or 405 with or without a key (dossier 5.1).
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, _ := d.find(r.URL.EscapedPath())
	switch {
	case op == nil:
		d.unknown.ServeHTTP(w, r)
	case !slices.Contains(op.methods, r.Method):
		op.refused.ServeHTTP(w, r)
	default:
		op.handler.ServeHTTP(w, r)
	}
}

// find finds the operation of a path that is still escaped, nil for none, and
// the segment behind the operation's own path, escaped too. One trailing slash
// is ignored (dossier 5.2).
func (d *door) find(escaped string) (op *served, subject string) {
	path := strings.TrimSuffix(escaped, "/")
	if op = d.paths[foldPath(path)]; op != nil {
		return op, ""
	}
	head := strings.LastIndexByte(path, '/')
	if head < 0 {
		return nil, ""
	}
	if op = d.paths[foldPath(path[:head])]; op == nil || !op.subject || path[head+1:] == "" {
		return nil, ""
	}
	return op, path[head+1:]
}

// foldPath is a path without regard to letter case and escapes.
func foldPath(escaped string) string { return strings.ToLower(unescape(escaped)) }

// adapt makes an http.Handler of an operation and fills the event.
func (d *door) adapt(op *operation, handle handler) http.Handler {
	return web.Adapt(directory.DoorSmartapp.String(), op.name, func(r *web.Request) (web.Response, error) {
		x := d.exchange(r)
		response, err := handle(d, x)
		x.record()
		return response, err
	}, d.onError(op))
}

// unknownPath answers a path that is no operation.
func unknownPath(*door, *exchange) (web.Response, error) {
	return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such operation.")
}

// wrongMethod answers a method that the operation does not have (dossier 5.1).
func wrongMethod(op *operation) handler {
	allow := strings.Join(op.methods, ", ")
	return func(_ *door, x *exchange) (web.Response, error) {
		x.req.Event.Code, x.req.Event.Reason = string(directory.CodeNotFound), string(directory.ReasonRouteNotFound)
		response := messageResponse(http.StatusMethodNotAllowed, "This operation is called with "+allow+".")
		response.Header = [][2]string{{"Allow", allow}}
		return response, nil
	}
}

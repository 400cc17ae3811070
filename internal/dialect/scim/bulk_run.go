package scim

import (
	"bytes"
	"io"
	"net/http"
	"net/url"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// createdTogether is how many users one use case makes.
const createdTogether = 500

// bulkRun carries the operations of a Bulk out.
type bulkRun struct {
	x        *exchange
	b        *bulkRequest
	base     string
	failures int
	// The users that are to be made next, together.
	batch []*bulkOperation
	users []directory.NewUser
}

// all carries the operations out in the order of the request, but that an
// operation waits for the creations to which it refers.
func (run *bulkRun) all() error {
	run.base = run.x.base()
	for waiting := run.b.operations; len(waiting) > 0 && !run.stopped(); {
		rest := run.pass(waiting)
		if len(rest) == len(waiting) {
			for _, o := range rest {
				o.err = errCircle()
				o.refs = nil
			}
		}
		waiting = rest
	}
	return run.x.req.Context().Err() // nobody waits for the answer any more
}

// pass carries out what is ready and returns the rest.
func (run *bulkRun) pass(waiting []*bulkOperation) (rest []*bulkOperation) {
	for _, o := range waiting {
		if !o.ready(false) && o.ready(true) {
			run.flush()
		}
		if run.stopped() || !o.ready(false) {
			rest = append(rest, o)
			continue
		}
		run.one(o)
	}
	run.flush()
	return rest
}

// stopped reports whether as many operations have failed as the client allows
// (RFC 7644 section 3.7: failOnErrors), or the client went away.
func (run *bulkRun) stopped() bool {
	return run.b.failOnErrors > 0 && run.failures >= run.b.failOnErrors || run.x.req.Context().Err() != nil
}

// one carries an operation out, or puts it to the users that are made together:
// those without a password, which takes time.
func (run *bulkRun) one(o *bulkOperation) {
	if o.err == nil {
		o.err = o.broken()
	}
	if o.err != nil || !o.create() || o.kind != "Users" {
		run.flush()
		if run.stopped() {
			return
		}
		if o.err == nil {
			run.execute(o)
		}
		run.finish(o)
		return
	}
	in, err := newUserOf(o)
	if err != nil {
		run.flush()
		if !run.stopped() {
			o.err = err
			run.finish(o)
		}
		return
	}
	o.queued = true
	run.batch, run.users = append(run.batch, o), append(run.users, in)
	if in.Password != "" || len(run.batch) == createdTogether {
		run.flush()
	}
}

// newUserOf makes the input of a creation.
func newUserOf(o *bulkOperation) (directory.NewUser, error) {
	object, err := decode(o.data, maxDepth, web.MaxJSONValues)
	if err != nil {
		return directory.NewUser{}, err
	}
	in, err := newUser(object)
	in.ID = o.key
	return in, err
}

// finish notes that an operation was processed.
func (run *bulkRun) finish(o *bulkOperation) {
	o.done = true
	if o.err != nil {
		run.failures++
		run.x.note(o.err)
	}
}

// note puts an error that is nobody's fault into the request's event; the
// request's id is the error's.
func (x *exchange) note(err error) {
	if directory.CodeOf(err) == directory.CodeInternal {
		e := x.req.Event
		e.Code, e.ErrorID, e.Cause = string(directory.CodeInternal), x.call.RequestID, err
	}
}

// flush makes the users that wait for it.
func (run *bulkRun) flush() {
	batch, users := run.batch, run.users
	if len(batch) == 0 {
		return
	}
	run.batch, run.users = nil, nil
	left := 0
	if run.b.failOnErrors > 0 {
		left = run.b.failOnErrors - run.failures
	}
	made, err := run.x.d.svc.CreateEach(run.x.req.Context(), run.x.call.Part(), users, left)
	for i, o := range batch {
		switch {
		case run.stopped():
			return
		case err != nil:
			o.err = err
		case made[i].Skipped:
			return
		case made[i].Err != nil:
			o.err = made[i].Err
		default:
			o.response = web.Response{Status: http.StatusCreated, Header: [][2]string{{"ETag", etag(made[i].User.Version)}}}
		}
		run.finish(o)
	}
}

// execute carries out an operation as the request that it stands for, by the
// same handlers.
func (run *bulkRun) execute(o *bulkOperation) {
	x := run.x.part(o)
	switch {
	case o.create():
		o.response, o.err = x.createGroupAs(o.key)
	default:
		o.response, o.err = bulkHandlers[o.method+" "+o.kind](x.d, x)
	}
}

// bulkHandlers are the operations on a resource that a Bulk can have.
var bulkHandlers = map[string]handler{
	"PUT Users": replaceUser, "PATCH Users": patchUser, "DELETE Users": deleteUser,
	"PUT Groups": replaceGroup, "PATCH Groups": patchGroup, "DELETE Groups": deleteGroup,
}

// part is the exchange of one operation: a request for nothing but the id, since
// a Bulk shows no resources.
func (x *exchange) part(o *bulkOperation) *exchange {
	path := "/scim/v2/" + o.kind
	if !o.create() {
		path += "/" + o.key
	}
	r := x.req.WithContext(x.req.Context())
	r.Method, r.URL = o.method, &url.URL{Path: path, RawQuery: "attributes=id"}
	r.Header = http.Header{"Content-Type": {contentSCIM}}
	if o.match != "" {
		r.Header["If-Match"] = []string{o.match}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(o.data)), int64(len(o.data))
	return &exchange{d: x.d, req: &web.Request{Request: r, Event: x.req.Event}, call: *x.call.Part()}
}

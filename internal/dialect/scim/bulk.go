package scim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The messages of Bulk (RFC 7644 section 3.7).
const (
	urnBulkRequest  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	urnBulkResponse = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// maxBulkValues is how many JSON values a Bulk holds; each operation has the
// limits of a request beside.
const maxBulkValues = 200_000

// bulkRequest is a Bulk that has been read.
type bulkRequest struct {
	operations   []*bulkOperation
	failOnErrors int // 0: none is too many
	byID         map[string]*bulkOperation
}

// bulkOperation is one operation of a Bulk, and what became of it.
type bulkOperation struct {
	method string // in upper case
	kind   string // "Users" or "Groups"
	key    string // of the resource; the one that is drawn for a POST
	bulkID string
	match  string // the version that the resource must have
	data   []byte
	refs   []*bulkOperation // creations that it refers to

	err    error // why it was refused
	done   bool
	queued bool // among the users that are made next
	circle int  // which circle of references it is in

	// While circles are looked for.
	order, low int
	open       bool
	response   web.Response
}

// create reports whether the operation makes something.
func (o *bulkOperation) create() bool { return o.method == http.MethodPost }

// readBulk reads a Bulk message. What is wrong with one operation is its own
// error; what is wrong with the message refuses it as a whole.
func (x *exchange) readBulk() (*bulkRequest, error) {
	body, err := x.objectOf(maxDepth+3, maxBulkValues)
	if err != nil {
		return nil, err
	}
	return parseBulk(body, x.d.svc.NewID)
}

// parseBulk reads the object of a Bulk message. newID draws the ids of what it
// creates.
func parseBulk(body web.Object, newID func() string) (*bulkRequest, error) {
	if err := checkMessage(body, urnBulkRequest); err != nil {
		return nil, err
	}
	list, state := body.Array("Operations")
	if state != web.Present {
		return nil, refuse(invalidSyntax, "Operations must be an array.")
	}
	if len(list) > maxBulkOperations {
		return nil, directory.Wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge,
			"The request has %d operations; maxOperations is %d.", len(list), maxBulkOperations)
	}
	b := &bulkRequest{operations: make([]*bulkOperation, len(list)), byID: map[string]*bulkOperation{}}
	if failures, state := body.Int("failOnErrors"); state == web.Mistyped || failures < 0 {
		return nil, refuse(invalidValue, "failOnErrors must be a whole number that is not negative.")
	} else {
		b.failOnErrors = int(min(failures, maxBulkOperations+1))
	}
	for i, raw := range list {
		object, state := web.ObjectOf(raw)
		if state != web.Present {
			return nil, refuse(invalidSyntax, "Operations must be objects.")
		}
		o := readBulkOperation(object)
		b.operations[i] = o
		if o.bulkID == "" {
			continue
		}
		if b.byID[o.bulkID] != nil {
			return nil, refuse(invalidValue, "The bulkId %q is there twice.", cut(o.bulkID))
		}
		b.byID[o.bulkID] = o
	}
	b.link(newID)
	return b, nil
}

// link draws ids and resolves the references.
func (b *bulkRequest) link(newID func() string) {
	for _, o := range b.operations {
		if o.err == nil && o.create() {
			o.key = newID()
		}
	}
	for _, o := range b.operations {
		if o.err == nil {
			o.err = b.resolve(o)
		}
	}
	var c circles
	for _, o := range b.operations {
		if o.order == 0 {
			c.visit(o)
		}
	}
}

// readBulkOperation reads one operation but for its references.
func readBulkOperation(object web.Object) *bulkOperation {
	o := &bulkOperation{}
	method, _ := object.String("method")
	o.method = strings.ToUpper(method)
	var state web.State
	if o.bulkID, state = object.String("bulkId"); state == web.Mistyped {
		o.err = refuse(invalidValue, "bulkId must be a text.")
	}
	if o.match, state = object.String("version"); state == web.Mistyped {
		o.err = refuse(invalidValue, "version must be a text.")
	}
	o.data, _ = object.Get("data")
	path, _ := object.String("path")
	if o.err == nil {
		o.err = o.readPath(path)
	}
	return o
}

// readPath reads where an operation goes to: "/Users", "/Groups/{id}" (RFC 7644
// section 3.7: relative to the root of the service).
func (o *bulkOperation) readPath(path string) error {
	first, second, _ := strings.Cut(strings.Trim(path, "/"), "/")
	if key, err := url.PathUnescape(second); err == nil {
		second = key
	}
	o.key = second
	for _, r := range resources {
		if strings.EqualFold(first, r.endpoint[1:]) {
			o.kind = r.endpoint[1:]
		}
	}
	switch o.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return refuse(invalidValue, "method must be POST, PUT, PATCH or DELETE.")
	}
	switch {
	case strings.EqualFold(first, "Bulk"):
		return refuse(invalidValue, "A Bulk cannot be an operation of a Bulk.")
	case o.kind == "" || strings.ContainsAny(second, "/?") || o.create() != (second == ""):
		return refuse(invalidValue, "path must be /Users or /Groups for a POST, and have an id behind it for other methods.")
	case o.create() && o.bulkID == "":
		return refuse(invalidValue, "bulkId is required for a POST.")
	}
	return nil
}

// bulk carries several operations out (RFC 7644 section 3.7). It is one request
// of the limiter.
func bulk(d *door, x *exchange) (web.Response, error) {
	if err := d.svc.Admit(x.req.Context(), &x.call); err != nil {
		return web.Response{}, err
	}
	b, err := x.readBulk()
	if err != nil {
		return web.Response{}, mediaError(err)
	}
	run := &bulkRun{x: x, b: b}
	if err := run.all(); err != nil {
		return web.Response{}, err
	}
	return web.Response{Status: http.StatusOK, ContentType: contentSCIM, Body: run.appendAnswer(make([]byte, 0, 128+256*len(b.operations)))}, nil
}

// appendAnswer writes what became of the operations, in the order of the
// request. Those that were not processed are left out.
func (run *bulkRun) appendAnswer(out []byte) []byte {
	out = append(out, `{"schemas":["`+urnBulkResponse+`"],"Operations":[`...)
	for _, o := range run.b.operations {
		if o.done {
			out = append(run.appendResult(out, o), ',')
		}
	}
	return appendListTail(out)
}

// appendResult writes the result of one operation: where the resource is, but
// for a creation that failed, and what is wrong (RFC 7644 section 3.7).
func (run *bulkRun) appendResult(out []byte, o *bulkOperation) []byte {
	out = append(out, `{"method":`...)
	out = web.AppendString(out, o.method)
	if o.bulkID != "" {
		out = web.AppendString(append(out, `,"bulkId":`...), o.bulkID)
	}
	if o.kind != "" && o.key != "" && !(o.create() && o.err != nil) {
		out = web.AppendString(append(out, `,"location":`...), run.base+"/"+o.kind+"/"+url.PathEscape(o.key))
	}
	if o.err != nil {
		status, body := errorBody(run.x.req, o.err)
		out = fmt.Appendf(out, `,"status":"%d","response":`, status)
		return append(append(out, body...), '}')
	}
	if at := slices.IndexFunc(o.response.Header, func(h [2]string) bool { return h[0] == "ETag" }); at >= 0 {
		out = web.AppendString(append(out, `,"version":`...), o.response.Header[at][1])
	}
	return fmt.Appendf(out, `,"status":"%d"}`, o.response.Status)
}

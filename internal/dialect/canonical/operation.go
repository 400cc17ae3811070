package canonical

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/web"
)

// operation is what is said of an operation beside its types.
type operation struct {
	id          string // lower_snake
	method      string
	path        string // behind the prefix, parameters in braces
	tag         string // the resource
	summary     string // one line
	description string // what it does, in Markdown
	status      int    // of success; 0: 200, or 204 without a Body
	// open operations need no credential.
	open bool
	// creates: it takes an Idempotency-Key, and answers with Location.
	creates bool
	// versioned: the answer has an ETag.
	versioned bool
	// patch: the body is a merge patch (RFC 7396).
	patch bool
	// examples are shown in the description and run by tests.
	examples []example
}

// example is a request that the tests send to the sample directory, in the order
// of registration, and what must come back.
type example struct {
	name   string // of the case, in words
	path   string // with query; "": the operation's, which then has no parameters
	body   string // JSON; "": none
	status int    // 0: the operation's
}

// queryParam is what the door itself checks of a query parameter.
type queryParam struct{ text, list bool }

// register adds an operation that huma reads and writes. I holds the input: fields
// with path:"" and query:"" tags, and Body. O holds the output in Body; a handler
// of an operation without output returns nil. The handler may set headers of the
// answer with x.setVersion, x.setLocation and x.setHeader.
func register[I, O any](d *door, op operation, handle func(context.Context, *exchange, *I) (*O, error)) {
	described := describeOperation[I, O](d, &op, func(ctx context.Context, in *I) (*O, error) {
		x := ctx.(*carried).x
		x.handled = true
		out, err := handle(ctx, x, in)
		if err != nil {
			x.refusal = err
			return nil, &refused{status: http.StatusInternalServerError, err: err}
		}
		return out, nil
	})
	d.add(op, described, viaHuma(described, d.api.Adapter().(*adapter).last))
}

// plain adds an operation that is described by its types like any other, but
// reads and writes for itself, where speed asks for it. Tests hold its answers
// against the description.
func plain[I, O any](d *door, op operation, serve func(*exchange) (web.Response, error)) {
	described := describeOperation[I, O](d, &op, func(context.Context, *I) (*O, error) { panic("canonical: not served by huma") })
	d.add(op, described, func(x *exchange) (web.Response, error) {
		x.handled = true
		return serve(x)
	})
}

// describeOperation registers an operation with huma, which makes its part of the
// description from the types, and adds what all operations have in common.
func describeOperation[I, O any](d *door, op *operation, handler func(context.Context, *I) (*O, error)) *huma.Operation {
	described := &huma.Operation{OperationID: op.id, Method: op.method, Path: prefix + op.path, Tags: []string{op.tag},
		Summary: op.summary, Description: op.description, DefaultStatus: op.status, MaxBodyBytes: -1, BodyReadTimeout: -1,
		Responses: map[string]*huma.Response{"429": {Ref: "#/components/responses/429"}}}
	if op.open {
		described.Security = []map[string][]string{}
	}
	huma.Register(d.api, *described, handler)
	described = d.registered(op.method, prefix+op.path)
	op.status = described.DefaultStatus
	documentHeaders(op, described)
	documentErrors(op, described)
	documentBody(op, described)
	return described
}

// registered is an operation as huma keeps it.
func (d *door) registered(method, path string) *huma.Operation {
	item := d.api.OpenAPI().Paths[path]
	return map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete}[method]
}

// add makes the route of a described operation.
func (d *door) add(op operation, described *huma.Operation, serve func(*exchange) (web.Response, error)) {
	r := &route{op: op, segments: strings.Split(strings.TrimPrefix(op.path, "/"), "/"), query: map[string]queryParam{}, serve: serve}
	for _, p := range described.Parameters {
		if p.In == "query" {
			r.query[p.Name] = queryParam{text: p.Schema.Type == huma.TypeString && len(p.Schema.Enum) == 0 && p.Schema.Format == "", list: p.Schema.Type == huma.TypeArray}
		}
	}
	if described.RequestBody != nil {
		for media := range described.RequestBody.Content {
			r.media = append(r.media, media)
		}
		slices.Sort(r.media)
	}
	d.routes = append(d.routes, r)
}

// documentHeaders describes the headers that the frame reads and writes.
func documentHeaders(op *operation, described *huma.Operation) {
	header := func(ref string) {
		described.Parameters = append(described.Parameters, &huma.Param{Ref: "#/components/parameters/" + ref})
	}
	success := described.Responses[strconv.Itoa(described.DefaultStatus)]
	if success.Headers == nil {
		success.Headers = map[string]*huma.Param{}
	}
	answer := func(name string) { success.Headers[name] = &huma.Header{Ref: "#/components/headers/" + name} }
	answer("RateLimit")
	answer("RateLimit-Policy")
	write := op.method != http.MethodGet
	if op.versioned || write && !op.open {
		header("If-Match")
		header("If-None-Match")
	}
	if op.versioned {
		answer("ETag")
	}
	if write {
		header("Usher-Reason")
	}
	if op.creates {
		header("Idempotency-Key")
		answer("Location")
		answer("Idempotent-Replayed")
	}
	for _, p := range described.Parameters {
		if p.In == "path" && p.Description == "" && p.Schema != nil {
			p.Description = p.Schema.Description
		}
	}
}

// documentErrors lists the problems that an operation can answer with.
func documentErrors(op *operation, described *huma.Operation) {
	statuses := []int{400, 404, 429, 500, 503}
	if !op.open {
		statuses = append(statuses, 401, 403)
	}
	if op.versioned && op.method == http.MethodGet {
		statuses = append(statuses, 304, 412)
	}
	if op.method != http.MethodGet {
		statuses = append(statuses, 401, 403, 409, 412, 422)
	}
	if described.RequestBody != nil {
		statuses = append(statuses, 413, 415)
	}
	for _, status := range statuses {
		described.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + strconv.Itoa(status)}
	}
}

// documentBody describes the media types of a body and the examples of it.
func documentBody(op *operation, described *huma.Operation) {
	if described.RequestBody == nil {
		return
	}
	media := described.RequestBody.Content[contentJSON]
	read := mustDecode
	if media == nil {
		media, read = described.RequestBody.Content[contentBytes], func(text string) any { return text }
	}
	for _, e := range op.examples {
		if e.body == "" {
			continue
		}
		if media.Examples == nil {
			media.Examples = map[string]*huma.Example{}
		}
		media.Examples[strings.ReplaceAll(e.name, " ", "_")] = &huma.Example{Summary: e.name, Value: read(e.body)}
	}
	if op.patch {
		described.RequestBody.Content[contentPatch] = media
	}
}

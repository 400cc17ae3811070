package canonical

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// OpenAPI is the door's description in OpenAPI 3.1, as it is served at
// /api/v1/openapi.json.
func OpenAPI() []byte { return newDoor(directory.New(nil, directory.Options{}), Options{}).document() }

// apiVersion is the version of the API that is described, not of the program:
// what is added raises its second number, and nothing is taken away.
const apiVersion = "1.0.0"

// newDescription is what the description says of all operations.
func newDescription() *huma.OpenAPI {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	components := &huma.Components{
		Schemas: registry,
		SecuritySchemes: map[string]*huma.SecurityScheme{"bearer": {Type: "http", Scheme: "bearer",
			Description: "An API key, or the token of a session (POST /sessions)."}},
		Headers:    responseHeaders(),
		Parameters: requestHeaders(),
		Responses:  map[string]*huma.Response{},
	}
	schema := registry.Schema(reflect.TypeFor[problem](), true, "Problem")
	for _, status := range []int{400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 429, 500, 503} {
		components.Responses[strconv.Itoa(status)] = problemResponse(status, schema)
	}
	components.Responses["304"] = &huma.Response{Description: "The client has this version already.",
		Headers: map[string]*huma.Header{"ETag": {Ref: "#/components/headers/ETag"}}}
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "usher", Version: apiVersion, Description: aboutAPI,
			License: &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}},
		Servers:    []*huma.Server{{URL: "/"}},
		Components: components,
		Security:   []map[string][]string{{"bearer": {}}},
	}
}

// aboutAPI is the description's first page.
const aboutAPI = `A user directory: users with one lifecycle, companies, locations, groups, roles, licences.

* JSON in UTF-8, members in snake_case. Times are UTC, RFC 3339. Unknown members and query parameters are errors.
* ` + "`Authorization: Bearer`" + ` with an API key, or with the token of a session.
* Errors are problems (RFC 9457) with a stable ` + "`type`" + ` and the fields at fault.
* What has versions has a strong ` + "`ETag`" + `; ` + "`If-Match` and `If-None-Match`" + ` are accepted on every write and never required.
* What creates takes an ` + "`Idempotency-Key`" + `, which is kept for 24 hours.
* Lists have ` + "`limit` and `cursor`" + `: send ` + "`next_cursor`" + ` back with the rest of the query unchanged until it is null.`

// descriptions of the statuses of problems.
var statusMeans = map[int]string{
	400: "The body is no JSON, or the query or a header cannot be read.",
	401: "The credential is missing, unknown, revoked or expired.",
	403: "The credential may not do this.",
	404: "There is no such thing, or the credential cannot see it.",
	409: "Something is taken, in use, held or used up, or the state does not allow it.",
	410: "What is asked for was there, and is not kept any more.",
	412: "The version is another than the condition says.",
	413: "The body is too large.",
	415: "The body has another media type.",
	422: "Members of the body are wrong: errors names them.",
	429: "The tenant is over its request limit.",
	500: "Something went wrong on the server; error_id finds its log line.",
	503: "The server is busy or shutting down; try again.",
}

// problemResponse describes the problems of one status.
func problemResponse(status int, schema *huma.Schema) *huma.Response {
	r := &huma.Response{Description: statusMeans[status], Content: map[string]*huma.MediaType{contentProblem: {Schema: schema}},
		Headers: map[string]*huma.Header{"RateLimit": {Ref: "#/components/headers/RateLimit"},
			"RateLimit-Policy": {Ref: "#/components/headers/RateLimit-Policy"}}}
	switch status {
	case http.StatusUnauthorized:
		r.Headers["WWW-Authenticate"] = &huma.Header{Ref: "#/components/headers/WWW-Authenticate"}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		r.Headers["Retry-After"] = &huma.Header{Ref: "#/components/headers/Retry-After"}
	}
	return r
}

// responseHeaders are the headers of answers.
func responseHeaders() map[string]*huma.Header {
	header := func(description, pattern string) *huma.Header {
		return &huma.Header{Description: description, Schema: &huma.Schema{Type: huma.TypeString, Pattern: pattern}}
	}
	return map[string]*huma.Header{
		"ETag":                header("The version, as a strong entity tag.", `^"\d+"$`),
		"Location":            header("The path of what was created.", `^/api/v1/`),
		"Idempotent-Replayed": header("true where the answer is that of an earlier request with the same Idempotency-Key.", `^true$`),
		"RateLimit":           header("How many requests are left and for how many seconds (draft-ietf-httpapi-ratelimit-headers).", `^"default";r=\d+;t=\d+$`),
		"RateLimit-Policy":    header("How many requests a window of so many seconds allows.", `^"default";q=\d+;w=60$`),
		"WWW-Authenticate":    header("How to authenticate.", `^Bearer `),
		"Retry-After":         {Description: "Seconds to wait.", Schema: &huma.Schema{Type: huma.TypeInteger}},
	}
}

// requestHeaders are the headers of requests that the frame reads.
func requestHeaders() map[string]*huma.Param {
	most := func(n int) *int { return &n }
	return map[string]*huma.Param{
		"If-Match": {Name: "If-Match", In: "header", Description: "Refuse with 412 unless the version is one of these entity tags; * for any.",
			Schema: &huma.Schema{Type: huma.TypeString, Pattern: `^(\*|"\d+"(, *"\d+")*)$`}, Example: `"7"`},
		"If-None-Match": {Name: "If-None-Match", In: "header",
			Description: "On reads: answer 304 if the version is one of these. On writes: refuse with 412 if it is; * if there is any.",
			Schema:      &huma.Schema{Type: huma.TypeString, Pattern: `^(\*|"\d+"(, *"\d+")*)$`}, Example: `"7"`},
		"Usher-Reason": {Name: "Usher-Reason", In: "header", Description: "Why, for the history: at most 500 characters.",
			Schema: &huma.Schema{Type: huma.TypeString, MaxLength: most(maxReason)}},
		"Idempotency-Key": {Name: "Idempotency-Key", In: "header",
			Description: "Do this once: a repetition with the same key and body within 24 hours gets the same answer; with another body 422; while the first is worked on 409.",
			Schema:      &huma.Schema{Type: huma.TypeString, Pattern: `^[!-~]{1,255}$`}},
	}
}

// describe writes the description as JSON.
func describe(api *huma.OpenAPI) []byte {
	for _, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				tidy(op)
			}
		}
	}
	for _, schema := range api.Components.Schemas.Map() {
		for _, member := range schema.Properties {
			if member.Nullable && len(member.Enum) > 0 && !slices.Contains(member.Enum, any(nil)) {
				member.Enum = append(member.Enum, nil) // null is among the values or it is none
			}
		}
	}
	text, err := json.MarshalIndent(api, "", " ")
	if err != nil {
		panic(err) // the types of this package can be described
	}
	return text
}

// tidy says of parameters what huma must not check: that an id is a UUID, since one
// that is none is unknown (404) and not wrong. Tools look for examples at the
// parameter.
func tidy(op *huma.Operation) {
	for _, p := range op.Parameters {
		if p.Schema != nil && len(p.Schema.Examples) > 0 {
			p.Example = p.Schema.Examples[0]
		}
		if p.In == "path" && p.Schema != nil && p.Schema.Type == huma.TypeString && uuidParams[p.Name] {
			s := *p.Schema
			s.Format = "uuid"
			p.Schema = &s
		}
	}
}

// uuidParams are the parameters of paths that are UUIDs and nothing else.
var uuidParams = map[string]bool{"id": true, "user": true, "group": true, "session": true, "credential": true, "webhook": true, "secret": true, "job": true, "import": true, "action": true}

// registerDescription adds the description itself.
func registerDescription(d *door) {
	plain[struct{}, struct{ Body map[string]any }](d, operation{id: "get_openapi", method: http.MethodGet, path: "/openapi.json", tag: "description",
		summary: "This description", description: "The OpenAPI 3.1 document of this API, made from the server's own code.", open: true,
		examples: []example{{name: "this description"}}},
		func(x *exchange) (web.Response, error) {
			return web.Response{Status: http.StatusOK, ContentType: contentJSON, Body: x.door.document()}, nil
		})
}

// mustDecode is the value of a JSON text of this package.
func mustDecode(text string) any {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		panic("canonical: " + err.Error() + ": " + text)
	}
	return value
}

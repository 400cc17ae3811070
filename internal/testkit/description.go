package testkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// object is a JSON object as encoding/json reads it.
type object = map[string]any

// description is a door's OpenAPI 3.1 description, as far as tests read one.
type description struct {
	root       object
	operations []*operation // in no order

	mu      sync.Mutex
	schemas map[uintptr]compiledSchema // by the object that is the schema
}

// compiledSchema is a schema made ready; it keeps the object of which it was
// made, so that no other gets its address.
type compiledSchema struct {
	source any
	ready  *jsonschema.Schema
}

// operation is one method of one path.
type operation struct {
	name      string // "GET /v1/Users({UserId})"
	method    string // in capitals
	template  string
	path      *regexp.Regexp // of the whole path, folded
	spec      object
	responses object          // by status
	seen      map[string]bool // statuses that were answered
}

// httpMethods are the keys of a path item that are operations.
var httpMethods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// parameterIn finds the parameters of a path template.
var parameterIn = regexp.MustCompile(`\{([^{}]*)\}`)

// readDescription reads a document; numbers stay as they are written.
func readDescription(t testing.TB, document []byte) *description {
	t.Helper()
	d := &description{schemas: map[uintptr]compiledSchema{}}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	if err := decoder.Decode(&d.root); err != nil {
		t.Fatalf("testkit: the description is no JSON object: %v", err)
	}
	for template, item := range asObject(d.root["paths"]) {
		for _, method := range httpMethods {
			spec := asObject(asObject(item)[method])
			if spec == nil {
				continue
			}
			name := strings.ToUpper(method)
			d.operations = append(d.operations, &operation{
				name: name + " " + template, method: name, template: template, path: pathOf(template),
				spec: spec, responses: asObject(spec["responses"]), seen: map[string]bool{},
			})
		}
	}
	if len(d.operations) == 0 {
		t.Fatal("testkit: the description has no operations")
	}
	return d
}

// asObject is a JSON value as an object, nil if it is none.
func asObject(value any) object {
	o, _ := value.(object)
	return o
}

// asArray is a JSON value as an array, nil if it is none.
func asArray(value any) []any {
	a, _ := value.([]any)
	return a
}

// asText is a JSON value as a text, "" if it is none.
func asText(value any) string {
	s, _ := value.(string)
	return s
}

// pathOf makes the expression that a template's paths match once they are
// folded. Doors differ in what they make of letter case and of a last slash;
// neither makes another operation of a path.
func pathOf(template string) *regexp.Regexp {
	template = foldASCII(template)
	var b strings.Builder
	b.WriteString("^")
	at := 0
	for _, part := range parameterIn.FindAllStringIndex(template, -1) {
		b.WriteString(regexp.QuoteMeta(template[at:part[0]]) + "[^/]+")
		at = part[1]
	}
	b.WriteString(regexp.QuoteMeta(template[at:]) + "/?$")
	return regexp.MustCompile(b.String())
}

// foldASCII is a text with its ASCII letters in lower case: a foreign letter
// that folds to one of them makes another path.
func foldASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, text)
}

// find is the operation of a request whose path is still escaped, nil for none.
// Of two templates that match, the one with fewer parameters is meant (OpenAPI
// 3.1, Paths Object). HEAD is answered as GET, and so is every method that a path
// of anyMethod does not have.
func (d *description) find(method, path string) *operation {
	if method == "HEAD" {
		method = "GET"
	}
	if op := d.match(method, path); op != nil {
		return op
	}
	if op := d.match("GET", path); op != nil && asObject(asObject(d.root["paths"])[op.template])[anyMethod] == true {
		return op
	}
	return nil
}

// anyMethod is the extension of a path item whose operations any method calls.
const anyMethod = "x-any-method"

// match is the operation of a method and a path.
func (d *description) match(method, path string) *operation {
	candidates := []string{path}
	if plain, err := url.PathUnescape(path); err == nil && plain != path {
		candidates = append(candidates, plain)
	}
	for _, path := range candidates {
		var found *operation
		for _, op := range d.operations {
			if op.method == method && op.path.MatchString(foldASCII(path)) &&
				(found == nil || strings.Count(op.template, "{") < strings.Count(found.template, "{")) {
				found = op
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// resolve follows references within the document until there is none.
func (d *description) resolve(value any) (any, error) {
	for range 16 {
		ref, ok := asObject(value)["$ref"].(string)
		if !ok {
			return value, nil
		}
		path, ok := strings.CutPrefix(ref, "#/")
		if !ok {
			return nil, fmt.Errorf("the reference %q leads out of the document", ref)
		}
		value = d.root
		for _, key := range strings.Split(path, "/") {
			key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
			if value, ok = asObject(value)[key]; !ok {
				return nil, fmt.Errorf("the reference %q leads nowhere", ref)
			}
		}
	}
	return nil, fmt.Errorf("a reference leads to itself")
}

// sorted are the keys of an object in order.
func sorted(o object) []string { return slices.Sorted(maps.Keys(o)) }

// DescribesRoutes fails unless a door's OpenAPI description has an operation for
// each of its routes, as "GET /v1/Users({UserId})", and no other.
func DescribesRoutes(t *testing.T, document []byte, routes []string) {
	t.Helper()
	described := map[string]bool{}
	for _, op := range readDescription(t, document).operations {
		described[op.name] = true
		if !slices.Contains(routes, op.name) {
			t.Errorf("the description has %s, which is no route", op.name)
		}
	}
	for _, route := range routes {
		if !described[route] {
			t.Errorf("the description has no operation for %s", route)
		}
	}
}

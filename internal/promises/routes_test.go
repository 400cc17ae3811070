package promises

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// route is one operation of a door as the door registers it.
type route struct {
	door, method, path string
	dispatch           string   // edubrite: what the action shall do
	queries            []string // names of values in the query, or in edubrite's form
	form               bool     // the body is a form
	fields             []field  // leaves of the body
}

func (r route) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.door, r.method, r.path, r.dispatch))
}

// field is a place in a body where a value goes: its path, where "[]" is the
// first of an array, and what the description says of it.
type field struct {
	path     []string
	required bool
	sample   any
}

func (f field) name() string {
	name := f.path[len(f.path)-1]
	if name == "[]" {
		name = f.path[len(f.path)-2]
	}
	return name
}

// registered are all operations of all doors: those of doors with an OpenAPI
// description from that, which the doors' own tests hold against their tables of
// routes; scim's and the console's from where they are registered.
func registered(t testing.TB, w *world) []route {
	t.Helper()
	var list []route
	for _, door := range doorNames {
		if door == "scim" {
			continue
		}
		var document map[string]any
		must(t, json.Unmarshal([]byte(w.want(t, http.StatusOK, request{method: "GET", path: "/docs/" + door + "/openapi.json"}).body), &document))
		list = append(list, describedRoutes(door, document)...)
	}
	list = append(list, scimRoutes(t)...)
	return append(list, consoleRoutes(t)...)
}

// description reads an OpenAPI document.
type description map[string]any

// resolve follows references.
func (d description) resolve(value any) map[string]any {
	o, _ := value.(map[string]any)
	for o["$ref"] != nil {
		at := any(map[string]any(d))
		for _, part := range strings.Split(strings.TrimPrefix(o["$ref"].(string), "#/"), "/") {
			at = at.(map[string]any)[part]
		}
		o, _ = at.(map[string]any)
	}
	return o
}

func describedRoutes(door string, document map[string]any) []route {
	d := description(document)
	var list []route
	paths := d.resolve(document["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := d.resolve(paths[path])
		for _, method := range []string{"get", "put", "post", "patch", "delete"} {
			op := d.resolve(item[method])
			if op == nil {
				continue
			}
			r := route{door: door, method: strings.ToUpper(method), path: path}
			var dispatches []any
			parameters, _ := item["parameters"].([]any)
			own, _ := op["parameters"].([]any)
			for _, p := range slices.Concat(parameters, own) {
				parameter := d.resolve(p)
				name, _ := parameter["name"].(string)
				switch {
				case name == "dispatch":
					dispatches, _ = d.resolve(parameter["schema"])["enum"].([]any)
				case parameter["in"] == "query":
					r.queries = append(r.queries, name)
				}
			}
			r.fields = d.body(op)
			list = append(list, dispatched(r, dispatches)...)
		}
	}
	return list
}

// dispatched are the operations of one action of edubrite, whose values go into
// the query or, for POST, into a form; other routes are what they are.
func dispatched(r route, dispatches []any) []route {
	if r.door != "edubrite" || dispatches == nil {
		if r.door == "edubrite" && r.method == "POST" {
			return nil // described by what it has in common with GET
		}
		return []route{r}
	}
	var list []route
	for _, dispatch := range dispatches {
		asked := r
		asked.dispatch, _ = dispatch.(string)
		list = append(list, asked)
		asked.method, asked.form = "POST", true
		list = append(list, asked)
	}
	return list
}

// body are the leaves of an operation's body.
func (d description) body(op map[string]any) []field {
	content := d.resolve(d.resolve(op["requestBody"])["content"])
	for _, media := range slices.Sorted(maps.Keys(content)) {
		schema := d.resolve(content[media])["schema"]
		var fields []field
		d.leaves(schema, nil, true, 0, &fields)
		return fields
	}
	return nil
}

func (d description) leaves(schema any, path []string, required bool, depth int, fields *[]field) {
	if depth > 6 {
		return
	}
	s := d.resolve(schema)
	for _, join := range []string{"allOf", "oneOf", "anyOf"} {
		parts, _ := s[join].([]any)
		for _, part := range parts {
			d.leaves(part, path, required, depth+1, fields)
		}
	}
	properties := d.resolve(s["properties"])
	needed, _ := s["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		d.leaves(properties[name], append(slices.Clone(path), name), required && slices.Contains(needed, any(name)), depth+1, fields)
	}
	switch {
	case s["items"] != nil:
		d.leaves(s["items"], append(slices.Clone(path), "[]"), required, depth+1, fields)
	case properties == nil && len(path) > 0 && s["allOf"] == nil && s["oneOf"] == nil && s["anyOf"] == nil:
		*fields = append(*fields, field{path, required, sampleOf(s)})
	}
}

// sampleOf is a value that a schema allows.
func sampleOf(s map[string]any) any {
	if examples, ok := s["examples"].([]any); ok && len(examples) > 0 {
		return examples[0]
	}
	if s["example"] != nil {
		return s["example"]
	}
	if enum, ok := s["enum"].([]any); ok && len(enum) > 0 {
		return enum[0]
	}
	switch of := fmt.Sprint(s["type"]); {
	case strings.Contains(of, "integer"), strings.Contains(of, "number"):
		return 1
	case strings.Contains(of, "boolean"):
		return true
	case strings.Contains(of, "object"):
		return map[string]any{}
	}
	return "text"
}

// scimPattern is an operation in that door's tables.
var scimPattern = regexp.MustCompile(`(?m)^\t\{"([A-Z]+)", "(/[^"]*)", "RFC`)

func scimRoutes(t testing.TB) []route {
	t.Helper()
	var list []route
	for _, file := range goFiles(t, "../dialect/scim") {
		source, err := os.ReadFile(file)
		must(t, err)
		for _, found := range scimPattern.FindAllSubmatch(source, -1) {
			list = append(list, route{door: "scim", method: string(found[1]), path: "/scim/v2" + string(found[2])})
		}
	}
	if len(list) < 25 {
		t.Fatalf("found only %d operations of scim", len(list))
	}
	return list
}

// goFiles are the files of a package, without its tests.
func goFiles(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	must(t, err)
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

// consoleRoutes are found by the calls that register them.
func consoleRoutes(t testing.TB) []route {
	t.Helper()
	dirs, err := filepath.Glob("../console/*")
	must(t, err)
	methods := map[string]string{"Get": "GET", "GetOpen": "GET", "Post": "POST", "PostOpen": "POST", "PostFile": "POST"}
	var list []route
	for _, dir := range dirs {
		constants := map[string]string{}
		for _, file := range goFiles(t, dir) {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			must(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					if len(n.Names) == 1 && len(n.Values) == 1 {
						if text, ok := textOf(n.Values[0], constants); ok {
							constants[n.Names[0].Name] = text
						}
					}
				case *ast.CallExpr:
					selector, ok := n.Fun.(*ast.SelectorExpr)
					if !ok || len(n.Args) != 2 || methods[selector.Sel.Name] == "" {
						return true
					}
					if on, ok := selector.X.(*ast.Ident); !ok || on.Name != "k" {
						return true
					}
					path, ok := textOf(n.Args[0], constants)
					if !ok {
						t.Fatalf("%s: a route whose path is no constant", file)
					}
					list = append(list, route{door: "console", method: methods[selector.Sel.Name], path: "/console" + path, form: true})
				}
				return true
			})
		}
	}
	if len(list) < 100 {
		t.Fatalf("found only %d routes of the console", len(list))
	}
	return list
}

// textOf is the value of a constant expression of texts.
func textOf(e ast.Expr, constants map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, ok := constants[e.Name]
		return text, ok
	case *ast.BinaryExpr:
		left, ok := textOf(e.X, constants)
		right, also := textOf(e.Y, constants)
		return left + right, ok && also
	}
	return "", false
}

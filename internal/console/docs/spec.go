package docs

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// spec is an OpenAPI 3.1 description, checked: whatever its references lead to
// is there.
type spec struct {
	root *node
}

// readSpec parses a description and checks what its page relies on.
func readSpec(text []byte) (*spec, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	s := &spec{root}
	switch {
	case !strings.HasPrefix(root.text("openapi"), "3.1."):
		return nil, errors.New(`"openapi" is not 3.1`)
	case root.text("info", "title") == "":
		return nil, errors.New(`"info" has no "title"`)
	case len(root.names("paths")) == 0:
		return nil, errors.New(`"paths" is empty`)
	}
	if err := s.checkReferences(root); err != nil {
		return nil, err
	}
	for _, path := range root.names("paths") {
		for _, method := range s.root.names("paths", path) {
			if op := root.at("paths", path, method); slices.Contains(methods, method) && len(op.names("responses")) == 0 {
				return nil, fmt.Errorf("%s %s has no responses", method, path)
			}
		}
	}
	return s, nil
}

// methods are the keys of a path item that are operations.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (s *spec) checkReferences(n *node) error {
	if reference := n.text("$ref"); reference != "" {
		if s.find(reference) == nil {
			return fmt.Errorf("the reference %q leads nowhere in the document", reference)
		}
		if s.resolve(n).text("$ref") != "" {
			return fmt.Errorf("the reference %q leads in a circle", reference)
		}
	}
	for _, key := range n.keys {
		if isExample(key) {
			continue // what is in an example is data
		}
		if err := s.checkReferences(n.fields[key]); err != nil {
			return err
		}
	}
	for _, item := range n.items {
		if err := s.checkReferences(item); err != nil {
			return err
		}
	}
	return nil
}

// isExample reports whether a key holds data of the API and no description.
func isExample(key string) bool {
	return key == "example" || key == "default" || key == "const" || key == "enum"
}

// find is what a reference within the document leads to, or nil.
func (s *spec) find(reference string) *node {
	pointer, ok := strings.CutPrefix(reference, "#/")
	if !ok {
		return nil
	}
	n := s.root
	for key := range strings.SplitSeq(pointer, "/") {
		if unescaped, err := url.PathUnescape(key); err == nil {
			key = unescaped
		}
		n = n.at(strings.NewReplacer("~1", "/", "~0", "~").Replace(key))
	}
	return n
}

// resolve follows references to the object that is meant. It gives up on a
// circle, which readSpec refuses, and answers the last reference.
func (s *spec) resolve(n *node) *node {
	for range 10 {
		reference := n.text("$ref")
		if reference == "" {
			return n
		}
		n = s.find(reference)
	}
	return n
}

// describe is the description of an object, or else of what it refers to: a
// reference may have a description of its own (OpenAPI 3.1, "Reference Object").
func (s *spec) describe(n *node) string {
	if text := n.text("description"); text != "" {
		return text
	}
	if text := s.resolve(n).text("description"); text != "" {
		return text
	}
	return s.resolve(n).text("summary")
}

// operation is one method of one path.
type operation struct {
	method, path string
	node         *node
	parameters   []*node // those of the path first, each overridden by the operation's
}

func (s *spec) operations() []operation {
	var all []operation
	for _, path := range s.root.names("paths") {
		item := s.resolve(s.root.at("paths", path))
		for _, method := range item.names() {
			if !slices.Contains(methods, method) {
				continue
			}
			op := operation{method: strings.ToUpper(method), path: path, node: item.at(method)}
			for _, n := range slices.Concat(item.list("parameters"), op.node.list("parameters")) {
				p := s.resolve(n)
				op.parameters = slices.DeleteFunc(op.parameters, func(o *node) bool {
					return s.resolve(o).text("name") == p.text("name") && s.resolve(o).text("in") == p.text("in")
				})
				op.parameters = append(op.parameters, n)
			}
			all = append(all, op)
		}
	}
	return all
}

// typeOf says in a few words what a schema takes. name and link are those of the
// schema under components that it refers to, itself or by its elements.
func (s *spec) typeOf(n *node) (words, name string) {
	if reference := n.text("$ref"); reference != "" {
		if name, ok := strings.CutPrefix(reference, "#/components/schemas/"); ok {
			return "", name
		}
		n = s.resolve(n)
	}
	switch {
	case n == nil || n.scalar == true || n.object() && len(n.keys) == 0:
		return "anything", ""
	case n.at("const") != nil:
		return "always " + quote(n.at("const").scalar), ""
	case n.at("oneOf") != nil || n.at("anyOf") != nil:
		return "one of these", ""
	case n.at("allOf") != nil:
		return "all of these", ""
	}
	kinds := kindsOf(n)
	for i, kind := range kinds {
		switch {
		case kind == "array":
			words, element := s.typeOf(n.at("items"))
			kinds[i], name = strings.TrimSpace("array of "+words), element
		case kind == "object" && n.at("additionalProperties").object():
			words, element := s.typeOf(n.at("additionalProperties"))
			kinds[i], name = strings.TrimSpace("map of "+words), element
		}
	}
	words = strings.Join(kinds, " or ")
	if format := n.text("format"); format != "" {
		words += " (" + format + ")"
	}
	return words, name
}

// kindsOf are the types that a schema names, or that its keywords imply.
func kindsOf(n *node) []string {
	var kinds []string
	for _, kind := range n.list("type") {
		kinds = append(kinds, kind.String())
	}
	switch {
	case kinds != nil:
	case n.text("type") != "":
		kinds = []string{n.text("type")}
	case n.at("properties") != nil:
		kinds = []string{"object"}
	case n.at("items") != nil:
		kinds = []string{"array"}
	case n.at("enum") != nil:
		kinds = []string{"value"}
	default:
		kinds = []string{"anything"}
	}
	return kinds
}

// limits are the constraints of a schema, in words.
func (s *spec) limits(n *node) []string {
	n = s.resolve(n)
	var said []string
	add := func(words string, key string) {
		if value := n.at(key); value != nil {
			said = append(said, words+" "+value.String())
		}
	}
	if values := n.list("enum"); values != nil {
		var texts []string
		for _, value := range values {
			texts = append(texts, quote(value.scalar))
		}
		said = append(said, "one of "+strings.Join(texts, ", "))
	}
	for _, c := range [][2]string{{"at least", "minimum"}, {"more than", "exclusiveMinimum"}, {"at most", "maximum"},
		{"less than", "exclusiveMaximum"}, {"multiple of", "multipleOf"}, {"characters from", "minLength"}, {"characters up to", "maxLength"},
		{"elements from", "minItems"}, {"elements up to", "maxItems"}, {"keys up to", "maxProperties"}, {"pattern", "pattern"}, {"default", "default"}} {
		add(c[0], c[1])
	}
	for _, c := range [][2]string{{"uniqueItems", "no element twice"}, {"readOnly", "only in answers"}, {"writeOnly", "only in requests"}, {"deprecated", "deprecated"}} {
		if n.is(c[0]) {
			said = append(said, c[1])
		}
	}
	if closed := n.at("additionalProperties"); closed != nil && closed.scalar == false {
		said = append(said, "no other fields")
	}
	return said
}

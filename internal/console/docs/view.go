package docs

import (
	"html/template"
	"slices"
	"strings"
)

// index is what the list of APIs shows.
type index struct {
	Base string
	APIs []*page
	Self []Document // APIs that describe themselves
}

// page is what the template of a description shows.
type page struct {
	Name, Title, Version, Base string
	Summary, About             template.HTML
	Schemes                    []schemeView
	Groups                     []groupView
	Shared                     []answerView // answers that operations refer to
	Schemas                    []namedSchema
}

type schemeView struct {
	Name, How string
	About     template.HTML
}

// groupView are the operations of a tag.
type groupView struct {
	Name, ID   string
	About      template.HTML
	Operations []operationView
}

type operationView struct {
	ID, Method, Path, Summary string
	Breaks                    template.HTML // the path, which may be broken after each slash
	About                     template.HTML
	Deprecated                bool
	Access                    string
	Parameters                []parameterView
	Body                      *bodyView
	Answers                   []answerView
	Curl                      string
}

type parameterView struct {
	Name, In string
	Required bool
	Schema   *schemaView
	About    template.HTML
	Example  string
}

type bodyView struct {
	Required bool
	About    template.HTML
	Media    []mediaView
}

type mediaView struct {
	Type     string
	Schema   *schemaView
	Examples []exampleView
}

type exampleView struct{ Title, Text string }

// answerView is a status and what comes with it. Name and Link lead to one that
// is shown elsewhere.
type answerView struct {
	Status, Kind   string
	Name, ID, Link string
	About          template.HTML
	Headers        []parameterView
	Media          []mediaView
}

type namedSchema struct {
	Name, ID string
	Schema   *schemaView
}

// schemaView is a schema. Name and Link lead to one that is shown elsewhere.
type schemaView struct {
	Type, Name, Link string
	Limits           []string
	About            template.HTML
	Example          string
	Fields           []fieldView
	Parts            []*schemaView // of oneOf, anyOf and allOf
}

type fieldView struct {
	Name     string
	Required bool
	Schema   *schemaView
}

// view makes the page of a description.
func (s *spec) view(d *Document, base string) *page {
	info := s.root.at("info")
	p := &page{Name: d.Name, Title: d.Title, Version: info.text("version"), Base: base}
	p.Summary, p.About = prose(info.text("summary")), prose(info.text("description"))
	for _, name := range s.root.names("components", "securitySchemes") {
		scheme := s.resolve(s.root.at("components", "securitySchemes", name))
		p.Schemes = append(p.Schemes, schemeView{Name: name, How: howTo(scheme), About: prose(scheme.text("description"))})
	}
	p.Groups = s.groups(base)
	for _, name := range s.root.names("components", "responses") {
		a := s.answer(s.root.at("components", "responses", name))
		a.Name, a.ID = name, answerID(name)
		p.Shared = append(p.Shared, a)
	}
	for _, name := range s.root.names("components", "schemas") {
		p.Schemas = append(p.Schemas, namedSchema{Name: name, ID: schemaID(name), Schema: s.schema(s.root.at("components", "schemas", name), 0)})
	}
	return p
}

// howTo says in a few words where a credential goes.
func howTo(scheme *node) string {
	switch kind := scheme.text("type"); kind {
	case "http":
		return "Authorization: " + strings.ToUpper(scheme.text("scheme")[:1]) + scheme.text("scheme")[1:] + " …"
	case "apiKey":
		return map[string]string{"header": "header ", "query": "query parameter ", "cookie": "cookie "}[scheme.text("in")] + scheme.text("name")
	case "oauth2":
		return "OAuth 2.0, Authorization: Bearer …"
	default:
		return kind
	}
}

// groups are the operations by their first tag: the tags in the document's
// order, then those that it does not declare.
func (s *spec) groups(base string) []groupView {
	var groups []groupView
	for _, tag := range s.root.list("tags") {
		groups = append(groups, groupView{Name: tag.text("name"), About: prose(tag.text("description"))})
	}
	for _, op := range s.operations() {
		tag := "operations"
		if tags := op.node.list("tags"); len(tags) > 0 {
			tag = tags[0].String()
		}
		at := slices.IndexFunc(groups, func(g groupView) bool { return g.Name == tag })
		if at < 0 {
			at = len(groups)
			groups = append(groups, groupView{Name: tag})
		}
		groups[at].Operations = append(groups[at].Operations, s.operation(op, base))
	}
	groups = slices.DeleteFunc(groups, func(g groupView) bool { return len(g.Operations) == 0 })
	for i := range groups {
		groups[i].ID = "tag-" + slug(groups[i].Name)
	}
	return groups
}

func (s *spec) operation(op operation, base string) operationView {
	v := operationView{
		ID: "op-" + slug(op.method+" "+op.path), Method: op.method, Path: op.path, Summary: op.node.text("summary"),
		Breaks: breaks(op.path), About: prose(op.node.text("description")), Deprecated: op.node.is("deprecated"), Curl: s.curl(base, op),
	}
	if id := op.node.text("operationId"); id != "" {
		v.ID = "op-" + slug(id)
	}
	if len(s.firstSecurity(op)) == 0 {
		v.Access = "No credential is asked for."
	}
	for _, n := range op.parameters {
		v.Parameters = append(v.Parameters, s.parameter(s.resolve(n).text("name"), n))
	}
	if body := op.node.at("requestBody"); body != nil {
		resolved := s.resolve(body)
		v.Body = &bodyView{Required: resolved.is("required"), About: prose(s.describe(body)), Media: s.media(resolved)}
	}
	for _, status := range op.node.names("responses") {
		v.Answers = append(v.Answers, s.operationAnswer(status, op.node.at("responses", status)))
	}
	return v
}

func breaks(path string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(path), "/", "/<wbr>")) //nolint:gosec // escaped
}

// operationAnswer is an answer of an operation. Refusals that many operations
// share are shown once, at the end of the page.
func (s *spec) operationAnswer(status string, n *node) answerView {
	name, shared := strings.CutPrefix(n.text("$ref"), "#/components/responses/")
	a := answerView{Name: name, Link: "#" + answerID(name), About: prose(s.describe(n))}
	if !shared || status < "4" {
		a = s.answer(n)
	}
	a.Status, a.Kind = status, "s"+status[:1]
	return a
}

func (s *spec) answer(n *node) answerView {
	resolved := s.resolve(n)
	a := answerView{About: prose(s.describe(n)), Media: s.media(resolved)}
	for _, name := range resolved.names("headers") {
		a.Headers = append(a.Headers, s.parameter(name, resolved.at("headers", name)))
	}
	return a
}

func (s *spec) parameter(name string, n *node) parameterView {
	p := s.resolve(n)
	v := parameterView{Name: name, In: p.text("in"), Required: p.is("required"), About: prose(s.describe(n)), Schema: s.schema(p.at("schema"), 0)}
	if example := s.exampleOf(p); example != nil {
		v.Example = example.String()
	}
	return v
}

func (s *spec) media(n *node) []mediaView {
	var views []mediaView
	for _, name := range n.names("content") {
		media := s.resolve(n.at("content", name))
		v := mediaView{Type: name, Schema: s.schema(media.at("schema"), 0)}
		for _, title := range media.names("examples") {
			example := s.resolve(media.at("examples", title))
			if summary := example.text("summary"); summary != "" {
				title = summary
			}
			v.Examples = append(v.Examples, exampleView{Title: title, Text: example.at("value").String()})
		}
		if example := s.mediaExample(media); len(v.Examples) == 0 && example != nil {
			v.Examples = []exampleView{{Title: "example", Text: example.String()}}
		}
		views = append(views, v)
	}
	return views
}

// maxFold bounds schemas that are written into each other.
const maxFold = 12

func (s *spec) schema(n *node, depth int) *schemaView {
	if n == nil || depth > maxFold {
		return nil
	}
	v := &schemaView{}
	v.Type, v.Name = s.typeOf(n)
	if v.Name != "" {
		v.Link = "#" + schemaID(v.Name)
	}
	if n.text("$ref") != "" {
		v.About = prose(n.text("description"))
		return v
	}
	v.Limits, v.About = s.limits(n), prose(n.text("description"))
	if n.at("properties") == nil {
		if example := s.exampleOf(n); example != nil {
			v.Example = example.String()
		}
	}
	for inner := n; inner != nil; inner = inlineOf(inner) {
		v.Fields = append(v.Fields, s.fields(inner, depth)...)
	}
	for _, key := range []string{"oneOf", "anyOf", "allOf"} {
		for _, part := range n.list(key) {
			v.Parts = append(v.Parts, s.schema(part, depth+1))
		}
	}
	return v
}

// inlineOf is the schema of the elements of an array or map, where it is written
// in place: its fields are shown as if they were the array's own.
func inlineOf(n *node) *node {
	for _, key := range []string{"items", "additionalProperties"} {
		if inner := n.at(key); inner.object() && inner.text("$ref") == "" {
			return inner
		}
	}
	return nil
}

func (s *spec) fields(n *node, depth int) []fieldView {
	var required []string
	for _, name := range n.list("required") {
		required = append(required, name.String())
	}
	var fields []fieldView
	for _, name := range n.names("properties") {
		fields = append(fields, fieldView{Name: name, Required: slices.Contains(required, name), Schema: s.schema(n.at("properties", name), depth+1)})
	}
	return fields
}

func schemaID(name string) string { return "schema-" + slug(name) }
func answerID(name string) string { return "answer-" + slug(name) }

// slug makes the id of an element: letters, digits and hyphens.
func slug(text string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, text), "-")
}

package docs

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// exampleOf is the value that a parameter, header, media type or schema shows,
// or nil.
func (s *spec) exampleOf(n *node) *node {
	n = s.resolve(n)
	if example := n.at("example"); example != nil {
		return example
	}
	switch examples := n.at("examples"); {
	case examples == nil:
	case len(examples.items) > 0: // of a schema
		return examples.items[0]
	case len(examples.keys) > 0: // of a parameter or media type: named objects
		return s.resolve(examples.fields[examples.keys[0]]).at("value")
	}
	return nil
}

// sample is a value that a schema takes, made of its examples, defaults and
// enumerations, and of its types where it has none.
func (s *spec) sample(n *node, depth int) *node {
	if example := s.exampleOf(n); example != nil {
		return example
	}
	n = s.resolve(n)
	for _, key := range []string{"const", "default"} {
		if value := n.at(key); value != nil {
			return value
		}
	}
	if values := n.list("enum"); len(values) > 0 {
		return values[0]
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		if branches := n.list(key); len(branches) > 0 {
			return s.sample(branches[0], depth+1)
		}
	}
	return s.sampleOfKind(n, depth)
}

// sampleDepth bounds samples of schemas that hold themselves.
const sampleDepth = 6

func (s *spec) sampleOfKind(n *node, depth int) *node {
	if depth > sampleDepth {
		return &node{}
	}
	if n.at("allOf") != nil || n.at("properties") != nil {
		return s.sampleObject(n, depth)
	}
	switch kindsOf(n)[0] {
	case "object":
		return &node{fields: map[string]*node{}}
	case "array":
		return &node{items: []*node{s.sample(n.at("items"), depth+1)}}
	case "integer", "number":
		if least := n.at("minimum"); least != nil {
			return least
		}
		return &node{scalar: json.Number("1")}
	case "boolean":
		return &node{scalar: true}
	case "null":
		return &node{}
	}
	formats := map[string]string{"date-time": "2026-01-31T12:00:00Z", "date": "2026-01-31", "email": "ada@example.test", "uri": "https://example.test/",
		"uuid": "0198c5b2-7c1e-7d3a-9a51-2f6d3c1b8e04", "password": "violin-harbour-thistle-86"}
	if text, ok := formats[n.text("format")]; ok {
		return &node{scalar: text}
	}
	return &node{scalar: "text"}
}

// sampleObject has the fields of a schema and of all that it is made of.
func (s *spec) sampleObject(n *node, depth int) *node {
	object := &node{fields: map[string]*node{}}
	for _, part := range n.list("allOf") {
		sample := s.sample(part, depth+1)
		for _, key := range sample.names() {
			object.set(key, sample.at(key))
		}
	}
	for _, key := range n.names("properties") {
		if property := n.at("properties", key); !s.resolve(property).is("readOnly") {
			object.set(key, s.sample(property, depth+1))
		}
	}
	return object
}

func (n *node) set(key string, value *node) {
	if _, ok := n.fields[key]; !ok {
		n.keys = append(n.keys, key)
	}
	n.fields[key] = value
}

// media is a body in one format, with something to show.
func (s *spec) mediaExample(media *node) *node {
	if example := s.exampleOf(media); example != nil {
		return example
	}
	if media.at("schema") == nil {
		return nil
	}
	return s.sample(media.at("schema"), 0)
}

// curl is the command that calls an operation, in one line a person can paste
// into a shell. Credentials are variables of the shell.
func (s *spec) curl(base string, op operation) string {
	command := []string{"curl"}
	if op.method != "GET" {
		command = append(command, "-X", op.method)
	}
	path, query := op.path, url.Values{}
	var order []string
	for _, n := range op.parameters {
		p := s.resolve(n)
		name, value := p.text("name"), s.parameterSample(p)
		switch {
		case p.text("in") == "path":
			path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
		case !p.is("required"):
		case p.text("in") == "query":
			query.Add(name, value)
			order = append(order, name)
		case p.text("in") == "header":
			command = append(command, "-H", shell(name+": "+value))
		case p.text("in") == "cookie":
			command = append(command, "-b", shell(name+"="+value))
		}
	}
	address := base + path
	for i, name := range order {
		address += map[bool]string{true: "?", false: "&"}[i == 0] + name + "=" + url.QueryEscape(query.Get(name))
	}
	credentials, suffix := s.credentials(op, strings.Contains(address, "?"))
	command = append(command, credentials...)
	command = append(command, s.curlBody(op)...)
	if suffix != "" {
		return strings.Join(append(command, `"`+address+suffix+`"`), " ")
	}
	return strings.Join(append(command, shell(address)), " ")
}

func (s *spec) parameterSample(p *node) string {
	if example := s.exampleOf(p); example != nil {
		return example.String()
	}
	return s.sample(p.at("schema"), 0).String()
}

// credentials are the options of curl for the first way to prove oneself that
// an operation accepts, and what the address ends with for a key in the query.
func (s *spec) credentials(op operation, query bool) (options []string, suffix string) {
	for _, scheme := range s.firstSecurity(op) {
		definition := s.resolve(s.root.at("components", "securitySchemes", scheme))
		name := definition.text("name")
		switch kind, in := definition.text("type"), definition.text("in"); {
		case kind == "http" && strings.EqualFold(definition.text("scheme"), "basic"):
			options = append(options, "-u", `"$NAME:$PASSWORD"`)
		case kind == "http", kind == "oauth2", kind == "openIdConnect":
			options = append(options, "-H", `"Authorization: Bearer $KEY"`)
		case in == "header":
			options = append(options, "-H", `"`+name+`: $KEY"`)
		case in == "cookie":
			options = append(options, "-b", `"`+name+`=$`+variable(name)+`"`)
		case in == "query":
			suffix += map[bool]string{false: "?", true: "&"}[query || suffix != ""] + name + "=$KEY"
		}
	}
	return options, suffix
}

// firstSecurity are the names of the schemes of the first alternative, none if
// an operation needs none.
func (s *spec) firstSecurity(op operation) []string {
	security := op.node.at("security")
	if security == nil {
		security = s.root.at("security")
	}
	for _, alternative := range security.list() {
		return alternative.names()
	}
	return nil
}

// variable is the name of a shell variable for a cookie.
func variable(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}

// curlBody are the options of curl for the first format that a body may have.
func (s *spec) curlBody(op operation) []string {
	content := s.resolve(op.node.at("requestBody")).at("content")
	names := content.names()
	if len(names) == 0 {
		return nil
	}
	media := s.resolve(content.at(names[0]))
	example := s.mediaExample(media)
	form := slices.Contains([]string{"application/x-www-form-urlencoded", "multipart/form-data"}, names[0])
	if form && example.object() {
		option := map[bool]string{false: "--data-urlencode", true: "-F"}[names[0] == "multipart/form-data"]
		var fields []string
		for _, key := range example.keys {
			fields = append(fields, option, shell(key+"="+example.at(key).String()))
		}
		return fields
	}
	body := example.String()
	if example.object() || example != nil && example.items != nil {
		body = compact(example)
	}
	return []string{"-H", shell("Content-Type: " + names[0]), "-d", shell(body)}
}

// compact is JSON on one line.
func compact(n *node) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(n.json())); err != nil {
		return "" // what is written here is JSON
	}
	return b.String()
}

// shell quotes a text for a POSIX shell.
func shell(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

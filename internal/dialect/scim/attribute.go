package scim

import (
	"strings"

	"github.com/usher-id/usher/internal/filter"
)

// The data types of attributes (RFC 7643 section 2.3).
const (
	typeString    = "string"
	typeBoolean   = "boolean"
	typeInteger   = "integer"
	typeDateTime  = "dateTime"
	typeBinary    = "binary"
	typeReference = "reference"
	typeComplex   = "complex"
)

// The mutabilities of attributes (RFC 7643 section 7). readWrite is what an
// attribute of the tables is that names none.
const (
	readWrite = "readWrite"
	readOnly  = "readOnly"
	immutable = "immutable"
	writeOnly = "writeOnly"
)

// When an attribute is returned (RFC 7643 section 7). byDefault is what an
// attribute of the tables is that names none.
const (
	byDefault = "default"
	always    = "always"
	never     = "never"
	requested = "request"
)

// perServer says that no two resources of a tenant have the same value.
const perServer = "server"

// attribute is a row of a schema (RFC 7643 section 7).
type attribute struct {
	id         attributeID
	name       string
	kind       string // typeString and so on; "" is typeString
	multi      bool
	about      string // the description
	required   bool
	canonical  []string // values that a client finds here; others are taken too, unless about says otherwise
	caseExact  bool
	mutability string
	returned   string
	uniqueness string
	references []string
	subs       []attribute

	// Set by link.
	parent *attribute // of a sub-attribute
	schema *schema
}

// schema is a table of attributes under a URN.
type schema struct {
	urn        string
	name       string
	about      string
	attributes []attribute

	byName map[string]*attribute // by name in lower case, sub-attributes as "name.familyname"
}

// link fills what follows from the table.
func (s *schema) link() *schema {
	s.byName = map[string]*attribute{}
	for i := range s.attributes {
		a := &s.attributes[i]
		a.schema = s
		s.byName[strings.ToLower(a.name)] = a
		for j := range a.subs {
			sub := &a.subs[j]
			sub.parent, sub.schema = a, s
			s.byName[strings.ToLower(a.name+"."+sub.name)] = sub
		}
	}
	return s
}

// resource is a type of resources (RFC 7643 section 6).
type resource struct {
	name       string
	endpoint   string
	about      string
	core       *schema
	extensions []*schema

	usual projection // what is returned by default; set by link
}

// target is where a path leads: to an attribute, a sub-attribute, or a schema
// as a whole.
type target struct {
	schema *schema
	attr   *attribute // nil: the schema as a whole
	sub    *attribute // nil: the attribute itself
}

// leaf is the attribute or sub-attribute that is meant, nil for a schema.
func (t target) leaf() *attribute {
	if t.sub != nil {
		return t.sub
	}
	return t.attr
}

// resolve finds where a path leads. Names are found in any letter case, those
// of the resource's core schema and the common attributes (RFC 7643 section
// 3.1) with and without its URN, those of an extension with its URN. The path's
// value filter is not looked at.
func (r *resource) resolve(path filter.Path) (target, bool) {
	if path.Sub == "" && path.Filter == nil {
		if s := r.schemaOf(path.Name()); s != nil {
			return target{schema: s}, true
		}
	}
	s := r.core
	if path.Schema != "" {
		if s = r.schemaOf(path.Schema); s == nil {
			return target{}, false
		}
	}
	name := strings.ToLower(path.Attribute)
	attr := s.byName[name]
	if attr == nil && s == r.core {
		s = common
		attr = s.byName[name]
	}
	if attr == nil {
		return target{}, false
	}
	t := target{schema: s, attr: attr}
	if path.Sub != "" {
		if t.sub = s.byName[name+"."+strings.ToLower(path.Sub)]; t.sub == nil {
			return target{}, false
		}
	}
	return t, true
}

// resolveName is resolve for a text: the key of a JSON object, an item of a
// list of attributes, a path of PATCH without value filter.
func (r *resource) resolveName(name string) (target, bool) {
	path, err := filter.ParsePath(name, filter.Limits{})
	if err != nil || path.Filter != nil {
		return target{}, false
	}
	return r.resolve(path)
}

// schemaOf finds one of the resource's schemas, nil for none. URNs are
// compared without letter case (RFC 7643 section 7: "id").
func (r *resource) schemaOf(urn string) *schema {
	if strings.EqualFold(urn, r.core.urn) {
		return r.core
	}
	for _, s := range r.extensions {
		if strings.EqualFold(urn, s.urn) {
			return s
		}
	}
	return nil
}

// mutable is the attribute's mutability with that of the attribute that it is
// part of: nothing of a read-only attribute can be written.
func (a *attribute) mutable() string {
	if a.parent != nil && a.parent.mutability == readOnly {
		return readOnly
	}
	if a.mutability == "" {
		return readWrite
	}
	return a.mutability
}

// returns says when the attribute is part of an answer: byDefault, always, never
// or requested.
func (a *attribute) returns() string {
	if a.parent != nil && (a.parent.returned == never || a.parent.returned == requested) {
		return a.parent.returned
	}
	if a.returned == "" {
		return byDefault
	}
	return a.returned
}

// dataType is the attribute's data type.
func (a *attribute) dataType() string {
	if a.kind == "" {
		return typeString
	}
	return a.kind
}

// path is the attribute's name as a client writes it, with the URN of an
// extension.
func (a *attribute) path() string {
	name := a.name
	if a.parent != nil {
		name = a.parent.name + "." + name
	}
	if a.schema != nil && strings.Contains(a.schema.urn, ":extension:") {
		name = a.schema.urn + ":" + name
	}
	return name
}

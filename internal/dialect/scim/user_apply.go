package scim

import (
	"reflect"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/filter"
)

// apply carries the step out.
func (s *step) apply(tree map[string]any) error {
	if s.at.schema == enterpriseSchema || s.at.schema == directorySchema {
		extension, ok := tree[s.at.schema.urn].(map[string]any)
		if !ok {
			extension = map[string]any{}
			tree[s.at.schema.urn] = extension
		}
		tree = extension
	}
	a := s.at.attr
	switch {
	case a.multi:
		list, _ := tree[a.name].([]any)
		list, err := s.applyTo(list)
		tree[a.name] = list
		return err
	case a.dataType() != typeComplex:
		set(tree, a.name, s.value)
	case s.at.sub == nil && s.op == "remove":
		delete(tree, a.name)
	default:
		object, ok := tree[a.name].(map[string]any)
		if !ok {
			object = map[string]any{}
			tree[a.name] = object
		}
		s.merge(object)
	}
	return nil
}

// set sets a member, or takes it away.
func set(object map[string]any, name string, value any) {
	if value == nil {
		delete(object, name)
		return
	}
	object[name] = value
}

// merge sets the sub-attributes that the step names and leaves the others (RFC
// 7644 section 3.5.2.3).
func (s *step) merge(object map[string]any) {
	if s.at.sub != nil {
		set(object, s.at.sub.name, s.value)
		return
	}
	value, _ := s.value.(map[string]any)
	for name, member := range value {
		set(object, name, member)
	}
}

// applyTo carries the step out on the values of an attribute.
func (s *step) applyTo(list []any) ([]any, error) {
	if s.filter == nil && s.at.sub == nil {
		return s.applyToAll(list)
	}
	var chosen []map[string]any
	rest := make([]any, 0, len(list))
	for _, element := range list {
		object, _ := element.(map[string]any)
		if s.filter == nil || filter.Match(s.filter, object, s.exact) {
			chosen = append(chosen, object)
		} else {
			rest = append(rest, element)
		}
	}
	switch {
	case s.op == "remove" && s.at.sub == nil:
		return rest, nil
	case s.op == "remove":
	case len(chosen) == 0:
		made, err := s.made()
		if err != nil {
			return nil, err
		}
		list, chosen = append(list, made), []map[string]any{made}
	}
	for _, object := range chosen {
		if s.op == "replace" && s.at.sub == nil {
			clear(object) // "all matching record values SHALL be replaced"
		}
		s.merge(object)
	}
	return list, s.prefer(list, chosen)
}

// exact reports whether a sub-attribute is compared to the letter.
func (s *step) exact(path string) bool {
	sub := s.at.schema.byName[strings.ToLower(s.at.attr.name)+"."+path]
	return sub != nil && sub.caseExact
}

// hasParts reports whether a filter asks for nothing but sub-attributes that the
// attribute has.
func (a *attribute) hasParts(e filter.Expr) bool {
	has := func(path filter.Path) bool {
		return path.Schema == "" && path.Sub == "" && a.schema.byName[strings.ToLower(a.name+"."+path.Attribute)] != nil
	}
	lacks := func(e filter.Expr) bool { return !a.hasParts(e) }
	switch e := e.(type) {
	case filter.And:
		return !slices.ContainsFunc(e, lacks)
	case filter.Or:
		return !slices.ContainsFunc(e, lacks)
	case filter.Not:
		return a.hasParts(e.Expr)
	case filter.Compare:
		return has(e.Path)
	case filter.Present:
		return has(e.Path)
	}
	return false
}

// made is the value that an operation makes where none fulfils its filter, of
// the texts which the filter wants (dossier 5.3). A replacement of whole values
// has no target then (RFC 7644 section 3.5.2.3).
func (s *step) made() (map[string]any, error) {
	object := map[string]any{}
	if s.filter != nil && !wantedBy(s.at.attr, s.filter, object) || s.op == "replace" && s.at.sub == nil {
		return nil, refuse(noTarget, "%s has no value that %s.", s.at.attr.path(), cut(s.filter.String()))
	}
	return object, nil
}

// wantedBy puts what an expression of eq and and wants into an object; ok is
// false for any other expression.
func wantedBy(a *attribute, e filter.Expr, object map[string]any) (ok bool) {
	switch e := e.(type) {
	case filter.And:
		return !slices.ContainsFunc(e, func(m filter.Expr) bool { return !wantedBy(a, m, object) })
	case filter.Compare:
		sub := a.schema.byName[strings.ToLower(a.name)+"."+e.Path.Key("")]
		if e.Op != filter.OpEqual || sub == nil || sub.mutable() == readOnly {
			return false
		}
		var value any = e.Value.Text
		if e.Value.Kind == filter.Boolean {
			value = e.Value.Bool
		}
		value, err := simple(sub, value)
		object[sub.name] = value
		return err == nil && (e.Value.Kind == filter.String || e.Value.Kind == filter.Boolean)
	}
	return false
}

// applyToAll carries out a step that is about all values.
func (s *step) applyToAll(list []any) ([]any, error) {
	value, _ := s.value.([]any)
	switch {
	case s.op == "remove" && s.value == nil:
		return nil, nil
	case s.op == "remove":
		return slices.DeleteFunc(slices.Clone(list), func(have any) bool {
			return slices.ContainsFunc(value, func(gone any) bool { return has(have, gone) })
		}), nil
	case primaries(value) > 1: // also where one of them is there already
		return nil, s.errPrimaries()
	case s.op == "replace":
		list = nil
	}
	var fresh []map[string]any
	for _, element := range value {
		if slices.ContainsFunc(list, func(have any) bool { return reflect.DeepEqual(have, element) }) {
			continue
		}
		object := copied(element.(map[string]any))
		list, fresh = append(list, object), append(fresh, object)
	}
	if len(list) > maxElements {
		return nil, refuse(invalidValue, "%s must have at most %d values.", s.at.attr.path(), maxElements)
	}
	return list, s.prefer(list, fresh)
}

// copied is a value of its own: a step may be carried out twice, and what it
// puts into one user must not be changed by the next step.
func copied(object map[string]any) map[string]any {
	out := make(map[string]any, len(object))
	for name, member := range object {
		set(out, name, member)
	}
	return out
}

// has reports whether a value has all that another one says.
func has(have, said any) bool {
	object, _ := have.(map[string]any)
	want, _ := said.(map[string]any)
	for name, member := range want {
		if member != nil && object[name] != member {
			return false
		}
	}
	return len(want) > 0
}

// prefer makes a value that the step has made primary the only one (RFC 7644
// section 3.5.2).
func (s *step) prefer(list []any, fresh []map[string]any) error {
	var primary map[string]any
	for _, object := range fresh {
		if object["primary"] != true {
			continue
		}
		if primary != nil {
			return s.errPrimaries()
		}
		primary = object
	}
	if primary == nil || !s.saysPrimary() {
		return nil
	}
	for _, element := range list {
		object, _ := element.(map[string]any)
		if object["primary"] == true && reflect.ValueOf(object).Pointer() != reflect.ValueOf(primary).Pointer() {
			object["primary"] = false
		}
	}
	return nil
}

// errPrimaries refuses two values that shall both be primary (RFC 7643 section
// 2.4).
func (s *step) errPrimaries() error {
	return refuse(invalidValue, "%s must have at most one primary value.", s.at.attr.path())
}

// primaries is how many of the values say that they are primary.
func primaries(values []any) (count int) {
	for _, value := range values {
		if object, _ := value.(map[string]any); object["primary"] == true {
			count++
		}
	}
	return count
}

// saysPrimary reports whether the step sets "primary".
func (s *step) saysPrimary() bool {
	if s.at.sub != nil {
		return s.at.sub.name == "primary"
	}
	return true
}

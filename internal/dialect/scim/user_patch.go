package scim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

// patchUser changes a user by operations (RFC 7644 section 3.5.2). They are
// carried out on the user as it is inside of the change, so that nothing is lost
// of what others change at the same time.
func patchUser(d *door, x *exchange) (web.Response, error) {
	v, err := x.view()
	if err != nil {
		return x.refused(err)
	}
	object, err := x.object()
	if err != nil {
		return x.refused(err)
	}
	p, err := readUserPatch(object)
	if err != nil {
		return x.refused(err)
	}
	x.conditions()
	options := directory.UpdateOptions{Rules: doorRules(), From: func(now *directory.UserDetail) (directory.UserPatch, error) {
		return p.of(now, x.call.Actor.Credential)
	}}
	if p.touched[atRoles] {
		options.FromWith = directory.IncludeRoles
	}
	u, err := d.svc.UpdateUserDetail(x.req.Context(), &x.call, x.user(), directory.UserPatch{Password: p.password}, options, v.include())
	if err != nil {
		return web.Response{}, err
	}
	return x.userResponse(http.StatusOK, &v, &u), nil
}

// Limits of one PATCH of a user. Every condition and every value is compared with
// all values that the attribute has, inside of the transaction, for which others
// wait.
const (
	maxOperations = 500
	maxCompared   = 2000 // conditions in paths, and values, together
)

// userPatch is the operations of a PATCH.
type userPatch struct {
	steps    []step
	touched  map[attributeID]bool // attributes, not sub-attributes
	password directory.Opt[string]
	removed  bool // the password
	compared int  // conditions and values
}

// step is one change of one attribute.
type step struct {
	op     string // add, replace or remove
	at     target
	filter filter.Expr // which values are meant; nil for all
	value  any         // as normal makes it; nil for none
}

// readUserPatch reads the body of a PATCH, as far as it says by itself what is
// wrong with it.
func readUserPatch(body web.Object) (*userPatch, error) {
	operations, err := readOperations(body)
	if err != nil {
		return nil, err
	}
	if len(operations) > maxOperations {
		return nil, refuse(invalidValue, "Operations must be at most %d.", maxOperations)
	}
	p := &userPatch{touched: map[attributeID]bool{}}
	for _, o := range operations {
		if err := p.read(o); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *userPatch) read(o patchOperation) error {
	if o.text == "" {
		return p.readAll(o.op, "", o.value)
	}
	t, ok := userResource.resolve(o.path)
	if !ok {
		return refuse(invalidPath, "A user has no attribute %q.", cut(o.text))
	}
	if t.attr != nil {
		return p.add(o.op, t, o.path.Filter, o.value)
	}
	if o.op != "remove" {
		return p.readAll(o.op, t.schema.urn, o.value)
	}
	if t.schema == userSchema {
		return refuse(mutability, "userName is required and cannot be removed.")
	}
	for i := range t.schema.attributes {
		if a := &t.schema.attributes[i]; userSetters[a.id] != nil {
			if err := p.add(o.op, target{schema: t.schema, attr: a}, nil, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// readAll reads an object of attributes: the value of an operation without a
// path, or of one whose path is a schema. Names may be written as paths; what
// is read-only or unknown is ignored (dossier 5.2).
func (p *userPatch) readAll(op, urn string, value json.RawMessage) error {
	object, state := web.ObjectOf(value)
	if state != web.Present {
		return refuse(invalidValue, "Without the path of an attribute the value must be an object of attributes.")
	}
	for name, raw := range object.Each {
		if urn != "" {
			name = urn + ":" + name
		}
		path, err := filter.ParsePath(name, filter.Limits{})
		if err != nil {
			continue
		}
		t, ok := userResource.resolve(path)
		switch {
		case !ok, t.leaf() != nil && t.leaf().mutable() == readOnly:
			continue
		case t.attr == nil && urn == "":
			err = p.readAll(op, t.schema.urn, raw)
		case t.attr != nil:
			err = p.add(op, t, path.Filter, raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add notes one change.
func (p *userPatch) add(op string, t target, which filter.Expr, raw json.RawMessage) error {
	if t.attr.id == atSchemas {
		return nil // follows from the attributes (dossier 5.2)
	}
	leaf := t.leaf()
	if leaf.mutable() == readOnly || userSetters[t.attr.id] == nil {
		return refuse(mutability, "%s is read-only.", leaf.path())
	}
	if which != nil && !(t.attr.multi && t.attr.dataType() == typeComplex) {
		return refuse(invalidPath, "%s has no values to filter.", t.attr.path())
	}
	if which != nil && !t.attr.hasParts(which) {
		return refuse(invalidPath, "The values of %s have no such part as the filter of the path names.", t.attr.path())
	}
	if t.attr.id == atManager && t.sub != nil {
		t.sub = &t.attr.subs[0] // $ref says the same as value
		raw = idOfRef(raw)
	}
	if op != "remove" && (len(raw) == 0 || raw[0] == 'n') {
		op, raw = "remove", nil // null is no value (RFC 7643 section 2.5)
	}
	s := step{op: op, at: t, filter: which}
	value, err := decodeValue(raw)
	if err == nil && (op != "remove" || t.attr.multi && t.sub == nil) {
		s.value, err = s.normal(value)
	}
	switch {
	case err != nil:
		return err
	case op == "remove" && leaf.required:
		return refuse(mutability, "%s is required and cannot be removed.", leaf.path())
	case t.attr.id == atPassword:
		text, _ := s.value.(string)
		p.password, p.removed = directory.Opt[string]{Set: text != "", Value: text}, text == ""
		return nil
	}
	if p.compared += s.compared(); p.compared > maxCompared {
		return refuse(invalidValue, "The operations must have at most %d values and conditions together.", maxCompared)
	}
	p.touched[t.attr.id] = true
	p.steps = append(p.steps, s)
	return nil
}

// compared is how many conditions and values the step is compared by.
func (s *step) compared() int {
	list, _ := s.value.([]any)
	return conditions(s.filter) + len(list)
}

// conditions counts those of an expression.
func conditions(e filter.Expr) int {
	count := 0
	switch e := e.(type) {
	case filter.And:
		for _, m := range e {
			count += conditions(m)
		}
	case filter.Or:
		for _, m := range e {
			count += conditions(m)
		}
	case filter.Not:
		count = conditions(e.Expr)
	case filter.ValuePath:
		count = conditions(e.Expr)
	case filter.Compare, filter.Present:
		count = 1
	}
	return count
}

// idOfRef is the last part of a URI that is a text; other values are as they
// are.
func idOfRef(raw json.RawMessage) json.RawMessage {
	text, state := web.StringOf(single(raw))
	if state != web.Present {
		return raw
	}
	return web.AppendString(nil, text[strings.LastIndexByte(text, '/')+1:])
}

// decodeValue reads a value, nil for none.
func decodeValue(raw json.RawMessage) (value any, err error) {
	if len(raw) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, refuse(invalidSyntax, "A value is no JSON.")
	}
	return value, nil
}

// normal brings a value into the form of the attribute: lists for attributes of
// several values, the schema's names, booleans (dossier 5.3).
func (s *step) normal(value any) (any, error) {
	a := s.at.attr
	if value == nil {
		return nil, nil
	}
	if !a.multi || s.filter != nil || s.at.sub != nil {
		if list, ok := value.([]any); ok && len(list) == 1 {
			value = list[0]
		}
	}
	if s.at.sub != nil {
		return simple(s.at.sub, value)
	}
	if a.dataType() != typeComplex {
		return simple(a, value)
	}
	if !a.multi || s.filter != nil {
		return members(a, value)
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	if len(list) > maxElements {
		return nil, refuse(invalidValue, "%s must have at most %d values.", a.path(), maxElements)
	}
	out := make([]any, 0, len(list))
	for _, element := range list {
		if text, ok := element.(string); ok && s.op == "remove" {
			element = map[string]any{"value": text}
		}
		object, err := members(a, element)
		if err != nil {
			return nil, err
		}
		out = append(out, object)
	}
	return out, nil
}

// simple is a value of an attribute that is not complex.
func simple(a *attribute, value any) (any, error) {
	if object, ok := value.(map[string]any); ok && object["value"] != nil {
		value = object["value"]
	}
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		if a.dataType() != typeBoolean {
			return v, nil
		}
		if strings.EqualFold(v, "true") || strings.EqualFold(v, "false") {
			return strings.EqualFold(v, "true"), nil
		}
	case bool:
		if a.dataType() == typeBoolean {
			return v, nil
		}
	}
	if a.dataType() == typeBoolean {
		return nil, refuse(invalidValue, "%s must be true or false.", a.path())
	}
	return nil, refuse(invalidValue, "%s must be a text.", a.path())
}

// members is a value of a complex attribute: the sub-attributes that it has, nil
// where they shall go.
func members(a *attribute, value any) (map[string]any, error) {
	if text, ok := value.(string); ok && a.id == atManager {
		value = map[string]any{"value": text}
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, refuse(invalidValue, "%s must be an object.", a.path())
	}
	out := map[string]any{}
	for name, member := range object {
		sub := a.schema.byName[strings.ToLower(a.name+"."+name)]
		if sub == nil || sub.mutable() == readOnly {
			continue
		}
		var err error
		if out[sub.name], err = simple(sub, member); err != nil {
			return nil, err
		}
	}
	if ref, ok := out["$ref"].(string); ok && a.id == atManager {
		if text, _ := out["value"].(string); text == "" {
			out["value"] = ref[strings.LastIndexByte(ref, '/')+1:]
		}
		delete(out, "$ref")
	}
	return out, nil
}

// of carries the operations out on a user and makes the patch of the attributes
// that they touch.
func (p *userPatch) of(now *directory.UserDetail, credential string) (directory.UserPatch, error) {
	tree, err := userTree(now, credential)
	if err != nil {
		return directory.UserPatch{}, err
	}
	for i := range p.steps {
		if err := p.steps[i].apply(tree); err != nil {
			return directory.UserPatch{}, err
		}
	}
	object, err := web.DecodeObject(asJSON(tree), 0)
	if err != nil {
		return directory.UserPatch{}, err
	}
	c, err := convertUser(object, func(a *attribute, _ bool) bool { return p.touched[a.id] })
	c.patch.NoPassword = p.removed
	return c.patch, err
}

// userTree is a user as the JSON that a client could have sent.
func userTree(u *directory.UserDetail, credential string) (map[string]any, error) {
	v := userView{credential: credential, stored: true}
	value, err := decodeValue(v.appendUser(nil, u))
	if err != nil {
		return nil, err
	}
	tree := value.(map[string]any)
	if extension, ok := tree[urnEnterprise].(map[string]any); ok {
		if manager, ok := extension["manager"].(map[string]any); ok {
			delete(manager, "$ref")
		}
	}
	return tree, nil
}

package scim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

// urnPatch is the message of a PATCH (RFC 7644 section 3.5.2).
const urnPatch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// groupPatcher makes one change of the core from the operations of a PATCH. It
// knows who shall join and leave and nothing of who is in, so that it costs the
// same whatever the size of the group.
type groupPatcher struct {
	edit   directory.GroupEdit
	exact  bool            // what follows is all members
	joins  map[string]bool // ids in lower case
	leaves map[string]bool
}

// groupPatch reads the body of a PATCH. Operations follow one another: the last
// word about a member counts.
func groupPatch(body web.Object) (directory.GroupEdit, error) {
	operations, err := readOperations(body)
	if err != nil {
		return directory.GroupEdit{}, err
	}
	p := &groupPatcher{joins: map[string]bool{}, leaves: map[string]bool{}}
	for _, o := range operations {
		if err := p.apply(o); err != nil {
			return directory.GroupEdit{}, err
		}
	}
	if p.exact {
		p.edit.Members = directory.Some(refsOf(p.joins))
		return p.edit, nil
	}
	p.edit.Add, p.edit.Remove = refsOf(p.joins), refsOf(p.leaves)
	return p.edit, nil
}

func refsOf(ids map[string]bool) []directory.UserRef {
	refs := make([]directory.UserRef, 0, len(ids))
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		refs = append(refs, directory.ByID(id))
	}
	return refs
}

// patchOperation is one operation of a PATCH.
type patchOperation struct {
	op    string // in lower case: add, replace, remove
	text  string // of the path; "" for none
	path  filter.Path
	value json.RawMessage // nil for none
}

// readOperations reads the operations of a PATCH. Their names are found in any
// letter case (dossier 5.3).
func readOperations(body web.Object) ([]patchOperation, error) {
	if err := checkMessage(body, urnPatch); err != nil {
		return nil, err
	}
	list, state := body.Array("Operations")
	if state != web.Present || len(list) == 0 {
		return nil, refuse(invalidSyntax, "Operations must be an array of one or more operations.")
	}
	operations := make([]patchOperation, len(list))
	for i, raw := range list {
		operation, state := web.ObjectOf(raw)
		if state != web.Present {
			return nil, refuse(invalidSyntax, "Operations must be objects.")
		}
		var err error
		if operations[i], err = readOperation(operation); err != nil {
			return nil, err
		}
	}
	return operations, nil
}

func readOperation(operation web.Object) (o patchOperation, err error) {
	op, _ := operation.String("op")
	o.op = strings.ToLower(op)
	o.value, _ = operation.Get("value")
	path, state := operation.String("path")
	if o.text = strings.TrimSpace(path); o.text != "" {
		if o.path, err = filter.ParsePath(o.text, filter.Limits{}); err != nil {
			return o, refusePath(err)
		}
	}
	switch {
	case o.op != "add" && o.op != "replace" && o.op != "remove":
		return o, refuse(invalidSyntax, "op must be add, replace or remove.")
	case state == web.Mistyped:
		return o, refuse(invalidPath, "path must be a text.")
	case o.op == "remove" && o.text == "":
		return o, refuse(noTarget, "remove needs a path.")
	case o.op != "remove" && o.value == nil:
		return o, refuse(invalidValue, "%s needs a value.", o.op)
	}
	return o, nil
}

// checkMessage checks the list of schemas of a message, if there is one.
func checkMessage(body web.Object, urn string) error {
	list, state := body.Array("schemas")
	if state == web.Absent {
		return nil
	}
	for _, raw := range list {
		if text, _ := web.StringOf(raw); strings.EqualFold(text, urn) {
			return nil
		}
	}
	return refuse(invalidSyntax, "schemas must have %s.", urn)
}

// apply carries out one operation.
func (p *groupPatcher) apply(o patchOperation) error {
	if o.text == "" {
		return p.merge(o, o.value)
	}
	t, ok := groupResource.resolve(o.path)
	if !ok {
		return refuse(invalidPath, "A group has no attribute %q.", cut(o.text))
	}
	if t.attr == nil { // the schema as a whole
		if o.op == "remove" {
			return refuse(mutability, "displayName is required and cannot be removed.")
		}
		return p.merge(o, o.value)
	}
	return p.set(t, o)
}

// merge carries out an operation without a path: its value is an object of
// attributes, whose names may be written as paths. What is read-only or unknown
// in it is ignored (dossier 5.2).
func (p *groupPatcher) merge(o patchOperation, value json.RawMessage) error {
	object, state := web.ObjectOf(value)
	if state != web.Present {
		return refuse(invalidValue, "Without a path the value must be an object of attributes.")
	}
	for name, raw := range object.Each {
		t, ok := groupResource.resolveName(name)
		switch {
		case !ok, t.leaf() != nil && (t.leaf().mutable() == readOnly || t.leaf().id == atSchemas):
			continue
		case t.attr == nil:
			if err := p.merge(o, raw); err != nil {
				return err
			}
			continue
		}
		if err := p.set(t, patchOperation{op: o.op, value: raw}); err != nil {
			return err
		}
	}
	return nil
}

// set changes one attribute.
func (p *groupPatcher) set(t target, o patchOperation) error {
	switch {
	case t.leaf().mutable() == readOnly, t.attr.id == atSchemas:
		return refuse(mutability, "%s cannot be changed.", t.leaf().path())
	case t.sub != nil:
		return refuse(mutability, "%s cannot be changed: members are added and removed.", t.leaf().path())
	case o.path.Filter != nil && t.attr.id != atMembers:
		return refuse(invalidPath, "%s has no elements to filter.", t.attr.name)
	}
	switch t.attr.id {
	case atMembers:
		return p.setMembers(o)
	case atExternalID:
		text, err := textValue("externalId", o.valueUnlessRemoved())
		p.edit.ExternalID = directory.Some(text)
		return err
	default: // displayName
		if o.op == "remove" {
			return refuse(mutability, "displayName is required and cannot be removed.")
		}
		text, err := textValue("displayName", o.value)
		p.edit.Name = directory.Some(text)
		return err
	}
}

func (o patchOperation) valueUnlessRemoved() json.RawMessage {
	if o.op == "remove" {
		return nil
	}
	return o.value
}

// setMembers changes who is in. A remove that names members, in the path or in
// the value, removes these and nobody else (dossier 5.30).
func (p *groupPatcher) setMembers(o patchOperation) error {
	if o.path.Filter != nil {
		return p.removeFiltered(o)
	}
	refs, err := readMembers(o.value)
	if err != nil {
		return err
	}
	named := len(o.value) > 0 && o.value[0] != 'n'
	if o.op == "replace" || o.op == "remove" && !named {
		p.exact, p.joins, p.leaves = true, map[string]bool{}, map[string]bool{}
	}
	for _, ref := range refs {
		p.move(ref.ID, o.op != "remove")
	}
	return nil
}

// move lets somebody join or leave.
func (p *groupPatcher) move(id string, joins bool) {
	id = strings.ToLower(id)
	delete(p.leaves, id)
	delete(p.joins, id)
	switch {
	case joins:
		p.joins[id] = true
	case !p.exact:
		p.leaves[id] = true
	}
}

// removeFiltered removes the members whose ids a value filter names.
func (p *groupPatcher) removeFiltered(o patchOperation) error {
	if o.op != "remove" {
		return refuse(mutability, "Members are added and removed, not changed: path must be members.")
	}
	ids, ok := namedBy(o.path.Filter)
	if !ok {
		return refuse(invalidFilter, "Members are removed by their value alone, as members[value eq \"...\"].")
	}
	for _, id := range ids {
		if isUUID(id) {
			p.move(id, false)
		}
	}
	return nil
}

// namedBy lists the ids of an expression of value eq "id" and or.
func namedBy(e filter.Expr) (ids []string, ok bool) {
	switch e := e.(type) {
	case filter.Or:
		for _, m := range e {
			some, ok := namedBy(m)
			if !ok {
				return nil, false
			}
			ids = append(ids, some...)
		}
		return ids, true
	case filter.Compare:
		if e.Path.Key("") == "value" && e.Op == filter.OpEqual && e.Value.Kind == filter.String {
			return []string{strings.TrimSpace(e.Value.Text)}, true
		}
	}
	return nil, false
}

// cut is a client's text for a message.
func cut(text string) string {
	const most = 60
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

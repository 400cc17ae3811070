package scim

import (
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// bulkPrefix begins a reference to what a Bulk creates (RFC 7644 section 3.7.2).
const bulkPrefix = "bulkId:"

// resolve puts the ids that are drawn for creations in the place of references
// to them, in the path and in the data, and notes which creations these are.
// Since the ids are drawn before anything is created, references may point
// forward, and in circles.
func (b *bulkRequest) resolve(o *bulkOperation) error {
	r := &bulkResolver{b: b, of: o}
	if id, ok := strings.CutPrefix(o.key, bulkPrefix); ok && !o.create() {
		o.key = r.id(id)
	}
	if strings.Contains(string(o.data), bulkPrefix) {
		value, err := decodeValue(o.data)
		if err != nil {
			return err
		}
		o.data = asJSON(r.walk("", value))
	}
	return r.err
}

// bulkResolver resolves the references of one operation.
type bulkResolver struct {
	b   *bulkRequest
	of  *bulkOperation
	err error
}

// id is what is drawn for a creation. A reference to one that is refused
// already is one that failed.
func (r *bulkResolver) id(bulkID string) string {
	target := r.b.byID[bulkID]
	if target == nil || !target.create() {
		r.err = refuse(invalidValue, "No operation creates anything with the bulkId %q.", cut(bulkID))
		return ""
	}
	r.of.refs = append(r.of.refs, target)
	return target.key
}

// walk resolves the references in a JSON value, which is the member of a name or
// an element of an array. Texts are references where ids stand: as value, $ref,
// manager, bare member or in the filter of a path. Others are what they are.
func (r *bulkResolver) walk(name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = r.walk(name, member)
		}
	case []any:
		for i, element := range v {
			v[i] = r.walk("value", element)
		}
	case string:
		return r.text(strings.ToLower(name[strings.LastIndexByte(name, ':')+1:]), v)
	}
	return value
}

func (r *bulkResolver) text(name, text string) string {
	switch name {
	case "value", "manager", "members", "$ref":
		last := text[strings.LastIndexByte(text, '/')+1:]
		if id, ok := strings.CutPrefix(last, bulkPrefix); ok && (name == "$ref" || last == text) {
			return strings.TrimSuffix(text, last) + r.id(id)
		}
	case "path":
		return r.path(text)
	}
	return text
}

// path resolves the references in the filter of a path, in one pass: a path is as
// long as a client makes it.
func (r *bulkResolver) path(text string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, `"`+bulkPrefix)
		id, rest, closed := strings.Cut(after, `"`)
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(before + `"` + r.id(id) + `"`)
		text = rest
	}
}

// broken is the error of an operation one of whose creations has failed (RFC
// 7644 section 3.7.1: 409 for a reference that cannot be resolved).
func (o *bulkOperation) broken() error {
	for _, target := range o.refs {
		if target.err != nil {
			return directory.Wrong(directory.CodeConflict, directory.ReasonWriteConflict,
				"The operation with the bulkId %q, to which this one refers, has failed.", cut(target.bulkID))
		}
	}
	return nil
}

// waitsFor reports whether a creation must have been tried before the operation.
// Users that name one another in a circle, as managers, need not wait: the ids
// are drawn.
func (o *bulkOperation) waitsFor(target *bulkOperation) bool {
	return !target.done && !(o.kind == "Users" && o.circle == target.circle)
}

// ready reports whether all creations for which the operation waits have been
// tried, or, with queued, are made next.
func (o *bulkOperation) ready(queued bool) bool {
	for _, target := range o.refs {
		if o.waitsFor(target) && !(queued && target.queued) {
			return false
		}
	}
	return true
}

// circles numbers the circles of operations that refer to one another: the
// strongly connected components of their references, by Tarjan's algorithm.
type circles struct {
	seen, found int
	stack       []*bulkOperation
}

func (c *circles) visit(o *bulkOperation) {
	c.seen++
	o.order, o.low, o.open = c.seen, c.seen, true
	from := len(c.stack)
	c.stack = append(c.stack, o)
	for _, target := range o.refs {
		switch {
		case target.order == 0:
			c.visit(target)
			o.low = min(o.low, target.low)
		case target.open:
			o.low = min(o.low, target.order)
		}
	}
	if o.low < o.order {
		return
	}
	c.found++
	for _, member := range c.stack[from:] {
		member.circle, member.open = c.found, false
	}
	c.stack = c.stack[:from]
}

// errCircle is the error of what refers to itself over others and is no user.
func errCircle() error {
	return directory.Wrong(directory.CodeConflict, directory.ReasonWriteConflict, "The operation refers to one that refers to it, which cannot be resolved.")
}

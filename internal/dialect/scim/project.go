package scim

import (
	"strings"

	"github.com/usher-id/usher/internal/filter"
)

// projection is which attributes an answer shows: a set of attributeIDs of one
// type of resource. The zero projection shows everything that there is.
type projection struct {
	chosen bool // bits say what is shown
	bits   [2]uint64
}

// shows reports whether an attribute or sub-attribute is shown. A
// sub-attribute is only shown with the attribute that it belongs to, and an
// attribute of which nothing is shown is not.
func (p *projection) shows(id attributeID) bool {
	return !p.chosen || p.bits[id/64]&(1<<(id%64)) != 0
}

// showsAny reports whether anything of an extension is shown.
func (p *projection) showsAny(s *schema) bool {
	for i := range s.attributes {
		if s.attributes[i].returns() != never && p.shows(s.attributes[i].id) {
			return true
		}
	}
	return false
}

func (p *projection) set(id attributeID, shown bool) {
	if shown {
		p.bits[id/64] |= 1 << (id % 64)
	} else {
		p.bits[id/64] &^= 1 << (id % 64)
	}
}

// maxProjected bounds the names of one request, as often as they may be
// repeated.
const maxProjected = 200

// projected computes what the parameters attributes and excludedAttributes ask
// for (RFC 7644 section 3.9). Each may have been sent several times, and each
// may be a list with commas. A request has one or the other. Attributes that
// are always returned are shown whatever is asked, those that are never
// returned are not, those that are returned on request only if they are named;
// names that the resource does not have ask for nothing.
func (r *resource) projected(attributes, excluded []string) (projection, error) {
	wanted, err := splitNames("attributes", attributes)
	if err != nil {
		return projection{}, err
	}
	unwanted, err := splitNames("excludedAttributes", excluded)
	if err != nil {
		return projection{}, err
	}
	switch {
	case len(wanted) > 0 && len(unwanted) > 0:
		return projection{}, refuse(invalidValue, "attributes and excludedAttributes exclude each other.")
	case len(wanted) == 0:
		return r.without(unwanted), nil
	}
	p := projection{chosen: true}
	r.each(func(a *attribute) { p.set(a.id, a.returns() == always) })
	for _, path := range wanted {
		if t, ok := r.resolve(path); ok {
			p.choose(t, true)
		}
	}
	return p, nil
}

// without is what is returned by default, less what paths lead to.
func (r *resource) without(unwanted []filter.Path) projection {
	p := r.usual
	for _, path := range unwanted {
		if t, ok := r.resolve(path); ok {
			p.choose(t, false)
		}
	}
	return p
}

// link fills what follows from the schemas.
func (r *resource) link() *resource {
	r.usual.chosen = true
	r.each(func(a *attribute) { r.usual.set(a.id, a.returns() == always || a.returns() == byDefault) })
	return r
}

// choose shows or hides what a path leads to.
func (p *projection) choose(t target, shown bool) {
	switch {
	case t.attr == nil:
		for i := range t.schema.attributes {
			p.choose(target{schema: t.schema, attr: &t.schema.attributes[i]}, shown)
		}
	case t.sub != nil:
		p.chooseOne(t.sub, shown)
		p.set(t.attr.id, p.shows(t.attr.id) && t.attr.returns() == always || p.showsSub(t.attr))
	default:
		p.chooseOne(t.attr, shown)
		for i := range t.attr.subs {
			p.chooseOne(&t.attr.subs[i], shown)
		}
	}
}

// chooseOne shows or hides one attribute, as far as it lets itself be.
func (p *projection) chooseOne(a *attribute, shown bool) {
	if a.returns() == byDefault || a.returns() == requested {
		p.set(a.id, shown)
	}
}

// showsSub reports whether any of the sub-attributes is shown.
func (p *projection) showsSub(a *attribute) bool {
	for i := range a.subs {
		if p.shows(a.subs[i].id) {
			return true
		}
	}
	return false
}

// each calls f with every attribute and sub-attribute of the resource.
func (r *resource) each(f func(*attribute)) {
	for _, s := range append([]*schema{common, r.core}, r.extensions...) {
		for i := range s.attributes {
			a := &s.attributes[i]
			f(a)
			for j := range a.subs {
				f(&a.subs[j])
			}
		}
	}
}

// splitNames reads the names of a parameter, whose name is for the error.
func splitNames(parameter string, values []string) ([]filter.Path, error) {
	var paths []filter.Path
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.TrimSpace(name)
			if name == "" {
				continue
			}
			if len(paths) == maxProjected {
				return nil, refuse(invalidValue, "%s must name at most %d attributes.", parameter, maxProjected)
			}
			path, err := filter.ParsePath(name, filter.Limits{})
			if err != nil || path.Filter != nil {
				return nil, refuse(invalidValue, "%s must be names of attributes with commas between them.", parameter)
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}

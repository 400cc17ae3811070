package scim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// maxElements bounds the values of one attribute.
const maxElements = 100

// element is one value of a multi-valued attribute: what the schema has of it.
type element struct {
	raw map[string]json.RawMessage // by the schema's names, without what is empty
}

// text is a sub-attribute that is a text, "" without it.
func (e element) text(name string) string {
	text, _ := web.StringOf(e.raw[name])
	return text
}

// primary is whether it is the preferred one, "" if it does not say.
func (e element) primary() string {
	is, state := web.BoolOf(e.raw["primary"])
	if state != web.Present {
		return ""
	}
	return strconv.FormatBool(is)
}

// elements reads the values of a multi-valued attribute: an array, or one value.
// Values that are the same are one, and empty ones none (RFC 7643 section 2.4);
// of those that have a value the others are dropped.
func (c *userConverter) elements(a *attribute, raw json.RawMessage) []element {
	list, state := web.ArrayOf(raw)
	if state == web.Mistyped {
		list = []json.RawMessage{raw} // one value alone (dossier 5.3)
	}
	if len(list) > maxElements {
		c.wrong(a.path(), "must have at most "+strconv.Itoa(maxElements)+" values.")
		return nil
	}
	var out []element
	primaries := 0
	for _, raw := range list {
		e, ok := c.element(a, raw)
		if !ok || len(e.raw) == 0 || a.id != atAddresses && e.text("value") == "" {
			continue
		}
		if slices.ContainsFunc(out, func(have element) bool { return string(asJSON(have.raw)) == string(asJSON(e.raw)) }) {
			continue
		}
		if e.primary() == "true" {
			primaries++
		}
		out = append(out, e)
	}
	if primaries > 1 {
		c.wrong(a.path(), "must have at most one primary value.")
	}
	return out
}

// element reads one value.
func (c *userConverter) element(a *attribute, raw json.RawMessage) (element, bool) {
	object, state := web.ObjectOf(raw)
	switch state {
	case web.Null:
		return element{}, false
	case web.Present:
	default:
		c.wrong(a.path(), "must be objects.")
		return element{}, false
	}
	e := element{raw: map[string]json.RawMessage{}}
	for i := range a.subs {
		sub := &a.subs[i]
		value, _ := object.Get(sub.name)
		if sub.mutable() == readOnly || len(value) == 0 || value[0] == 'n' {
			continue
		}
		if sub.dataType() == typeBoolean {
			is, state := truth(value)
			if state != web.Present {
				c.wrong(sub.path(), "must be true or false.")
				continue
			}
			e.raw[sub.name] = strconv.AppendBool(nil, is)
			continue
		}
		if text := c.text(sub.path(), value).Value; text != "" {
			e.raw[sub.name] = web.AppendString(nil, text)
		}
	}
	return e, true
}

// first moves the preferred value to the front: the primary one, or else the
// first. It is the one that the core has.
func first(list []element) []element {
	at := slices.IndexFunc(list, func(e element) bool { return e.primary() == "true" })
	if at <= 0 {
		return list
	}
	moved := append([]element{list[at]}, list[:at]...)
	return append(moved, list[at+1:]...)
}

// rest keeps the values behind the first.
func (c *userConverter) rest(name string, list []element) {
	var kept []map[string]json.RawMessage
	for _, e := range list[min(1, len(list)):] {
		kept = append(kept, e.raw)
	}
	c.keepList(name, kept)
}

// emails: the preferred address is the core's, the others are kept beside it
// (dossier 5.8).
func (c *userConverter) emails(raw json.RawMessage) {
	list := first(c.elements(userAttributeOf[atEmails], raw))
	c.rest("emails", list)
	if len(list) == 0 {
		c.patch.Email = directory.Some("")
		c.keep("email", nil)
		return
	}
	c.patch.Email = directory.Some(list[0].text("value"))
	c.keep("email", asJSON(map[string]string{"type": list[0].text("type"), "primary": list[0].primary(), "display": list[0].text("display")}))
}

// phones: all are the core's; what it has no field for is kept beside them.
func (c *userConverter) phones(raw json.RawMessage) {
	list := c.elements(userAttributeOf[atPhoneNumbers], raw)
	phones := make([]directory.Phone, len(list))
	var kept []map[string]json.RawMessage
	for i, e := range list {
		phones[i] = directory.Phone{Number: e.text("value"), Type: e.text("type")}
		if e.raw["display"] != nil || e.raw["primary"] != nil {
			kept = append(kept, e.raw)
		}
	}
	c.patch.Phones, c.patch.NoExtensions = directory.Some(phones), true
	c.keepList("phones", kept)
}

// addresses: the preferred one is the core's. Of a street of several lines the
// core has two: those behind them follow the second with commas (dossier 5.8).
func (c *userConverter) addresses(raw json.RawMessage) {
	list := first(c.elements(userAttributeOf[atAddresses], raw))
	c.rest("addresses", list)
	if len(list) == 0 {
		c.patch.Address = directory.Some(directory.Address{})
		c.keep("address", nil)
		return
	}
	e := list[0]
	var lines []string
	for line := range strings.Lines(e.text("streetAddress")) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	a := directory.Address{Set: true, City: e.text("locality"), Region: e.text("region"), Country: e.text("country"), Zip: e.text("postalCode")}
	if len(lines) > 0 {
		a.Line1, a.Line2 = lines[0], strings.Join(lines[1:], ", ")
	}
	c.patch.Address = directory.Some(a)
	kept := map[string]string{"type": e.text("type"), "primary": e.primary()}
	if formatted := e.text("formatted"); formatted != "" {
		kept["formatted"], kept["of"] = formatted, addressOf(&a)
	}
	c.keep("address", asJSON(kept))
}

// roles: those that the tenant has are given, others are kept as labels
// (dossier 5.12).
func (c *userConverter) roles(raw json.RawMessage) {
	list := c.elements(userAttributeOf[atRoles], raw)
	keys := make([]string, 0, len(list))
	kept := make([]map[string]json.RawMessage, len(list))
	for i, e := range list {
		if key := e.text("value"); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		kept[i] = e.raw
	}
	c.keepList("roles", kept)
	c.patch.PlainRoles = directory.Some(directory.PlainRoles{Keys: keys, Unknown: "roleLabels"})
}

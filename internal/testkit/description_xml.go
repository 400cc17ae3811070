package testkit

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// element is an XML element.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
	text     string // of its own
}

// parseXML reads a document with one element at its root.
func parseXML(body []byte) (*element, error) {
	document := &element{}
	open := []*element{document}
	for decoder := xml.NewDecoder(bytes.NewReader(body)); ; {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		last := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			last.children = append(last.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.text += string(token)
		}
	}
	if len(document.children) != 1 {
		return nil, fmt.Errorf("there are %d elements at the root", len(document.children))
	}
	return document.children[0], nil
}

// xmlFaults is what is wrong with an XML body. The element at its root has the
// name that the schema's xml.name says, and what is in it fits the schema as its
// xml keywords place it (OpenAPI 3.1, XML Object). Where the schema is that of a
// text, it is the document as a text that must fit.
func (d *description) xmlFaults(schema any, body []byte) []string {
	root, err := parseXML(body)
	if err != nil {
		return []string{"the body is no XML: " + err.Error()}
	}
	resolved, err := d.resolve(schema)
	if err != nil {
		return []string{err.Error()}
	}
	if asObject(resolved)["type"] == "string" {
		return d.faults(schema, string(body), "body")
	}
	var all []string
	for _, one := range d.alternatives(schema) {
		faults := d.faults(one, d.xmlValue(one, root), "$")
		if want := d.xmlName(one, ""); want != "" && want != root.name {
			faults = append(faults, fmt.Sprintf("the root element is %q, not %q", root.name, want))
		}
		if len(faults) == 0 {
			return nil
		}
		all = append(all, faults...)
	}
	return all
}

// alternatives are the schemas of oneOf, or else the schema itself.
func (d *description) alternatives(schema any) []any {
	resolved, err := d.resolve(schema)
	if all := asArray(asObject(resolved)["oneOf"]); err == nil && len(all) > 0 {
		return all
	}
	return []any{schema}
}

// ofXML reports whether a schema is that of an XML document.
func (d *description) ofXML(schema any) bool { return d.xmlName(d.alternatives(schema)[0], "") != "" }

// xmlOf are the xml keywords of a schema.
func (d *description) xmlOf(schema any) object {
	resolved, err := d.resolve(schema)
	if err != nil {
		return nil
	}
	return asObject(asObject(resolved)["xml"])
}

// xmlName is the name of a schema's element or attribute: its own, or else that
// of the property.
func (d *description) xmlName(schema any, property string) string {
	if name := asText(d.xmlOf(schema)["name"]); name != "" {
		return name
	}
	return property
}

// xmlValue is an element as the value that a schema describes. What the schema
// has no place for becomes a member that no property is named like.
func (d *description) xmlValue(schema any, e *element) any {
	resolved, err := d.resolve(schema)
	spec := asObject(resolved)
	switch {
	case err != nil:
		return err.Error()
	case spec["type"] == "object":
		return d.xmlObject(asObject(spec["properties"]), e)
	case len(e.children) > 0 || len(e.attrs) > 0:
		return object{e.name: "has elements or attributes"}
	}
	return valueOfText(spec, e.text)
}

// valueOfText is a text as a number or a truth value where one is due.
func valueOfText(spec object, text string) any {
	switch {
	case (spec["type"] == "integer" || spec["type"] == "number") && json.Valid([]byte(text)):
		return json.Number(text)
	case spec["type"] == "boolean" && (text == "true" || text == "false"):
		return text == "true"
	}
	return text
}

// xmlObject is an element with properties.
func (d *description) xmlObject(properties object, e *element) object {
	value := object{}
	if text := strings.TrimSpace(e.text); text != "" {
		value["text of "+e.name] = text
	}
	attributes, elements := map[string]string{}, map[string]string{} // properties by their names in XML
	for _, property := range sorted(properties) {
		names := elements
		if d.xmlOf(properties[property])["attribute"] == true {
			names = attributes
		}
		names[d.xmlName(properties[property], property)] = property
	}
	for name, text := range e.attrs {
		if property, ok := attributes[name]; ok {
			resolved, _ := d.resolve(properties[property])
			value[property] = valueOfText(asObject(resolved), text)
		} else {
			value["attribute "+name] = text
		}
	}
	for _, child := range e.children {
		property, ok := elements[child.name]
		if !ok {
			value["element "+child.name] = child.text
			continue
		}
		d.addElement(value, property, properties[property], child)
	}
	return value
}

// addElement adds an element to the value of its property. Only an array may
// have several.
func (d *description) addElement(value object, property string, schema any, e *element) {
	resolved, _ := d.resolve(schema)
	spec := asObject(resolved)
	had, again := value[property]
	switch {
	case spec["type"] != "array" && again:
		value["another element "+e.name] = e.text
	case spec["type"] != "array":
		value[property] = d.xmlValue(schema, e)
	case d.xmlOf(schema)["wrapped"] != true:
		value[property] = append(asArray(had), d.xmlValue(spec["items"], e))
	default:
		list := []any{}
		for _, child := range e.children {
			if d.xmlName(spec["items"], property) != child.name {
				value["element "+child.name] = child.text
			}
			list = append(list, d.xmlValue(spec["items"], child))
		}
		value[property] = list
	}
}

package testkit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// SoundDescription fails unless a document is an OpenAPI 3.1 description that
// holds together: every reference leads somewhere and every component is used;
// operations have ids of their own, the parameters of their paths and answers;
// security schemes that are asked for exist; every example and default fits its
// schema.
func SoundDescription(t *testing.T, document []byte) {
	t.Helper()
	d := readDescription(t, document)
	if version := asText(d.root["openapi"]); !strings.HasPrefix(version, "3.1.") {
		t.Errorf("the description is of OpenAPI %q", version)
	}
	info := asObject(d.root["info"])
	for _, name := range []string{"title", "version", "description"} {
		if asText(info[name]) == "" {
			t.Errorf("info has no %s", name)
		}
	}
	ids := map[string]string{}
	for _, op := range d.operations {
		for _, fault := range d.operationFaults(op) {
			t.Errorf("%s: %s", op.name, fault)
		}
		id := asText(op.spec["operationId"])
		if other := ids[id]; other != "" || id == "" {
			t.Errorf("%s: the operationId %q is missing or that of %q", op.name, id, other)
		}
		ids[id] = op.name
	}
	walk := &walker{description: d, used: map[string]bool{}}
	walk.node(d.root, "#")
	for _, fault := range walk.faults {
		t.Error(fault)
	}
	components := asObject(d.root["components"])
	for _, kind := range sorted(components) {
		for _, name := range sorted(asObject(components[kind])) {
			if ref := "#/components/" + kind + "/" + name; !walk.used[ref] && kind != "securitySchemes" {
				t.Errorf("nothing refers to %s", ref)
			}
		}
	}
	if walk.examples == 0 {
		t.Error("the description has no examples")
	}
}

// operationFaults is what is wrong with an operation as a whole.
func (d *description) operationFaults(op *operation) []string {
	var faults []string
	inPath := map[string]bool{}
	for _, spec := range d.parametersOf(op) {
		if spec["schema"] == nil && spec["content"] == nil {
			faults = append(faults, fmt.Sprintf("the parameter %v has no schema", spec["name"]))
		}
		if spec["in"] == "path" {
			inPath[asText(spec["name"])] = true
			if spec["required"] != true {
				faults = append(faults, fmt.Sprintf("the parameter %v of the path is not required", spec["name"]))
			}
		}
	}
	inTemplate := map[string]bool{}
	for _, match := range parameterIn.FindAllStringSubmatch(op.template, -1) {
		inTemplate[match[1]] = true
	}
	if !maps.Equal(inPath, inTemplate) {
		faults = append(faults, fmt.Sprintf("the path has the parameters %v, described are %v", inTemplate, inPath))
	}
	if len(op.responses) == 0 {
		faults = append(faults, "no answers")
	}
	for _, status := range sorted(op.responses) {
		if len(status) != 3 || strings.Trim(status, "0123456789") != "" {
			faults = append(faults, "the answer "+status+" is no single status")
		}
		resolved, err := d.resolve(op.responses[status])
		if err != nil {
			faults = append(faults, err.Error())
		} else if asText(asObject(resolved)["description"]) == "" {
			faults = append(faults, "the answer "+status+" has no description")
		}
	}
	return append(faults, d.securityFaults(op)...)
}

// parametersOf are the parameters of an operation and of its path. One whose
// reference leads nowhere is left out: that is a fault of its own.
func (d *description) parametersOf(op *operation) []object {
	var specs []object
	item := asObject(asObject(d.root["paths"])[op.template])
	for _, parameter := range slices.Concat(asArray(item["parameters"]), asArray(op.spec["parameters"])) {
		if resolved, err := d.resolve(parameter); err == nil {
			specs = append(specs, asObject(resolved))
		}
	}
	return specs
}

// securityFaults are the security schemes of an operation that do not exist.
func (d *description) securityFaults(op *operation) []string {
	security, ok := op.spec["security"]
	if !ok {
		security, ok = d.root["security"]
	}
	if !ok {
		return []string{"it does not say which credential it takes"}
	}
	var faults []string
	schemes := asObject(asObject(d.root["components"])["securitySchemes"])
	for _, requirement := range asArray(security) {
		for _, name := range sorted(asObject(requirement)) {
			if schemes[name] == nil {
				faults = append(faults, "there is no security scheme "+name)
			}
		}
	}
	return faults
}

// walker looks at every value of a document.
type walker struct {
	description *description
	used        map[string]bool // references
	examples    int
	faults      []string
}

// node looks at a value and at all below it. A value in an example is data and
// is not looked into.
func (w *walker) node(value any, at string) {
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			w.node(item, fmt.Sprintf("%s/%d", at, i))
		}
	case object:
		if ref, ok := value["$ref"].(string); ok {
			w.used[ref] = true
			if _, err := w.description.resolve(value); err != nil {
				w.faults = append(w.faults, at+": "+err.Error())
			}
		}
		if schema, ok := value["schema"]; ok {
			w.examplesOf(schema, value, at)
		} else {
			w.examplesOfSchema(value, at)
		}
		for _, name := range sorted(value) {
			if _, named := value[name].(object); name == "example" || name == "default" || name == "enum" || name == "const" ||
				name == "examples" && !named {
				continue
			}
			w.node(value[name], at+"/"+strings.ReplaceAll(name, "/", "~1"))
		}
	}
}

// examplesOf checks the examples of a parameter, a header or a media type.
func (w *walker) examplesOf(schema any, holder object, at string) {
	if example, ok := holder["example"]; ok {
		w.fits(schema, example, at+"/example")
	}
	named := asObject(holder["examples"])
	for _, name := range sorted(named) {
		place := at + "/examples/" + name
		resolved, err := w.description.resolve(named[name])
		if err != nil {
			w.faults = append(w.faults, place+": "+err.Error())
			continue
		}
		if example, ok := asObject(resolved)["value"]; ok {
			w.fits(schema, example, place)
		} else {
			w.faults = append(w.faults, place+" has no value")
		}
	}
}

// examplesOfSchema checks what a schema says by example.
func (w *walker) examplesOfSchema(schema object, at string) {
	for i, example := range asArray(schema["examples"]) {
		w.fits(schema, example, fmt.Sprintf("%s/examples/%d", at, i))
	}
	if value, ok := schema["default"]; ok && schema["type"] != nil {
		w.fits(schema, value, at+"/default")
	}
}

func (w *walker) fits(schema, example any, at string) {
	w.examples++
	if text, ok := example.(string); ok && w.description.ofXML(schema) {
		// JSON has no other way to show XML.
		for _, fault := range w.description.xmlFaults(schema, []byte(text)) {
			w.faults = append(w.faults, at+": "+fault)
		}
		return
	}
	for _, fault := range w.description.faults(schema, example, "$") {
		w.faults = append(w.faults, at+": "+fault)
	}
}

package testkit

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// faults is what is wrong with a value by a schema of the description, nothing
// when it fits. The dialect is JSON Schema 2020-12, which OpenAPI 3.1 takes over
// (section 4.8.24). at says where the value is.
func (d *description) faults(schema, value any, at string) []string {
	compiled, err := d.compiled(schema)
	if err != nil {
		return []string{fmt.Sprintf("%s: the schema is none: %v", at, err)}
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](compiled.Validate(value))
	if !ok {
		return nil
	}
	return faultsOf(invalid, at)
}

// compiled makes a schema of the document ready, once. References are to the
// document's components, which stand beside it.
func (d *description) compiled(schema any) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := reflect.ValueOf(schema)
	if key.Kind() == reflect.Map && d.schemas[key.Pointer()].ready != nil {
		return d.schemas[key.Pointer()].ready, nil
	}
	const at = "urn:described"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource(at, object{"components": d.root["components"], "schema": schema}); err != nil {
		return nil, err
	}
	compiled, err := compiler.Compile(at + "#/schema")
	if err == nil && key.Kind() == reflect.Map {
		d.schemas[key.Pointer()] = compiledSchema{schema, compiled}
	}
	return compiled, err
}

// faultsOf is the leaves of a failure: what is wrong, and where.
func faultsOf(e *jsonschema.ValidationError, at string) []string {
	if len(e.Causes) == 0 {
		return []string{strings.TrimSuffix(at+"/"+strings.Join(e.InstanceLocation, "/"), "/") + ": " + strings.Join(e.ErrorKind.KeywordPath(), "/") + ": " + e.Error()}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, faultsOf(cause, at)...)
	}
	return all
}

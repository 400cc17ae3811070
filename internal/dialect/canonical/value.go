package canonical

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/directory"
)

// opt is a member of a request's body: absent, null, or a value. In the schema it
// may be null.
type opt[T any] struct {
	set, null bool
	value     T
}

// UnmarshalJSON is called for members that are there, null included.
func (o *opt[T]) UnmarshalJSON(text []byte) error {
	o.set = true
	if string(text) == "null" {
		o.null = true
		return nil
	}
	return json.Unmarshal(text, &o.value)
}

// Schema implements huma.SchemaProvider.
func (opt[T]) Schema(r huma.Registry) *huma.Schema { return nullableSchema[T](r) }

// or is the value if there is one, else the fallback.
func (o opt[T]) or(fallback T) T {
	if o.set && !o.null {
		return o.value
	}
	return fallback
}

// reset is the member as part of a patch: null sets the zero value.
func (o opt[T]) reset() directory.Opt[T] {
	return directory.Opt[T]{Set: o.set, Value: o.value}
}

// nullable is a member of an answer that is null without a value.
type nullable[T any] struct{ value *T }

// some is a value that may be null.
func some[T any](v T) nullable[T] { return nullable[T]{&v} }

// MarshalJSON implements json.Marshaler.
func (n nullable[T]) MarshalJSON() ([]byte, error) { return json.Marshal(n.value) }

// Schema implements huma.SchemaProvider.
func (nullable[T]) Schema(r huma.Registry) *huma.Schema { return nullableSchema[T](r) }

// nullableSchema is the schema of T, or null. That of a struct is written in
// place: beside a reference nothing can be said.
func nullableSchema[T any](r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), false, "")
	s.Nullable = s.Type != ""
	return &s
}

// schemaOf is the schema of T, as a reference.
func schemaOf[T any](r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

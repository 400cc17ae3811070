package client

import "encoding/json"

// Opt is a member of a merge patch (RFC 7396). The zero value leaves the member as
// it is; Set gives it a value; Null resets it.
type Opt[T any] struct {
	there bool
	value *T // nil: null
}

// Set gives a member a value.
func Set[T any](value T) Opt[T] { return Opt[T]{there: true, value: &value} }

// Null resets a member.
func Null[T any]() Opt[T] { return Opt[T]{there: true} }

// IsZero reports whether the member is left as it is; package encoding/json then
// leaves it out.
func (o Opt[T]) IsZero() bool { return !o.there }

// UnmarshalJSON reads a member that is there: null resets, anything else sets.
func (o *Opt[T]) UnmarshalJSON(text []byte) error {
	*o = Opt[T]{there: true}
	if string(text) == "null" {
		return nil
	}
	o.value = new(T)
	return json.Unmarshal(text, o.value)
}

// MarshalJSON implements json.Marshaler.
func (o Opt[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.value) }

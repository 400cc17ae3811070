package iqmetrix

import (
	_ "embed"
	"slices"
)

//go:embed openapi.json
var description []byte

// OpenAPI is the door's OpenAPI 3.1 description: every operation of its table
// of routes with all that it can answer. It is the caller's own copy.
func OpenAPI() []byte { return slices.Clone(description) }

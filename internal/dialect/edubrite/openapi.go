package edubrite

import _ "embed"

//go:embed openapi.json
var description []byte

// OpenAPI is the door's description, a JSON document of OpenAPI 3.1. It states
// what the door does; an action is one path, whatever its dispatch. The caller
// must not change it.
func OpenAPI() []byte { return description }

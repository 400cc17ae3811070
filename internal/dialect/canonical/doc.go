// Package canonical is usher's own API, /api/v1: everything that the directory
// can do, as JSON in snake_case, with RFC 9457 problems, strong ETags, idempotency
// keys, and an OpenAPI 3.1 document that is made from this code.
//
// It is a translator: each handler decodes the request, converts it, makes one
// call of directory.Service, converts the result and encodes it. Every rule
// about users is in the core. What was decided is in docs/dialects/canonical.md.
//
// How an operation is added: a struct for its input (path, query and Body in
// huma's tags), one for its output (Body), and a register call in a table
// function that routes.go lists. The frame does the rest for every operation:
// the credential, the limits of body, depth and query, conditions, the reason,
// idempotency keys, errors as problems, the headers, the request's event and the
// description (operation.go). What is asked most often is a plain handler that
// writes its JSON itself, under the same description (plain).
//
// In comments "dossier" is the numbered list of docs/dialects/canonical.md.
package canonical

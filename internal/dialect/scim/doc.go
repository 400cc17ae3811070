// Package scim is the door that speaks SCIM 2.0 (RFC 7643, RFC 7644, cursors of
// RFC 9865) at /scim/v2: Users and Groups with the enterprise extension and one
// of usher's own, filters, PATCH, Bulk and discovery.
//
// It is a translator: each handler decodes the request, converts it, makes one
// call of directory.Service, converts the result and encodes it. Every rule
// about users is in the core.
//
// What there is to read and write is said once, in the tables of attributes
// (schemas.go, schemas_enterprise.go): the discovery documents are printed from
// them, paths are resolved in them (attribute.go), and what an answer shows is
// computed from them (project.go). What the RFCs leave open, and what was
// decided, is in docs/dialects/scim.md.
package scim

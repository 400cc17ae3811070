// Package iqmetrix is the door that speaks the iQmetrix User Manager API (v1):
// OData-like paths such as /v1/Users(2576), PascalCase JSON, and the token
// service that the vendor runs on its accounts host.
//
// It is a translator: each handler decodes the request, converts it, makes one
// call of directory.Service, converts the result and encodes it. Every rule
// about users is in the core. What the vendor's pages leave open, and what was
// decided, is in docs/dialects/iqmetrix.md.
//
// In comments "seed" is the vendor's User Manager page, "security roles" its
// page of that name, and "dossier" the numbered list of decisions that
// docs/dialects/iqmetrix.md repeats.
package iqmetrix

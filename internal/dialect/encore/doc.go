// Package encore is the door that speaks the Actsoft Encore Users API (v1):
// /users/v1/users/..., PascalCase JSON, a subscription key, errors as arrays of
// numbered codes, and before them the answers of the API gateway that the
// vendor runs in front.
//
// It is a translator: each handler decodes the request, converts it, makes one
// call of directory.Service, converts the result and encodes it. Every rule
// about users is in the core. What the vendor's pages leave open, and what was
// decided, is in docs/dialects/encore.md.
//
// In comments "seed" is the vendor's page "Activate user", and "dossier" the
// numbered facts and decisions of docs/dialects/encore.md.
package encore

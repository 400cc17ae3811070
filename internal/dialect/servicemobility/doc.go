// Package servicemobility is the door that speaks the ServicePower
// ServiceMobility User REST API (v3): /seiapi/v3/trans/User/..., PascalCase
// JSON, a signed token in the header x-access-token, and 410 for whatever does
// not exist.
//
// It is a translator: each handler decodes the request, converts it, makes one
// call of directory.Service, converts the result and encodes it. Every rule
// about users is in the core. What the vendor's pages leave open, and what was
// decided, is in docs/dialects/servicemobility.md.
//
// In comments "seed" is the vendor's User REST API page, and "dossier" the
// numbered facts and decisions of docs/dialects/servicemobility.md.
package servicemobility

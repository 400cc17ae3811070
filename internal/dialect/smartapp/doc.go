// Package smartapp is the door that speaks the user API of Smartapp.com:
// /user/..., /company/... and /companylocation/..., camelCase JSON, values in
// the query as well, and few statuses: 200, 400, 401, 402.
//
// It is a translator: each handler decodes the request, converts it, makes one
// call of directory.Service, converts the result and encodes it. Every rule
// about users is in the core. The vendor's pages name few paths and no
// credential; what was decided instead is in docs/dialects/smartapp.md, and
// paths and credentials are settings.
//
// In comments "seed" is the vendor's page "user", and "dossier" the numbered
// facts and decisions of docs/dialects/smartapp.md.
package smartapp

// Package edubrite is the door that speaks the EduBrite LMS user API: actions
// such as /oltpublish/site/userService.do with a parameter "dispatch", form
// parameters in, XML out, and two cookies for a session.
//
// It is a translator: each handler decodes the request, converts it, makes one
// call of directory.Service, converts the result and encodes it. Every rule
// about users is in the core. What the vendor's pages leave open, and what was
// decided, is in docs/dialects/edubrite.md.
//
// In comments "seed" is the vendor's page "API - Activate User", "Java client"
// the vendor's own client, and "dossier" the numbered paragraphs of
// docs/dialects/edubrite.md.
package edubrite

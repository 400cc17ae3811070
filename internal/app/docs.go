package app

import (
	"net/http"
	"sync"

	"github.com/usher-id/usher/internal/console/docs"
	"github.com/usher-id/usher/internal/dialect/canonical"
	"github.com/usher-id/usher/internal/dialect/edubrite"
	"github.com/usher-id/usher/internal/dialect/encore"
	"github.com/usher-id/usher/internal/dialect/iqmetrix"
	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/dialect/smartapp"
	"github.com/usher-id/usher/internal/directory"
)

// description is the OpenAPI document of a door and what it is called on the
// documentation pages.
type description struct {
	door  directory.Door
	title string
	json  func() []byte
}

// descriptions are the doors that have one, in the order of the pages.
var descriptions = []description{
	{directory.DoorCanonical, "The canonical API", sync.OnceValue(canonical.OpenAPI)},
	{directory.DoorIQmetrix, "iQmetrix User Manager", iqmetrix.OpenAPI},
	{directory.DoorEncore, "Actsoft Encore", encore.OpenAPI},
	{directory.DoorSmartapp, "Smartapp.com", smartapp.OpenAPI},
	{directory.DoorEduBrite, "EduBrite", edubrite.OpenAPI},
	{directory.DoorServiceMobility, "ServicePower ServiceMobility", servicemobility.OpenAPI},
}

// scimDocuments is where the scim door describes itself (RFC 7644 section 4).
var scimDocuments = docs.Document{Name: directory.DoorSCIM.String(), Title: "SCIM 2.0",
	About:     "Users and groups for identity providers, at /scim/v2: RFC 7643, RFC 7644 and RFC 9865. It describes itself.",
	Documents: []string{"/scim/v2/ServiceProviderConfig", "/scim/v2/ResourceTypes", "/scim/v2/Schemas"}}

// documentation serves the pages of the doors that this process serves. They are
// made when somebody first asks for one: reading all descriptions would be half of
// the time that a server needs to start, and half of its memory at rest.
func (a *App) documentation() http.Handler {
	made := sync.OnceValues(a.newDocumentation)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages, err := made()
		if err != nil {
			a.log.Error("the documentation cannot be shown", "error", err)
			http.Error(w, "The documentation cannot be shown.", http.StatusInternalServerError)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

func (a *App) newDocumentation() (http.Handler, error) {
	var documents []docs.Document
	for _, d := range descriptions {
		if a.serves(d.door) {
			documents = append(documents, docs.Document{Name: d.door.String(), Title: d.title, JSON: d.json()})
		}
	}
	if a.serves(directory.DoorSCIM) {
		documents = append(documents, scimDocuments)
	}
	return docs.New(a.cfg.BaseURL(), documents)
}

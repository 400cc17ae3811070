package app

import (
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/console"
	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/dialect/canonical"
	"github.com/usher-id/usher/internal/dialect/edubrite"
	"github.com/usher-id/usher/internal/dialect/encore"
	"github.com/usher-id/usher/internal/dialect/iqmetrix"
	"github.com/usher-id/usher/internal/dialect/scim"
	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/dialect/smartapp"
	"github.com/usher-id/usher/internal/directory"
)

// console makes the administrators' pages. What it shows of the doors it gets from
// them here: it does not know them.
func (a *App) console() http.Handler {
	return console.New(a.service, page.Options{
		PublicURL: a.cfg.BaseURL(),
		HTTPS:     a.tls != nil || strings.HasPrefix(a.cfg.PublicURL, "https:"),
		Version:   Version(),
		SeenBy:    a.SeenBy(),
		// The doors are put together after the console, which is one of them.
		Front:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.front.ServeHTTP(w, r) }),
		Serves: func(d directory.Door) bool { return a.serves(d) },
	})
}

// SeenBy are the doors that show users to the console, in the order of its pages. Listen
// must have been called before one shows a user.
func (a *App) SeenBy() []page.SeenBy {
	paths, _ := smartappPaths(&a.cfg) // those that will not do were refused before
	publicURL := func() string {      // the address is known only once it is listened on
		if a.cfg.PublicURL != "" {
			return a.cfg.BaseURL()
		}
		return a.URL()
	}
	return []page.SeenBy{
		{Door: directory.DoorCanonical, Title: "Canonical API", Show: canonical.SeenBy},
		{Door: directory.DoorSCIM, Title: "SCIM 2.0", Show: scim.SeenBy(publicURL)},
		{Door: directory.DoorIQmetrix, Title: "iQmetrix", Show: iqmetrix.SeenBy},
		{Door: directory.DoorEncore, Title: "Encore", Show: encore.SeenBy},
		{Door: directory.DoorSmartapp, Title: "Smartapp", Show: smartapp.SeenBy(smartapp.Options{Paths: paths, Credentials: smartappCredentials(&a.cfg)})},
		{Door: directory.DoorEduBrite, Title: "EduBrite", Show: edubrite.SeenBy},
		{Door: directory.DoorServiceMobility, Title: "ServiceMobility", Show: servicemobility.SeenBy},
	}
}

package app

import (
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/console"
	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
)

// console makes the administrators' pages. What it shows of the doors it gets from
// them here: it does not know them.
func (a *App) console() http.Handler {
	return console.New(a.service, page.Options{
		PublicURL: a.cfg.BaseURL(),
		HTTPS:     a.tls != nil || strings.HasPrefix(a.cfg.PublicURL, "https:"),
		Version:   Version(),
		// The doors are put together after the console, which is one of them.
		Front:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.front.ServeHTTP(w, r) }),
		Serves: func(d directory.Door) bool { return a.serves(d) },
	})
}

// Package console is the administrators' web interface: it mounts the pages of the
// folders below on the kit that they share (package page).
package console

import (
	"net/http"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
)

// mounts are the packages of pages.
var mounts = []func(*page.Kit){}

// New makes the handler of page.Path and everything below.
func New(svc *directory.Service, o page.Options) http.Handler {
	k := page.New(svc, o)
	k.MountTheme()
	for _, mount := range mounts {
		mount(k)
	}
	return k
}

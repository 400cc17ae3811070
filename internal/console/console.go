// Package console is the administrators' web interface: it mounts the pages of the
// folders below on the kit that they share (package page).
package console

import (
	"net/http"

	"github.com/usher-id/usher/internal/console/account"
	"github.com/usher-id/usher/internal/console/audit"
	"github.com/usher-id/usher/internal/console/company"
	"github.com/usher-id/usher/internal/console/credential"
	"github.com/usher-id/usher/internal/console/door"
	"github.com/usher-id/usher/internal/console/group"
	"github.com/usher-id/usher/internal/console/imports"
	"github.com/usher-id/usher/internal/console/jobs"
	"github.com/usher-id/usher/internal/console/licence"
	"github.com/usher-id/usher/internal/console/lockreason"
	"github.com/usher-id/usher/internal/console/overview"
	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/console/role"
	"github.com/usher-id/usher/internal/console/setting"
	"github.com/usher-id/usher/internal/console/signin"
	"github.com/usher-id/usher/internal/console/user"
	"github.com/usher-id/usher/internal/console/users"
	"github.com/usher-id/usher/internal/console/webhook"
	"github.com/usher-id/usher/internal/directory"
)

// mounts are the packages of pages.
var mounts = []func(*page.Kit){
	account.Mount, company.Mount, credential.Mount, group.Mount, imports.Mount, jobs.Mount, licence.Mount, lockreason.Mount, overview.Mount, role.Mount, signin.Mount, webhook.Mount, setting.Mount, door.Mount, audit.Mount, user.Mount, users.Mount,
}

// New makes the handler of page.Path and everything below.
func New(svc *directory.Service, o page.Options) http.Handler {
	k := page.New(svc, o)
	k.MountTheme()
	for _, mount := range mounts {
		mount(k)
	}
	return k
}

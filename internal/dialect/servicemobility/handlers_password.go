package servicemobility

import (
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// resetPassword makes a temporary password and mails it (seed, Reset a User's
// Password).
func resetPassword(d *door, x *exchange) (web.Response, error) {
	return d.done(d.svc.GeneratePassword(x.req.Context(), &x.call, x.user(0)))
}

// mailReset mails a link; the password stays (dossier 3.2).
func mailReset(d *door, x *exchange) (web.Response, error) {
	return d.done(d.svc.MailReset(x.req.Context(), &x.call, x.user(0)))
}

// changePassword sets a password for good: another's, or the caller's own.
func changePassword(d *door, x *exchange) (web.Response, error) {
	password, err := read(d, x, func(x *exchange, o web.Object) string { return x.faults.requiredText(o, "Password") })
	if err != nil {
		return web.Response{}, err
	}
	return d.done(d.svc.ChangePassword(x.req.Context(), &x.call, x.user(0),
		directory.NewPassword{Password: password, MinLength: d.opts.MinPassword}))
}

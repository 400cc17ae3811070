package console_test

import (
	"testing"

	"github.com/usher-id/usher/internal/browser"
)

// signIn opens a window and signs the administrator of the sample directory in.
func signIn(t *testing.T, base string, o browser.Options) *browser.Page {
	t.Helper()
	p := browser.Open(t, base, o)
	p.Go("/console/sign-in")
	p.Fill(`[name="name"]`, "admin")
	p.Fill(`[name="password"]`, "usher-demo-password")
	p.Follow(`main button`)
	return p
}

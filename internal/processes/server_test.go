package processes_test

import (
	"testing"

	"github.com/usher-id/usher/internal/testkit/site"
)

func TestMain(m *testing.M) { site.Main(m) }

// newSite makes a database of an engine with a tenant, and starts servers on it.
func newSite(t testing.TB, engine string, count int, flags ...string) *site.Site {
	t.Helper()
	return site.New(t, site.Options{Engine: engine, Servers: count, Process: site.Process{Flags: flags}})
}

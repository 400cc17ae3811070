package scaleout_test

import (
	"context"
	"testing"

	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit/pgtest"
	"github.com/usher-id/usher/internal/testkit/site"
)

// Servers work through PgBouncer in transaction mode: there each transaction, and
// each statement outside of one, may run on another connection, so that nothing
// may be left on one.
func TestPgBouncerInTransactionMode(t *testing.T) {
	direct := pgtest.Migrated(t, func(ctx context.Context, dsn string) error {
		return store.Migrate(ctx, dsn, store.Options{})
	})
	// More than both servers can hold at once: a change that draws numbers needs two.
	through := pgtest.Bouncer(t, direct, 40)
	s := site.New(t, site.Options{Database: direct, Servers: 2, Process: site.Process{Doors: doors,
		Flags: []string{"--database", through, "--pg-exec-mode", "exec"}}})
	l := startLoad(t, s, s.NewBalancer())
	l.more(300)
	l.finish()
	if len(l.failed) > 0 {
		t.Errorf("requests failed through PgBouncer: %v", l.failed)
	}
}

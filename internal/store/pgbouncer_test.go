package store_test

import (
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/store/storetest"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// TestPostgresThroughPgBouncer: the races of the rules end as they do on direct
// connections when a pooler in transaction mode gives each transaction another one.
func TestPostgresThroughPgBouncer(t *testing.T) {
	storetest.RunConcurrency(t, func(t *testing.T) directory.Store {
		// More than both stores can hold at once: a change that draws numbers needs two.
		through := pgtest.Bouncer(t, postgresDSN(t), 40)
		p := &processes{}
		for range 2 {
			p.list = append(p.list, open(t, through+"&default_query_exec_mode=exec", store.Options{}))
		}
		return p
	})
}

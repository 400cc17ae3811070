//go:build unix

package pgtest

import "testing"

// Durable is a cluster of a test's own that keeps what it has acknowledged, with
// the settings of a server that has a gigabyte to itself: for measuring. It is
// removed when the test ends.
type Durable struct{ cluster *cluster }

// NewDurable starts the cluster.
func NewDurable(t testing.TB) *Durable {
	t.Helper()
	d := &Durable{cluster: &cluster{settings: []string{"fsync=on", "full_page_writes=on", "synchronous_commit=on", "shared_buffers=1GB",
		"max_wal_size=4GB", "deadlock_timeout=1s", "autovacuum_naptime=60s"}}}
	t.Cleanup(d.cluster.stop)
	if err := d.cluster.setUp(); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return d
}

// Database makes an empty database and returns its DSN. It is dropped when the
// test ends.
func (d *Durable) Database(t testing.TB) string {
	t.Helper()
	return d.cluster.dsn(d.cluster.create(t, "template0"))
}

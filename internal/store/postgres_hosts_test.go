package store_test

import (
	"net"
	"net/url"
	"testing"

	"github.com/usher-id/usher/internal/store"
)

// A host that takes connections and never answers, as a machine that hangs, does not
// keep the store from the one that works.
func TestPostgresPassesOverASilentHost(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := silent.Close(); err != nil {
			t.Error(err)
		}
	})
	host, port, err := net.SplitHostPort(silent.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(postgresDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("host", host+","+query.Get("host"))
	query.Set("port", port+",5432")
	query.Set("sslmode", "disable") // else it is asked twice
	u.RawQuery = query.Encode()
	if err := open(t, u.String(), store.Options{}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

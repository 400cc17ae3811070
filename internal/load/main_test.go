package load

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// seededUsers is how many users the directories of tests have.
const seededUsers = 300

// seededServer starts the program on a seeded directory.
func seededServer(t *testing.T, engine string) *testkit.Server {
	t.Helper()
	database := "sqlite:" + filepath.Join(t.TempDir(), "seeded.db")
	if engine == "postgres" {
		database = pgtest.Database(t)
	}
	if err := store.Migrate(t.Context(), database, store.Options{}); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), database, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := Size(t.Context(), db); n != 0 || err != nil {
		t.Fatalf("an empty directory has %d users: %v", n, err)
	}
	if err := Seed(t.Context(), db, seededUsers, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := Size(t.Context(), db); n != seededUsers || err != nil {
		t.Fatalf("the directory says that it was seeded with %d users: %v", n, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return testkit.Start(t, testkit.Options{Engine: engine, Tune: func(c *config.Config) {
		c.Database, c.TrustedProxies = database, []string{"127.0.0.1"}
	}})
}

// siteOf is a server as clients of doors see it.
func siteOf(s *testkit.Server) *Site {
	return &Site{URL: s.URL, Key: Key, Company: Company, HTTP: http.DefaultClient}
}

// call is a call of the seeded tenant.
func call(t *testing.T, s *testkit.Server) *directory.Call {
	t.Helper()
	tenant, err := s.Service.TenantByName(t.Context(), directory.System(0, "test"), "bench")
	if err != nil {
		t.Fatal(err)
	}
	return directory.System(tenant.No, "test")
}

// wireTo is a connection of the generator.
func wireTo(t *testing.T, s *testkit.Server) *wire {
	t.Helper()
	w := &wire{addr: strings.TrimPrefix(s.URL, "http://")}
	t.Cleanup(w.close)
	return w
}

// send sends one request of a plan and wants a good answer.
func send(ctx context.Context, t *testing.T, w *wire, request []byte) {
	t.Helper()
	a, err := w.exchange(ctx, request)
	if err != nil || a.status < 200 || a.status > 299 {
		t.Fatalf("%.120q: %d %s %v", request, a.status, a.body, err)
	}
}

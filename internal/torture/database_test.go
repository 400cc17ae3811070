package torture

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/testkit/site"
)

// sqlOn runs a statement on a site's database beside its servers.
func sqlOn(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// beside is a connection to a site's database of its own.
func beside(t *testing.T, s *site.Site) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", s.Database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // the cluster goes away with the tests
	return db
}

// Servers whose connections to the database are all ended, by an administrator or by
// the network, go on with new ones.
func TestDatabaseConnectionsLost(t *testing.T) {
	s := site.New(t, site.Options{Engine: "postgres"})
	accounts := furnish(s)
	p := newProxy(t, s.Database)
	s.Add(site.Process{Doors: doors}).Start()
	s.Add(site.Process{Doors: doors, Flags: []string{"--database", p.database}}).Start()
	db := beside(t, s)
	l := begin(t, accounts, s.Servers...)
	stays(t, s, func() {
		rounds(4, func() {
			l.more(25)
			sqlOn(t, db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
			l.more(25)
			p.cut()
		})
		l.judge(s)
	})
}

// A database that is slow makes answers slow; one that does not answer at all, because
// of a lock or a silent network, makes them 503 with Retry-After within the time that
// database_timeout sets, and nothing piles up.
func TestDatabaseSlow(t *testing.T) {
	s := site.New(t, site.Options{Engine: "postgres"})
	accounts := furnish(s)
	p := newProxy(t, s.Database)
	v := s.Add(site.Process{Doors: doors, Flags: []string{"--database", p.database, "--database-timeout", "2s", "--query-timeout", "2s"}})
	v.Start()
	db := beside(t, s)
	l := begin(t, accounts, v)
	stays(t, s, func() {
		rounds(1, func() {
			l.more(40)
			p.delay.Store(5)
			failed := l.unknown.Load()
			l.more(30)
			if n := l.unknown.Load() - failed; n > 0 {
				t.Errorf("%d changes were not made by a slow database", n)
			}
			p.delay.Store(0)
			before := memory(t, v)
			lock, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := lock.ExecContext(t.Context(), "LOCK TABLE users IN ACCESS EXCLUSIVE MODE"); err != nil {
				t.Fatal(err)
			}
			l.refusedNow(v)
			if err := lock.Rollback(); err != nil {
				t.Fatal(err)
			}
			l.more(30)
			p.silent.Lock()
			l.refusedNow(v)
			p.silent.Unlock()
			after := memory(t, v)
			t.Logf("memory: %d KiB before, %d KiB after", before>>10, after>>10)
			if after > before+(256<<20) {
				t.Errorf("memory went from %d to %d bytes", before, after)
			}
		})
		l.judge(s)
	})
}

// refusedNow requires that requests that nobody can do now end, and say when to try
// again, from as many clients as a busy day has.
func (l *load) refusedNow(v *site.Server) {
	l.t.Helper()
	const clients = 200
	ended := make(chan string, clients)
	for range clients {
		go func() {
			r, err := http.NewRequest(http.MethodGet, v.URL()+"/api/v1/users/"+l.accounts[0][0].id, nil)
			if err != nil {
				ended <- err.Error()
				return
			}
			r.Header.Set("Authorization", "Bearer "+site.Key)
			a, err := l.client.Do(r)
			switch {
			case err != nil:
				ended <- err.Error()
				return
			case a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "":
				ended <- fmt.Sprintf("%d with Retry-After %q", a.StatusCode, a.Header.Get("Retry-After"))
			default:
				ended <- ""
			}
			_ = a.Body.Close() // nothing more is expected of it
		}()
	}
	for range clients {
		if text := <-ended; text != "" {
			l.t.Errorf("while the database did not answer: %s", text)
		}
	}
	from := l.unknown.Load()
	l.await("a refused change", func() bool { return l.unknown.Load() > from })
}

// memory is what a server's process has in memory, in bytes.
func memory(t *testing.T, v *site.Server) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("no VmRSS in %s", text)
	return 0
}

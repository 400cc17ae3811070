package scaleout_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit/pgtest"
	"github.com/usher-id/usher/internal/testkit/site"
)

func TestMain(m *testing.M) {
	site.Main(m, func() {
		if previousDir != "" {
			_ = os.RemoveAll(previousDir) // a folder of temporary files
		}
	})
}

// Three servers behind a balancer on a primary with a standby lose nothing that
// they acknowledged, answer nothing wrong and come back by themselves: while they
// are restarted one after the other, in which no request fails; when one is
// killed; and when the primary is lost and the standby promoted.
func TestServersComeAndGoAndThePrimaryIsLost(t *testing.T) {
	pair := pgtest.NewPair(t)
	pair.Create(t, "usher")
	dsn := pair.DSN("usher")
	if err := store.Migrate(t.Context(), dsn, store.Options{}); err != nil {
		t.Fatal(err)
	}
	s := site.New(t, site.Options{Database: dsn, Servers: 3, Process: site.Process{Doors: doors, Flags: []string{"--drain-time", "2s"}}})
	unknownWithoutStandby(t, pair, s.Servers[0])
	b := s.NewBalancer()
	l := startLoad(t, s, b)
	l.more(200)

	for _, v := range s.Servers {
		v.Stop()
		v.Start()
		if err := b.Await(t.Context(), len(s.Servers)); err != nil {
			t.Fatal(err)
		}
		l.more(50)
	}
	l.mu.Lock()
	t.Logf("rolling restart: %d changes so far, not answered: %v", l.changes, l.failed)
	if len(l.failed) > 0 {
		t.Errorf("requests failed during a rolling restart: %v", l.failed)
	}
	l.mu.Unlock()

	killed := s.Servers[1]
	killed.Kill()
	l.more(100)
	killed.Start()

	began := time.Now()
	pair.KillPrimary(t)
	pair.Promote(t)
	promoted := time.Since(began)
	l.more(1)
	t.Logf("the standby took over %v after the primary was lost, the next change was acknowledged after %v",
		promoted.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	l.more(200)
	l.finish()
}

// unknownWithoutStandby: what only the primary has is not acknowledged. A commit that
// waited for the standby and is interrupted shows its change on the primary, and yet
// a promotion would lose it: the answer is that nobody knows.
func unknownWithoutStandby(t *testing.T, pair *pgtest.Pair, v *site.Server) {
	t.Helper()
	p, err := create(elsewhere, v.URL(), map[string]any{"user_name": "alone@kentel.test"})
	if err != nil {
		t.Fatal(err)
	}
	pair.PauseStandby(t)
	answer := make(chan error, 1)
	go func() { answer <- all[0].rename(elsewhere, v.URL(), p, "Alone") }()
	pair.TerminateWaiting(t)
	err = <-answer
	pair.ResumeStandby(t)
	if r, ok := errors.AsType[*refusal](err); !ok || r.status != http.StatusServiceUnavailable || !strings.Contains(r.text, "store.outcome_unknown") {
		t.Errorf("a change that the standby does not have got %v", err)
	}
	if got, err := all[0].given(elsewhere, v.URL(), p); err != nil || got != "Alone" {
		t.Errorf("after the standby came back the name is %q, %v", got, err)
	}
}

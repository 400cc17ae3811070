package torture

import (
	"testing"

	"github.com/usher-id/usher/internal/testkit/site"
)

// Servers that are killed under load lose nothing that they acknowledged; with
// another one on the same database the work goes on meanwhile.
func TestKilled(t *testing.T) {
	for _, c := range []struct {
		engine         string
		servers, times int
	}{{"sqlite", 1, 4}, {"postgres", 2, 3}} {
		t.Run(c.engine, func(t *testing.T) {
			s, accounts := world(t, c.engine, c.servers, site.Process{})
			l := begin(t, accounts, s.Servers...)
			next := 0
			rounds(c.times, func() {
				l.more(60)
				v := s.Servers[next%len(s.Servers)]
				next++
				v.Kill()
				v.Start()
			})
			l.judge(s)
		})
	}
}

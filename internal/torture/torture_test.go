package torture

import (
	"flag"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/testkit/site"
)

// longer is how long all scenarios together go on; 0 is the short run of make test.
var longer = flag.Duration("torture", 0, "how long all scenarios together go on, such as 10m (default: once through, small)")

// scenarios is by how many tests that time is shared.
const scenarios = 12

func TestMain(m *testing.M) { site.Main(m) }

// rounds repeats what hurts: so many times, and then until the scenario's time is over.
func rounds(times int, hurt func()) {
	end := time.Now().Add(*longer / scenarios)
	for n := 0; n < times || time.Now().Before(end); n++ {
		hurt()
	}
}

// world makes a site of an engine with people, and servers with all doors under load.
func world(t *testing.T, engine string, servers int, p site.Process) (*site.Site, [writing][]*account) {
	t.Helper()
	s := site.New(t, site.Options{Engine: engine})
	accounts := furnish(s)
	p.Doors = doors
	for range servers {
		s.Add(p).Start()
	}
	return s, accounts
}

// stays requires that the servers are the processes that they were: service returned
// without a restart.
func stays(t *testing.T, s *site.Site, hurt func()) {
	t.Helper()
	var before []int
	for _, v := range s.Servers {
		before = append(before, v.PID())
	}
	hurt()
	for i, v := range s.Servers {
		select {
		case <-v.Ended():
			t.Errorf("server %d has ended", i)
		default:
		}
		if v.PID() != before[i] {
			t.Errorf("server %d was started again", i)
		}
	}
}

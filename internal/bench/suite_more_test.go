package bench

import (
	"context"
	"math"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/load"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// readRate is how many reads a second come beside creates with passwords: few
// enough that one core does them.
const readRate = 500

// passwords compares creating users with passwords with nothing but the hashes,
// and reads beside it with reads alone.
func (s *suite) passwords() {
	i := s.install(load.Setup{Users: s.users(hundredK)})
	defer i.Close()
	contender := func(scenario string, conns int, rate float64) *load.Contender {
		c, err := i.Contender(s.b.Context(), scenario, "iqmetrix", conns, rate)
		if err != nil {
			s.b.Fatal(err)
		}
		return c
	}
	compete := func(rounds load.Rounds, c *load.Contender) {
		if err := load.Compete(s.b.Context(), nil, []*load.Contender{c}, rounds); err != nil {
			s.b.Error(err) // it may run on another goroutine
		}
	}
	// Rates that are compared are measured in turn, as elsewhere.
	var raws, creates []float64
	alone, beside := contender("read", 32, readRate), contender("read", 32, readRate)
	for range s.rounds.Rounds {
		raws = append(raws, rawHashes(2*s.rounds.Slice))
		c := contender("create-password", 0, 0)
		compete(load.Rounds{Rounds: 1, Slice: 2 * s.rounds.Slice, Warm: s.rounds.Warm}, c)
		creates = append(creates, c.PerSecond)
	}
	compete(s.rounds, alone)
	var wg sync.WaitGroup
	stop, end := context.WithCancel(s.b.Context())
	wg.Go(func() {
		// The creates go on until the reads have been measured.
		for stop.Err() == nil {
			compete(load.Rounds{Rounds: 1, Slice: s.rounds.Slice}, contender("create-password", 0, 0))
		}
	})
	compete(s.rounds, beside)
	end()
	wg.Wait()
	s.results.Passwords = &Passwords{Raw: load.Median(raws), PerSecond: load.Median(creates), Rate: readRate,
		ReadAlone: alone.Latency.P99, ReadWith: beside.Latency.P99}
	s.note("passwords: %+v", *s.results.Passwords)
}

// rawHashes is how many password hashes a second all cores make that have nothing
// else to do.
func rawHashes(d time.Duration) float64 {
	cost, salt := directory.DefaultHashCost, make([]byte, 16)
	var made atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for time.Since(began) < d {
				argon2.IDKey([]byte(load.AdminSecret), salt, cost.Iterations, cost.MemoryKiB, cost.Parallelism, 32)
				made.Add(1)
			}
		})
	}
	wg.Wait()
	return math.Round(float64(made.Load())/time.Since(began).Seconds()*10) / 10
}

// imports imports files of users, each into a new directory by a process of its
// own.
func (s *suite) imports() {
	// Durable, which importing into a test's cluster would not be.
	databases := map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(s.b.TempDir(), "usher.db") },
		"postgres": s.importDatabase(),
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, n := range []int{hundredK, aMillion} {
			if n > s.most && n > hundredK || engine == "postgres" && n > hundredK {
				continue
			}
			n := s.users(n)
			figures := runImport(s.b, databases[engine](), n)
			one := Import{Engine: engine, Users: n, Seconds: math.Round(figures.Import.Seconds()*100) / 100,
				PerSecond: math.Round(float64(n) / figures.Import.Seconds()), Memory: int64(figures.Memory) << 10}
			s.note("import: %+v", one)
			s.results.Imports = append(s.results.Imports, one)
		}
	}
}

func (s *suite) importDatabase() func() string {
	var postgres *pgtest.Durable
	return func() string {
		if postgres == nil {
			postgres = s.durable("import")
		}
		return postgres.Database(s.b)
	}
}

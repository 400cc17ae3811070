package bench

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/load"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// resultsFile and pageFile are what the suite writes, and chartDir is where the
// pictures are.
const (
	resultsFile = "../../docs/benchmarks/results.json"
	chartDir    = "../../docs/benchmarks"
	pageFile    = "../../docs/benchmarks.md"
)

// suite is one run of the suite.
type suite struct {
	b        *testing.B
	results  *Results
	rounds   load.Rounds
	most     int // users of a directory at most
	bare     *load.Process
	postgres *pgtest.Durable
}

// BenchmarkSuite measures what docs/benchmarks.md shows, or the parts that BENCH
// names, separated by commas. BENCH_USERS bounds the size of directories,
// BENCH_ROUNDS and BENCH_SLICE say how long is measured, and BENCH_OUT names
// another folder for what is written. BENCH=page only renders the page. Each part is written when it is done, so that
// a run that is broken off loses one part.
func BenchmarkSuite(b *testing.B) {
	dir := os.Getenv("BENCH_OUT")
	results, page, charts := resultsFile, pageFile, chartDir
	if dir != "" {
		results, page, charts = filepath.Join(dir, "results.json"), filepath.Join(dir, "benchmarks.md"), dir
	}
	r, err := ReadResults(results)
	if err != nil {
		b.Fatal(err)
	}
	s := &suite{b: b, results: r, most: number(b, "BENCH_USERS", aMillion),
		rounds: load.Rounds{Rounds: number(b, "BENCH_ROUNDS", 3), Slice: length(b, "BENCH_SLICE", 1500*time.Millisecond)}}
	s.rounds.Warm = s.rounds.Slice / 2
	write(b, r, page, charts) // the text of the page may have changed
	names := s.names()
	if len(names) > 0 {
		s.bare = bare(b)
	}
	for _, name := range names {
		began := time.Now()
		s.results.Begin(s.part(name))
		map[string]func(){"door": s.doors, "size": s.sizes, "connections": s.connections, "engine": s.engines,
			"processes": s.processes, "password": s.passwords, "import": s.imports}[name]()
		s.note("part %s took %v", name, time.Since(began).Round(time.Second))
		if err := s.results.Write(results); err != nil {
			b.Fatal(err)
		}
		write(b, s.results, page, charts)
	}
	b.ReportMetric(0, "ns/op")
}

// names are the parts to measure.
func (s *suite) names() []string {
	asked := strings.FieldsFunc(os.Getenv("BENCH"), func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range asked {
		if !slices.Contains(PartNames, name) && name != "page" {
			s.b.Fatalf("BENCH: there is no part %q; the parts are %s", name, strings.Join(PartNames, ", "))
		}
	}
	switch {
	case len(asked) == 0:
		return PartNames
	case asked[0] == "page":
		return nil // which is written in any case
	}
	return asked
}

func number(b *testing.B, variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s: %q is no number of them", variable, text)
	}
	return n
}

func length(b *testing.B, variable string, otherwise time.Duration) time.Duration {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		b.Fatalf("%s: %q is no length of time", variable, text)
	}
	return d
}

// write renders the page and its pictures.
func write(b *testing.B, r *Results, page, charts string) {
	p, err := Render(r)
	if err == nil {
		err = os.MkdirAll(charts, 0o755)
	}
	if err == nil {
		err = os.WriteFile(page, []byte(p.Markdown), 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
	for name, picture := range p.Charts {
		if err := os.WriteFile(filepath.Join(charts, name), []byte(picture), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// note says on standard error what is being done: a benchmark's log comes at its
// end.
func (s *suite) note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

func (s *suite) part(name string) Part {
	commit, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return Part{Name: name, Date: time.Now().UTC().Format("2006-01-02 15:04"), Commit: strings.TrimSpace(string(commit)), Machine: load.ThisMachine(),
		Rounds: s.rounds.Rounds, Slice: s.rounds.Slice.String()}
}

// users bounds a size.
func (s *suite) users(n int) int { return min(n, s.most) }

// install starts servers on a directory; stop is for those that no other part of
// the run needs.
func (s *suite) install(setup load.Setup) (i *load.Installation) {
	s.b.Helper()
	setup.Program, setup.Dir = binary(s.b), directories(s.b)
	setup.Progress = func(text string) { s.note("%s", text) }
	i, err := load.Install(s.b.Context(), setup)
	if err != nil {
		s.b.Fatal(err)
	}
	s.b.Cleanup(i.Close) // of a run that fails
	return i
}

// run is a scenario through a door on a number of connections.
type run struct {
	scenario, door string
	conns          int
}

// compete measures runs on an installation and adds them to a part.
func (s *suite) compete(part string, i *load.Installation, runs ...run) []*load.Contender {
	s.b.Helper()
	var list []*load.Contender
	for _, r := range runs {
		c, err := i.Contender(s.b.Context(), r.scenario, r.door, r.conns, 0)
		if err != nil {
			s.b.Fatal(err)
		}
		list = append(list, c)
	}
	if err := load.Compete(s.b.Context(), s.bare, list, s.rounds); err != nil {
		s.b.Fatal(err)
	}
	for _, c := range list {
		s.note("%-18s %-16s %8d users %3d connections: %.3f of the bare handler, %.0f/s, %.0f µs", c.Scenario, c.Door, c.Users, c.Connections, c.Ratio, c.PerSecond, c.CPU)
		if len(c.Errors) > 0 {
			s.note("errors %v: %s", c.Errors, c.FirstBad)
		}
	}
	s.results.Add(part, list)
	return list
}

// doors measures every scenario through every door. Hashes are a part of their own,
// and lookup is its three parts.
func (s *suite) doors() {
	i := s.install(load.Setup{Users: s.users(hundredK)})
	defer i.Close()
	for _, scenario := range load.Scenarios() {
		var runs []run
		for _, door := range scenario.Doors {
			runs = append(runs, run{scenario.Name, door, 0})
		}
		switch scenario.Name {
		case "create-password", "lookup":
		default:
			s.compete("door", i, runs...)
		}
	}
}

// sizes measures the main scenarios at growing numbers of users, and what a
// server takes.
func (s *suite) sizes() {
	for _, n := range []int{fewUsers, 10_000, hundredK, aMillion} {
		if n > s.most {
			break
		}
		i := s.install(load.Setup{Users: n})
		idle := i.Idle()
		s.compete("size", i, run{"read", "iqmetrix", 0}, run{"lookup", "canonical", 0}, run{"list", "iqmetrix", 0}, run{"search", "iqmetrix", 0},
			run{"state", "iqmetrix", 0}, run{"create", "iqmetrix", 0})
		s.results.Starts = append(s.results.Starts, Start{Users: n, Start: s.start(n), IdleRSS: idle.IdleRSS, IdleAnon: idle.IdleAnon,
			LoadedRSS: i.Memory("VmRSS"), LoadedAnon: i.Memory("RssAnon")})
		i.Close()
	}
	info, err := os.Stat(binary(s.b))
	if err != nil {
		s.b.Fatal(err)
	}
	s.results.Binary = info.Size()
}

// start is the median time in milliseconds that a server takes to start on a
// directory that had one before.
func (s *suite) start(n int) float64 {
	path := copyOf(s.b, seeded(s.b, n))
	var times []float64
	for round := range 6 {
		p, err := load.StartServer(s.b.Context(), load.Server{Program: binary(s.b), Database: "sqlite:" + path, Dir: filepath.Dir(path)})
		if err != nil {
			s.b.Fatal(err)
		}
		if p.Stop(); round > 0 { // the first one makes keys
			times = append(times, math.Round(float64(p.Start.Microseconds())/100)/10)
		}
	}
	return load.Median(times)
}

// connections measures reads and changes on growing numbers of connections.
func (s *suite) connections() {
	i := s.install(load.Setup{Users: s.users(hundredK)})
	defer i.Close()
	for _, conns := range []int{1, 4, 16, 32, 64, 128, 256} {
		if conns*10 <= s.most {
			s.compete("connections", i, run{"read", "iqmetrix", conns}, run{"state", "iqmetrix", conns})
		}
	}
}

// durable is the suite's PostgreSQL, started once, with its settings noted.
func (s *suite) durable(part string) *pgtest.Durable {
	if s.postgres == nil {
		s.postgres = pgtest.NewDurable(s.b)
	}
	settings, err := load.PostgresSettings(s.b.Context(), s.postgres.Database(s.b))
	if err != nil {
		s.b.Fatal(err)
	}
	s.results.part(part).Postgres = settings
	return s.postgres
}

// mainRuns are what engines are compared by.
var mainRuns = []run{{"read", "iqmetrix", 0}, {"lookup", "canonical", 0}, {"list", "iqmetrix", 0}, {"search", "iqmetrix", 0}, {"state", "iqmetrix", 0},
	{"create", "iqmetrix", 0}, {"mixed", "iqmetrix", 0}}

// engines measures both engines at one size, and PostgreSQL at others.
func (s *suite) engines() {
	postgres := s.durable("engine")
	i := s.install(load.Setup{Users: s.users(hundredK)})
	s.compete("engine", i, mainRuns...)
	i.Close()
	var before []int
	for _, n := range []int{s.users(hundredK), fewUsers, aMillion} {
		if n > s.most || slices.Contains(before, n) {
			continue
		}
		before = append(before, n)
		i := s.install(load.Setup{Users: n, Database: postgres.Database(s.b)})
		s.compete("engine", i, mainRuns...)
		i.Close()
	}
}

// processes measures several usher processes on one PostgreSQL.
func (s *suite) processes() {
	database := s.durable("processes").Database(s.b)
	for _, n := range []int{1, 2, 3} {
		i := s.install(load.Setup{Users: s.users(hundredK), Database: database, Processes: n})
		s.compete("processes", i, run{"read", "iqmetrix", 0}, run{"state", "iqmetrix", 0}, run{"mixed", "iqmetrix", 0})
		i.Close()
	}
}

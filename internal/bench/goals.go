package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/load"
)

// goal is what usher is to reach, and how that is read off the results.
type goal struct {
	work      string
	must, aim float64 // aim 0: none
	atMost    bool    // must is the most; the least otherwise
	unit      string  // behind numbers; "" is a ratio to the bare handler
	value     func(*Results) float64
}

// notMeasured is the value of what no part has.
var notMeasured = math.NaN()

// Sizes of directories that goals name.
const (
	fewUsers = 1_000
	hundredK = 100_000
	aMillion = 1_000_000
)

// goals are all goals, in the order in which they are shown.
var goals = []goal{
	{work: "get by id, 100,000 users: iqmetrix, encore, canonical, servicemobility, the slowest of them", must: 0.30, aim: 0.40, value: leastRatio("read", "iqmetrix", "encore", "canonical", "servicemobility")},
	{work: "the same: SCIM", must: 0.22, aim: 0.30, value: leastRatio("read", "scim")},
	{work: "page of 30 with the exact total of a company (iqmetrix)", must: 0.12, aim: 0.18, value: leastRatio("list", "iqmetrix")},
	{work: "search, two words, 16 connections (iqmetrix)", must: 0.055, aim: 0.09, value: leastRatio("search", "iqmetrix")},
	{work: "look-up by user name, e-mail, external id: the slowest of canonical and SCIM", must: 0.28, aim: 0.38, value: slowestLookUp},
	{work: "activate and deactivate, durable, different users, 64 connections (iqmetrix)", must: 0.12, aim: 0.18, value: leastRatio("state", "iqmetrix")},
	{work: "create without a password, durable, search ready, 64 connections (iqmetrix)", must: 0.08, aim: 0.12, value: leastRatio("create", "iqmetrix")},
	{work: "get: processor time at 1,000,000 users against 1,000", must: 1.5, atMost: true, unit: "×", value: growth("size", "read", "iqmetrix", "sqlite")},
	{work: "page: the same", must: 1.5, atMost: true, unit: "×", value: growth("size", "list", "iqmetrix", "sqlite")},
	{work: "search: the same", must: 5, atMost: true, unit: "×", value: growth("size", "search", "iqmetrix", "sqlite")},
	{work: "look-up: the same (canonical)", must: 1.5, atMost: true, unit: "×", value: growth("size", "lookup", "canonical", "sqlite")},
	{work: "activate and deactivate: the same", must: 2, atMost: true, unit: "×", value: growth("size", "state", "iqmetrix", "sqlite")},
	{work: "create: the same", must: 4, atMost: true, unit: "×", value: growth("size", "create", "iqmetrix", "sqlite")},
	{work: "create at 1,000,000 users: 99th percentile", must: 150, atMost: true, unit: " ms", value: createTail},
	{work: "create with a password: part of the raw hash rate", must: 0.9, unit: "×", value: func(r *Results) float64 {
		return ofPasswords(r, func(p *Passwords) float64 { return p.PerSecond / p.Raw })
	}},
	{work: "get beside it: 99th percentile against alone", must: 2, atMost: true, unit: "×", value: func(r *Results) float64 {
		return ofPasswords(r, func(p *Passwords) float64 { return p.ReadWith / p.ReadAlone })
	}},
	{work: "PostgreSQL, 100,000 users: get", must: 0.25, value: postgresRatio("read")},
	{work: "PostgreSQL: page", must: 0.10, value: postgresRatio("list")},
	{work: "PostgreSQL: activate and deactivate", must: 0.07, value: postgresRatio("state")},
	{work: "PostgreSQL: create", must: 0.06, value: postgresRatio("create")},
	{work: "PostgreSQL: processor time at 1,000,000 users against 1,000, the most of these four", must: 2, atMost: true, unit: "×", value: postgresGrowth},
	{work: "import of 100,000 users (SQLite)", must: 15_000, unit: " users/s", value: func(r *Results) float64 {
		return ofImport(r, hundredK, func(i *Import) float64 { return i.PerSecond })
	}},
	{work: "import of 1,000,000 users (SQLite)", must: 90, atMost: true, unit: " s", value: func(r *Results) float64 {
		return ofImport(r, aMillion, func(i *Import) float64 { return i.Seconds })
	}},
	{work: "start on a directory of 100,000 users", must: 100, atMost: true, unit: " ms", value: func(r *Results) float64 { return ofStart(r, func(s *Start) float64 { return s.Start }) }},
	{work: "memory at rest (RSS)", must: 40, atMost: true, unit: " MiB", value: func(r *Results) float64 {
		return ofStart(r, func(s *Start) float64 { return float64(s.IdleRSS) / (1 << 20) })
	}},
	{work: "program, without what only a debugger reads", must: 30, atMost: true, unit: " MB", value: func(r *Results) float64 {
		if r.Binary == 0 {
			return notMeasured
		}
		return float64(r.Binary) / 1e6
	}},
}

// leastRatio is the lowest ratio of some doors at 100,000 users.
func leastRatio(scenario string, doors ...string) func(*Results) float64 {
	return func(r *Results) float64 {
		least := math.Inf(1)
		for _, door := range doors {
			f := r.find("door", scenario, door, atHundredK)
			if f == nil {
				return notMeasured
			}
			least = math.Min(least, f.Ratio)
		}
		return least
	}
}

// atHundredK is the size that goals are about unless they say otherwise.
func atHundredK(f *load.Figure) bool { return f.Users == hundredK }

func slowestLookUp(r *Results) float64 {
	least := math.Inf(1)
	for _, f := range r.rows("door", func(f *load.Figure) bool {
		return atHundredK(f) && strings.HasPrefix(f.Scenario, "lookup-") && slices.Contains([]string{"canonical", "scim"}, f.Door)
	}) {
		least = math.Min(least, f.Ratio)
	}
	if math.IsInf(least, 1) {
		return notMeasured
	}
	return least
}

// growth is the processor time of a request at a million users, PostgreSQL's
// included, in times that at a thousand.
func growth(part, scenario, door, engine string) func(*Results) float64 {
	return func(r *Results) float64 {
		of := func(users int) float64 {
			f := r.find(part, scenario, door, func(f *load.Figure) bool { return f.Users == users && f.Engine == engine })
			if f == nil {
				return notMeasured
			}
			return f.CPU + f.DatabaseCPU
		}
		return of(aMillion) / of(fewUsers)
	}
}

func createTail(r *Results) float64 {
	if f := r.find("size", "create", "iqmetrix", func(f *load.Figure) bool { return f.Users == aMillion }); f != nil {
		return f.Latency.P99
	}
	return notMeasured
}

func ofPasswords(r *Results, of func(*Passwords) float64) float64 {
	if r.Passwords == nil {
		return notMeasured
	}
	return of(r.Passwords)
}

func postgresRatio(scenario string) func(*Results) float64 {
	return func(r *Results) float64 {
		f := r.find("engine", scenario, "iqmetrix", func(f *load.Figure) bool { return f.Engine == "postgres" && f.Users == hundredK })
		if f == nil {
			return notMeasured
		}
		return f.Ratio
	}
}

func postgresGrowth(r *Results) (most float64) {
	for _, scenario := range []string{"read", "list", "state", "create"} {
		most = max(most, growth("engine", scenario, "iqmetrix", "postgres")(r)) // NaN stays
	}
	return most
}

func ofImport(r *Results, users int, of func(*Import) float64) float64 {
	for i := range r.Imports {
		if one := &r.Imports[i]; one.Engine == "sqlite" && one.Users == users {
			return of(one)
		}
	}
	return notMeasured
}

func ofStart(r *Results, of func(*Start) float64) float64 {
	for i := range r.Starts {
		if r.Starts[i].Users == hundredK {
			return of(&r.Starts[i])
		}
	}
	return notMeasured
}

// met says whether a goal is met, in a word.
func (g *goal) met(value float64) string {
	reached := func(bound float64) bool { return value >= bound && !g.atMost || value <= bound && g.atMost }
	switch {
	case math.IsNaN(value):
		return "not measured"
	case !reached(g.must):
		return "**not met**"
	case g.aim != 0 && reached(g.aim):
		return "met, with the aim"
	}
	return "met"
}

// row is the goal's row of the table.
func (g *goal) row(r *Results) []string {
	value, bound := g.value(r), "at least "
	if g.atMost {
		bound = "at most "
	}
	show := func(v float64) string {
		if g.unit == "" {
			return fmt.Sprintf("%.3f", v)
		}
		return short(v) + g.unit
	}
	goalText, measured := bound+show(g.must), "–"
	if g.aim != 0 {
		goalText += ", aim " + show(g.aim)
	}
	if !math.IsNaN(value) {
		measured = show(value)
	}
	return []string{g.work, goalText, measured, g.met(value)}
}

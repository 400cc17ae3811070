package bench

import (
	"fmt"
	"slices"

	"github.com/usher-id/usher/internal/load"
)

// charts are the pictures of the page, by file name.
func (r *Results) charts() map[string]*Chart {
	p50 := func(f *load.Figure) float64 { return f.Latency.P50 }
	p99 := func(f *load.Figure) float64 { return f.Latency.P99 }
	ratio := func(f *load.Figure) float64 { return f.Ratio }
	cpu := func(f *load.Figure) float64 { return f.CPU + f.DatabaseCPU }
	all := map[string]*Chart{
		"door-throughput.svg":        r.byDoor("Throughput by door", "ratio to the bare handler", ratio),
		"door-p50.svg":               r.byDoor("Median time by door", "milliseconds", p50),
		"door-p99.svg":               r.byDoor("99th percentile by door", "milliseconds", p99),
		"door-cpu.svg":               r.byDoor("Cost of a request by door", "µs of processor time", cpu),
		"size-throughput.svg":        r.lines("size", "Throughput by number of users", "ratio to the bare handler", "users", users, ratio),
		"size-cpu.svg":               r.lines("size", "Cost of a request by number of users", "µs of processor time", "users", users, cpu),
		"size-p99.svg":               r.lines("size", "99th percentile by number of users", "milliseconds", "users", users, p99),
		"connections-throughput.svg": r.lines("connections", "Throughput by connections", "ratio to the bare handler", "connections", connections, ratio),
		"connections-p50.svg":        r.lines("connections", "Median time by connections", "milliseconds", "connections", connections, p50),
		"connections-p99.svg":        r.lines("connections", "99th percentile by connections", "milliseconds", "connections", connections, p99),
		"engine-throughput.svg":      r.byEngine("Throughput by engine, 100,000 users", ratio),
		"processes-throughput.svg":   r.lines("processes", "Throughput by processes on PostgreSQL", "ratio to the bare handler", "processes", processes, ratio),
		"processes-p99.svg":          r.lines("processes", "99th percentile by processes on PostgreSQL", "milliseconds", "processes", processes, p99),
	}
	for name, c := range all {
		if c == nil {
			delete(all, name)
			continue
		}
		c.Log = c.Unit == "milliseconds" || c.Unit == "µs of processor time"
	}
	return all
}

func users(f *load.Figure) int       { return f.Users }
func connections(f *load.Figure) int { return f.Connections }
func processes(f *load.Figure) int   { return f.Processes }

// byDoor has a group of bars for each scenario and a bar for each door; nil when
// nothing was measured.
func (r *Results) byDoor(title, unit string, value func(*load.Figure) float64) *Chart {
	c := &Chart{Title: title, Unit: unit, Axis: "scenario", Bars: true}
	for _, scenario := range []string{"read", "lookup-user-name", "list", "search", "state", "create", "mixed"} {
		if len(r.rows("door", func(f *load.Figure) bool { return f.Scenario == scenario })) > 0 {
			c.Labels = append(c.Labels, scenario)
		}
	}
	if len(c.Labels) == 0 {
		return nil
	}
	for _, door := range load.Doors() {
		s := Series{Name: door}
		for _, scenario := range c.Labels {
			v := notMeasured
			if f := r.find("door", scenario, door, nil); f != nil {
				v = value(f)
			}
			s.Values = append(s.Values, v)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// lines has a line for each scenario of a part, over what the part varies.
func (r *Results) lines(part, title, unit, axis string, over func(*load.Figure) int, value func(*load.Figure) float64) *Chart {
	c := &Chart{Title: title, Unit: unit, Axis: axis}
	var places []int
	var names []string
	for _, f := range r.rows(part, func(*load.Figure) bool { return true }) {
		if !slices.Contains(places, over(f)) {
			places = append(places, over(f))
		}
		if !slices.Contains(names, f.Scenario) {
			names = append(names, f.Scenario)
		}
	}
	if len(places) == 0 {
		return nil
	}
	slices.Sort(places)
	for _, place := range places {
		c.Labels = append(c.Labels, groups(float64(place)))
	}
	for _, name := range names {
		s := Series{Name: name}
		for _, place := range places {
			v := notMeasured
			if list := r.rows(part, func(f *load.Figure) bool { return f.Scenario == name && over(f) == place }); len(list) > 0 {
				v = value(list[0])
			}
			s.Values = append(s.Values, v)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// byEngine compares the engines at the size that both were measured at.
func (r *Results) byEngine(title string, value func(*load.Figure) float64) *Chart {
	c := &Chart{Title: title, Unit: "ratio to the bare handler", Axis: "scenario", Bars: true}
	size := r.engineSize()
	if size == 0 {
		return nil
	}
	if size != hundredK {
		c.Title = fmt.Sprintf("Throughput by engine, %s users", groups(float64(size)))
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		s := Series{Name: engine}
		for _, f := range r.rows("engine", func(f *load.Figure) bool { return f.Engine == engine && f.Users == size }) {
			if !slices.Contains(c.Labels, f.Scenario) {
				c.Labels = append(c.Labels, f.Scenario)
			}
			s.Values = append(s.Values, value(f))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// engineSize is the size at which both engines were measured; 0 for none.
func (r *Results) engineSize() int {
	list := r.rows("engine", func(f *load.Figure) bool { return f.Engine == "sqlite" })
	if len(list) == 0 {
		return 0
	}
	return list[0].Users
}

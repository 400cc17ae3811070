package bench

import (
	"bytes"
	_ "embed" // the page's text
	"fmt"
	"math"
	"slices"
	"strings"
	"text/template"

	"github.com/usher-id/usher/internal/load"
)

//go:embed page.md.tmpl
var pageText string

// Page is the page and its pictures, by name.
type Page struct {
	Markdown string
	Charts   map[string]string
}

// Render renders the results.
func Render(r *Results) (Page, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"goals": func() string { return r.goals() }, "parts": func() string { return r.partsTable() },
		"figures": r.figures, "starts": func() string { return r.startsTable() }, "imports": func() string { return r.importsTable() },
		"passwords": func() string { return r.passwordsTable() }, "cpu": r.cpu, "size": r.size, "binary": func() string { return megabytes(r.Binary) },
	}).Parse(pageText)
	if err != nil {
		return Page{}, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, nil); err != nil {
		return Page{}, err
	}
	p := Page{Markdown: out.String(), Charts: map[string]string{}}
	for name, chart := range r.charts() {
		p.Charts[name] = chart.SVG()
	}
	return p, nil
}

// table is a table in Markdown.
func table(head []string, rows [][]string) string {
	if len(rows) == 0 {
		return "Not measured yet."
	}
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, row := range rows {
		line(row)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (r *Results) goals() string {
	var rows [][]string
	for i := range goals {
		rows = append(rows, goals[i].row(r))
	}
	return table([]string{"work", "goal", "measured", ""}, rows)
}

func (r *Results) partsTable() string {
	var rows [][]string
	for _, p := range r.Parts {
		machine := fmt.Sprintf("%s, %d cores, %.0f GiB, %s, %s", p.Machine.CPU, p.Machine.Cores, float64(p.Machine.Memory)/(1<<30), p.Machine.System, p.Machine.Go)
		if p.Postgres != "" {
			machine += "; PostgreSQL: " + p.Postgres
		}
		rows = append(rows, []string{p.Name, p.Date, "`" + p.Commit + "`", fmt.Sprintf("%d × %s", p.Rounds, p.Slice), machine})
	}
	return table([]string{"part", "date", "commit", "rounds", "where"}, rows)
}

// figures is the table of a part, with a column for what it varies.
func (r *Results) figures(part, varied string) string {
	column := map[string]func(*load.Figure) string{
		"door":        func(f *load.Figure) string { return f.Door },
		"users":       func(f *load.Figure) string { return groups(float64(f.Users)) },
		"connections": func(f *load.Figure) string { return fmt.Sprint(f.Connections) },
		"engine":      func(f *load.Figure) string { return f.Engine + ", " + groups(float64(f.Users)) },
		"processes":   func(f *load.Figure) string { return fmt.Sprint(f.Processes) },
	}[varied]
	list := r.rows(part, func(*load.Figure) bool { return true })
	order := load.ScenarioNames()
	slices.SortStableFunc(list, func(a, b *load.Figure) int {
		return slices.Index(order, a.Scenario) - slices.Index(order, b.Scenario)
	})
	var rows [][]string
	for _, f := range list {
		cpu := short(f.CPU)
		if f.DatabaseCPU > 0 {
			cpu += " + " + short(f.DatabaseCPU)
		}
		scenario := f.Scenario
		if varied != "door" {
			scenario += " (" + f.Door + ")"
		}
		failed := 0
		for _, n := range f.Errors {
			failed += n
		}
		row := []string{scenario, column(f), fmt.Sprintf("%.3f (%.3f–%.3f)", f.Ratio, f.RatioLow, f.RatioHigh), groups(f.PerSecond), cpu,
			short(f.Latency.P50), short(f.Latency.P99), short(f.Latency.P999), short(f.Latency.Max)}
		if failed > 0 {
			row[0] += fmt.Sprintf("; **%d errors**", failed)
		}
		rows = append(rows, row)
	}
	return table([]string{"scenario", varied, "of the bare handler", "requests/s", "CPU µs", "p50 ms", "p99", "p99.9", "max"}, rows)
}

func (r *Results) startsTable() string {
	var rows [][]string
	mib := func(bytes int64) string { return fmt.Sprintf("%.0f", float64(bytes)/(1<<20)) }
	for _, s := range r.Starts {
		rows = append(rows, []string{groups(float64(s.Users)), short(s.Start), mib(s.IdleRSS), mib(s.IdleAnon), mib(s.LoadedRSS), mib(s.LoadedAnon)})
	}
	return table([]string{"users", "start ms", "at rest: RSS MiB", "its own", "after the load: RSS MiB", "its own"}, rows)
}

func (r *Results) importsTable() string {
	var rows [][]string
	for _, i := range r.Imports {
		rows = append(rows, []string{i.Engine, groups(float64(i.Users)), groups(i.PerSecond), short(i.Seconds), fmt.Sprintf("%.0f", float64(i.Memory)/(1<<20))})
	}
	return table([]string{"engine", "users", "users/s", "seconds", "memory at most, MiB"}, rows)
}

func (r *Results) passwordsTable() string {
	p := r.Passwords
	if p == nil {
		return "Not measured yet."
	}
	return table([]string{"raw hashes/s", "creates/s", "p99 of reads alone, ms", "beside the creates"},
		[][]string{{short(p.Raw), short(p.PerSecond), short(p.ReadAlone), short(p.ReadWith)}})
}

// cpu is the processor time of a scenario through a door at 100,000 users, and of
// the bare handler beside it, for a sentence.
func (r *Results) cpu(scenario, door string) string {
	f := r.find("door", scenario, door, nil)
	if f == nil {
		return "(not measured)"
	}
	return fmt.Sprintf("%s µs of processor time (the bare handler: %s)", short(f.CPU), short(f.BareCPU))
}

// size is how many users the directory of a part had, for a sentence.
func (r *Results) size(part string) string {
	list := r.rows(part, func(*load.Figure) bool { return true })
	if len(list) == 0 {
		return "(not measured)"
	}
	return groups(float64(list[0].Users)) + " users"
}

func megabytes(bytes int64) string {
	if bytes == 0 {
		return "(not measured)"
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

// groups prints a whole number in groups of three digits.
func groups(v float64) string {
	text := fmt.Sprint(int64(math.Round(v)))
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

package load

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Report is everything that one run of the command measured, as it prints it in
// JSON.
type Report struct {
	Date    time.Time `json:"date"`
	Version string    `json:"version"`
	Machine Machine   `json:"machine"`
	Note    string    `json:"note"`
	Servers *Servers  `json:"servers,omitempty"`
	Figures []Figure  `json:"figures"`
}

// Note is what whoever reads figures has to know.
const Note = "Closed loop: each connection waits for its answer before it sends again, so that a server that stalls gets fewer requests; " +
	"corrected_latency_ms estimates what the requests that were not sent would have waited. Open loop (rate): times count from the moment when a request was due."

// Servers is what the usher processes took.
type Servers struct {
	Processes int `json:"processes"`
	// Start is the time from exec to the first answer, of the slowest process, in
	// milliseconds.
	Start       float64 `json:"start_ms"`
	IdleRSS     int64   `json:"idle_rss_bytes,omitempty"`
	IdleAnon    int64   `json:"idle_rss_anon_bytes,omitempty"`
	LoadedRSS   int64   `json:"loaded_rss_bytes,omitempty"`
	LoadedAnon  int64   `json:"loaded_rss_anon_bytes,omitempty"`
	BinaryBytes int64   `json:"binary_bytes,omitempty"`
}

// Idle measures what the servers take before any load.
func (i *Installation) Idle() *Servers {
	s := &Servers{Processes: len(i.Servers), IdleRSS: i.Memory("VmRSS"), IdleAnon: i.Memory("RssAnon")}
	for _, p := range i.Servers {
		s.Start = max(s.Start, round(float64(p.Start)/float64(time.Millisecond)))
	}
	return s
}

// WriteText prints a figure for a person, with its histogram unless that is nil.
func (f *Figure) WriteText(w io.Writer, h *Histogram) {
	loop := "closed loop"
	if f.Rate > 0 {
		loop = fmt.Sprintf("open loop, %s due a second", number(f.Rate))
	}
	where := f.Engine
	if f.Processes > 1 {
		where = fmt.Sprintf("%d processes on %s", f.Processes, f.Engine)
	}
	if where != "" {
		where = fmt.Sprintf(", %s users, %s", number(float64(f.Users)), where)
	}
	fmt.Fprintf(w, "%s through %s%s, %d connections, %s\n", f.Scenario, f.Door, where, f.Connections, loop)
	fmt.Fprintf(w, "  %s requests/s", number(f.PerSecond))
	if f.Ratio > 0 {
		fmt.Fprintf(w, ", %.3f of the bare handler (%.3f to %.3f; it did %s/s)", f.Ratio, f.RatioLow, f.RatioHigh, number(f.BarePerSecond))
	}
	fmt.Fprintln(w)
	if f.CPU > 0 {
		fmt.Fprintf(w, "  %s µs of processor time a request", number(f.CPU))
		if f.DatabaseCPU > 0 {
			fmt.Fprintf(w, ", and %s of PostgreSQL", number(f.DatabaseCPU))
		}
		if f.BareCPU > 0 {
			fmt.Fprintf(w, " (bare handler: %s)", number(f.BareCPU))
		}
		fmt.Fprintln(w)
	}
	if h != nil {
		writePercentiles(w, h)
	}
	if c := f.Corrected; c != nil && f.Requests > 0 {
		fmt.Fprintf(w, "  as if connections had not waited (estimate): p99 %s ms, p99.9 %s ms\n", number(c.P99), number(c.P999))
	}
	if f.Unsent > 0 {
		fmt.Fprintf(w, "  %d requests were due and never sent: the rate is more than the server or the connections can do\n", f.Unsent)
	}
	for _, status := range slices.Sorted(maps.Keys(f.Errors)) {
		name := cmp.Or(map[int]string{0: "no answer"}[status], fmt.Sprint("status ", status))
		fmt.Fprintf(w, "  %s: %d times\n", name, f.Errors[status])
	}
	if f.FirstBad != "" {
		fmt.Fprintf(w, "  the first of them: %.200s\n", strings.Join(strings.Fields(f.FirstBad), " "))
	}
}

// barWidth is how long the longest bar is.
const barWidth = 40

// writePercentiles draws a bar for each percentile, whose length is the
// logarithm of the time: 4 characters longer are twice as long.
func writePercentiles(w io.Writer, h *Histogram) {
	if h.Count() == 0 {
		return
	}
	for _, p := range []struct {
		name string
		time time.Duration
	}{{"p50", h.Quantile(0.5)}, {"p90", h.Quantile(0.9)}, {"p99", h.Quantile(0.99)}, {"p99.9", h.Quantile(0.999)}, {"max", h.Max()}} {
		length := barWidth + 4*math.Log2(float64(max(p.time, 1))/float64(max(h.Max(), 1)))
		fmt.Fprintf(w, "  %-6s%9s ms  %s\n", p.name, number(float64(p.time)/float64(time.Millisecond)), strings.Repeat("█", max(1, int(length+0.5))))
	}
}

// number prints three digits of a number that is not whole, and groups of three
// of a large one.
func number(x float64) string {
	switch abs := math.Abs(x); {
	case abs >= 1000:
		return grouped(int64(math.Round(x)))
	case abs >= 100:
		return fmt.Sprintf("%.0f", x)
	case abs >= 10:
		return fmt.Sprintf("%.1f", x)
	case abs >= 1 || x == 0:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.3f", x)
}

func grouped(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

package bench

import (
	"encoding/json"
	"errors"
	"os"
	"slices"

	"github.com/usher-id/usher/internal/load"
)

// Results are the raw figures from which the page is rendered.
type Results struct {
	Parts     []Part     `json:"parts"`
	Rows      []Row      `json:"rows"`
	Starts    []Start    `json:"starts,omitempty"`
	Imports   []Import   `json:"imports,omitempty"`
	Passwords *Passwords `json:"passwords,omitempty"`
	Binary    int64      `json:"binary_bytes,omitempty"` // without what only a debugger reads
}

// Part is one part of the suite: when and where it was measured.
type Part struct {
	Name     string       `json:"name"`
	Date     string       `json:"date"`
	Commit   string       `json:"commit"`
	Machine  load.Machine `json:"machine"`
	Postgres string       `json:"postgres,omitempty"` // the server's settings
	Rounds   int          `json:"rounds"`
	Slice    string       `json:"slice"`
}

// Row is a figure of a part.
type Row struct {
	Part string `json:"part"`
	load.Figure
}

// Start is a server that starts on a directory of so many users and is put under
// load. Bytes of memory; Anon is without pages of files.
type Start struct {
	Users      int     `json:"users"`
	Start      float64 `json:"start_ms"` // from exec to the first answer about a user
	IdleRSS    int64   `json:"idle_rss_bytes"`
	IdleAnon   int64   `json:"idle_rss_anon_bytes"`
	LoadedRSS  int64   `json:"loaded_rss_bytes"`
	LoadedAnon int64   `json:"loaded_rss_anon_bytes"`
}

// Import is an import of a CSV file into an empty directory.
type Import struct {
	Engine    string  `json:"engine"`
	Users     int     `json:"users"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
	Memory    int64   `json:"rss_anon_bytes"` // at most
}

// Passwords is creating users with passwords, and what it does to others.
type Passwords struct {
	Raw       float64 `json:"raw_hashes_per_second"` // of the same cost, on all cores, and nothing else
	PerSecond float64 `json:"creates_per_second"`
	// The 99th percentile of an open loop of reads, in milliseconds.
	Rate      float64 `json:"reads_per_second"`
	ReadAlone float64 `json:"read_p99_alone_ms"`
	ReadWith  float64 `json:"read_p99_beside_ms"`
}

// ReadResults reads a file of results; one that is not there has none.
func ReadResults(path string) (*Results, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return &Results{}, nil
	}
	var r Results
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return &r, err
}

// Write writes the file.
func (r *Results) Write(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// Begin replaces what is there of a part.
func (r *Results) Begin(p Part) {
	r.Parts = slices.DeleteFunc(r.Parts, func(old Part) bool { return old.Name == p.Name })
	r.Parts = append(r.Parts, p)
	slices.SortFunc(r.Parts, func(a, b Part) int { return slices.Index(PartNames, a.Name) - slices.Index(PartNames, b.Name) })
	r.Rows = slices.DeleteFunc(r.Rows, func(row Row) bool { return row.Part == p.Name })
	switch p.Name {
	case "size":
		r.Starts = nil
	case "import":
		r.Imports = nil
	case "password":
		r.Passwords = nil
	}
}

// PartNames are the parts of the suite in the order in which they run.
var PartNames = []string{"door", "size", "connections", "engine", "processes", "password", "import"}

// Add adds the figures of loads to a part.
func (r *Results) Add(part string, list []*load.Contender) {
	for _, c := range list {
		r.Rows = append(r.Rows, Row{Part: part, Figure: c.Figure})
	}
}

// part is a part that was measured, or nil.
func (r *Results) part(name string) *Part {
	if i := slices.IndexFunc(r.Parts, func(p Part) bool { return p.Name == name }); i >= 0 {
		return &r.Parts[i]
	}
	return nil
}

// rows are the figures that meet a condition.
func (r *Results) rows(part string, meets func(*load.Figure) bool) (list []*load.Figure) {
	for i := range r.Rows {
		if row := &r.Rows[i]; row.Part == part && meets(&row.Figure) {
			list = append(list, &row.Figure)
		}
	}
	return list
}

// find is the figure of a part for a scenario and door that meets a condition, or
// nil.
func (r *Results) find(part, scenario, door string, meets func(*load.Figure) bool) *load.Figure {
	list := r.rows(part, func(f *load.Figure) bool {
		return f.Scenario == scenario && f.Door == door && (meets == nil || meets(f))
	})
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

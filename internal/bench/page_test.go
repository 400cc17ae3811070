package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/load"
)

// The page and its pictures are what the results say: nobody edits them.
func TestPageIsRenderedFromTheResults(t *testing.T) {
	r, err := ReadResults(resultsFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) == 0 {
		t.Fatalf("%s has no figures", resultsFile)
	}
	page, err := Render(r)
	if err != nil {
		t.Fatal(err)
	}
	committed := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if diff := cmp.Diff(committed(pageFile), page.Markdown); diff != "" {
		t.Errorf("%s is not what the results say; make bench writes it (-page +results):\n%s", pageFile, diff)
	}
	for name, picture := range page.Charts {
		if diff := cmp.Diff(committed(filepath.Join(chartDir, name)), picture); diff != "" {
			t.Errorf("%s is not what the results say (-picture +results):\n%s", name, diff)
		}
	}
	for _, shown := range regexp.MustCompile(`\]\(benchmarks/([a-z0-9-]+\.svg)\)`).FindAllStringSubmatch(page.Markdown, -1) {
		if page.Charts[shown[1]] == "" {
			t.Errorf("the page shows %s, which there is none of", shown[1])
		}
	}
}

// A picture is well-formed, names itself, and says its values in words.
func TestPicturesAreWellFormed(t *testing.T) {
	for _, c := range []Chart{
		{Title: `A <chart> & "more"`, Unit: "times", Axis: "things", Labels: []string{"a", "b<"}, Bars: true,
			Series: []Series{{"one", []float64{1, 2.5}}, {"two & three", []float64{math.NaN(), 0}}}},
		{Title: "Lines", Unit: "milliseconds", Axis: "users", Labels: []string{"1,000", "1,000,000"}, Log: true,
			Series: []Series{{"read", []float64{0.25, 1234}}, {"list", []float64{3, math.NaN()}}}},
		{Title: "Nothing", Unit: "times", Axis: "users", Labels: []string{"1"}, Series: []Series{{"read", []float64{math.NaN()}}}},
	} {
		var title, words string
		picture := c.SVG()
		for d := xml.NewDecoder(strings.NewReader(picture)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", c.Title, err, picture)
			}
			start, ok := token.(xml.StartElement)
			if !ok || (start.Name.Local != "title" && start.Name.Local != "desc") {
				continue
			}
			var text string
			if err := d.DecodeElement(&text, &start); err != nil {
				t.Fatal(err)
			}
			if start.Name.Local == "desc" {
				words = text
			} else if title == "" {
				title = text
			}
		}
		if title != c.Title {
			t.Errorf("the picture calls itself %q, want %q", title, c.Title)
		}
		if !strings.Contains(words, c.Unit+" by "+c.Axis) || strings.Contains(picture, "NaN") {
			t.Errorf("%s in words: %q\n%s", c.Title, words, picture)
		}
	}
}

// A goal is met when it is reached, from the right side, and what was not measured
// is not met.
func TestGoals(t *testing.T) {
	least, most := goal{must: 0.3, aim: 0.4}, goal{must: 2, atMost: true}
	for _, test := range []struct {
		goal  goal
		value float64
		want  string
	}{{least, 0.29, "**not met**"}, {least, 0.3, "met"}, {least, 0.41, "met, with the aim"}, {most, 2.1, "**not met**"}, {most, 2, "met"}, {least, notMeasured, "not measured"}, {most, notMeasured, "not measured"}} {
		if got := test.goal.met(test.value); got != test.want {
			t.Errorf("%v of at least or most %v is %q, want %q", test.value, test.goal.must, got, test.want)
		}
	}
	r := &Results{Rows: []Row{
		{"size", load.Figure{Scenario: "read", Door: "iqmetrix", Engine: "sqlite", Users: fewUsers, CPU: 50}},
		{"size", load.Figure{Scenario: "read", Door: "iqmetrix", Engine: "sqlite", Users: aMillion, CPU: 60}},
		{"door", load.Figure{Scenario: "read", Door: "scim", Users: hundredK, Ratio: 0.25}},
		{"door", load.Figure{Scenario: "read", Door: "encore", Users: hundredK, Ratio: 0.5}},
	}, Binary: 28_000_000}
	want := map[string][3]string{
		"the same: SCIM": {"at least 0.220, aim 0.300", "0.250", "met"},
		"get: processor time at 1,000,000 users against 1,000":                                        {"at most 1.5×", "1.2×", "met"},
		"get by id, 100,000 users: iqmetrix, encore, canonical, servicemobility, the slowest of them": {"at least 0.300, aim 0.400", "–", "not measured"},
		"program, without what only a debugger reads":                                                 {"at most 30 MB", "28 MB", "met"},
	}
	for i := range goals {
		row := goals[i].row(r)
		if w, ok := want[row[0]]; ok {
			if got := [3]string(row[1:]); got != w {
				t.Errorf("%s: %q, want %q", row[0], got, w)
			}
			delete(want, row[0])
		}
	}
	if len(want) > 0 {
		t.Errorf("no goals %v", want)
	}
}

// A part that is measured again replaces what there was of it, and nothing else.
func TestAPartIsReplaced(t *testing.T) {
	r := &Results{}
	for _, name := range []string{"size", "door"} {
		r.Begin(Part{Name: name, Commit: "old"})
		r.Rows = append(r.Rows, Row{Part: name})
	}
	r.Starts = []Start{{Users: 1}}
	r.Begin(Part{Name: "size", Commit: "new"})
	if len(r.Rows) != 1 || r.Rows[0].Part != "door" || len(r.Starts) != 0 {
		t.Errorf("left are %+v, %+v", r.Rows, r.Starts)
	}
	if diff := cmp.Diff([]Part{{Name: "door", Commit: "old"}, {Name: "size", Commit: "new"}}, r.Parts); diff != "" {
		t.Error(diff)
	}
}

package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const dialects = root + "/internal/dialect"

// numbers are section numbers with what stands between them: "5.7", "4.1, 5.13
// and 5.18".
const numbers = `[0-9]+(?:\.[0-9]+)?(?:(?:, | and | to |; )[0-9]+\.[0-9]+)*`

var (
	inDoor    = regexp.MustCompile(`dossier (` + numbers + `)`)
	elsewhere = regexp.MustCompile(`docs/dialects/([a-z]+)\.md,? (?:dossier )?(` + numbers + `)`)
	number    = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?`)
	// wrapped is the end of a line and the beginning of the next in a comment.
	wrapped = regexp.MustCompile(`\n[ \t]*(?://|#)[ \t]*`)
)

// Code and contract scripts cite the pages of the doors by number, since a
// reader is to find out why something is as it is. Every number that is cited
// is there.
func TestCitedNumbersAreOnThePages(t *testing.T) {
	pages := map[string]map[string]bool{}
	for _, door := range doorsOf(t) {
		pages[door] = numbersOn(t, door)
	}
	cited := map[string]int{}
	for _, dir := range []string{root + "/internal", root + "/cmd"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".txtar" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, c := range citations(filepath.ToSlash(path), string(text)) {
				cited[c.door]++
				if on, known := pages[c.door]; !known || !on[c.number] {
					t.Errorf("%s cites docs/dialects/%s.md %s, which is not there", strings.TrimPrefix(filepath.ToSlash(path), root+"/"), c.door, c.number)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for door := range pages {
		if cited[door] < 50 {
			t.Errorf("%d citations of docs/dialects/%s.md were found", cited[door], door)
		}
	}
}

// citation is one number of one page.
type citation struct{ door, number string }

// citations are what a file cites: in a door's own package "dossier 5.7",
// elsewhere with the name of the page.
func citations(path, text string) []citation {
	text = wrapped.ReplaceAllString(text, " ")
	var list []citation
	add := func(door, cited string) {
		for _, n := range number.FindAllString(cited, -1) {
			list = append(list, citation{door, n})
		}
	}
	for _, m := range elsewhere.FindAllStringSubmatch(text, -1) {
		add(m[1], m[2])
	}
	if rest, ok := strings.CutPrefix(path, dialects+"/"); ok {
		door, _, _ := strings.Cut(rest, "/")
		for _, m := range inDoor.FindAllStringSubmatch(elsewhere.ReplaceAllString(text, ""), -1) {
			add(door, m[1])
		}
	}
	return list
}

// doorsOf are the doors that have a package.
func doorsOf(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(dialects)
	if err != nil {
		t.Fatal(err)
	}
	var doors []string
	for _, e := range entries {
		if e.IsDir() {
			doors = append(doors, e.Name())
		}
	}
	return doors
}

var (
	section = regexp.MustCompile(`^## ([0-9]+)\. `)
	item    = regexp.MustCompile(`^([0-9]+)\. `)
	bold    = regexp.MustCompile(`\*\*([0-9]+\.[0-9]+)(?:(, | to )([0-9]+\.[0-9]+))?[ *]`)
	row     = regexp.MustCompile(`^\| ([0-9]+\.[0-9]+) \|`)
)

// numbersOn are the numbers of a door's page: those of sections, of the items of
// a section's list, of paragraphs that begin with one in bold, and of rows.
func numbersOn(t *testing.T, door string) map[string]bool {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "dialects", door+".md"))
	if err != nil {
		t.Fatal(err)
	}
	on, now := map[string]bool{}, ""
	for line := range strings.Lines(string(page)) {
		if m := section.FindStringSubmatch(line); m != nil {
			now = m[1]
			on[now] = true
		} else if strings.HasPrefix(line, "## ") {
			now = ""
		}
		if m := item.FindStringSubmatch(line); m != nil && now != "" {
			on[now+"."+m[1]] = true
		}
		if m := row.FindStringSubmatch(line); m != nil {
			on[m[1]] = true
		}
		for _, m := range bold.FindAllStringSubmatch(line, -1) {
			on[m[1]] = true
			if m[3] != "" {
				on[m[3]] = true
			}
		}
	}
	return on
}

// The pages are alike, so that who knows one finds things in the others.
func TestPagesOfTheDoorsAreAlike(t *testing.T) {
	for _, door := range doorsOf(t) {
		page, err := os.ReadFile(filepath.Join(root, "docs", "dialects", door+".md"))
		if err != nil {
			t.Fatal(err)
		}
		var sections []string
		for line := range strings.Lines(string(page)) {
			if name, ok := strings.CutPrefix(line, "## "); ok {
				sections = append(sections, strings.TrimSpace(name))
			}
		}
		at := -1
		for _, want := range []string{"2. ", "3. What is served", "4. Shapes", "5. Contradictions and gaps, and what was decided",
			"Known differences", "The vendor's sample clients"} {
			next := slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, want) })
			if next <= at {
				t.Errorf("docs/dialects/%s.md has no section %q behind the others", door, want)
			}
			at = max(at, next)
		}
		for _, mark := range []string{"Marks: **seed**", "**public**", "**decided**"} {
			if !strings.Contains(string(page), mark) {
				t.Errorf("docs/dialects/%s.md does not say what %q means", door, mark)
			}
		}
	}
}

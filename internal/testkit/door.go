package testkit

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/contract"
)

// What the tests of every door have in common. Each door's package has its
// scripts in testdata/contract and its page in docs/dialects.

// scripts is where a door's contract scripts are, seen from its package.
const scripts = "testdata/contract"

// Prepare adds what a door's scripts need to a server's sample directory and
// returns their variables.
type Prepare func(t testing.TB, s *Server) map[string]string

// Contract runs a door's scripts on both engines, each on a sample directory of
// its own.
func Contract(t *testing.T, prepare Prepare) {
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) {
			contract.Run(t, scripts, func(t *testing.T) contract.Target {
				server := Start(t, Options{Engine: engine, Demo: true})
				return contract.Target{URL: server.URL, Vars: prepare(t, server)}
			})
		})
	}
}

// ContractOfTheProgram runs a door's scripts against the built program, each on
// a copy of one database and of its secret key.
func ContractOfTheProgram(t *testing.T, prepare Prepare) {
	server := Start(t, Options{Demo: true})
	variables := prepare(t, server)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	from := strings.TrimPrefix(server.Config.Database, "sqlite:")
	program := Build(t)
	contract.Run(t, scripts, func(t *testing.T) contract.Target {
		path := filepath.Join(t.TempDir(), "usher.db")
		for _, end := range []string{"", ".key"} {
			content, err := os.ReadFile(from + end)
			if err == nil {
				err = os.WriteFile(path+end, content, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return contract.Target{URL: Serve(t, program, "--database=sqlite:"+path), Vars: variables}
	})
}

var (
	decision = regexp.MustCompile(`(?m)^(\d+)\. `)
	citation = regexp.MustCompile(`dossier [^\n]*`)
	cited    = regexp.MustCompile(`[ (]5\.(\d+)`)
)

// DecisionsHaveCases fails unless every decision of a door's page, section 5,
// is cited by a case of a script or by a test; at least so many must be found.
// unseen are those that nothing outside can show.
func DecisionsHaveCases(t *testing.T, door string, least int, unseen ...string) {
	t.Helper()
	page := read(t, filepath.Join("..", "..", "..", "docs", "dialects", door+".md"))
	_, decisions, _ := strings.Cut(page, "\n## 5. ")
	decisions, _, _ = strings.Cut(decisions, "\n## ")
	numbers := decision.FindAllStringSubmatch(decisions, -1)
	if len(numbers) < least {
		t.Fatalf("found only %d decisions", len(numbers))
	}
	for _, pattern := range []string{scripts + "/*.txtar", "*_test.go"} {
		for _, file := range glob(t, pattern) {
			for _, line := range citation.FindAllString(read(t, file), -1) {
				for _, number := range cited.FindAllStringSubmatch(line, -1) {
					unseen = append(unseen, number[1])
				}
			}
		}
	}
	for _, number := range numbers {
		if !slices.Contains(unseen, number[1]) {
			t.Errorf("no case cites decision 5.%s", number[1])
		}
	}
}

// ScriptsCiteSources fails unless every case of every script of a door says
// where it comes from.
func ScriptsCiteSources(t *testing.T) {
	t.Helper()
	for _, file := range glob(t, scripts+"/*.txtar") {
		head, _, _ := strings.Cut(read(t, file), "\n-- ")
		for _, block := range strings.Split(head, "\n\n") {
			if block = strings.TrimSpace(block); block != "" && !strings.HasPrefix(block, "# source: ") {
				t.Errorf("%s: no source: %.60s", file, block)
			}
		}
	}
}

// glob finds files, of which there must be some.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

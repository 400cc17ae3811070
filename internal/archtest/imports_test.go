package archtest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// importRule says which of our packages a package may import. A name that ends
// in /... means all below it.
type importRule struct {
	pkg     string
	imports []string
}

// importRules is the table of docs/architecture.md. The first rule that
// matches a package decides.
var importRules = []importRule{
	{"internal/directory", nil},
	{"internal/web", nil},
	{"internal/config", nil},
	{"internal/store", []string{"internal/directory", "internal/store/..."}},
	{"internal/store/storetest", []string{"internal/directory"}},
	{"internal/store/...", []string{"internal/directory", "internal/store"}},
	{"internal/filter", []string{"internal/directory"}},
	{"internal/cloudevent", []string{"internal/directory"}},
	{"internal/dialect/canonical", []string{"internal/directory", "internal/web", "internal/filter", "internal/cloudevent", "internal/bulk"}},
	{"internal/dialect/scim", []string{"internal/directory", "internal/web", "internal/filter"}},
	{"internal/dialect/...", []string{"internal/directory", "internal/web"}},
	{"internal/console", []string{"internal/directory", "internal/web", "internal/console/..."}},
	{"internal/console/page", []string{"internal/directory", "internal/web"}},
	{"internal/console/...", []string{"internal/directory", "internal/web", "internal/console/page", "internal/bulk"}},
	{"internal/job", []string{"internal/directory"}},
	{"internal/mail", []string{"internal/directory"}},
	{"internal/webhook", []string{"internal/directory", "internal/cloudevent"}},
	{"internal/pull", []string{"internal/directory", "internal/web"}},
	{"internal/bulk", []string{"internal/directory"}},
	{"internal/app", []string{"internal/directory", "internal/store", "internal/web", "internal/config", "internal/dialect/...",
		"internal/console", "internal/console/...", "internal/job", "internal/mail", "internal/webhook", "internal/bulk", "internal/pull"}},
	// Whole processes on one database, killed and started again.
	{"internal/processes", []string{"internal/app", "internal/config", "internal/directory", "internal/store", "internal/testkit", "internal/testkit/pgtest", "internal/testkit/site", "client"}},
	// The load generator seeds directories by itself.
	{"internal/load", []string{"internal/directory", "internal/store"}},
	{"cmd/usher", []string{"internal/app", "internal/config", "internal/load", "client"}},
	{"client", nil},
	// Test support.
	{"internal/bench", []string{"internal/app", "internal/config", "internal/directory", "internal/load", "internal/store"}},
	{"internal/archtest", nil},
	{"tools/release", nil},
	{"internal/browser", nil},
	{"internal/contract", nil},
	{"internal/conformance", []string{"internal/testkit", "internal/testkit/pgtest", "internal/app", "internal/config", "internal/directory"}},
	{"internal/promises", []string{"internal/app", "internal/config", "internal/directory", "internal/store", "internal/testkit", "internal/testkit/pgtest"}},
	{"internal/crossdoor", []string{"internal/app", "internal/config", "internal/directory", "internal/store", "internal/testkit", "internal/testkit/pgtest"}},
	{"internal/scaleout", []string{"internal/app", "internal/config", "internal/directory", "internal/store", "internal/testkit", "internal/testkit/pgtest", "internal/testkit/site"}},
	{"internal/torture", []string{"internal/config", "internal/directory", "internal/store", "internal/testkit", "internal/testkit/pgtest", "internal/testkit/site"}},
	{"internal/testkit/pgtest", nil},
	{"internal/testkit/site", []string{"internal/directory", "internal/store", "internal/testkit", "internal/testkit/pgtest"}},
	{"internal/testkit", []string{"internal/app", "internal/config", "internal/directory", "internal/store", "internal/contract", "internal/testkit/pgtest"}},
}

func matches(pattern, pkg string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return strings.HasPrefix(pkg, prefix+"/")
	}
	return pattern == pkg
}

func TestImportsFollowTheTable(t *testing.T) {
	for _, p := range goList(t, "./...") {
		pkg := strings.TrimPrefix(p.ImportPath, module+"/")
		at := slices.IndexFunc(importRules, func(r importRule) bool { return matches(r.pkg, pkg) })
		if at < 0 {
			t.Errorf("%s is not in the table of packages", pkg)
			continue
		}
		for _, imported := range p.Imports {
			ours, ok := strings.CutPrefix(imported, module+"/")
			if ok && !slices.ContainsFunc(importRules[at].imports, func(pattern string) bool { return matches(pattern, ours) }) {
				t.Errorf("%s imports %s, which the table does not allow", pkg, ours)
			}
		}
	}
}

// A package of test support that the program links would be shipped.
func TestProgramLinksNoTestSupport(t *testing.T) {
	for _, p := range goList(t, "-deps", "./cmd/usher") {
		pkg := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, name := range []string{"internal/contract", "internal/crossdoor", "internal/promises", "internal/processes", "internal/scaleout", "internal/torture", "internal/testkit", "internal/archtest", "internal/bench", "internal/browser", "internal/store/storetest"} {
			if pkg == name || strings.HasPrefix(pkg, name+"/") {
				t.Errorf("the program links %s", pkg)
			}
		}
		if pkg == "testing" {
			t.Errorf("the program links package testing")
		}
	}
}

// Decision 0001 gives a reason for every module that the source imports, and
// for no other.
func TestDirectModulesHaveAReason(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(root + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	direct := map[string]bool{}
	for line := range strings.Lines(read("go.mod")) {
		if fields := strings.Fields(line); len(fields) == 2 && strings.Contains(fields[0], "/") {
			direct[fields[0]] = true
		}
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]*) \|`).FindAllStringSubmatch(read("docs/decisions/0001-dependencies.md"), -1) {
		for _, path := range strings.Split(row[1], ", ") {
			if strings.Contains(path, "/") {
				listed[path] = true
			}
		}
	}
	if len(direct) < 10 {
		t.Fatalf("found only %d direct modules in go.mod", len(direct))
	}
	for path := range direct {
		if !listed[path] {
			t.Errorf("go.mod requires %s, for which decision 0001 has no reason", path)
		}
	}
	for path := range listed {
		if !direct[path] {
			t.Errorf("decision 0001 names %s, which go.mod does not require directly", path)
		}
	}
}

// linkedModules are the modules that may end in the program and why. A new one
// needs a line here, and one that is no longer linked loses its line.
var linkedModules = map[string]string{
	"github.com/beorn7/perks":                 "of client_golang",
	"github.com/boombuler/barcode":            "QR codes of second factors; of otp",
	"github.com/cespare/xxhash/v2":            "of client_golang and otter",
	"github.com/cpuguy83/go-md2man/v2":        "of cobra: manual pages",
	"github.com/danielgtaylor/huma/v2":        "the canonical API: validation and its OpenAPI document",
	"github.com/dustin/go-humanize":           "of modernc.org/sqlite",
	"github.com/fsnotify/fsnotify":            "of koanf's file provider",
	"github.com/go-viper/mapstructure/v2":     "of koanf",
	"github.com/go-crypt/x":                   "of the core: decoders of imported password hashes",
	"github.com/maypok86/otter/v2":            "counters and limits that forget",
	"golang.org/x/time":                       "rate limits",
	"github.com/go-jose/go-jose/v4":           "signed tokens",
	"github.com/google/uuid":                  "ids: UUID v7",
	"github.com/jackc/pgpassfile":             "of pgx",
	"github.com/jackc/pgservicefile":          "of pgx",
	"github.com/jackc/pgx/v5":                 "PostgreSQL",
	"github.com/jackc/puddle/v2":              "of pgx",
	"github.com/knadh/koanf/maps":             "of koanf",
	"github.com/knadh/koanf/parsers/yaml":     "settings from YAML",
	"github.com/knadh/koanf/providers/env/v2": "settings from variables",
	"github.com/knadh/koanf/providers/file":   "settings from a file",
	"github.com/knadh/koanf/v2":               "settings in layers",
	"github.com/mfridman/interpolate":         "of goose",
	"github.com/mitchellh/copystructure":      "of koanf",
	"github.com/mitchellh/reflectwalk":        "of koanf",
	"github.com/munnerz/goautoneg":            "of client_golang",
	"github.com/pquerna/otp":                  "codes of second factors (TOTP)",
	"github.com/pressly/goose/v3":             "migrations",
	"github.com/prometheus/client_golang":     "metrics",
	"github.com/prometheus/client_model":      "of client_golang",
	"github.com/prometheus/common":            "of client_golang",
	"github.com/prometheus/procfs":            "of client_golang",
	"github.com/remyoudompheng/bigfft":        "of modernc.org/sqlite",
	"github.com/russross/blackfriday/v2":      "of cobra: manual pages",
	"github.com/sethvargo/go-retry":           "of goose",
	"github.com/spf13/cobra":                  "the command line",
	"github.com/spf13/pflag":                  "of cobra, and flags of settings",
	"github.com/wneessen/go-mail":             "messages and SMTP",
	"go.uber.org/multierr":                    "of goose",
	"go.yaml.in/yaml/v3":                      "of koanf's YAML parser",
	"golang.org/x/crypto":                     "argon2id and imported hashes",
	"golang.org/x/sync":                       "goroutines that belong together",
	"golang.org/x/sys":                        "the file lock on Windows; of modernc.org/sqlite and x/crypto",
	"golang.org/x/text":                       "folding of names and texts, language tags",
	"google.golang.org/protobuf":              "of client_golang",
	"modernc.org/libc":                        "the memory of modernc.org/sqlite",
	"modernc.org/mathutil":                    "of modernc.org/sqlite",
	"modernc.org/memory":                      "of modernc.org/sqlite",
	"modernc.org/sqlite":                      "SQLite without cgo",
}

func TestLinkedModulesAreListed(t *testing.T) {
	linked := map[string]bool{}
	for _, p := range goList(t, "-deps", "./cmd/usher") {
		if p.Module != nil && !p.Module.Main {
			linked[p.Module.Path] = true
		}
	}
	for path := range linked {
		if linkedModules[path] == "" {
			t.Errorf("the program links %s, which has no line in linkedModules", path)
		}
	}
	for path := range linkedModules {
		if !linked[path] {
			t.Errorf("linkedModules has a line for %s, which the program does not link", path)
		}
	}
}

package archtest

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The bill of materials of a program names the modules of linkedModules and no others,
// and what is embedded, each with its licence.
func TestBillOfMaterialsListsWhatIsLinked(t *testing.T) {
	run := func(args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = root
		cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
		var words strings.Builder
		cmd.Stderr = &words
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, words.String())
		}
		return out
	}
	program := filepath.Join(t.TempDir(), "usher")
	run("build", "-o", program, "./cmd/usher")
	var bill struct {
		BOMFormat, SerialNumber string
		Metadata                struct{ Component struct{ Name string } }
		Components              []struct {
			Name, Version, PURL string
			Licenses            []struct{ License struct{ ID string } }
		}
	}
	if err := json.Unmarshal(run("run", "./tools/release", "sbom", program), &bill); err != nil {
		t.Fatal(err)
	}
	if bill.BOMFormat != "CycloneDX" || !strings.HasPrefix(bill.SerialNumber, "urn:uuid:") || bill.Metadata.Component.Name != "usher" {
		t.Errorf("%+v", bill)
	}
	listed := map[string]bool{}
	for _, c := range bill.Components {
		listed[c.Name] = true
		if strings.HasPrefix(c.PURL, "pkg:npm/"+c.Name+"@") && c.Version != "" && len(c.Licenses) > 0 {
			continue // embedded: the tests of tools/release know which
		}
		if c.Name != "std" && linkedModules[c.Name] == "" {
			t.Errorf("the bill names %s, which has no line in linkedModules", c.Name)
		}
		if c.Version == "" || len(c.Licenses) == 0 || !strings.HasPrefix(c.PURL, "pkg:golang/"+c.Name+"@") {
			t.Errorf("%s: version %q, licences %v, %s", c.Name, c.Version, c.Licenses, c.PURL)
		}
	}
	for path := range linkedModules {
		if !listed[path] {
			t.Errorf("the bill does not name %s", path)
		}
	}
	if !listed["std"] || !listed["htmx.org"] {
		t.Error("the bill does not name the standard library, or not htmx")
	}
}

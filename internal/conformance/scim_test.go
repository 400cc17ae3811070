package conformance

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// scim2-tester creates, reads, lists, searches, replaces, patches and deletes
// with every attribute that /Schemas publishes, and holds what comes back
// against the published schemas.
func TestSCIM2Tester(t *testing.T) {
	t.Parallel()
	python := tool(t, "python")
	script, err := filepath.Abs(filepath.Join(repository, "tools/python/scim2_report.py"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t)
	report := judge(t, []string{"SCIM_KEY=" + s.tenant.Key}, python, script, s.URL+"/scim/v2")
	counts := regexp.MustCompile(`(\d+) checks, 0 not passed`).FindStringSubmatch(report)
	if counts == nil || len(counts[1]) < 3 { // a hundred at least: fewer would mean that types or attributes are missing
		t.Errorf("too little was checked:\n%s", report)
	}
	t.Log(strings.TrimSpace(report))
}

// scim-sanity goes through the life of a user and a group, lists, and errors. It
// calls what it would rather see otherwise a warning; there is none.
func TestSCIMSanity(t *testing.T) {
	t.Parallel()
	program := tool(t, "scim-sanity")
	s := start(t)
	report := judge(t, nil, program, "probe", s.URL+"/scim/v2", "--token", s.tenant.Key, "--i-accept-side-effects", "--strict", "--json-output")
	var result struct {
		Results []struct{ Test, Status, Message string }
	}
	if err := json.Unmarshal([]byte(report), &result); err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	passed := 0
	for _, r := range result.Results {
		switch {
		case strings.EqualFold(r.Status, "pass"):
			passed++
		case strings.EqualFold(r.Status, "skip") && strings.Contains(r.Test+r.Message, "Agent"):
			// Agents are of a draft (draft-abbey-scim-agent-extension-00).
		default:
			t.Errorf("%s: %s %s", r.Test, r.Status, r.Message)
		}
	}
	if passed < 25 {
		t.Errorf("only %d tests passed:\n%s", passed, report)
	}
}

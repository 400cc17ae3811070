package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tour of the README works when its blocks are pasted into one shell, in
// their order, on a fresh demo: each command has the answer that the text
// around it promises. Somebody's first impression is not left to chance.
func TestReadmeCommandsWork(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	tour, _, found := strings.Cut(string(page), "\n## Doors\n")
	if !found {
		t.Fatal("README.md has no section Doors")
	}
	s := startServe(t, "--demo")
	// Each call adds its status to a file, whatever the shell does with the answer.
	script := `curl() { command curl -sS -w '%{stderr}%{http_code}\n' "$@" 2>>statuses; }` + "\n"
	for _, block := range regexp.MustCompile("(?s)\n```\n(.*?)```\n").FindAllStringSubmatch(tour, -1) {
		if strings.Contains(block[1], "curl ") {
			script += strings.ReplaceAll(block[1], "http://127.0.0.1:8080", s.url)
		}
	}
	shell := exec.CommandContext(t.Context(), "bash", "-c", script)
	shell.Dir = t.TempDir()
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(shell.Dir + "/statuses")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"200", "200", "200", "200", "200", "200", "200", "200", "200", // a call through each door; two of them sign in first
		"200", "200", "200", // Maria
		"200", "200", "200", "200", "401", // Terry, whose token ends
		"200", "200", "200", // Ana
		"201", "200", "200", // Bo
		"200", // what edubrite's door has changed
	}
	if diff := cmp.Diff(want, strings.Fields(string(got))); diff != "" {
		t.Errorf("statuses (-want +got):\n%s\n%s", diff, out)
	}
	rest := string(out)
	for _, text := range []string{"John", `{ "Id": 123456 }`, "ccarr1", "Activated successfully.", "tech.jones",
		`"IsActive":true`, "Deactivated successfully.", `"Activated":false`, `"UserID":"tech.jones"`, `"IsActive":false`,
		"ana@kentel.com", `"LastName":"Lima"`, "alima1", `"locked":true`, `"reason":"lost phone"`, `"type":"user.deactivated"`} {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Fatalf("%q is not in what follows:\n%s\nof:\n%s", text, rest, out)
		}
		rest = after
	}
}

// What the demo prints for a vendor the README prints too, so that neither
// names a credential or a path that the other does not.
func TestReadmeHasTheCommandsOfTheDemo(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	s := startServe(t, "--demo")
	doors := map[string]bool{}
	for _, block := range strings.Split(s.stdout.String(), "\n# ")[1:] {
		title, lines, _ := strings.Cut(strings.ReplaceAll(block, s.url, "http://127.0.0.1:8080"), "\n")
		door, _, _ := strings.Cut(title, ":")
		if doors[door] { // the README has one for each
			continue
		}
		doors[door] = true
		if !strings.Contains(string(page), strings.TrimSpace(lines)) {
			t.Errorf("README.md does not have the command of %s:\n%s", door, lines)
		}
	}
	if len(doors) < 5 {
		t.Errorf("the demo printed commands for %v", doors)
	}
}

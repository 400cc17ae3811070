package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// doctor runs beside a server, prints each check with a remedy where one is needed, and
// fails only for what fails.
func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	database := "--database=sqlite:" + filepath.Join(dir, "usher.db")
	startServe(t, "--demo", database)
	out, err := runWith(t, "", nil, "doctor", database)
	if err != nil || !strings.Contains(out, "OK    database ") || !strings.Contains(out, "WARN  mail ") || !strings.Contains(out, "→ Set smtp_host") {
		t.Errorf("%s %v", out, err)
	}
	if out, err = runWith(t, "", nil, "doctor", database, "--json"); err != nil || !json.Valid([]byte(out)) || !strings.Contains(out, `"fail": 0`) {
		t.Errorf("%s %v", out, err)
	}
	if err := os.Chmod(filepath.Join(dir, "usher.db.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err = runWith(t, "", nil, "doctor", database)
	if exitStatus(err) != exitError || err.Error() != "1 check has failed" || !strings.Contains(out, "FAIL  secret key ") || !strings.Contains(out, "→ Run: chmod 600 ") {
		t.Errorf("%s %v", out, err)
	}
	settings := filepath.Join(dir, "usher.yaml")
	if err := os.WriteFile(settings, []byte("shoe_size: 43\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = runWith(t, "", nil, "doctor", "--config="+settings, "--json")
	if exitStatus(err) != exitError || !strings.Contains(out, "shoe_size") || !json.Valid([]byte(out)) {
		t.Errorf("%s %v", out, err)
	}
	if out, err = runWith(t, "", nil, "doctor", "--server=https://users.example.com"); exitStatus(err) != exitUsage {
		t.Errorf("%s %v", out, err)
	}
}

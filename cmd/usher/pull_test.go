package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPullAndDiff: a directory moves from one server to a database, as a person would
// do it.
func TestPullAndDiff(t *testing.T) {
	d := newDesk(t)
	folder := t.TempDir()
	t.Chdir(folder)
	here := "--database=sqlite:" + filepath.Join(folder, "here.db")
	secret := []string{"USHER_PULL_TOKEN=" + d.key}
	// want runs a command that works on the database, and fails unless it exits so and
	// prints all of these.
	want := func(status int, environ, args []string, texts ...string) {
		t.Helper()
		out, err := runWith(t, "", environ, args...)
		if err != nil {
			out += "error: " + err.Error()
		}
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("%v: %q is not in: %s", args, text, out)
			}
		}
		if got := exitStatus(err); got != status {
			t.Errorf("%v: exits with %d, not %d: %s", args, got, status, out)
		}
	}
	scim := func(more ...string) []string {
		return append([]string{"pull", "scim", "--base-url=" + d.url + "/scim/v2", "--rate=10000", "--progress=none"}, more...)
	}
	want(exitDone, nil, []string{"tenant", "create", "here", here})
	want(exitDone, nil, []string{"role", "create", "--name=administrator", "--rank=administrator", here})
	want(exitUsage, nil, scim(here), "--token: the API needs a key; set USHER_PULL_TOKEN")
	want(exitUsage, secret, append(scim(here), "--without=shoes"), `"shoes" is none of`)
	want(exitRefused, []string{"USHER_PULL_TOKEN=wrong"}, scim(here), "/scim/v2/Users?startIndex=1&count=100: the answer is 401 Unauthorized")
	want(exitUnavailable, secret, []string{"pull", "scim", "--base-url=http://127.0.0.1:1", "--tries=1", "--progress=none", here}, "connection refused")
	want(exitDone, secret, scim("--output=users.ndjson"), "users.ndjson has 10 users")
	want(exitError, secret, scim("--output=users.ndjson"), "not begun by this command")
	want(exitDone, secret, scim(here, "--dry-run", "--create-missing", "--shared-email"), "10 to create", "usher-pull-scim.ndjson; the same command without --dry-run")
	diff := append([]string{"diff", "scim", "--base-url=" + d.url + "/scim/v2", "--rate=10000"}, here)
	want(exitPartly, secret, append(diff, "--json"), `{"drift":"only_there","id":"`, "10 users are not the same")
	want(exitDone, secret, scim(here, "--create-missing", "--shared-email"), "has been read already, with 10 users", "10 created")
	if _, err := os.Stat("usher-pull-scim.ndjson"); !os.IsNotExist(err) {
		t.Errorf("what was read is still there: %v", err)
	}
	want(exitDone, secret, diff)
	want(exitDone, nil, []string{"user", "deactivate", "--user=tech.jones", here})
	want(exitPartly, secret, diff, "DRIFT", "changed", "tech.jones", `status`, `"active"`, `"inactive"`, "1 users are not the same")
	want(exitUsage, secret, []string{"pull", "servicemobility", "--base-url=" + d.url, "--deactivate-missing", "--progress=none", here, "--team=TEAM-1"},
		"--deactivate-missing: not all users were read")
	d.want("0 created, 0 updated", "", "pull", "encore", "--base-url="+d.url, "--token="+d.key, "--rate=10000", "--progress=none", "--without=roles,groups,phones")
}

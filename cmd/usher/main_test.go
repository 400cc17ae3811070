package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"usher": func() { os.Exit(run()) }})
}

// TestScripts runs the commands as a person does, each script in an empty
// folder.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"key-id": keyID},
	})
}

// keyID sets $ID to the id of a tenant's key: key-id TENANT NAME.
func keyID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: key-id TENANT NAME")
	}
	ts.Check(ts.Exec("usher", "key", "list", "--tenant", args[0]))
	match := regexp.MustCompile(`(?m)^(\S+) +key +` + regexp.QuoteMeta(args[1]) + ` `).FindStringSubmatch(ts.ReadFile("stdout"))
	if match == nil {
		ts.Fatalf("tenant %s has no key %s", args[0], args[1])
	}
	ts.Setenv("ID", match[1])
}

// serving is a `usher serve` that runs in this process.
type serving struct {
	url    string
	stdout *strings.Builder
	stop   func() error // asks for the orderly stop and returns its error
}

// startServe runs serve until it says where it serves.
func startServe(t *testing.T, args ...string) serving {
	t.Helper()
	return startServeWith(t, nil, args...)
}

// startServeWith is startServe with variables.
func startServeWith(t *testing.T, environ []string, args ...string) serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	logs, writer := io.Pipe()
	s := serving{stdout: &strings.Builder{}}
	p := &program{stdout: s.stdout, stderr: writer, environ: environ}
	cmd := p.command()
	cmd.SetArgs(append([]string{"serve", "--addr=127.0.0.1:0"}, args...))
	ended := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		writer.CloseWithError(io.EOF)
		ended <- err
	}()
	var once error
	stopped := false
	s.stop = func() error {
		if !stopped {
			stopped = true
			cancel()
			once = <-ended
		}
		return once
	}
	t.Cleanup(func() { _ = s.stop() })
	lines := bufio.NewScanner(logs)
	for lines.Scan() {
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			s.url = line.URL
			break
		}
	}
	go func() { // keep the log flowing
		_, _ = io.Copy(io.Discard, logs)
	}()
	if s.url == "" {
		t.Fatalf("serve ended: %v", s.stop())
	}
	return s
}

// execute runs a command and returns its error and what it printed.
func execute(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, logs strings.Builder
	p := &program{stdout: &out, stderr: &logs}
	cmd := p.command()
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestCommandSaysThatAServerOwnsTheDatabase(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	s := startServe(t, "--database="+database)
	_, err := execute(t, "key", "list", "--database="+database)
	if err == nil || !strings.Contains(err.Error(), "is in use by another usher process") {
		t.Errorf("error = %v, want one that says who has the file", err)
	}
	if err := s.stop(); err != nil {
		t.Fatalf("serve: %v", err)
	}
	if _, err := execute(t, "tenant", "list", "--database="+database); err != nil {
		t.Errorf("after the server stopped: %v", err)
	}
}

// A bootstrap key opens the doors of an empty directory, and has no effect on
// one that is not.
func TestBootstrapKey(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	const first, second = "first-bootstrap-key", "second-bootstrap-key"
	for _, c := range []struct {
		key          string
		first, other int
	}{{first, http.StatusNotFound, http.StatusUnauthorized}, {second, http.StatusNotFound, http.StatusUnauthorized}} {
		s := startServeWith(t, []string{"USHER_BOOTSTRAP_KEY=" + c.key}, "--database="+database)
		if got := status(t, s.url+"/v1/Users(1)", first); got != c.first {
			t.Errorf("started with %s: the first key got %d, want %d", c.key, got, c.first)
		}
		if got := status(t, s.url+"/v1/Users(1)", second); got != c.other {
			t.Errorf("started with %s: the second key got %d, want %d", c.key, got, c.other)
		}
		if err := s.stop(); err != nil {
			t.Fatalf("serve: %v", err)
		}
	}
	out, err := execute(t, "key", "list", "--database="+database, "--tenant=default")
	if err != nil || strings.Count(out, "bootstrap") != 1 {
		t.Errorf("key list = %v\n%s\nwant one key named bootstrap", err, out)
	}
}

func status(t *testing.T, url, key string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Every command that the demo prints works when it is pasted into a shell.
func TestDemoCommandsWork(t *testing.T) {
	s := startServe(t, "--demo")
	answers := map[string]string{"iqmetrix": "John", "encore": `{ "Id": 123456 }`, "smartapp": "ccarr1",
		"edubrite": "Activated successfully.", "servicemobility": "tech.jones"}
	doors := map[string]bool{}
	for _, block := range strings.Split(s.stdout.String(), "\n# ")[1:] {
		title, lines, _ := strings.Cut(block, "\n")
		door, _, _ := strings.Cut(title, ":")
		shell := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(lines, "curl ", "curl -sS --fail-with-body "))
		shell.Dir = t.TempDir()
		out, err := shell.CombinedOutput()
		if err != nil || !doors[door] && !strings.Contains(string(out), answers[door]) {
			t.Errorf("%s%v\n%s", block, err, out)
		}
		doors[door] = true
	}
	for door := range answers {
		if !doors[door] {
			t.Errorf("the demo printed no command for %s:\n%s", door, s.stdout)
		}
	}
}

// With random credentials the demo prints one JSON object, only at the start
// that drew them, and the published credentials do not work.
func TestDemoWithRandomCredentials(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	s := startServe(t, "--demo", "--demo-credentials=random", "--database="+database)
	var printed struct {
		URL    string `json:"url"`
		APIKey string `json:"api_key"`
	}
	if err := json.Unmarshal([]byte(s.stdout.String()), &printed); err != nil {
		t.Fatalf("%v in %s", err, s.stdout)
	}
	if got := status(t, printed.URL+"/v1/Users(2576)", printed.APIKey); got != http.StatusOK {
		t.Errorf("the printed key got %d", got)
	}
	if got := status(t, printed.URL+"/v1/Users(2576)", "usher-demo-key"); got != http.StatusUnauthorized {
		t.Errorf("the published key got %d", got)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = startServe(t, "--demo", "--demo-credentials=random", "--database="+database)
	if s.stdout.String() != "" {
		t.Errorf("the second start printed %s", s.stdout)
	}
	if got := status(t, s.url+"/v1/Users(2576)", printed.APIKey); got != http.StatusOK {
		t.Errorf("the first start's key got %d", got)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := execute(t, "serve", "--demo", "--addr=127.0.0.1:0", "--database="+database); err == nil ||
		!strings.HasPrefix(err.Error(), "demo_credentials: ") {
		t.Errorf("error = %v, want one about demo_credentials", err)
	}
}

// A database that once was a demo with published credentials stays on
// loopback, also without --demo.
func TestPublishedDemoStaysOnLoopback(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	s := startServe(t, "--demo", "--database="+database)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"serve", "--addr=:0"},
		{"serve", "--addr=0.0.0.0:0", "--demo", "--demo-credentials=random"},
	} {
		if _, err := execute(t, append(args, "--database="+database)...); err == nil || !strings.Contains(err.Error(), "credentials") {
			t.Errorf("%v: error = %v, want one about the credentials", args, err)
		}
	}
}

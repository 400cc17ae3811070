package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// written writes a file of the test's folder and returns its path.
func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// exits fails unless a command prints texts and exits with a status.
func exits(t *testing.T, run func(stdin string, args ...string) (string, error), status int, args []string, texts ...string) {
	t.Helper()
	out, err := run("", args...)
	if err != nil {
		out += "error: " + err.Error()
	}
	if got := exitStatus(err); got != status {
		t.Errorf("%v: exit %d, want %d", args, got, status)
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("%v: got %s\nwant %q", args, out, text)
		}
	}
}

// onDatabase runs commands on a new database, without a server.
func onDatabase(t *testing.T) func(stdin string, args ...string) (string, error) {
	t.Helper()
	database := "--database=sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	run := func(stdin string, args ...string) (string, error) {
		return runWith(t, stdin, nil, append(args[:len(args):len(args)], database)...)
	}
	if out, err := run("", "tenant", "create", "acme"); err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	return run
}

const badRows = "Login;First Name;Surname;E-Mail;Mobile;Personnel no.;Notes\r\n" +
	"ana;Ana;Ruiz;ana@example.com;+49 170 1;1001;\"likes\r\nlines\"\r\n" +
	"bo;Bo;Ek;bo@example.com;;1002;\r\n" +
	"too;few\r\n" +
	"far;too;many;m@example.com;;1;;;;x\r\n" +
	"ana;Again;Ruiz;other@example.com;;1003;\r\n" +
	"cy;Cy;=cmd();not-an-address;;1004;\r\n" +
	"di;Di;\"Ott;di@example.com;;1005;\r\n" +
	"ed;Ed;Orr;ed@example.com;;1006;\r\n"

// Whatever is wrong with rows is told by row, and the others are taken; the rejected
// ones are corrected and taken too; and all of it is taken back.
func TestImportWithBadRows(t *testing.T) {
	run := onDatabase(t)
	file := written(t, "staff.csv", badRows)
	beside := strings.TrimSuffix(file, ".csv")
	command := []string{"import", file, "--map=Personnel no.=employee_number"}
	exits(t, run, exitPartly, append(command, "--dry-run"), "First Name     given_name       Ana", "Notes          (left out)       likes lines",
		"1    2     create", "3    5     invalid", "The row has 2 columns, and the header 7.", "The row has 10 columns, and the header 7.",
		"conflict        ana        user_name", "invalid         cy         email", "A quote is not closed.", "3 to create, 0 to update")
	exits(t, run, exitPartly, append(command, "--verdicts", "--json"), `"verdict":"conflict"`, "5 of 8 rows were rejected", "staff.rejected.csv has the rows", "staff.undo.ndjson has a file")
	rejected, err := os.ReadFile(beside + ".rejected.csv")
	if err != nil || strings.Count(string(rejected), "\r\n") != 6 || !strings.Contains(string(rejected), ";'=cmd();not-an-address;") {
		t.Fatalf("%s, %v", rejected, err)
	}
	corrected := strings.NewReplacer("too;few;;;;;", "too;Few;;few@example.com;;1010;", "not-an-address", "cy@example.com", "ana;Again", "ann;Again",
		"far;too;many;m@example.com;;1;;;;x", "far;Too;Many;m@example.com;;1;", `"""Ott"`, "Ott", `;";;;x"`, ";").Replace(string(rejected))
	again := written(t, "again.csv", corrected)
	exits(t, run, exitDone, []string{"import", again, "--map=Personnel no.=employee_number"}, "again.csv: 5 created, 0 updated, 0 unchanged")
	exits(t, run, exitPartly, command, "0 created, ")
	exits(t, run, exitDone, []string{"import", beside + ".undo.ndjson"}, "staff.undo.ndjson: ")
	if out, err := run("", "export", "--fields=user_name"); err != nil || strings.Contains(out, "ana\r\n") || !strings.Contains(out, "cy\r\n") {
		t.Errorf("behind it all: %q, %v", out, err)
	}
}

// What cannot be read is refused before anything is done.
func TestImportOfUnreadableFiles(t *testing.T) {
	run := onDatabase(t)
	latin := written(t, "latin.csv", "user_name;given_name\r\nana;Ana\r\nbjorn;Bj\xf6rn\r\n")
	exits(t, run, exitError, []string{"import", latin}, "latin.csv cannot be read, and nothing was done. Line 3: The byte 0xf6 is not UTF-8.")
	exits(t, run, exitDone, []string{"import", latin, "--encoding=windows-1252"}, "latin.csv: 2 created")
	if out, err := run("", "export", "--fields=given_name", "--q=björn"); err != nil || out != "given_name\r\nBjörn\r\n" {
		t.Errorf("%q, %v", out, err)
	}
	for name, c := range map[string]struct{ file, want string }{
		"empty.csv":   {"", "The file is empty"},
		"twice.csv":   {"email,EMAIL\r\na,b\r\n", "are both named"},
		"foreign.csv": {"shoe size,colour\r\n1,2\r\n", "no column of foreign.csv is known"},
		"header.csv":  {"user_name\r\n", "has no rows"},
	} {
		exits(t, run, exitError, []string{"import", written(t, name, c.file)}, c.want)
	}
	exits(t, run, exitUsage, []string{"import", latin, "--encoding=latin1", "--map=Login"}, `--map: "Login" is not HEADER=FIELD`)
	exits(t, run, exitUsage, []string{"import", latin, "--encoding=latin1", "--map=Login=user_name"}, `--map: the file has no column "Login"`)
	exits(t, run, exitUsage, []string{"import", latin, "--rejected=" + latin}, "is there already")
	exits(t, run, exitUsage, []string{"import", latin, "--progress=loud"}, "--progress: ")
}

// Those that no file has are deactivated, up to a threshold.
func TestImportStopsAtAThreshold(t *testing.T) {
	run := onDatabase(t)
	var all strings.Builder
	all.WriteString("user_name\n")
	for n := range 20 {
		fmt.Fprintf(&all, "user%d\n", n)
	}
	exits(t, run, exitDone, []string{"import", written(t, "all.csv", all.String())}, "all.csv: 20 created")
	few := written(t, "few.csv", "user_name\nuser0\nuser1\n")
	command := []string{"import", few, "--deactivate-missing"}
	exits(t, run, exitStopped, command, "stopped: ")
	exits(t, run, exitStopped, command, "going on with the import of few.csv", "stopped: ")
	if out, err := run("", "export", "--fields=user_name", "--status=inactive"); err != nil || out != "user_name\r\n" {
		t.Errorf("it has deactivated %q, %v", out, err)
	}
	exits(t, run, exitDone, append(command, "--max-deactivations=95"), "going on with the import of few.csv", "18 deactivated")
}

// people is a file of so many.
func people(n int) string {
	var b strings.Builder
	b.WriteString("user_name,email,given_name,notes\r\n")
	for i := range n {
		fmt.Fprintf(&b, "user%d,user%d@example.com,Zoë,%s\r\n", i, i, strings.Repeat("x", 900))
	}
	return b.String()
}

// cutting is what lies between a client and a server, and is cut when parts of a file
// are under way.
type cutting struct {
	proxy  http.Handler
	left   atomic.Int64 // parts that still come through
	cancel context.CancelFunc
}

func (c *cutting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut && c.left.Add(-1) < 0 {
		c.cancel() // the command is killed
		panic(http.ErrAbortHandler)
	}
	c.proxy.ServeHTTP(w, r)
}

// An import of 5,000 rows whose command is killed while it sends the file is gone on
// with by the same command, and what was exported is there already.
func TestImportAgainstARunningServer(t *testing.T) {
	const rows = 5000
	d := newDesk(t)
	server, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	killed, kill := context.WithCancel(t.Context())
	between := &cutting{proxy: httputil.NewSingleHostReverseProxy(server), cancel: kill}
	between.left.Store(2)
	way := httptest.NewServer(between)
	defer way.Close()
	file := written(t, "people.csv", people(rows))
	var printed strings.Builder
	p := &program{stdout: &printed, stderr: &printed, environ: []string{"USHER_SERVER=" + way.URL, "USHER_KEY=" + d.key}}
	cmd := p.command()
	cmd.SetArgs([]string{"import", file, "--reason=moved in"})
	if err := cmd.ExecuteContext(killed); err == nil {
		t.Fatalf("the command was not killed: %s", &printed)
	}
	exits(t, d.run, exitDone, []string{"import", file, "--reason=moved in"}, "going on with the import of people.csv", "people.csv: 5000 created, 0 updated, 0 unchanged")
	exits(t, d.run, exitDone, []string{"import", file}, "people.csv: 0 created, 0 updated, 5000 unchanged")
	for _, format := range []string{"csv", "ndjson"} {
		out := filepath.Join(t.TempDir(), "out."+format)
		exits(t, d.run, exitDone, []string{"export", "--format=" + format, "-o", out})
		exits(t, d.run, exitDone, []string{"import", out}, "out."+format+": 0 created, 0 updated, 50")
	}
	d.want(`"userName":"user7"`, "", "export", "--format=scim", "--filter", `user_name eq "user7"`)
	d.want("error: --format: ", "", "export", "--format=xml")
	exits(t, d.run, exitUsage, []string{"export", "--fields=shoe_size"}, "--fields: ")
	d.want("moved in", "", "event", "list", "--type=bulk.*")
	d.want("stdin: 1 created", "user_name\nfromstdin\n", "import", "-", "--undo=none", "--progress=none")
}

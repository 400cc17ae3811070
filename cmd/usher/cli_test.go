package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// status is what the program exits with after a command.
func (d *desk) status(want int, args ...string) {
	d.t.Helper()
	out, err := d.run("", args...)
	if got := exitStatus(err); got != want {
		d.t.Errorf("%s: exits with %d, not %d: %s %v", strings.Join(args, " "), got, want, out, err)
	}
}

// Every status is what docs/cli.md says, and the help has the same table.
func TestExitStatuses(t *testing.T) {
	d := newDesk(t)
	reader, err := d.run("", "key", "create", "--name=reader", "--rank=reader")
	if err != nil {
		t.Fatal(err)
	}
	low := &desk{t, d.url, strings.TrimSpace(reader[strings.LastIndex(strings.TrimSpace(reader), "\n"):])}
	d.status(exitDone, "user", "show", "admin")
	d.status(exitUsage, "user", "show")
	d.status(exitUsage, "user", "fly")
	d.status(exitUsage, "user", "list", "--wings")
	d.status(exitUsage, "user", "lock")
	d.status(exitUsage, "user", "create", "--user-name=bo", "--status=asleep")
	d.status(exitUsage, "licence", "set", "regular", "many")
	d.status(exitUsage, "user", "list", "--columns=shoe_size")
	d.status(exitUsage, "user", "list", "--json", "--csv")
	d.status(exitUsage, "user", "edit", "--user=admin")
	d.status(exitNotFound, "user", "show", "nobody")
	d.status(exitNotFound, "group", "show", "nobody")
	d.status(exitNotFound, "company", "show", "77")
	d.status(exitNotFound, "lock-reason", "delete", "77")
	d.status(exitNotFound, "webhook", "pause", "nobody")
	d.status(exitNotFound, "user", "list", "--profile=none")
	d.status(exitConflict, "user", "create", "--user-name=admin")
	low.status(exitRefused, "user", "delete", "--user=admin")
	(&desk{t, d.url, "usher_wrong"}).status(exitRefused, "user", "list")
	(&desk{t, "http://127.0.0.1:1", "usher_wrong"}).status(exitUnavailable, "key", "revoke", "x")
	d.status(exitError, "restore", "none.backup", "--check", "--database=sqlite:none.db")

	database := "--database=sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	d.status(exitNotFound, "key", "list", "--tenant=acme", database)
	if got := exitStatus(withExit(exitPartly, errors.New("x"))); got != exitPartly {
		t.Errorf("%d", got)
	}
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range exitMeanings {
		if row := "| " + string(rune('0'+m.status)) + " | " + m.meaning + " |"; !strings.Contains(string(page), row) {
			t.Errorf("docs/cli.md has no row %q", row)
		}
	}
}

// Groups, companies, locations, licences, lock reasons, roles and endpoints are made,
// changed and removed from the command line.
func TestEverythingElseAgainstARunningServer(t *testing.T) {
	d := newDesk(t)
	d.want("made user ", "", "user", "create", "--user-name=ana", "--email=ana@example.com")
	d.want("made user ", "", "user", "create", "--user-name=bo")

	d.want("made group ", "", "group", "create", "--name=Field", "--description=outside", "--member=ana")
	d.want("Field", "", "group", "list", "--q=Fie")
	d.want("bo is in group Field now", "", "group", "add", "field", "--user=bo")
	d.want(",bo,", "", "group", "members", "Field", "--csv")
	d.want("bo is out of group Field now", "", "group", "remove", "Field", "--user=bo")
	d.want("Field", "", "user", "groups", "--user=ana")
	d.want("now version ", "", "group", "edit", "Field", "--description=")
	d.want(`"description": ""`, "", "group", "show", "Field")
	d.want("deleted group ", "", "group", "delete", "Field")

	d.want("made company 4711 North", "", "company", "create", "--name=North", "--number=4711")
	d.want("made company ", "", "company", "create", "--name=Further North", "--parent=North")
	d.want("\n4711    North", "", "company", "list", "--columns=number,name")
	d.want("    Further North\n", "", "company", "list", "--columns=number,name")
	d.want("changed company 4711 Nord", "", "company", "edit", "4711", "--name=Nord", `--metadata={"a":1}`)
	d.want("error: Something still belongs to the company", "", "company", "delete", "Nord")
	d.want("deleted company ", "", "company", "delete", "Further North")

	d.want("made location ", "", "location", "create", "--name=Depot", "--company=Nord", "--city=Boston")
	d.want("Boston", "", "location", "list", "--company=4711")
	d.want("changed location ", "", "location", "edit", "Depot", "--city=Salem", "--headquarters")
	d.want(`"city": "Salem"`, "", "location", "show", "Depot")
	d.want("deleted location ", "", "location", "delete", "Depot")
	d.want("deleted company 4711 Nord", "", "company", "delete", "Nord")

	d.want("licence type web_only has 7 seats, 0 of them used", "", "licence", "set", "web_only", "7")
	d.want("web_only", "", "licence", "list")
	d.want("web_only,7,0,7\n", "", "licence", "list", "--csv")
	d.want("unlimited seats", "", "licence", "set", "web_only", "unlimited")

	out, err := d.run("", "lock-reason", "create", "--name=Left", "--description=Please call HR.")
	made := regexp.MustCompile(`^made lock reason (\d+) Left\n$`).FindStringSubmatch(out)
	if err != nil || made == nil {
		t.Fatalf("%q, %v", out, err)
	}
	d.want("Please call HR.", "", "lock-reason", "list")
	d.want("now version ", "", "lock-reason", "edit", made[1], "--description=Call.")
	d.want("locked ana\n", "", "user", "lock", "--user=ana", "--lock-reason="+made[1])
	d.want("deleted lock reason "+made[1], "", "lock-reason", "delete", made[1])
	d.want("unlocked ana\n", "", "user", "unlock", "--user=ana")

	d.want("made role ", "", "role", "create", "--name=Night Watch", "--rank=reader")
	d.want("changed role ", "", "role", "edit", "night watch", "--description=sees all")
	d.want("ana has now role", "", "user", "role", "--user=ana", "--role=night watch")
	d.want("ana", "", "role", "members", "Night Watch")
	d.want("Night Watch", "", "user", "roles", "--user=ana")
	d.want("took role", "", "user", "role", "--user=ana", "--role=night watch", "--remove")
	d.want(`"description": "sees all"`, "", "role", "show", "night watch")
	d.want("deleted role ", "", "role", "delete", "night watch")

	d.want("placed legal of court (7) on ana", "", "hold", "place", "--user=ana", "--kind=legal", "--source=court", "--ref=7")
	d.want("legal,court,7,", "", "hold", "list", "--user=ana", "--csv")
	d.want("released legal of court (7) from ana", "", "hold", "release", "--user=ana", "--kind=legal", "--source=court", "--ref=7")
}

// A user is changed, written to, signed out and erased from the command line.
func TestUserVerbs(t *testing.T) {
	d := newDesk(t)
	d.want("made user ", "", "user", "create", "--user-name=ana", "--email=ana@example.com")
	d.want("changed ana, now version ", "", "user", "edit", "--user=ana", "--title=Engineer", "--expires-at=2030-01-31", "--attribute=badge=4711", "--attribute=name=Ana R.")
	d.want("ana was so already", "", "user", "edit", "--user=ana", "--title=Engineer")
	for _, text := range []string{`"title": "Engineer"`, `"expires_at": "2030-01-31T00:00:00Z"`, `"badge": 4711`, `"name": "Ana R."`} {
		d.want(text, "", "user", "show", "ana")
	}
	d.want("changed ana", "", "user", "edit", "--user=ana", "--title=", "--attribute=badge=", "--expires-at=")
	d.want(`"title": ""`, "", "user", "show", "ana")
	d.want("error: invalid argument", "", "user", "edit", "--user=ana", "--expires-at=tomorrow")
	d.want("error: --attribute: ", "", "user", "edit", "--user=ana", "--attribute=badge")
	d.want("a link to set a new password is on its way to ana", "", "user", "mail-reset", "--user=ana")
	d.want("a temporary password is on its way to ana", "", "user", "mail-password", "--user=ana")
	d.want("ID  DOOR  CLIENT  SINCE  UNTIL\n", "", "user", "sessions", "--user=ana")
	d.want("signed ana out everywhere", "", "user", "sign-out", "--user=ana")
	d.want("NUMBER  NAME  COMPANY  ID\n", "", "user", "locations", "--user=ana")
	d.want("user.created", "", "user", "history", "--user=ana")
	d.want("deleted ana", "", "user", "delete", "--user=ana")
	d.want("error: --yes: ana (", "", "user", "purge", "--user=ana")
	d.want("erased ana with id ", "", "user", "purge", "--user=ana", "--yes")
	d.want(`the recycle bin of tenant demo has no user "ana"`, "", "user", "restore", "--user=ana")
}

// Endpoints have secrets that are added and removed, and are sent things once more.
func TestWebhookEdits(t *testing.T) {
	d := newDesk(t)
	d.want("whsec_", "", "webhook", "create", "--name=payroll", "--url=https://payroll.example.com/in")
	d.want("changed endpoint payroll", "", "webhook", "edit", "payroll", "--type=user.*")
	d.want(`"user.*"`, "", "webhook", "show", "payroll")
	d.want("whsec_", "", "webhook", "secret", "add", "payroll")
	out, err := d.run("", "webhook", "secret", "list", "payroll", "--csv")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || len(lines) != 3 {
		t.Fatalf("%q, %v", out, err)
	}
	first, _, _ := strings.Cut(lines[1], ",")
	d.want("removed secret "+first, "", "webhook", "secret", "remove", "payroll", first)
	d.want("error: --from: say from when on", "", "webhook", "replay", "payroll")
	d.want("events are looked at once more for payroll", "", "webhook", "replay", "payroll", "--from=24h")
	d.want("last_error,position\n", "", "webhook", "deliveries", "payroll", "--csv", "--columns=last error,position")
}

// CSV is what RFC 4180 says, with the columns that were asked for, and nothing in it is
// a formula.
func TestCSV(t *testing.T) {
	d := newDesk(t)
	d.want("made user ", "", "user", "create", "--user-name=eve", `--display-name==HYPERLINK("http://evil"),"x"`, "--title=plain")
	out, err := d.run("", "user", "list", "--csv", "--columns=name,USER NAME,status", "--filter", `user_name eq "eve"`)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	want := [][]string{{"name", "user_name", "status"}, {`'=HYPERLINK("http://evil"),"x"`, "eve", "active"}}
	if diff := cmp.Diff(want, rows); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, want := range map[string]string{"": "", "-": "", "+1": "'+1", "@x": "'@x", "＝x": "'＝x", "a=b": "a=b", "\tx": "'\tx"} {
		if got := csvCell(text); got != want {
			t.Errorf("csvCell(%q) = %q, want %q", text, got, want)
		}
	}
	if got := tableCell("a\x1b[31m\tb\u202ec"); got != "a [31m b c" {
		t.Errorf("tableCell: %q", got)
	}
}

// Profiles keep servers and keys for their owner alone; a key goes nowhere else.
func TestProfiles(t *testing.T) {
	d := newDesk(t)
	home := t.TempDir()
	environ := []string{"XDG_CONFIG_HOME=" + home}
	file := filepath.Join(home, "usher", "profiles.yaml")
	keyFile := filepath.Join(home, "key")
	if err := os.WriteFile(keyFile, []byte(d.key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := "--database=sqlite:" + filepath.Join(home, "other.db")
	for _, c := range []struct {
		want, stdin string
		environ     []string
		args        []string
	}{
		{"NAME  SERVER  KEY  USED\n", "", nil, []string{"profile", "list"}},
		{"error: standard input has no key", "", nil, []string{"profile", "add", "demo", "--server=" + d.url}},
		{"error: --server: name the server", "k", nil, []string{"profile", "add", "demo"}},
		{"is no name of a profile", "k", nil, []string{"profile", "add", "a b", "--server=" + d.url}},
		{"must begin with https://", "k", nil, []string{"profile", "add", "demo", "--server=demo"}},
		{"added profile demo for " + d.url, d.key + "\n", nil, []string{"profile", "add", "demo", "--server=" + d.url}},
		{"added profile lab for " + d.url, "", nil, []string{"profile", "add", "lab", "--server=" + d.url, "--key-file=" + keyFile}},
		{"in " + keyFile, "", nil, []string{"profile", "list"}},
		{"admin", "", nil, []string{"user", "list", "--profile=demo"}},
		{"admin", "", nil, []string{"user", "list", "--profile=lab"}},
		{"admin", "", []string{"USHER_PROFILE=demo"}, []string{"user", "list"}},
		// The key of the environment is for its own server.
		{"admin", "", []string{"USHER_KEY=usher_of_another_server"}, []string{"user", "list", "--profile=demo"}},
		{"no key for the server", "", nil, []string{"user", "list", "--server=" + d.url}},
		{"--server and --profile: name one of them", "", nil, []string{"user", "list", "--profile=demo", "--server=" + d.url}},
		{"--profile and --database: name one of them", "", nil, []string{"key", "list", "--profile=demo", other}},
		{`there is no profile "none"`, "", nil, []string{"user", "list", "--profile=none"}},
		{"--server: name the running server", "", nil, []string{"user", "list"}},
		{"commands that are told nothing ask " + d.url, "", nil, []string{"profile", "use", "demo"}},
		{"admin", "", nil, []string{"user", "list"}},
		{"demo  " + d.url + "  kept here", "", nil, []string{"profile", "list"}},
		{"there is no tenant yet", "", nil, []string{"key", "list", other}},
		{"there is no tenant yet", "", []string{"USHER_DATABASE=sqlite:" + filepath.Join(home, "third.db")}, []string{"key", "list"}},
		{"made tenant acme", "", nil, []string{"tenant", "create", "acme", other}},
		{"is the operator's", "", nil, []string{"tenant", "list", "--profile=demo"}},
		{"is the operator's", "", []string{"USHER_PROFILE=demo"}, []string{"tenant", "list"}},
		{"work on the database", "", nil, []string{"profile", "use", "--none"}},
		{`there is no profile "none"`, "", nil, []string{"profile", "use", "none"}},
		{"removed profile lab", "", nil, []string{"profile", "remove", "lab"}},
		{`there is no profile "lab"`, "", nil, []string{"profile", "remove", "lab"}},
		{"neither HOME nor XDG_CONFIG_HOME", "k", []string{"XDG_CONFIG_HOME="}, []string{"profile", "add", "x", "--server=" + d.url}},
	} {
		out, err := runWith(t, c.stdin, append(environ[:1:1], c.environ...), c.args...)
		if err != nil {
			out = "error: " + err.Error()
		}
		if !strings.Contains(out, c.want) || strings.Contains(out, d.key) {
			t.Errorf("%v: got %q, want %q and no key", c.args, out, c.want)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info.Mode(), err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := runWith(t, "", environ, "profile", "list"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others read: %v", err)
	}
	for _, text := range []string{"profiles: [", "shoes: 43", "profiles: 7", "profiles: {a: {server: x}}", "profiles: {a: {server: x, key: k, color: red}}", "profiles: {a: 7}", "profiles: {a: {server: 7}}"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := runWith(t, "", environ, "profile", "list"); err == nil || !strings.HasPrefix(err.Error(), "profiles: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Shells are offered commands, flags and the values that flags can have.
func TestCompletion(t *testing.T) {
	home := t.TempDir()
	environ := []string{"XDG_CONFIG_HOME=" + home}
	if out, err := runWith(t, "k", environ, "profile", "add", "prod", "--server=https://users.example.com"); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"user", "list", "--status", "in"}, []string{"inactive"}},
		{[]string{"user", "list", "--status", "active,st"}, []string{"active,staged"}},
		{[]string{"key", "create", "--rank", "he"}, []string{"helpdesk"}},
		{[]string{"key", "create", "--doors", "sc"}, []string{"scim"}},
		{[]string{"event", "list", "--type", "user.act"}, []string{"user.activated"}},
		{[]string{"event", "follow", "--type", "lock_reason.*,company.cre"}, []string{"lock_reason.*,company.created"}},
		{[]string{"job", "list", "--state", "fa"}, []string{"failed"}},
		{[]string{"webhook", "deliveries", "x", "--state", ""}, []string{"dead", "waiting"}},
		{[]string{"user", "list", "--profile", ""}, []string{"prod"}},
		{[]string{"profile", "use", "p"}, []string{"prod"}},
		{[]string{"profile", "remove", "x", ""}, nil},
		{[]string{"hold", "place", "--kind", "le"}, []string{"legal"}},
		{[]string{"restor"}, []string{"restore"}},
	} {
		out, err := runWith(t, "", environ, append([]string{cobra.ShellCompNoDescRequestCmd}, c.args...)...)
		if err != nil {
			t.Fatal(err)
		}
		offered, _, _ := strings.Cut(out, ":")
		if diff := cmp.Diff(c.want, strings.Fields(offered)); diff != "" && len(c.want)+len(strings.Fields(offered)) > 0 {
			t.Errorf("%v (-want +got):\n%s", c.args, diff)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out, err := runWith(t, "", nil, "completion", shell); err != nil || !strings.Contains(out, "usher") || len(out) < 1000 {
			t.Errorf("%s: %.100q, %v", shell, out, err)
		}
	}
}

// Every command has a manual page in roff, the same each time it is made.
func TestManualPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	environ := []string{"SOURCE_DATE_EPOCH=1795348800"} // 2026-11-22
	made := func() map[string]string {
		t.Helper()
		if out, err := runWith(t, "", environ, "man", dir); err != nil || !strings.Contains(out, " pages are in "+dir) {
			t.Fatalf("%q, %v", out, err)
		}
		pages := map[string]string{}
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range list {
			text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			pages[entry.Name()] = string(text)
		}
		return pages
	}
	pages := made()
	if diff := cmp.Diff(pages, made()); diff != "" {
		t.Errorf("made twice:\n%s", diff)
	}
	commands := 0
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			check(sub)
		}
		if !cmd.IsAvailableCommand() || cmd.Name() == "help" || strings.HasPrefix(cmd.CommandPath(), "usher completion") {
			return
		}
		commands++
		page := pages[strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"]
		for _, part := range []string{"\n.TH \"USHER\" \"1\" \"Nov 2026\" \"usher ", "\n.SH NAME\n", "\n.SH SYNOPSIS\n", "\n.SH DESCRIPTION\n"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s: the page has no %q: %.300q", cmd.CommandPath(), part, page)
			}
		}
		if cmd.Example != "" && !strings.Contains(page, "\n.SH EXAMPLE\n") {
			t.Errorf("%s: the page has no example", cmd.CommandPath())
		}
		for _, line := range strings.Split(page, "\n") { // of requests only those that man has
			if strings.HasPrefix(line, ".") && !regexp.MustCompile(`^\.(nh|TH|SH|SS|PP|TP|RS|RE|EX|EE|IP|br|ti|in|nf|fi|ad)\b`).MatchString(line) {
				t.Errorf("%s: the page has the line %q", cmd.CommandPath(), line)
			}
		}
	}
	root := (&program{}).command()
	check(root)
	if commands < 90 {
		t.Errorf("only %d commands", commands)
	}
	if !strings.Contains(pages["usher-user-list.1"], `\-\-filter`) && !strings.Contains(pages["usher-user-list.1"], "--filter") {
		t.Error("the page of usher user list has no flag --filter")
	}
	if _, err := runWith(t, "", []string{"SOURCE_DATE_EPOCH=today"}, "man", dir); err == nil {
		t.Error("a date that is none was taken")
	}
}

// A backup is made beside the server that works, checked, and restored elsewhere; what
// is there already stays.
func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	live := "--database=sqlite:" + filepath.Join(dir, "live.db")
	s := startServe(t, "--demo", live)
	d := &desk{t, s.url, "usher-demo-key"}
	d.want("made user ", "", "user", "create", "--user-name=ana", "--email=ana@example.com")
	file := filepath.Join(dir, "usher.backup")
	run := func(want string, args ...string) string {
		t.Helper()
		out, err := runWith(t, "", nil, args...)
		if err != nil {
			out = "error: " + err.Error()
		}
		if !strings.Contains(out, want) {
			t.Errorf("%v: %q, want %q", args, out, want)
		}
		return out
	}
	out := run("not in the backup: the secret key, which opens what the database has sealed; it is in the file ", "backup", file, live)
	if !strings.Contains(out, "live.db.audit-key and ") {
		t.Errorf("%q does not say where the other key is", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info.Mode(), err)
	}
	run(" is whole: ", "restore", file, "--check", live)
	run("is the operator's", "backup", file, "--server=http://127.0.0.1:1")
	again := "--database=sqlite:" + filepath.Join(dir, "again.db")
	for _, key := range []string{".key", ".audit-key", ".checkpoints"} {
		text, err := os.ReadFile(filepath.Join(dir, "live.db"+key))
		if errors.Is(err, os.ErrNotExist) && key == ".checkpoints" {
			continue // nothing was signed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "again.db"+key), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("whole  ", "restore", file, again)
	run("error: "+file+": a backup is only restored into", "restore", file, again)
	run("whole", "audit", "verify", again)
	if got := run("USHER BACKUP 1", "backup", "-", again); !strings.HasPrefix(got, "USHER BACKUP 1\n") && !strings.Contains(got, "USHER BACKUP 1\n") {
		t.Error("the backup did not go to standard output")
	}
	restored := startServe(t, again)
	(&desk{t, restored.url, "usher-demo-key"}).want(`"email": "ana@example.com"`, "", "user", "show", "ana")

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 4
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	third := filepath.Join(dir, "third.db")
	run("the backup is damaged", "restore", file, "--database=sqlite:"+third)
	if _, err := os.Stat(third); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a damaged backup left a file: %v", err)
	}
	run("name a file", "restore", "-", "--database=sqlite:"+third)
	if out := run(`"rows"`, "backup", file+"2", live, "--json"); !json.Valid([]byte(out)) {
		t.Errorf("%q is no JSON", out)
	}
}

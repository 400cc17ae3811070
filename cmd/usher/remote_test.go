package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/app"
)

// desk is a person with a key of a running server, whose database nobody but the
// server can open.
type desk struct {
	t        *testing.T
	url, key string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	s := startServe(t, "--demo", "--database=sqlite:"+filepath.Join(t.TempDir(), "usher.db"))
	return &desk{t, s.url, "usher-demo-key"}
}

// run is a command with a text on standard input, in an empty folder; it returns
// both outputs.
func (d *desk) run(stdin string, args ...string) (string, error) {
	d.t.Helper()
	return runWith(d.t, stdin, []string{"USHER_SERVER=" + d.url, "USHER_KEY=" + d.key}, args...)
}

func runWith(t *testing.T, stdin string, environ []string, args ...string) (string, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "stdin")
	if err := os.WriteFile(name, []byte(stdin), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var printed strings.Builder
	p := &program{stdin: file, stdout: &printed, stderr: &printed, environ: environ}
	cmd := p.command()
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return printed.String(), err
}

// want fails unless a command prints a text, or fails with it.
func (d *desk) want(text, stdin string, args ...string) {
	d.t.Helper()
	out, err := d.run(stdin, args...)
	if err != nil {
		out = "error: " + err.Error()
	}
	if !strings.Contains(out, text) {
		d.t.Errorf("%s: got %q, want %q", strings.Join(args, " "), out, text)
	}
}

// A leaked key is revoked while the server runs: it is refused from its next
// request on.
func TestLeakedKeyIsRevokedWhileTheServerRuns(t *testing.T) {
	d := newDesk(t)
	out, err := d.run("", "key", "create", "--name=robot", "--rank=reader", "--doors=canonical,scim", "--expires-in=24h")
	if err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`^made key (\S+) \(robot\) of tenant demo; its secret is shown only now:\n(usher_\S{43})\n$`).FindStringSubmatch(out)
	if made == nil {
		t.Fatalf("key create: %q", out)
	}
	robot := &desk{t, d.url, made[2]}
	robot.want(`"user_name": "admin"`, "", "user", "show", "admin")
	robot.want("error: The caller's rank does not allow this.", "", "key", "revoke", made[1])
	d.want(" robot ", "", "key", "list")
	d.want("canonical,scim ", "", "key", "list")
	d.want(" all ", "", "key", "list")
	d.want("revoked "+made[1], "", "key", "revoke", made[1], "--reason=leaked")
	robot.want("error: "+d.url+" does not take the key: ", "", "user", "show", "admin")
	d.want("error: Credential not found.", "", "key", "revoke", made[1])
	d.want("leaked", "", "event", "list")
	d.want("error: --rank: ", "", "key", "create", "--name=x", "--rank=king")
	d.want("error: --name: ", "", "key", "create")
	d.want("error: --expires-in: must not be negative", "", "key", "create", "--name=x", "--expires-in=-1h")
	for _, kind := range []string{"oauth", "api_user", "customer"} {
		d.want("with client_id my-"+kind+"; its secret is shown only now:\nusher_", "", "client", "create", "--kind="+kind, "--name=x", "--client-id=my-"+kind)
	}
	d.want("error: --kind: ", "", "client", "create", "--kind=magic", "--name=x")
}

// The key comes from a file or a variable, the server from a flag or a variable,
// and --database wins over a variable.
func TestWhereACommandWorks(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(d.key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := "--database=sqlite:" + filepath.Join(t.TempDir(), "other.db")
	for _, c := range []struct {
		want    string
		environ []string
		args    []string
	}{
		{"demo (published)", nil, []string{"key", "list", "--server=" + d.url + "/", "--key-file=" + file}},
		{"demo (published)", []string{"USHER_SERVER=" + d.url, "USHER_KEY=" + d.key}, []string{"key", "list", "--tenant=demo"}},
		{"demo (published)", []string{"USHER_SERVER=http://nowhere.invalid", "USHER_KEY=wrong"}, []string{"key", "list", "--server=" + d.url, "--key-file=" + file}},
		{"there is no tenant yet", []string{"USHER_SERVER=" + d.url, "USHER_KEY=" + d.key}, []string{"key", "list", other}},
		{"--server and --database: name one of them", nil, []string{"key", "list", other, "--server=" + d.url}},
		{"no key for the server: set USHER_KEY", []string{"USHER_SERVER=" + d.url}, []string{"key", "list"}},
		{"--key-file: ", []string{"USHER_SERVER=" + d.url}, []string{"key", "list", "--key-file=" + file + ".none"}},
		{"must begin with https:// or http://", []string{"USHER_KEY=" + d.key}, []string{"key", "list", "--server=users.example.com"}},
		{"error: cannot reach http://127.0.0.1:1: ", []string{"USHER_KEY=" + d.key}, []string{"key", "revoke", "x", "--server=http://127.0.0.1:1"}},
		{"does not take the key", []string{"USHER_KEY=wrong"}, []string{"key", "list", "--server=" + d.url}},
		{"the key is of tenant demo", []string{"USHER_KEY=" + d.key}, []string{"key", "list", "--server=" + d.url, "--tenant=acme"}},
		{"the key is of tenant demo", []string{"USHER_KEY=" + d.key}, []string{"tenant", "show", "acme", "--server=" + d.url}},
		{"--reason and --key-file are for --server", nil, []string{"key", "list", other, "--reason=x"}},
		{"--server: name the running server, or set USHER_SERVER", nil, []string{"user", "list"}},
	} {
		out, err := runWith(t, "", c.environ, c.args...)
		if err != nil {
			out = "error: " + err.Error()
		}
		if !strings.Contains(out, c.want) {
			t.Errorf("%v: got %q, want %q", c.args, out, c.want)
		}
	}
}

// What only the operator may do refuses to ask a server.
func TestOperatorsCommandsAskNoServer(t *testing.T) {
	for _, args := range [][]string{{"user", "owner", "--user=ana"}, {"tenant", "create", "acme"}, {"tenant", "create", "--throw-away"}, {"tenant", "list"}, {"migrate"}} {
		for _, environ := range [][]string{nil, {"USHER_SERVER=https://users.example.com"}} {
			with := args
			if environ == nil {
				with = append(args[:len(args):len(args)], "--server=https://users.example.com")
			}
			if out, err := runWith(t, "", environ, with...); err == nil || !strings.Contains(err.Error(), "is the operator's: it works on the database") {
				t.Errorf("%v with %v: %q, %v; want a refusal", with, environ, out, err)
			}
		}
	}
	database := "--database=sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	if out, err := runWith(t, "", []string{"USHER_SERVER=https://users.example.com"}, "tenant", "create", "acme", database); err != nil || !strings.Contains(out, "made tenant acme") {
		t.Errorf("with --database: %q, %v", out, err)
	}
}

// A person joins, works, is locked out, leaves and comes back, all against a
// running server.
func TestUserAgainstARunningServer(t *testing.T) {
	d := newDesk(t)
	out, err := d.run(goodPassword+"\n", "user", "create", "--user-name=ana", "--email=ana@example.com", "--given-name=Ana", "--family-name=Ruiz", "--password", "--reason=hired")
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`^made user \d+ ana with id (\S{36})\n$`).FindStringSubmatch(out)
	if id == nil {
		t.Fatalf("user create: %q", out)
	}
	d.want("error: --user-name: The user name is taken.", "", "user", "create", "--user-name=ana")
	d.want("error: --user-name is required.", "", "user", "create")
	d.want("error: --status: ", "", "user", "create", "--user-name=bo", "--status=asleep")
	var shown struct {
		Email    string `json:"email"`
		Expanded struct{ Company struct{ Name string } }
	}
	if out, err = d.run("", "user", "show", "ana@example.com"); err != nil || json.Unmarshal([]byte(out), &shown) != nil || shown.Email != "ana@example.com" || shown.Expanded.Company.Name == "" {
		t.Errorf("user show: %q, %v", out, err)
	}
	d.want(`error: --user: tenant demo has no user "nobody"`, "", "user", "show", "nobody")
	d.want("error: --user: name the user", "", "user", "lock")
	d.want("Ana Ruiz", "", "user", "list", "--filter", `user_name eq "ana"`, "--status=active")
	d.want("error: --filter: \"is\" is not an operator", "", "user", "list", "--filter", "user_name is ana")
	if out, err = d.run("", "user", "list", "--json", "--most=3", "--sort=-user_name"); err != nil || strings.Count(out, "\n") != 3 || strings.Count(out, `{"id":`) != 3 {
		t.Errorf("user list: %q, %v; want 3 objects", out, err)
	}
	d.want("made role", "", "role", "create", "--name=Night Watch", "--rank=helpdesk")
	d.want("night watch", "", "role", "list")
	d.want("ana has now role night watch for company ", "", "user", "role", "--user=ana", "--role=Night Watch")
	d.want("ana had already role night watch for company ", "", "user", "role", "--user=ana", "--role=night watch")
	d.want("took role night watch from ana, whose rank is now self", "", "user", "role", "--user=ana", "--role=night watch", "--remove")
	d.want("error: --role: ana does not have the role night watch", "", "user", "role", "--user=ana", "--role=night watch", "--remove")
	d.want(`error: --role: there is no role "king"`, "", "user", "role", "--user=ana", "--role=king")
	d.want("error: --role: name the role", "", "user", "role", "--user=ana")
	d.want("error: --company: tenant demo has no company 77", "", "user", "role", "--user=ana", "--role=x", "--company=77")
	d.want("error: --rank: ", "", "role", "create", "--name=x", "--rank=owner")
	d.want("locked ana\n", "", "user", "lock", "--user=ana", "--reason=lost phone")
	d.want("active, locked", "", "user", "list", "--filter", `user_name eq "ana"`)
	d.want("note: the user is locked; unlock it: usher user unlock\nset the password of ana\n", "saffron ladder mitten\n", "user", "password", "--user=ana")
	d.want("unlocked ana\n", "", "user", "unlock", "--user=ana")
	d.want("ana was not locked\n", "", "user", "unlock", "--user=ana")
	hold := []string{"user", "hold", "--user=ana", "--kind=open_orders", "--source=dispatch", "--ref=4711"}
	d.want("open_orders  dispatch  4711", "", hold...)
	d.want("open_orders", "", "user", "deactivate", "--user=ana")
	d.want("KIND  SOURCE  REF  SINCE\n", "", append(hold, "--release")...)
	d.want("ana is inactive now\n", "", "user", "deactivate", "--user=ana", "--reason=last day")
	d.want("ana was inactive already\n", "", "user", "deactivate", "--user=ana")
	d.want("ana is active now\n", "", "user", "activate", "--user=ana")
	d.want("deleted ana with id "+id[1], "", "user", "delete", "--user="+id[1])
	d.want(`error: --user: tenant demo has no user "ana"`, "", "user", "unlock", "--user=ana")
	d.want(`error: --user: the recycle bin of tenant demo has no user "bo"`, "", "user", "restore", "--user=bo")
	d.want("ana is inactive now\n", "", "user", "restore", "--user=ana")
	d.want("deleted ana with id ", "", "user", "delete", "--user=ana")
	d.want("ana is inactive now\n", "", "user", "restore", "--user="+id[1])
	d.want("last day", "", "event", "list", "--user=ana")
	d.want("hired", "", "event", "list", "--user="+id[1], "--json", "--most=1")
	d.want(`error: --user: tenant demo has no user "nobody"`, "", "event", "list", "--user=nobody")
}

// The tenant is shown, listed and set over the API exactly as on the database.
func TestTenantAgainstARunningServer(t *testing.T) {
	d := newDesk(t)
	values := map[string]string{"doors": "canonical,iqmetrix,scim", "hosts": "a.example.com,b.example.com", "default_company": "14146", "disabled": "false",
		"password.min_length": "12", "password.allow_blocked": "true", "password.allow_context": "true", "requests_per_minute.NAME": "6000",
		"iqmetrix_picture_null": "true", "max_failed_logins": "9", "notify_on_create": "true", "smartapp_inactive_without_seat": "true", "recycle_bin_days": "30", "event_days": "400",
		"console_idle_minutes": "20", "console_session_hours": "8", "second_factor": "administrators"}
	var pairs []string
	for _, key := range app.TenantKeys() {
		value, ok := values[key]
		if !ok {
			t.Errorf("no value for the key %s", key)
		}
		pairs = append(pairs, strings.Replace(key, ".NAME", ".scim", 1)+"="+value)
	}
	d.want("changed tenant demo, now version ", "", append([]string{"tenant", "set", "demo", "--reason=ticket"}, pairs...)...)
	out, err := d.run("", "tenant", "set", "demo")
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Split(strings.TrimSpace(out), "\n")
	for _, pair := range pairs {
		if !strings.Contains("\n"+out, "\n"+pair+"\n") {
			t.Errorf("tenant set lists %q, want %s among it", listed, pair)
		}
	}
	d.want("changed tenant demo", "", "tenant", "set", "demo", "requests_per_minute.scim=", "max_failed_logins=", "hosts=", "doors=")
	d.want(`"min_length": 12`, "", "tenant", "show", "demo")
	out, err = d.run("", "tenant", "show", "demo")
	if err != nil || strings.Contains(out, "requests_per_minute") || strings.Contains(out, "max_failed_logins") || !strings.Contains(out, `"hosts": []`) {
		t.Errorf("tenant show: %q, %v; want what was reset left out", out, err)
	}
	d.want("error: max_failed_logins: ", "", "tenant", "set", "demo", "max_failed_logins=many")
	d.want("max_failed_logins", "", "tenant", "set", "demo", "max_failed_logins=1000")
	d.want("error: shoe_size: unknown key", "", "tenant", "set", "demo", "shoe_size=43")
	d.want("web_only", "", "tenant", "pool", "demo", "web_only=7", "employee=unlimited")
	d.want("unlimited", "", "tenant", "pool", "demo")
	d.want("error: web_only: ", "", "tenant", "pool", "demo", "web_only=some")
}

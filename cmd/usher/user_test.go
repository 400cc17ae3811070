package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// office is a sample directory on which commands and a server take turns.
type office struct {
	t        *testing.T
	database string
}

func newOffice(t *testing.T) *office {
	o := &office{t, "sqlite:" + filepath.Join(t.TempDir(), "usher.db")}
	o.serve(func(string) {})
	return o
}

// serve runs a server while fn uses it.
func (o *office) serve(fn func(url string)) {
	o.t.Helper()
	s := startServe(o.t, "--demo", "--database="+o.database)
	fn(s.url)
	if err := s.stop(); err != nil {
		o.t.Fatal(err)
	}
}

// run is a command with a text on standard input; it returns both outputs.
func (o *office) run(stdin string, args ...string) (out string, err error) {
	o.t.Helper()
	name := filepath.Join(o.t.TempDir(), "stdin")
	if err := os.WriteFile(name, []byte(stdin), 0o600); err != nil {
		o.t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		o.t.Fatal(err)
	}
	defer file.Close()
	var printed strings.Builder
	p := &program{stdin: file, stdout: &printed, stderr: &printed}
	cmd := p.command()
	cmd.SetArgs(append(args, "--database="+o.database))
	err = cmd.ExecuteContext(o.t.Context())
	return printed.String(), err
}

// want fails unless a command prints a text, or fails with it.
func (o *office) want(text, stdin string, args ...string) {
	o.t.Helper()
	out, err := o.run(stdin, args...)
	if err != nil {
		out = "error: " + err.Error()
	}
	if !strings.Contains(out, text) {
		o.t.Errorf("%s: got %q, want %q", strings.Join(args, " "), out, text)
	}
}

// signIn asks for a token and returns "" or the refusal.
func (o *office) signIn(base, user, password string) (token, refusal string) {
	o.t.Helper()
	resp, err := http.PostForm(base+"/v1/oauth2/token", url.Values{"grant_type": {"password"}, "client_id": {"usher-demo-client"},
		"client_secret": {"usher-demo-secret"}, "username": {user}, "password": {password}})
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token       string `json:"access_token"`
		Description string `json:"error_description"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		o.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Sprintf("%d %s", resp.StatusCode, answer.Description)
	}
	return answer.Token, ""
}

const goodPassword = "lantern orchid quarry"

// An administrator who is locked out gets in again: the lock goes with one
// command, the forgotten password with another.
func TestLockedOutAdministratorGetsIn(t *testing.T) {
	o := newOffice(t)
	o.want("changed tenant demo", "", "tenant", "set", "demo", "max_failed_logins=1")
	o.serve(func(base string) {
		if _, refusal := o.signIn(base, "admin", "wrong"); refusal == "" {
			t.Error("a wrong password signs in")
		}
		if _, refusal := o.signIn(base, "admin", "usher-demo-password"); !strings.Contains(refusal, "locked") {
			t.Errorf("after a wrong password: %q, want locked", refusal)
		}
	})
	// Setting the password is not enough, and says so.
	o.want("note: the user is locked; unlock it: usher user unlock\nset the password of admin\n", goodPassword+"\n", "user", "password", "--user=admin")
	o.want("unlocked admin\n", "", "user", "unlock", "--user=admin")
	o.want("admin was not locked\n", "", "user", "unlock", "--user=ADMIN")
	o.serve(func(base string) {
		if _, refusal := o.signIn(base, "admin", "usher-demo-password"); refusal == "" {
			t.Error("the old password signs in")
		}
	})
	o.want("unlocked admin\n", "", "user", "unlock", "--user=admin")
	o.serve(func(base string) {
		if _, refusal := o.signIn(base, "admin", goodPassword); refusal != "" {
			t.Errorf("the new password: %s", refusal)
		}
	})
	o.want("set the password of admin\n", goodPassword, "user", "password", "--user=admin", "--temporary")
	o.serve(func(base string) {
		if _, refusal := o.signIn(base, "admin", goodPassword); !strings.Contains(refusal, "temporary") {
			t.Errorf("a temporary password: %q, want a refusal that says so", refusal)
		}
	})
}

// What is not one line with a fit password changes nothing.
func TestPasswordFromStandardInput(t *testing.T) {
	o := newOffice(t)
	for stdin, want := range map[string]string{
		"":                             "error: standard input has no password",
		"\n":                           "error: standard input has no password",
		"two\nlines\n":                 "error: standard input must have one line",
		goodPassword + "\n\n":          "error: standard input must have one line",
		strings.Repeat("x", 70_000):    "error: standard input must have one line",
		"five5":                        "error: Use a password of at least 6 characters.",
		strings.Repeat("okapi-", 1000): "error: Use a password of at most 1024 bytes.",
	} {
		o.want(want, stdin, "user", "password", "--user=admin")
	}
	o.serve(func(base string) {
		if _, refusal := o.signIn(base, "admin", "usher-demo-password"); refusal != "" {
			t.Errorf("the password that was there: %s", refusal)
		}
	})
	// A line end is none of the password, whatever it is; spaces are.
	for _, end := range []string{"", "\n", "\r\n"} {
		o.want("set the password", " "+goodPassword+" "+end, "user", "password", "--user=admin")
		o.serve(func(base string) {
			if _, refusal := o.signIn(base, "admin", " "+goodPassword+" "); refusal != "" {
				t.Errorf("a password that came with %q behind it: %s", end, refusal)
			}
		})
	}
}

// A role makes a person an administrator, and without it the person is one no
// more.
func TestRoleMakesAnAdministrator(t *testing.T) {
	o := newOffice(t)
	const user = "sam.smith@kentel.com"
	reads := func(want int) {
		t.Helper()
		o.serve(func(base string) {
			token, refusal := o.signIn(base, user, goodPassword)
			if refusal != "" {
				t.Fatalf("sign in: %s", refusal)
			}
			if got := status(t, base+"/v1/Entities(14146)/Users", token); got != want {
				t.Errorf("a list of all users is answered with %d, want %d", got, want)
			}
		})
	}
	o.want("set the password", goodPassword, "user", "password", "--user="+user)
	reads(http.StatusForbidden)
	o.want("made role", "", "role", "create", "--name=Night Watch", "--rank=administrator")
	o.want(" has now role night watch for company ", "", "user", "role", "--user="+user, "--role=Night Watch")
	o.want(" had already role night watch for company ", "", "user", "role", "--user="+user, "--role=night watch")
	reads(http.StatusOK)
	o.want("whose rank is now self", "", "user", "role", "--user="+user, "--role=night watch", "--remove")
	o.want("does not have the role night watch", "", "user", "role", "--user="+user, "--role=night watch", "--remove")
	reads(http.StatusForbidden)
	o.want("error: --role: there is no role \"king\"", "", "user", "role", "--user="+user, "--role=king")
	o.want("error: --role: name the role", "", "user", "role", "--user="+user)
	o.want("error: --company: tenant demo has no company 77", "", "user", "role", "--user="+user, "--role=night watch", "--company=77")
}

// A company's role and the tenant's may have one key; the number tells them
// apart.
func TestRoleByNumber(t *testing.T) {
	o := newOffice(t)
	o.want("made role", "", "role", "create", "--name=Watch", "--rank=reader")
	o.want("made role", "", "role", "create", "--name=Watch", "--company=14146")
	out, err := o.run("", "role", "list", "--company=14146")
	if err != nil {
		t.Fatal(err)
	}
	var number string
	for line := range strings.Lines(out) {
		if strings.Contains(line, "Watch") && strings.Contains(line, "the tenant") {
			number = strings.Fields(line)[0]
		}
	}
	o.want("both have a role \"watch\"; name one by its number: "+number+" or ", "", "user", "role", "--user=sam.smith@kentel.com", "--role=watch", "--company=14146")
	o.want("rank reader", "", "user", "role", "--user=sam.smith@kentel.com", "--role="+number, "--company=14146")
}

// The account owner is somebody else after one command.
func TestOwner(t *testing.T) {
	o := newOffice(t)
	o.want("is now the account owner of tenant demo", "", "user", "owner", "--user=sam.smith@kentel.com")
	out, err := o.run("", "tenant", "show", "demo")
	if err != nil || !strings.Contains(out, `"owner": `) {
		t.Errorf("tenant show: %v\n%s\nwant an owner", err, out)
	}
}

// A command tells what else keeps the person out.
func TestPasswordNotesWhatElseIsInTheWay(t *testing.T) {
	o := newOffice(t)
	o.want("note: the user is inactive; make it active: usher user activate\n", goodPassword, "user", "password", "--user=mwalker")
	o.want("changed tenant demo", "", "tenant", "set", "demo", "disabled=true")
	o.want("note: tenant demo is disabled; enable it: usher tenant set demo disabled=false\n", goodPassword, "user", "password", "--user=admin")
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What has changed is selected, and a user is shown as it was.
func TestEventsAgainstARunningServer(t *testing.T) {
	d := newDesk(t)
	d.want("made user", "", "user", "create", "--user-name=ana", "--title=Clerk", "--reason=hired")
	d.want("hired", "", "event", "list", "--user=ana")
	d.want("user.created", "", "event", "list", "--type=user.created,user.deleted", "--actor=key:demo (published)", "--door=canonical", "--since=1h")
	out, err := d.run("", "event", "list", "--newest", "--most=1", "--json")
	var e struct{ Type, Reason string }
	if err != nil || json.Unmarshal([]byte(out), &e) != nil || e.Type != "user.created" || e.Reason != "hired" {
		t.Errorf("the newest: %q, %v", out, err)
	}
	if out, err := d.run("", "event", "list", "--except-own"); err != nil || strings.Contains(out, "hired") || !strings.Contains(out, "tenant.created") {
		t.Errorf("without one's own: %q, %v", out, err)
	}
	if out, err := d.run("", "event", "list", "--until=2020-01-01"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("before there was anything: %q, %v", out, err)
	}
	if out, err := d.run("", "event", "list", "--reason=nobody has given this one"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("for a reason that there is not: %q, %v", out, err)
	}
	d.want(`error: --since: "yesterday" is no time`, "", "event", "list", "--since=yesterday")
	d.want("error: --type: There are no events of the type", "", "event", "list", "--type=nope")
	d.want(`"as_of": {`, "", "user", "show", "ana", "--at=0s")
	d.want("error: User not found.", "", "user", "show", "ana", "--at=2020-01-01T00:00:00Z")
}

// Events are printed as they come, until the command is interrupted.
func TestEventFollow(t *testing.T) {
	d := newDesk(t)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a table":     {nil, `^\S+Z  user\.created +user:\d+  by key:demo \(published\) through canonical  hired\n$`},
		"json":        {[]string{"--json"}, `^\{"position":\d+,"id":"[^"]+","type":"user\.created",.*"reason":"hired".*\}\n$`},
		"CloudEvents": {[]string{"--cloudevents"}, `^\{"specversion":"1\.0",.*"type":"usher\.user\.created",.*"reason":"hired".*\}\n$`},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			read, write := io.Pipe()
			p := &program{stdout: write, stderr: write, environ: []string{"USHER_SERVER=" + d.url, "USHER_KEY=" + d.key}}
			cmd := p.command()
			cmd.SetArgs(append([]string{"event", "follow", "--type=user.created,licence_pool.*", "--since=24h"}, test.args...))
			ended := make(chan error, 1)
			go func() { ended <- cmd.ExecuteContext(ctx) }()
			lines := bufio.NewReader(read)
			for range 14 { // those of the sample directory
				if line, err := lines.ReadString('\n'); err != nil || strings.Contains(line, "hired") && name == "a table" {
					t.Fatalf("%q, %v", line, err)
				}
			}
			user := strings.ReplaceAll(strings.ToLower(name), " ", "-")
			d.want("made user", "", "user", "create", "--user-name="+user, "--reason=hired")
			for {
				line, err := lines.ReadString('\n')
				if err != nil || strings.Contains(line, "hired") && !regexp.MustCompile(test.want).MatchString(line) {
					t.Fatalf("%q, %v", line, err)
				}
				if strings.Contains(line, "hired") {
					break
				}
			}
			interrupt()
			go func() { _, _ = io.Copy(io.Discard, lines) }() // what came meanwhile
			if err := <-ended; err != nil {
				t.Errorf("interrupted: %v", err)
			}
		})
	}
}

// An endpoint is made, tried, paused and deleted.
func TestWebhooksAgainstARunningServer(t *testing.T) {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(endpoint.Close)
	s := startServe(t, "--demo", "--database=sqlite:"+filepath.Join(t.TempDir(), "usher.db"), "--webhook-networks=127.0.0.0/8", "--webhook-http")
	d := &desk{t, s.url, "usher-demo-key"}
	out, err := d.run("", "webhook", "create", "--name=payroll", "--url="+endpoint.URL, "--type=user.*", "--company=14146", "--except-own")
	if err != nil || !regexp.MustCompile(`(?s)^made endpoint \S+ \(payroll\) of tenant demo; its secret is shown only now:\nwhsec_\S+\n$`).MatchString(out) {
		t.Fatalf("create: %q, %v", out, err)
	}
	d.want("error: --url: ", "", "webhook", "create", "--name=x", "--url=https://10.0.0.1/")
	d.want(" answered 204 in ", "", "webhook", "test", "payroll")
	d.want("endpoint payroll is paused", "", "webhook", "pause", "payroll", "--reason=holidays")
	d.want(" paused ", "", "webhook", "list")
	d.want(`"except_origins":["credential:`, "", "webhook", "list", "--json")
	d.want("endpoint payroll is active", "", "webhook", "resume", "payroll")
	d.want("POSITION", "", "webhook", "deliveries", "payroll", "--state=dead")
	d.want("The event does not wait for this", "", "webhook", "deliveries", "payroll", "--retry=7")
	d.want("deleted endpoint ", "", "webhook", "delete", "payroll")
	d.want(`error: tenant demo has no endpoint "payroll"`, "", "webhook", "test", "payroll")
}

// A job is cancelled and done after all.
func TestJobsAgainstARunningServer(t *testing.T) {
	d := newDesk(t)
	out, err := d.run("", "job", "list", "--kind=recycle", "--json")
	var j struct{ ID, State string }
	if err != nil || json.Unmarshal([]byte(out), &j) != nil || j.ID == "" {
		t.Fatalf("list: %q, %v", out, err)
	}
	d.want("recycle", "", "job", "list", "--most=5")
	d.want("error: ", "", "job", "cancel", j.ID)
	d.want("job "+j.ID+" (recycle) is ", "", "job", "retry", j.ID)
	d.want("error: --state: ", "", "job", "list", "--state=lost")
}

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// An operator holds a user for another system: the doors refuse, until the hold
// is released.
func TestHolds(t *testing.T) {
	o := newOffice(t)
	const user = "sam.smith@kentel.com"
	hold := []string{"user", "hold", "--user=" + user, "--kind=open_orders", "--source=dispatch", "--ref=4711"}
	o.want("KIND  SOURCE  REF  SINCE\n", "", "user", "hold", "--user="+user)
	o.want("open_orders  dispatch  4711", "", hold...)
	o.want("open_orders", "", "user", "deactivate", "--user="+user)
	o.want("KIND  SOURCE  REF  SINCE\n", "", append(hold, "--release")...)
	o.want(user+" is inactive now\n", "", "user", "deactivate", "--user="+user)
	o.want(user+" was inactive already\n", "", "user", "deactivate", "--user="+user)
	o.want("make it active: usher user activate", "a-long-and-good-password\n", "user", "password", "--user="+user)
	o.want(user+" is active now\n", "", "user", "activate", "--user="+user)
	o.want("--kind: say which hold", "", "user", "hold", "--user="+user, "--release")
	o.want("kind", "", "user", "hold", "--user="+user, "--kind=grudge", "--source=a", "--ref=b")
}

// Every kind of client opens its door with the secret that was printed.
func TestClientKinds(t *testing.T) {
	o := newOffice(t)
	secret := func(args ...string) string {
		t.Helper()
		out, err := o.run("", append([]string{"client", "create", "--name=test"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		return lines[len(lines)-1]
	}
	apiUser := secret("--kind=api_user", "--client-id=api_test")
	code := secret("--kind=customer", "--client-id=kentel")
	o.want("--kind:", "", "client", "create", "--kind=magic", "--name=x")
	o.want("--rank:", "", "client", "create", "--kind=customer", "--name=x", "--rank=king")
	o.serve(func(base string) {
		for name, address := range map[string]string{
			"api_user": "/oltpublish/site/connect.do?" + url.Values{"username": {"api_test"}, "password": {apiUser}}.Encode(),
			"customer": "/seiapi/v3/trans/User/tech.jones?" + url.Values{"customerid": {"kentel"}, "customercode": {code}}.Encode(),
		} {
			answer, err := http.Get(base + address)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", name, answer.Status)
			}
		}
	})
}

package crossdoor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// What the console says that a door shows of a user is what the door answers, byte for
// byte, to the very request that the console names.
func TestUsersAreSeenAsTheDoorsShowThem(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	tenants, err := s.Service.Tenants(context.Background(), directory.System(0, "test"))
	if err != nil || len(tenants) != 1 {
		t.Fatalf("tenants: %d, %v", len(tenants), err)
	}
	page, err := s.Service.Users(context.Background(), directory.System(tenants[0].No, "test"), directory.UserQuery{Limit: 100})
	if err != nil || len(page.Users) < 10 {
		t.Fatalf("users: %d, %v", len(page.Users), err)
	}
	words := secretsOfDoors(t, s)
	for i := range page.Users {
		call := directory.System(tenants[0].No, "test")
		sheet, err := s.Service.UserSheet(context.Background(), call, directory.ByNumber(page.Users[i].Number))
		if err != nil {
			t.Fatal(err)
		}
		for _, door := range s.App.SeenBy() {
			sample, err := door.Show(&sheet.UserDetail, call.Settings)
			if err != nil || sample.Missing != "" {
				t.Errorf("%s, %s: %q, %v", door.Title, sheet.User.UserName, sample.Missing, err)
				continue
			}
			header := http.Header{}
			for _, h := range sample.Header {
				header.Set(h[0], words.Replace(h[1]))
			}
			status, media, body := ask(t, sample.Method, s.URL+words.Replace(sample.Path), header)
			if status != sample.Status || media != sample.ContentType || body != string(sample.Answer) {
				t.Errorf("%s, %s: it answers\n%d %s %s\nand not\n%d %s %s", door.Title, sheet.User.UserName, status, media, body, sample.Status, sample.ContentType, sample.Answer)
			}
		}
	}
}

// secretsOfDoors are what stands for the words of samples: the published key, and what
// two doors give for signing in.
func secretsOfDoors(t *testing.T, s *testkit.Server) *strings.Replacer {
	t.Helper()
	resp, err := http.Post(s.URL+"/createjwt", "application/json", strings.NewReader(`{"username":"admin","password":"usher-demo-password"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var jwt struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&jwt); err != nil || jwt.Token == "" {
		t.Fatalf("createjwt: %d, %v", resp.StatusCode, err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: jar}
	resp, err = client.PostForm(s.URL+"/oltpublish/site/connect.do", url.Values{"username": {"api_usher_demo"}, "password": {"usher-demo-password"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	halves := map[string]string{}
	for _, c := range jar.Cookies(at) {
		halves[c.Name] = c.Value
	}
	if halves["SESSION_ID"] == "" || halves["SESSION_INFO"] == "" {
		t.Fatalf("connect.do: %d, cookies %v", resp.StatusCode, halves)
	}
	return strings.NewReplacer("$KEY", "usher-demo-key", "$TOKEN", jwt.Token, "$SESSION_ID", halves["SESSION_ID"], "$SESSION_INFO", halves["SESSION_INFO"], "$USER", "chenry")
}

// ask sends a request and returns the answer.
func ask(t *testing.T, method, address string, header http.Header) (status int, media, body string) {
	t.Helper()
	req, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", address, err))
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(text)
}

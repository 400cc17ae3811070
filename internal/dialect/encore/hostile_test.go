package encore_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

// TestHostileBodies: no body is the server's fault, and none changes the user.
func TestHostileBodies(t *testing.T) {
	bodies := map[string]struct {
		body   string
		status int
	}{
		"too large":         {`{"UserName":"` + strings.Repeat("x", 2<<20) + `"`, 413},
		"invalid UTF-8":     {"{\"UserName\":\"a\xffb\"}", 400},
		"lone surrogate":    {`{"UserName":"a\ud800","Password":"secret1","LicenseType":1}`, 422},
		"NUL":               {`{"UserName":"a\u0000b","Password":"secret1","LicenseType":1}`, 400},
		"NUL in a token":    {`{"UserName":"ab","Password":"secret1","EPTTToken":"\u0000","LicenseType":1}`, 400},
		"NUL in a group":    {`{"UserName":"ab","Password":"secret1","GroupName":"\u0000","LicenseType":1}`, 400},
		"huge group":        {`{"UserName":"ab","Password":"secret1","GroupName":"` + strings.Repeat("\u00c5", 300_000) + `","LicenseType":1}`, 422},
		"huge password":     {`{"UserName":"ab","Password":"` + strings.Repeat("x", 900_000) + `","LicenseType":1}`, 422},
		"huge e-mail":       {`{"UserName":"ab","Password":"secret1","Email":"` + strings.Repeat("a@", 400_000) + `b.test","LicenseType":1}`, 422},
		"huge integer":      {`{"UserName":"ab","Password":"secret1","RoleId":1` + strings.Repeat("0", 5000) + `}`, 400},
		"huge exponent":     {`{"UserName":"ab","Password":"secret1","LicenseType":1e999999999}`, 400},
		"deep":              {strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000), 400},
		"many values":       {`{"a":[` + strings.Repeat("1,", 100_000) + `1]}`, 400},
		"invisible name":    {`{"UserName":"a\u200bb","Password":"secret1","LicenseType":1}`, 422},
		"address line feed": {`{"UserName":"ab","Password":"secret1","Email":"a@b.test\r\nBcc: c@d.test","LicenseType":1}`, 400},
	}
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			_, _, before := send(t, server.URL, "GET", "/users/v1/users/123456", nil)
			for name, test := range bodies {
				for _, to := range [][2]string{{"POST", "/users/v1/users"}, {"PUT", "/users/v1/users/123456"}, {"PATCH", "/users/v1/users/123456"}} {
					status, _, body := send(t, server.URL, to[0], to[1], []byte(test.body))
					if status != test.status || len(body) > 4096 {
						t.Errorf("%s, %s: %d %.300s", name, to[0], status, body)
					}
				}
			}
			if status, _, after := send(t, server.URL, "GET", "/users/v1/users/123456", nil); status != 200 || after != before {
				t.Errorf("the user was changed: %d %s", status, after)
			}
			// Activation never looks at a body, whatever it is.
			if status, _, body := send(t, server.URL, "PUT", "/users/v1/users/123456/active", []byte(bodies["too large"].body)); status != 200 {
				t.Errorf("activation with a large body: %d %s", status, body)
			}
		})
	}
}

// TestHostileAddresses: bytes that mean something to a database or to nobody, in
// ids, keys and queries.
func TestHostileAddresses(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			for _, value := range []string{"%00", "%ff%fe", "%25", "_", "%22", "'", "''", "*", "%5C", ":", "-", "a%00b", "%F0%9F%98%80",
				"%E2%80%AE", strings.Repeat("a", 500), "%C2%AD", "%2F..%2F", "{}", "$1", "?1", "%D0%B0"} {
				for _, path := range []string{"/users/v1/users/" + value, "/users/v1/users/" + value + "?use-external-id=true",
					"/users/v1/users?pageNumber=" + value, "/users/v1/users?" + value + "=1"} {
					if status, _, body := send(t, server.URL, "GET", path, nil); status >= 500 || status == 401 {
						t.Errorf("%s: %d %s", path, status, body)
					}
				}
				if status, _, body := send(t, server.URL, "GET", "/users/v1/users?subscription-key="+value, nil, "Ocp-Apim-Subscription-Key", ""); status != 401 {
					t.Errorf("key %s: %d %s", value, status, body)
				}
			}
		})
	}
}

// TestKeyIsNotLogged: neither place of the key leaves a trace in the log.
func TestKeyIsNotLogged(t *testing.T) {
	var log lockedBuffer
	cfg := config.Default()
	cfg.Addr, cfg.Database, cfg.Demo = "127.0.0.1:0", "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), true
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a, err := app.New(ctx, cfg, &log)
	must(t, err)
	must(t, a.Listen(ctx))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	for _, path := range []string{"/users/v1/users/123456?subscription-key=usher-demo-key", "/users/v1/users/abc?subscription-key=wrong-key-text"} {
		send(t, a.URL(), "GET", path, nil, "Ocp-Apim-Subscription-Key", "")
		send(t, a.URL(), "GET", path, nil, "Ocp-Apim-Subscription-Key", "other-key-text")
	}
	send(t, a.URL(), "GET", "/users/v1/users/123456", nil)
	http.DefaultClient.CloseIdleConnections()
	cancel()
	must(t, <-ended)
	must(t, a.Close())
	text := log.String()
	if strings.Count(text, `"door":"encore"`) != 5 {
		t.Errorf("not five requests in the log:\n%s", text)
	}
	for _, secret := range []string{"usher-demo-key", "wrong-key-text", "other-key-text"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the log:\n%s", secret, text)
		}
	}
}

// lockedBuffer is a log that several requests write to.
type lockedBuffer struct {
	mutex sync.Mutex
	text  strings.Builder
}

// Write appends to the log.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

// String is all that was written.
func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

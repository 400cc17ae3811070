package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		os.Exit(serveAsProgram(os.Args[2:]))
	}
	pgtest.Main(m)
}

// fetch gets a URL with a bearer key; "" sends none.
func fetch(t *testing.T, url, key string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// johnBates is the sample of the iQmetrix document, "User".
const johnBates = `{"Id":2576,"FirstName":"John","LastName":"Bates","UserName":"johnb@kentel.com","Address":{"AddressLine1":"1432 Merry View Road",` +
	`"AddressLine2":"","City":"Big Windy","StateCode":"ON","CountryCode":"CA","Zip":"A1A2B2"},"ClientUserId":"132","Email":"johnb@kentel.com",` +
	`"IsActive":true,"JobTitle":"Sales Clerk","ParentEntityId":1,"PhoneNumbers":[{"Number":"6135550127","Extension":"5532","Type":"Work"}],` +
	`"Picture":{},"Version":1}`

// The sample directory shows the document's user as the document does, on
// both engines.
func TestDemoHoldsTheUserOfTheDocument(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			status, _, body := fetch(t, s.URL+"/v1/Users(2576)", "usher-demo-key")
			if status != http.StatusOK || body != johnBates {
				t.Errorf("GET Users(2576) = %d\n%s\nwant\n%s", status, body, johnBates)
			}
			status, _, body = fetch(t, s.URL+"/v1/Users(2576)/Locations", "usher-demo-key")
			if status != http.StatusOK || body != `{"UserID":2576,"LocationIDs":[14202]}` {
				t.Errorf("its locations = %d %s", status, body)
			}
			status, _, body = fetch(t, s.URL+"/v1/Entities(14146)/Users/Search?terms=Sam+Smith", "usher-demo-key")
			if status != http.StatusOK || strings.Count(body, `"FirstName":"Sam"`) != 2 {
				t.Errorf("search for Sam Smith = %d %s, want two users", status, body)
			}
		})
	}
}

// What the documents of the other vendors name is there, in the state that
// their calls expect.
func TestDemoHoldsTheUsersOfTheOtherDocuments(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	ctx := t.Context()
	demo, err := s.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	if err != nil {
		t.Fatal(err)
	}
	if demo.DefaultCompany != 14146 || !demo.Settings.Demo {
		t.Errorf("tenant demo: company %d, demo %v", demo.DefaultCompany, demo.Settings.Demo)
	}
	for _, c := range []struct {
		ref   directory.UserRef
		state directory.State
		rank  directory.Rank
		extra string // door whose extras it has
	}{
		{directory.ByHandle(directory.SpaceEmployee, "000000006"), directory.StateInactive, directory.RankSelf, "encore"},
		{directory.ByHandle(directory.SpaceLogin, "ccarr@smartapp.com"), directory.StateActive, directory.RankSelf, "smartapp"},
		{directory.ByID("a570e68e-2134-11e6-b63c-6ce229284b01"), directory.StateInactive, directory.RankSelf, ""},
		{directory.ByHandle(directory.SpaceLogin, "chenry"), directory.StateActive, directory.RankAdministrator, ""},
		{directory.ByHandle(directory.SpaceLogin, "tech.jones"), directory.StateActive, directory.RankSelf, "servicemobility"},
		{directory.ByHandle(directory.SpaceLogin, "admin@example.test"), directory.StateActive, directory.RankOwner, ""},
		{directory.ByNumber(123456), directory.StateInactive, directory.RankSelf, "encore"},
	} {
		u, err := s.Service.User(ctx, directory.System(demo.No, "test"), c.ref)
		if err != nil {
			t.Errorf("%+v: %v", c.ref, err)
			continue
		}
		if u.State != c.state || u.Rank != c.rank || c.extra != "" && !json.Valid(u.Profile.Extras[c.extra]) {
			t.Errorf("%s: state %s, rank %s, extras %s", u.UserName, u.State, u.Rank, u.Profile.Extras)
		}
	}
	pools, err := s.Service.Pools(ctx, directory.System(demo.No, "test"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]directory.Pool{
		"regular": {Type: "regular", Total: 50, Used: 1, Version: 1}, "web_only": {Type: "web_only", Total: 10, Version: 1},
		"employee": {Type: "employee", Total: 5, Version: 1}, "transaction_based": {Type: "transaction_based", Total: 10, Version: 1},
	}
	got := map[string]directory.Pool{}
	for _, p := range pools {
		got[p.Type] = p
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("licence pools (-want +got):\n%s", diff)
	}
}

func TestOperations(t *testing.T) {
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("address of its own %v", own), func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Tune: func(c *config.Config) {
				if own {
					c.MetricsAddr = "127.0.0.1:0"
				}
			}})
			for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
				if status, _, body := fetch(t, s.App.MetricsURL()+path, ""); status != http.StatusOK || body != want {
					t.Errorf("%s = %d %q", path, status, body)
				}
			}
			fetch(t, s.URL+"/v1/ping", "")
			_, _, body := fetch(t, s.App.MetricsURL()+"/metrics", "")
			for _, want := range []string{`usher_http_requests_total{door="iqmetrix",route="GET /v1/ping",status="200"} 1`,
				`usher_store_info{engine="sqlite"} 1`, `usher_sqlite_file_bytes{file="wal"} `} {
				if !strings.Contains(body, want) {
					t.Errorf("no %s in:\n%s", want, body)
				}
			}
			if strings.Contains(body, `usher_sqlite_file_bytes{file="database"} 0`) {
				t.Error("the database file has no size")
			}
			if status, _, _ := fetch(t, s.URL+"/metrics", ""); own != (status == http.StatusNotFound) {
				t.Errorf("/metrics on the doors' address = %d", status)
			}
			if status, _, _ := fetch(t, s.App.MetricsURL()+"/v1/ping", ""); own != (status == http.StatusNotFound) {
				t.Errorf("/v1/ping on the metrics address = %d", status)
			}
		})
	}
}

// slowRequest sends a request whose body is not complete, and returns what
// sends the rest and reads the answer's status line.
func slowRequest(t *testing.T, url string) (finish func() (string, error)) {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	body := "grant_type=password"
	if _, err := fmt.Fprintf(conn, "POST /v1/oauth2/token HTTP/1.1\r\nHost: usher\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\n\r\n%s", len(body), body[:5]); err != nil {
		t.Fatal(err)
	}
	return func() (string, error) {
		if _, err := io.WriteString(conn, body[5:]); err != nil {
			return "", err
		}
		return bufio.NewReader(conn).ReadString('\n')
	}
}

// await polls a URL until its answer satisfies a condition.
func await(t *testing.T, url, what string, ok func(status int, body string) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if status, _, body := fetch(t, url, ""); ok(status, body) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: never %s", url, what)
		}
	}
}

func inFlight(_ int, body string) bool {
	return strings.Contains(body, "usher_http_requests_in_flight 1\n")
}

func ownMetrics(c *config.Config) { c.MetricsAddr = "127.0.0.1:0" }

// A stopping server says so to probes, takes no new connection, and finishes
// what is in flight.
func TestStopFinishesWhatIsInFlight(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Tune: ownMetrics})
	finish := slowRequest(t, s.URL)
	await(t, s.App.MetricsURL()+"/metrics", "in flight", inFlight)
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	await(t, s.App.MetricsURL()+"/readyz", "unavailable", func(status int, body string) bool {
		return status == http.StatusServiceUnavailable && body == "stopping\n"
	})
	if status, _, _ := fetch(t, s.App.MetricsURL()+"/healthz", ""); status != http.StatusOK {
		t.Errorf("/healthz while stopping = %d", status)
	}
	if line, err := finish(); err != nil || !strings.HasPrefix(line, "HTTP/1.1 400 ") {
		t.Errorf("the request in flight got %q, %v; want its answer", line, err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Stop() = %v", err)
	}
}

// What is still in flight after shutdown_timeout is cut off, and the error
// says how much.
func TestStopCutsOffAfterTheTimeout(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Tune: func(c *config.Config) {
		ownMetrics(c)
		c.ShutdownTimeout = 50 * time.Millisecond
	}})
	slowRequest(t, s.URL)
	await(t, s.App.MetricsURL()+"/metrics", "in flight", inFlight)
	if err := s.Stop(); err == nil || !strings.HasPrefix(err.Error(), "shutdown_timeout: 1 request") {
		t.Errorf("Stop() = %v, want the request that was cut off", err)
	}
}

// An unknown path is a problem of RFC 9457, is counted, and needs no door.
func TestUnknownPath(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	status, header, body := fetch(t, s.URL+"/nowhere/at/all", "")
	if status != http.StatusNotFound || header.Get("Content-Type") != "application/problem+json" || !json.Valid([]byte(body)) {
		t.Errorf("got %d %s %s", status, header.Get("Content-Type"), body)
	}
}

// A path that begins with two slashes, as from a base URL with a slash at its
// end, leads nowhere: each door says so in its own words and redirects nobody.
func TestTwoSlashes(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	for path, want := range map[string]struct{ media, begin string }{
		"//oltpublish/site/home.do":            {"text/xml;charset=UTF-8", `<response code="-1">`},
		"//seiapi/v3/trans/User/tech.jones":    {"application/json", `{"code":404,`},
		"//createjwt":                          {"application/json", `{"code":404,`},
		"//nowhere/oltpublish/site/connect.do": {"application/problem+json", `{"type":`},
	} {
		status, header, body := fetch(t, s.URL+path, "usher-demo-key")
		if status != http.StatusNotFound || header.Get("Content-Type") != want.media || header.Get("Location") != "" || !strings.HasPrefix(body, want.begin) {
			t.Errorf("%s: %d %v %s", path, status, header, body)
		}
	}
}

func TestNewRefusesWhatItCannotServe(t *testing.T) {
	for name, c := range map[string]struct {
		tune func(*config.Config)
		want string
	}{
		"missing certificate": {func(c *config.Config) { c.TLSCert, c.TLSKey = "none.pem", "none.pem" }, "tls_cert, tls_key: "},
		"unknown door":        {func(c *config.Config) { c.Doors = []string{"attic"} }, "doors: "},
		"missing folder":      {func(c *config.Config) { c.Database = "sqlite:" + t.TempDir() + "/none/usher.db" }, "database: "},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.Default()
			cfg.Database = "sqlite:" + t.TempDir() + "/usher.db"
			c.tune(&cfg)
			if _, err := app.New(t.Context(), cfg, io.Discard); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("New() = %v, want an error that begins with %q", err, c.want)
			}
		})
	}
}

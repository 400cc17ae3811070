package processes_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// program is the built program, made once for the test binary.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "usher-processes")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "usher")
	build := exec.Command("go", "build", "-o", path, "github.com/usher-id/usher/cmd/usher")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	pgtest.Main(m, func() {
		if path, err := program(); err == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
	})
}

// key is the API key that the tests use.
const key = "processes-test-key"

// site is a database with a tenant, and the servers on it.
type site struct {
	t        testing.TB
	database string
	dir      string // of everything that belongs to it
	servers  []*server
}

// server is one process, which can be killed and started again at its address.
type server struct {
	site *site
	addr string
	args []string

	mu  sync.Mutex
	cmd *exec.Cmd
	up  chan struct{} // closed while it answers
}

// newSite makes a database of an engine with a tenant, and starts servers on it.
func newSite(t testing.TB, engine string, count int, flags ...string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	if engine == "postgres" {
		s.database = pgtest.Migrated(t, func(ctx context.Context, dsn string) error {
			return store.Migrate(ctx, dsn, store.Options{})
		})
	} else {
		s.database = "sqlite:" + filepath.Join(s.dir, "usher.db")
	}
	s.prepare()
	for range count {
		s.servers = append(s.servers, s.newServer(flags))
	}
	return s
}

// prepare makes the tenant and the key.
func (s *site) prepare() {
	s.t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, s.database, store.Options{Migrate: true})
	if err != nil {
		s.t.Fatal(err)
	}
	service := directory.New(db, directory.Options{})
	tenant, err := service.CreateTenant(ctx, directory.System(0, "test"), directory.Tenant{Name: "kentel"}, directory.Company{})
	if err == nil {
		_, _, err = service.CreateKey(ctx, directory.System(tenant.No, "test"), directory.NewCredential{Name: "test", Secret: key, Rank: directory.RankAdministrator})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// newServer starts a server at an address that it keeps.
func (s *site) newServer(flags []string) *server {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	v := &server{site: s, addr: l.Addr().String(), up: make(chan struct{})}
	if err := l.Close(); err != nil {
		s.t.Fatal(err)
	}
	v.args = append([]string{"serve", "--addr", v.addr, "--database", s.database, "--doors", "canonical", "--mail-dir", s.dir,
		"--log-level", "warn", "--log-format", "text"}, flags...)
	v.start()
	s.t.Cleanup(v.stop)
	return v
}

// start starts the process and returns when it answers.
func (v *server) start() {
	v.site.t.Helper()
	path, err := program()
	if err != nil {
		v.site.t.Fatal(err)
	}
	cmd := exec.Command(path, v.args...)
	cmd.Env = append(os.Environ(), "USHER_SECRET_KEY="+testkit.SecretKey)
	cmd.Stderr = v.site.t.Output()
	if err := cmd.Start(); err != nil {
		v.site.t.Fatal(err)
	}
	v.mu.Lock()
	v.cmd = cmd
	v.mu.Unlock()
	for deadline := time.Now().Add(30 * time.Second); ; {
		answer, err := http.Get("http://" + v.addr + "/readyz")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				close(v.answers())
				return
			}
		}
		if time.Now().After(deadline) {
			v.site.t.Fatalf("no server at %s: %v", v.addr, err)
		}
	}
}

// answers is closed while the server is there to answer.
func (v *server) answers() chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.up
}

// kill ends the process as a power cut would.
func (v *server) kill() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.up = make(chan struct{})
	_ = v.cmd.Process.Kill() // it may have ended by itself, which Wait says
	_ = v.cmd.Wait()
}

// stop ends the process at the end of the test, in order.
func (v *server) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cmd.ProcessState != nil {
		return
	}
	if err := v.cmd.Process.Signal(os.Interrupt); err != nil {
		v.site.t.Errorf("stopping: %v", err)
	}
	if err := v.cmd.Wait(); err != nil {
		v.site.t.Errorf("the server ended with %v", err)
	}
}

// httpClient gives up early: a killed server may leave a connection hanging.
var httpClient = &http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// call sends a request to the server; the status is 0 when no answer came.
func (v *server) call(ctx context.Context, method, path string, body, into any) (int, error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+v.addr+"/api/v1"+path, sent)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := httpClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode >= 300 {
		return answer.StatusCode, fmt.Errorf("%s %s: %d %s", method, path, answer.StatusCode, strings.TrimSpace(string(text)))
	}
	if into != nil {
		return answer.StatusCode, json.Unmarshal(text, into)
	}
	return answer.StatusCode, nil
}

// run runs a command of the program on the database and returns its output.
func (s *site) run(args ...string) (string, error) {
	path, err := program()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, append(args, "--database", s.database)...)
	cmd.Env = append(os.Environ(), "USHER_SECRET_KEY="+testkit.SecretKey)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

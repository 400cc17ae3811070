// Package site gives tests whole servers: the program, built as a release is
// built, runs as processes of its own on one database, and can be killed,
// stopped and started again. Processes, not goroutines, because what is tested is
// what only the end of a process shows.
package site

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// Key is the API key of the site's tenant: an administrator's, for all doors.
const Key = "processes-test-key"

// programDir is the folder of the built program; "" before there is one.
var programDir string

// program is the built program, made once for the test binary.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "usher-site")
	if err != nil {
		return "", err
	}
	programDir = dir
	path := filepath.Join(dir, "usher")
	build := exec.Command("go", "build", "-o", path, "github.com/usher-id/usher/cmd/usher")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// Program builds the program, once for the test binary, and returns its path.
func Program() (string, error) { return program() }

// Main runs the tests of a package and removes what they used. Call it from
// TestMain; it does not return. cleanup runs at the end.
func Main(m *testing.M, cleanup ...func()) {
	pgtest.Main(m, append(cleanup, func() {
		if programDir != "" {
			_ = os.RemoveAll(programDir) // a folder of temporary files
		}
	})...)
}

// Process says how a server is started. The zero value is the program of this
// source with the canonical door.
type Process struct {
	// Program is the path of the program; "" is Program's.
	Program string
	// Doors are the doors to serve, as the setting has them; "" is canonical.
	Doors string
	// MetricsAddr is where /readyz and the like are served; "" is the doors' address.
	MetricsAddr string
	// Flags come after the site's own, so that they win.
	Flags []string
	// Env is added to the test's own environment, as KEY=VALUE.
	Env []string
	// Prefix is a program and its arguments that run the server, prlimit and
	// strace for example. It gets the signals too, as one group with the server.
	Prefix []string
	// Stderr gets the server's log; nil is the test's output.
	Stderr io.Writer
}

// Options say what to make. The zero value is one server on SQLite.
type Options struct {
	// Engine is one of testkit.Engines; "" is sqlite.
	Engine string
	// Database is used instead of a new one of Engine. It is migrated if it
	// must be, and gets the site's tenant.
	Database string
	// Dir is the folder of everything that belongs to the site; "" is a new one.
	Dir string
	// Servers is how many are started; with 0 none, so that Setup can be called
	// first on SQLite.
	Servers int
	Process
}

// Site is a database with a tenant, and the servers on it.
type Site struct {
	// T is the test that it belongs to, which ends the servers.
	T testing.TB
	// Database is the connection string.
	Database string
	// Dir is the folder of everything that belongs to it.
	Dir string
	// Tenant is the tenant that Key belongs to.
	Tenant directory.Tenant
	// Servers are in the order in which they were added.
	Servers []*Server
}

// New makes a database with a tenant, and starts servers on it, which are
// stopped in order at the end of the test.
func New(t testing.TB, o Options) *Site {
	t.Helper()
	s := &Site{T: t, Database: o.Database, Dir: o.Dir}
	if s.Dir == "" {
		s.Dir = t.TempDir()
	}
	switch {
	case s.Database != "":
	case o.Engine == "postgres":
		s.Database = pgtest.Migrated(t, func(ctx context.Context, dsn string) error {
			return store.Migrate(ctx, dsn, store.Options{})
		})
	default:
		s.Database = "sqlite:" + filepath.Join(s.Dir, "usher.db")
	}
	s.Setup(s.prepare)
	for range o.Servers {
		s.Add(o.Process).Start()
	}
	return s
}

// Setup works on the directory without a server. On SQLite none may be running.
func (s *Site) Setup(work func(ctx context.Context, service *directory.Service) error) {
	s.T.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, s.Database, store.Options{Migrate: true})
	if err != nil {
		s.T.Fatal(err)
	}
	err = work(ctx, directory.New(db, directory.Options{}))
	if closing := db.Close(); err == nil {
		err = closing
	}
	if err != nil {
		s.T.Fatal(err)
	}
}

// prepare makes the tenant and the key.
func (s *Site) prepare(ctx context.Context, service *directory.Service) error {
	var err error
	s.Tenant, err = service.CreateTenant(ctx, directory.System(0, "test"), directory.Tenant{Name: "kentel"}, directory.Company{})
	if err == nil {
		_, _, err = service.CreateKey(ctx, directory.System(s.Tenant.No, "test"),
			directory.NewCredential{Name: "test", Secret: Key, Rank: directory.RankAdministrator})
	}
	return err
}

// Add makes a server at an address that it keeps, and does not start it.
func (s *Site) Add(p Process) *Server {
	s.T.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.T.Fatal(err)
	}
	v := &Server{Site: s, Addr: l.Addr().String(), Process: p, up: make(chan struct{})}
	if err := l.Close(); err != nil {
		s.T.Fatal(err)
	}
	s.Servers = append(s.Servers, v)
	s.T.Cleanup(v.Stop)
	return v
}

// Run runs a command of the program on the database and returns its output.
func (s *Site) Run(args ...string) (string, error) {
	path, err := Program()
	if err != nil {
		return "", err
	}
	return s.RunProgram(path, args...)
}

// RunProgram is Run with another program, an older one for example.
func (s *Site) RunProgram(path string, args ...string) (string, error) {
	cmd := exec.Command(path, append(args, "--database", s.Database)...)
	cmd.Env = append(os.Environ(), "USHER_SECRET_KEY="+testkit.SecretKey)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

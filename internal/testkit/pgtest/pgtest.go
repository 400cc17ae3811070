//go:build unix

// Package pgtest gives tests a PostgreSQL server of their own: a throw-away
// cluster in a temporary folder, reachable through a unix socket only, started
// once for a test binary when the first test asks for a database.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
)

// Main runs the tests of a package and stops the cluster that they used. Call
// it from TestMain; it does not return. cleanup runs at the end.
func Main(m *testing.M, cleanup ...func()) {
	code := m.Run()
	shared.stop()
	for _, fn := range cleanup {
		fn()
	}
	os.Exit(code)
}

// Database makes an empty database and returns its DSN. It is dropped when the
// test ends. Without a PostgreSQL installation the test fails.
func Database(t testing.TB) string {
	t.Helper()
	c := start(t)
	name := c.create(t, "template0")
	return c.dsn(name)
}

// Shared makes an empty database that stays until the end of the test binary,
// for benchmarks, which run their function several times.
func Shared(t testing.TB) string {
	t.Helper()
	c := start(t)
	name := fmt.Sprintf("shared_%d", c.databases.Add(1))
	if err := c.admin("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return c.dsn(name)
}

// Migrated makes a database with the schema that migrate makes, which is called
// once for the test binary: every further database is a copy of the first. All
// calls in a test binary must mean the same schema.
func Migrated(t testing.TB, migrate func(ctx context.Context, dsn string) error) string {
	t.Helper()
	c := start(t)
	c.templateOnce.Do(func() {
		if c.templateErr = c.admin("CREATE DATABASE schema_template TEMPLATE template0"); c.templateErr == nil {
			c.templateErr = migrate(context.Background(), c.dsn("schema_template"))
		}
	})
	if c.templateErr != nil {
		t.Fatalf("pgtest: make the template database: %v", c.templateErr)
	}
	return c.dsn(c.create(t, "schema_template"))
}

// Restart stops the cluster at once, as a crash would, and starts it again:
// for tests of what happens when a server goes away. No other test of the
// binary may run at the same time.
func Restart(t testing.TB) {
	t.Helper()
	c := start(t)
	c.kill()
	if err := c.launch(); err != nil {
		t.Fatalf("pgtest: restart: %v", err)
	}
}

// cluster is one running server.
type cluster struct {
	once         sync.Once
	err          error
	bin, dir     string
	credential   *syscall.Credential
	settings     []string // of this one alone, as name=value
	server       *exec.Cmd
	exited       chan struct{}
	databases    atomic.Int64
	templateOnce sync.Once
	templateErr  error
}

var shared cluster

func start(t testing.TB) *cluster {
	t.Helper()
	c := &shared
	c.once.Do(func() { c.err = c.setUp() })
	if c.err != nil {
		t.Fatalf("pgtest: %v", c.err)
	}
	return c
}

// setUp makes the data directory and starts the server.
func (c *cluster) setUp() error {
	if err := c.prepare(); err != nil {
		return err
	}
	args := []string{"--pgdata", c.data(), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
		"--locale", "C.UTF-8", "--no-sync", "--no-instructions"}
	out, err := c.command("initdb", append(args, c.collation()...)...).CombinedOutput()
	if err != nil {
		return errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(c.dir))
	}
	return c.launch()
}

// prepare finds the programs and makes the folder of the data, the socket and
// the log.
func (c *cluster) prepare() error {
	var err error
	if c.bin, err = binaries(); err != nil {
		return err
	}
	if c.credential, err = serverUser(); err != nil {
		return err
	}
	c.dir, err = serverDir(c.credential)
	return err
}

// serverDir makes a folder that belongs to the server's user.
func serverDir(owner *syscall.Credential) (string, error) {
	// The path of a socket may have 107 characters: not below t.TempDir.
	dir, err := os.MkdirTemp("/tmp", "pgtest")
	if err == nil && owner != nil {
		err = os.Chown(dir, int(owner.Uid), int(owner.Gid))
	}
	return dir, err
}

// collation makes the databases sort as a person would where the server can
// (PostgreSQL 15 and later), so that a column which is not COLLATE "C" shows.
func (c *cluster) collation() []string {
	out, err := c.command("postgres", "--version").Output()
	if version := strings.Fields(string(out)); err == nil && len(version) > 2 {
		major, _, _ := strings.Cut(version[2], ".")
		if n, err := strconv.Atoi(major); err == nil && n >= 15 {
			return []string{"--locale-provider", "icu", "--icu-locale", "en-US"}
		}
	}
	return nil
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// launch starts the server and waits until it answers.
func (c *cluster) launch() error {
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	// Durable commits are tested elsewhere; here they would only cost time.
	args := []string{"-D", c.data(), "-k", c.dir}
	for _, setting := range slices.Concat([]string{"listen_addresses=", "fsync=off", "full_page_writes=off",
		"max_connections=300", "shared_buffers=64MB", "jit=off",
		// Tests that meet a deadlock on purpose need not wait a second for it.
		"deadlock_timeout=50ms", "max_prepared_transactions=0", "autovacuum_naptime=5s"}, c.settings) {
		args = append(args, "-c", setting)
	}
	c.server = c.command("postgres", args...)
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	c.exited = exited
	go func() {
		c.server.Wait()
		close(exited)
	}()
	return c.await()
}

// await asks until the server answers, has ended or takes too long.
func (c *cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := c.admin("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-c.exited:
			return fmt.Errorf("the server ended: %s", c.logText())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w: %s", err, c.logText())
		case <-retry.C:
		}
	}
}

func (c *cluster) logText() string {
	text, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// kill ends the server as a crash would.
func (c *cluster) kill() {
	if c.server == nil || c.server.Process == nil {
		return
	}
	c.server.Process.Signal(syscall.SIGQUIT) // immediate shutdown, which takes the children with it
	<-c.exited
}

func (c *cluster) stop() {
	c.kill()
	if c.dir != "" {
		os.RemoveAll(c.dir)
	}
}

// command is a program of PostgreSQL as the server's user. It dies with the
// test binary.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	cmd.SysProcAttr = processAttributes(c.credential)
	return cmd
}

func (c *cluster) dsn(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {c.dir}, "user": {"postgres"}}.Encode()
}

// admin runs one statement in the maintenance database.
func (c *cluster) admin(statement string) error {
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}

func (c *cluster) create(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", c.databases.Add(1))
	if err := c.admin("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if err := c.admin("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return name
}

// binaries finds the folder of initdb and postgres.
func binaries() (string, error) {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		if !hasServer(dir) {
			return "", fmt.Errorf("PG_BIN=%s has no initdb and postgres", dir)
		}
		return dir, nil
	}
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	sort.Slice(dirs, func(i, j int) bool { return majorVersion(dirs[i]) > majorVersion(dirs[j]) })
	for _, dir := range dirs {
		if hasServer(dir) {
			return dir, nil
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil && hasServer(filepath.Dir(path)) {
		return filepath.Dir(path), nil
	}
	return "", errors.New("PostgreSQL is not installed: install it (Debian: apt-get install postgresql) or set PG_BIN to the folder of initdb and postgres")
}

func majorVersion(bin string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return n
}

func hasServer(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// serverUser is the user that the server runs as: PostgreSQL refuses root. nil
// is the test's own user.
func serverUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

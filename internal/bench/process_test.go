package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/usher-id/usher/internal/load"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// host is what requests call the server.
const host = "bench"

func TestMain(m *testing.M) {
	if spec := os.Getenv(importInto); spec != "" {
		if err := importMain(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	pgtest.Main(m)
}

// bare starts the server that everything is compared with.
func bare(b testing.TB) *load.Process {
	b.Helper()
	p, err := load.StartBare(b.Context(), binary(b), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Stop)
	return p
}

// binary builds usher once per run, without what only a debugger reads, as a
// release is built.
func binary(b testing.TB) string {
	b.Helper()
	path := filepath.Join(directories(b), "usher")
	if built {
		return path
	}
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, "github.com/usher-id/usher/cmd/usher")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	built = true
	return path
}

var built bool

// directories is where seeded directories are kept: BENCH_DIR, so that a
// second run need not seed again, or a folder of the temporary directory.
func directories(b testing.TB) string {
	b.Helper()
	dir := os.Getenv("BENCH_DIR")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "usher-bench")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	return dir
}

// seeded is a database of n users, made when it is not there yet.
func seeded(b testing.TB, n int) string {
	b.Helper()
	path, err := load.SQLiteDirectory(b.Context(), directories(b), n, nil)
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// usher starts a server on a directory of n users.
func usher(b testing.TB, n int) *load.Process { return usherOn(b, copyOf(b, seeded(b, n))) }

// usherOn starts a server on a database file.
func usherOn(b testing.TB, path string, flags ...string) *load.Process {
	return programOn(b, binary(b), path, flags...)
}

// programOn is usherOn for a program that was built otherwise.
func programOn(b testing.TB, program, path string, flags ...string) *load.Process {
	b.Helper()
	return started(b, load.Server{Program: program, Database: "sqlite:" + path, Flags: flags})
}

// started starts a server and stops it at the end.
func started(b testing.TB, s load.Server) *load.Process {
	b.Helper()
	s.Dir = b.TempDir()
	p, err := load.StartServer(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Stop)
	return p
}

// copies numbers the copies of one run: two servers cannot have one file.
var copies atomic.Int64

// copyOf is another directory with the same content, removed at the end.
func copyOf(b testing.TB, path string) string {
	b.Helper()
	dir := filepath.Join(directories(b), fmt.Sprintf("copy-%d", copies.Add(1)))
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	to, err := load.Copy(path, dir)
	if err != nil {
		b.Fatal(err)
	}
	return to
}

package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// bareAddr makes a process of this test binary the bare server.
const bareAddr = "BENCH_BARE"

// bareBody is a user in the size and form that the iqmetrix door answers.
const bareBody = `{"Id":2576,"FirstName":"John","LastName":"Bates","UserName":"johnb@kentel.com","Address":{"AddressLine1":"1432 Merry View Road","AddressLine2":"","City":"Big Windy","StateCode":"ON","CountryCode":"CA","Zip":"A1A2B2"},"ClientUserId":"132","Email":"johnb@kentel.com","IsActive":true,"JobTitle":"Sales Clerk","ParentEntityId":1,"PhoneNumbers":[{"Number":"6135550127","Extension":"5532","Type":"Work"}],"Picture":{},"Version":1}`

func TestMain(m *testing.M) {
	if addr := os.Getenv(bareAddr); addr != "" {
		body := []byte(bareBody)
		handler := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		}
		fmt.Fprintln(os.Stderr, http.ListenAndServe(addr, http.HandlerFunc(handler)))
		os.Exit(1)
	}
	if spec := os.Getenv(importInto); spec != "" {
		if err := importMain(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	pgtest.Main(m)
}

// process is a running server.
type process struct {
	addr string
	cmd  *exec.Cmd
}

// start runs a command that serves on addr and waits until it answers.
func start(b testing.TB, addr string, cmd *exec.Cmd) *process {
	b.Helper()
	cmd.SysProcAttr = diesWithParent()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p := &process{addr: addr, cmd: cmd}
	b.Cleanup(p.stop)
	p.await(b)
	return p
}

// await dials until the server listens.
func (p *process) await(b testing.TB) {
	b.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", p.addr, time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("no server on %s: %v", p.addr, err)
		}
	}
}

func (p *process) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// cpu is the processor time that the process has used.
func (p *process) cpu(b testing.TB) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+2:]))
	var ticks int
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// memory is a figure of /proc/<pid>/status in KiB: "VmRSS", "RssAnon".
func (p *process) memory(b testing.TB, name string) int {
	b.Helper()
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("no %s in /proc", name)
	return 0
}

func freeAddr(b testing.TB) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// bare starts the server that everything is compared with.
func bare(b testing.TB) *process {
	addr := freeAddr(b)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), bareAddr+"="+addr)
	return start(b, addr, cmd)
}

// binary builds usher once per run.
func binary(b testing.TB) string {
	b.Helper()
	path := filepath.Join(directories(b), "usher")
	if built {
		return path
	}
	cmd := exec.Command("go", "build", "-o", path, "github.com/usher-id/usher/cmd/usher")
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

// seeded is a database of n users, made when it is not there yet. The name says
// which Seed made it.
func seeded(b testing.TB, n int) string {
	b.Helper()
	path := filepath.Join(directories(b), fmt.Sprintf("users-%d.v2.db", n))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	ctx, making := context.Background(), path+".making"
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(making + suffix)
	}
	db, err := store.Open(ctx, "sqlite:"+making, store.Options{Migrate: true})
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := Seed(ctx, db, n); err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	b.Logf("seeded %d users in %v", n, time.Since(began).Round(time.Millisecond))
	if err := os.Rename(making, path); err != nil {
		b.Fatal(err)
	}
	return path
}

// usher starts a server on a directory of n users.
func usher(b testing.TB, n int) *process { return usherOn(b, seeded(b, n)) }

// usherOn starts a server on a database file.
func usherOn(b testing.TB, path string, flags ...string) *process {
	return programOn(b, binary(b), path, flags...)
}

// programOn is usherOn for a program that was built otherwise.
func programOn(b testing.TB, program, path string, flags ...string) *process {
	b.Helper()
	addr := freeAddr(b)
	args := append([]string{"serve", "--addr", addr, "--database", "sqlite:" + path}, flags...)
	cmd := exec.Command(program, args...)
	cmd.Stderr = logFile(b)
	return start(b, addr, cmd)
}

// logFile takes a server's log, as a service manager would.
func logFile(b testing.TB) *os.File {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "usher.log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = file.Close() })
	return file
}

// copies numbers the copies of one run: two servers cannot have one file.
var copies atomic.Int64

// copyOf is another directory with the same content, removed at the end.
func copyOf(b testing.TB, path string) string {
	b.Helper()
	to := filepath.Join(directories(b), fmt.Sprintf("copy-%d.db", copies.Add(1)))
	remove := func() {
		for _, suffix := range []string{"", "-wal", "-shm", ".key", ".lock", ".audit-key", ".checkpoints"} {
			_ = os.Remove(to + suffix)
		}
	}
	remove()
	b.Cleanup(remove)
	if out, err := exec.Command("cp", path, to).CombinedOutput(); err != nil {
		b.Fatalf("cp: %v: %s", err, out)
	}
	return to
}

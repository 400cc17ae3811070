package testkit

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Build builds the program as a release is built, without cgo, and returns the
// path of the file, which is removed at the end of the test.
func Build(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "usher")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/usher-id/usher/cmd/usher")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("testkit: go build: %v\n%s", err, out)
	}
	return path
}

// Serve starts a built program with `serve` and the given flags, on a free
// port, and returns the URL of the doors. It asks it to stop at the end of the
// test, which fails when the stop is not an orderly one.
func Serve(t testing.TB, program string, flags ...string) (url string) {
	t.Helper()
	cmd := exec.Command(program, append([]string{"serve", "--addr=127.0.0.1:0"}, flags...)...)
	if strings.Contains(strings.Join(flags, " "), "postgres") {
		cmd.Env = append(cmd.Environ(), "USHER_SECRET_KEY="+SecretKey)
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	read := make(chan struct{}) // closed when the whole log has been read
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Errorf("testkit: %v", err)
		}
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("testkit: the program ended with %v", err)
		}
	})
	lines, last := bufio.NewScanner(log), ""
	for url == "" && lines.Scan() {
		last = lines.Text()
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			url = line.URL
		}
	}
	go func() { // the program must be able to write more
		_, _ = io.Copy(io.Discard, log)
		close(read)
	}()
	if url == "" {
		t.Fatalf("testkit: the program did not serve; its last line was %q", last)
	}
	return url
}

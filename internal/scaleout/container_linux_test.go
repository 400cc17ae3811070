package scaleout_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/testkit/site"
)

// The program runs where there is nothing but itself and its data: as the
// Containerfile has it, in a root with no other file, as a user that owns only
// /data, with the file's settings. No container is built here.
func TestContainerNeedsNothingButTheProgram(t *testing.T) {
	text := readFile(t, deploy+"Containerfile")
	final := text[strings.LastIndex(text, "\nFROM ")+1:]
	if !strings.HasPrefix(final, "FROM scratch\n") {
		t.Fatalf("the image is made of %q", final)
	}
	user := regexp.MustCompile(`(?m)^USER (\d+):(\d+)$`).FindStringSubmatch(final)
	if user == nil || user[1] == "0" {
		t.Fatal("the image's user is root, or has a name that nobody knows there")
	}
	for _, m := range regexp.MustCompile(`(?m)^COPY (\w+) \w+$`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat("../../" + m[1]); err != nil {
			t.Error(err)
		}
	}
	environ := regexp.MustCompile(`USHER_\w+=\S+`).FindAllString(final, -1)
	settings(t, "addr: 127.0.0.1:1", environ...)
	root, addr := t.TempDir(), freeAddr(t)
	attributes := inRoot(t, root, user[1])
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "/usher", "serve", "--addr", addr, "--doors", "canonical")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/data", append(environ, "USHER_DRAIN_TIME=0s"), attributes
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving, read := logOf(t, log)
	defer func() { // nothing may write after the test
		cancel()
		<-read
	}()
	if !<-serving {
		t.Fatalf("it ended: %v", cmd.Wait())
	}
	answer, err := http.Get("http://" + addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("/readyz: %s, %v", answer.Status, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-read
	if err := cmd.Wait(); err != nil {
		t.Errorf("after STOPSIGNAL: %v", err)
	}
}

// logOf passes a server's log on. It says once that the server serves, or ends without
// a word; read is closed when the log has ended.
func logOf(t *testing.T, log io.Reader) (serving chan bool, read chan struct{}) {
	serving, read = make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(read)
		defer close(serving)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			fmt.Fprintln(t.Output(), lines.Text())
			if strings.Contains(lines.Text(), `"msg":"serving"`) {
				serving <- true
			}
		}
	}()
	return serving, read
}

// inRoot furnishes a root as the image is, and says how to start a process in it.
// Only root may change a process's root; others do so as root of a user namespace.
func inRoot(t *testing.T, root, user string) *syscall.SysProcAttr {
	t.Helper()
	program, err := site.Program()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(root, "usher"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err == nil {
		_, err = io.Copy(to, from)
	}
	if err == nil {
		err = to.Close()
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(root, "data"), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{Chroot: root, Cloneflags: syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	}
	id, err := strconv.Atoi(user)
	if err == nil {
		err = os.Chown(filepath.Join(root, "data"), id, id)
	}
	if err == nil {
		err = os.Chmod(root, 0o755)
	}
	if err != nil {
		t.Fatal(fmt.Errorf("furnish the root: %w", err))
	}
	return &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}}
}

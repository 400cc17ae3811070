package torture

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/usher-id/usher/internal/testkit/site"
)

// onDisk is a world on SQLite whose files lie on a file system of their own, of so
// many bytes. Where the machine does not let one be mounted, they lie in an ordinary
// folder, and small says so.
func onDisk(t *testing.T, bytes int) (s *site.Site, accounts [writing][]*account, mounted bool) {
	t.Helper()
	dir := t.TempDir()
	mounted = syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", bytes)) == nil
	if mounted {
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Errorf("unmount: %v", err)
			}
		})
	}
	s = site.New(t, site.Options{Dir: dir})
	accounts = furnish(s)
	s.Add(site.Process{Doors: doors}).Start()
	return s, accounts, mounted
}

// A disk that is full refuses changes and loses none; reads go on, and once there is
// room again so do changes, by themselves.
func TestDiskFull(t *testing.T) {
	s, accounts, mounted := onDisk(t, 24<<20)
	l := begin(t, accounts, s.Servers...)
	stays(t, s, func() {
		rounds(2, func() {
			l.more(60)
			refill := func() {}
			if mounted {
				filler := fill(t, s.Dir)
				refill = func() {
					if err := os.Remove(filler); err != nil {
						t.Error(err)
					}
				}
			} else {
				refill = trace(t, s.Servers[0], "--inject=pwrite64,ftruncate:error=ENOSPC")
			}
			l.suffer()
			refill()
		})
		l.judge(s)
	})
}

// fill writes a file until the disk takes no more.
func fill(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for piece := make([]byte, 1<<20); len(piece) > 0; {
		if _, err := f.Write(piece); errors.Is(err, syscall.ENOSPC) {
			piece = piece[:len(piece)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// suffer waits until changes are refused, and requires that reads are answered
// meanwhile.
func (l *load) suffer() {
	l.t.Helper()
	from := l.unknown.Load()
	l.await("a refused change", func() bool { return l.unknown.Load() >= from+writing })
	reads := l.reads.Load()
	l.await("reads", func() bool { return l.reads.Load() >= reads+20 })
}

// A disk that takes no writes any more is as a full one.
func TestDiskReadOnly(t *testing.T) {
	s, accounts := world(t, "sqlite", 1, site.Process{})
	l := begin(t, accounts, s.Servers...)
	stays(t, s, func() {
		rounds(1, func() {
			l.more(60)
			end := trace(t, s.Servers[0], "--inject=pwrite64,ftruncate,fsync,fdatasync:error=EROFS")
			l.suffer()
			end()
		})
		l.judge(s)
	})
}

// A disk that loses what is written and says so at the end (EIO of fsync) is not
// believed: what it refused is not acknowledged.
func TestDiskFails(t *testing.T) {
	s, accounts := world(t, "sqlite", 1, site.Process{})
	l := begin(t, accounts, s.Servers...)
	stays(t, s, func() {
		rounds(1, func() {
			l.more(60)
			end := trace(t, s.Servers[0], "--inject=fsync,fdatasync:error=EIO")
			l.suffer()
			end()
		})
		l.judge(s)
	})
}

// A disk that takes its time makes changes slow, and nothing else: they are made, and
// reads do not wait for them.
func TestDiskSlow(t *testing.T) {
	s, accounts := world(t, "sqlite", 1, site.Process{})
	l := begin(t, accounts, s.Servers...)
	stays(t, s, func() {
		rounds(1, func() {
			l.more(60)
			end := trace(t, s.Servers[0], "--inject=fsync,fdatasync:delay_exit=150000")
			before := l.unknown.Load()
			l.more(writing * 4)
			reads := l.reads.Load()
			l.await("reads", func() bool { return l.reads.Load() >= reads+20 })
			if n := l.unknown.Load() - before; n > 0 {
				t.Errorf("%d changes were not made", n)
			}
			end()
		})
		l.judge(s)
	})
}

// trace lets strace spoil system calls of a running server, until the returned
// function is called.
func trace(t *testing.T, v *site.Server, injection string) (end func()) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command("strace", "-f", "-q", "-o", os.DevNull, "-e", "trace=pwrite64,ftruncate,fsync,fdatasync", injection,
		"-p", fmt.Sprint(v.PID()))
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("strace, which .ci/setup installs: %v", err)
	}
	done := false
	end = func() {
		if done {
			return
		}
		done = true
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Errorf("strace: %v: %s", err, said.String())
		}
		_ = cmd.Wait() // it ends by the signal
	}
	t.Cleanup(end)
	return end
}

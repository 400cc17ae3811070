//go:build unix

package store

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A process that is being started has the files of the one that starts it for a
// moment. The lock must not last until that is over.
func TestLockIsReleasedBesideAChild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db.lock")
	l, err := lockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(l.file.Fd())) // what fork does with it
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if _, err := lockFile(path); err == nil {
		t.Fatal("the lock was given twice")
	}
	if err := l.release(); err != nil {
		t.Fatal(err)
	}
	again, err := lockFile(path)
	if err != nil {
		t.Fatalf("after its release: %v", err)
	}
	if err := again.release(); err != nil {
		t.Fatal(err)
	}
}

//go:build unix

package pull

import (
	"errors"
	"os"
	"syscall"
)

// lock takes a lock of the operating system on a file, which ends with the process,
// however that ends; ok is false when another process has it.
func lock(f *os.File) (ok bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

package pull

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock takes a lock of the operating system on a file, which ends with the process,
// however that ends; ok is false when another process has it. It is on a byte behind
// all that the file can have, since a lock here keeps readers away too.
func lock(f *os.File) (ok bool, err error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	behind := &windows.Overlapped{OffsetHigh: 1 << 30}
	err = windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, behind)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

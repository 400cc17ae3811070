//go:build linux || darwin

package app

import "syscall"

// diskRoom is the bytes that this user may still write where a folder is, and all that
// the disk has.
func diskRoom(dir string) (free, total uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}

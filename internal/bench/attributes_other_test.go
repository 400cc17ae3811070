//go:build !linux

package bench

import "syscall"

// diesWithParent changes nothing: only Linux can tie the life of a process to
// the test binary's.
func diesWithParent() *syscall.SysProcAttr { return nil }

package bench

import "syscall"

// diesWithParent makes a process end with the test binary, also when that is
// killed.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

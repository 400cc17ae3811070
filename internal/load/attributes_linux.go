package load

import "syscall"

// diesWithParent keeps no server behind when the one that measures is killed.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

package site

import (
	"os"
	"syscall"
)

// processAttributes make a process the first of a group and let it die with the
// test binary, also when that is killed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// signalGroup sends a signal to a process and its children.
func signalGroup(p *os.Process, s syscall.Signal) {
	_ = syscall.Kill(-p.Pid, s) // whoever has ended needs no signal
}

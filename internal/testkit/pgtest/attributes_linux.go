package pgtest

import "syscall"

// processAttributes make a process run as another user and die with its
// parent, also when the test binary is killed.
func processAttributes(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}

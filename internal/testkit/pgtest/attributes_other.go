//go:build unix && !linux

package pgtest

import "syscall"

// processAttributes make a process run as another user. Only Linux can tie its
// life to the test binary's.
func processAttributes(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential, Setpgid: true}
}

//go:build unix && !linux

package pgtest

import "syscall"

// processAttributes make a process run as another user. Only Linux can tie its
// life to the test binary's.
func processAttributes(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential, Setpgid: true}
}

// children are not known here; those of PostgreSQL end when their parent does.
func children(int) ([]int, error) { return nil, nil }

//go:build !linux

package site

import (
	"os"
	"syscall"
)

// processAttributes are the system's own: only Linux can tie a process to the
// test binary's life.
func processAttributes() *syscall.SysProcAttr { return nil }

// signalGroup sends a signal to a process.
func signalGroup(p *os.Process, s syscall.Signal) {
	_ = p.Signal(s) // whoever has ended needs no signal
}

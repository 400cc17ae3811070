//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// echoOff stops a terminal from showing what is typed, until restore. ok is
// false for a file that is no terminal.
func echoOff(f *os.File) (restore func() error, ok bool) {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, false
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	quiet.Lflag |= unix.ICANON | unix.ISIG // lines that can be edited, and Ctrl-C
	quiet.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermios, &quiet); err != nil {
		return nil, false
	}
	return func() error { return unix.IoctlSetTermios(fd, setTermios, before) }, true
}

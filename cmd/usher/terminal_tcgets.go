//go:build aix || linux || solaris

package main

import "golang.org/x/sys/unix"

// How the terminal's state is read and written.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)

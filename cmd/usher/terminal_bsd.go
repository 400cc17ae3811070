//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import "golang.org/x/sys/unix"

// How the terminal's state is read and written.
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)

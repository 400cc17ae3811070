package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// echoOff stops a terminal from showing what is typed, until restore. ok is
// false for a file that is no terminal.
func echoOff(f *os.File) (restore func() error, ok bool) {
	console := windows.Handle(f.Fd())
	var before uint32
	if windows.GetConsoleMode(console, &before) != nil {
		return nil, false
	}
	quiet := before&^windows.ENABLE_ECHO_INPUT | windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT
	if windows.SetConsoleMode(console, quiet) != nil {
		return nil, false
	}
	return func() error { return windows.SetConsoleMode(console, before) }, true
}

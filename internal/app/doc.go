// Package app puts the program together: it opens the store, makes the
// directory over it, mounts the doors, and serves them until it is told to
// stop. It is the only place where the packages meet, and what is served is
// decided here alone, in doors.go. The command line calls it, and package
// testkit does for tests.
//
// Standard error carries the log; standard output is left to the commands.
package app

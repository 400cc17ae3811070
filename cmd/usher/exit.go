package main

import (
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

// The exit statuses, which scripts can rely on. docs/cli.md and `usher --help` list
// them.
const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2
	exitPartly      = 3
	exitStopped     = 4
	exitNotFound    = 5
	exitConflict    = 6
	exitRefused     = 7
	exitUnavailable = 8
)

// exitMeanings says what the statuses mean.
var exitMeanings = []struct {
	status  int
	meaning string
}{
	{exitDone, "done"},
	{exitError, "something went wrong that no other status names"},
	{exitUsage, "wrong usage: a command, a flag or a value that is not understood or not allowed"},
	{exitPartly, "done in part: rows were rejected, directories differ, a history does not verify"},
	{exitStopped, "stopped by a threshold before anything was done that it guards"},
	{exitNotFound, "there is no such thing, or none that the key can see"},
	{exitConflict, "in conflict with what is there: taken, in use, held, changed meanwhile, or no seat free"},
	{exitRefused, "refused: the key is not taken, or may not do this"},
	{exitUnavailable, "the server or the database cannot be reached or is busy: the same command may succeed later"},
}

// exitHelp is the table for people.
func exitHelp() string {
	var b strings.Builder
	for _, m := range exitMeanings {
		b.WriteString("  " + string(rune('0'+m.status)) + "  " + m.meaning + "\n")
	}
	return b.String()
}

// statusError is an error with the status that the program exits with.
type statusError struct {
	status int
	error
}

// Unwrap leads to the cause.
func (e *statusError) Unwrap() error { return e.error }

// withExit gives an error a status; nil stays nil.
func withExit(status int, err error) error {
	if err == nil {
		return nil
	}
	return &statusError{status, err}
}

// exitStatus is the status of a command that ended with an error.
func exitStatus(err error) int {
	if err == nil {
		return exitDone
	}
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status
	}
	if e, ok := errors.AsType[*app.Refusal](err); ok {
		return statusOfCode(e.Code, 0)
	}
	if e, ok := errors.AsType[*client.Error](err); ok {
		return statusOfCode(e.Code, e.Status)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return exitUnavailable
	}
	// An error about a flag begins with its name, unless cobra words it; whatever else
	// it may be was told apart above.
	if text := err.Error(); strings.HasPrefix(text, "--") || strings.HasPrefix(text, "if any flags in the group") {
		return exitUsage
	}
	return exitError
}

// statusOfCode is the status of what the directory refuses, here or on a server.
// answer is the HTTP status, for what is no answer of a directory.
func statusOfCode(code string, answer int) int {
	switch code {
	case client.CodeInvalid, client.CodeTooLarge, client.CodeUnsupported:
		return exitUsage
	case client.CodeNotFound:
		return exitNotFound
	case client.CodeConflict, client.CodeStale, client.CodeExhausted:
		return exitConflict
	case client.CodeUnauthenticated, client.CodeForbidden:
		return exitRefused
	case client.CodeUnavailable, client.CodeRateLimited:
		return exitUnavailable
	}
	if answer == http.StatusBadGateway || answer == http.StatusServiceUnavailable || answer == http.StatusGatewayTimeout {
		return exitUnavailable
	}
	return exitError
}

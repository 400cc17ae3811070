package app

import "github.com/usher-id/usher/internal/directory"

// ServiceOf is the directory behind the command line, for tests to furnish.
func ServiceOf(a *Admin) *directory.Service { return a.service }

// DatabaseOf is the database of the command line.
func DatabaseOf(a *Admin) string { return a.cfg.Database }

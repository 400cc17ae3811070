//go:build !unix

package app

import "io/fs"

// granted is never true here: there are no groups that a mode speaks of.
func granted(string, fs.FileInfo) bool { return false }

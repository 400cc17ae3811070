package config

import (
	"path/filepath"
	"strings"
)

// SelfSignedFolder is where a self-signed certificate is kept: SelfSignedDir,
// or else the folder of the database where that is a file, or else "", which
// keeps it in memory.
func (c *Config) SelfSignedFolder() string {
	if c.SelfSignedDir != "" {
		return c.SelfSignedDir
	}
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		return filepath.Dir(path)
	}
	return ""
}

package config

import "strings"

// AuditKeyPath is the file of the key that signs checkpoints: AuditKeyFile, or
// else one beside the database where that is a file; made says that the program
// makes it when it is missing. "" is no key.
func (c *Config) AuditKeyPath() (path string, made bool) {
	if c.AuditKeyFile != "" {
		return c.AuditKeyFile, false
	}
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		return path + ".audit-key", true
	}
	return "", false
}

// CheckpointPath is the file that checkpoints are appended to: CheckpointFile, or
// else one beside the database where that is a file, and in the working folder
// where it is not.
func (c *Config) CheckpointPath() string {
	if c.CheckpointFile != "" {
		return c.CheckpointFile
	}
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		return path + ".checkpoints"
	}
	return "usher.checkpoints"
}

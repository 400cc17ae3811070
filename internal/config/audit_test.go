package config

import "testing"

// Where the key and the checkpoints are, when nobody says.
func TestAuditPaths(t *testing.T) {
	for _, c := range []struct {
		database, key, file     string
		wantKey, wantCheckpoint string
		made                    bool
	}{
		{"sqlite:/var/usher.db", "", "", "/var/usher.db.audit-key", "/var/usher.db.checkpoints", true},
		{"sqlite:/var/usher.db", "/keys/a.pem", "/far/away", "/keys/a.pem", "/far/away", false},
		{"postgres://host/db", "", "", "", "usher.checkpoints", false},
		{"postgres://host/db", "/keys/a.pem", "/far/away", "/keys/a.pem", "/far/away", false},
	} {
		cfg := Config{Database: c.database, AuditKeyFile: c.key, CheckpointFile: c.file}
		key, made := cfg.AuditKeyPath()
		if file := cfg.CheckpointPath(); key != c.wantKey || made != c.made || file != c.wantCheckpoint {
			t.Errorf("%+v: key %q (made: %t), checkpoints %q", c, key, made, file)
		}
	}
}

package config_test

import (
	"path/filepath"
	"testing"

	"github.com/usher-id/usher/internal/config"
)

func TestSelfSignedFolder(t *testing.T) {
	for _, c := range []struct{ dir, database, want string }{
		{"", "sqlite:usher.db", "."},
		{"", "sqlite:" + filepath.FromSlash("/var/lib/usher/usher.db"), filepath.FromSlash("/var/lib/usher")},
		{"", "postgres://db/usher", ""},
		{"tls", "postgres://db/usher", "tls"},
		{"tls", "sqlite:usher.db", "tls"},
	} {
		cfg := config.Config{SelfSignedDir: c.dir, Database: c.database}
		if got := cfg.SelfSignedFolder(); got != c.want {
			t.Errorf("SelfSignedFolder() of %q and %q = %q, want %q", c.dir, c.database, got, c.want)
		}
	}
}

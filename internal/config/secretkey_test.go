package config_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/config"
)

// oneKey is a secret key of 32 bytes.
var oneKey = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", config.SecretKeyBytes)))

func TestSecretKeySettings(t *testing.T) {
	for name, c := range map[string]struct{ environ, want string }{
		"a key":            {"USHER_SECRET_KEY=" + oneKey, ""},
		"no base64":        {"USHER_SECRET_KEY=hunter2-hunter2", "secret_key: not base64 of 32 bytes"},
		"a key too short":  {"USHER_SECRET_KEY=aHVudGVyMg==", "secret_key: not base64 of 32 bytes"},
		"a key and a file": {"USHER_SECRET_KEY=" + oneKey, "secret_key_file: give the key once"},
	} {
		var args []string
		if strings.HasPrefix(c.want, "secret_key_file") {
			args = []string{"--secret-key-file=f"}
		}
		_, err := load(t, "", []string{c.environ}, args)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestParseSecretKeys(t *testing.T) {
	other := base64.StdEncoding.EncodeToString(make([]byte, config.SecretKeyBytes))
	keys, err := config.ParseSecretKeys([]byte(oneKey + "\r\n\n  " + other))
	if err != nil || len(keys) != 2 || string(keys[0]) != strings.Repeat("k", config.SecretKeyBytes) || keys[1][0] != 0 {
		t.Errorf("two keys: %v, %v", keys, err)
	}
	for _, text := range []string{"", "\n", oneKey + "\nhunter2"} {
		if _, err := config.ParseSecretKeys([]byte(text)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestSecretKeyPath(t *testing.T) {
	for _, c := range []struct {
		config.Config
		path string
		made bool
	}{
		{config.Config{Database: "sqlite:data/usher.db"}, "data/usher.db.key", true},
		{config.Config{Database: "sqlite:data/usher.db", SecretKeyFile: "key"}, "key", false},
		{config.Config{Database: "sqlite:data/usher.db", SecretKey: "k"}, "", false},
		{config.Config{Database: "postgres://db/usher"}, "", false},
		{config.Config{Database: "postgres://db/usher", SecretKeyFile: "key"}, "key", false},
	} {
		if path, made := c.SecretKeyPath(); path != c.path || made != c.made {
			t.Errorf("%s, %q: %q, %t", c.Database, c.SecretKeyFile, path, made)
		}
	}
}

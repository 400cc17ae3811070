package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
)

// SecretKeyBytes is the length of a secret key.
const SecretKeyBytes = 32

// MakeSecretKey is the command that makes a secret key, for error texts.
const MakeSecretKey = "openssl rand -base64 32"

// checkSecretKey checks the settings of the secret key.
func (c *Config) checkSecretKey(fail func(key, format string, args ...any)) {
	if c.SecretKey == "" {
		return
	}
	if c.SecretKeyFile != "" {
		fail("secret_key_file", "give the key once: here or as secret_key")
	}
	if _, err := ParseSecretKeys([]byte(c.SecretKey)); err != nil {
		fail("secret_key", "%v", err)
	}
}

// ParseSecretKeys reads secret keys as secret_key and the file of
// secret_key_file hold them: base64 of SecretKeyBytes bytes, a line each. The
// first is the current one. The error never repeats a key.
func ParseSecretKeys(text []byte) ([][]byte, error) {
	var keys [][]byte
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		if line == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) != SecretKeyBytes {
			return nil, errors.New("not base64 of 32 bytes; make a key with: " + MakeSecretKey)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("holds no key; make one with: " + MakeSecretKey)
	}
	return keys, nil
}

// SecretKeyPath is the file of the secret key: SecretKeyFile, or else, where
// SecretKey is not set, one beside the database where that is a file; made says
// that the program makes it when it is missing. "" is no file.
func (c *Config) SecretKeyPath() (path string, made bool) {
	if c.SecretKeyFile != "" || c.SecretKey != "" {
		return c.SecretKeyFile, false
	}
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		return path + ".key", true
	}
	return "", false
}
